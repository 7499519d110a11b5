"""What stands around the results of a page: notices, ways forward, filters, histogram, reasons."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article
from index.engine import TermEvidence
from index.facets import Facets, FacetValue, Period
from index.ranking import Mode
from index.results import LegScore, Result
from index.search import SearchRequest, SearchResponse
from index.snippet import Excerpt
from web.filters import Facet
from web.histogram import HEIGHT, MAX_SLOTS, Histogram, histogram
from web.params import SearchUrls
from web.reasons import likelihood, why
from web.results import ALL_LISTED, DEGRADED, LIST_GONE, NO_WORD, RELAXED, RELAXED_WORDS, ResultsView

UNRANKED = LegScore(None, None, 0.5)
WORDED = LegScore(3, 11.24, 0.5, 0.4)
NEAR = LegScore(1, 0.714, 0.5, 0.5)


def result(
    *, keyword: LegScore = UNRANKED, semantic: LegScore = UNRANKED, parts: dict[str, float] | None = None
) -> Result:
    return Result(
        article=Article(id="00000000000000a1", title="T", body="B"),
        score=keyword.part + semantic.part + sum((parts or {}).values()),
        snippet=Excerpt("The river rose.", ((4, 9),)),
        keyword=keyword,
        semantic=semantic,
        parts=parts or {},
        probability=0.8,
    )


BOTH = result(keyword=WORDED, semantic=NEAR)
FOUND = SearchResponse(
    request=SearchRequest(query="river flood"),
    results=(BOTH,),
    total=30,
    folded=0,
    complete=True,
    relaxed=False,
    by_meaning_alone=False,
    doubtful=False,
    no_good_match=False,
    suggestion=None,
    facets=Facets(),
    cursor=None,
    generation=1,
    degraded=False,
    took_ms=1,
)
URLS = SearchUrls(path="/search")


def view(found: SearchResponse, **asked: object) -> ResultsView:
    return ResultsView(replace(found, request=replace(found.request, **asked)), URLS)  # type: ignore[arg-type]


# What is said above the results


def test_a_plain_answer_needs_no_notice() -> None:
    assert view(FOUND).notices == []


def test_relaxing_is_said_and_not_that_keywords_are_near_in_meaning() -> None:
    relaxed = replace(FOUND, relaxed=True)
    assert view(relaxed).notices == [RELAXED]
    assert view(relaxed, mode="keyword").notices == [RELAXED_WORDS]


def test_that_no_word_occurs_is_said_instead_of_that_not_all_do() -> None:
    by_meaning = replace(FOUND, relaxed=True, by_meaning_alone=True, results=(result(semantic=NEAR),))
    assert view(by_meaning).notices == [NO_WORD]


def test_what_is_said_of_a_list_is_the_same_on_each_of_its_pages() -> None:
    last_page = replace(FOUND, relaxed=True, results=(replace(result(semantic=NEAR), probability=0.0),))
    assert view(last_page, page=3).notices == [RELAXED], "the words occur on an earlier page"
    (notice,) = view(last_page, page=3, cutoff="off").notices
    assert notice.strong == ALL_LISTED.strong, "what is probably relevant stands on an earlier page"


def test_without_the_cutoff_the_page_says_how_far_its_results_are_good() -> None:
    (notice,) = view(FOUND, cutoff="off").notices
    assert (notice.strong, notice.text) == (
        "All that comes near is listed,",
        "also what is probably not relevant.",
    )
    (notice,) = view(replace(FOUND, doubtful=True), cutoff="off", page=3, sections=("World",)).notices
    assert (notice.strong, notice.text) == (
        "These are the nearest articles,",
        "although probably none of them is relevant.",
    )
    assert notice.link is not None
    assert notice.link.url == "/search?q=river+flood&section=World"
    assert view(replace(FOUND, results=()), cutoff="off").notices == []
    assert view(FOUND, cutoff="off", query="").notices == []


def test_what_is_out_of_order_is_said_first() -> None:
    found = replace(FOUND, degraded=True, relaxed=True)
    assert ResultsView(found, URLS, notices=[LIST_GONE]).notices == [LIST_GONE, DEGRADED, RELAXED]


# Ways forward


def test_what_was_probably_meant_keeps_mode_and_filters_and_begins_at_the_first_page() -> None:
    asked = {"mode": "keyword", "sources": ("A",), "cutoff": "off", "page": 3, "sort": "newest"}
    meant = view(replace(FOUND, suggestion="river floods"), **asked).suggestion()
    assert meant is not None
    assert (meant.name, meant.url) == ("river floods", "/search?q=river+floods&mode=keyword&source=A&sort=newest")
    assert view(FOUND).suggestion() is None


def test_the_nearest_anyway_is_offered_where_the_cutoff_held_everything_back() -> None:
    nothing = replace(FOUND, results=(), total=0, no_good_match=True)
    assert view(nothing, mode="semantic").anyway() == "/search?q=river+flood&mode=semantic&cutoff=off"
    assert view(nothing, cutoff="off").anyway() is None
    assert view(FOUND).anyway() is None


def test_a_new_query_keeps_the_filters_but_neither_page_nor_cursor_nor_cutoff() -> None:
    asked = view(FOUND, mode="semantic", sources=("X", "Y"), cutoff="off", page=3, cursor="0123456789abcdef-20")
    assert asked.hidden_fields() == [("mode", "semantic"), ("source", "X"), ("source", "Y")]
    assert asked.hidden_fields_beside_dates()[-1] == ("cutoff", "off")


def test_every_link_of_a_page_by_cursor_starts_a_new_list() -> None:
    facets = Facets(source=[FacetValue(value="A", count=1), FacetValue(value="B", count=2)])
    found = view(replace(FOUND, facets=facets), cursor="0123456789abcdef-20", page=3, sections=("World",))
    urls = [*found.modes(), *found.sorts(), *found.chips(), *found.facets()[0].first]
    assert len(urls) == 9
    assert not [choice.url for choice in urls if "cursor" in choice.url or "page" in choice.url]
    assert found.article_url("a1").endswith("section=World&page=3"), "the way back outlives the cursor"


def test_without_a_query_there_is_no_best_match_to_order_by() -> None:
    assert [(sort.name, sort.chosen) for sort in view(FOUND, query="").sorts()] == [("Newest", True), ("Oldest", False)]
    assert [sort.name for sort in view(FOUND).sorts()] == ["Best match", "Newest", "Oldest"]
    assert [sort.chosen for sort in view(FOUND, query="", sort="oldest").sorts()] == [False, True]


# Filters


def facet(facets: Facets, title: str, **asked: object) -> Facet | None:
    lists = view(replace(FOUND, facets=facets), **asked).facets()
    return next((one for one in lists if one.title == title), None)


COUNTED = Facets(
    source=[FacetValue(value="The_Ledger", count=7), FacetValue(value="Radio Nine", count=2)],
    section=[FacetValue(value="World", count=5), FacetValue(value=None, count=4)],
    author=[FacetValue(value="Ada Quill", count=1)],
    language=[FacetValue(value="en", count=9)],
)


def test_a_filter_shows_how_many_articles_it_leaves() -> None:
    sources = facet(COUNTED, "Source")
    assert sources is not None
    assert [(choice.name, choice.count, choice.url) for choice in sources.first] == [
        ("The Ledger", 7, "/search?q=river+flood&source=The_Ledger"),
        ("Radio Nine", 2, "/search?q=river+flood&source=Radio+Nine"),
    ]


def test_a_filter_in_force_is_marked_and_its_link_takes_it_away() -> None:
    chosen = facet(COUNTED, "Source", sources=("The_Ledger",))
    assert chosen is not None
    assert [(choice.chosen, choice.url) for choice in chosen.first] == [
        (True, "/search?q=river+flood"),
        (False, "/search?q=river+flood&source=The_Ledger&source=Radio+Nine"),
    ]


def test_articles_without_a_value_are_counted_but_no_link() -> None:
    sections = facet(COUNTED, "Section")
    assert sections is not None
    assert [choice.name for choice in sections.first] == ["World"]
    assert (sections.without, sections.without_count) == ("No section", 4)


def test_the_authors_listed_are_beside_no_count_of_articles_without_one() -> None:
    authors = facet(COUNTED, "Author")
    assert authors is not None
    assert (authors.without, authors.without_count) == ("", 0)


def test_a_list_that_would_not_narrow_anything_is_left_out() -> None:
    assert facet(COUNTED, "Language") is None
    chosen = facet(COUNTED, "Language", languages=("en",))
    assert chosen is not None
    assert chosen.first[0].name == "English"
    assert facet(Facets(), "Language", languages=("en",)) is None
    assert facet(COUNTED, "Author") is not None, "not every article has an author"


def test_a_long_list_shows_its_first_values_and_keeps_the_rest() -> None:
    authors = facet(Facets(author=[FacetValue(value=f"A{n}", count=1) for n in range(30)]), "Author")
    assert authors is not None
    assert (len(authors.first), len(authors.rest)) == (8, 22)


def test_chips_take_away_one_filter_each() -> None:
    asked = view(FOUND, sources=("A", "B"), languages=("de",), date_from=date(2001, 3, 1), date_to=date(2001, 3, 31))
    assert [(chip.name, chip.url) for chip in asked.chips()] == [
        ("Source: A", "/search?q=river+flood&source=B&language=de&from=2001-03-01&to=2001-03-31"),
        ("Source: B", "/search?q=river+flood&source=A&language=de&from=2001-03-01&to=2001-03-31"),
        ("Language: German", "/search?q=river+flood&source=A&source=B&from=2001-03-01&to=2001-03-31"),
        ("From 1 March 2001", "/search?q=river+flood&source=A&source=B&language=de&to=2001-03-31"),
        ("To 31 March 2001", "/search?q=river+flood&source=A&source=B&language=de&from=2001-03-01"),
    ]
    assert asked.without_filters() == "/search?q=river+flood"


# Histogram


def drawn(*periods: Period) -> Histogram:
    return histogram(periods, url_of=lambda start, end: f"{start}..{end}")


def day(when: date, count: int = 1) -> Period:
    return Period(start=when, end=when, count=count)


def month(year: int, number: int, count: int = 1) -> Period:
    end = date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)
    return Period(start=date(year, number, 1), end=end, count=count)


def test_days_are_bars_with_room_for_the_days_between() -> None:
    bars = drawn(day(date(2016, 2, 28), 4), day(date(2016, 3, 1), 2))
    assert (bars.unit, bars.width) == ("day", 30)
    assert [(bar.name, bar.url, bar.slot, bar.height, bar.y) for bar in bars.bars] == [
        ("28 February 2016", "2016-02-28..2016-02-28", 0, HEIGHT, 0),
        ("1 March 2016", "2016-03-01..2016-03-01", 20, HEIGHT // 2, HEIGHT // 2),
    ]


def test_months_stay_months_while_they_fit() -> None:
    bars = drawn(month(2015, 12, 5), month(2016, 2, 1))
    assert bars.unit == "month"
    assert [(bar.name, bar.slot) for bar in bars.bars] == [("December 2015", 0), ("February 2016", 20)]
    assert bars.bars[1].url == "2016-02-01..2016-02-29"


def test_many_months_are_gathered_into_years_and_many_years_into_decades() -> None:
    years = drawn(month(2010, 1, 1), month(2010, 7, 2), month(2016, 1, 1))
    assert [(bar.name, bar.count, bar.url) for bar in years.bars] == [
        ("2010", 3, "2010-01-01..2010-12-31"),
        ("2016", 1, "2016-01-01..2016-12-31"),
    ]
    decades = drawn(month(1965, 1, 1), month(1969, 12, 1), month(2026, 1, 1), month(2027, 1, 7))
    assert [(bar.name, bar.count, bar.url) for bar in decades.bars] == [
        ("1960s", 2, "1960-01-01..1969-12-31"),
        ("2020s", 8, "2020-01-01..2029-12-31"),
    ]


@pytest.mark.parametrize(
    ("last", "unit"), [((1970, 2), "month"), ((1970, 3), "year"), ((2026, 12), "year"), ((2027, 1), "decade")]
)
def test_the_shortest_unit_is_taken_that_fits(last: tuple[int, int], unit: str) -> None:
    assert drawn(month(1965, 1), month(*last)).unit == unit


def test_a_single_article_among_thousands_is_still_to_be_seen() -> None:
    assert drawn(month(2016, 1, 100_000), month(2016, 2, 1)).bars[1].height == 3


def test_the_undated_are_counted_beside_the_bars() -> None:
    assert (drawn(month(2016, 1), Period(start=None, end=None, count=4)).undated) == 4
    assert drawn(Period(start=None, end=None, count=4)).bars == ()
    assert drawn().undated == 0


found_days = st.dictionaries(st.dates(), st.integers(1, 50), min_size=1, max_size=30)


@given(found_days)
def test_bars_count_every_article_once_in_order_and_inside_the_drawing(days: dict[date, int]) -> None:
    if max(days) - min(days) >= timedelta(days=62):
        counts: dict[tuple[int, int], int] = {}
        for when, count in days.items():
            counts[when.year, when.month] = counts.get((when.year, when.month), 0) + count
        periods = [Period(start=date(y, m, 1), end=date(y, m, 28), count=n) for (y, m), n in sorted(counts.items())]
    else:
        periods = [day(when, count) for when, count in sorted(days.items())]
    bars = drawn(*periods)
    assert sum(bar.count for bar in bars.bars) == sum(days.values())
    assert [bar.start for bar in bars.bars] == sorted({bar.start for bar in bars.bars})
    assert all(bar.end < other.start for bar, other in zip(bars.bars, bars.bars[1:], strict=False))
    for when, count in days.items():
        assert sum(bar.start <= when <= bar.end and bar.count >= count for bar in bars.bars) == 1
    for bar in bars.bars:
        assert 0 <= bar.slot < bar.x < bar.x + bars.bar_width < bar.slot + bars.slot_width <= bars.width
        assert 0 <= bar.y < bar.y + bar.height == bars.height
    assert bars.width // bars.slot_width <= MAX_SLOTS or bars.unit == "decade"


def test_a_bar_leads_to_its_days_alone() -> None:
    found = replace(FOUND, facets=Facets(published=[month(2016, 2), month(2016, 4)]))
    bars = view(found, date_from=date(2016, 1, 1), date_to=date(2016, 12, 31), page=4).timeline.bars
    assert bars[0].url == "/search?q=river+flood&from=2016-02-01&to=2016-02-29"


def test_a_bar_keeps_to_the_dates_that_were_asked_for() -> None:
    asked = {"date_from": date(2016, 3, 20), "date_to": date(2016, 9, 2)}
    months = replace(FOUND, facets=Facets(published=[month(2016, 3), month(2016, 5), month(2016, 9)]))
    assert [bar.url.partition("&")[2] for bar in view(months, **asked).timeline.bars] == [
        "from=2016-03-20&to=2016-03-31",
        "from=2016-05-01&to=2016-05-31",
        "from=2016-09-01&to=2016-09-02",
    ]
    years = replace(FOUND, facets=Facets(published=[month(2005, 7), month(2016, 3)]))
    bars = view(years, date_from=date(2005, 7, 4), date_to=date(2016, 3, 3)).timeline.bars
    assert [bar.url.partition("&")[2] for bar in bars] == [
        "from=2005-07-04&to=2005-12-31",
        "from=2016-01-01&to=2016-03-03",
    ]
    assert [bar.name for bar in bars] == ["2005", "2016"]


def test_a_bar_of_an_article_that_was_redated_meanwhile_leads_to_its_days() -> None:
    redated = replace(FOUND, facets=Facets(published=[month(2017, 1)]))
    (bar,) = view(redated, date_to=date(2016, 9, 2)).timeline.bars
    assert bar.url == "/search?q=river+flood&from=2017-01-01&to=2017-01-31"


# Why this?


def summary_of(result: Result, mode: Mode) -> str:
    found = why(result, mode)
    assert found is not None
    return found.summary


def test_why_it_matched_is_said_in_plain_words() -> None:
    far = LegScore(900, 0.02, 0.5, 0.01)
    assert summary_of(BOTH, "hybrid") == "your words and their meaning"
    assert summary_of(result(semantic=NEAR), "hybrid") == "its meaning: none of your words occur"
    assert summary_of(result(semantic=far), "hybrid") == "its meaning: none of your words occur"
    assert summary_of(result(keyword=WORDED, semantic=far), "hybrid") == "your words"
    assert summary_of(BOTH, "keyword") == "your words"
    assert summary_of(BOTH, "semantic") == "its meaning"


def test_why_it_matched_gives_place_score_weight_and_part_of_each_leg() -> None:
    beyond = LegScore(None, 0.714, 0.25, 0.1)
    found = why(result(keyword=WORDED, semantic=beyond, parts={"recency": 0.02}), "hybrid")
    assert found is not None
    assert [(row.name, row.place, row.score, row.weight, row.adds) for row in found.rows] == [
        ("Words", "number 3", "BM25 11.24", "50%", "0.400"),
        ("Meaning", "after number 1,000", "cosine 0.71", "25%", "0.100"),
        ("Newness", "", "", "", "0.020"),
    ]
    assert found.total == "0.520"


def test_a_leg_that_took_no_part_is_not_spoken_of() -> None:
    for mode, name in (("keyword", "Words"), ("semantic", "Meaning")):
        alone = result(keyword=replace(WORDED, part=0.4 if name == "Words" else 0.0),
                       semantic=replace(NEAR, part=0.5 if name == "Meaning" else 0.0))  # fmt: skip
        found = why(alone, mode)  # type: ignore[arg-type]
        assert found is not None
        assert [row.name for row in found.rows] == [name]
    wordless = why(result(semantic=NEAR), "hybrid")
    assert wordless is not None
    assert next((row.name, row.place, row.adds) for row in wordless.rows) == ("Words", "nothing found", "0.000")


parts = st.floats(-0.2, 1.2, allow_nan=False)


@given(parts, parts, parts)
def test_the_parts_as_shown_add_up_to_the_total_as_shown(keyword: float, semantic: float, recency: float) -> None:
    legs = result(
        keyword=replace(WORDED, part=keyword), semantic=replace(NEAR, part=semantic), parts={"recency": recency}
    )
    found = why(legs, "hybrid")
    assert found is not None
    assert sum(round(float(row.adds) * 1000) for row in found.rows) == round(float(found.total) * 1000)
    assert float(found.total) == pytest.approx(legs.score, abs=0.002)
    assert "-0.000" not in (found.total, *(row.adds for row in found.rows))


def test_words_are_told_with_the_fields_they_stand_in_and_the_sentence_that_is_meant() -> None:
    terms = (
        TermEvidence("river", 1, 1_004, 5.0),
        TermEvidence("flood", 0, 2, 3.0),
        TermEvidence("delta", 1, 0, 3.0),
    )
    found = why(replace(BOTH, terms=terms, sentence="The river rose."), "hybrid")
    assert found is not None
    assert found.words == ["river (title 1, text 1,004)", "flood (text 2)", "delta (title 1)"]
    assert found.sentence == "The river rose."
    assert found.likelihood == "About 80% of such hits are relevant."


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "Fewer than 5%"),
        (0.05, "About 10%"),
        (0.34, "About 30%"),
        (0.949, "About 90%"),
        (0.95, "More than 95%"),
        (1.0, "More than 95%"),
    ],
)
def test_a_probability_is_told_no_more_exactly_than_it_is_known(probability: float, words: str) -> None:
    assert likelihood(probability) == f"{words} of such hits are relevant."


def test_nothing_is_said_where_only_filters_chose() -> None:
    assert why(result(), "hybrid") is None
