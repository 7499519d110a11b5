"""Files and folders into a real archive: what goes in, what is named, and that nothing stops the rest."""

import gzip
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import ingest as module
from archive.article import Article
from archive.errors import ArchiveError
from archive.identity import article_id
from archive.ingest import IngestReport, ingest
from archive.store import Outcome, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "archive" / "archive.db")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "news"
    made.mkdir()
    return made


def record(title: str, **fields: object) -> str:
    return json.dumps({"title": title, "body": f"{title} happened today.", **fields}) + "\n"


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.rejected_count


def reasons(report: IngestReport, folder: Path) -> dict[str, tuple[int | None, str]]:
    """Return line and reason of each rejection by the path inside `folder`."""
    return {os.path.relpath(each.source, folder): (each.line, each.reason) for each in report.rejected}


def titles(store: Store) -> list[str]:
    return sorted(article.title for article in store.live(store.live_ids()).values())


def test_every_format_goes_in_packed_or_not(folder: Path, store: Store) -> None:
    (folder / "a.jsonl").write_text(record("One") + record("Two"))
    (folder / "b.csv.gz").write_bytes(gzip.compress(b"title,body\nThree,It happened.\n"))
    (folder / "sub").mkdir()
    (folder / "sub" / "c.txt").write_text("Title: Four\n\nIt happened.")
    paragraph = "<p>The old bridge over the river reopened on Monday after two years of repairs.</p>"
    (folder / "sub" / "d.html").write_text(f"<html><body><article><h1>Five</h1>{paragraph}</article></body></html>")
    report = ingest([folder], store)
    assert report.rejected == []
    assert titles(store) == ["Five", "Four", "One", "Three", "Two"]
    assert counts(report) == (5, 0, 0, 0)


def test_a_second_run_adds_nothing_and_a_changed_text_is_an_update(folder: Path, store: Store) -> None:
    file = folder / "a.jsonl"
    file.write_text(record("One", id="1", source="Courier") + record("Two") + record("Two"))
    assert counts(ingest([file], store)) == (2, 0, 1, 0)
    assert counts(ingest([str(file)], store)) == (0, 0, 3, 0)
    file.write_text(record("One again", id="1", source="Courier"))
    assert counts(ingest([file], store)) == (0, 1, 0, 0)


