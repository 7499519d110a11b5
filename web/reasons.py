"""Why a result was found, in words: what each leg made of it, which words it holds, which sentence is meant. Pure.

Invariant: the parts that are shown add up to the total that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from babel.numbers import format_percent
from flask_babel import gettext, lazy_gettext

from index.engine import TermEvidence
from index.ranking import DEPTH, Mode
from index.results import LegScore, Result
from web import units
from web.wording import in_a_row

SLIGHT = 0.1  # of the score: a leg that adds less is not what an article was found by
PART_DIGITS = 3
PART_NAMES = {
    "complete": lazy_gettext("Every word of the question"),
    "passages": lazy_gettext("A second passage that is near"),
    "feedback": lazy_gettext("Like the first articles"),
    "recency": lazy_gettext("Newness"),
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
    words: str
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
        words=in_a_row(_where(term) for term in result.terms),
        sentence=result.sentence,
        likelihood=None if result.probability is None else likelihood(result.probability),
    )


def _summary(result: Result, mode: Mode) -> str:
    by_words = bool(result.keyword.score)
    by_meaning = result.semantic.score is not None and (
        not by_words or result.semantic.part >= SLIGHT * abs(result.score)  # every article has a cosine
    )
    if mode == "keyword" or not by_meaning:
        return str(gettext("your words"))
    if mode == "semantic":
        return str(gettext("its meaning"))
    if by_words:
        return str(gettext("your words and their meaning"))
    return str(gettext("its meaning: none of your words occur"))


def _parts(result: Result, mode: Mode) -> list[tuple[Row, float]]:
    """Return each part of the score as a row and as a number."""
    keyword, semantic = result.keyword, result.semantic
    parts: list[tuple[Row, float]] = []
    if mode != "semantic" or keyword.part:
        parts.append((_leg(gettext("Words"), keyword, "BM25"), keyword.part))
    if mode != "keyword" or semantic.part:
        parts.append((_leg(gettext("Meaning"), semantic, gettext("cosine")), semantic.part))
    for name, part in result.parts.items():
        parts.append((Row(str(PART_NAMES.get(name, name)), "", "", "", _number(part)), part))
    return parts


def _leg(name: str, leg: LegScore, measure: str) -> Row:
    if leg.score is None:
        return Row(name, gettext("nothing found"), "", "", _number(leg.part))
    place = gettext("number %(number)s") if leg.rank else gettext("after number %(number)s")
    score = f"{measure} {units.decimal(leg.score, 2)}"
    return Row(name, place % {"number": units.number(leg.rank or DEPTH)}, score, _share(leg.weight), _number(leg.part))


def _number(value: float) -> str:
    rounded = round(value, PART_DIGITS) + 0.0  # plus nothing, so that there is no minus nothing
    return units.decimal(rounded, PART_DIGITS)


def _share(part: float) -> str:
    return format_percent(part, locale=units.locale())


def _where(term: TermEvidence) -> str:
    places = (
        gettext("title %(number)s", number=units.number(term.title)) if term.title else "",
        gettext("text %(number)s", number=units.number(term.body)) if term.body else "",
    )
    return str(gettext("%(word)s (%(places)s)", word=term.text, places=in_a_row(places)))


def likelihood(probability: float) -> str:
    """Return a probability as a share that a reader can picture, no more exact than it is known."""
    if probability >= SURE:
        return str(gettext("More than %(share)s of such hits are relevant.", share=_share(SURE)))
    if probability < HARDLY:
        return str(gettext("Fewer than %(share)s of such hits are relevant.", share=_share(HARDLY)))
    return str(gettext("About %(share)s of such hits are relevant.", share=_share(round(probability, 1))))
