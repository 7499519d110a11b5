"""The engine of last resort: answers from the store alone while there is no index to answer from.

Slower and coarser than an index, by words only, but never silent: filters, phrases and exclusions bind here too.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile

from archive.article import Article
from archive.store import Store
from index.analysis import STOP_TERMS, analyse, fold, scoring_terms, spans
from index.engine import Candidates, Hit, Vector
from index.query import AnyOf, Clause, FieldValue, Phrase, Published, Query, Term

CONSIDERED = 5  # articles looked at for each one wanted, since filters are applied after the scan
SHORTEST_BEGINNING = 3  # letters; anything shorter begins too many words


class StoreEngine:
    """Searches the archive itself. Safe to call from several threads."""

    generation: int | None = None
    model_sha256: str | None = None

    def __init__(self, store: Store) -> None:
        """Answer from `store`."""
        self._store = store

    def candidates(self, query: Query, vector: Vector | None, *, depth: int) -> Candidates:  # noqa: ARG002 no vectors here
        """Return up to `depth` articles that hold the query's words, scored by how many they hold, ordered by id."""
        considered = depth * CONSIDERED
        found = self._store.scan(_beginnings(query.text), limit=considered)
        articles = self._store.live([article_id for article_id, _ in found])
        kept = [(key, score) for key, score in found if key in articles and holds(query, articles[key])][:depth]
        hits = [Hit(article_id=key, keyword=score, semantic=None, best=None) for key, score in sorted(kept)]
        is_complete = len(found) < considered and len(kept) < depth
        return Candidates(hits, complete=is_complete, ceiling=max((hit.keyword for hit in hits), default=0.0))

    def telling_terms(self, article_text: str, *, limit: int) -> Sequence[tuple[str, float]]:
        """Return the text's `limit` most frequent terms; without an index nothing is known of the other articles."""
        counts = Counter(scoring_terms(analyse(article_text))).most_common(limit)
        return [(term, count / counts[0][1]) for term, count in counts]

    def close(self) -> None:
        """Do nothing: the store is somebody else's."""


def _beginnings(text: str) -> list[str]:
    """Return, for each word that counts, the part of it that its other forms are likely to begin with."""
    found = []
    for term, start, end in spans(text):
        if term not in STOP_TERMS:
            word = text[start:end].casefold()
            shared = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(term, word, strict=False)))
            found.append(shared if len(shared) >= SHORTEST_BEGINNING else text[start:end])
    return list(dict.fromkeys(found))


def holds(query: Query, article: Article) -> bool:
    """Return whether `article` keeps to every required clause of `query` and to no excluded one."""
    return all(_holds(clause, article) for clause in query.required) and not any(
        _holds(clause, article) for clause in query.excluded
    )


def _holds(clause: Clause, article: Article) -> bool:
    match clause:
        case Term(text=text) | Phrase(text=text):
            return any(_contains(analyse(part), analyse(text)) for part in (article.title, article.body))
        case FieldValue(field="title", value=value):
            return set(analyse(value)) <= set(analyse(article.title))
        case FieldValue(field=name, value=value):
            return fold(value) in {fold(known) for known in _values(article, name)}
        case Published(start=start, end=end):
            at = article.published_at
            return at is not None and (start is None or start <= at) and (end is None or at < end)
        case AnyOf(clauses=clauses):
            return any(_holds(inner, article) for inner in clauses)


def _values(article: Article, name: str) -> Iterable[str]:
    if name == "author":
        return article.authors
    value = {"source": article.source, "section": article.section, "language": article.language}[name]
    return [value] if value else []


def _contains(terms: Sequence[str], wanted: Sequence[str]) -> bool:
    width = len(wanted)
    return any(terms[start : start + width] == wanted for start in range(len(terms) - width + 1))