def test_bad_input_is_named_with_its_line_and_the_good_goes_in(folder: Path, store: Store) -> None:
    (folder / "cut.jsonl").write_text(record("One") + record("Two")[:20] + "\n" + record("Three"))
    (folder / "long.jsonl").write_bytes(b'{"body": "' + b"x" * 50_000_000 + b'"}\n' + record("Four").encode())
    (folder / "empty.txt").touch()
    (folder / "photo.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (folder / "latin.txt").write_bytes("Un été à la mer, été comme hiver.".encode() + b"\xe9")
    (folder / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    (folder / "torn.jsonl.gz").write_bytes(gzip.compress(record("Five").encode())[:-6])
    (folder / "loop").symlink_to(folder)
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "folder.txt").mkdir()
    (folder / "folder.txt" / "good.txt").write_text("Title: Six\n\nIt happened.")
    os.mkfifo(folder / "pipe.txt")
    (folder / ".hidden.txt").write_text("never read")
    report = ingest([folder], store)
    named = reasons(report, folder)
    assert {name: line for name, (line, _) in named.items()} == {
        "cut.jsonl": 2,
        "long.jsonl": 1,
        "empty.txt": None,
        "photo.txt": None,
        "latin.txt": 1,
        "film.mp4": None,
        "torn.jsonl.gz": None,
        "loop": None,
        "gone.txt": None,
        "pipe.txt": None,
    }
    for name, words in {
        "long.jsonl": "longer than 10 MB",
        "empty.txt": "empty file",
        "photo.txt": "looks like a PNG image",
        "latin.txt": "0xE9",
        "torn.jsonl.gz": "damaged or cut off",
        "loop": "directory loop",
        "gone.txt": "not there",
        "pipe.txt": "pipe",
    }.items():
        assert words in named[name][1]
    assert titles(store) == ["Five", "Four", "One", "Six", "Three"]  # what came before a file's damage is in


def test_what_lies_around_articles_is_passed_over_by_its_name_unless_it_is_named(folder: Path, store: Store) -> None:
    around = ("LICENSE", "README.md", "ReadMe.txt", "robots.txt", "Thumbs.db", "page.css", "photo.JPG", "tool.py")
    articles = ("license-fees.txt", "readme first.txt", "robots at work.txt", "story.php", "python", "notice.html")
    for name in (*around, *articles, ".DS_Store"):
        (folder / name).write_text(f"<html><body><article><h1>{name}</h1><p>{'All went home. ' * 20}</p></article>")
    (folder / "readme").mkdir()
    (folder / "readme" / "a.jsonl").write_text(record("Below"))
    report = ingest([folder], store)
    assert (counts(report), report.passed_over) == ((len(articles) + 1, 0, 0, 0), len(around))
    assert counts(ingest([folder / "ReadMe.txt"], store)) == (1, 0, 0, 0)


def test_what_comes_in_without_its_date_is_counted_with_the_first_of_what_was_written(
    folder: Path, store: Store
) -> None:
    days = ["10/08/2016", "10/08/2016", "yesterday", "soon", "late", "31/12/2016"]
    (folder / "a.jsonl").write_text("".join(record(f"Day {n}", date=day) for n, day in enumerate(days)))
    report = ingest([folder], store)
    assert (counts(report), report.undated) == ((6, 0, 0, 0), 5)
    assert report.unread_dates == ["10/08/2016", "yesterday", "soon"]
    report.add(report)
    assert (report.undated, len(report.unread_dates)) == (10, 3)


def test_a_socket_and_a_device_are_refused_without_opening(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.txt")
        report = ingest([Path("s.txt"), Path("/dev/zero")], store)
    assert [each.reason for each in report.rejected] == ["not a file or folder but a pipe, socket or device"] * 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(folder: Path, store: Store) -> None:
    (folder / "a.txt").write_text("It happened.")
    (folder / "a.txt").chmod(0)
    assert reasons(ingest([folder], store), folder)["a.txt"][1] == "cannot be read: permission denied"


def test_a_file_that_fails_while_it_is_read_is_named(folder: Path, store: Store) -> None:
    # Opens as a regular file for anyone, and every read of it fails: its first page is not mapped.
    memory = Path("/proc/self/mem")
    if not memory.is_file():
        pytest.skip("needs Linux's /proc")
    (folder / "a.txt").symlink_to(memory)
    (folder / "b.txt").write_text("It happened.")
    report = ingest([folder], store)
    assert reasons(report, folder)["a.txt"][1].startswith("cannot be read: ")
    assert counts(report) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("https://news.example/a", "save the page and give the file"),
        ("HTTP://news.example/a", "save the page and give the file"),
        ("nowhere.txt", "no such file or folder"),
        ("a\0b", "cannot be read" + "|embedded null"),
    ],
)
def test_a_source_that_is_no_file_is_named_and_the_rest_go_in(
    source: str, words: str, folder: Path, store: Store
) -> None:
    (folder / "a.txt").write_text("It happened.")
    report = ingest([source, folder], store)
    assert (report.added, report.rejected[0].source) == (1, source)
    assert any(word in report.rejected[0].reason for word in words.split("|"))


def test_a_name_that_is_no_text_can_still_be_printed(folder: Path, store: Store) -> None:
    try:
        (folder / os.fsdecode(b"caf\xe9.txt")).touch()
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert ingest([folder], store).rejected[0].source.encode().endswith(b"caf\\xe9.txt")


def test_a_folder_that_two_ways_lead_to_is_read_once(folder: Path, store: Store) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "a.txt").write_text("It happened.")
    (folder / "b").symlink_to(folder / "a")
    assert counts(ingest([folder], store)) == (1, 0, 0, 0)


