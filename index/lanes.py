"""Where a related article stands beside another, and why it is shown: lanes and reasons. Pure.

Invariant: a reason names only what both texts hold, or what their outlets and dates say.
"""

from collections.abc import Sequence
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


def reason_of(article: Article, other: Article, *, lane: Lane, shared: Sequence[str]) -> str:
    """Return one short true sentence: what it is beside the article, who reported it, when, and what both name.

    `shared` are telling words that both texts hold, most telling first; names go before other words.
    """
    parts = [_SAID[lane]]
    if article.source and other.source and article.source != other.source:
        parts.append("other outlet")
    if article.published_at and other.published_at:
        parts.append(_apart((other.published_at.date() - article.published_at.date()).days))
    names_first = sorted(shared, key=lambda word: not word[:1].isupper())  # the sort keeps their order
    named = ", ".join(map(_written, names_first[:NAMED_TERMS]))
    told = ", ".join(parts) + (f": {named}" if named else "")
    return told[0].upper() + told[1:]


def _written(word: str) -> str:
    return word.title() if len(word) > LONGEST_ACRONYM and word.isupper() else word


def _apart(days: int) -> str:
    if days == 0:
        return "same day"
    count, unit = (abs(days), "day") if abs(days) < 60 else (round(abs(days) / 30.44), "month")
    if unit == "month" and count >= 24:
        count, unit = round(abs(days) / 365.25), "year"
    return f"{count} {unit}{'s' if count > 1 else ''} {'later' if days > 0 else 'earlier'}"
