"""Histories that nobody thought of: arrivals, corrections, takedowns, builds and crashes in any order.

The archive is the real one; a plain dictionary beside it says what it must show after every step.
"""

import random
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from newsroom import Clock

from archive.article import Article
from archive.errors import ArticleNotFound
from archive.store import Store
from faults import judging
from faults.amount import HISTORIES, tell
from faults.scenarios import SOURCE, Room, id_of, text_of, title_of
from index.check import check
from index.generation import path_of
from index.serving import Serving

BEGAN = datetime(2024, 5, 1, tzinfo=UTC)
EMBARGO = timedelta(days=1)
numbers = st.integers(0, 7)


class Stopped(BaseException):
    """The process ends here."""


@dataclass
class Kept:
    """What the dictionary says of an article: its editions in order, each with its embargo's end; None: it has none."""

    editions: list[tuple[str, datetime | None]] = field(default_factory=list)
    is_removed: bool = False

    @property
    def visible(self) -> list[str]:
        return [edition for edition, until in self.editions if until is None]

    @property
    def shown(self) -> str | None:
        return None if self.is_removed or not self.visible else self.visible[-1]


def _article(number: int, edition: str, *, until: datetime | None = None) -> Article:
    return Article(
        id=id_of(number),
        title=title_of(number, edition),
        body=text_of(number, edition),
        source=SOURCE,
        language="en",
        status="embargoed" if until else "live",
        embargoed_until=until,
    )


