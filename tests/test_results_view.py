"""What stands around the results of a page: notices, ways forward, filters, histogram, reasons."""

from calendar import monthrange
from collections.abc import Sequence
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
from index.search import Outline, SearchRequest, SearchResponse
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


def test_a_list_with_a_value_in_force_counts_what_each_value_would_add() -> None:
    beside = {"sources": Outline(9, True, COUNTED)}
    narrowed = replace(FOUND, facets=Facets(source=[FacetValue(value="Radio Nine", count=2)]))
    asked = replace(narrowed, request=replace(FOUND.request, sources=("Radio Nine",)))
    sources = ResultsView(asked, URLS, outlines=beside).facets()[0]
    assert [(choice.name, choice.count, choice.chosen) for choice in sources.first] == [
        ("Radio Nine", 2, True),
        ("The Ledger", 7, False),
    ]


def test_a_value_can_be_left_out_where_the_query_can_say_so() -> None:
    sources = facet(COUNTED, "Source")
    assert sources is not None
    assert sources.first[0].without == "/search?q=river+flood+-source%3A%22The_Ledger%22"
    chosen = facet(COUNTED, "Source", sources=("The_Ledger",))
    assert chosen is not None
    assert chosen.first[0].without == "", "it is in force"


def test_what_is_left_out_is_a_chip_that_takes_it_in_again() -> None:
    asked = view(FOUND, query='river -source:"The_Ledger" flood', sections=("World",))
    assert [(chip.name, chip.url) for chip in asked.chips()] == [
        ("Section: World", "/search?q=river+-source%3A%22The_Ledger%22+flood"),
        ("Not Source: The Ledger", "/search?q=river+flood&section=World"),
    ]
    assert asked.without_filters() == "/search?q=river+flood"


def test_ways_out_are_only_those_that_lead_somewhere() -> None:
    outlines = {
        "sources": Outline(0, True, Facets()),
        "languages": Outline(3, True, Facets()),
        "dates": Outline(1_200, False, Facets()),
    }
    asked = replace(
        FOUND.request, sources=("A",), languages=("de", "fr"), date_from=date(2001, 3, 1), date_to=date(2001, 3, 31)
    )
    ways = ResultsView(replace(FOUND, request=asked, results=(), total=0), URLS, outlines=outlines).ways_out()
    assert [(way.name, way.hint, way.count) for way in ways] == [
        ("Language: German, French", "3 articles", 3),
        ("1 March 2001 to 31 March 2001", "At least 1,200 articles", 1_200),
    ]
    assert ways[1].url == "/search?q=river+flood&source=A&language=de&language=fr"


def test_a_long_list_can_be_searched_by_typing() -> None:
    long = facet(Facets(author=[FacetValue(value=f"A{n}", count=1) for n in range(17)]), "Author")
    short = facet(Facets(author=[FacetValue(value=f"A{n}", count=1) for n in range(16)]), "Author")
    assert long is not None
    assert short is not None
    assert (str(long.find), short.find) == ("Find an author", "")


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
    end = date(year, number, monthrange(year, number)[1])
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


def test_days_and_weeks_stay_what_they_are() -> None:
    weeks = drawn(
        Period(start=date(2016, 2, 22), end=date(2016, 2, 28), count=2),
        Period(start=date(2016, 12, 26), end=date(2017, 1, 1), count=1),
    )
    assert weeks.unit == "week"
    assert [(bar.name, bar.slot, bar.url) for bar in weeks.bars] == [
        ("Week of 22 February 2016", 0, "2016-02-22..2016-02-28"),
        ("Week of 26 December 2016", 440, "2016-12-26..2017-01-01"),
    ]
    last = drawn(Period(start=date(9999, 12, 27), end=date.max, count=1)).bars[0]
    assert (last.start, last.end) == (date(9999, 12, 27), date.max)


@pytest.mark.parametrize(
    ("periods", "ticks"),
    [
        ((day(date(2016, 3, 1)), day(date(2016, 3, 5))), ["1 Mar", "2 Mar", "3 Mar", "4 Mar", "5 Mar"]),
        ((month(2015, 1), month(2016, 12)), ["Jan 2015", "Jul 2015", "Jan 2016", "Jul 2016"]),
        ((month(2012, 3), month(2017, 2)), ["2013", "2014", "2015", "2016", "2017"]),
        ((month(1965, 1), month(2016, 1)), ["1980", "2000"]),
        ((month(1, 1), month(9999, 12)), ["0s", "2000s", "4000s", "6000s", "8000s"]),
    ],
)
def test_the_axis_names_even_steps(periods: Sequence[Period], ticks: list[str]) -> None:
    assert [tick.name for tick in drawn(*periods).ticks] == ticks


def test_a_tick_stands_under_the_middle_of_its_bar_and_its_name_inside_the_drawing() -> None:
    ticks = drawn(*(month(2016, number) for number in range(1, 6))).ticks
    assert [(tick.at, tick.anchor) for tick in ticks] == [(10 + 20 * at, "middle") for at in range(5)]
    years = drawn(month(2000, 1), month(2039, 1), month(2040, 1)).ticks
    assert [(tick.name, tick.anchor) for tick in (years[0], years[-1])] == [("2000", "start"), ("2040", "end")]


