"""The archive's error tree. Every message says what was wrong, where, and what to do next.

ArchiveError
├── SourceError        an input cannot be opened or read at all
├── ArticleNotFound    no such article, or it has been removed
├── ArchiveBusy        another process is changing the archive
├── ArchiveDamaged     the database cannot be opened, is newer than this program, or fails its checks
└── FetchError         an address on the network gave no usable answer
    └── FetchRefused   an address that is not asked at all
"""


class ArchiveError(Exception):
    """Anything the archive can tell its caller has gone wrong."""


class SourceError(ArchiveError):
    """An input cannot be opened or read at all."""


class ArticleNotFound(ArchiveError):
    """No such article, or it has been removed."""

    def __init__(self, *article_ids: str) -> None:
        """Name the articles that were asked for."""
        named = ", ".join(article_ids)
        super().__init__(f"no article {named} is shown: there is none, or it was withdrawn (`flask search` gives ids)")


class ArchiveBusy(ArchiveError):
    """Another process is changing the archive."""


class ArchiveDamaged(ArchiveError):
    """The database cannot be opened, is newer than this program, or fails its checks."""


class ContradictionError(ArchiveError):
    """What was to be written contradicts what is there: the database refuses it, and nothing is changed."""


class FetchError(ArchiveError):
    """An address on the network gave no usable answer.

    `retry`: it may give one later; `wait`: not before so many seconds.
    """

    def __init__(self, reason: str, *, retry: bool = True, wait: int = 0) -> None:
        """Say why, and whether it is worth another attempt."""
        super().__init__(reason)
        self.retry = retry
        self.wait = wait


class FetchRefused(FetchError):
    """An address on the network is not asked at all: it is none, or leads nowhere, or where nobody may send us.

    What this says of a name is for whoever runs the archive: the name may be known in its own network alone.
    """

    def __init__(self, reason: str, *, retry: bool = False) -> None:
        """Say why; a name that is not found now may be found later."""
        super().__init__(reason, retry=retry)
