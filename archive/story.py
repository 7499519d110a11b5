"""Stories, as the archive keeps them: articles that tell of one event. Frozen values without behaviour."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

EventKind = Literal["founded", "split", "merged", "ended"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a story: it was founded, split off `other`, merged into `other`, or ended with nothing left."""

    story: int
    kind: EventKind
    other: int | None
    articles: int  # of the story that began, or of the one it went into, at that time


@dataclass(frozen=True, slots=True)
class Telling:
    """How far stories have been told."""

    seq: int  # every change up to this one has been taken in
    model_sha256: str | None  # the model by which; None before the first
    times: int  # how often stories have been written: another number, other stories


@dataclass(frozen=True, slots=True)
class Story:
    """A story as it is listed. Only articles that may be shown count."""

    id: int
    articles: int
    first: datetime | None  # when the first that has a date was published
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class StorySize:
    """The story an article is in, in one line. Only articles that may be shown count."""

    id: int
    articles: int
    outlets: int  # different sources; 0 where none is known


@dataclass(frozen=True, slots=True)
class Report:
    """An article of a story, as it is listed there, without its text."""

    story: int
    id: str
    title: str
    derived_title: bool  # the source gave no headline
    url: str | None
    source: str | None
    language: str | None
    published_at: datetime | None
