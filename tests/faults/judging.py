"""Whether an archive is what it must be: after a fault, and after the command was given again.

Each function returns what is wrong, one line each. What must be is a plain dictionary; nothing is asked of the archive
that is judged but what it shows.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive.byte_search import Needles
from archive.erasing import pieces_of
from faults.scenarios import EDITIONS, OLDER_EXPORT, Room, Scenario, Shown, id_of, text_of, title_of, word_of
from index.check import check
from index.search import SearchRequest
from web.services import Services

BETWEEN = 0.05  # seconds between two searches: the command shall come forward too
Promise = tuple[str, str]  # what was done, and to what: see `told`


def after_fault(
    room: Room, scenario: Scenario, promised: Sequence[Promise], *, erased: frozenset[bytes] = frozenset()
) -> list[str]:
    """Return what is wrong with an archive in which the command came to its end or not, before anybody does anything.

    `erased` are pieces of the texts that the command is to erase.
    """
    with room.services() as services:
        problems = check(services.generations, services.store)
        if not scenario.before:  # the index is yet to come
            problems = [each for each in problems if "there is none yet" not in each]
        problems += _lost(services, scenario, promised)
        problems += _torn(services, scenario)
        problems += _unserved(services, scenario)
    if any(did == "erased" for did, _ in promised):
        problems += words_left(room, erased)
    return [*problems, *_half_exported(room, scenario)]


def after_repetition(room: Room, scenario: Scenario, reference: "Summary") -> list[str]:
    """Return what is wrong with an archive in which the command has now come to its end."""
    with room.services() as services:
        problems = check(services.generations, services.store)
        problems += services.quarantine.problems()
        problems += services.ledger.read().problems
        problems += not_found(services, scenario.done)
        summary = summary_of(services)
        problems += [
            f"{name}: {mine!r}, not {theirs!r}"
            for name, mine, theirs in zip(Summary.__slots__, summary.values(), reference.values(), strict=True)
            if mine != theirs
        ]
        generations = {f"gen-{each.number:06d}" for each in services.store.pointer() if each}
    lying = {path.name for path in (room.data / "index").iterdir()}
    problems += [f"lies about: {name}" for name in sorted(lying - generations)]
    beside = [path for path in room.folder.rglob("*") if path.name.endswith((".tmp", ".new"))]
    return problems + [f"lies about: {path}" for path in beside]


@dataclass(frozen=True, slots=True)
class Summary:
    """All that an archive holds and that a repetition must not double: texts, versions, changes, what was made."""

    texts: dict[str, tuple[str, str, str]]
    versions: dict[str, list[str]]
    changes: list[tuple[str, int, str]]
    counts: tuple[int, ...]
    ledger: list[tuple[str, str]]
    indexed: frozenset[str]

    def values(self) -> list[object]:
        """Return the fields."""
        return [getattr(self, name) for name in self.__slots__]


def summary_of(services: Services) -> Summary:
    """Return all that an archive holds."""
    store = services.store
    changes = store.changes(after=0, until=store.last_seq())
    ids = sorted({change.article_id for change in changes})
    articles = {id_: store.article(id_) for id_ in ids}
    stats, said = store.stats(), services.ledger.read()
    with services.serving.engine() as (engine, _):
        by_words, by_meaning = engine.article_ids() if engine.generation else (frozenset(), frozenset())
    return Summary(
        texts={id_: (each.status, each.title, each.body) for id_, each in articles.items() if each},
        versions={id_: [version.title for version in store.versions(id_)] for id_ in ids},
        changes=[(change.article_id, change.version, change.kind) for change in changes],
        counts=(stats.articles, stats.removed, stats.versions, stats.passages, stats.embeddings, stats.copies),
        ledger=[(id_, each.did) for known in (said.removed, said.erased) for id_, each in sorted(known.items())],
        indexed=by_words | by_meaning,
    )


def editions(services: Services, numbers: Sequence[int]) -> Iterator[tuple[int, str | None, str | None]]:
    """Yield of each article which edition is shown, and what is wrong with its text."""
    shown = services.store.live([id_of(number) for number in numbers])
    titles = {title_of(number, edition): (number, edition) for number in numbers for edition in EDITIONS}
    for number in numbers:
        article = shown.get(id_of(number))
        if article is None:
            yield number, None, None
            continue
        of, edition = titles.get(article.title, (None, None))
        is_right = of == number and article.body == text_of(number, str(edition))
        yield number, edition, None if is_right else f"article {number} has another text: {article.title!r}"


def _lost(services: Services, scenario: Scenario, promised: Sequence[Promise]) -> Iterator[str]:
    """Yield what was promised or there before, and is not there."""
    put = {what for did, what in promised if did == "put"}
    removed = {what for did, what in promised if did == "removed"}
    for number, edition, wrong in editions(services, list(scenario.done)):
        before, after = scenario.before.get(number), scenario.done[number]
        if wrong:
            yield wrong
        if edition not in (before, after):
            yield f"article {number} is shown as {edition}, not as {before} or {after}"
        if after and title_of(number, after) in put and edition != after:
            yield f"lost: article {number} was acknowledged as {after} and is shown as {edition}"
        if id_of(number) in removed and edition is not None:
            yield f"lost: the removal of article {number} was acknowledged and {edition} is shown"
    current, _ = services.store.pointer()
    for did, what in promised:
        if did == "published" and (current is None or current.number < int(what)):
            yield f"lost: generation {what} was acknowledged"


def _torn(services: Services, scenario: Scenario) -> Iterator[str]:
    """Yield where one half of what belongs together is missing, or there twice."""
    store = services.store
    changes = [(each.article_id, each.version, each.kind) for each in store.changes(after=0, until=store.last_seq())]
    for doubled in {each for each in changes if changes.count(each) > 1}:
        yield f"doubled in the change log: {doubled}"
    for number in scenario.done:
        versions = [entry.version for entry in store.versions(id_of(number))]
        logged = {version for id_, version, kind in changes if id_ == id_of(number) and kind != "removed"}
        if len(set(versions)) != len(versions) or set(versions) - logged:
            yield f"article {number} has the versions {versions}, of which {sorted(logged)} are in the change log"


def _unserved(services: Services, scenario: Scenario) -> Iterator[str]:
    current, _ = services.store.pointer()
    with services.serving.engine() as (engine, degraded):
        if current is not None and (degraded or engine.generation != current.number):
            yield f"generation {current.number} is not served"
    if current is None and scenario.before:
        yield "there is no generation any more"


def _half_exported(room: Room, scenario: Scenario) -> Iterator[str]:
    exported = room.exported.read_bytes()
    is_whole = exported.count(b"\n") == 1 + len(scenario.done) and exported.endswith(b"}\n")
    if exported != OLDER_EXPORT and not (scenario.name == "export" and is_whole):
        yield "the export was replaced by half of one"


def pieces_of_hidden(room: Room, scenario: Scenario) -> frozenset[bytes]:
    """Return pieces of the texts of what was removed, plain and as they are packed."""
    with room.services() as services:
        found = [pieces_of(services.store, id_of(number)) for number in scenario.removed]
    return frozenset(piece for each in found for piece in each.texts | each.packed)


def words_left(room: Room, pieces: frozenset[bytes]) -> list[str]:
    """Return the files in which some of the pieces of erased texts can be found."""
    needles = Needles(pieces)
    files = [path for path in (*room.data.rglob("*"), room.ledger) if path.is_file()]
    return [f"erased, but found in {path}" for path in files if needles.found_in(path)]


def not_found(services: Services, shown: Shown) -> Iterator[str]:
    """Yield where a search does not find each shown edition once, or anything else."""
    for number, edition in shown.items():
        for each in EDITIONS:
            found = ids_found(services, number, each)
            expected = [id_of(number)] if each == edition else []
            if found != expected:
                yield f"searching the {each} edition of article {number}, {edition} being shown: {found}"


def ids_found(services: Services, number: int, edition: str) -> list[str]:
    """Return what a search for words of this edition finds."""
    response = services.search.search(SearchRequest(query=word_of(number, edition), mode="keyword"))
    return [result.article.id for result in response.results]


class Reading:
    """Somebody who searches all the time, beside whatever happens. Use it as a context; `problems` says what was wrong.

    Every answer must come from a whole generation, each article be found once and with a text that it has or had, and
    what has changed once must not change back.
    """

    def __init__(self, room: Room, scenario: Scenario) -> None:
        """Open the archive as a server does."""
        self.problems: list[str] = []
        self.answers = 0
        self._scenario = scenario
        self._seen: dict[int, str | None] = {}
        self._opened = room.services()
        self._services = self._opened.__enter__()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Reading":
        """Answer once before anything happens, and go on beside it."""
        self.answer()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer once more for each article, and close."""
        self._ended.set()
        self._thread.join()
        for _ in self._scenario.before:
            self.answer()
        self._opened.__exit__(None, None, None)

    def _read(self) -> None:
        while not self._ended.wait(BETWEEN):
            self.answer()

    def answer(self) -> None:
        """Search for the next article."""
        numbers = list(self._scenario.before)
        number = numbers[self.answers % len(numbers)]
        self.answers += 1
        try:
            self.problems += self._answer(number)
        except Exception as error:
            self.problems.append(f"reading: {type(error).__name__}: {error}")

    def _answer(self, number: int) -> Iterator[str]:
        scenario = self._scenario
        before, after = scenario.before[number], scenario.done[number]
        found = {edition: ids_found(self._services, number, edition) for edition in EDITIONS}
        if any(ids not in ([], [id_of(number)]) for ids in found.values()):
            yield f"reading: a search for article {number} finds {found}"
        for _, edition, wrong in editions(self._services, [number]):
            if wrong:
                yield f"reading: {wrong}"
            if edition not in (before, after) or (self._seen.get(number, before) == after and edition != after):
                yield f"reading: article {number} is shown as {edition} after {self._seen.get(number, before)}"
            self._seen[number] = edition
        with self._services.serving.engine() as (_, degraded):
            if degraded:
                yield "reading: degraded"
