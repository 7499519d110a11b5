"""Both keyword indexes say the same of the same archive: laws checked over generated queries.

The suite checks some hundred; `python -m tests.test_two_engines 2000` checks as many as one likes.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from archive.article import Article
from index.keywords import KeywordFormat, KeywordIndex
from index.keywords.tantivy_index import TantivyFormat
from index.keywords.whoosh_index import WhooshFormat
from index.query import Query, QueryRefused, parse

ARTICLES = 400
STEMS = ["kursk", "drone", "land", "east", "army", "border", "elect", "senat", "tax", "oil"]
ENDINGS = ["", "", "s", "ing", "ed", "ion"]
COMMON = ["the", "of", "and", "to", "be", "in"]


def word(chance: random.Random) -> str:
    if chance.random() < 0.4:
        return chance.choice(COMMON)
    if chance.random() < 0.1:
        return f"odd{chance.randrange(500)}"
    return chance.choice(STEMS) + chance.choice(ENDINGS)


def text(chance: random.Random, most: int) -> str:
    return " ".join(word(chance) for _ in range(chance.randrange(most)))


def archive(chance: random.Random) -> Iterator[Article]:
    for number in range(ARTICLES):
        day = timedelta(days=chance.randrange(3_000))
        yield Article(
            id=f"{number:016x}",
            title=text(chance, 8),
            body=text(chance, 80),
            source=chance.choice(["bbc", "CNN", None]),
            section=chance.choice(["world", "sport", None]),
            authors=tuple(chance.sample(["Ann Lee", "Bo Ray", "Cy"], chance.randrange(3))),
            language=chance.choice(["en", "en-GB", "de", None]),
            published_at=chance.choice([None, datetime(2015, 1, 1, tzinfo=UTC) + day]),
        )


def typed(chance: random.Random) -> str:
    """Return what someone might type: some words, and now and then an operator of each kind."""
    some = " ".join(word(chance) for _ in range(chance.randrange(1, 4)))
    return chance.choice(
        [
            some,
            some,
            f'"{some}"',
            f'"{some}"~{chance.randrange(6)}',
            f"-{word(chance)}",
            f'-"{some}"',
            f"({some} OR {word(chance)})",
            f"{word(chance)[:4]}*",
            f"{word(chance)}~",
            f"title:{word(chance)}",
            "source:bbc",
            'author:"bo ray"',
            "language:en",
            f"after:201{chance.randrange(5, 9)}",
            f"before:201{chance.randrange(5, 9)}-03",
        ]
    )


def query(chance: random.Random) -> Query:
    return parse(" ".join(typed(chance) for _ in range(chance.randrange(1, 4))), today=date(2026, 1, 1))


def built(kind: KeywordFormat, directory: Path, articles: list[Article]) -> KeywordIndex:
    """Index in three updates, the last of which removes some and replaces others."""
    directory.mkdir()
    kind.create(directory)
    kind.update(directory, removed=[], added=articles[: ARTICLES // 2])
    kind.update(directory, removed=[], added=articles[ARTICLES // 2 :])
    again = [Article(id=one.id, title=one.title, body=one.body + " again") for one in articles[::40]]
    kind.update(directory, removed=[one.id for one in articles[1::40]], added=again)
    return kind.open(directory)


def check(one: KeywordIndex, other: KeywordIndex, asked: Query) -> None:
    """Check that the two say the same of a query, or refuse it alike."""
    try:
        selected = one.select(asked)
    except QueryRefused as refused:
        with pytest.raises(QueryRefused, match=str(refused).split(" stands for")[0].replace("*", r"\*")):
            other.select(asked)
        return
    assert np.array_equal(selected, other.select(asked)) or selected is other.select(asked) is None
    assert np.array_equal(one.holding(asked), other.holding(asked))
    assert np.array_equal(one.holding_most(asked), other.holding_most(asked))
    everything = np.arange(len(one.ids))
    mine, yours = one.evidence(asked, everything), other.evidence(asked, everything)
    assert mine.scores == pytest.approx(yours.scores)
    assert mine.coverage == pytest.approx(yours.coverage)
    assert mine.pairs == pytest.approx(yours.pairs)
    best, near = one.rank(asked, depth=20), other.rank(asked, depth=20)
    assert len(best.numbers) == len(near.numbers)
    assert mine.scores[near.numbers] == pytest.approx(best.scores, rel=0.15)
    assert one.terms(asked) == other.terms(asked)


def the_engines_agree(examples: int, directory: Path) -> None:
    articles = list(archive(random.Random(11)))
    whoosh, tantivy = (built(kind, directory / kind.name, articles) for kind in (WhooshFormat(), TantivyFormat()))
    assert whoosh.ids.tolist() == tantivy.ids.tolist()
    assert list(whoosh.words()) == list(tantivy.words())
    chance = random.Random(12)
    for _ in range(examples):
        check(whoosh, tantivy, query(chance))
    whoosh.close()


def test_the_engines_agree(tmp_path: Path) -> None:
    the_engines_agree(300, tmp_path)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        the_engines_agree(int(sys.argv[1]), Path(folder))
    print(f"the two engines agreed on {int(sys.argv[1]):,} queries")
