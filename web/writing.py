"""JSON as it is sent: the objects of `web.payload`, and what of them is written without making objects first.

Invariant: the text is what `json.dumps` makes of the same object.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from index.facets import Facets, FacetValue, Period

REMEMBERED = 8_192  # names, and as many periods, whose beginnings are kept: 150 bytes each
# What is written is made of values and never holds itself: to look whether it does takes a tenth of the time.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Written:
    """A field's value that is JSON already."""

    text: str


def compact(body: Mapping[str, object]) -> str:
    """Return an object as JSON without a blank."""
    fields = [
        f"{_json(name)}:{value.text if isinstance(value, Written) else _json(value)}" for name, value in body.items()
    ]
    return "{" + ",".join(fields) + "}"


def facets_written(facets: Facets) -> Written:
    """Return what `web.payload.facets_object` says.

    These are more than half of an answer, some four hundred objects that hold nothing but a count and a name or a month
    that other answers hold too: so the rest of each is written once.
    """
    return Written(
        f'{{"source":[{_counts(facets.source)}],"section":[{_counts(facets.section)}],'
        f'"author":[{_counts(facets.author)}],"language":[{_counts(facets.language)}],'
        f'"published":[{_periods(facets.published)}]}}'
    )


def _counts(values: Sequence[FacetValue]) -> str:
    return ",".join([f"{_value(facet.value)}{facet.count}}}" for facet in values])


def _periods(periods: Sequence[Period]) -> str:
    return ",".join([f"{_period(period.start, period.end)}{period.count}}}" for period in periods])


@lru_cache(maxsize=REMEMBERED)
def _value(value: str | None) -> str:
    return f'{{"value":{_json(value)},"count":'


@lru_cache(maxsize=REMEMBERED)
def _period(start: date | None, end: date | None) -> str:
    first, last = (day.isoformat() if day else None for day in (start, end))
    return f'{{"from":{_json(first)},"to":{_json(last)},"count":'
