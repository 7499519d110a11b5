"""What becomes of an article that arrives: kept, held until its time, shown again, or passed over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from newsroom import Clock, article

from archive.article import Article, Withdrawal
from archive.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIVE = article(1, title="Council votes", source_version=1)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path / "archive.db", clock=clock)
    yield opened
    assert opened.check() == []
    opened.close()


def titles(store: Store) -> list[str]:
    return [each.title for each in store.live(store.live_ids()).values()]


def embargoed(article: Article, *, hours: float | None, **changes: object) -> Article:
    until = None if hours is None else NOON + timedelta(hours=hours)
    return replace(article, status="embargoed", embargoed_until=until, **changes)  # type: ignore[arg-type]


def test_an_embargoed_article_appears_at_its_time_and_counts_nowhere_before(store: Store, clock: Clock) -> None:
    assert store.put(embargoed(LIVE, hours=1)) == "held"
    assert (titles(store), store.stats().versions, store.versions(LIVE.id)) == ([], 0, [])
    assert store.next_release() == NOON + timedelta(hours=1)
    clock.now += timedelta(minutes=59)
    assert store.release() == []
    clock.now += timedelta(minutes=1)
    assert store.release() == [LIVE.id]
    assert (titles(store), store.stats().versions, store.next_release()) == ([LIVE.title], 1, None)
    assert [change.kind for change in store.changes(after=0, until=9)] == ["held", "added"]


def test_an_embargo_that_has_passed_is_none(store: Store) -> None:
    assert store.put(embargoed(LIVE, hours=-1)) == "added"
    assert titles(store) == [LIVE.title]


def test_an_embargoed_version_waits_beside_the_one_that_is_shown(store: Store, clock: Clock) -> None:
    store.put(LIVE)
    assert store.put(embargoed(LIVE, hours=1, title="Budget passed", source_version=2)) == "held"
    assert titles(store) == [LIVE.title]
    assert (store.version(LIVE.id, 2), len(store.versions(LIVE.id))) == (None, 1)
    clock.now += timedelta(hours=1)
    assert store.release() == [LIVE.id]
    assert titles(store) == ["Budget passed"]
    assert [entry.version for entry in store.versions(LIVE.id)] == [1, 2]


def test_a_later_version_is_not_undone_when_an_earlier_one_s_embargo_ends(store: Store, clock: Clock) -> None:
    store.put(embargoed(LIVE, hours=1))
    assert store.put(replace(LIVE, title="Corrected", source_version=2)) == "added"
    clock.now += timedelta(hours=1)
    assert store.release() == []
    assert titles(store) == ["Corrected"]


def test_what_is_withheld_is_hidden_until_it_is_usable_again(store: Store, clock: Clock) -> None:
    store.put(LIVE)
    assert store.put(embargoed(LIVE, hours=None)) == "held"
    assert store.put(embargoed(LIVE, hours=None)) == "unchanged"
    clock.now += timedelta(days=9999)
    assert (store.release(), titles(store)) == ([], [])
    assert store.put(LIVE) == "updated"
    assert titles(store) == [LIVE.title]


def test_a_withheld_version_is_not_in_the_history_of_the_next(store: Store) -> None:
    store.put(LIVE)
    store.put(embargoed(LIVE, hours=None, title="Wrong name", source_version=2))
    assert titles(store) == []
    store.put(replace(LIVE, title="Right name", source_version=3))
    assert titles(store) == ["Right name"]
    assert [entry.title for entry in store.versions(LIVE.id)] == [LIVE.title, "Right name"]


def test_an_older_version_that_arrives_late_changes_nothing(store: Store) -> None:
    store.put(replace(LIVE, source_version=3))
    assert store.put(replace(LIVE, title="Old", source_version=2)) == "unchanged"
    assert store.put(replace(LIVE, title="Sent again", source_version=3)) == "updated"
    assert titles(store) == ["Sent again"]


def test_a_kill_takes_an_article_away_for_good(store: Store) -> None:
    store.put(LIVE)
    assert store.withdraw(Withdrawal(id=LIVE.id, reason="kill", source_version=2))
    assert not store.withdraw(Withdrawal(id=LIVE.id, reason="kill", source_version=2))
    assert store.put(replace(LIVE, title="Again", source_version=3)) == "unchanged"
    assert titles(store) == []


def test_a_kill_of_an_older_version_is_passed_over(store: Store) -> None:
    store.put(replace(LIVE, source_version=3))
    assert not store.withdraw(Withdrawal(id=LIVE.id, reason="kill", source_version=2))
    assert titles(store) == [LIVE.title]


def test_a_kill_that_comes_before_its_article_keeps_it_away(store: Store) -> None:
    assert store.withdraw(Withdrawal(id=LIVE.id, reason="kill"))
    assert store.put(LIVE) == "unchanged"
    assert (titles(store), store.stats().removed) == ([], 1)


def test_an_article_is_known_by_any_of_its_names(store: Store) -> None:
    store.put(replace(LIVE, aliases=("a" * 16,)))
    assert store.put(replace(LIVE, id="a" * 16, title="By its guid")) == "updated"
    assert store.put(replace(LIVE, id="b" * 16, aliases=("a" * 16,), title="Moved")) == "updated"
    assert store.put(replace(LIVE, id="b" * 16, title="By its new address")) == "updated"
    assert store.live_ids() == [LIVE.id]
    assert store.withdraw(Withdrawal(id="c" * 16, aliases=("b" * 16,), reason="kill"))
    assert store.live_ids() == []


def test_what_waits_for_its_time_can_be_withheld_and_hides_what_was_shown(store: Store, clock: Clock) -> None:
    store.put(LIVE)
    waiting = replace(LIVE, title="Budget passed", source_version=2)
    store.put(embargoed(waiting, hours=1))
    assert store.put(embargoed(waiting, hours=None)) == "held"
    clock.now += timedelta(hours=2)
    assert (store.release(), titles(store), store.next_release()) == ([], [], None)


def test_a_withheld_article_that_gets_a_time_appears_then(store: Store, clock: Clock) -> None:
    store.put(LIVE)
    store.put(embargoed(LIVE, hours=None))
    assert store.put(embargoed(LIVE, hours=1)) == "held"
    assert titles(store) == []
    clock.now += timedelta(hours=1)
    assert store.release() == [LIVE.id]
    assert titles(store) == [LIVE.title]


def test_an_article_that_is_killed_while_it_is_withheld_stays_whole(store: Store) -> None:
    store.put(LIVE)
    store.put(embargoed(LIVE, hours=None, title="Wrong name", source_version=2))
    assert store.withdraw(Withdrawal(id=LIVE.id, reason="kill"))
    assert titles(store) == []


HOLD = Withdrawal(id=LIVE.id, reason="withheld", source_version=2, for_good=False)


def test_a_hold_hides_what_is_shown_until_a_later_version_is_usable(store: Store, clock: Clock) -> None:
    store.put(LIVE)
    assert store.withdraw(HOLD)
    assert not store.withdraw(HOLD)
    assert (titles(store), store.versions(LIVE.id)[1:], store.count_held()) == ([], [], 1)
    clock.now += timedelta(days=9999)
    assert (store.release(), store.put(LIVE), titles(store)) == ([], "unchanged", [])
    assert store.put(replace(LIVE, title="Council voted", source_version=3)) == "updated"
    assert [entry.title for entry in store.versions(LIVE.id)] == [LIVE.title, "Council voted"]
    assert not store.withdraw(HOLD)
    assert titles(store) == ["Council voted"]
    log = [(change.version, change.kind) for change in store.changes(after=0, until=9)]
    assert log == [(1, "added"), (2, "held"), (3, "updated")]


def test_a_text_that_is_read_again_does_not_undo_a_hold_that_has_no_version(store: Store) -> None:
    unnumbered = replace(LIVE, source_version=None)
    store.put(unnumbered)
    assert store.withdraw(replace(HOLD, source_version=None))
    assert (store.put(unnumbered), titles(store)) == ("unchanged", [])
    assert store.put(replace(unnumbered, updated_at=NOON)) == "updated"
    assert not store.withdraw(replace(HOLD, source_version=None))
    assert store.withdraw(replace(HOLD, source_version=None, updated_at=NOON))
    assert titles(store) == []


def test_a_hold_that_comes_before_its_article_keeps_older_versions_away(store: Store) -> None:
    assert store.withdraw(HOLD)
    assert (store.stats().versions, store.version(LIVE.id, 1), titles(store)) == (0, None, [])
    assert (store.put(LIVE), titles(store)) == ("unchanged", [])
    assert store.put(replace(LIVE, source_version=2)) == "added"
    assert titles(store) == [LIVE.title]


def test_a_hold_stops_what_waits_for_its_time_and_a_kill_ends_it(store: Store, clock: Clock) -> None:
    store.put(embargoed(LIVE, hours=1))
    assert store.withdraw(HOLD)
    clock.now += timedelta(hours=2)
    assert (store.release(), store.next_release()) == ([], None)
    assert store.withdraw(replace(HOLD, reason="kill", for_good=True))
    assert not store.withdraw(replace(HOLD, source_version=4))
    assert store.put(replace(LIVE, source_version=5)) == "unchanged"


def test_a_held_article_is_embargoed_again_with_a_time(store: Store, clock: Clock) -> None:
    store.put(LIVE)
    store.withdraw(HOLD)
    assert store.put(embargoed(LIVE, hours=1, title="Council voted", source_version=3)) == "held"
    assert titles(store) == []
    clock.now += timedelta(hours=1)
    assert (store.release(), titles(store)) == ([LIVE.id], ["Council voted"])


def test_a_hold_of_an_older_version_is_passed_over(store: Store) -> None:
    store.put(replace(LIVE, source_version=3))
    assert not store.withdraw(HOLD)
    assert titles(store) == [LIVE.title]
