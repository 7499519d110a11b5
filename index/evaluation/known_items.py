"""Known items: queries an archive holds its own answers to, so that an operator needs nobody to judge.

An article's headline asks for its article, whose headline is left out of what is searched; so is everybody else's, or
the article that is sought would be the only one without. Titles' own weight is therefore not measured.

Invariants: the draw depends on ids alone, not on their order, and an article stays in or out of the sample while others
come and go; so a second run, or one after a night's ingest, embeds little anew. No headline that two articles share, or
nearly share, is asked for, nor one that still stands in its article's text.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from archive.article import Article
from archive.errors import SourceError
from archive.readers.normalise import has_words
from archive.store import Store
from index.analysis import analyse, scoring_terms, spans
from index.evaluation.collection import Collection, Judgements

MAX_ARTICLES = 5_000  # some ten minutes of embedding on two cores, the first time
QUERIES = 200  # an interval of about .05 to either side
MIN_TERMS = 3  # telling words in a headline; "Obituaries" asks for nobody in particular
MIN_BODY_TERMS = 20  # of a text that can be found by what it says
NEAR = 0.6  # share of the words of two headlines that both hold (Jaccard) from which they are the same question
QUERY_WORDS = 4  # of a query made of telling words; readers type two to four

Asked = Literal["headline", "words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItems:
    """The articles as they are searched, by id, without headlines, and the headlines that are asked, by article id."""

    articles: Mapping[str, Article]
    headlines: Mapping[str, str]

    def collection(self, queries: Mapping[str, str]) -> Collection:
        """Return the collection in which `queries`, by the id of the one article each asks for, are judged."""
        return Collection(
            name="self",
            articles=self.articles.values(),
            names={article_id: article_id for article_id in self.articles},
            judged=Judgements(queries=queries, qrels={article_id: {article_id: 1} for article_id in queries}),
        )


def draw(store: Store, *, articles: int, queries: int, seed: int) -> KnownItems:
    """Draw the articles that are searched and, by `seed`, those among them that are asked for.

    Raises SourceError when there is none to ask for.
    """
    sample = store.live(_drawn(store.live_ids(), articles, salt="articles"))
    stripped = {article_id: _without_headline(article) for article_id, article in sample.items()}
    chosen: list[str] = []
    candidates = _candidates(sample, stripped)
    for article_id in _drawn(list(candidates), len(candidates), salt=f"queries {seed}"):
        if len(chosen) == queries:
            break
        if not _holds(stripped[article_id], candidates[article_id]):
            chosen.append(article_id)
    if not chosen:
        raise SourceError(
            f"none of {len(sample):,} articles can be asked for: that takes a headline of {MIN_TERMS} telling words"
            " that no other article has, and a text: judge queries by hand instead, see docs/operations.md"
        )
    return KnownItems(articles=stripped, headlines={each: sample[each].title for each in sorted(chosen)})


def _drawn(ids: Sequence[str], count: int, *, salt: str) -> list[str]:
    """Return `count` of the ids, those with the lowest hashes, lowest first."""
    return sorted(ids, key=lambda one: hashlib.sha256(f"{salt}:{one}".encode()).digest())[:count]


def _without_headline(article: Article) -> Article:
    """Return the article as one without headline, also where its text begins with a copy of it."""
    body = article.body
    terms = analyse(article.title)
    beginning = spans(body[: 2 * len(article.title) + 200])[: len(terms)]
    if not article.derived_title and terms and [term for term, _, _ in beginning] == terms:
        rest = body[beginning[-1][2] :].lstrip("\"'”’»).:;,–—- \n")
        body = rest if has_words(rest) else body
    return replace(article, title="", derived_title=True, body=body, version=1)


def _candidates(sample: Mapping[str, Article], stripped: Mapping[str, Article]) -> Mapping[str, list[str]]:
    """Return the articles whose headline asks for them alone, with its terms."""
    terms = {article_id: analyse(article.title) for article_id, article in sample.items() if not article.derived_title}
    telling = {article_id: frozenset(_telling(found)) for article_id, found in terms.items()}
    texts = Counter(_digest(article) for article in stripped.values())
    shared = _shared(telling)
    return {
        article_id: found
        for article_id, found in terms.items()
        if len(telling[article_id]) >= MIN_TERMS
        and article_id not in shared
        and texts[_digest(stripped[article_id])] == 1
    }


def _telling(terms: Sequence[str]) -> Iterator[str]:
    """Yield the terms that say what a headline is about: not "the", nor the 4 of "Closing prices, March 4"."""
    return (term for term in scoring_terms(terms) if not term[0].isdigit())


def _digest(article: Article) -> bytes:
    return hashlib.sha256(" ".join(article.body.split()).encode()).digest()


def _shared(telling: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the articles whose headline has, nearly, the words of another's."""
    holders: dict[str, list[str]] = defaultdict(list)
    for article_id, terms in telling.items():
        for term in terms:
            holders[term].append(article_id)
    return {article_id for article_id in telling if _has_a_twin(article_id, telling, holders)}


def _has_a_twin(article_id: str, telling: Mapping[str, frozenset[str]], holders: Mapping[str, Sequence[str]]) -> bool:
    terms = telling[article_id]
    # Who shares NEAR of the words of both shares as much of these alone: one of any (1 - NEAR) of these, and one more.
    rarest = sorted(terms, key=lambda term: (len(holders[term]), term))[: len(terms) - int(NEAR * len(terms)) + 1]
    others = {other for term in rarest for other in holders[term]} - {article_id}
    return any(len(terms & telling[other]) >= NEAR * len(terms | telling[other]) for other in others)


def _holds(article: Article, terms: Sequence[str]) -> bool:
    """Tell whether a text holds these terms word for word, or is too short to be found by what it says."""
    found = analyse(article.body)
    return len(found) < MIN_BODY_TERMS or f" {' '.join(terms)} " in f" {' '.join(found)} "
