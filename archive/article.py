"""The plain values every other file passes around: frozen, and without behaviour.

Invariant: a value here says what is known and nothing more. An unknown date is `None`, never today;
an unknown name is `None`, never an empty string.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Status = Literal["live", "embargoed", "removed"]
ChangeKind = Literal["added", "updated", "removed"]
TEXT_HASH_BYTES = 16  # of a SHA-256: enough that no two texts ever share one by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One version of one article, as a reader found it or as the store keeps it.

    `id` is 16 hex digits and stable (see `archive.identity`). `body` is plain text whose paragraphs are
    separated by a blank line. `language` is a BCP 47 tag. Both times are aware and in UTC. `derived_title`
    says that the source gave no headline and `title` was made from the first sentence of the body.
    """

    id: str
    title: str
    body: str
    url: str | None = None
    source: str | None = None
    section: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 1
    status: Status = "live"
    derived_title: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An article's entry in a list that is counted, filtered and ordered: everything but its texts."""

    id: str
    source: str | None
    section: str | None
    authors: tuple[str, ...]
    language: str | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why one input did not go in: the file or URL, the line when there are lines, and what to do about it."""

    source: str
    reason: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a body: `body[start:end]`, in characters, of one version of one article.

    `ordinal` counts the passages of an article from 0. `text_hash` is the beginning of the SHA-256 of exactly the
    text that is embedded (headline and passage), so equal texts share one embedding.
    """

    article_id: str
    version: int
    ordinal: int
    start: int
    end: int
    text_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One committed change: `seq` grows by one with each and is never reused."""

    seq: int
    article_id: str
    version: int
    kind: ChangeKind
    at: datetime
