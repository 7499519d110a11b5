"""Related articles: what else the archive holds on an article's subject, by meaning, by words and by time.

Both legs nominate, as in search: what is near the article's mean vector, and what holds its most telling terms. What
they nominate is ordered by both (`index.fusion.fuse_related`) and then thinned: of copies of one text one is shown,
and what says again what a better one has said stands behind what says something else.

Invariants: an article is never related to itself or to a copy of itself; what the store does not show is not shown; a
reason names only what both texts hold or what their dates say. A draft is compared and forgotten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from archive.article import Article, Listing
from archive.errors import ArticleNotFound
from archive.store import Store
from index.analysis import analyse
from index.engine import Candidates, Engine, Floats, Ints, TermEvidence, Vector, Vectors
from index.errors import ModelMismatch, ModelUnavailable
from index.folding import copies_beside
from index.fusion import Fusion, Method, fuse, fuse_related
from index.lanes import lane_of, reason_of
from index.likeness import nearness
from index.models import OpenByIdentity
from index.portraits import Portraits, day, telling_terms
from index.query import Query, Term
from index.ranking import MODE_WEIGHTS, Mode, checked_embedder, log
from index.results import Found, Result, result_of
from index.serving import Serving

DEPTH = 50  # hits fetched per ranking; a panel shows five
SAMENESS = 0.05  # against what is as near to a better one as its own copy would be, in units of the score


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedResponse:
    """The articles related to one, best first. `article_id` is None of a draft."""

    article_id: str | None
    results: Sequence[Result]
    generation: int | None
    degraded: bool


@dataclass(frozen=True, slots=True)
class _Kin:
    """The candidates of a panel, in order, each with the vector it is told apart from the others by."""

    candidates: Candidates
    fusion: Fusion  # row n of its columns is the candidate at place n
    means: Vectors  # no columns when meaning was not asked
    copies: Mapping[str, Sequence[str]]  # the group of each that has copies, the likely origin first

    def thinned(self, *, limit: int) -> tuple[Ints, Floats]:
        """Return the places of up to `limit` of them, and what each loses for being like a better one.

        Maximal marginal relevance: Carbonell & Goldstein, "The use of MMR", SIGIR 1998.
        """
        places: list[int] = []
        nearest = np.zeros(len(self.candidates))  # to any that is shown
        score = self.fusion.score.copy()
        lost = np.zeros(len(score))
        for _ in range(min(limit, len(score))):
            place = int(np.argmax(score - SAMENESS * nearest))
            places.append(place)
            lost[place] = SAMENESS * nearest[place]
            score[place] = -np.inf
            if self.means.shape[1]:
                nearest = np.maximum(nearest, self.means @ self.means[place])
        chosen = np.array(places, np.int64)
        return chosen, -lost[chosen]


class Related:
    """Finds related articles. Safe to use from several threads."""

    def __init__(self, *, store: Store, serving: Serving, embedder: OpenByIdentity, fusion: Method) -> None:
        """Take the parts; `embedder` is asked for the generation's model when an article's vector is needed."""
        self._store = store
        self._serving = serving
        self._embedder = embedder
        self._fusion: Method = fusion

    def related(self, article_id: str, *, limit: int, mode: Mode = "hybrid") -> RelatedResponse:
        """Return up to `limit` articles related to this one. Raises ArticleNotFound when it is not shown."""
        article = self._store.live([article_id]).get(article_id)
        if article is None:
            raise ArticleNotFound(article_id)
        return replace(self.related_to(article, limit=limit, mode=mode), article_id=article_id)

    def related_to(self, article: Article, *, limit: int, mode: Mode = "hybrid") -> RelatedResponse:
        """Return up to `limit` articles related to one that need not be in the archive; nothing is kept of it."""
        with self._serving.engine() as (engine, degraded):
            vector, blind = self._vector(engine, article, mode)
            words = telling_terms(engine, article)
            query = Query(text=article.title, wanted=tuple(Term(text, weight) for text, weight in words))
            asked = replace(query, wanted=()) if mode == "semantic" and vector is not None else query
            found = engine.candidates(asked, None if vector is None else partial(np.asarray, vector), depth=DEPTH + 1)
            blind |= found.degraded  # the index gave no answer: words alone have found something
            kin = self._kin(engine, article, found, vector=vector, mode="keyword" if blind else mode)
            places, lost = kin.thinned(limit=limit)
            ids = kin.candidates.ids_of(places)
            held = engine.explain(query, ids)
            generation = engine.generation
        articles = self._store.live(ids)
        stories = self._store.story_sizes(ids)
        results = []
        for id_, place, sameness in zip(ids, places.tolist(), lost.tolist(), strict=True):
            if (other := articles.get(id_)) is None:  # removed a moment ago
                continue
            row = Found(kin.candidates, kin.fusion, place)
            shared = _shared(row, other, words=[word for word, _ in words], held=held.get(id_, ()))
            result = _result(article, other, row, shared=shared, sameness=sameness)
            copies = copies_beside(id_, kin.copies.get(id_, ()))
            results.append(replace(result, copies=copies, story=stories.get(id_)))
        degraded = degraded or blind or engine.degraded
        return RelatedResponse(article_id=None, results=results, generation=generation, degraded=degraded)

    def _kin(self, engine: Engine, article: Article, found: Candidates, *, vector: Vector | None, mode: Mode) -> _Kin:
        """Return what was found and may be shown, without the article itself, ordered by both legs and by time."""
        ids = found.ids
        listings = self._store.listings(ids)
        copies = self._store.copies_of([article.id, *ids])
        own = {article.id, *copies.get(article.id, ())}
        rows = np.array([row for row, id_ in enumerate(ids) if id_ in listings and id_ not in own], np.int64)
        found = found.kept(rows)
        means = np.empty((len(rows), 0), np.float32)
        if vector is not None:
            means = engine.means(found)
            if means.shape[1]:
                found = replace(found, semantic=np.where(np.isnan(found.semantic), np.nan, means @ vector))
        if self._fusion == "rrf":
            fusion = fuse(found, method="rrf", weights=MODE_WEIGHTS[mode])
        else:
            near = nearness(_days_apart(article, [listings[ids[row]] for row in rows.tolist()]))
            fusion = fuse_related(found, nearness=near, weights=MODE_WEIGHTS[mode])
        order = fusion.order[_leading(found.ids_of(fusion.order), copies)]
        return _Kin(found.kept(order), fusion.kept(order), means[order], copies)

    def _vector(self, engine: Engine, article: Article, mode: Mode) -> tuple[Vector | None, bool]:
        """Return the article's vector when the mode wants one, and whether one was wanted but cannot be had."""
        if mode == "keyword":
            return None, False
        if engine.model_sha256 is None:
            return None, True
        try:
            return Portraits(self._store, checked_embedder(self._embedder, engine)).vector(article), False
        except (ModelUnavailable, ModelMismatch) as error:
            log.warning("related articles go by words only: %s", error)
            return None, True


