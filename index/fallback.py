"""The engine of last resort: answers from the store alone while there is no index to answer from.

Slower and coarser than an index, by words only, but never silent: filters, phrases and exclusions bind here too.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile

from archive.article import Article
from archive.store import Store
from index.analysis import STOP_TERMS, analyse, fold, spans, surface
from index.engine import Candidates, Hit, Vector
from index.local import has_words
from index.query import AnyOf, Clause, FieldValue, Phrase, Published, Query, Term, texts

CONSIDERED = 5  # articles looked at for each one wanted, since filters are applied after the scan
BATCH_ARTICLES = 200  # articles read at once where only filters decide
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
        if not has_words(query):
            return self._selected(query)
        beginnings = _beginnings(query)
        considered = depth * CONSIDERED
        found = self._store.scan(beginnings, limit=considered) if beginnings else []
        articles = self._store.live([article_id for article_id, _ in found])
        kept = [(key, score) for key, score in found if key in articles and holds(query, articles[key])][:depth]
        hits = [Hit(article_id=key, keyword=score, semantic=None, best=None) for key, score in sorted(kept)]
        is_complete = len(found) < considered and len(kept) < depth
        return Candidates(hits, complete=is_complete, ceiling=max((hit.keyword for hit in hits), default=0.0))

    def _selected(self, query: Query) -> Candidates:
        """Return every article that the filters alone select."""
        hits = []
        ids = self._store.live_ids()
        for start in range(0, len(ids), BATCH_ARTICLES):
            articles = self._store.live(ids[start : start + BATCH_ARTICLES])
            kept = sorted(key for key, article in articles.items() if holds(query, article))
            hits += [Hit(article_id=key, keyword=0.0, semantic=None, best=None) for key in kept]
        return Candidates(hits, complete=True, ceiling=0.0)

    def telling_terms(self, article_text: str, *, limit: int) -> Sequence[tuple[str, float]]:
        """Return the text's `limit` most frequent terms, each as the word the text uses most for it.

        Without an index nothing is known of the other articles.
        """
        words: dict[str, Counter[str]] = {}
        for term, start, end in spans(article_text):
            if term not in STOP_TERMS:
                words.setdefault(term, Counter())[surface(article_text[start:end])] += 1
        counts = sorted((-uses.total(), uses.most_common(1)[0][0]) for uses in words.values())
        return [(word, count / counts[0][0]) for count, word in counts[:limit]]

    def close(self) -> None:
        """Do nothing: the store is somebody else's."""


def _beginnings(query: Query) -> list[str]:
    """Return, for each word that counts, the part of it that its other forms are likely to begin with."""
    units = [
        [(term, text[start:end]) for term, start, end in spans(text)]
        for text in texts((*query.wanted, *query.required))
    ]
    telling = [pair for unit in units for pair in _telling(unit)] or [pair for unit in units for pair in unit]
    return list(dict.fromkeys(form for term, word in telling for form in _forms(term, word)))


def _telling(unit: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what is not a stop word; of a phrase of nothing else, all of it."""
    return [(term, word) for term, word in unit if term not in STOP_TERMS] or (unit if len(unit) > 1 else [])


def _forms(term: str, word: str) -> Sequence[str]:
    folded = word.casefold()
    shared = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(term, folded, strict=False)))
    if shared != folded:
        shared = shared.removesuffix("i")  # the stem of "policies" ends as "policy" does not
    form = shared if len(shared) >= SHORTEST_BEGINNING else word
    # SQLite knows capitals of ASCII letters only.
    return [form] if form.isascii() else [form.casefold(), form.capitalize(), form.upper()]


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
            return _contains(analyse(article.title), analyse(value))
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
    return width > 0 and any(terms[start : start + width] == wanted for start in range(len(terms) - width + 1))
