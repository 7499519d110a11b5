"""What the pages say in words: dates, counts, why a result matched, which links are safe. Pure.

Invariant: text that came from outside leaves here escaped or as plain `str`, which the templates escape.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from index.search import LegScore, Mode, Month, Result, SearchResponse, Snippet, Sort


class Named(NamedTuple):
    """A way to search in one word, and what it does."""

    name: str
    hint: str


MODE_NAMES: dict[Mode, Named] = {
    "hybrid": Named("Both", "Your words and their meaning, weighed together"),
    "keyword": Named("Words", "Only articles in which your words occur"),
    "semantic": Named("Meaning", "Articles about the same thing, whatever their words"),
}
LANE_NAMES = {
    "same_story": "The same story",
    "background": "What came before",
    "follow_up": "What came after",
    "other": "On the same subject",
}
SORT_NAMES: dict[Sort, str] = {"relevance": "Best match", "newest": "Newest", "oldest": "Oldest"}
MAX_MONTHS = 18  # a longer list of months is shown as years
MAX_YEARS = 15  # and a longer list of years as decades


def marked(snippet: Snippet) -> Markup:
    """Return the snippet escaped, its highlights in <mark>; a range that overlaps or lies outside is passed over."""
    pieces, at = [Markup()], 0
    for start, end in sorted(snippet.highlights):
        if not at <= start < end <= len(snippet.text):
            continue
        pieces += [escape(snippet.text[at:start]), Markup("<mark>"), escape(snippet.text[start:end]), Markup("</mark>")]
        at = end
    return Markup().join([*pieces, escape(snippet.text[at:])])


def paragraphs(body: str) -> list[str]:
    """Return the paragraphs of a body."""
    return [piece.strip() for piece in re.split(r"\n\s*\n", body) if piece.strip()]


def outside_link(url: str | None) -> str | None:
    """Return `url` when a browser may be sent there: absolute http or https. Else None."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def long_day(moment: datetime | date) -> str:
    """Return a day as a newspaper writes it, such as 7 March 2016."""
    return f"{moment.day} {moment:%B} {moment.year}"


def machine_time(moment: datetime) -> str:
    """Return a time for <time datetime>: a day alone when the source gave no hour."""
    moment = moment.astimezone(UTC)
    if moment.time().isoformat() == "00:00:00":  # a day without an hour is kept as its midnight
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat(timespec="minutes") + "Z"


def byline(authors: Sequence[str]) -> str:
    """Return the authors as one phrase: A, B and C."""
    if len(authors) < 2:
        return "".join(authors)
    return f"{', '.join(authors[:-1])} and {authors[-1]}"


def count_of(number: int, singular: str) -> str:
    """Return the number with its noun: 1 article, 2,000 articles."""
    return f"{number:,} {singular}" if number == 1 else f"{number:,} {singular}s"


def found_line(response: SearchResponse) -> str:
    """Return how much was found, and no more than is known."""
    if not response.total:
        return "No articles"
    counted = count_of(response.total, "article")
    return counted if response.complete else f"At least {counted}"


@dataclass(frozen=True, slots=True)
class Why:
    """Why a result was found: in one line, and each leg's part in it."""

    summary: str
    details: Sequence[str]


def why(result: Result, mode: Mode) -> Why | None:
    """Say why a result matched; None when nothing was ranked and only filters chose it."""
    keyword, semantic = result.keyword, result.semantic
    by_words, by_meaning = bool(keyword.score), semantic.score is not None
    near = semantic.rank is not None or not by_words  # every article has a cosine; only the nearest are ranked by it
    if not by_words and not by_meaning:
        return None
    details = []
    if mode != "semantic":
        details.append(_leg("Words", keyword, "BM25 score") if by_words else "Words: none of yours occur.")
    if mode != "keyword" and by_meaning:
        details.append(_leg("Meaning", semantic, "cosine"))
    return Why(_summary(by_words=by_words, near=near, mode=mode), details)


def _summary(*, by_words: bool, near: bool, mode: Mode) -> str:
    if mode == "keyword" or not near:
        return "Matches your words"
    if mode == "semantic":
        return "Matches by meaning"
    return "Matches your words and their meaning" if by_words else "Matches by meaning: none of your words occur"


def _leg(name: str, leg: LegScore, measure: str) -> str:
    place = f"number {leg.rank:,} in its ranking" if leg.rank else "beyond the end of its ranking"
    return f"{name}: {place}, {measure} {leg.score or 0:.2f}, weight {leg.weight:.0%}."


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time with how many of the found articles fall into it; both days inclusive."""

    name: str
    start: date
    end: date
    count: int


def periods(months: Sequence[Month]) -> list[Period]:
    """Return the months, newest first, gathered into years when they are many, and into decades when those are."""
    named = [Period(f"{month.start:%B} {month.start.year}", month.start, month.end, month.count) for month in months]
    if len(named) > MAX_MONTHS:
        named = _gathered(months, span=1)
        if len(named) > MAX_YEARS:
            named = _gathered(months, span=10)
    return sorted(named, key=lambda period: period.start, reverse=True)


def _gathered(months: Sequence[Month], *, span: int) -> list[Period]:
    counts: dict[int, int] = {}
    for month in months:
        first = month.start.year - month.start.year % span
        counts[first] = counts.get(first, 0) + month.count
    return [
        Period(
            str(first) if span == 1 else f"{first}s",
            date(max(first, 1), 1, 1),
            date(first + span - 1, 12, 31),
            count,
        )
        for first, count in counts.items()
    ]


def label(value: str) -> str:
    """Return a source or section as people write it: many feeds send names_with_underscores."""
    return value.replace("_", " ").strip() or value
