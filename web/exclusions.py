"""Values left out of a search. They stand in the query, as `-source:"The Ledger"`, where they can be edited. Pure.

Invariant: nothing is written that the query language would read as something else.
"""

import re
from collections.abc import Iterator

from index.query import MAX_QUERY_CHARS, FieldName

_EXCLUSION = re.compile(r'(?:^|(?<=\s))-(source|section|author|language):"([^"]+)"(?!\S)')
_QUOTES = re.compile('["\u201c-\u201f\u00ab\u00bb\u301d-\u301f\uff02]')
_UNFINISHED = re.compile(r"(?:\b(?:OR|AND|NOT)|\||-|:)$")  # would take in what is written after it


def excluding(query: str, field: FieldName, value: str) -> str | None:
    """Return the query that leaves out this value as well; None where that cannot be written behind it."""
    written = f'{query} -{field}:"{value}"'.strip()
    is_open = query.count('"') % 2 or query.count("(") != query.count(")") or _UNFINISHED.search(query)
    if is_open or _QUOTES.search(value) or len(written) > MAX_QUERY_CHARS:
        return None
    return written


def exclusions(query: str) -> Iterator[tuple[str, str, str]]:
    """Yield the field and the value of each exclusion as `excluding` writes it, and the query without that."""
    for match in _EXCLUSION.finditer(query):
        before, after = query[: match.start()].rstrip(), query[match.end() :].lstrip()
        if before.count('"') % 2 == 0:  # else it is part of a phrase
            yield match[1], match[2], f"{before} {after}".strip()


def without_exclusions(query: str) -> str:
    """Return the query without any of them."""
    for _, _, rest in exclusions(query):
        return without_exclusions(rest)
    return query
