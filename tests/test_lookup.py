"""What is remembered of an index, and for how long; what is found there is the business of the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.article import Article
from index.engine import Floats, Ints
from index.keywords import lookup
from index.keywords.lookup import Lookup
from index.keywords.units import Beginning, Run
from index.keywords.whoosh_index import WhooshFormat, _WhooshPostings
from index.keywords.word_counts import WordCounts


class NotingPostings(_WhooshPostings):
    """Notes what is read."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.noted: list[str] = []

    def read(self, field: str, term: str) -> tuple[Ints, Floats]:
        self.noted.append(term)
        return super().read(field, term)

    def words(self) -> WordCounts:
        self.noted.append("all words")
        return super().words()


@pytest.fixture
def postings(tmp_path: Path) -> Iterator[NotingPostings]:
    WhooshFormat().create(tmp_path)
    articles = [Article(id=str(number), title="", body="kursk land east drone") for number in range(10)]
    WhooshFormat().update(tmp_path, removed=[], added=articles)
    opened = NotingPostings(tmp_path)
    yield opened
    opened.close()


def test_what_was_found_is_not_read_again(postings: NotingPostings) -> None:
    found = Lookup(postings)
    assert found.matches(Run(("kursk",))) is found.matches(Run(("kursk",)))
    assert postings.noted == ["kursk", "kursk"]  # of titles and of bodies


def test_what_was_not_asked_for_the_longest_is_forgotten_first(
    postings: NotingPostings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "REMEMBERED", 105)  # two words of ten articles each
    found = Lookup(postings)
    for term in ("kursk", "land", "kursk", "east", "kursk"):
        assert len(found.matches(Run((term,))).articles) == 10
    assert postings.noted == ["kursk", "kursk", "land", "land", "east", "east"]
    found.matches(Run(("land",)))
    assert postings.noted[6:] == ["land", "land"]


def test_words_that_are_nowhere_are_not_remembered(postings: NotingPostings) -> None:
    found = Lookup(postings)
    for number in range(20):
        assert len(found.matches(Run((f"nowhere{number}",))).articles) == 0
    assert len(found._remembered) == 0


def test_what_is_too_large_to_remember_is_found_all_the_same(
    postings: NotingPostings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "REMEMBERED", 1)
    found = Lookup(postings)
    for _ in range(3):
        assert len(found.matches(Run(("kursk", "land"))).articles) == 10


def test_the_words_are_read_when_they_are_first_asked_for_and_only_then(postings: NotingPostings) -> None:
    found = Lookup(postings)
    found.matches(Run(("kursk",)))
    assert "all words" not in postings.noted
    for letters in ("kur", "lan"):
        found.matches(Beginning(letters))
    assert postings.noted.count("all words") == 1