def _leading(ids: Sequence[str], copies: Mapping[str, Sequence[str]]) -> Ints:
    """Return the places of those of these articles, best first, that no copy stands before."""
    first: dict[str, int] = {}
    for place, id_ in enumerate(ids):
        first.setdefault(copies[id_][0] if id_ in copies else id_, place)
    return np.array([*first.values()], np.int64)


def _days_apart(article: Article, others: Sequence[Listing]) -> Floats:
    here = day(article.published_at)
    there = [day(other.published_at) for other in others]
    return np.array([np.nan if here is None or at is None else at - here for at in there], np.float64)


def _shared(found: Found, other: Article, *, words: Sequence[str], held: Sequence[TermEvidence]) -> list[str]:
    """Return which of the article's telling words the other one holds, as the index says, where it knows this text."""
    span = found.candidates.span(found.row)
    if span is not None and span.version == other.version:
        return [evidence.text for evidence in held]
    known = set(analyse(f"{other.title}\n{other.body}"))
    return [word for word in words if set(analyse(word)) <= known]


def _result(article: Article, other: Article, found: Found, *, shared: Sequence[str], sameness: float) -> Result:
    words = frozenset(term for text in shared for term in analyse(text))
    result = result_of(found, other, words=words, depth=DEPTH)
    lane = lane_of(article, other, cosine=result.semantic.score)
    return replace(
        result,
        score=result.score + sameness,
        parts={**result.parts, "sameness": sameness} if sameness else result.parts,
        lane=lane,
        reason=reason_of(article, other, lane=lane, shared=shared),
    )
