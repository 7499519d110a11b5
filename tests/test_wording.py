import re
from dataclasses import replace
from datetime import UTC, date, datetime

import newsroom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from archive.article import Article
from index.facets import Facets
from index.search import SearchRequest, SearchResponse
from index.snippet import Excerpt
from web import wording
from web.examples import example_queries

SENSE = '<span class="sense"><span class="quiet">Nearest in meaning: </span>'


def test_highlights_are_escaped_before_they_are_marked() -> None:
    snippet = Excerpt("<b>flood</b> & rain", ((3, 8), (15, 19)))
    assert wording.marked(snippet) == "&lt;b&gt;<mark>flood</mark>&lt;/b&gt; &amp; <mark>rain</mark>"


def test_a_highlight_that_splits_markup_cannot_make_any() -> None:
    assert wording.marked(Excerpt("<script>", ((0, 1), (1, 7)))) == "<mark>&lt;</mark><mark>script</mark>&gt;"


def test_the_sentence_that_is_meant_is_marked_otherwise_than_the_words() -> None:
    snippet = Excerpt("It rains. The flood & the town. Ends.", ((14, 19),), (10, 31))
    assert wording.marked(snippet) == (f"It rains. {SENSE}The <mark>flood</mark> &amp; the town.</span> Ends.")


def test_a_word_across_the_border_of_the_sentence_is_marked_on_both_sides() -> None:
    assert wording.marked(Excerpt("abcdef", ((1, 3), (4, 6)), (2, 5))) == (
        f"a<mark>b</mark>{SENSE}<mark>c</mark>d<mark>e</mark></span><mark>f</mark>"
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Fire at the harbour", ""),
        ("FIRE at the harbour.", ""),
        ("Fire at the harbour. Two ships burn.", "Fire at the harbour. Two ships burn."),
        ("", ""),
    ],
)
def test_the_beginning_of_a_flash_does_not_repeat_its_headline(body: str, said: str) -> None:
    assert wording.beginning(newsroom.article(1, title="Fire at the harbour", body=body)) == said


ranges = st.tuples(st.integers(-5, 50), st.integers(-5, 50))


@given(st.text(max_size=40), st.lists(ranges, max_size=6), st.none() | ranges)
def test_marks_are_all_that_is_added_whatever_the_offsets(
    text: str, spans: list[tuple[int, int]], sentence: tuple[int, int] | None
) -> None:
    marked = str(wording.marked(Excerpt(text, tuple(spans), sentence)))
    tags = ("<mark>", "</mark>", SENSE, "</span>")
    assert marked.count(tags[0]) == marked.count(tags[1])
    assert 2 * marked.count(tags[2]) == marked.count(tags[3])  # what is said before it is closed as well
    depths = {tags[0]: 1, tags[1]: -1, tags[2]: 2, tags[3]: -2}
    depth = 0
    for tag in re.findall("|".join(tags), marked):
        depth += depths[tag]
        assert depth in (0, 1, 2, 3), "a mark may lie in the sentence, nothing else in anything"
        assert (tag, depth) not in ((tags[2], 3), (tags[3], 1)), "the sentence neither begins nor ends inside a mark"
    for tag in tags:
        marked = marked.replace(tag, "")
    assert marked == "".join(str(escape(c)) for c in text)


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
    assert wording.found_line(response) == "1,200 articles"
    assert wording.found_line(replace(response, total=1)) == "1 article"
    assert wording.found_line(replace(response, total=0, complete=False)) == "No articles"
    assert wording.found_line(replace(response, complete=False)) == "At least 1,200 articles"


@pytest.mark.parametrize(
    ("tag", "name"), [("en", "English"), ("pt-BR", "Portuguese (Brazil)"), ("EN", "English"), ("tlh", "tlh"), ("", "")]
)
def test_a_language_is_named_where_it_has_a_name(tag: str, name: str) -> None:
    assert wording.language_name(tag) == name


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


@pytest.mark.parametrize(
    ("length", "size"), [(1, "usual"), (110, "usual"), (111, "long"), (300, "long"), (5000, "endless")]
)
def test_the_longer_a_headline_the_smaller_it_is_set(length: int, size: str) -> None:
    assert wording.headline_size("x" * length) == size


def test_a_moment_has_its_hour_and_zone_where_it_is_more_than_a_day() -> None:
    assert wording.moment_text(datetime(2001, 3, 2, tzinfo=UTC)) == "2 March 2001"
    assert wording.moment_text(datetime(2001, 3, 2, 9, 5, tzinfo=UTC)) == "2 March 2001, 09:05 UTC"


def test_reading_takes_a_minute_at_least_and_words_without_spaces_count_too() -> None:
    assert [wording.reading_minutes(text) for text in ("", "word " * 690, "洪水" * 1000)] == [1, 3, 4]
