"""Suggestions over a real store: read in the background, never anything that is not shown."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.article import Article
from archive.errors import ArchiveBusy
from archive.store import Store
from index.completion import suggest as module
from index.completion.suggest import MAX_SUGGESTIONS, MIN_TITLES, Suggest

DAY = timedelta(days=1)


def story(number: int, title: str, **changes: object) -> Article:
    fields: dict[str, object] = {
        "id": f"{number:016x}",
        "title": title,
        "body": f"Story {number} is told here.",
        "published_at": datetime(2016, 1, 1, tzinfo=UTC) + number * DAY,
    }
    return Article(**{**fields, **changes})  # type: ignore[arg-type]


COURT = [
    story(1, "Supreme Court hears the harbour case today"),
    story(2, "Why the Supreme Court matters so much"),
    story(3, "How the Supreme Court decided the matter"),
    story(4, "Harbour fees are raised"),
]
OTHERS = [story(n, f"Village {n} holds its fair") for n in range(100, 130)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "archive.sqlite3")
    for article in (*COURT, *OTHERS):
        opened.put(article)
    yield opened
    opened.close()


@pytest.fixture
def suggest(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Suggest]:
    monkeypatch.setattr(module, "REST", 0)
    monkeypatch.setattr(module, "FIRST_WAIT", 30)
    opened = Suggest(store)
    yield opened
    opened.close()


def texts(suggest: Suggest, typed: str) -> list[str]:
    return [suggestion.text for suggestion in suggest.suggest(typed)]


def in_time(suggest: Suggest, typed: str, text: str) -> bool:
    """Return whether `text` is suggested within 10 seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if text in texts(suggest, typed):
            return True
        time.sleep(0.01)
    return False


def test_phrases_come_first_then_titles_newest_first(suggest: Suggest) -> None:
    found = suggest.suggest("supr")
    assert [(item.text, item.headlines, item.article_id) for item in found] == [
        ("Supreme Court", 3, None),
        (COURT[2].title, 0, COURT[2].id),
        (COURT[1].title, 0, COURT[1].id),
        (COURT[0].title, 0, COURT[0].id),
    ]


def test_phrases_leave_room_for_titles(store: Store, suggest: Suggest) -> None:
    for n in range(12):
        for copy in range(3):
            store.put(story(1_000 + 10 * n + copy, f"Wool{chr(97 + n)} prices {n * 7 + copy} up"))
    found = suggest.suggest("wool")
    assert len(found) == MAX_SUGGESTIONS
    assert [bool(item.article_id) for item in found] == [False] * (MAX_SUGGESTIONS - MIN_TITLES) + [True] * MIN_TITLES
    assert len(suggest.suggest("wool", limit=4)) == 4


def test_no_suggestion_comes_twice_and_none_stands_in_the_box(store: Store, suggest: Suggest) -> None:
    store.put(story(5, "HARBOUR FEES ARE RAISED"))
    found = texts(suggest, "harbour fees")
    assert found == ["HARBOUR FEES ARE RAISED"]  # the newest of two that say the same
    assert texts(suggest, "Harbour fees are raised") == []


def test_nothing_that_was_removed_is_suggested_from_that_moment_on(store: Store, suggest: Suggest) -> None:
    assert texts(suggest, "supreme c")[:2] == ["Supreme Court", COURT[2].title]
    suggest.close()  # so that nothing is read again
    store.remove(COURT[2].id)
    assert texts(suggest, "supreme c") == [COURT[1].title, COURT[0].title]


def test_what_was_removed_before_anybody_asked_is_not_suggested(store: Store, suggest: Suggest) -> None:
    suggest.begin()
    while suggest.headlines_with("supreme court") == 0:
        time.sleep(0.01)
    suggest.close()
    store.remove(COURT[2].id)
    assert "Supreme Court" not in texts(suggest, "supreme c")


def test_nothing_that_is_held_back_is_suggested(store: Store, suggest: Suggest) -> None:
    store.put(story(6, "Supreme Court secret", status="embargoed"))
    assert "Supreme Court secret" not in texts(suggest, "supreme court s")
    suggest.close()
    store.put(story(2, COURT[1].title, status="embargoed", body="Held back."))
    assert texts(suggest, "supreme c") == [COURT[2].title, COURT[0].title]