def test_links_that_lead_into_each_other_end(folder: Path, store: Store) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (folder / name).mkdir()
        (folder / name / "a.txt").write_text(f"It happened in {name}.")
        (folder / name / "other").symlink_to(folder / other)
    report = ingest([folder], store)
    assert report.added == 2
    assert "directory loop" in reasons(report, folder)["a/other/other"][1]


@pytest.mark.parametrize("judgements", ["queries.jsonl", "qrels"])
@pytest.mark.parametrize("corpus", ["corpus.jsonl", "corpus.jsonl.gz"])
def test_of_a_judged_collection_only_the_corpus_holds_articles(
    corpus: str, judgements: str, folder: Path, store: Store
) -> None:
    row = b'{"_id": "7", "title": "One", "text": "It happened."}\n'
    (folder / corpus).write_bytes(gzip.compress(row) if corpus.endswith(".gz") else row)
    (folder / "notes.md").write_text("About this collection")
    if judgements == "qrels":
        (folder / "qrels").mkdir()
        (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\t7\t1\n")
    else:
        (folder / judgements).write_text('{"_id": "1", "text": "what happened"}\n')
    assert counts(ingest([folder], store)) == (1, 0, 0, 0)
    assert store.live_ids() == [article_id(url=None, source=None, source_id=None, text="One\n\nIt happened.")]


def test_a_corpus_alone_is_a_file_like_others(folder: Path, store: Store) -> None:
    (folder / "corpus.jsonl").write_text(record("One"))
    (folder / "more.jsonl").write_text(record("Two"))
    assert ingest([folder], store).added == 2


def test_a_folder_nested_deeper_than_python_recurses_is_walked(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep, level = 1100, Path("d")
    monkeypatch.chdir(tmp_path)
    for _ in range(deep):
        level.mkdir()
        os.chdir(level)
    Path("a.txt").write_text("It happened.")
    os.chdir(tmp_path)
    report = ingest([level], store)
    shutil.move(tmp_path.joinpath(*["d"] * deep, "a.txt"), tmp_path)
    for depth in range(deep - 1, -1, -1):  # what deletes folders for us recurses
        tmp_path.joinpath(*["d"] * depth, "d").rmdir()
    assert counts(report) == (1, 0, 0, 0)


def test_progress_counts_the_bytes_on_disk_from_none_to_all(folder: Path, store: Store) -> None:
    (folder / "a.jsonl").write_text("".join(record(f"Story {number}") for number in range(20)))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(b"".join(record(f"Tale {n}").encode() for n in range(20))))
    (folder / "c.txt").touch()
    heard: list[tuple[str, int, int | None]] = []
    ingest([folder], store, progress=lambda stage, done, total: heard.append((stage, done, total)))
    total = sum(file.stat().st_size for file in folder.iterdir())
    assert {(stage, known) for stage, _, known in heard} == {("reading", total)}
    done = [each for _, each, _ in heard]
    assert (done[0], done[-1], done) == (0, total, sorted(done))
    assert len(done) > 40


def test_only_so_many_rejections_are_kept_but_all_are_counted(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_REJECTIONS", 5)
    (folder / "a.jsonl").write_text("[]\n" * 9)
    report = ingest([folder], store)
    assert (len(report.rejected), report.rejected_count) == (5, 9)


class FullDisk(Store):
    """A real store whose disk is full from the second article on."""

    def __init__(self, path: Path, failure: Exception) -> None:
        super().__init__(path)
        self.failure = failure

    def put(self, article: Article) -> Outcome:
        if article.title != "One":
            raise self.failure
        return super().put(article)


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), ArchiveError("the disk is full")])
def test_a_failing_store_stops_the_ingest_and_is_not_taken_for_a_bad_file(
    failure: Exception, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.jsonl").write_text(record("One") + record("Two") + record("Three"))
    store = FullDisk(tmp_path / "archive.db", failure)
    with pytest.raises(type(failure), match=r"No space left|the disk is full"):
        ingest([folder], store)
    assert titles(store) == ["One"]
    store.close()
