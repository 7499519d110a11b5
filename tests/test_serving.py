"""Serving: which engine answers while generations come, go and break. Somebody always answers."""

import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from newsroom import MeaningEmbedder, article

from archive.store import PublishedGeneration, Store
from index import generation
from index.fallback import StoreEngine
from index.keywords import KeywordIndex
from index.keywords.whoosh_index import WhooshFormat
from index.local_generations import LocalGenerations
from index.query import Query
from index.serving import Serving
from web.services import Services
from web.settings import Settings

PATIENCE = 30.0  # seconds until what does not happen is given up


class NotingFormat(WhooshFormat):
    """Whoosh, which notes the generations it opened and those it closed."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.closed: list[str] = []

    def open(self, directory: Path) -> KeywordIndex:
        opened = super().open(directory)
        name, close = directory.parent.name, opened.close
        self.opened.append(name)

        def noting() -> None:
            self.closed.append(name)
            close()

        opened.close = noting  # type: ignore[method-assign]
        return opened


@pytest.fixture
def whoosh() -> NotingFormat:
    return NotingFormat()


@pytest.fixture
def parts(tmp_path: Path, whoosh: NotingFormat) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    services.made["formats"] = {"whoosh": whoosh}
    yield services
    services.close()


def publish(parts: Services, *numbers: int) -> None:
    for number in numbers:
        parts.store.put(article(number))
    parts.builder.update()


def root(parts: Services) -> Path:
    return parts.settings.data / "index"


def folder(parts: Services, number: int) -> Path:
    return generation.path_of(root(parts), number)


def answer(serving: Serving) -> tuple[int | None, bool, int]:
    """Wait for what is to be served; return its generation, whether it is degraded, and how many articles it has."""
    serving.catch_up()
    return answer_at_once(serving)


def answer_at_once(serving: Serving) -> tuple[int | None, bool, int]:
    """Return what `answer` does of the engine that is there."""
    with serving.engine() as (engine, degraded):
        return engine.generation, degraded, len(engine.candidates(Query(), None, depth=100).ids)


# Swapping


def test_what_is_published_is_served_by_the_next_request(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    assert answer(parts.serving) == (1, False, 1)
    publish(parts, 2, 3)
    assert answer(parts.serving) == (2, False, 3)
    assert whoosh.closed == ["gen-000001"]


def test_a_generation_is_opened_once_for_many_requests(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    for _ in range(5):
        answer(parts.serving)
    assert (whoosh.opened, whoosh.closed) == (["gen-000001"], [])


def test_nothing_is_opened_before_the_first_request(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    assert parts.serving is not None
    assert whoosh.opened == []


def test_a_request_keeps_its_engine_while_others_are_published_and_even_deleted(
    parts: Services, whoosh: NotingFormat
) -> None:
    publish(parts, 1, 2)
    with parts.serving.engine() as (engine, _):
        publish(parts, 3)
        publish(parts, 4)
        assert not folder(parts, 1).exists()
        assert answer(parts.serving) == (3, False, 4)
        assert engine.generation == 1
        assert len(engine.candidates(Query(), None, depth=10).ids) == 2
        assert whoosh.closed == []
    assert whoosh.closed == ["gen-000001"]


def test_an_engine_is_closed_by_the_last_of_those_that_hold_it(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    first, second = parts.serving.engine(), parts.serving.engine()
    assert first.__enter__()[0] is second.__enter__()[0]
    publish(parts, 2)
    answer(parts.serving)
    first.__exit__(None, None, None)
    assert whoosh.closed == []
    second.__exit__(None, None, None)
    assert whoosh.closed == ["gen-000001"]


def test_a_request_that_fails_lets_its_engine_go(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    with pytest.raises(ZeroDivisionError), parts.serving.engine():
        raise ZeroDivisionError
    publish(parts, 2)
    answer(parts.serving)
    assert whoosh.closed == ["gen-000001"]


def test_closing_waits_for_whoever_holds_the_engine(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    with parts.serving.engine():
        parts.serving.close()
        assert whoosh.closed == []
    assert whoosh.closed == ["gen-000001"]
    parts.serving.close()
    assert whoosh.closed == ["gen-000001"]


class OvertakenStore(Store):
    """Each time, between reading the pointer and returning it, does the next of what is to happen `meanwhile`."""

    meanwhile: tuple[Callable[[], object], ...] = ()

    def pointer(self) -> tuple[PublishedGeneration | None, PublishedGeneration | None]:
        read = super().pointer()
        if self.meanwhile:
            event, *rest = self.meanwhile
            self.meanwhile = ()  # what happens asks for the pointer too
            event()
            self.meanwhile = tuple(rest)
        return read


@pytest.fixture
def overtaken(tmp_path: Path, whoosh: NotingFormat) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    services.made |= {"store": OvertakenStore(tmp_path / "archive.sqlite3"), "formats": {"whoosh": whoosh}}
    yield services
    services.close()


def happen(parts: Services, *events: Callable[[], object]) -> None:
    assert isinstance(parts.store, OvertakenStore)
    parts.store.meanwhile = events


def test_a_request_that_was_overtaken_by_a_publication_does_not_bring_the_old_generation_back(
    overtaken: Services, whoosh: NotingFormat
) -> None:
    publish(overtaken, 1)
    answer(overtaken.serving)
    happen(overtaken, lambda: (publish(overtaken, 2), answer(overtaken.serving)))
    assert answer_at_once(overtaken.serving) == answer(overtaken.serving) == (2, False, 2)
    assert whoosh.opened == ["gen-000001", "gen-000002"]


def test_a_generation_that_is_retired_while_it_is_being_opened_makes_no_answer_poorer(overtaken: Services) -> None:
    publish(overtaken, 1)
    happen(overtaken, lambda: (publish(overtaken, 2), publish(overtaken, 3)))
    assert answer(overtaken.serving) == (3, False, 3)


def test_what_was_opened_of_a_generation_that_is_retired_in_the_middle_is_closed_and_another_serves(
    parts: Services, whoosh: NotingFormat
) -> None:
    publish(parts, 1)
    publish(parts, 2)
    opened = whoosh.open

    def retiring(directory: Path) -> KeywordIndex:
        found = opened(directory)
        if directory.parent == folder(parts, 2):
            shutil.rmtree(folder(parts, 2))
        return found

    whoosh.open = retiring  # type: ignore[method-assign]
    assert answer(parts.serving) == (1, True, 1)
    assert (whoosh.opened, whoosh.closed) == (["gen-000002", "gen-000001"], ["gen-000002"])


def test_what_was_opened_in_place_of_a_generation_that_came_meanwhile_is_closed(
    overtaken: Services, whoosh: NotingFormat
) -> None:
    publish(overtaken, 1)
    publish(overtaken, 2)
    tampered_vectors(folder(overtaken, 2))
    happen(overtaken, lambda: publish(overtaken, 3))
    assert answer(overtaken.serving) == (3, False, 3)
    assert (whoosh.opened, whoosh.closed) == (["gen-000001", "gen-000003"], ["gen-000001"])


def test_readers_never_fail_while_a_writer_publishes(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 0)
    done = threading.Event()

    def read() -> list[tuple[int | None, bool, int]]:
        answers = []
        while not done.is_set() or not answers:
            answers.append(answer(parts.serving))
        return answers

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for number in range(1, 7):
                publish(parts, number)
        finally:
            done.set()
        answers = [told for reader in readers for told in reader.result()]
    assert {(found, degraded) for found, degraded, _ in answers} <= {(number, False) for number in range(1, 8)}
    assert all(found == count for found, _, count in answers)
    assert answer(parts.serving) == (7, False, 7)
    assert sorted(whoosh.opened) == sorted([*whoosh.closed, "gen-000007"])


# Opening beside the requests


class WaitingFormat(NotingFormat):
    """Opens nothing after the first until it is let: a generation so large that it takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let, self.fails = threading.Semaphore(0), threading.Semaphore(0), False

    def open(self, directory: Path) -> KeywordIndex:
        if self.opened:
            self.begun.release()
            assert self.let.acquire(timeout=PATIENCE)
            if self.fails:
                raise RuntimeError("out of memory")
        return super().open(directory)


