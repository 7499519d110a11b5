"""The plain values every other file passes around: frozen, and without behaviour.

Invariant: a value here says what is known and nothing more. An unknown date is `None`, never today;
an unknown name is `None`, never an empty string.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["live", "embargoed", "removed"]
# held: something came that may not be shown yet, or any more. added: shown for the first time.
ChangeKind = Literal["added", "updated", "held", "removed"]
TEXT_HASH_BYTES = 16  # of a SHA-256: enough that no two texts ever share one by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One version of one article, as a reader found it or as the store keeps it.

    `id` is 16 hex digits and stable (see `archive.identity`). `body` is plain text whose paragraphs are
    separated by a blank line. `language` is a BCP 47 tag. Both times are aware and in UTC. `derived_title`
    says that the source gave no headline and `title` was made from the first sentence of the body.

    An article that may not be shown yet comes with the status `embargoed`: until `embargoed_until`, or where that is
    None until the source sends it again as usable. `source_version` is the source's own count of versions: an older one
    that arrives late changes nothing. `note` is what the source says about this version, such as what it corrects.
    `aliases` are other ids by which the same article is known (see `archive.identity`); the store keeps them, and does
    not return them. `language_guessed` says of an article that arrives that its source does not declare the language,
    `unread_date` what its source gives as a date and is none, or one of several.
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
    embargoed_until: datetime | None = None
    source_version: int | None = None
    note: str | None = None
    aliases: tuple[str, ...] = field(default=(), compare=False)
    language_guessed: bool = field(default=False, compare=False)
    unread_date: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What a source takes back without another text in its place: an article, by the ids it is known by.

    `for_good` is a kill: the article never comes back. Otherwise it is a hold, which hides the article until its source
    sends it as usable in a later version. `updated_at` is when a hold was given: one that is read again is no new one.
    """

    id: str
    reason: str
    source: str | None = None
    source_version: int | None = None
    updated_at: datetime | None = None
    aliases: tuple[str, ...] = ()
    for_good: bool = True


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
    """Why one input did not go in: the file or URL, the line when there are lines, and what to do about it.

    `raw` is the input itself, where it is small enough to be kept until it can be read, `size` how many bytes it has
    where that is known and it is not.
    """

    source: str
    reason: str
    line: int | None = None
    raw: bytes | None = field(default=None, repr=False, compare=False)
    size: int | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version as the archive keeps it, with when it came in and until when it may not be shown.

    Withheld until further notice is the year 9999 (`archive.arrival.UNTIL_FURTHER_NOTICE`). `row` is its number among
    all versions, by which articles are in the order in which they came in.
    """

    article: Article
    ingested_at: datetime
    embargoed_until: datetime | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A change of one article as the log keeps it; `seq` is None where it is to get the next number."""

    version: int
    kind: ChangeKind
    at: datetime
    reason: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything the archive holds of one article, `version` being the one that is shown, or would be.

    Of an article that was removed there is one edition without a text. `origin` and `line` say where a record was read.
    """

    id: str
    status: Status
    version: int
    editions: tuple[Edition, ...]
    changes: tuple[Logged, ...]
    aliases: tuple[str, ...] = ()
    origin: str = field(default="", compare=False)
    line: int | None = field(default=None, compare=False)


Entry = Article | Withdrawal | Rejection | Record  # what a reader finds


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
