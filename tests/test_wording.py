from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from archive.article import Article
from index.search import Facets, LegScore, Mode, Month, Result, SearchRequest, SearchResponse, Snippet
from web import wording
from web.examples import example_queries

ARTICLE = Article(id="00000000000000a1", title="T", body="B")


UNRANKED = LegScore(None, None, 0.5)


def result(*, keyword: LegScore = UNRANKED, semantic: LegScore = UNRANKED) -> Result:
    return Result(article=ARTICLE, score=1.0, snippet=Snippet(""), keyword=keyword, semantic=semantic)


def test_highlights_are_escaped_before_they_are_marked() -> None:
    snippet = Snippet("<b>flood</b> & rain", ((3, 8), (15, 19)))
    assert wording.marked(snippet) == "&lt;b&gt;<mark>flood</mark>&lt;/b&gt; &amp; <mark>rain</mark>"


def test_a_highlight_that_splits_markup_cannot_make_any() -> None:
    assert wording.marked(Snippet("<script>", ((0, 1), (1, 7)))) == "<mark>&lt;</mark><mark>script</mark>&gt;"


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=6))
def test_marks_are_all_that_is_added_whatever_the_offsets(text: str, spans: list[tuple[int, int]]) -> None:
    marked = wording.marked(Snippet(text, tuple(spans)))
    assert str(marked).replace("<mark>", "").replace("</mark>", "") == "".join(str(escape(c)) for c in text)
    assert marked.count("<mark>") == marked.count("</mark>")


@pytest.mark.parametrize("url", ["https://a.example/x", "http://a.example"])
def test_a_web_address_is_linked(url: str | None) -> None:
    assert wording.outside_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example",
        "/x",
        "https:",
        "https://[::1",
        " javascript:x",
    ],
)
def test_anything_else_is_not_linked(url: str | None) -> None:
    assert wording.outside_link(url) is None


def test_a_day_is_written_out_and_a_midnight_is_a_day() -> None:
    assert wording.long_day(date(2016, 3, 7)) == "7 March 2016"
    assert wording.machine_time(datetime(2016, 3, 7, tzinfo=UTC)) == "2016-03-07"
    assert wording.machine_time(datetime(2016, 3, 7, 9, 5, tzinfo=UTC)) == "2016-03-07T09:05Z"


def test_authors_are_joined_as_in_a_byline() -> None:
    assert [wording.byline(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == [
        "",
        "A",
        "A and B",
        "A, B and C",
    ]


def test_a_count_says_no_more_than_is_known() -> None:
    response = SearchResponse(
        request=SearchRequest(),
        results=(),
        total=1200,
        complete=True,
        facets=Facets(),
        generation=1,
        degraded=False,
        took_ms=1,
    )
    assert wording.found_line(response) == "1,200 articles"
    assert wording.found_line(replace(response, total=1)) == "1 article"
    assert wording.found_line(replace(response, total=0, complete=False)) == "No articles"
    assert wording.found_line(replace(response, complete=False)) == "At least 1,200 articles"


def summary_of(result: Result, mode: Mode) -> str:
    why = wording.why(result, mode)
    assert why is not None
    return why.summary


def test_why_it_matched_is_said_in_plain_words() -> None:
    near, far = LegScore(1, 0.71, 0.5), LegScore(None, 0.02, 0.5)
    worded = LegScore(3, 11.24, 0.5)
    both = result(keyword=worded, semantic=near)
    assert summary_of(both, "hybrid") == "Matches your words and their meaning"
    assert summary_of(result(semantic=near), "hybrid") == "Matches by meaning: none of your words occur"
    assert summary_of(result(keyword=worded, semantic=far), "hybrid") == "Matches your words"
    assert summary_of(both, "keyword") == "Matches your words"
    assert summary_of(both, "semantic") == "Matches by meaning"


def test_why_it_matched_gives_rank_score_and_weight_of_each_leg() -> None:
    why = wording.why(result(keyword=LegScore(3, 11.24, 0.5), semantic=LegScore(None, 0.714, 0.5)), "hybrid")
    assert why is not None
    assert why.details == [
        "Words: number 3 in its ranking, BM25 score 11.24, weight 50%.",
        "Meaning: beyond the end of its ranking, cosine 0.71, weight 50%.",
    ]


def test_nothing_is_said_where_only_filters_chose() -> None:
    assert wording.why(result(), "hybrid") is None


def months(first: int, last: int) -> list[Month]:
    return [Month(start=date(y, m, 1), end=date(y, m, 28), count=1) for y in range(first, last) for m in range(1, 13)]


def test_a_year_of_months_is_listed_newest_first() -> None:
    listed = wording.periods(months(2015, 2016))
    assert [period.name for period in listed][:2] == ["December 2015", "November 2015"]
    assert len(listed) == 12


def test_many_months_are_gathered_into_years_and_many_years_into_decades() -> None:
    years = wording.periods(months(2010, 2013))
    assert next((p.name, p.start, p.end, p.count) for p in years) == ("2012", date(2012, 1, 1), date(2012, 12, 31), 12)
    decades = wording.periods(months(1965, 2026))
    assert [p.name for p in decades] == ["2020s", "2010s", "2000s", "1990s", "1980s", "1970s", "1960s"]
    assert sum(p.count for p in decades) == 61 * 12


def test_examples_are_made_of_what_the_archive_holds() -> None:
    article = Article(
        id="00000000000000a2",
        title="Armstrong walks on the Moon, and half the world watches",
        body="The hatch opened late. Then Neil Armstrong climbed down the ladder.",
        section="Science",
        published_at=datetime(1969, 7, 21, tzinfo=UTC),
    )
    assert example_queries([article]) == [
        "Armstrong walks on the Moon and",
        '"Neil Armstrong"',
        "section:Science after:1969",
    ]
    assert example_queries([]) == []
