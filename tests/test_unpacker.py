"""What is in a file, however it is packed: members go in, broken ones are named, and nothing costs too much."""

import base64
import contextlib
import gzip
import io
import json
import random
import subprocess
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path
from types import ModuleType

import pytest
import reader_contract
from shared_data import shared

from archive.article import Article, Entry, Record, Rejection
from archive.errors import SourceError
from archive.readers import HEAD_BYTES, detect, unpacker
from archive.readers.isolated.child import Child
from archive.readers.packed import budget, mbox, member, warc
from archive.readers.packed import tarred as tarred_module
from archive.readers.packed import zipped as zipped_module
from archive.readers.packed.budget import Budget, BudgetSpent
from archive.readers.packed.member import Member
from archive.readers.records import own
from archive.readers.texts.mail import read as reading_mail
from archive.readers.unpacker import Unpacker

ROOT = Path(__file__).resolve().parent.parent
WARC_FILES = {  # articles and rejections of each
    "bad.arc": (0, 4),
    "example-bad-non-chunked.warc.gz": (1, 0),
    "example-bad.warc.gz.bad": (1, 0),
    "example-digest.warc": (0, 0),
    "example-iana.org-chunked.warc": (0, 1),  # a front page
    "example-resource.warc.gz": (1, 0),
    "example-space-in-target-uri.warc.gz": (0, 0),
    "example-space-in-url.arc": (1, 0),
    "example-trunc.warc": (1, 0),
    "example-wget-bad-target-uri.warc.gz": (1, 0),
    "example-wrong-chunks.warc.gz": (1, 0),
    "example.arc": (1, 0),
    "example.arc.gz": (1, 0),
    "example.warc": (1, 0),
    "example.warc.gz": (1, 0),
    "post-test.warc.gz": (0, 0),
}
NAMES = [
    "/etc/passwd", "//etc/passwd", "../../etc/passwd", "..\\..\\windows\\system.ini", "C:\\x.jsonl", "C:/x.jsonl",
    "\\\\server\\share\\x", "a/../../x", "./../x", "..", "../", "/", "//", "/tmp/backfile-escaped.jsonl", "~/x",
    "~root/x",
    "$HOME/x", "%TEMP%\\x", "`id`", "$(id)", "x;id", "|id", "-rf", "--help", "nul", "CON", "a\nb", "a\rb", "a\x1b[2Jb",
    "a\u202eb", "é/ü", "名.jsonl", "a" * 250, "a/" * 120 + "x", " x ", "x.", "x:y", "file:///etc/passwd",
    "http://a.example/x", "a!b!c",
]  # fmt: skip


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as opened:
        yield opened


def record(title: str) -> bytes:
    return json.dumps({"title": title, "body": f"{title} happened today."}).encode() + b"\n"


def page(
    title: str, body: str = "The old bridge over the river reopened on Monday after two years of repairs."
) -> bytes:
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{body}</p>".encode()
    )


def read(child: Child, raw: bytes, name: str = "file") -> tuple[list[Entry], int]:
    stream = io.BufferedReader(io.BytesIO(raw))  # type: ignore[type-var]
    opened = Unpacker(child, Budget(stream.tell))
    return list(opened.entries(stream, name=name, origin=name)), opened.passed_over


def opened(child: Child, raw: bytes, *, is_named: bool) -> list[Entry]:
    stream = io.BufferedReader(io.BytesIO(raw))  # type: ignore[type-var]
    return list(Unpacker(child, Budget(stream.tell)).entries(stream, name="file", origin="file", is_named=is_named))


def outcomes(entries: Sequence[Entry]) -> list[str]:
    """Return the title of each article and the source of each rejection."""
    return [entry.title if isinstance(entry, Article) else entry.source or "" for entry in entries]


