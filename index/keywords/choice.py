"""Which library keeps an archive's keyword index. Pure."""

from typing import Literal

Setting = Literal["auto", "whoosh", "tantivy"]
Library = Literal["whoosh", "tantivy"]

WHOOSH_ARTICLES = 5_000  # up to here Whoosh answers within milliseconds and needs no compiled library


def choose(setting: Setting, *, articles: int) -> Library:
    """Return the name of the library for an archive of so many articles: what is set, or what suits its size."""
    if setting == "auto":
        return "whoosh" if articles <= WHOOSH_ARTICLES else "tantivy"
    return setting
