"""The engine of a shared index: Milvus nominates, and what it nominated is scored as an index on this machine scores.

A question goes in three steps. Milvus is asked, side by side, for the best articles by BM25, for those that hold
everything wanted, and for the nearest passages, each within the filters and without. What it names is fetched: the
words of each article, and how near each of its passages comes. Over these few `LocalEngine` answers as it does over a
whole index, told by the statistics how rare a word is in the archive.

Honest about what it leaves out: of articles that hold everything `MOST_HOLDING` are fetched, the best by BM25; where
there are more, and where a leg had more to give, `Candidates.beyond` says what those could reach, so that a total is
told as a lower bound. Filters alone list up to `MOST_LISTED`.

Invariant: while Milvus gives no answer, `EngineAway` is raised, and nothing is made up.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from itertools import islice

import numpy as np

from index.analysis import STOP_TERMS, analyse, scoring_terms, stem, words
from index.embeddings import batches
from index.engine import (
    Candidates,
    Floats,
    Ids,
    Ints,
    Meaning,
    TermEvidence,
    Vector,
    Vectors,
    as_ids,
    unscored,
)
from index.inflection import bare
from index.keywords.scoring import Bm25, RankedPostings
from index.keywords.units import Beginning, Cluster, Forms, Run, Similar, Terms, Unit, no_forms, unit_of, units
from index.keywords.vocabulary import Vocabulary
from index.likeness import MEAN_PASSAGES, mean_vectors
from index.local import LocalEngine
from index.matching import telling
from index.milvus.filters import PASSAGES, Filter, Filters, PassageFilters, among, both, either, holding_term
from index.milvus.kept import Codes, Fetched, Kept
from index.milvus.postings import FetchedPostings, SharedCorpus
from index.milvus.rows import Row, article_of, by_article, key_of, words_of
from index.milvus.server import MOST_FOUND, Found, Milvus
from index.milvus.statistics import Statistics
from index.milvus.vectors import PLACED, FetchedVectors, passages_of, vectors_of
from index.query import AnyOf, Fuzzy, Near, Phrase, Prefix, Query, Term, has_words, without_filters

MOST_NOMINATED = 400  # articles of a leg, whatever depth is asked for: each costs its words on the way
BESIDE = 100  # more are named than wanted: BM25 as Milvus has it orders them a little differently
MOST_HOLDING = 2_000  # articles that hold everything, which are fetched
MOST_LISTED = 1_000_000  # articles that filters alone select
MOST_LOOKED_AT = 20_000  # of which it takes a look whether filters alone select them
PASSAGES_EACH = 4  # asked for, for each article that is wanted: as `index.vectors.searching.NOMINATED`
FETCHED_AT_ONCE = 500  # articles in one filter
REMEMBERED = 32  # questions whose passages can still be compared with each other
ASKING = 8  # questions that Milvus is asked at once, for one reader or several
WORDS = 16_384  # whose forms are kept
TIMES = 4  # how often a term of full weight stands in a question by words: lighter ones stand there less often

HEADS = Filter('pk like "%/0"')
WORDED = Filter('words != ""')
COLUMNS = ("pk", "article", "published", "names", "words")


@dataclass(frozen=True, slots=True)
class _Nominated:
    """What the legs name, and how far they reach."""

    articles: set[str]
    floor: float | None  # the cosine that no passage exceeds which was not found; None: all were
    lacks_holding: bool  # more hold everything
    lacks_words: bool  # more hold something


@dataclass(frozen=True, slots=True)
class _Best:
    """The articles that a question by words named; `is_cut`: there are more."""

    articles: Sequence[str]
    is_cut: bool


class MilvusEngine:
    """Searches one generation of a shared index. Safe to call from several threads."""

    def __init__(
        self, milvus: Milvus, collection: str, statistics: Statistics, *, number: int, seq: int, model_sha256: str
    ) -> None:
        """Ask a collection that is there, of generation `number`, made of changes up to `seq`."""
        self.generation: int | None = number
        self.degraded = False
        self.seq = seq
        self.model_sha256: str | None = model_sha256
        self._milvus = milvus
        self._collection = collection
        self._statistics = statistics
        self._kept = Kept()
        self._common: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(ASKING, thread_name_prefix="milvus")  # starts threads when asked to
        self._asked: deque[tuple[Ids, FetchedVectors]] = deque(maxlen=REMEMBERED)

    @property
    def article_count(self) -> int:
        """How many articles the statistics are of."""
        return self._statistics.articles

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that articles of the generation are in; "en" stands for all others."""
        return self._statistics.languages

    def candidates(self, query: Query, meaning: Meaning | None, *, depth: int) -> Candidates:
        """Return the best articles of each leg and those that hold everything wanted, scored on both legs.

        Raises EngineAway.
        """
        asked = self._question(query)
        if meaning is None and not has_words(query):
            return self._listed(asked)
        vector = meaning() if meaning is not None else None
        named = self._nominated(asked, vector, depth=min(depth, MOST_NOMINATED) + BESIDE)
        words, vectors, few = self._fetched(sorted(named.articles), vector)
        candidates = few.candidates(query, None if vector is None else partial(np.asarray, vector), depth=depth)
        self._asked.append((candidates.all_ids, vectors))
        beyond = [each for each in (candidates.beyond, self._beyond(named, words, query)) if each is not None]
        few.close()
        if not beyond or self._are_all(candidates, asked.selecting):
            return replace(candidates, beyond=None)
        coverage, cosine = zip(*beyond, strict=True)
        lacks_holding = named.lacks_holding or (named.lacks_words and not candidates.holds_all.any())
        return replace(candidates, beyond=(max(coverage), max(cosine)), lacks_holding=lacks_holding)

    def _are_all(self, candidates: Candidates, selecting: Filter) -> bool:
        """Tell whether the candidates are all there is, or all that the filters leave."""
        if selecting.text is None:
            return len(candidates) == self._statistics.articles
        left = self._milvus.count(self._collection, both([selecting, HEADS]))
        return int(np.count_nonzero(candidates.selected)) == left

    def _beyond(self, named: _Nominated, words: RankedPostings, query: Query) -> tuple[float, float] | None:
        """Return the coverage and the cosine that no article exceeds that was not named; None when all were."""
        coverage = 0.0
        if named.lacks_holding:
            coverage = 1.0
        elif named.lacks_words:
            coverage = words.coverage_of_less(query)
        if not coverage and named.floor is None:
            return None
        return coverage, -1.0 if named.floor is None else named.floor

    def scored(self, query: Query, meaning: Meaning | None, article_ids: Sequence[str]) -> Candidates:
        """Return these articles alone, as far as the generation holds them, scored as among all candidates."""
        vector = meaning() if meaning is not None else None
        _, _, few = self._fetched(sorted(set(article_ids)), vector)
        scored = few.scored(query, None if vector is None else partial(np.asarray, vector), article_ids)
        few.close()
        if scored.holds_most.any() and self.count_holding(without_filters(query)):
            return replace(scored, holds_most=np.zeros_like(scored.holds_most))  # another article holds all
        return scored

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:
        """Return how near each candidate's best passage is to the mean of those in `rows`: a cosine, 0.0 without.

        Zeros, too, of candidates of long ago.
        """
        for ids, vectors in list(self._asked):
            if ids is candidates.all_ids:
                return vectors.likeness(candidates.passages, to=candidates.passages[rows])
        return np.zeros(len(candidates))

    def means(self, candidates: Candidates) -> Vectors:
        """Return the mean vector of each candidate, of norm 1, the lead weighing more: zeros where there is none."""
        keys = [[key_of(id_, place) for place in range(MEAN_PASSAGES)] for id_ in candidates.ids]
        found = vectors_of(self._milvus, self._collection, [key for own in keys for key in own])
        counts = np.array([sum(key in found for key in own) for own in keys], np.int64)
        vectors = [found[key] for own in keys for key in own if key in found]
        dimension = len(self._statistics.mean)
        return mean_vectors(np.array(vectors, np.float32).reshape(-1, dimension), counts)

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: those of the query's words and of all that its prefixes stand for."""
        return frozenset(scoring_terms([term for unit in units(query, self._forms) for term in self._terms_of(unit)]))

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return what each wanted word and phrase adds to the keyword score of these articles."""
        return self._words(self._heads(sorted(set(article_ids)))).explain(query, article_ids)

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold everything that `query` wants, requires and does not exclude.

        Of more than `MOST_HOLDING` whose words have to be looked at, so many.
        """
        asked = self._question(query)
        if not asked.terms and asked.unranked is None:
            return 0
        if asked.holding.is_exact:
            return self._milvus.count(self._collection, both([asked.holding, HEADS]))
        found = self._best(asked, asked.holding, limit=MOST_HOLDING)
        return int(self._words(self._heads(sorted(found.articles))).holding(query).sum())

    def words(self) -> Mapping[str, int]:
        """Return the words of the archive, folded, not stemmed, and how many articles hold each."""
        return self._statistics.words

    def telling_terms(
        self, article_text: str, *, limit: int, language: str | None = None
    ) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1."""
        return self._none.telling_terms(article_text, limit=limit, language=language)

    def article_ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of the articles with words and of those with passages, or a row for none."""
        worded = self._milvus.scan(self._collection, WORDED, columns=("article",))
        by_words = frozenset(str(row["article"]) for row in worded)
        rows = self._milvus.scan(self._collection, HEADS, columns=("article",))
        return by_words, frozenset(str(row["article"]) for row in rows)

    def close(self) -> None:
        """Release memory; the engine is not used afterwards. The connection is somebody else's."""
        self._pool.shutdown(wait=False)
        self._asked.clear()

    # Nominating

    def _listed(self, asked: "_Question") -> Candidates:
        """Return what filters alone select, in the order of the ids."""
        within = both([asked.selecting, HEADS])
        rows = self._milvus.scan(self._collection, within, columns=("article",))
        most = MOST_LISTED if asked.selecting.is_exact else MOST_LOOKED_AT
        ids = sorted({str(row["article"]) for row in islice(rows, most)})
        is_cut = len(ids) >= most
        if not asked.selecting.is_exact:
            ids = self._selected(asked.query, ids)
        all_ids = as_ids(ids)
        listed = unscored(all_ids, np.arange(len(all_ids)))
        return replace(listed, beyond=(1.0, -1.0)) if is_cut else listed

    def _selected(self, query: Query, article_ids: Sequence[str]) -> list[str]:
        """Return which of these articles a query selects, by what they are."""
        kept: list[str] = []
        for some in batches(article_ids, FETCHED_AT_ONCE):
            words = self._words(self._heads(some))
            selected = words.select(query)
            kept += words.ids[slice(None) if selected is None else selected].astype(str).tolist()
        return kept

    def _nominated(self, asked: "_Question", vector: Vector | None, *, depth: int) -> _Nominated:
        """Return what each leg names within the filters and, as what nothing is worth may depend on them, without."""
        by_words = [
            self._pool.submit(self._best, asked, within, limit=depth)
            for within in dict.fromkeys([asked.selecting, asked.unfiltered])
        ]
        holding = [
            self._pool.submit(self._best, asked, within, limit=MOST_HOLDING)
            for within in dict.fromkeys([asked.holding, asked.holding_unfiltered])
        ]
        bound = self._selectable(asked) if asked.binds_words else None
        near = self._near(asked, vector, bound, depth=depth) if vector is not None else []
        found, held = [future.result() for future in by_words], [future.result() for future in holding]
        bests = (*found, *held, *([bound] if bound else []))
        named = [*(best.articles for best in bests), *(articles for articles, _ in near)]
        are_all_named = bound is not None and not bound.is_cut
        return _Nominated(
            articles={article for articles in named for article in articles},
            floor=near[0][1] if near and not are_all_named else None,
            lacks_holding=held[0].is_cut,
            lacks_words=found[0].is_cut and not are_all_named,
        )

    def _selectable(self, asked: "_Question") -> _Best:
        """Return what may hold all that is required: any such articles, or where they are too many the best by BM25."""
        within = both([asked.selecting, HEADS])
        rows = self._milvus.rows(self._collection, within, columns=("article",), limit=MOST_HOLDING + 1)
        if len(rows) <= MOST_HOLDING:
            return _Best([row["article"] for row in rows], is_cut=False)
        return _Best(self._best(asked, asked.selecting, limit=MOST_HOLDING).articles, is_cut=True)

    def _best(self, asked: "_Question", within: Filter, *, limit: int) -> _Best:
        """Return the best articles by BM25, and any that hold what it does not rank: stop words, alone or in a row."""
        articles, is_cut = [], False
        if asked.terms:
            found = self._milvus.best_by_words(self._collection, asked.terms, within, limit=limit + 1)
            articles, is_cut = [each.article for each in found], len(found) > limit
        if asked.unranked is not None:
            holding = both([within, asked.unranked])
            rows = self._milvus.rows(self._collection, holding, columns=("article",), limit=limit + 1)
            articles += [row["article"] for row in rows]
            is_cut |= len(rows) > limit
        return _Best(list(dict.fromkeys(articles)), is_cut)

    def _near(
        self, asked: "_Question", vector: Vector, bound: _Best | None, *, depth: int
    ) -> list[tuple[list[str], float | None]]:
        """Return the articles of the nearest passages, within the filters, and then without.

        `bound` are those that hold words that are required, which passages do not tell.
        """
        pools = dict.fromkeys([asked.passages, asked.passages_unfiltered])
        searched = [self._pool.submit(self._nearest, vector, within, depth=depth) for within in pools]
        found = [each.result() for each in searched]
        for some in batches(bound.articles if bound else (), FETCHED_AT_ONCE):
            found.append(self._nearest(vector, both([among("article", some), PASSAGES]), depth=depth))
        return found

    def _nearest(self, vector: Vector, within: Filter, *, depth: int) -> tuple[list[str], float | None]:
        """Return the nearest articles, and the cosine that no other exceeds; None where there is no other."""
        limit = min(MOST_FOUND, PASSAGES_EACH * depth)
        found = self._milvus.nearest(self._collection, vector.tolist(), within, limit=limit)
        best: dict[str, float] = {}
        for each in found:
            best.setdefault(each.article, each.score)
        if len(best) > depth:
            return list(best)[:depth], list(best.values())[depth]
        return list(best), found[-1].score if len(found) == limit else None

    # Fetching

    def _fetched(
        self, article_ids: Sequence[str], vector: Vector | None
    ) -> tuple[RankedPostings, FetchedVectors, LocalEngine]:
        """Return the legs over these articles alone, in order of their ids, and the engine that asks both."""
        heads = self._pool.submit(self._heads, article_ids)
        near = self._passages(article_ids, vector) if vector is not None else []
        keywords = self._words(heads.result())
        vectors = FetchedVectors(
            self._milvus,
            self._collection,
            passages_of(near, keywords.ids),
            self._statistics,
            self._common,
            count=len(keywords.ids),
        )
        few = LocalEngine(
            number=self.generation or 0,
            seq=self.seq,
            keywords=keywords,
            vectors=vectors,
            model_sha256=self.model_sha256 or "",
        )
        return keywords, vectors, few

    def _heads(self, article_ids: Sequence[str]) -> "_Read":
        """Return those of these articles that the collection holds, in order, with their words."""
        codes, found = self._kept.known(article_ids)
        for some in batches([id_ for id_ in article_ids if id_ not in found], FETCHED_AT_ONCE):
            within = both([among("article", some), WORDED])
            rows = self._milvus.rows(self._collection, within, columns=COLUMNS)
            new = [_article(codes, id_, own) for id_, own in by_article(rows)]
            self._kept.keep(codes, new)
            found.update({each.article_id: each for each in new})
        return _Read(codes, [found[id_] for id_ in article_ids if id_ in found])

    def _passages(self, article_ids: Sequence[str], vector: Vector) -> list[Found]:
        """Return every passage of these articles, and how near it comes."""
        found: list[Found] = []
        waiting = list(batches(article_ids, FETCHED_AT_ONCE))
        while waiting:
            asked = [self._pool.submit(self._passages_of, some, vector) for some in waiting]
            answers = [(some, each.result()) for some, each in zip(waiting, asked, strict=True)]
            waiting = []
            for some, rows in answers:
                if len(rows) < MOST_FOUND or len(some) == 1:
                    found += rows
                else:  # long ones: not all of their passages were told
                    waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
        return found

    def _passages_of(self, article_ids: Sequence[str], vector: Vector) -> list[Found]:
        """Return the nearest passages of these articles, all of them unless they are more than one answer has.

        An index that finds approximately leaves some out, however many are asked for: these are fetched.
        """
        within = both([among("article", article_ids), PASSAGES])
        found = self._milvus.nearest(self._collection, vector.tolist(), within, limit=MOST_FOUND, columns=PLACED)
        if len(found) == MOST_FOUND or self._milvus.count(self._collection, within) <= len(found):
            return found
        known = {each.pk for each in found}
        rows = self._milvus.rows(self._collection, within, columns=("pk", *PLACED))
        missed = {str(row["pk"]): row for row in rows if row["pk"] not in known}
        vectors = vectors_of(self._milvus, self._collection, list(missed))
        return found + [Found(article_of(key), key, float(own @ vector), missed[key]) for key, own in vectors.items()]

    def _words(self, read: "_Read") -> RankedPostings:
        """Return the keyword leg over these articles alone."""
        postings = FetchedPostings(read.articles, read.codes, self._statistics)
        return RankedPostings(postings, Bm25(), corpus=self._corpus)

    @cached_property
    def _corpus(self) -> SharedCorpus:
        """The whole archive; what was counted of it is remembered."""
        return SharedCorpus(self._statistics, count_any=self._count_any, count_unit=lru_cache(WORDS)(self._count_unit))

    def _count_unit(self, unit: Unit) -> int:
        """Return how many articles hold a unit of one word, whichever it is of several.

        The terms of what a prefix or a fuzzy word stands for are terms of other words, too: articles are looked at
        unless they are more than `MOST_HOLDING`, of which all count that hold such a term.
        """
        within = both([self._filters.of_unit(unit), HEADS])
        if isinstance(unit, Run):
            return self._milvus.count(self._collection, within)
        rows = self._milvus.rows(self._collection, within, columns=("article",), limit=MOST_HOLDING + 1)
        if len(rows) > MOST_HOLDING:
            return self._milvus.count(self._collection, within)
        read = self._heads(sorted(str(row["article"]) for row in rows))
        return self._holding_word(unit, FetchedPostings(read.articles, read.codes, self._statistics))

    def _holding_word(self, unit: Unit, postings: FetchedPostings) -> int:
        match unit:
            case Beginning(letters):
                found = [postings.words_of(self._vocabulary.beginning(letters))]
            case Similar(word):
                found = [postings.term(stem(word)), postings.words_of(self._vocabulary.similar(word))]
            case _:
                found = [postings.term(term) for term in self._terms_of(unit)]
        return len(np.unique(np.concatenate([matches.articles for matches in found])))

    def _count_any(self, clause: AnyOf) -> int | None:
        """Return how many articles hold a choice, None where rows do not tell."""
        within = self._filters.holding(clause)
        return self._milvus.count(self._collection, both([within, HEADS])) if within.is_exact else None

    # Looking up

    @cached_property
    def _none(self) -> RankedPostings:
        """The keyword leg over no article: what it says is of the archive as a whole."""
        return self._words(_Read(Codes(), ()))

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._statistics.words)

    @cached_property
    def _filters(self) -> Filters:
        return Filters(self._unit_of, self._terms_of)

    @cached_property
    def _passage_filters(self) -> Filters:
        return PassageFilters(self._unit_of, self._terms_of)

    def _unit_of(self, clause: Term | Phrase | Near | Prefix | Fuzzy) -> Unit:
        return unit_of(clause, self._forms)

    def _terms_of(self, unit: Unit) -> Iterable[str]:
        """Return the terms a text that holds the unit may hold. Raises QueryRefused where they are too many."""
        match unit:
            case Run(terms, forms):
                return (*terms, *(term for _, found in forms for terms in found for term in terms))
            case Cluster(run):
                return self._terms_of(run)
            case Beginning(letters):
                return map(stem, self._vocabulary.beginning(letters))
            case Similar(word):
                return map(stem, (word, *self._vocabulary.similar(word)))

    @cached_property
    def _forms(self) -> Forms:
        """Tells the terms that a word may have in articles of the archive's languages, its own first."""
        others = sorted(self._statistics.languages - {"en"})
        return lru_cache(WORDS)(partial(self._find_forms, others)) if others else no_forms

    def _find_forms(self, languages: Sequence[str], word: str) -> Mapping[str, Terms]:
        own = analyse(word)[0]
        if own in STOP_TERMS:
            return {}
        found = {}
        for language in languages:
            (asked,) = words(bare(language, word))
            if terms := sorted({stem(form) for form in self._vocabulary.alike(language, asked)} - {own}):
                found[language] = (own, *terms)
        return found

    def _question(self, query: Query) -> "_Question":
        """Return what Milvus is asked about a query."""
        unfiltered = without_filters(query)
        selecting, beside = self._filters.selecting(query), self._filters.selecting(unfiltered)
        wanted = [self._filters.holding(clause) for clause in telling(query)]
        terms: list[str] = []
        unranked: list[Filter] = []
        for unit, each in units(query, self._forms).items():
            possible = [*dict.fromkeys(self._terms_of(unit))]
            ranked = [term for term in possible if term not in STOP_TERMS]
            terms += ranked * max(1, round(TIMES * each.weight))
            if not ranked:
                unranked.append(self._filters.of_unit(unit))
            elif len(ranked) < len(possible) and not _is_of_several(unit):
                unranked.append(either([holding_term(term) for term in possible if term in STOP_TERMS]))
        return _Question(
            query=query,
            terms=terms,
            unranked=either(unranked) if unranked else None,
            selecting=selecting,
            unfiltered=beside,
            holding=both([selecting, *wanted]),
            holding_unfiltered=both([beside, *wanted]),
            passages=both([self._passage_filters.selecting(query), PASSAGES]),
            passages_unfiltered=both([self._passage_filters.selecting(unfiltered), PASSAGES]),
            binds_words=not self._passage_filters.selecting(replace(query, excluded=())).is_exact,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A query as Milvus is asked about it. What binds is told apart from filters, which change no score."""

    query: Query
    terms: Sequence[str]  # of what scores, each as often as it counts, without stop words
    unranked: Filter | None  # what leaves in articles that hold what is nothing but stop words
    selecting: Filter
    unfiltered: Filter
    holding: Filter  # what is selected and holds everything wanted
    holding_unfiltered: Filter
    passages: Filter  # the same of passages, as far as these tell
    passages_unfiltered: Filter
    binds_words: bool  # whether something is required that passages do not tell


def _is_of_several(unit: Unit) -> bool:
    """Tell whether a text that holds the unit holds several words, of which one that is no stop word finds it."""
    return isinstance(unit, Cluster) or (isinstance(unit, Run) and len(unit.terms) > 1)


@dataclass(frozen=True, slots=True)
class _Read:
    """Articles in the order of their ids, and the numbers that their words are in."""

    codes: Codes
    articles: Sequence[Fetched]


def _article(codes: Codes, article_id: str, rows: Sequence[Row]) -> Fetched:
    title, body = words_of(rows)
    first = rows[0]
    return codes.fetched(article_id, published=first["published"], names=first["names"], title=title, body=body)