@pytest.fixture
def slow() -> WaitingFormat:
    return WaitingFormat()


@pytest.fixture
def waiting(tmp_path: Path, slow: WaitingFormat) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    services.made["formats"] = {"whoosh": slow}
    publish(services, 1)
    answer(services.serving)
    yield services
    services.close()


def test_requests_are_answered_by_the_old_generation_while_the_next_is_opened(
    waiting: Services, slow: WaitingFormat
) -> None:
    publish(waiting, 2)
    assert answer_at_once(waiting.serving) == (1, False, 1)
    assert slow.begun.acquire(timeout=PATIENCE)  # it was that request which had it opened
    for _ in range(20):
        assert answer_at_once(waiting.serving) == (1, False, 1)
    assert not slow.begun.acquire(blocking=False)
    assert [thread.name for thread in threading.enumerate()].count("next generation") == 1  # one at a time
    assert slow.closed == []
    slow.let.release()
    waiting.serving.catch_up()
    assert answer_at_once(waiting.serving) == (2, False, 2)
    assert (slow.opened, slow.closed) == (["gen-000001", "gen-000002"], ["gen-000001"])


def test_what_is_published_while_a_generation_is_opened_is_opened_next(waiting: Services, slow: WaitingFormat) -> None:
    publish(waiting, 2)
    answer_at_once(waiting.serving)
    assert slow.begun.acquire(timeout=PATIENCE)
    publish(waiting, 3)
    slow.let.release(2)
    assert answer(waiting.serving) == (3, False, 3)
    assert slow.opened == ["gen-000001", "gen-000002", "gen-000003"]
    assert slow.closed == ["gen-000001", "gen-000002"]


