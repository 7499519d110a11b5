import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.facets import Facets, FacetValue, Period
from web import writing
from web.payload import facets_object
from web.writing import Written, compact, facets_written

NAMES = st.none() | st.text()
COUNTS = st.integers(0, 10**9)
DAYS = st.none() | st.dates()
VALUES = st.lists(st.builds(FacetValue, value=NAMES, count=COUNTS), max_size=4)
PERIODS = st.lists(st.builds(Period, start=DAYS, end=DAYS, count=COUNTS), max_size=4)
FACETS = st.builds(Facets, source=VALUES, section=VALUES, author=VALUES, language=VALUES, published=PERIODS)


@given(FACETS)
def test_facets_written_at_once_are_the_objects_written_letter_by_letter(facets: Facets) -> None:
    assert facets_written(facets).text == json.dumps(facets_object(facets), ensure_ascii=False, separators=(",", ":"))


@given(st.dictionaries(st.text(), st.recursive(NAMES | COUNTS, st.lists), max_size=4))
def test_an_object_is_written_as_json_writes_it(body: dict[str, object]) -> None:
    assert compact(body) == json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def test_what_is_written_already_is_taken_as_it_is() -> None:
    assert compact({"é": 1, "facets": Written('{"a":[]}'), "b": None}) == '{"é":1,"facets":{"a":[]},"b":null}'


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        compact({"score": float("nan")})


def test_a_name_is_written_once_however_often_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    encode = writing._json
    monkeypatch.setattr(writing, "_json", lambda value: asked.append(value) or encode(value))
    outlet, day = 'An outlet of "this" test', date(1871, 3, 18)
    for count in range(50):
        named = [FacetValue(value=outlet, count=count)]
        facets_written(Facets(source=named, author=named, published=[Period(start=day, end=day, count=count)]))
    assert asked == [outlet, "1871-03-18", "1871-03-18"]