@given(st.dates(), st.integers(0, 3_000))
def test_ticks_are_few_and_inside(first: date, months: int) -> None:
    number = min(12 * first.year + first.month - 1 + months, 12 * 10_000 - 1)
    ends = [month(first.year, first.month), month(number // 12, number % 12 + 1)]
    found = drawn(*ends[: 1 + (months > 0)])
    assert 1 <= len(found.ticks) <= 6 or found.unit == "decade"
    assert [tick.at for tick in found.ticks] == sorted(tick.at for tick in found.ticks)
    assert all(0 <= tick.at <= 100 for tick in found.ticks)


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


@pytest.mark.parametrize(
    ("first", "last", "name", "url"),
    [
        ("2016-03-07", "2016-03-07", "March 2016", "&from=2016-03-01&to=2016-03-31"),
        ("2016-03-01", "2016-03-31", "2016", "&from=2016-01-01&to=2016-12-31"),
        ("2016-03-20", "2016-04-02", "2016", "&from=2016-01-01&to=2016-12-31"),
        ("2016-01-01", "2016-12-31", "2010s", "&from=2010-01-01&to=2019-12-31"),
        ("2010-01-01", "2019-12-31", "all dates", ""),
        ("2009-05-01", "2010-05-01", "all dates", ""),
        ("2016-03-07", "", "all dates", ""),
        ("", "9999-12-31", "all dates", ""),
    ],
)
def test_one_zooms_out_a_level_at_a_time(first: str, last: str, name: str, url: str) -> None:
    days = {"date_from": first, "date_to": last}
    asked = {side: date.fromisoformat(day) for side, day in days.items() if day}
    wider = view(FOUND, **asked, page=3).zoomed_out()
    assert wider is not None
    assert (wider.name, wider.url) == (f"Zoom out: {name}", f"/search?q=river+flood{url}")
    assert view(FOUND).zoomed_out() is None


# Paging, and what is said of the whole


def test_pages_are_the_first_the_neighbours_and_the_last() -> None:
    def names(page: int, total: int) -> list[str]:
        return [
            ("*" if link.chosen else "") + link.name for link in view(replace(FOUND, total=total), page=page).pages()
        ]

    assert names(1, 10) == []
    assert names(1, 30) == ["*1", "2", "3"]
    assert names(6, 400) == ["1", "…", "4", "5", "*6", "7", "8", "…", "40"]
    assert names(5, 80) == ["1", "2", "3", "4", "*5", "6", "7", "8"], "a gap of one is no gap"
    assert view(replace(FOUND, total=400), page=6).pages()[-1].url == "/search?q=river+flood&page=40"
    folded = replace(FOUND, total=40, folded=20)
    assert [link.name for link in view(folded).pages()] == ["1", "2"], "what is folded takes no place"


def test_a_page_may_be_longer_where_there_is_more() -> None:
    sizes = view(replace(FOUND, total=30), page_size=20, page=2).page_sizes()
    assert [(size.name, size.chosen) for size in sizes] == [
        ("10", False),
        ("20", True),
        ("25", False),
        ("50", False),
        ("100", False),
    ]
    assert sizes[2].url == "/search?q=river+flood&page_size=25"
    assert view(replace(FOUND, total=10)).page_sizes() == []


def test_a_citation_names_the_search_its_filters_the_day_and_the_count() -> None:
    asked = view(replace(FOUND, complete=False), sources=("The_Ledger",), page=3, cursor="0123456789abcdef-20")
    cited = asked.citation(site="Backfile", root="https://news.example/", today=date(2026, 11, 29))
    assert cited.url == "https://news.example/search?q=river+flood&source=The_Ledger"
    assert cited.text == (
        "Backfile, search for “river flood”, Source: The Ledger: At least 30 articles on 29 November 2026. "
        "https://news.example/search?q=river+flood&source=The_Ledger"
    )
    everything = view(FOUND, query="").citation(site="B", root="http://x/", today=date(2026, 11, 29))
    assert everything.text == "B, search for all articles: 30 articles on 29 November 2026. http://x/search"


@pytest.mark.parametrize(
    ("mode", "total", "holding", "hint"),
    [
        ("hybrid", 30, None, "Your words and their meaning, weighed together."),
        ("hybrid", 30, 0, "Your words and their meaning, weighed together."),
        ("hybrid", 1_300, 14, "Words and meaning together; 14 of these 1,300 articles match all your words."),
        ("hybrid", 30, 1, "Words and meaning together; 1 of these 30 articles matches all your words."),
        ("hybrid", 30, 30, "Words and meaning together; all of these articles match all your words."),
        ("hybrid", 1, 1, "Words and meaning together; this article matches all your words."),
        ("keyword", 30, 30, "Only articles in which your words occur. Both also finds those that say it otherwise."),
    ],
)
def test_the_way_to_search_explains_itself(mode: Mode, total: int, holding: int | None, hint: str) -> None:
    modes = view(replace(FOUND, total=total, holding=holding), mode=mode).modes()
    assert [choice.hint for choice in modes if choice.chosen] == [hint]
    assert all(choice.hint.endswith(".") for choice in modes)


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
    assert found.words == "river (title 1, text 1,004), flood (text 2), delta (title 1)"
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
