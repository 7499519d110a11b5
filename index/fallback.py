"""The engine of last resort: answers from the store alone while there is no index to answer from.

Slower and coarser than an index, by words only, but never silent: filters, phrases and exclusions bind here too. In a
large archive it looks at the articles published last alone, and says that there may be more: reading every text would
keep a processor for seconds, for each request.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from archive.store import Store
from index.analysis import STOP_TERMS, analyse, scoring_terms, spans, surface
from index.engine import Candidates, Floats, Ints, Meaning, TermEvidence, Vectors, as_ids, unscored
from index.function_words import function_terms
from index.inflection import language_of, spans_in
from index.matching import holds, holds_all, share_held, telling
from index.query import AnyOf, Query, has_words, texts

LOOKED_AT = 2_000  # articles: some .5 s
MOST_BEGINNINGS = 48  # that are looked for in a text
CONSIDERED = 5  # articles looked at for each one wanted, since filters are applied after the scan
BATCH_ARTICLES = 200  # articles read at once where only filters decide
SHORTEST_BEGINNING = 3  # letters; anything shorter begins too many words


class StoreEngine:
    """Searches the archive itself. Safe to call from several threads."""

    generation: int | None = None
    model_sha256: str | None = None
    degraded = False  # that of an archive with an index: its lender says so
    languages = frozenset({"en"})  # which others articles are in is known to an index

    def __init__(self, store: Store) -> None:
        """Answer from `store`."""
        self._store = store

    @property
    def seq(self) -> int:
        """The last change: it reads the articles themselves."""
        return self._store.last_seq()

    def candidates(self, query: Query, meaning: Meaning | None, *, depth: int) -> Candidates:  # noqa: ARG002 no vectors
        """Return up to `depth` articles that hold the query's words, scored by how many they hold, ordered by id.

        Their numbers count those that are returned, for there is no generation whose articles could be counted.
        """
        is_whole = self._store.count_live() <= LOOKED_AT
        if not has_words(query):
            return replace(_unscored(self._selected(query)), beyond=None if is_whole else (1.0, -1.0))
        beginnings = _beginnings(query)[:MOST_BEGINNINGS]
        considered = depth * CONSIDERED
        found = self._store.scan(beginnings, limit=considered, among=LOOKED_AT) if beginnings else []
        scores = dict(found)
        if _is_met_without_words(query):
            scores |= dict.fromkeys(set(self._selected(query)) - set(scores), 0.0)
        articles = self._store.live(list(scores))
        kept = [key for key in scores if key in articles and holds(query, articles[key])]
        whole = {key for key in kept if holds_all(query, articles[key])}
        ids = sorted({*kept[:depth], *whole})
        return replace(
            _unscored(ids),
            keyword=np.array([scores[key] for key in ids], np.float64),
            coverage=np.array([share_held(query, articles[key]) for key in ids], np.float64),
            holds_all=np.array([key in whole for key in ids], np.bool_),
            holds_most=np.full(len(ids), not whole),
            ceiling=max((scores[key] for key in ids), default=0.0),
            beyond=None if is_whole and len(found) < considered and len(ids) == len(kept) else (1.0, -1.0),
            terms=len(telling(query)),
        )

    def _selected(self, query: Query) -> list[str]:
        """Return the articles that the filters alone select."""
        selected = []
        ids = self._store.latest_ids(LOOKED_AT)
        for start in range(0, len(ids), BATCH_ARTICLES):
            articles = self._store.live(ids[start : start + BATCH_ARTICLES])
            selected += sorted(key for key, article in articles.items() if holds(query, article))
        return sorted(selected)

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:  # noqa: ARG002
        """Return zeros: there are no passages here."""
        return np.zeros(len(candidates))

    def means(self, candidates: Candidates) -> Vectors:
        """Return no vectors: there are no passages here."""
        return np.zeros((len(candidates), 0), np.float32)

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms of the query's words; which words a prefix stands for is not known here."""
        terms = [term for text in texts((*query.wanted, *query.required)) for term in analyse(text)]
        return frozenset(scoring_terms(terms))

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:  # noqa: ARG002
        """Return nothing: a scan does not tell which words it found."""
        return {}

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold all of it, as far as a scan of the store tells."""
        return int(self.candidates(query, None, depth=BATCH_ARTICLES).holds_all.sum())

    def words(self) -> Mapping[str, int]:
        """Return nothing: without an index the words are not known."""
        return {}

    def telling_terms(
        self, article_text: str, *, limit: int, language: str | None = None
    ) -> Sequence[tuple[str, float]]:
        """Return the text's `limit` most frequent terms, each as the word the text uses most for it.

        Without an index nothing is known of the other articles.
        """
        words: dict[str, Counter[str]] = {}
        skipped = STOP_TERMS | function_terms(language, self.languages)
        for term, start, end in spans_in(language_of(language), article_text):
            if term not in skipped:
                words.setdefault(term, Counter())[surface(article_text[start:end])] += 1
        counts = sorted((-uses.total(), uses.most_common(1)[0][0]) for uses in words.values())
        return [(word, count / counts[0][0]) for count, word in counts[:limit]]

    def close(self) -> None:
        """Do nothing: the store is somebody else's."""


def _unscored(ids: Sequence[str]) -> Candidates:
    return unscored(as_ids(ids), np.arange(len(ids)))


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


def _is_met_without_words(query: Query) -> bool:
    """Return whether a filter in an OR may bring in an article that holds no word of the query."""
    alternatives = [clause for clause in query.required if isinstance(clause, AnyOf)]
    return any(not any(texts((part,))) for clause in alternatives for part in clause.clauses)
