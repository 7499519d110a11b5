"""Flipped bits, in every kind of file there is: none makes the site say what was not written, and each is found.

BACKFILE_TEST_FLIPS=300 tries so many of each kind of file, as `make flips` does; by default it is a few of each.
"""

import json
import os
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import apsw
import pytest
from copied import story
from flask.testing import FlaskClient
from newsroom import MeaningEmbedder, article, tell

from archive.article import Article
from archive.errors import ArchiveDamaged
from archive.grouping import find_copies
from archive.ledger import Ledger
from archive.readers import own
from archive.store import Store
from index import generation, openvino_conversion
from index.check import check
from index.errors import GenerationDamaged
from web import create_app
from web.services import Services
from web.settings import Settings

FLIPS = int(os.environ.get("BACKFILE_TEST_FLIPS", "0"))
ARTICLES = 60
DATABASE = "archive.sqlite3"
COPIED = [article(number, body=story("flood"), title=f"The flood, copy {number}") for number in (700, 701)]
GONE = article(702, title="Taken down words")
QUERIES = ("flood", "election", "comet bay", "copy")


def flips(few: int) -> int:
    """Return how many flips are tried of one kind of file."""
    return FLIPS or few


@dataclass(frozen=True)
class Room:
    """An archive at rest, of two generations, and what it says when it is whole."""

    data: Path
    keywords: str
    told: Mapping[str, tuple[int, object]]
    articles: Mapping[str, Article]


def services(data: Path, keywords: str = "auto") -> Services:
    settings = Settings(data=data, keywords=keywords)  # type: ignore[arg-type]
    return Services(settings, embedder=MeaningEmbedder())


def fill(parts: Services) -> None:
    for number in range(ARTICLES):
        parts.store.put(article(number))
    parts.builder.update()
    for each in (*COPIED, GONE, article(3, title="The flood, second wording")):
        parts.store.put(each)
    find_copies(parts.store)
    parts.builder.update()
    tell(parts)
    parts.store.remove(GONE.id, reason="court order")
    parts.tokens.create(name="desk", scope="takedown")
    parts.store.begin_run()
    with parts.store.transaction() as connection:  # leaves pages that are not in use
        connection.execute("CREATE TABLE filling (blank BLOB); INSERT INTO filling VALUES (zeroblob(50000))")
        connection.execute("DROP TABLE filling")


