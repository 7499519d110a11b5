"""Where a related article stands beside another, and why it is shown: lanes and reasons. Pure.

Invariant: a reason names only what both texts hold, or what their outlets and dates say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from archive.article import Article

Lane = Literal["same_story", "background", "follow_up", "other"]

SAME_STORY_COSINE = 0.6  # mean vectors of two reports of one event; unrelated news of one archive lies near 0.2
SAME_STORY_DAYS = 4  # a story's first days; later reports follow it up
NAMED_TERMS = 3  # shared terms a reason names
LONGEST_ACRONYM = 5  # letters: longer words in capitals come from datelines, and shout

_SAID: dict[Lane, str] = {
    "same_story": "same event",
    "background": "background",
    "follow_up": "follow-up",
    "other": "on the same subject",
}


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


@dataclass(frozen=True, slots=True)
class Apart:
    """How long before (less than nothing) or after an article another was published; nothing: on the same day."""

    number: int
    unit: Literal["day", "month", "year"] = "day"

    def __str__(self) -> str:
        """Say it in English."""
        if not self.number:
            return "same day"
        count = abs(self.number)
        return f"{count} {self.unit}{'s' if count > 1 else ''} {'later' if self.number > 0 else 'earlier'}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an article is shown beside another: what it is to it, who reported it, when, and what both name."""

    lane: Lane
    is_from_other_outlet: bool
    apart: Apart | None  # None: one of them has no date
    named: Sequence[str]

    def __str__(self) -> str:
        """Say it as one short sentence in English."""
        parts = [_SAID[self.lane]]
        if self.is_from_other_outlet:
            parts.append("other outlet")
        if self.apart:
            parts.append(str(self.apart))
        told = ", ".join(parts) + (f": {', '.join(self.named)}" if self.named else "")
        return told[0].upper() + told[1:]


def reason_of(article: Article, other: Article, *, lane: Lane, shared: Sequence[str]) -> Reason:
    """Return why `other` is shown beside `article`.

    `shared` are telling words that both texts hold, most telling first; names go before other words.
    """
    names_first = sorted(shared, key=lambda word: not word[:1].isupper())  # the sort keeps their order
    apart = None
    if article.published_at and other.published_at:
        apart = _apart((other.published_at.date() - article.published_at.date()).days)
    return Reason(
        lane=lane,
        is_from_other_outlet=bool(article.source and other.source and article.source != other.source),
        apart=apart,
        named=[_written(word) for word in names_first[:NAMED_TERMS]],
    )


def _written(word: str) -> str:
    return word.title() if len(word) > LONGEST_ACRONYM and word.isupper() else word


def _apart(days: int) -> Apart:
    if abs(days) < 60:
        return Apart(days)
    months = round(days / 30.44)
    return Apart(months, "month") if abs(months) < 24 else Apart(round(days / 365.25), "year")
