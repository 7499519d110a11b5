"""What of an article goes into a keyword index beside its words. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from archive.article import Article
from index.analysis import fold
from index.inflection import bare, language_of
from index.query import FieldName


def first_of_each_id(articles: Iterable[Article]) -> Iterator[Article]:
    """Yield the articles whose id was not there before."""
    seen: set[str] = set()
    for article in articles:
        if article.id not in seen:
            seen.add(article.id)
            yield article


def texts_of(article: Article) -> tuple[str, str]:
    """Return the title and the body as their words go in."""
    language = language_of(article.language)
    return bare(language, article.title), bare(language, article.body)


def names_of(article: Article) -> Iterator[tuple[FieldName, Sequence[str]]]:
    """Yield each field that filters compare as a whole, with the article's folded values, each once.

    A language that names a region is there without it, too.
    """
    if article.source is not None:
        yield "source", (fold(article.source),)
    if article.section is not None:
        yield "section", (fold(article.section),)
    if article.language is not None:
        language = fold(article.language)
        yield "language", tuple(dict.fromkeys((language, language.partition("-")[0])))
    yield "author", tuple(dict.fromkeys(map(fold, article.authors)))
