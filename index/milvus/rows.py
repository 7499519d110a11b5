"""From an article to the rows of a collection, and back to its words. Pure.

Invariant: a row keeps to the limits of Milvus. What an article has beyond them is left out of what nominates, never of
what is scored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

from archive.article import Article
from index.analysis import STOP_TERMS, stem, words
from index.engine import NOWHERE, Span, Vectors
from index.inflection import language_of
from index.keywords.intake import names_of, texts_of
from index.milvus.statistics import Words
from index.moments import UNDATED, moment

# Limits of Milvus 2.5 ("Limits", its documentation): a string has 65,535 bytes, an array 4,096 elements.
MOST_TEXT = 65_535  # bytes
MOST_TERMS = 4_096
MOST_NAMES = 256
MOST_NAME = 480  # bytes; longer names are compared by their beginning
MOST_KEY = 24  # characters of a pk: an id of 16, a stroke, a place

TITLE_TIMES = 2  # how often a title's terms stand in `text`: `index.keywords.scoring.TITLE_WEIGHT`
BETWEEN = "\n"  # the words of the title and those of the body

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article as it goes in."""

    words: Words
    rows: Sequence[Row]


def prepared(article: Article, spans: Sequence[Span], vectors: Vectors) -> Prepared:
    """Return the rows of an article with its passages, shape (n, dimension); without any, one row of zeros."""
    title, body = map(words, texts_of(article))
    found = Words(title, body, language_of(article.language) or "en")
    stems = {word: stem(word) for word in {*title, *body}}
    terms = list(dict.fromkeys(stems[word] for word in (*title, *body)))
    scoring = [stems[word] for word in (*title * TITLE_TIMES, *body) if stems[word] not in STOP_TERMS]
    names = [named(field, value) for field, values in names_of(article) for value in values][:MOST_NAMES]
    published = UNDATED if article.published_at is None else moment(article.published_at)
    shared = {"article": article.id, "published": published, "names": names}
    nothing = (Span(NOWHERE, NOWHERE, NOWHERE), [0.0] * vectors.shape[1])
    passages = [*zip(spans, vectors.tolist(), strict=True)]
    texts = pieces([" ".join(title) + BETWEEN + " ".join(body)])
    rows = []
    for place, (passage, some, text) in enumerate(zip_longest(passages, texts, pieces(scoring))):
        span, vector = passage or nothing
        rows.append(
            {
                **shared,
                "pk": key_of(article.id, place),
                "version": span.version,
                "start": span.start,
                "end": span.end,
                "vector": vector,
                "words": some or "",
                "text": text or "",
                "terms": terms[:MOST_TERMS] if text else [],  # beside all that BM25 may find it by
            }
        )
    return Prepared(found, rows)


def key_of(article_id: str, place: int) -> str:
    """Return the pk of an article's row."""
    return f"{article_id}/{place}"


def article_of(key: str) -> str:
    """Return the article of a row, given its pk."""
    return key.rpartition("/")[0]


def place_of(key: str) -> int:
    """Return an article's row's place, given its pk."""
    return int(key.rpartition("/")[2])


def named(field: str, value: str) -> str:
    """Return a name as it is kept: what is too long is cut."""
    return f"{field}:{value}".encode()[:MOST_NAME].decode(errors="ignore")


def pieces(texts: Sequence[str]) -> Iterator[str]:
    """Yield words, some separated already, in strings that are no longer than they may be; joined they are all."""
    piece: list[str] = []
    room = MOST_TEXT
    for word in " ".join(texts).split(" "):
        size = len(word.encode()) + 1
        if size > room:
            yield " ".join(piece)
            piece, room = [], MOST_TEXT
        piece.append(word)
        room -= size
    yield " ".join(piece)


def by_article(rows: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Yield each article with its rows, both in order, of rows that come in none."""
    ordered = sorted(rows, key=lambda row: (row["article"], place_of(row["pk"])))
    for article_id, own in groupby(ordered, key=lambda row: str(row["article"])):
        yield article_id, list(own)


def words_of(rows: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the words of the title and of the body of one article, given its rows in order."""
    title, _, body = " ".join(row["words"] for row in rows if row["words"]).partition(BETWEEN)
    return title.split(), body.split()


def language_among(names: Iterable[str]) -> str:
    """Return the language, of `index.inflection` or "en", of an article with these names."""
    tags = [name.partition(":")[2] for name in names if name.startswith("language:")]
    return (language_of(tags[0]) if tags else None) or "en"
