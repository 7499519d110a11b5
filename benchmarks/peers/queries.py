"""Queries as people type them, drawn from articles: headlines, phrases from a text, questions, common words.

Invariant: the same articles make the same queries. Each query is plain words in lower case, different from every other,
so that no engine reads an operator (`IN`, `NOT`) where another reads a word, and none answers from a cache.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

WORD = re.compile(r"[^\W_]+")  # no apostrophes nor hyphens: some parsers choke on them
ASKED = (
    "what happened to {}",
    "who was responsible for {}",
    "why did {} matter",
    "when was {} reported",
    "how did {} end",
)
COMMON = 300  # words held by the most articles, the first `STOP` of them apart: short queries are made of these
STOP = 60
SHORTEST = 4  # letters of a common word

Fields = Mapping[str, str]


def queries_from(articles: Sequence[Fields], *, count: int, seed: int = 4) -> list[str]:
    """Return up to `count` queries, each kind in turn, from articles with a `title` and a `body`."""
    draw = random.Random(seed)
    common = common_words(articles)
    kinds: list[Callable[[Fields], str]] = [
        headline,
        lambda article: phrase(article, draw),
        lambda article: question(article, draw),
        lambda _: " ".join(draw.sample(common, draw.choice((1, 2, 2, 3)))) if len(common) > 3 else "",
    ]
    made: dict[str, None] = {}
    for number in range(count * 20):  # articles too short for a kind, and queries made twice, are passed over
        query = kinds[number % len(kinds)](draw.choice(articles))
        if query and len(made) < count:
            made.setdefault(query.lower())
    return list(made)


def headline(article: Fields) -> str:
    """Return the headline's words."""
    return plain(article["title"], most=16)


def phrase(article: Fields, draw: random.Random) -> str:
    """Return five to nine words that stand together somewhere in the text; nothing from a text of few words."""
    words = WORD.findall(article["body"])
    length = draw.randint(5, 9)
    if len(words) < 4 * length:
        return ""
    start = draw.randrange(length, len(words) - length)
    return " ".join(words[start : start + length])


def question(article: Fields, draw: random.Random) -> str:
    """Return a question about a name in the text; nothing from a text without one."""
    names = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})+", article["body"])
    return draw.choice(ASKED).format(plain(draw.choice(names), most=4)) if names else ""


def common_words(articles: Sequence[Fields]) -> list[str]:
    """Return words that many articles hold, without the commonest."""
    held = Counter(word for article in articles for word in set(WORD.findall(article["body"].lower())))
    return [word for word, _ in held.most_common(COMMON + STOP)[STOP:] if len(word) >= SHORTEST and word.isalpha()]


def plain(text: str, *, most: int) -> str:
    """Return the first `most` words of a text, nothing else."""
    return " ".join(WORD.findall(text)[:most])
