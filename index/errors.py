"""The index's error tree. Every message says what was wrong, where, and what to run next.

SearchError
├── ClusterUnavailable  there is no cluster to embed on, or it does not do it
├── CursorExpired       a result set that is no longer kept
├── EngineAway          the server that keeps the index gives no answer
├── GenerationDamaged   a generation's files are missing, altered or unreadable
├── ModelMismatch       vectors were made by another model than the one that is configured
└── ModelUnavailable    the model cannot be found, or its weights are not the ones expected
"""


class SearchError(Exception):
    """Anything the index can tell its caller has gone wrong."""


class ClusterUnavailable(SearchError):
    """There is no cluster to embed on, or it does not do it."""


class CursorExpired(SearchError):
    """The result set that a cursor names is no longer kept."""


class EngineAway(SearchError):
    """The server that keeps the index gives no answer."""


class GenerationDamaged(SearchError):
    """A generation's files are missing, altered or unreadable."""


class ModelMismatch(SearchError):
    """Vectors were made by another model than the one that is configured."""


class ModelUnavailable(SearchError):
    """The model cannot be found, or its weights are not the ones expected."""