def test_a_request_that_began_before_the_swap_ends_with_the_engine_it_began_with(
    waiting: Services, slow: WaitingFormat
) -> None:
    publish(waiting, 2)
    slow.let.release()
    with waiting.serving.engine() as (engine, _):
        waiting.serving.catch_up()
        assert answer_at_once(waiting.serving) == (2, False, 2)
        assert (engine.generation, slow.closed) == (1, [])
    assert slow.closed == ["gen-000001"]


@pytest.mark.parametrize("lets_go", [True, False])
def test_processes_open_a_generation_one_after_the_other_and_wait_for_nobody_for_good(
    parts: Services, whoosh: NotingFormat, monkeypatch: pytest.MonkeyPatch, lets_go: bool
) -> None:
    if not lets_go:
        monkeypatch.setattr("index.local_generations.TURN_SECONDS", 0.3)
    publish(parts, 1)
    answer(parts.serving)
    publish(parts, 2)
    another = os.open(root(parts), os.O_RDONLY)
    try:
        fcntl.flock(another, fcntl.LOCK_EX)
        began = time.monotonic()
        assert answer_at_once(parts.serving) == (1, False, 1)
        time.sleep(0.1)
        assert whoosh.opened == ["gen-000001"], "another process is at it"
        if lets_go:
            fcntl.flock(another, fcntl.LOCK_UN)
        while answer_at_once(parts.serving) != (2, False, 2):
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.01)
    finally:
        os.close(another)


def test_an_opening_that_fails_leaves_the_old_generation_and_is_tried_again(
    waiting: Services, slow: WaitingFormat, caplog: pytest.LogCaptureFixture
) -> None:
    publish(waiting, 2)
    slow.fails = True
    slow.let.release()
    assert answer_at_once(waiting.serving) == (1, False, 1)
    assert waiting.serving._follower is not None
    waiting.serving._follower.join()  # it has said so by then
    slow.let.release()
    with pytest.raises(RuntimeError, match="out of memory"):
        waiting.serving.catch_up()
    assert "the next generation is not served yet" in caplog.text
    slow.fails = False
    slow.let.release()
    assert answer(waiting.serving) == (2, False, 2)


