"""What the filters of the query language can be given: values of the archive's articles, each with how many it finds.

Invariant: they are counted from the catalogue, so what the store does not show is neither offered nor counted. A count
is of what the filter finds: it goes by neither case nor accents, and a language takes its kinds with it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np

from index.analysis import fold
from index.catalogue import Catalogue, Shelf
from index.facets import FacetValue, values_of
from index.language.clauses import DATE_OPERATORS, FieldValue
from index.moments import UNDATED
from index.query import parse

FILED = ("author", "source", "section", "language")  # filters that have values; a title has words
MOST_YEARS = 5  # offered for a date
MOST_FOLDED = 50_000  # names whose folded form is remembered from one state of the archive to the next, about 10 MB
PLAIN_DATES = ("today", "yesterday", "last week", "last month", "past 7 days")
_folded = lru_cache(MOST_FOLDED)(fold)
_BARE = re.compile(r"[^\W_][\w.&'’-]*")


@dataclass(slots=True)
class _Counted:
    """What one state of the archive holds, counted when it is first asked for."""

    shelf: Shelf
    values: dict[str, Sequence[tuple[str, FacetValue]]] = field(default_factory=dict)  # by field, folded first
    years: Mapping[int, int] | None = None


class FieldValues:
    """The values that filters can be given in one archive. Safe to use from several threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Count nothing before it is first asked for."""
        self._catalogue = catalogue
        self._counted: _Counted | None = None

    def beginning(self, name: str, typed: str, *, limit: int) -> list[FacetValue]:
        """Return up to `limit` values of a filter that begin with `typed`, most frequent first.

        Those of which a later word begins so follow.
        """
        wanted = fold(typed)
        values = self._values(name)
        first = [value for folded, value in values if folded.startswith(wanted)]
        if len(first) < limit and wanted:
            first += [value for folded, value in values if f" {wanted}" in folded and not folded.startswith(wanted)]
        return first[:limit]

    def dates(self, operator: str, typed: str, *, limit: int) -> list[FacetValue]:
        """Return up to `limit` dates that begin with `typed`: the latest years with what they find, then plain words.

        What words find depends on the day, and is not counted.
        """
        years = self._years()
        found = [
            FacetValue(value=str(year), count=_found_by(operator, year, years))
            for year in sorted(years, reverse=True)
            if str(year).startswith(typed.strip())
        ][:MOST_YEARS]
        wanted = fold(typed)
        return [*found, *(FacetValue(value=words, count=0) for words in PLAIN_DATES if words.startswith(wanted))][
            :limit
        ]

    def latest_year(self) -> int | None:
        """Return the latest year in which an article was published."""
        return max(self._years(), default=None)

    def _now(self) -> _Counted:
        shelf, counted = self._catalogue.shelf(), self._counted
        if counted is None or counted.shelf is not shelf:
            self._counted = counted = _Counted(shelf)
        return counted

    def _values(self, name: str) -> Sequence[tuple[str, FacetValue]]:
        counted = self._now()
        if name not in counted.values:
            rows = np.flatnonzero(counted.shelf.shown)
            counted.values[name] = _merged(values_of(counted.shelf, name, rows), is_language=name == "language")
        return counted.values[name]

    def _years(self) -> Mapping[int, int]:
        counted = self._now()
        if counted.years is None:
            moments = counted.shelf.published[counted.shelf.shown]
            days = moments[moments != UNDATED].astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64)
            years, counts = np.unique(days + 1970, return_counts=True)
            counted.years = dict(zip(years.tolist(), counts.tolist(), strict=True))
        return counted.years


def _merged(values: Sequence[FacetValue], *, is_language: bool) -> list[tuple[str, FacetValue]]:
    """Return the values, each folded form once as it is mostly written, with all that it finds; most frequent first."""
    forms: dict[str, str] = {}
    counts: dict[str, int] = {}
    for value in values:
        if value.value and (folded := _folded(value.value)):
            forms.setdefault(folded, value.value)
            counts[folded] = counts.get(folded, 0) + value.count
    if is_language:
        counts = {tag: _with_kinds(tag, counts) for tag in counts}
    order = sorted(counts, key=lambda folded: (-counts[folded], folded))
    return [(folded, FacetValue(value=forms[folded], count=counts[folded])) for folded in order]


def _with_kinds(tag: str, counts: Mapping[str, int]) -> int:
    return sum(count for other, count in counts.items() if other == tag or other.startswith(f"{tag}-"))


def _found_by(operator: str, year: int, years: Mapping[int, int]) -> int:
    compare = {"after": year.__le__, "before": year.__ge__, "on": year.__eq__}[operator]
    return sum(count for other, count in years.items() if compare(other))


def written(name: str, value: str) -> str | None:
    """Return `name:value` as the query language reads it, in quotes where it must be; None where no way exists."""
    if name in DATE_OPERATORS:
        return f'{name}:"{value}"' if " " in value else f"{name}:{value}"
    plain = " ".join(value.split())
    text = f"{name}:{plain}" if _BARE.fullmatch(plain) else f'{name}:"{plain}"'
    asked = parse(text, today=_ANY_DAY).required
    read = asked[0] if len(asked) == 1 else None
    return text if isinstance(read, FieldValue) and (read.field, fold(read.value)) == (name, fold(value)) else None


_ANY_DAY = date(2000, 1, 1)  # filters do not depend on the day
