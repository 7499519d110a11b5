"""A segment of so many articles that its entries are written in every way there is, compared with a dict."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from index.analysis import stem
from index.keywords.draft import Draft
from index.keywords.postings import NOWHERE, Matches
from index.keywords.segment import DENSE, MOST_HELD, NAMED, Segment

ARTICLES = 8 * DENSE
STRIDES = [1, 2, 3, 7, 8, 9, 60, DENSE - 1, DENSE, DENSE + 1, 400, 1_000, ARTICLES - 1]  # articles from one to the next


def texts(article: int) -> tuple[Sequence[str], Sequence[str]]:
    """Return the title and body of an article: some words stand often, some of them in the title, some inflected."""
    held = [stride for stride in STRIDES if article % stride == 0]
    body = [f"word{stride}" for stride in held for _ in range(1 + article // stride % 11)]
    return [f"word{stride}" for stride in held[3:]] * (1 + article % 3), [*body, *("driving", "drives")[: article % 3]]


def names(article: int) -> list[str]:
    return [f"{NAMED}source{NAMED}paper {article % 5}", *([f"{NAMED}section{NAMED}rare"] if article % 999 == 0 else [])]


def add_to(draft: Draft, articles: Sequence[int]) -> None:
    for article in articles:
        draft.add(f"{article:016x}", serial=article, published=article, texts=texts(article), names=names(article))


@pytest.fixture(scope="module", params=["written at once", "merged of two"])
def segment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Segment:
    folder: Path = tmp_path_factory.mktemp("segments")
    draft = Draft()
    if request.param == "merged of two":
        for half in (range(ARTICLES // 2), range(ARTICLES // 2, ARTICLES)):
            part = Draft()
            add_to(part, half)
            part.write(folder / f"{half.start}.articles")
            draft.take(Segment(folder / f"{half.start}.articles"), np.arange(len(half)))
    else:
        add_to(draft, range(ARTICLES))
    draft.write(folder / "whole.articles")
    return Segment(folder / "whole.articles")


def rows(matches: Matches) -> Iterator[tuple[int, int, int]]:
    columns = (matches.articles, matches.title, matches.body)
    return zip(*(column.astype(int).tolist() for column in columns), strict=True)


def test_every_term_stands_where_it_was_put_and_as_often(segment: Segment) -> None:
    expected: dict[str, list[tuple[int, int, int]]] = {}
    for article in range(ARTICLES):
        title, body = (Counter(map(stem, text)) for text in texts(article))
        for term in title | body:
            expected.setdefault(term, []).append((article, title[term], body[term]))
    assert {term: [*rows(segment.matches(term))] for term in expected} == expected
    assert {term: segment.document_frequency(term) for term in expected} == {t: len(at) for t, at in expected.items()}


def test_every_name_stands_where_it_was_put(segment: Segment) -> None:
    for name in {*chain.from_iterable(map(names, range(ARTICLES)))}:
        assert segment.matches(name).articles.tolist() == [at for at in range(ARTICLES) if name in names(at)]


@pytest.mark.parametrize("string", ["word", "word11", "driving", "zzz", "", NAMED])
def test_what_is_no_term_stands_nowhere(segment: Segment, string: str) -> None:
    assert [*rows(segment.matches(string))] == [*rows(NOWHERE)]
    assert segment.document_frequency(string) == 0


def test_words_are_counted_as_they_stand_there(segment: Segment) -> None:
    articles = np.arange(0, ARTICLES, 2)
    found = segment.counted(articles)
    held = Counter(chain.from_iterable({*chain(*texts(article))} for article in articles.tolist()))
    counts = {found.strings[place].decode(): count for place, count in enumerate(found.counts.tolist()) if count}
    assert counts == held
    assert segment.counted(np.arange(ARTICLES)).counts.max() == ARTICLES > MOST_HELD


def test_some_of_the_words_of_a_term_stand_where_they_do(segment: Segment) -> None:
    found = segment.words_of(["drives", "word7"])
    assert found.articles.tolist() == [at for at in range(ARTICLES) if at % 3 == 2 or at % 7 == 0]
