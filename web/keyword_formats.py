"""The keyword libraries there are, by the name a generation remembers.

Invariant: a library is loaded when an index of its kind is first opened or written, and not before.
"""

from collections.abc import Iterator, Mapping
from typing import get_args

from index.keywords import KeywordFormat
from index.keywords.choice import Library


class KeywordFormats(Mapping[str, KeywordFormat]):
    """Each library's format, by its name."""

    def __getitem__(self, name: str) -> KeywordFormat:
        """Return a library's format, loading the library. Raises KeyError for an unknown one."""
        if name == "whoosh":
            from index.keywords.whoosh_index import WhooshFormat

            return WhooshFormat()
        if name == "tantivy":
            from index.keywords.tantivy_index import TantivyFormat

            return TantivyFormat()
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(get_args(Library))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(get_args(Library))