def reasons(entries: Sequence[Entry]) -> dict[str, str]:
    return {entry.source: entry.reason for entry in entries if isinstance(entry, Rejection)}


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def tarred(*members: tuple[str | tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def response(
    payload: bytes,
    *,
    url: str = "http://a.example/1",
    head: str = "",
    kind: str = "text/html",
    status: str = "200 OK",
    length: int | None = None,
    warc_type: str = "response",
) -> bytes:
    block = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{head}\r\n".encode() + payload
    told = len(block) if length is None else length
    return (
        f"WARC/1.0\r\nWARC-Type: {warc_type}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2020-01-01T00:00:00Z\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {told}\r\n\r\n"
    ).encode() + block + b"\r\n\r\n"  # fmt: skip


# Each kind, and one in another


def test_no_record_of_another_archive_comes_out_of_what_is_packed(child: Child) -> None:
    export = reader_contract.OWN
    message = b"From a@b.example Thu Jan  1 00:00:00 2026\nSubject: x\n\n"
    packed = {
        "zip": zipped(("a.jsonl", export)),
        "tar": tarred(("a.jsonl", export)),
        "tar without a name": tarred(("b.txt", b"Title: One\n\nIt was."), (tarfile.TarInfo(""), export)),
        "WARC": response(export, kind="application/x-ndjson"),
        "WARC without an address": response(export, url="", kind="application/x-ndjson"),
        "zip in gzip": gzip.compress(zipped(("a.jsonl.gz", gzip.compress(export)))),
        "mbox": message + export,
    }
    for name, raw in packed.items():
        entries = opened(child, raw, is_named=True)
        assert [type(entry) for entry in entries if isinstance(entry, Record)] == [], name
        if name != "mbox":  # where it is the text of a message
            assert [entry.reason for entry in entries if isinstance(entry, Rejection)] == [own.NOT_BELIEVED], name
    for raw in (export, gzip.compress(export)):
        assert [type(entry) for entry in opened(child, raw, is_named=True)] == [Record]
        assert [type(entry) for entry in opened(child, raw, is_named=False)] == [Rejection]


@pytest.mark.parametrize("kind", unpacker.CONTAINERS, ids=lambda kind: kind.__name__.rpartition(".")[2])
def test_a_member_of_any_kind_of_container_is_not_believed_even_without_a_name(
    child: Child, monkeypatch: pytest.MonkeyPatch, kind: ModuleType
) -> None:
    samples = {
        "warc": response(b""),
        "zipped": zipped(("a", b"")),
        "mbox": b"From a Thu Jan  1 00:00:00 2026\nA: b\n\n",
        "tarred": tarred(("a", b"")),
    }
    nameless = member.Member(name="", stream=io.BytesIO(reader_contract.OWN))
    monkeypatch.setattr(kind, "members", lambda stream, budget: [nameless])
    (entry,) = opened(child, samples[kind.__name__.rpartition(".")[2]], is_named=True)
    assert isinstance(entry, Rejection)
    assert (entry.source, entry.reason) == ("file", own.NOT_BELIEVED)


def test_members_of_every_kind_of_file_go_in(child: Child) -> None:
    inner = [
        ("a.jsonl", record("One") + record("Two")),
        ("sub/b.html", page("Three")),
        ("c.txt", b"Title: Four\n\nIt was."),
    ]
    for raw in (
        zipped(*inner),
        zipped(*inner, method=zipfile.ZIP_STORED),
        tarred(*inner),
        tarred(*inner, form=tarfile.GNU_FORMAT),
        gzip.compress(tarred(*inner)),
        zipped(("inner.tar.gz", gzip.compress(tarred(*inner)))),
        tarred(("inner.zip", zipped(*inner))),
        gzip.compress(gzip.compress(zipped(*inner))),
    ):
        entries, _ = read(child, raw)
        assert outcomes(entries) == ["One", "Two", "Three", "Four"]


def test_what_is_packed_too_deep_is_named(child: Child) -> None:
    raw = record("One")
    for _ in range(unpacker.MOST_NESTED):
        raw = zipped(("a", raw))
    assert outcomes(read(child, raw)[0]) == ["One"]
    entries, _ = read(child, zipped(("deeper.zip", raw), ("b.jsonl", record("Two"))))
    assert outcomes(entries)[-1] == "Two"
    assert "packed more than 4 deep" in next(iter(reasons(entries).values()))


def test_the_content_of_a_member_decides_and_not_its_name(child: Child) -> None:
    entries, _ = read(child, zipped(("a.xyz", record("One")), ("b.jsonl", b"\x89PNG\r\n\x1a\n")))
    assert outcomes(entries) == ["One", "file!b.jsonl"]


def test_an_empty_archive_holds_nothing_and_a_damaged_one_is_named(child: Child) -> None:
    assert read(child, zipped()) == ([], 0)
    whole = zipped(("a.jsonl", record("One") * 500), ("b.jsonl", record("Two")))
    assert "zip archive is damaged or cut off" in reasons(read(child, whole[:-30])[0])["file"]
    torn = bytearray(zipped(("a.jsonl", b"".join(record(f"{n}") for n in range(900))), ("b.jsonl", record("Two"))))
    torn[2000:2010] = b"\xff" * 10
    entries, _ = read(child, bytes(torn))
    assert outcomes(entries)[-1] == "Two"
    assert "damaged in the zip archive" in reasons(entries)["file!a.jsonl"]


def test_what_a_zip_archive_should_not_hold_is_named_and_its_neighbours_go_in(child: Child) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    hidden = (("dir/", b""), ("__MACOSX/x", b"x"), (".hidden", b"x"), ("dir/style.css", b"p {}"))
    raw = bytearray(
        zipped((link, b"/etc/passwd"), ("secret.txt", b"Title: S\n\nX y."), *hidden, ("ok.jsonl", record("One")))
    )
    name = raw.rfind(b"secret.txt")
    raw[name - 46 + 8] |= 1  # the flag of encryption, in the directory
    packed = zipped(("old.txt", record("x")), method=zipfile.ZIP_BZIP2)
    entries, passed = read(child, bytes(raw))
    assert outcomes(entries) == ["file!link", "file!secret.txt", "One"]
    assert passed == 4
    assert "encrypted" in reasons(entries)["file!secret.txt"]
    assert "a link" in reasons(entries)["file!link"]
    assert "pack it again" in reasons(read(child, packed)[0])["file!old.txt"]
    office = zipped(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>"))
    assert "office document" in reasons(read(child, office)[0])["file"]


def test_what_a_tar_archive_should_not_hold_is_named_and_its_neighbours_go_in(child: Child) -> None:
    kinds = {tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard", tarfile.CHRTYPE: "device", tarfile.FIFOTYPE: "pipe"}
    infos: list[tuple[str | tarfile.TarInfo, bytes]] = []
    for kind, name in kinds.items():
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        infos.append((info, b""))
    around = (("pages/.DS_Store", b"x"), ("pages/LICENSE", b"x"))
    entries, passed = read(child, tarred(*infos, ("x" * 300, record("One")), *around, ("last.jsonl", record("Two"))))
    assert (outcomes(entries), passed) == ([*(f"file!{name}" for name in kinds.values()), "One", "Two"], 2)


def test_after_a_damaged_header_of_a_tar_archive_the_next_one_is_found(child: Child) -> None:
    raw = bytearray(tarred(*((f"{n}.jsonl", record(f"N{n}")) for n in range(3))))
    raw[1024 + 20] ^= 0xFF
    entries, _ = read(child, bytes(raw))
    assert outcomes(entries) == ["N0", "file", "N2"]
    cut, _ = read(child, bytes(raw[:1500]))
    assert outcomes(cut)[0] == "N0"


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_no_name_of_a_member_touches_the_file_system(
    child: Child, pack: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(NAMES) == 40
    opened: list[str] = []
    monkeypatch.chdir(tmp_path)
    watching = [True]
    sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" and watching[0] else None)
    raw = pack(*((name, record(f"N{place}")) for place, name in enumerate(NAMES)))  # type: ignore[operator]
    opened.clear()
    entries, passed = read(child, raw)
    watching[0] = False
    assert len(entries) + passed == len(NAMES)
    assert len({entry.title for entry in entries if isinstance(entry, Article)}) == len(entries) >= 36
    assert [path for path in opened if "/tmp/backfile" in path or path in NAMES or str(tmp_path) in path] == []
    assert list(tmp_path.iterdir()) == []
    assert not Path("/tmp/backfile-escaped.jsonl").exists()


def test_a_name_is_shown_on_one_line() -> None:
    assert member.printable("a\nb\x1b[2J" + "x" * 500).startswith("a\ufffdb\ufffd[2Jxx")
    assert len(member.printable("x" * 500)) == 200


# Web archives


@pytest.mark.parametrize("name", WARC_FILES)
def test_readable_records_of_real_web_archives_go_in_and_broken_ones_are_named(child: Child, name: str) -> None:
    raw = (shared("formats/warc/test/data") / name).read_bytes()
    entries, passed = read(child, raw, name)
    articles = [entry for entry in entries if isinstance(entry, Article)]
    assert (len(articles), len(entries) - len(articles)) == WARC_FILES[name]
    assert passed or not articles
    for article in articles:
        assert article.url is not None
        assert article.published_at is None  # the time of the crawl is none


def test_every_real_web_archive_is_looked_at() -> None:
    assert {file.name for file in shared("formats/warc/test/data").iterdir()} == set(WARC_FILES)


def test_what_is_no_article_in_a_crawl_is_passed_over(child: Child) -> None:
    crawl = b"".join(
        [
            response(b"gone", status="404 Not Found"),
            response(b"", status="301 Moved", head="Location: /x\r\n"),
            response(b"User-agent: *", url="http://a.example/robots.txt", kind="text/plain"),
            response(b"\x89PNG", kind="image/png"),
            response(b"body {}", kind="text/css"),
            response(b"{\n}", kind="application/json"),
            response(b"<x/>", kind="application/xml"),
            response(page("One"), warc_type="revisit"),
            response(page("Two")),
        ]
    )
    entries, passed = read(child, crawl)
    assert outcomes(entries) == ["Two"]
    assert passed == 8


@pytest.mark.parametrize(
    ("payload", "head"),
    [
        (gzip.compress(page("One"), mtime=0), "Content-Encoding: gzip\r\n"),
        (zlib.compress(page("One")), "Content-Encoding: deflate\r\n"),
        (zlib.compress(page("One"))[2:-4], "Content-Encoding: deflate\r\n"),
        (page("One"), "Content-Encoding: gzip\r\n"),
        (page("One"), "Content-Encoding: br\r\n"),
        (b"5\r\n" + page("One")[:5] + b"\r\nFFF\r\n" + page("One")[5:], "Transfer-Encoding: chunked\r\n"),
        (page("One"), "Transfer-Encoding: chunked\r\n"),
    ],
)
def test_a_page_is_read_as_its_server_sent_it(child: Child, payload: bytes, head: str) -> None:
    assert outcomes(read(child, response(payload, head=head))[0]) == ["One"]


def test_a_page_in_a_compression_that_is_not_read_is_named(child: Child) -> None:
    entries, _ = read(child, response(b"\x0b\x02\x80", head="Content-Encoding: br\r\n") + response(page("Two")))
    assert outcomes(entries) == ["file!record at byte 0", "Two"]
    assert "is not read: br" in reasons(entries)["file!record at byte 0"]


@pytest.mark.parametrize("wrong", [-60, -3, 3, 200, 700, 5_000])
def test_a_record_that_lies_about_its_length_costs_no_neighbour(child: Child, wrong: int) -> None:
    whole = response(page("Two"), url="http://a.example/2")
    lying = response(page("Two"), url="http://a.example/2", length=len(whole.partition(b"\r\n\r\n")[2]) - 4 + wrong)
    crawl = [response(page("One")), lying, response(page("Three"), url="http://a.example/3")]
    entries, _ = read(child, b"".join(crawl))
    assert outcomes(entries) == ["One", "Two", "Three"]
    for packed in (b"".join(map(gzip.compress, crawl)), gzip.compress(b"".join(crawl))):
        assert read(child, packed)[0] == entries


@pytest.mark.parametrize("length", ["", "-5", "abc", "9" * 30, "1e3"])
def test_a_record_with_no_length_is_named_with_its_place(child: Child, length: str) -> None:
    bad = (
        response(page("Two")).replace(b"Content-Length: ", b"Content-Length: x", 1)
        if not length
        else response(page("Two"))
    )
    head, _, rest = bad.partition(b"\r\n\r\n")
    lines = [
        f"Content-Length: {length}".encode() if line.startswith(b"Content-Length") else line
        for line in head.split(b"\r\n")
    ]
    first = response(page("One"))
    entries, _ = read(
        child, first + b"\r\n".join(lines) + b"\r\n\r\n" + rest + response(page("Three"), url="http://a.example/3")
    )
    assert outcomes(entries) == ["One", f"file!record at byte {len(first)}", "Three"]


def test_a_cut_off_record_is_named(child: Child) -> None:
    crawl = response(page("One")) + response(page("Two"), head="Content-Length: 999999\r\n")
    entries, _ = read(child, crawl[:-80])
    assert outcomes(entries)[0] == "One"
    assert "cut off" in next(iter(reasons(entries).values()))


def test_after_a_damaged_record_of_a_packed_crawl_the_next_one_is_read(child: Child) -> None:
    noise = random.Random(1).randbytes(30_000)
    crawl = [
        gzip.compress(response(page(f"N{n}", base64.b64encode(noise[n:]).decode()), url=f"http://a.example/{n}"))
        for n in range(5)
    ]
    crawl[1] = crawl[1][:9000]
    crawl[3] = crawl[3][:9000] + bytes(100) + crawl[3][9100:]
    entries, _ = read(child, b"".join(crawl))
    assert [title for title in outcomes(entries) if not title.startswith("file")] == ["N0", "N2", "N4"]
    assert any("damaged" in reason for reason in reasons(entries).values())


def test_the_address_of_a_record_is_that_of_its_page_unless_the_page_names_one(child: Child) -> None:
    named = page("Two").replace(b"</head>", b'<link rel="canonical" href="http://a.example/named"></head>')
    entries, _ = read(
        child, response(page("One"), url="http://a.example/1") + response(named, url="http://a.example/2?x")
    )
    assert [entry.url for entry in entries if isinstance(entry, Article)] == [
        "http://a.example/1",
        "http://a.example/named",
    ]


# Mail


def mail(subject: str, *, html: str | None = None) -> bytes:
    message = EmailMessage()
    message["From"] = "The Courier <news@courier.example>"
    message["Subject"] = subject
    message["Date"] = "Mon, 06 May 2024 07:08:09 +0200"
    message["Message-ID"] = f"<{subject.encode().hex()}@courier.example>"
    message.set_content("The plain text of it.\n\nFrom here it goes on.\n")
    if html:
        message.add_alternative(html, subtype="html")
    return bytes(message)


def test_a_newsletter_is_an_article(child: Child) -> None:
    (entry,), _ = read(child, mail("Brücke öffnet"))
    assert isinstance(entry, Article)
    assert (entry.title, entry.source, entry.body) == (
        "Brücke öffnet",
        "The Courier",
        "The plain text of it.\n\nFrom here it goes on.",
    )
    assert entry.published_at is not None
    assert entry.published_at.isoformat() == "2024-05-06T05:08:09+00:00"
    (with_page,), _ = read(
        child,
        mail("Brücke", html=page("x", "Die alte Brücke ist am Montag nach zwei Jahren geöffnet worden.").decode()),
    )
    assert isinstance(with_page, Article)
    assert "nach zwei Jahren" in with_page.body


def test_a_message_is_read_in_its_own_encoding_not_in_a_wrong_one_it_declares() -> None:
    header = b"From: The Courier <a@b.example>\nSubject: Bridge\nMessage-ID: <1@b.example>\n"
    for said in (b"us-ascii", b"iso-8859-1", b"klingon"):
        raw = header + b"Content-Type: text/plain; charset=" + said + b"\n\n" + "Die Brücke – offen.".encode()
        (entry,) = reading_mail(io.BytesIO(raw), "input")
        assert isinstance(entry, Article)
        assert entry.body == "Die Brücke – offen."


def test_messages_of_an_mbox_file_go_in_one_by_one(child: Child) -> None:
    start = b"From news@courier.example Mon May  6 07:08:09 2024\n"
    box = b"".join(start + mail(f"N{n}").replace(b"\nFrom here", b"\n>From here") + b"\n" for n in range(3))
    entries, _ = read(child, box.replace(b"Subject: N1", b'Subject: N1\nContent-Type: multipart/x; boundary=""'))
    assert outcomes(entries)[0] == "N0"
    assert outcomes(entries)[-1] == "N2"
    assert isinstance(entries[0], Article)
    assert "\n\nFrom here" in entries[0].body


# Hostile members, and bytes that are anything


def test_members_that_crash_hang_or_fill_the_memory_cost_no_neighbour() -> None:
    names = ["one", "crash", "hang", "fill", "two", "abort", "three"]
    raw = zipped(*((f"{name}.html", name.encode()) for name in names), ("z.jsonl", record("four")))
    with Child(detect="hostile:detect", folders=[Path(__file__).parent], seconds=2) as child:
        entries, _ = read(child, raw)
    assert outcomes(entries) == [
        "one",
        "file!crash.html",
        "file!hang.html",
        "file!fill.html",
        "two",
        "file!abort.html",
        "three",
        "four",
    ]
    kept = [entry.raw for entry in entries if isinstance(entry, Rejection)]
    assert kept == [b"crash", b"hang", b"fill", b"abort"]


def test_what_a_file_may_cost_is_bounded_in_bytes_members_and_time() -> None:
    assert Budget(lambda: 10).unpack(budget.FREE_BYTES) is None
    with pytest.raises(BudgetSpent, match="unpacks to over 100 MB and 100 times its size"):
        Budget(lambda: budget.FREE_BYTES // budget.MAX_RATIO).unpack(budget.FREE_BYTES + 1)
    Budget(lambda: budget.FREE_BYTES // budget.MAX_RATIO + 1).unpack(budget.FREE_BYTES + 1)
    spent = Budget(lambda: 1)
    spent.waste(599)
    with pytest.raises(BudgetSpent, match="took 10 minutes"):
        spent.waste(30)
    crowded = Budget(lambda: 1)
    crowded._members = budget.MAX_MEMBERS
    with pytest.raises(BudgetSpent, match="holds more than"):
        crowded.enter()


def test_an_export_is_trusted_as_a_file_of_its_own_and_not_inside_another(child: Child) -> None:
    export = b'{"backfile": 1, "articles": 0}\n'
    for raw in (zipped(("a.jsonl", export)), response(export, kind="application/json")):
        (refused,), _ = read(child, raw)
        assert isinstance(refused, Rejection)
        assert "believed only as a file of its own" in refused.reason


SAMPLES = {
    zipped_module: zipped(("a.jsonl", record("One")), ("b.html", page("Two"))),
    tarred_module: tarred(("a" * 200, record("One")), ("b.html", page("Two"))),
    warc: response(page("One")) + response(gzip.compress(page("Two")), head="Content-Encoding: gzip\r\n"),
    mbox: b"From a@b Mon May  6 07:08:09 2024\nSubject: x\n\nOne\n\n" * 2,
}


@pytest.mark.parametrize("container", SAMPLES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_no_bytes_make_walking_a_file_an_error(container: ModuleType) -> None:
    draw, sample = random.Random(54), SAMPLES[container]
    assert container.matches(sample)
    for _ in range(400):
        raw = bytearray(sample[: draw.choice([len(sample), draw.randrange(len(sample))])])
        for _ in range(draw.randrange(1, 6)):
            if raw:
                raw[draw.randrange(len(raw))] = draw.choice([0, 9, 10, 13, 32, 48, 57, 255, draw.randrange(256)])
        stream = io.BytesIO(raw)
        with contextlib.suppress(SourceError):
            for found in container.members(stream, Budget(stream.tell)):
                with contextlib.suppress(SourceError):
                    assert not isinstance(found, Member) or found.stream.read() is not None


@pytest.mark.parametrize(
    "head", [b"", b"<?xml version='1.0'?>", b"<!DOCTYPE a [", b"<!-- ", b'{"', b"From: a\nSubject: b\n"]
)
def test_no_beginning_of_a_file_takes_long_to_recognise(head: bytes) -> None:
    for piece in b'<!-- --> <?x?> <!DOCTYPE] { [ a:\n " , <a From'.split():
        raw = (head + piece * HEAD_BYTES)[:HEAD_BYTES]
        began = time.process_time()
        assert not any(each.matches(raw) for each in SAMPLES)
        with contextlib.suppress(SourceError):
            detect(raw, "a.unknown")
        assert time.process_time() - began < 1


# Bombs

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000


def blanks(size: int) -> bytes:
    """Return `size` blanks, deflated, without ever holding them: one piece of them after the other."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(b" " * MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first * (size // MEGABYTE) + packer.flush()


def gzipped(deflated: bytes) -> bytes:
    return gzip.compress(b"")[:10] + deflated + bytes(8)  # nobody gets as far as its checksum


def zip_of(deflated: bytes, size: int, *, entries: int = 1) -> bytes:
    """Return a zip archive whose directory names one and the same member `entries` times."""
    crc = 0
    local = zipfile.ZipInfo("a.jsonl")
    local.compress_type, local.file_size, local.compress_size, local.CRC = 8, size, len(deflated), crc
    body = local.FileHeader() + deflated
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for _ in range(entries):
            info = zipfile.ZipInfo("a.jsonl")
            info.compress_type, info.file_size, info.compress_size, info.header_offset = 8, size, len(deflated), 0
            info.CRC = 0
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
        archive._didModify = True
        archive.start_dir = len(body)  # type: ignore[attr-defined]
        archive.fp.write(body)  # type: ignore[union-attr]
    return made.getvalue()


def long_name(size: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.size, info.type = size, tarfile.GNUTYPE_LONGNAME
    return info.tobuf()


def bombs() -> dict[str, bytes]:
    deflated = blanks(GIGABYTE)
    packed = gzipped(deflated)
    header = tarfile.TarInfo("a.jsonl")
    header.size = GIGABYTE
    lines = gzipped(blanks(15 * MEGABYTE))
    return {
        "gzip": packed,
        "gzip of gzip": gzip.compress(packed),
        "zip": zip_of(deflated, GIGABYTE),
        "zip, overlapping": zip_of(blanks(50 * MEGABYTE), 50 * MEGABYTE, entries=400),
        "zip of zip": zipped(*((f"{n}.zip", zip_of(blanks(90 * MEGABYTE), 90 * MEGABYTE)) for n in range(16))),
        "tar.gz": gzip.compress(header.tobuf()) + packed,
        "tar.gz, long name": gzip.compress(long_name(GIGABYTE)) + packed,
        "warc.gz": gzip.compress(response(b"", length=GIGABYTE)) + packed,
        "warc, gzipped pages": b"".join(response(lines, head="Content-Encoding: gzip\r\n") for _ in range(10)),
        "warc, gzipped page": response(packed, head="Content-Encoding: gzip\r\n"),
        "warc.gz, one line": gzip.compress(b"WARC/1.0\r\nWARC-Type: ") + packed,
        "mbox.gz": gzip.compress(b"From a@b Mon May  6 07:08:09 2024\nSubject: ") + packed,
        "html.gz": gzip.compress(b"<html>") + packed,
    }


READ = """
import json, resource, sys, time
from archive.readers.packed.budget import Budget
from archive.readers.isolated.child import Child
from archive.readers.unpacker import Unpacker
began = time.monotonic()
with Child() as child, open(sys.argv[1], "rb") as stream:
    found = list(Unpacker(child, Budget(stream.tell)).entries(stream, name="file", origin="file"))
own = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])  # ru_maxrss begins with that of the parent
peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(json.dumps([time.monotonic() - began, peak / 1024, [getattr(entry, "reason", "an article") for entry in found]]))
"""


def test_bombs_are_stopped_in_little_memory_and_time(tmp_path: Path) -> None:
    file = tmp_path / "bomb"
    for name, raw in bombs().items():
        assert len(raw) < 2 * MEGABYTE, name
        file.write_bytes(raw)
        ended = subprocess.run([sys.executable, "-c", READ, file], cwd=ROOT, capture_output=True, text=True, check=True)
        seconds, megabytes, found = json.loads(ended.stdout)
        assert seconds < 10, name
        assert megabytes < 256, name
        assert found, name
        assert "an article" not in found, name
        print(f"{name}: {seconds:.1f} s, {megabytes:.0f} MB, {found[-1][:70]}")
