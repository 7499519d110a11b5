from dataclasses import replace
from datetime import date
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from index.folding import COPYINGS
from index.frozen import cursor_of
from index.listing import CUTOFFS, SORTS
from index.ranking import MODES
from index.search import SearchRequest
from web import params
from web.params import BadParameter, SearchUrls


def read(query_string: str) -> SearchRequest:
    return params.search_request(MultiDict(parse_qsl(query_string, keep_blank_values=True)), page_size=10)


def test_nothing_asked_means_the_defaults() -> None:
    assert read("") == SearchRequest()


def test_every_parameter_reaches_the_request() -> None:
    asked = read(
        "q=+river+flood+&mode=semantic&source=The+Ledger&source=Harbour+News&section=World&author=Ada+Quill&language=en"
        "&from=1999-12-31&to=2000-01-01&sort=oldest&cutoff=off&copies=all&page=3&page_size=25&cursor=0123456789abcdef-50"
    )
    assert asked == SearchRequest(
        query="river flood",
        mode="semantic",
        sources=("The Ledger", "Harbour News"),
        sections=("World",),
        authors=("Ada Quill",),
        languages=("en",),
        date_from=date(1999, 12, 31),
        date_to=date(2000, 1, 1),
        sort="oldest",
        cutoff="off",
        copies="all",
        page=3,
        page_size=25,
        cursor="0123456789abcdef-50",
    )


def test_a_blank_value_is_an_absent_one_because_forms_send_empty_fields() -> None:
    assert read("q=&mode=&source=&source=+&from=&to=&sort=&cutoff=&copies=&page=&page_size=&cursor=") == SearchRequest()


def test_a_filter_given_twice_counts_once() -> None:
    assert read("source=A&source=A&source=+A+").sources == ("A",)


@pytest.mark.parametrize(
    ("query_string", "name"),
    [
        ("mode=fuzzy", "mode"),
        ("sort=best", "sort"),
        ("from=yesterday", "from"),
        ("from=2025-2-3", "from"),
        ("from=20250203", "from"),
        ("from=2025-W07-4", "from"),
        ("to=2025-02-30", "to"),
        ("to=0000-01-01", "to"),
        ("from=2025-02-02&to=2025-02-01", "to"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1.5", "page"),
        ("page=٣", "page"),
        ("page=1000001", "page"),
        ("page=" + "9" * 5000, "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("cutoff=0.5", "cutoff"),
        ("cutoff=On", "cutoff"),
        ("copies=1", "copies"),
        ("q=flood&q=fire", "q"),
        ("page=2&page=3", "page"),
        ("mode=&mode=", "mode"),
        ("from=2025-02-02&from=2025-02-02", "from"),
        ("cursor=2", "cursor"),
        ("cursor=0123456789abcdef", "cursor"),
        ("cursor=0123456789abcdef--1", "cursor"),
        ("cursor=0123456789ABCDEF-1", "cursor"),
        ("cursor=0123456789abcdef-%D9%A1", "cursor"),
        ("cursor=0123456789abcdef-" + "9" * 10, "cursor"),
        ("author=" + "a" * 201, "author"),
        ("&".join(f"section={n}" for n in range(21)), "section"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(query_string: str, name: str) -> None:
    with pytest.raises(BadParameter) as refused:
        read(query_string)
    assert refused.value.name == name
    assert str(refused.value).startswith(f"{name} must be ")


def test_values_at_their_limits_are_taken() -> None:
    assert read("page_size=100").page_size == 100
    assert read("page_size=1").page_size == 1
    assert read("page=1000000").page == 1_000_000
    assert read("cursor=0123456789abcdef-999999999").cursor == "0123456789abcdef-999999999"
    assert len(read("&".join(f"section={n}" for n in range(20))).sections) == 20
    assert read("from=2025-02-02&to=2025-02-02").date_from == date(2025, 2, 2)


@pytest.mark.parametrize(("sent", "limit"), [("", 5), ("1", 1), ("20", 20)])
def test_the_number_of_related_articles_is_five_unless_asked(sent: str, limit: int) -> None:
    assert params.related_limit(MultiDict({"limit": sent})) == limit


@pytest.mark.parametrize("sent", ["0", "21", "many"])
def test_an_unusable_number_of_related_articles_is_refused(sent: str) -> None:
    with pytest.raises(BadParameter, match="limit must be a whole number from 1 to 20"):
        params.related_limit(MultiDict({"limit": sent}))


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(str.strip)
values = st.lists(words.filter(bool), max_size=4, unique=True).map(tuple)
days = st.dates(min_value=date(1000, 1, 1))
requests = st.builds(
    SearchRequest,
    query=words,
    mode=st.sampled_from(MODES),
    sources=values,
    sections=values,
    authors=values,
    languages=values,
    sort=st.sampled_from(SORTS),
    cutoff=st.sampled_from(CUTOFFS),
    copies=st.sampled_from(COPYINGS),
    page=st.integers(1, 1_000_000),
    page_size=st.integers(1, 100),
)


cursors = st.builds(cursor_of, st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 999_999_999))


@given(requests, days, days)
def test_a_search_written_as_a_url_reads_back_as_itself(request: SearchRequest, one_day: date, other_day: date) -> None:
    asked = replace(request, date_from=min(one_day, other_day), date_to=max(one_day, other_day))
    url = SearchUrls(path="/search").at(asked)
    assert read(url.partition("?")[2]) == asked


@given(requests, cursors)
def test_a_page_by_cursor_is_written_without_its_number(request: SearchRequest, cursor: str) -> None:
    url = SearchUrls(path="/search").at(replace(request, cursor=cursor))
    assert read(url.partition("?")[2]) == replace(request, cursor=cursor, page=1)


@given(requests, words.filter(bool), days)
def test_a_value_is_added_to_a_url_as_to_its_search(request: SearchRequest, value: str, day: date) -> None:
    asked, urls = replace(request, date_from=day), SearchUrls(path="/search", extra={"explain": "1"})
    for name, more in (
        ("q", replace(asked, query=value)),
        ("source", replace(asked, sources=(*asked.sources, value))),
        ("section", replace(asked, sections=(*asked.sections, value))),
        ("author", replace(asked, authors=(*asked.authors, value))),
        ("language", replace(asked, languages=(*asked.languages, value))),
    ):
        beside = replace(asked, query="") if name == "q" else asked
        assert urls.adding(name, beside)(value) == urls.at(more)
    assert SearchUrls(path="/search").adding("source", SearchRequest())("A & B") == "/search?source=A+%26+B"


def test_a_url_names_only_what_differs_from_the_defaults() -> None:
    urls = SearchUrls(path="/search", page_size=10)
    assert urls.at(SearchRequest()) == "/search"
    assert urls.at(SearchRequest(query="a b", page=2, sources=("X & Y",))) == "/search?q=a+b&source=X+%26+Y&page=2"
    assert urls.at(SearchRequest(page_size=20)) == "/search?page_size=20"
