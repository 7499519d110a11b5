"""Three example queries for the home page, made from what the archive holds, so that each finds something. Pure."""

import re
from collections.abc import Sequence

from archive.article import Article

PLAIN_WORDS = 6
# Two capitalised words inside a sentence are nearly always a name, in the languages that have capitals.
_NAME = re.compile(r"(?<=[a-z] )([A-Z][a-zà-ÿ]{2,} [A-Z][a-zà-ÿ]{2,})(?=[ ,.])")


def example_queries(articles: Sequence[Article]) -> list[str]:
    """Return up to three queries of different kinds: plain words, a phrase, a section; none without articles."""
    made = (_plain(articles), _phrase(articles), _section(articles))
    return [query for query in made if query]


def _plain(articles: Sequence[Article]) -> str | None:
    for article in articles:
        words = re.findall(r"[^\W_][\w’'-]*", article.title)
        if len(words) > 1:
            return " ".join(words[:PLAIN_WORDS])
    return None


def _phrase(articles: Sequence[Article]) -> str | None:
    """Return a name in quotation marks, best one that a headline mentions too: it is what the article is about."""
    found = [(name, article) for article in articles[1:] or articles for name in _NAME.findall(article.body)]
    telling = [name for name, article in found if name.split()[-1] in article.title]
    names = telling or [name for name, _ in found]
    return f'"{names[0]}"' if names else None


def _section(articles: Sequence[Article]) -> str | None:
    for article in reversed(articles):
        if article.section and article.published_at:
            value = article.section if re.fullmatch(r"\w+", article.section) else f'"{article.section}"'
            if '"' not in article.section:
                return f"section:{value} after:{article.published_at.year}"
    return None