def test_a_title_is_suggested_as_it_was_corrected(store: Store, suggest: Suggest) -> None:
    assert texts(suggest, "harbour f") == [COURT[3].title]
    suggest.close()
    store.put(story(4, "Harbour fees are lowered"))
    assert texts(suggest, "harbour f") == ["Harbour fees are lowered"]
    store.put(story(4, "Fees are lowered"))
    assert texts(suggest, "harbour f") == []


def test_what_came_in_is_suggested_soon_and_the_old_meanwhile(store: Store, suggest: Suggest) -> None:
    assert "Zebra crossing opens" not in texts(suggest, "zebra")
    store.put(story(7, "Zebra crossing opens"))
    assert texts(suggest, "supr")[0] == "Supreme Court"
    assert in_time(suggest, "zebra", "Zebra crossing opens")


def test_phrases_in_capitals_are_written_as_the_articles_write_them(store: Store, suggest: Suggest) -> None:
    for n, verb in enumerate(("RISES", "FALLS", "STAYS")):
        store.put(story(20 + n, f"OPEC OUTPUT {verb}", body="Last week the output of OPEC changed, OPEC said."))
    assert texts(suggest, "opec o")[0] == "OPEC output"


PHRASES = [
    story(60 + n, f"{phrase} {verb} the village today", body=f"Last week the {phrase} came.")
    for n, (phrase, verb) in enumerate(
        (phrase, verb) for phrase in ("Supply chain", "Harbour master") for verb in ("leaves", "reaches", "passes")
    )
]


def phrases(suggest: Suggest, typed: str) -> set[str]:
    return {suggestion.text.lower() for suggestion in suggest.suggest(typed) if suggestion.headlines}


def test_phrases_are_offered_when_what_is_remembered_starts_afresh(
    store: Store, suggest: Suggest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for article in PHRASES:
        store.put(article)
    monkeypatch.setattr(module, "MAX_FORMS", 0)
    assert phrases(suggest, "supre") == {"supreme court"}
    assert phrases(suggest, "sup") == {"supreme court", "supply chain"}


class CrossedStore(Store):
    """A store that lets another request in while one asks for the titles by which a phrase's form is judged."""

    meanwhile: Callable[[], None] | None = None

    def titles(self, article_ids: Sequence[str]) -> dict[str, str]:
        if (meanwhile := self.meanwhile) and len(article_ids) == 3:  # those that hold the one new phrase
            self.meanwhile = None
            meanwhile()
        return super().titles(article_ids)


def test_another_request_that_starts_afresh_takes_no_phrase_from_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 30)
    store = CrossedStore(tmp_path / "crossed.sqlite3")
    for article in (*COURT, *PHRASES):
        store.put(article)
    suggest = Suggest(store)
    assert phrases(suggest, "supre") == {"supreme court"}

    def start_afresh() -> None:
        monkeypatch.setattr(module, "MAX_FORMS", 0)
        assert phrases(suggest, "harbour mas") == {"harbour master"}
        monkeypatch.setattr(module, "MAX_FORMS", 20_000)

    store.meanwhile = start_afresh
    assert phrases(suggest, "sup") == {"supreme court", "supply chain"}
    assert store.meanwhile is None
    suggest.close()
    store.close()


def test_headlines_with_a_phrase_are_counted(suggest: Suggest) -> None:
    assert suggest.headlines_with("SUPREME court") == 3
    assert suggest.headlines_with("harbour fees") == 0


def test_an_empty_archive_suggests_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "empty.sqlite3")
    suggest = Suggest(store)
    assert suggest.suggest("supr") == []
    assert suggest.headlines_with("supreme court") == 0
    suggest.close()
    store.close()


# Reading in the background


