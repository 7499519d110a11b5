"""What the readers make of IPTC's own files: every valid item in, every invalid one refused with its reason."""

import io
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from agency_expected import EXPECTED
from shared_data import shared

from archive.article import Article, Entry, Rejection, Withdrawal
from archive.errors import SourceError
from archive.identity import guid_id
from archive.readers import HEAD_BYTES, detect
from archive.readers.normalise import has_words

NO_WORDS = "no text: "
HELD = [  # of what should fail, all that have another status than usable: what is shown of these is hidden
    "007_pubstatus_cancelled.json",
    "015_pubstatus_commissioned.json",
    "005_pubstatus_replaced.json",
    "006_pubstatus_commissioned.json",
]
NO_ARTICLES = ("a package: ", "a concept: ", "a set of concepts: ", "a plan of coverage", "a catalog of vocabularies")


def entries(file: Path) -> list[Entry]:
    raw = file.read_bytes()
    try:
        reader = detect(raw[:HEAD_BYTES], file.name)
    except SourceError as error:
        return [Rejection(source=file.name, reason=str(error))]
    return list(reader(io.BytesIO(raw), file.name))


def suite(folder: str, verdict: str, ending: str) -> list[Path]:
    return sorted(file for file in shared(folder).rglob(f"*.{ending}") if file.parent.name == verdict)


@pytest.mark.parametrize(
    ("folder", "ending", "files"),
    [("formats/ninjs/validation", "json", 70), ("formats/newsml-g2/tests", "xml", 10)],
)
def test_nothing_of_what_should_fail_goes_in(folder: str, ending: str, files: int) -> None:
    failing = suite(folder, "should_fail", ending)
    assert len(failing) == files
    held = []
    for file in failing:
        refused, *others = entries(file)
        assert isinstance(refused, Rejection), (file, refused)
        assert refused.reason, file
        for other in others:
            assert isinstance(other, Withdrawal), (file, other)
            assert not other.for_good, file
            held.append(file.name)
    assert held == [name for name in HELD if any(file.name == name for file in failing)]


def expected_of_ninjs(item: dict[str, object]) -> str:
    """Return what is to become of a valid item, worked out without the reader."""
    if item.get("pubstatus") in ("canceled", "withheld"):
        return "withdrawn"
    texts = [(name, text) for name, text in item.items() if isinstance(text, str)]
    for name in ("headlines", "bodies", "descriptions"):
        texts += [(name, each["value"]) for each in item.get(name, [])]  # type: ignore[attr-defined]
    worded = [name for name, text in texts if has_words(text)]
    if any(re.match("bod|descr", name) for name in worded):
        return "in"
    if not any(re.match("title|headline", name) for name in worded):
        return NO_WORDS
    return "in" if item.get("type") not in ("event", "planning", "component") else "with nothing but a headline"


def test_of_the_valid_ninjs_items_every_one_with_words_goes_in() -> None:
    counts: Counter[str] = Counter()
    for file in suite("formats/ninjs/validation", "should_pass", "json"):
        expected = expected_of_ninjs(json.loads(file.read_bytes()))
        counts[expected] += 1
        entry, *holds = entries(file)
        assert [type(hold) for hold in holds] == ([Withdrawal] if "embargoed" in file.name else []), file
        if isinstance(entry, Rejection):
            assert expected in entry.reason, file
        else:
            assert ("in" if isinstance(entry, Article) else "withdrawn") == expected, file
    assert counts == {"in": 61, NO_WORDS: 90, "withdrawn": 2, "with nothing but a headline": 5}


def test_of_the_valid_newsml_g2_items_every_one_with_words_goes_in() -> None:
    went_in, counts = [], Counter[str]()
    for file in suite("formats/newsml-g2/tests", "should_pass", "xml"):
        (entry,) = entries(file)
        assert not isinstance(entry, Withdrawal)
        if isinstance(entry, Article):
            went_in.append(file.name)
        elif entry.reason.startswith(NO_WORDS):
            counts[NO_WORDS] += 1
            assert b"<headline" not in file.read_bytes(), file
        else:
            assert entry.reason.startswith(NO_ARTICLES), (file, entry.reason)
            counts["no articles"] += 1
    assert went_in == [  # found by searching the files for headlines, descriptions and paragraphs
        "002_ruby_text.xml",
        "CR00155_add_derviedfrom_property.xml",
        "CR00201_charcount.xml",
        "CR00204_newsline_confidence_relevance.xml",
        "CR00217_digitalSourceType_on_contentMeta.xml",
        "CR00217_digitalSourceType_on_contentMeta_newsItem.xml",
        "CR00217_digitalSourceType_on_contentMeta_partMeta.xml",
        "CR00218_increase_nesting_of_related.xml",
    ]
    assert counts == {NO_WORDS: 88, "no articles": 55}  # 96 of the 151 files hold a news item


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_read_as_whoever_reads_it_would(name: str) -> None:
    expected = EXPECTED[name]
    (article,) = entries(shared(name))
    assert isinstance(article, Article)
    assert article.id == guid_id(expected.guid)
    assert article.title.startswith(expected.title)
    assert article.body.startswith(expected.body)
    assert [moment(article.published_at), moment(article.updated_at)] == [expected.published, expected.updated]
    assert (article.language, article.source_version) == (expected.language, expected.version)
    assert (article.source, article.authors) == (expected.source, expected.authors)
    assert article.status == ("embargoed" if expected.held_until else "live")
    assert moment(article.embargoed_until) == expected.held_until
    assert (article.note or "").startswith(expected.note or "")
    assert (article.note is None) == (expected.note is None)


def moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() if value else None
