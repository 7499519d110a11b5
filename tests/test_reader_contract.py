"""What every reader promises, whatever the bytes: entries, never an error, within a bounded time."""

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from types import ModuleType
from typing import get_args

import pytest
from reader_contract import SAMPLES, hostile, prologues, within

from archive.article import Article, Entry, Rejection, Withdrawal
from archive.errors import SourceError
from archive.readers import FORMATS, HEAD_BYTES, detect
from archive.readers.fields import is_web_address
from archive.readers.isolated.child import Child
from archive.readers.isolated.web_content import WebContent, content_of
from archive.readers.normalise import has_words
from archive.readers.records import own

SECONDS = 10  # of processor time for one input
URL = "https://courier.example/sample"

every_format = pytest.mark.parametrize("module", FORMATS, ids=lambda module: module.__name__.rpartition(".")[2])


def entries(module: ModuleType, raw: bytes) -> list[Entry]:
    with within(SECONDS):
        return list(module.read(io.BytesIO(raw), "input"))


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child() as opened:
        yield opened


def whole(found: list[Entry] | WebContent) -> object:
    """Return all fields of what was found, with those that are left out where values are compared."""
    return asdict(found) if isinstance(found, WebContent) else [(type(entry), asdict(entry)) for entry in found]


def check(entry: Entry) -> None:
    """Fail unless `entry` is what DESIGN and `archive.article` say one is."""
    if isinstance(entry, Rejection):
        assert entry.source
        assert entry.reason
        assert entry.line is None or entry.line >= 1
        return
    assert isinstance(entry, get_args(Entry))
    if isinstance(entry, Article | Withdrawal):
        assert all(re.fullmatch("[0-9a-f]{16}", each) for each in (entry.id, *entry.aliases))
    if not isinstance(entry, Article):
        return
    assert entry.title.strip() == entry.title != ""
    assert "\n" not in entry.title
    assert has_words(entry.body)
    assert "\n\n\n" not in entry.body
    assert entry.url is None or is_web_address(entry.url)
    for moment in (entry.published_at, entry.updated_at, entry.embargoed_until):
        assert moment is None or moment.utcoffset() == timedelta(0)
    everything = "".join(
        part or "" for part in (entry.title, entry.body, entry.url, entry.source, entry.section, *entry.authors)
    )
    assert not set(everything) & set("\0\r\x0b\x1b")
    everything.encode()  # no lone surrogates


@every_format
def test_a_valid_sample_is_known_by_its_content_and_read(module: ModuleType) -> None:
    assert module in SAMPLES, "add a sample of the format to tests/reader_contract.py"
    sample = SAMPLES[module]
    assert detect(sample.raw, "file.unknown") == module.read
    found = entries(module, sample.raw)
    assert any(isinstance(entry, sample.gives) for entry in found), found
    for entry in found:
        check(entry)


@every_format
def test_nothing_in_a_file_is_an_error_or_takes_without_end(module: ModuleType) -> None:
    for name, raw in hostile(SAMPLES[module].raw):
        try:
            for entry in entries(module, raw):
                check(entry)
        except BaseException as error:
            error.add_note(f"reading: {name}")
            raise


def test_whatever_a_file_begins_with_a_reader_is_picked_or_refused_at_once() -> None:
    beginnings = [raw for sample in SAMPLES.values() for _, raw in hostile(sample.raw)] + [*prologues()]
    for raw in beginnings:
        with within(SECONDS), contextlib.suppress(SourceError):
            detect(raw[:HEAD_BYTES], "file.unknown")


@every_format
def test_what_was_read_before_changes_nothing(module: ModuleType) -> None:
    raw = SAMPLES[module].raw
    assert entries(module, raw + raw) == entries(module, raw + raw)
    assert entries(module, raw) == entries(module, raw)


@every_format
def test_the_process_that_can_be_killed_finds_what_the_reader_finds(module: ModuleType, child: Child) -> None:
    found = entries(module, SAMPLES[module].raw)
    from_there = child.read(SAMPLES[module].raw, name="file.unknown", origin="input")
    if module is own:  # what an archive says of itself is believed where the operator names the file, and never there
        assert [type(entry) for entry in from_there] == [Rejection]
    else:
        assert whole(from_there) == whole(found)


@every_format
def test_an_answer_from_the_network_holds_there_what_it_holds_here(module: ModuleType, child: Child) -> None:
    raw = SAMPLES[module].raw
    try:
        found = content_of(raw, url=URL, content_type="", find=detect)
    except SourceError as error:
        with pytest.raises(SourceError, match=re.escape(str(error))):
            child.content(raw, url=URL, content_type="")
    else:
        assert whole(child.content(raw, url=URL, content_type="")) == whole(found)