class SlowStore(Store):
    """A store whose headlines take as long to read as a test likes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go = threading.Event()
        self.readings = 0
        self.fails: Exception | None = None

    def headlines(self) -> list[tuple[str, str, str | None]]:
        self.readings += 1
        self.go.wait(30)
        if self.fails:
            raise self.fails
        return super().headlines()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowStore]:
    opened = SlowStore(tmp_path / "archive.sqlite3")
    for article in COURT:
        opened.put(article)
    yield opened
    opened.close()


def test_nobody_waits_for_a_long_reading(slow: SlowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 0.01)
    suggest = Suggest(slow)
    began = time.monotonic()
    assert suggest.suggest("supr") == []
    monkeypatch.setattr(module, "FIRST_WAIT", 30)
    assert suggest.suggest("supr") == []  # the second does not wait at all
    assert time.monotonic() - began < 5
    slow.go.set()
    assert in_time(suggest, "supr", "Supreme Court")
    assert slow.readings == 1
    suggest.close()


def test_after_a_reading_comes_a_rest(slow: SlowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", 1_000_000)
    monkeypatch.setattr(module, "FIRST_WAIT", 30)
    slow.go.set()
    suggest = Suggest(slow)
    for n in range(5):
        assert texts(suggest, "supr")[0] == "Supreme Court"
        slow.put(story(30 + n, "Zebra crossing opens"))
    assert slow.readings == 1
    suggest.close()


def test_an_archive_that_cannot_be_read_is_read_again_later(slow: SlowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", 0)
    monkeypatch.setattr(module, "FIRST_WAIT", 30)
    slow.go.set()
    slow.fails = ArchiveBusy("another process is writing")
    suggest = Suggest(slow)
    assert suggest.suggest("supr") == []
    slow.fails = None
    assert in_time(suggest, "supr", "Supreme Court")
    suggest.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its traceback is to be seen
def test_after_a_reading_that_broke_down_comes_a_rest_too(slow: SlowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", 1_000_000)
    monkeypatch.setattr(module, "FIRST_WAIT", 30)
    slow.go.set()
    slow.fails = RuntimeError("a headline nobody thought of")
    suggest = Suggest(slow)
    assert [suggest.suggest("supr") for _ in range(5)] == [[]] * 5
    assert slow.readings == 1
    suggest.close()


def test_closing_ends_the_reading_and_nothing_is_read_afterwards(
    slow: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REST", 0)
    suggest = Suggest(slow)
    suggest.begin()
    threading.Timer(0.2, slow.go.set).start()
    suggest.close()  # while it reads
    assert not [thread for thread in threading.enumerate() if thread.name == "suggestions"]
    assert suggest.suggest("supr") == []
    assert slow.readings == 1


def test_several_threads_may_ask_while_the_archive_changes(store: Store, suggest: Suggest) -> None:
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                assert "Withdrawn at last" not in texts(suggest, "withdr")
                assert texts(suggest, "supr")[0] == "Supreme Court"
        except BaseException as failure:
            failures.append(failure)

    store.put(story(40, "Withdrawn at last"))
    assert in_time(suggest, "withdr", "Withdrawn at last")
    store.remove(f"{40:016x}")
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(10):
        store.put(story(50 + n, f"Item {n}"))
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_completion_takes_less_than_20_ms_among_20_000_headlines(tmp_path: Path) -> None:
    class LargeStore(Store):
        def headlines(self) -> list[tuple[str, str, str | None]]:
            titles = [f"{a} {b} {c} number {n}" for n in range(20) for a in WORDS for b in WORDS for c in WORDS]
            return [(f"{n:016x}", title, "en") for n, title in enumerate(titles)]

    store = LargeStore(tmp_path / "archive.sqlite3")
    suggest = Suggest(store)
    suggest.begin()
    until = time.monotonic() + 30
    while not suggest.headlines_with("court") and time.monotonic() < until:
        time.sleep(0.05)
    spent = []
    for typed in ("c", "co", "court", "court gr", "court grain ", "grain court oil", "number", "1"):
        began = time.thread_time()
        suggest.suggest(typed)
        spent.append(time.thread_time() - began)
    assert max(spent) < 0.02
    suggest.close()
    store.close()


WORDS = ("court", "grain", "oil", "harbour", "trade", "bank", "vote", "storm", "rail", "school")
