"""What becomes of an article that arrives, by what is known of it already. Pure.

What the source says decides, as IPTC means it (https://iptc.org/std/NewsML-G2/guidelines/, "Publishing status"): a
usable item is shown, an embargoed one at its time and no sooner, a withheld one hides what was shown until it is usable
again, and what was taken away for good stays away. An older version that arrives late changes nothing, nor does a text
that any version has: a file that is read again undoes no correction.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from archive.article import Article, Status

Outcome = Literal["added", "updated", "held", "unchanged"]
UNTIL_FURTHER_NOTICE = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the archive holds of an article. `newest` is its last version, which may not be the one that is shown."""

    status: Status
    was_shown: bool
    newest_embargo: datetime | None
    source_version: int | None  # the highest of its versions
    has_text: bool  # some version has the very content that arrives
    newest_has_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What to do: keep the text as a new version or not, under which embargo, and what to show from now on."""

    outcome: Outcome
    keep: bool = False
    embargo: datetime | None = None  # of the newest version
    status: Status = "live"
    show_newest: bool = False
    holds_all: bool = False  # what else waits for its time waits until further notice


UNCHANGED = Arrival(outcome="unchanged")


def decide(article: Article, known: Known | None, *, now: datetime) -> Arrival:
    """Return what becomes of `article`."""
    embargo = _embargo(article, now)
    if known is None:
        outcome: Outcome = "added" if embargo is None else "held"
        return Arrival(outcome=outcome, keep=True, embargo=embargo, status=_status(article, embargo), show_newest=True)
    if known.status == "removed" or _is_older(article, known):
        return UNCHANGED
    is_hidden = known.status == "embargoed"
    if known.has_text and not known.newest_has_text:
        return UNCHANGED
    if embargo is None:
        if known.newest_has_text and known.newest_embargo is None and not is_hidden:
            return UNCHANGED
        outcome = "updated" if known.was_shown else "added"
        return Arrival(outcome=outcome, keep=not known.newest_has_text, status=_status(article, None), show_newest=True)
    keep = not known.newest_has_text
    is_open = known.newest_has_text and known.newest_embargo is None
    if known.newest_has_text and known.newest_embargo == embargo:
        return UNCHANGED
    if embargo == UNTIL_FURTHER_NOTICE:
        if is_open and is_hidden:
            return UNCHANGED
        own = None if is_open else embargo
        return Arrival(outcome="held", keep=keep, embargo=own, status="embargoed", show_newest=True, holds_all=True)
    if is_open and not is_hidden:  # it has been seen, and nobody can forget it
        return UNCHANGED
    return Arrival(outcome="held", keep=keep, embargo=embargo, status=known.status, show_newest=is_hidden)


def _embargo(article: Article, now: datetime) -> datetime | None:
    """Return until when the article may not be shown, None when it may."""
    if article.status != "embargoed":
        return None
    until = article.embargoed_until or UNTIL_FURTHER_NOTICE
    return until if until > now else None


def _status(article: Article, embargo: datetime | None) -> Status:
    if article.status == "removed":
        return "removed"
    return "live" if embargo is None else "embargoed"


def _is_older(article: Article, known: Known) -> bool:
    return (
        article.source_version is not None
        and known.source_version is not None
        and article.source_version < known.source_version
    )