@pytest.fixture(scope="module", params=["whoosh", "tantivy"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    data = tmp_path_factory.mktemp(request.param) / "data"
    parts = services(data, request.param)
    fill(parts)
    articles = {id_: each for id_ in parts.store.live_ids() if (each := parts.store.article(id_))}
    parts.close()
    with_answers = Room(data, request.param, {}, articles)
    told = answers(with_answers)
    assert {status for status, _ in told.values()} == {200, 410}
    yield Room(data, request.param, told, articles)
    shutil.rmtree(data)


def addresses(room: Room) -> list[str]:
    shown = sorted(room.articles)
    return [
        *(f"/api/search?q={query}&page_size=100" for query in QUERIES),
        *(f"/api/articles/{id_}" for id_ in shown[:: max(1, len(shown) // 6)]),
        f"/api/articles/{article(3).id}/related",
        f"/articles/{COPIED[0].id}",
        f"/api/articles/{GONE.id}",
        *("/", "/stories", "/browse/", "/search?q=flood"),
    ]


def answers(room: Room) -> dict[str, tuple[int, object]]:
    """Ask the site for this and that, and return the status and the answer of each."""
    parts = services(room.data, room.keywords)
    try:
        client = create_app(services=parts).test_client()
        return {address: answer(client, address) for address in addresses(room)}
    finally:
        parts.close()


def answer(client: FlaskClient, address: str) -> tuple[int, object]:
    response = client.get(address, follow_redirects=True)
    said: object = response.get_json() if address.startswith("/api/") else response.get_data(as_text=True)
    return response.status_code, said


def assert_nothing_wrong_is_said(room: Room) -> None:
    """Compare what the site says with what is so: it may say less, and that it cannot, and nothing else."""
    for address, (status, said) in answers(room).items():
        expected, rightly = room.told[address]
        assert status in (expected, 503), (address, status, said)
        if status != 200:
            continue
        if isinstance(said, dict):
            for found in said.get("results", [said]):
                assert_told_rightly(found, room.articles[found["id"]])
        elif said != rightly:
            assert isinstance(said, str)
            assert GONE.title not in said


def assert_told_rightly(found: Mapping[str, object], kept: Article) -> None:
    shown = {name: getattr(kept, name) for name in ("id", "url", "title", "source", "section", "language")}
    assert {name: found[name] for name in shown} == shown
    assert found["authors"] == list(kept.authors)
    assert found.get("body", kept.body) == kept.body
    assert kept.published_at is not None
    assert found["published_at"] == kept.published_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def problems(room: Room) -> list[str]:
    parts = services(room.data, room.keywords)
    try:
        return check(parts.generations, parts.store)
    except ArchiveDamaged as error:
        return [str(error)]
    finally:
        parts.close()


class Flipped:
    """A file with one bit flipped as long as the context lasts; the file stays the same, as on a disk that loses it."""

    def __init__(self, path: Path, place: int, bit: int) -> None:
        self._path, self._place, self._mask = path, place, 1 << bit

    def __enter__(self) -> None:
        self._flip()

    def __exit__(self, *_: object) -> None:
        self._flip()

    def _flip(self) -> None:
        with self._path.open("r+b") as file:
            file.seek(self._place)
            byte = file.read(1)[0]
            file.seek(self._place)
            file.write(bytes([byte ^ self._mask]))


# The index


def index_files(room: Room) -> dict[str, list[Path]]:
    """Return the files of the generation that is served, by kind."""
    files: dict[str, list[Path]] = {}
    folder = max((room.data / "index").glob("gen-*"))
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
        kind = path.name if path.suffix == ".json" else "".join(path.suffixes) or path.name
        files.setdefault(kind.lstrip("0123456789_"), []).append(path)
    return files


def test_every_flip_in_a_file_of_the_index_is_caught_before_it_is_opened(room: Room) -> None:
    parts, chance = services(room.data, room.keywords), random.Random(1)
    published, _ = parts.store.pointer()
    parts.close()
    assert published is not None
    kinds = index_files(room)
    assert len(kinds) >= 7
    for kind, paths in kinds.items():
        for path in islice(cycle(paths), flips(4)):
            flipped = Flipped(path, chance.randrange(path.stat().st_size), chance.randrange(8))
            with flipped, pytest.raises(GenerationDamaged):
                generation.verify(
                    generation.path_of(room.data / "index", published.number), sha256=published.manifest_sha256
                )
        with Flipped(paths[0], paths[0].stat().st_size // 2, 3):
            found = problems(room)
            assert any(problem.startswith("index: ") for problem in found), kind


def test_what_is_served_beside_a_damaged_index_is_right(room: Room) -> None:
    chance = random.Random(2)
    for paths in islice(cycle(list(index_files(room).values())), flips(3)):
        path = chance.choice(paths)
        with Flipped(path, chance.randrange(path.stat().st_size), chance.randrange(8)):
            assert_nothing_wrong_is_said(room)


# The database


def pages(room: Room) -> dict[str, list[int]]:
    """Return the pages of the database, from 0, by the table or index they are of; "" are those not in use."""
    connection = apsw.Connection(str(room.data / DATABASE), flags=apsw.SQLITE_OPEN_READONLY)
    by_name: dict[str, list[int]] = {}
    for name, page in connection.execute("SELECT name, pageno FROM dbstat"):
        by_name.setdefault(str(name), []).append(int(str(page)) - 1)
    count = int(str(connection.pragma("page_count")))
    connection.close()
    used = {page for numbers in by_name.values() for page in numbers}
    return {**by_name, "": sorted(set(range(count)) - used)}


def problems_of_database(path: Path) -> list[str]:
    try:
        store = Store(path)
    except ArchiveDamaged as error:
        return [str(error)]
    found = store.check()
    store.close()
    return found


def test_every_flip_in_the_database_is_found_by_check_and_served_as_nothing_else(room: Room) -> None:
    chance, path = random.Random(3), room.data / DATABASE
    everything = {name: numbers for name, numbers in pages(room).items() if numbers}
    assert len(everything) > 40  # every table, every index
    assert everything[""]
    tried = list(islice(cycle(sorted(everything)), max(flips(0), len(everything))))
    served = {"version", "body", "article", "change", "alias", "copy", "story_article", "pointer", "sqlite_schema"}
    for name in tried:
        place = chance.choice(everything[name]) * 4096 + chance.randrange(4096)
        with Flipped(path, place, chance.randrange(8)):
            assert problems_of_database(path), (name, place)
            if (FLIPS or name in served) and room.keywords == "whoosh":
                assert_nothing_wrong_is_said(room)


def test_the_header_is_guarded_byte_by_byte(room: Room) -> None:
    path, chance = room.data / DATABASE, random.Random(4)
    for place in range(0, 100, 1 if FLIPS else 5):
        with Flipped(path, place, chance.randrange(8)):
            assert problems_of_database(path), place


@pytest.mark.parametrize("name", ["body", "version"])
def test_check_names_the_articles_of_a_damaged_page(room: Room, name: str) -> None:
    with Flipped(room.data / DATABASE, pages(room)[name][-1] * 4096 + 4000, 2):
        named = [problem for problem in problems_of_database(room.data / DATABASE) if problem.startswith("article ")]
    assert named
    assert all("restore it from a backup" in problem for problem in named)


def test_a_page_that_holds_one_article_hides_no_other(room: Room) -> None:
    if room.keywords != "whoosh":
        pytest.skip("the same for both")
    body = pages(room)["body"]
    with Flipped(room.data / DATABASE, body[-1] * 4096 + 4000, 2):
        status, said = answers(room)["/api/search?q=flood&page_size=100"]
        assert isinstance(said, dict)
        assert status == 200
        assert len(said["results"]) > 0


# The write-ahead log


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """An archive whose process was killed: all of it is in the log."""
    store = Store(tmp_path / "live" / DATABASE)
    for number in range(30):
        store.put(article(number))
    shutil.copytree(tmp_path / "live", tmp_path / "crashed")
    store.close()
    return tmp_path / "crashed"


def test_a_flip_in_the_log_loses_nothing_that_was_followed_by_another_change_without_saying_so(crashed: Path) -> None:
    chance, log = random.Random(5), crashed / f"{DATABASE}-wal"
    content, database = log.read_bytes(), (crashed / DATABASE).read_bytes()
    wanted = [article(number).id for number in range(30)]
    refused = 0
    for _ in range(flips(24)):
        place = chance.randrange(len(content))
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        log.write_bytes(damaged)
        try:
            store = Store(crashed / DATABASE)
        except ArchiveDamaged:
            refused += 1
        else:
            kept = [change.article_id for change in store.changes(after=0, until=99)]
            assert kept in (wanted, wanted[:-1])  # what was not followed by anything may have been in the writing
            assert [store.article(id_) for id_ in kept] == [article(number) for number in range(len(kept))]
            store.close()
        for path in crashed.iterdir():
            path.unlink()
        log.write_bytes(content)
        (crashed / DATABASE).write_bytes(database)
    assert refused > flips(24) // 2


def test_a_log_that_is_damaged_while_it_is_used_gets_no_new_checksums(tmp_path: Path) -> None:
    store = Store(tmp_path / DATABASE)
    for number in range(5):
        store.put(article(number))
    log = tmp_path / f"{DATABASE}-wal"
    with Flipped(log, 32 + 24 + 100, 1):
        assert any("-wal" in problem for problem in store.check())
        with pytest.raises(ArchiveDamaged, match="flask check"):
            put_many(store)
        store.close()
        assert log.exists()


def put_many(store: Store) -> None:
    for number in range(5, 600):
        store.put(article(number))


# Other files


def test_a_flip_in_the_ledger_is_said_and_costs_one_line_at_most(tmp_path: Path) -> None:
    store = Store(tmp_path / DATABASE, ledger=(ledger := Ledger(tmp_path / "takedowns.jsonl")))
    ids = [article(number).id for number in range(20)]
    for number in range(20):
        store.put(article(number))
        store.remove(article(number).id, reason="court order")
    store.close()
    chance, size = random.Random(6), ledger.path.stat().st_size
    for _ in range(flips(40)):
        with Flipped(ledger.path, chance.randrange(size), chance.randrange(8)):
            reading = Ledger(ledger.path).read()
            assert reading.problems
            assert len(set(ids) & set(reading.gone)) >= len(ids) - 2  # a line feed that is lost joins two lines
            assert not reading.erased


def test_a_flip_in_a_kept_model_is_caught_before_it_is_opened(tmp_path: Path) -> None:
    chance = random.Random(7)
    for name in ("model.xml", "model.bin", "tokenizer.json", "pieces.npy"):
        (tmp_path / name).write_bytes(chance.randbytes(3000))
    openvino_conversion.write_facts(tmp_path, limit=256, dimension=384, light=True)
    assert openvino_conversion.is_whole(tmp_path)
    for path in islice(cycle(sorted(tmp_path.iterdir())), flips(40)):
        with Flipped(path, chance.randrange(path.stat().st_size), chance.randrange(8)):
            assert not openvino_conversion.is_whole(tmp_path)
    assert openvino_conversion.is_whole(tmp_path)


def test_a_flip_in_an_export_is_rejected_and_never_ingested(room: Room, tmp_path: Path) -> None:
    parts, chance, path = services(room.data, room.keywords), random.Random(8), tmp_path / "export.jsonl"
    ended = create_app(services=parts).test_cli_runner().invoke(args=["export", "-o", str(path)])
    assert ended.exit_code == 0, ended.output
    parts.close()
    first = path.read_bytes().index(b"\n") + 1
    with path.open("rb") as file:
        records = {json.dumps(str(each)) for each in own.read(file, "")}
    for _ in range(flips(40)):
        flipped = Flipped(path, chance.randrange(first, path.stat().st_size - 1), chance.randrange(8))
        with flipped, path.open("rb") as file:
            found = list(own.read(file, ""))
        assert sum(json.dumps(str(each)) not in records for each in found) <= 3


# Repairing


def harmed(room: Room, tmp_path: Path, name: str) -> Room:
    """Return a copy of the archive with one bit flipped in the content of a page of this table."""
    data = tmp_path / "data"
    shutil.copytree(room.data, data, copy_function=shutil.copyfile)
    copy = Room(data, room.keywords, room.told, room.articles)
    Flipped(data / DATABASE, pages(room)[name][-1] * 4096 + 4070, 2).__enter__()
    return copy


def repair(room: Room) -> tuple[int, dict[str, object]]:
    parts = services(room.data, room.keywords)
    try:
        ended = create_app(services=parts).test_cli_runner().invoke(args=["check", "--repair", "--json"])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
        return ended.exit_code, json.loads(ended.stdout)
    finally:
        parts.close()


@pytest.mark.parametrize(
    "name",
    [
        *("embedding", "embedded", "passages", "signature", "copy", "story_article", "generation"),
        "sqlite_autoindex_version_1",
    ],
)
def test_what_can_be_made_again_is(room: Room, name: str, tmp_path: Path) -> None:
    if room.keywords != "whoosh" and name != "embedding":
        pytest.skip("the same for both")
    harm = harmed(room, tmp_path, name)
    assert problems(harm)
    status, said = repair(harm)
    assert (status, said["ok"], said["problems"]) == (0, True, [])
    assert "written anew" in str(said["repaired"])
    assert {address: status for address, (status, _) in answers(harm).items()} == {
        address: status for address, (status, _) in room.told.items()
    }
    assert_nothing_wrong_is_said(harm)
    parts = services(harm.data)
    assert parts.store.stats().copies == 2
    assert {id_: parts.store.article(id_) for id_ in parts.store.live_ids()} == room.articles
    parts.close()


@pytest.mark.parametrize("name", ["body", "version", "alias_article"])
def test_what_cannot_be_made_again_is_named_and_left_alone(room: Room, name: str, tmp_path: Path) -> None:
    if room.keywords != "whoosh" or not pages(room).get(name):
        pytest.skip("the same for both")
    harm = harmed(room, tmp_path, name)
    before = (harm.data / DATABASE).read_bytes()
    status, said = repair(harm)
    if name == "alias_article":
        assert status == 0
        return
    assert status == 1
    assert "flask restore" in str(said["repaired"])
    assert "restore it from a backup" in str(said["problems"])
    assert [(harm.data / DATABASE).stat().st_size] == [len(before)] or "made again" in str(said["repaired"])
    assert not list(harm.data.glob("*.damaged-*"))


def test_a_log_that_lost_something_is_given_up_on_request_and_kept_aside(crashed: Path) -> None:
    log = crashed / f"{DATABASE}-wal"
    Flipped(log, log.stat().st_size // 2, 1).__enter__()
    parts = services(crashed)
    with pytest.raises(ArchiveDamaged):
        parts.store.count_live()
    ended = create_app(services=parts).test_cli_runner().invoke(args=["check", "--repair"])
    assert "ingest it again" in ended.output
    assert list(crashed.glob("*-wal.damaged-*"))
    assert 0 < parts.store.count_live() < 30
    parts.close()
