"""Related articles: what else the archive holds on an article's subject, by meaning and by its most telling words.

Invariants: an article is never related to itself, and a reason names only what both texts hold or what their dates say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Literal

import numpy as np

from archive.article import Article
from archive.errors import ArticleNotFound
from archive.packing import unpack_embeddings
from archive.passages import chunking, cut, embedding_text, title_context
from archive.store import Store
from index.analysis import analyse
from index.embedder import Embedder
from index.engine import Engine, Vector
from index.errors import ModelMismatch, ModelUnavailable
from index.fusion import Method, fuse
from index.query import Query, Term
from index.ranking import MODE_WEIGHTS, Mode, checked_embedder, log
from index.results import Found, Result, result_of
from index.serving import Serving

Lane = Literal["same_story", "background", "follow_up", "other"]

DEPTH = 50  # hits fetched per ranking; a panel shows five
TELLING_TERMS = 30  # terms of an article that are looked up
LEAD_WEIGHT = 2.0  # the first passage, where news says what happened, counts as this many
MEAN_PASSAGES = 32  # of an article's vector: news says within the first 5,000 words what it is about
TOLD_CHARS = 100_000  # of a body whose telling terms are sought: more than the longest magazine piece
UNKEPT_CHARS = 10_000  # of a body embedded while a reader waits, when its embeddings are not kept yet
LONGEST_ACRONYM = 5  # letters: longer words in capitals come from datelines, and shout
NAMED_TERMS = 3  # shared terms a reason names
SAME_STORY_COSINE = 0.6  # mean vectors of two reports of one event; unrelated news of one archive lies near 0.2
SAME_STORY_DAYS = 4  # a story's first days; later reports follow it up


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedResponse:
    """The articles related to one, best first."""

    article_id: str
    results: Sequence[Result]
    generation: int | None
    degraded: bool


class Related:
    """Finds related articles. Safe to use from several threads."""

    def __init__(self, *, store: Store, serving: Serving, embedder: Callable[[], Embedder], fusion: Method) -> None:
        """Take the parts; `embedder` is called when an article's vector is needed."""
        self._store = store
        self._serving = serving
        self._embedder = embedder
        self._fusion: Method = fusion

    def related(self, article_id: str, *, limit: int, mode: Mode = "hybrid") -> RelatedResponse:
        """Return up to `limit` articles related to this one. Raises ArticleNotFound when it is not shown."""
        article = self._store.live([article_id]).get(article_id)
        if article is None:
            raise ArticleNotFound(article_id)
        with self._serving.engine() as (engine, degraded):
            vector, blind = self._vector(engine, article, mode)
            terms = engine.telling_terms(f"{article.title}\n{article.body[:TOLD_CHARS]}", limit=TELLING_TERMS)
            query = Query(text=article.title, wanted=tuple(Term(text, weight) for text, weight in terms))
            asked = replace(query, wanted=()) if mode == "semantic" and vector is not None else query
            meaning = None if vector is None else partial(np.asarray, vector)
            candidates = engine.candidates(asked, meaning, depth=DEPTH + 1)
            generation = engine.generation
        others = candidates.kept(np.flatnonzero(candidates.all_ids[candidates.numbers] != article_id.encode()))
        effective: Mode = "keyword" if blind else mode
        fusion = fuse(others, method=self._fusion, weights=MODE_WEIGHTS[effective])
        ids = others.ids_of(fusion.order)
        articles = self._shown(ids, limit=limit)
        words = [text for text, _ in terms]
        results = [
            _result(article, articles[id_], Found(others, fusion, row), terms=words)
            for id_, row in zip(ids, fusion.order.tolist(), strict=False)
            if id_ in articles
        ][:limit]
        return RelatedResponse(
            article_id=article_id, results=results, generation=generation, degraded=degraded or blind
        )

    def _shown(self, article_ids: Sequence[str], *, limit: int) -> Mapping[str, Article]:
        """Return the first `limit` of these articles that are shown, or a few more."""
        shown: dict[str, Article] = {}
        step = max(limit, 1)  # as a rule the first look is enough
        for start in range(0, len(article_ids), step):
            if len(shown) >= limit:
                break
            shown |= self._store.live(article_ids[start : start + step])
        return shown

    def _vector(self, engine: Engine, article: Article, mode: Mode) -> tuple[Vector | None, bool]:
        """Return the article's vector when the mode wants one, and whether one was wanted but cannot be had."""
        if mode == "keyword":
            return None, False
        if engine.model_sha256 is None:
            return None, True
        try:
            return self._mean(checked_embedder(self._embedder, engine), article), False
        except (ModelUnavailable, ModelMismatch) as error:
            log.warning("related articles go by words only: %s", error)
            return None, True

    def _mean(self, embedder: Embedder, article: Article) -> Vector:
        """Return the mean of the passages' vectors, the lead weighing more, as a vector of norm 1."""
        model_id = self._store.model_id(sha256=embedder.sha256, name=embedder.name)
        method = chunking(embedder.sha256, embedder.max_tokens)
        passages = self._store.passages(article, chunking=method)[:MEAN_PASSAGES]
        kept = self._store.embeddings(model_id, [passage.text_hash for passage in passages])
        if passages and len(kept) == len({passage.text_hash for passage in passages}):
            packed = [kept[passage.text_hash] for passage in passages]
            vectors = unpack_embeddings(packed, dimension=embedder.dimension).astype(np.float32)
        else:
            vectors = embedder.embed(_texts(article, embedder) or [article.title])
        weights = np.ones(len(vectors), dtype=np.float32)
        weights[0] = LEAD_WEIGHT
        mean = weights @ vectors
        unit: Vector = (mean / np.linalg.norm(mean)).astype(np.float32)
        return unit


