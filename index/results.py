"""One result, and why it is there: what the pages and the API say of an article that was found. Pure.

Invariant: the score is the sum of the parts that are shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.article import Article
from archive.story import StorySize
from index.engine import Candidates, Span, TermEvidence
from index.folding import Copies
from index.fusion import Fusion
from index.lanes import Reason
from index.snippet import WORD_HIT, Excerpt, Range, snippet


@dataclass(frozen=True, slots=True)
class Found:
    """One candidate, `row`, of those that were fused."""

    candidates: Candidates
    fusion: Fusion
    row: int


@dataclass(frozen=True, slots=True)
class LegScore:
    """How one leg saw a result.

    `rank` is its place in that leg's ranking (from 1, None when beyond it), `score` the raw score, `weight` the leg's
    share in the fusion and `part` what it adds to the result's score.
    """

    rank: int | None
    score: float | None
    weight: float
    part: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One article found, with why. Its score is the sum of both legs' parts and of `parts`.

    `terms` says which words it holds, and where; `copies`, what else of its list is a copy of it; `story`, the story
    it is part of; `lane` and `reason` are set in related articles only.
    """

    article: Article
    score: float
    snippet: Excerpt
    keyword: LegScore
    semantic: LegScore
    parts: Mapping[str, float]
    terms: Sequence[TermEvidence] = ()
    probability: float | None = None
    sentence: str | None = None  # the sentence nearest in meaning, whole, whether the snippet shows it or not
    copies: Copies | None = None
    story: StorySize | None = None
    lane: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a whole list: a result without its words and its sentence, and the article that stands for it."""

    result: Result
    copy_of: str | None  # None of what is not folded


@dataclass(frozen=True, slots=True)
class WholeList:
    """A whole list, the folded copies too, to be read piece by piece. It does not change while it is read.

    `read` returns the rows of a slice of its `length`, without those that were withdrawn meanwhile; `ids` returns the
    ids of all without reading anything. Where it is `degraded`, or not `complete`, more may match.
    """

    length: int
    total: int  # what is left of them
    complete: bool
    degraded: bool
    ids: Callable[[], list[str]]
    read: Callable[[slice], Sequence[Row]]


def result_of(
    found: Found, article: Article, *, words: frozenset[str], depth: int, sentence: Range | None = None
) -> Result:
    """Return what is shown of a candidate: its snippet, and what each leg, asked for `depth` articles, makes of it.

    `words` are the terms the snippet marks, `sentence` the piece of the body that comes nearest in meaning.
    """
    candidates, fusion, row = found.candidates, found.fusion, found.row
    keyword, semantic = float(candidates.keyword[row]), float(candidates.semantic[row])
    parts: dict[str, float] = {name: float(part[row]) for name, part in fusion.parts.items()}
    share = float(candidates.coverage[row]) if candidates.terms else None
    passage = passage_range(candidates.span(row), article)
    excerpt = snippet(article.body, passage, words=words, sentence=sentence, share=share, language=article.language)
    if keyword and not excerpt.highlights and (share or 0.0) >= WORD_HIT:  # its words stand elsewhere in the article
        excerpt = snippet(article.body, None, words=words, language=article.language)
    return Result(
        article=article,
        score=float(fusion.score[row]),
        snippet=excerpt,
        keyword=LegScore(
            _within(depth, int(fusion.keyword_rank[row])),
            keyword or None,
            fusion.weights[0],
            parts.pop("keyword", 0.0),
        ),
        semantic=LegScore(
            _within(depth, int(fusion.semantic_rank[row])),
            None if np.isnan(semantic) else semantic,
            fusion.weights[1],
            parts.pop("semantic", 0.0),
        ),
        parts=parts,
        sentence=" ".join(article.body[slice(*sentence)].split()) if sentence else None,
    )


def _within(depth: int, rank: int) -> int | None:
    """Return a rank that is exact: beyond the depth, articles the other leg nominated are only some of those there."""
    return rank if 0 < rank <= depth else None


def passage_range(span: Span | None, article: Article) -> Range | None:
    """Return the best passage's place in the body; none when the body is no longer the one that was indexed."""
    return (span.start, span.end) if span and span.version == article.version else None
