"""Why a result was found, in words: what each leg made of it, which words it holds, which sentence is meant. Pure.

Invariant: the parts that are shown add up to the total that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from index.engine import TermEvidence
from index.ranking import DEPTH, Mode
from index.results import LegScore, Result

SLIGHT = 0.1  # of the score: a leg that adds less is not what an article was found by
PART_DIGITS = 3
PART_NAMES = {
    "complete": "Every word of the question",
    "passages": "A second passage that is near",
    "feedback": "Like the first articles",
    "recency": "Newness",
}
SURE, HARDLY = 0.95, 0.05  # beyond these a probability is not told to the tenth


@dataclass(frozen=True, slots=True)
class Row:
    """One part of a score: what it is, the place and the score it comes from, its weight and what it adds."""

    name: str
    place: str
    score: str
    weight: str
    adds: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a result was found: in one line, and in full."""

    summary: str
    rows: Sequence[Row]
    total: str
    words: Sequence[str]
    sentence: str | None
    likelihood: str | None


def why(result: Result, mode: Mode) -> Why | None:
    """Say why a result matched; None when nothing was ranked and only filters chose it."""
    if not result.keyword.score and result.semantic.score is None:
        return None
    parts = _parts(result, mode)
    return Why(
        summary=_summary(result, mode),
        rows=[row for row, _ in parts],
        total=_number(sum(round(part, PART_DIGITS) for _, part in parts)),
        words=[_where(term) for term in result.terms],
        sentence=result.sentence,
        likelihood=None if result.probability is None else likelihood(result.probability),
    )


def _summary(result: Result, mode: Mode) -> str:
    by_words = bool(result.keyword.score)
    by_meaning = result.semantic.score is not None and (
        not by_words or result.semantic.part >= SLIGHT * abs(result.score)  # every article has a cosine
    )
    if mode == "keyword" or not by_meaning:
        return "your words"
    if mode == "semantic":
        return "its meaning"
    return "your words and their meaning" if by_words else "its meaning: none of your words occur"


def _parts(result: Result, mode: Mode) -> list[tuple[Row, float]]:
    """Return each part of the score as a row and as a number."""
    keyword, semantic = result.keyword, result.semantic
    parts: list[tuple[Row, float]] = []
    if mode != "semantic" or keyword.part:
        parts.append((_leg("Words", keyword, "BM25"), keyword.part))
    if mode != "keyword" or semantic.part:
        parts.append((_leg("Meaning", semantic, "cosine"), semantic.part))
    for name, part in result.parts.items():
        parts.append((Row(PART_NAMES.get(name, name), "", "", "", _number(part)), part))
    return parts


def _leg(name: str, leg: LegScore, measure: str) -> Row:
    if leg.score is None:
        return Row(name, "nothing found", "", "", _number(leg.part))
    place = f"number {leg.rank:,}" if leg.rank else f"after number {DEPTH:,}"
    return Row(name, place, f"{measure} {leg.score:.2f}", f"{leg.weight:.0%}", _number(leg.part))


def _number(value: float) -> str:
    return f"{round(value, PART_DIGITS) + 0.0:.{PART_DIGITS}f}"  # plus nothing, so that there is no minus nothing


def _where(term: TermEvidence) -> str:
    places = (("title", term.title), ("text", term.body))
    return f"{term.text} ({', '.join(f'{place} {count:,}' for place, count in places if count)})"


def likelihood(probability: float) -> str:
    """Return a probability as a share that a reader can picture, no more exact than it is known."""
    if probability >= SURE:
        return f"More than {SURE:.0%} of such hits are relevant."
    if probability < HARDLY:
        return f"Fewer than {HARDLY:.0%} of such hits are relevant."
    return f"About {round(probability, 1):.0%} of such hits are relevant."