def _result(article: Article, other: Article, found: Found, *, terms: Sequence[str]) -> Result:
    known = set(analyse(f"{other.title}\n{other.body}"))
    shared = [term for term in terms if set(analyse(term)) <= known]
    shared.sort(key=lambda term: not term[:1].isupper())  # names tell more than words; the sort keeps their order
    words = frozenset(term for text in shared for term in analyse(text))
    result = result_of(found, other, words=words, depth=DEPTH)
    lane = lane_of(article, other, cosine=result.semantic.score)
    reason = reason_of(article, other, shared=shared[:NAMED_TERMS], cosine=result.semantic.score)
    return replace(result, lane=lane, reason=reason)


def _texts(article: Article, embedder: Embedder) -> list[str]:
    article = replace(article, body=article.body[:UNKEPT_CHARS])
    context = title_context(article, embedder.token_spans)
    passages = cut(article, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens)
    return [embedding_text(context, article.body[passage.start : passage.end]) for passage in passages]


def lane_of(article: Article, other: Article, *, cosine: float | None) -> Lane:
    """Return where `other` belongs beside `article`: the same story, before it, after it, or none of these."""
    if article.published_at is None or other.published_at is None:
        return "other"
    apart = other.published_at - article.published_at
    if abs(apart) <= timedelta(days=SAME_STORY_DAYS) and (cosine or 0.0) >= SAME_STORY_COSINE:
        return "same_story"
    if not apart:
        return "other"
    return "background" if apart < timedelta(0) else "follow_up"


def reason_of(article: Article, other: Article, *, shared: Sequence[str], cosine: float | None) -> str:
    """Return one short true sentence: the telling words both hold, who reported it, and how far apart in time."""
    parts = [f"both mention {_listed(shared)}"] if shared else []
    if not parts and cosine is not None:
        parts = ["similar in meaning"]
    if article.source and other.source and article.source != other.source:
        parts.append("other outlet")
    if article.published_at and other.published_at:
        parts.append(_apart((other.published_at.date() - article.published_at.date()).days))
    text = ", ".join(parts) or "shares some of its words"
    return text[0].upper() + text[1:]


def _listed(words: Sequence[str]) -> str:
    named = [word.title() if len(word) > LONGEST_ACRONYM and word.isupper() else word for word in words]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _apart(days: int) -> str:
    if days == 0:
        return "same day"
    count, unit = (abs(days), "day") if abs(days) < 60 else (round(abs(days) / 30.44), "month")
    if unit == "month" and count >= 24:
        count, unit = round(abs(days) / 365.25), "year"
    return f"{count} {unit}{'s' if count > 1 else ''} {'later' if days > 0 else 'earlier'}"