def test_many_first_requests_open_one_engine(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    start = threading.Barrier(6)

    def ask() -> tuple[int | None, bool, int]:
        start.wait()
        return answer_at_once(parts.serving)

    with ThreadPoolExecutor(6) as pool:
        assert {asked.result() for asked in [pool.submit(ask) for _ in range(6)]} == {(1, False, 1)}
    assert whoosh.opened == ["gen-000001"]


def test_a_swap_reads_for_their_hashes_only_the_files_that_are_new(
    parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(parts, *range(60))
    answer(parts.serving)
    publish(parts, 60)
    new = {path.name for path in folder(parts, 2).rglob("*") if path.is_file() and path.stat().st_nlink == 1}
    read: list[str] = []
    hashed = generation.file_sha256
    monkeypatch.setattr(generation, "file_sha256", lambda path: read.append(path.name) or hashed(path))
    assert answer(parts.serving) == (2, False, 61)
    assert set(read) == new - {generation.MANIFEST}
    read.clear()
    fresh = Serving(LocalGenerations(root(parts), formats=parts.formats), parts.store)
    assert answer(fresh) == (2, False, 61)
    fresh.close()
    assert len(read) == sum(path.is_file() for path in folder(parts, 2).rglob("*")) - 1


# Damage


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # it may be a hard link to the other generation's
    path.write_bytes(content)


def tampered_keywords(gen: Path) -> None:
    flip(next(path for path in gen.rglob("*.trm")))


def tampered_vectors(gen: Path) -> None:
    flip(next(path for path in gen.rglob("*.vectors.npy")))


def tampered_passages(gen: Path) -> None:
    flip(next(path for path in gen.rglob("*.spans.npy")))


def tampered_manifest(gen: Path) -> None:
    flip(gen / generation.MANIFEST)


def empty_manifest(gen: Path) -> None:
    (gen / generation.MANIFEST).write_bytes(b"")


def missing_file(gen: Path) -> None:
    next(path for path in gen.rglob("*.toc")).unlink()


def missing_folder(gen: Path) -> None:
    shutil.rmtree(gen / "vectors")


def planted_pickle(gen: Path) -> None:
    (gen / "keywords" / "_MAIN_99.toc").write_bytes(b"cos\nsystem\n(S'true'\ntR.")


def dangling_link(gen: Path) -> None:
    (gen / "vectors" / "link").symlink_to(gen / "nowhere")


def gone(gen: Path) -> None:
    shutil.rmtree(gen)


def a_file_in_its_place(gen: Path) -> None:
    shutil.rmtree(gen)
    gen.write_text("?")


HARMS = [
    *(tampered_keywords, tampered_vectors, tampered_passages, tampered_manifest, empty_manifest, missing_file),
    *(missing_folder, planted_pickle, dangling_link, gone, a_file_in_its_place),
]


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_generation_gives_way_to_the_one_before_then_to_the_store(
    parts: Services, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    publish(parts, 1, 2)
    publish(parts, 3)
    harm(folder(parts, 2))
    with caplog.at_level(logging.WARNING):
        assert answer(parts.serving) == (1, True, 2)
    assert "generation 2 is not served" in caplog.text
    assert "flask reindex" in caplog.text
    harm(folder(parts, 1))
    fresh = Serving(parts.generations, parts.store)
    with fresh.engine() as (engine, degraded):
        assert isinstance(engine, StoreEngine)
        assert degraded
    assert answer(fresh) == (None, True, 3)
    fresh.close()
    parts.builder.update()
    assert answer(parts.serving) == answer(fresh) == (3, False, 3)
    fresh.close()


def test_a_damaged_generation_is_not_read_anew_for_each_request(
    parts: Services, whoosh: NotingFormat, caplog: pytest.LogCaptureFixture
) -> None:
    publish(parts, 1)
    publish(parts, 2)
    tampered_vectors(folder(parts, 2))
    for _ in range(5):
        assert answer(parts.serving) == (1, True, 1)
    assert whoosh.opened == ["gen-000001"]
    assert caplog.text.count("is not served") == 1


def test_nothing_of_a_tampered_generation_is_opened(parts: Services, whoosh: NotingFormat) -> None:
    publish(parts, 1)
    tampered_vectors(folder(parts, 1))
    answer(parts.serving)
    assert whoosh.opened == []


def test_an_index_deleted_under_a_running_server_degrades_it_until_it_is_rebuilt(
    parts: Services, whoosh: NotingFormat
) -> None:
    publish(parts, 1, 2)
    assert answer(parts.serving) == (1, False, 2)
    with parts.serving.engine() as (held, _):
        shutil.rmtree(root(parts))
        assert answer(parts.serving) == (None, True, 2)
        assert len(held.candidates(Query(), None, depth=10).ids) == 2
    assert whoosh.closed == ["gen-000001"]
    report = parts.builder.rebuild()
    assert report.embedded == 0
    assert answer(parts.serving) == (2, False, 2)


def test_a_generation_of_an_unknown_keyword_library_is_not_opened(parts: Services) -> None:
    publish(parts, 1)
    assert answer(Serving(LocalGenerations(root(parts), formats={}), parts.store)) == (None, True, 1)


# Before there is an index


def test_an_empty_archive_is_not_degraded(parts: Services) -> None:
    assert answer(parts.serving) == (None, False, 0)


def test_articles_that_were_never_indexed_are_found_and_the_answer_says_it_is_degraded(parts: Services) -> None:
    assert answer(parts.serving) == (None, False, 0)
    parts.store.put(article(1))
    assert answer(parts.serving) == (None, True, 1)
    parts.builder.update()
    assert answer(parts.serving) == (1, False, 1)