class History(RuleBasedStateMachine):
    """The archive and the dictionary."""

    steps = 0

    @initialize()
    def begin(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="history-"))
        self.clock = Clock(BEGAN)
        self.kept: dict[int, Kept] = {}
        self.indexed: set[str] = set()
        self.is_damaged = False
        self.room = Room(self.top / "0")
        self.room.ledger.parent.mkdir(parents=True)
        self.room.exported.parent.mkdir()
        self._open()

    def _open(self) -> None:
        self.opened = self.room.services()
        self.services = self.opened.__enter__()
        database = self.room.data / "archive.sqlite3"
        self.store = Store(database, clock=self.clock, ledger=self.services.ledger)
        self.services.made["store"] = self.store

    def _close(self) -> None:
        self.opened.__exit__(None, None, None)

    def teardown(self) -> None:
        if not hasattr(self, "room"):
            return
        if self.kept:
            self.services.builder.update()
            for number, each in self.kept.items():
                found = judging.ids_found(self.services, number, each.shown or each.editions[-1][0])
                assert found == ([id_of(number)] if each.shown else [])
            assert check(self.services.generations, self.store) == []
        self._close()
        shutil.rmtree(self.top)

    def _put(self, number: int, *, until: datetime | None = None) -> str:
        edition = f"edition {len(self.kept.get(number, Kept()).editions)}"
        outcome = self.store.put(_article(number, edition, until=until))
        if outcome != "unchanged":
            self.kept.setdefault(number, Kept()).editions.append((edition, until))
        return outcome

    @rule(number=numbers)
    def arrives(self, number: int) -> None:
        known = self.kept.get(number)
        is_removed, was_shown = bool(known and known.is_removed), bool(known and known.visible)
        expected = "unchanged" if is_removed else "updated" if was_shown else "added"
        assert self._put(number) == expected

    @rule(number=numbers)
    def arrives_under_embargo(self, number: int) -> None:
        is_removed = number in self.kept and self.kept[number].is_removed
        assert self._put(number, until=self.clock.now + EMBARGO) == ("unchanged" if is_removed else "held")

    @precondition(lambda self: any(each.shown for each in self.kept.values()))
    @rule(data=st.data())
    def arrives_again(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([number for number, each in self.kept.items() if each.shown]))
        edition = data.draw(st.sampled_from(self.kept[number].visible))
        assert self.store.put(_article(number, edition)) == "unchanged"

    @rule(number=numbers)
    def is_taken_down(self, number: int) -> None:
        if number in self.kept and not self.kept[number].is_removed:
            self.store.remove(id_of(number), reason="court order")
            self.kept[number].is_removed = True
        else:
            with pytest.raises(ArticleNotFound):
                self.store.remove(id_of(number))

    @rule()
    def a_day_passes(self) -> None:
        self.clock.now += EMBARGO
        self.store.release()
        for each in self.kept.values():
            each.editions = [
                (edition, None if until and until <= self.clock.now else until) for edition, until in each.editions
            ]

    @precondition(lambda self: self.kept)
    @rule(from_the_store=st.booleans())
    def is_published(self, from_the_store: bool) -> None:
        report = self.services.builder.rebuild() if from_the_store else self.services.builder.update()
        self.indexed = {id_of(number) for number, each in self.kept.items() if each.shown}
        self.is_damaged = False
        assert report.articles == len(self.indexed)

    @precondition(lambda self: self.kept)
    @rule(calls=st.integers(1, 8))
    def a_build_is_stopped(self, calls: int) -> None:
        left = iter(range(calls))

        def progress(*_: object) -> None:
            if next(left, None) is None:
                raise Stopped

        with suppress(Stopped):
            self.services.builder.rebuild(progress)
            self.indexed = {id_of(number) for number, each in self.kept.items() if each.shown}
            self.is_damaged = False

    @rule()
    def the_machine_stops(self) -> None:
        """Go on from the files as they lie, the write-ahead log among them."""
        after = Room(self.top / str(len(list(self.top.iterdir()))))
        shutil.copytree(self.room.folder, after.folder, ignore=shutil.ignore_patterns("*-shm"))
        self._close()
        self.room = after
        self._open()

    @precondition(lambda self: self.store.pointer()[0] and not self.is_damaged)
    @rule(data=st.data())
    def the_index_is_damaged(self, data: st.DataObject) -> None:
        """Flip a bit in what is served: the generation before is served, or the store itself, until the next build."""
        current, _ = self.store.pointer()
        assert current
        directory = path_of(self.room.data / "index", current.number)
        shared = {path.stat().st_ino for path in directory.rglob("*") if path.is_file() and path.stat().st_nlink > 1}
        own = sorted(
            path for path in directory.rglob("*")
            if path.is_file() and path.stat().st_size and path.stat().st_ino not in shared
        )  # fmt: skip
        path = data.draw(st.sampled_from(own))
        content = bytearray(path.read_bytes())
        content[random.Random(len(content)).randrange(len(content))] ^= 1
        path.write_bytes(content)
        self.is_damaged = True

    @invariant()
    def shows_what_the_dictionary_says(self) -> None:
        if not hasattr(self, "store"):
            return
        History.steps += 1
        shown = {id_of(number): (number, each.shown) for number, each in self.kept.items() if each.shown}
        live = self.store.live([id_of(number) for number in self.kept])
        assert live.keys() == shown.keys() == set(self.store.live_ids())
        for id_, (number, edition) in shown.items():
            assert (live[id_].title, live[id_].body) == (title_of(number, edition), text_of(number, edition))
            titles = {entry.version: entry.title for entry in self.store.versions(id_)}
            assert [titles[version] for version in sorted(titles)] == [
                title_of(number, each) for each in self.kept[number].visible
            ]
        assert self.store.check() == []

    @invariant()
    def serves_what_was_published(self) -> None:
        if not hasattr(self, "store") or self.store.pointer()[0] is None:
            return
        serving = Serving(self.services.generations, self.store)
        with serving.engine() as (engine, degraded):
            assert degraded == self.is_damaged
            if not degraded:
                assert engine.article_ids() == (self.indexed, self.indexed)
        serving.close()


def test_an_archive_shows_what_a_dictionary_says_whatever_happens_to_it() -> None:
    History.steps = 0
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=HISTORIES, stateful_step_count=30, deadline=None, print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    tell(f"{HISTORIES} histories of {History.steps} steps; no violations")
    assert History.steps > HISTORIES
