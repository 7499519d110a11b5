import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from index.search import Search
from web import create_app, wording
from web.services import Services
from web.settings import Settings

FLOOD = newsroom.ORDINARY[0]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data"), site_name="Test & Tribune") as app:
        yield app


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, and its text."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        assert response.mimetype == "text/html"
        self.feed(response.text)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def facet_hrefs(self) -> list[str]:
        """Return the links after the results."""
        start = next(at for at, (_, attributes) in enumerate(self.elements) if attributes.get("id") == "filters")
        return [attributes.get("href") or "" for tag, attributes in self.elements[start:] if tag == "a"]

    def hrefs(self) -> list[str]:
        return [attributes.get("href") or "" for attributes in self.all("a")]


def page_of(client: FlaskClient, path: str, status: int = 200) -> Page:
    response = client.get(path)
    assert response.status_code == status, response.text[:500]
    return Page(response)


# Home


def test_the_front_page_says_what_the_archive_holds(client: FlaskClient, app: Flask) -> None:
    page = page_of(client, "/")
    stats = app.extensions["backfile"].store.stats()
    assert f"{stats.articles} articles from {stats.sources} sources, 2000 to 2020" in page.text
    assert [attributes["name"] for attributes in page.all("input")] == ["q"]


def test_the_front_page_leads_to_the_newest_eight(client: FlaskClient, app: Flask) -> None:
    newest = app.extensions["backfile"].store.newest(8)
    listed = [href for href in page_of(client, "/").hrefs() if href.startswith("/articles/")]
    assert listed[:8] == [f"/articles/{article.id}" for article in newest]


def test_the_front_pages_examples_find_something(client: FlaskClient) -> None:
    examples = [href for href in page_of(client, "/").hrefs() if href.startswith("/search?q=")]
    assert len(examples) == 3
    for example in examples:
        assert 'class="hit"' in client.get(example).text


def test_an_empty_archive_says_how_to_fill_it(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=services).test_client()
    assert "flask ingest PATH" in page_of(client, "/").text
    assert "No good match for “flood”" in page_of(client, "/search?q=flood").text
    services.close()


# Results


def test_the_query_stays_in_the_box(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=flood+%22in+Millbrook%22")
    assert page.all("input")[0]["value"] == 'flood "in Millbrook"'


def test_a_result_shows_where_it_is_from_when_and_why(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=flood+Millbrook&source=The+Ledger&to=2001-03-01")
    assert "1 article " in page.text
    assert "The flood reaches Millbrook, report 0" in page.text
    assert "The Ledger Weather 1 March 2001" in page.text
    assert {"datetime": "2001-03-01"} in page.all("time")
    assert "Why this? your words and their meaning" in page.text
    assert re.search(r"Words ?number \d ?BM25 \d+\.\d\d ?\d+% ?0\.\d{3} Meaning ?number \d ?cosine", page.text)
    assert re.search(r"Together ?[01]\.\d{3} Your words in it: flood \(title 1, text 1\), Millbrook \(", page.text)
    assert re.search(r"(About \d0|More than 95)% of such hits are relevant\.", page.text)
    assert "<mark>flood</mark>" in client.get("/search?q=flood").text


def test_the_sentence_that_is_meant_is_marked_and_the_marks_are_explained(client: FlaskClient) -> None:
    page = client.get("/search?q=deluge+inundation").text
    assert "Nearest in meaning: </span>The flood reaches Millbrook; people talk.</span>" in page
    assert "Nearest in meaning: The flood reaches Millbrook; people talk." in page_of(client, "/search?q=deluge").text
    legend = "The sentence nearest in meaning"
    assert page.count(legend) == 1
    assert legend not in client.get("/search?q=flood&mode=keyword").text


def test_an_undated_result_is_called_undated(client: FlaskClient) -> None:
    assert "undated" in page_of(client, "/search?q=letter+without+date&mode=keyword").text


def test_a_match_by_meaning_says_that_no_word_occurs(client: FlaskClient) -> None:
    assert "Why this? its meaning: none of your words occur" in page_of(client, "/search?q=deluge+inundation").text


def test_a_page_of_results_without_one_of_the_words_says_so_above_them(client: FlaskClient) -> None:
    warning = "None of your words occur."
    assert warning in page_of(client, "/search?q=deluge+inundation").text
    assert warning not in page_of(client, "/search?q=flood").text
    assert warning not in page_of(client, "/search?q=deluge+inundation&mode=semantic").text
    assert warning not in page_of(client, "/search").text


def test_a_page_of_results_that_do_not_hold_all_words_says_so_above_them(client: FlaskClient) -> None:
    assert "No article holds all your words." in page_of(client, "/search?q=flood+zebra").text
    assert "No article holds all your words." not in page_of(client, "/search?q=flood+Millbrook").text


def test_a_list_that_is_kept_no_longer_is_begun_again_and_says_so(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&page_size=5&cursor=0123456789abcdef-10&page=3")
    assert "This list of results was kept for a while and is gone." in page.text
    assert "/search?q=report&page=2&page_size=5" in page.hrefs()
    assert "1" in [attributes.get("start") for attributes in page.all("ol")]


def test_an_old_cursor_alone_does_not_say_what_was_searched_for(client: FlaskClient) -> None:
    page = page_of(client, "/search?cursor=0123456789abcdef-10")
    assert "of the same search" not in page.text
    assert "This list of results was kept for a while and is gone." in page.text
    assert "does not say what was searched for" in page.text


def test_a_page_by_cursor_leads_on_by_cursor_and_back_from_an_article_by_number(client: FlaskClient) -> None:
    cursor = client.get("/api/search?q=report&page_size=5").get_json()["cursor"]
    page = page_of(client, f"/search?q=report&page_size=5&cursor={cursor}")
    links = {attributes.get("rel"): attributes.get("href") or "" for attributes in page.all("a")}
    assert links["next"] == f"/search?q=report&page_size=5&cursor={cursor.replace('-5', '-10')}"
    assert links["prev"] == f"/search?q=report&page_size=5&cursor={cursor.replace('-5', '-0')}"
    assert ", page 2" in page.text
    back = page_of(client, next(href for href in page.hrefs() if href.startswith("/articles/"))).hrefs()
    assert "/search?q=report&page=2&page_size=5" in back


def test_ways_to_search_and_orders_are_plain_links(client: FlaskClient) -> None:
    hrefs = page_of(client, "/search?q=flood&mode=keyword&source=The+Ledger&page=2").hrefs()
    assert "/search?q=flood&source=The+Ledger" in hrefs
    assert "/search?q=flood&mode=semantic&source=The+Ledger" in hrefs
    assert "/search?q=flood&mode=keyword&source=The+Ledger&sort=newest" in hrefs


def test_a_filter_in_force_can_be_taken_away(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&source=The+Ledger&section=Weather&from=2001-03-01&to=2001-03-31")
    for chip in ("Source: The Ledger", "Section: Weather", "From 1 March 2001", "To 31 March 2001"):
        assert chip in page.text
    assert "/search?q=report&section=Weather&from=2001-03-01&to=2001-03-31" in page.hrefs()
    assert "/search?q=report&source=The+Ledger&section=Weather&to=2001-03-31" in page.hrefs()
    assert "/search?q=report" in page.hrefs()


def test_facets_add_filters_and_count_truly(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword")
    assert "/search?q=report&mode=keyword&source=The+Ledger" in page.hrefs()
    chosen = page_of(client, "/search?q=report&mode=keyword&source=The+Ledger&source=Radio+Nine")
    assert "/search?q=report&mode=keyword&source=The+Ledger" in chosen.facet_hrefs()
    counted = re.search(r"Weather (\d+)", page.text)
    assert counted
    assert f"{counted[1]} articles" in page_of(client, "/search?q=report&mode=keyword&section=Weather").text


def test_bars_lead_to_their_days_and_stand_in_a_table_too(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword")
    year = "/search?q=report&mode=keyword&from=2001-01-01&to=2001-12-31"
    assert page.hrefs().count(year) == 2, "once in the drawing, once in the table"
    bars = [attributes for attributes in page.all("a") if attributes.get("tabindex") == "-1"]
    assert year in {bar["href"] for bar in bars}
    assert {attributes.get("aria-hidden") for attributes in page.all("svg")} == {"true"}, (
        "the table is what is read out"
    )
    assert "Published by the year · 1 undated" in page.text
    counted = re.search(r"2001: (\d+) articles", page.text)
    assert counted
    assert re.search(rf"Articles by the year ?Year ?Articles .*2001 ?{counted[1]} ", page.text)
    assert f"{counted[1]} articles" in page_of(client, year).text
    assert re.search(r"Date unknown ?1 ", page.text)


def test_dates_are_left_by_one_step_outwards(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&from=2001-03-01&to=2001-03-31")
    assert "Zoom out: 2001" in page.text
    assert "/search?q=report&from=2001-01-01&to=2001-12-31" in page.hrefs()
    assert "Zoom out" not in page_of(client, "/search?q=report").text


def test_a_filter_in_force_shows_what_other_values_would_add(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&source=The+Ledger")
    both = "/search?q=report&mode=keyword&source=The+Ledger&source=Radio+Nine"
    assert both in page.hrefs()
    counted = client.get("/api/search?q=report&mode=keyword").get_json()["facets"]["source"]
    counts = {facet["value"]: facet["count"] for facet in counted}
    assert f"{counts['The Ledger']} articles" in page.text
    assert re.search(rf"Radio Nine {counts['Radio Nine']}\b", page.text)
    assert f"{counts['The Ledger'] + counts['Radio Nine']} articles" in page_of(client, both).text


def test_a_value_is_left_out_in_the_query_itself(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword")
    without = "/search?q=report+-source%3A%22The+Ledger%22&mode=keyword"
    assert without in page.hrefs()
    left_out = page_of(client, without)
    assert left_out.all("input")[0]["value"] == 'report -source:"The Ledger"'
    assert "Not Source: The Ledger" in left_out.text
    assert "/search?q=report&mode=keyword" in left_out.hrefs()
    assert "The Ledger Weather" not in left_out.text


def test_a_result_names_its_story_and_who_wrote_it(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=flood+Millbrook")
    assert "Part of a story: 12 articles from 3 outlets" in page.text
    assert [href for href in page.hrefs() if href.startswith("/stories/")]
    assert re.search(r"\d March 2001 Ada Quill", page.text)
    found = client.get("/api/search?q=flood+Millbrook&page_size=1").get_json()["results"][0]
    assert found["story"]["articles"] == 12
    assert found["story"]["links"]["page"] in page.hrefs()


def test_where_filters_leave_nothing_each_that_is_to_blame_is_named(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&section=Weather&source=Nowhere&to=2001-12-31")
    counted = re.search(r"search without “Source: Nowhere”: (\d+) articles", page.text)
    assert counted
    without = "/search?q=report&mode=keyword&section=Weather&to=2001-12-31"
    assert without in page.hrefs()
    assert f"{counted[1]} articles" in page_of(client, without).text
    assert "search without “Section" not in page.text, "that would find nothing either"


def test_a_search_is_cited_with_its_address_the_day_and_what_was_found(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&section=Weather&page=2&page_size=5")
    url = "http://localhost/search?q=report&mode=keyword&section=Weather"
    assert url in page.hrefs()
    counted = re.search(r"(\d+ articles), page 2", page.text)
    assert counted
    today = wording.long_day(datetime.now(UTC))
    said = f"Test & Tribune, search for “report”, Section: Weather: {counted[1]} on {today}. {url}"
    assert said in page.text


def test_the_same_search_as_json_is_named_in_the_head(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&page=2")
    (json_url,) = [link["href"] for link in page.all("link") if link.get("type") == "application/json"]
    assert json_url == "/api/search?q=report&mode=keyword&page=2"
    first = client.get(json_url).get_json()["results"][0]
    assert first["title"] in page.text


def test_pages_are_gone_to_directly_and_may_be_longer(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&page_size=1&page=10")
    numbered = {href.rpartition("page=")[2].partition("&")[0] for href in page.hrefs() if "page=" in href}
    assert {"8", "9", "11", "12"} <= numbered
    assert "/search?q=report&mode=keyword&page_size=1" in page.hrefs(), "the first page"
    assert "/search?q=report&mode=keyword&page_size=50" in page.hrefs()


def test_the_way_to_search_says_how_much_of_the_list_matches_the_words(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=flood&page_size=100")
    said = re.search(r"Words and meaning together; (?:all|(\d+)) of these", page.text)
    assert said
    by_words = client.get("/api/search?q=flood&mode=keyword").get_json()["total"]["value"]
    assert int(said[1] or client.get("/api/search?q=flood").get_json()["total"]["value"]) == by_words
    assert "Both also finds those that say it otherwise." in page_of(client, "/search?q=flood&mode=keyword").text


def test_what_has_no_value_is_counted_without_a_link(client: FlaskClient) -> None:
    page = page_of(client, "/search")
    assert re.search(r"No source \d", page.text)
    assert re.search(r"No section \d", page.text)
    assert not [href for href in page.facet_hrefs() if "None" in href or re.search(r"section=(&|$)", href)]


def test_authors_and_languages_narrow_down_too(client: FlaskClient) -> None:
    hrefs = page_of(client, "/search").facet_hrefs()
    assert "/search?author=Ada+Quill" in hrefs
    assert "/search?language=de" in hrefs
    assert "German 1" in page_of(client, "/search").text


def test_a_new_query_keeps_the_filters_through_hidden_fields(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=a&mode=semantic&source=X&source=Y&sort=newest&page=3")
    hidden = [(a["name"], a["value"]) for a in page.all("input")[:5] if a["type"] == "hidden"]
    assert hidden == [("mode", "semantic"), ("source", "X"), ("source", "Y"), ("sort", "newest")]


def test_pages_of_results_lead_to_each_other(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&page=2")
    links = {attributes.get("rel"): attributes.get("href") for attributes in page.all("a")}
    assert links["prev"] == "/search?q=report&mode=keyword"
    assert links["next"] == "/search?q=report&mode=keyword&page=3"
    for rel in ("prev", "next"):
        assert {"rel": rel, "href": links[rel]} in page.all("link")
    assert "11" in [attributes.get("start") for attributes in page.all("ol")]


def test_a_page_beyond_the_end_leads_to_the_last(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=report&mode=keyword&page=999")
    assert "These results end before page 999" in page.text
    last = next(href for href in page.hrefs() if "page=" in href)
    assert 'class="hit"' in client.get(last).text


def test_no_good_match_is_said_plainly_with_ways_forward(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=xyzzy&mode=keyword&source=The+Ledger")
    assert "No good match for “xyzzy”" in page.text
    assert (
        "Nothing in the archive that these filters let through is likely to be what you are looking for." in page.text
    )
    assert page.all("input")[0]["value"] == "xyzzy"
    assert "No articles" in page.text
    assert "/search?q=xyzzy&mode=keyword" in page.hrefs()
    assert "/search?q=xyzzy&source=The+Ledger" in page.hrefs()
    assert "/search?q=xyzzy&mode=keyword&source=The+Ledger&cutoff=off" in page.hrefs()
    assert "/search?sort=newest" in page.hrefs()


def test_the_nearest_anyway_are_said_to_be_no_more_than_that(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=xyzzy&cutoff=off")
    assert "These are the nearest articles, although probably none of them is relevant." in page.text
    assert "/search?q=xyzzy" in page.hrefs()
    assert "/articles/" in "".join(page.hrefs())
    assert ("q", "xyzzy") in [(a["name"], a["value"]) for a in page.all("input")]
    assert "cutoff" not in [a["name"] for a in page.all("input")[:2]]


def test_filters_that_let_nothing_through_are_no_question_of_a_good_match(client: FlaskClient) -> None:
    page = page_of(client, "/search?section=Nowhere")
    assert "No article found" in page.text
    assert "/search" in page.hrefs()


@pytest.mark.parametrize("query", ["fload", "fload+flood"])
def test_what_was_probably_meant_is_one_click_away(tmp_path: Path, query: str) -> None:
    services = newsroom.open_newsroom(tmp_path)
    services.made["search"] = Search(
        store=services.store,
        serving=services.serving,
        embedder=lambda _: services.embedder,
        fusion="sum",
        speller=lambda _: "flood <b>",
    )
    page = page_of(create_app(services=services).test_client(), f"/search?q={query}&source=The+Ledger")
    assert "Did you mean flood <b>?" in page.text
    assert "/search?q=flood+%3Cb%3E&source=The+Ledger" in page.hrefs()
    services.close()


def test_no_query_shows_everything_newest_first(client: FlaskClient) -> None:
    assert "All articles" in page_of(client, "/search").text
    assert "Why" not in page_of(client, "/search").text


def test_a_search_that_cannot_be_read_keeps_the_words(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=flood&from=yesterday", status=400)
    assert "from must be a day such as 2025-02-13, and it is yesterday" in page.text
    assert page.all("input")[0]["value"] == "flood"


def test_a_query_beyond_a_limit_stays_in_the_box_with_its_filters(client: FlaskClient) -> None:
    page = page_of(client, "/search?q=((((((flood&mode=keyword&source=The+Ledger&page=2", status=400)
    assert "This search asks for too much" in page.text
    assert "Parentheses stand at most 4 deep" in page.text
    kept = [("q", "((((((flood"), ("mode", "keyword"), ("source", "The Ledger")]
    assert [(a["name"], a["value"]) for a in page.all("input")] == kept


def test_a_mangled_cursor_is_refused_by_name(client: FlaskClient) -> None:
    assert "cursor must be the cursor of an earlier answer" in page_of(client, "/search?q=a&cursor=2", status=400).text


def test_days_typed_the_wrong_way_round_are_exchanged_and_nothing_is_lost(client: FlaskClient) -> None:
    turned = page_of(client, "/search?q=flood&source=Radio+Nine&from=2005-01-01&to=2001-01-01")
    assert "The first day was later than the last. The two were exchanged." in turned.text
    kept = {(a.get("name"), a.get("value")) for a in turned.all("input")}
    assert {("q", "flood"), ("source", "Radio Nine"), ("from", "2001-01-01"), ("to", "2005-01-01")} <= kept
    right = page_of(client, "/search?q=flood&source=Radio+Nine&from=2001-01-01&to=2005-01-01")
    assert "exchanged" not in right.text
    found = [href for href in right.hrefs() if href.startswith("/articles/")]
    assert found
    assert [href for href in turned.hrefs() if href.startswith("/articles/")] == found
    (twin,) = {a["href"] for a in turned.all("link") if a.get("type") == "application/json"}
    assert client.get(twin).status_code == 200
    refused = page_of(client, f"/search?q={'(' * 9}a&from=2005-01-01&to=2001-01-01", status=400)
    assert "Parentheses stand at most 4 deep" in refused.text
    assert client.get("/api/search?q=flood&from=2005-01-01&to=2001-01-01").status_code == 400


# Article


def test_an_article_is_shown_whole(client: FlaskClient) -> None:
    page = page_of(client, f"/articles/{newsroom.ORDINARY[2].id}")
    assert "The flood reaches Millbrook, report 2" in page.text
    assert "By Ada Quill and Ben Marsh" in page.text
    assert "It was seen by Mary Hallam, who wrote it down & sent it in." in page.text
    assert {"class": "original", "href": "https://outlet2.example/2", "rel": "noopener noreferrer"} in page.all("a")
    assert "Original at outlet2.example" in page.text
    for filter_ in ("source=Radio+Nine", "section=Weather", "author=Ada+Quill", "author=Ben+Marsh"):
        assert f"/search?{filter_}" in page.hrefs()
    assert "3 March 2001 1 minute to read" in page.text
    assert {"datetime": "2001-03-03"} in page.all("time")


def test_related_articles_stand_beside_it_with_lane_and_reason(client: FlaskClient) -> None:
    page = page_of(client, f"/articles/{FLOOD.id}")
    assert "Related articles What came after" in page.text
    assert "Same event elsewhere" in page_of(client, f"/articles/{newsroom.ORDINARY[5].id}").text
    assert "other outlet" in page.text
    linked = [href for href in page.hrefs() if re.fullmatch(r"/articles/\w+", href)]
    assert len(linked) == len(set(linked)) == 12, "six of the story and six others, none of them twice"
    assert f"/articles/{FLOOD.id}" not in linked


def test_the_way_back_to_the_results_is_kept(client: FlaskClient) -> None:
    results = "/search?q=report&mode=keyword&section=Weather&page=2&page_size=5"
    article = next(href for href in page_of(client, results).hrefs() if href.startswith("/articles/"))
    assert results in page_of(client, article).hrefs()
    assert "Back to" not in page_of(client, f"/articles/{FLOOD.id}").text
    assert "Back to" not in page_of(client, f"/articles/{FLOOD.id}?page=nonsense").text


def test_an_article_is_in_its_own_language(client: FlaskClient) -> None:
    page = page_of(client, f"/articles/{newsroom.GERMAN.id}")
    assert {"class": "story", "lang": "de", "dir": "ltr"} in page.all("article")
    assert "1 minute to read German" in page.text
    assert "to read English" not in page_of(client, f"/articles/{FLOOD.id}").text


def test_a_corrected_article_says_so(client: FlaskClient) -> None:
    page = page_of(client, f"/articles/{newsroom.CORRECTED.id}")
    assert "Version 2 of 2, updated by its source on 2 January 2011. What changed All versions" in page.text
    assert f"/articles/{newsroom.CORRECTED.id}/versions/2/changes" in page.hrefs()
    assert "Version 1" not in page_of(client, f"/articles/{FLOOD.id}").text


def test_an_article_withdrawn_while_its_page_is_made_is_gone(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        newsroom.withdraw_when_related_is_asked_for(app.extensions["backfile"], FLOOD.id)
        page = page_of(app.test_client(), f"/articles/{FLOOD.id}", status=410)
    assert "This article was withdrawn" in page.text


def test_a_withdrawn_article_is_gone_and_an_unknown_one_is_not_found(client: FlaskClient) -> None:
    gone = page_of(client, f"/articles/{newsroom.WITHDRAWN.id}", status=410)
    assert "This article was withdrawn" in gone.text
    assert newsroom.WITHDRAWN.title not in gone.text
    assert "There is no such page" in page_of(client, "/articles/0000000000000000", status=404).text
    assert newsroom.EMBARGOED.title not in page_of(client, f"/articles/{newsroom.EMBARGOED.id}", status=404).text


def test_an_address_with_capitals_leads_to_the_article(client: FlaskClient) -> None:
    assert FLOOD.id.upper() != FLOOD.id
    answer = client.get(f"/articles/{FLOOD.id.upper()}?q=flood&source=A%26B")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/articles/{FLOOD.id}?q=flood&source=A%26B")


def test_an_error_is_headed_in_plain_words(client: FlaskClient) -> None:
    assert "There is no such page" in page_of(client, "/nothing", status=404).text
    assert "This address cannot be read" in page_of(client, "/stories?page=x", status=400).text


def test_a_section_is_written_alike_in_the_list_on_the_article_and_on_its_card(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app, app.test_client() as client:
        small = replace(FLOOD, section="world_news")
        app.extensions["backfile"].store.put(small)
        for path in (
            "/search?section=world_news",
            "/search?q=flood",
            f"/articles/{small.id}",
            f"/articles/{small.id}/embed",
        ):
            assert "World news" in Page(client.get(path)).text, path


def test_a_query_without_end_is_cut_in_headings_and_titles_and_whole_in_the_box(client: FlaskClient) -> None:
    endless = "x" * 2000
    page = page_of(client, f"/search?q={endless}&mode=keyword")
    assert [a["value"] for a in page.all("input") if a.get("name") == "q"] == [endless]
    assert f"Results for {'x' * 100}…" in page.text
    assert "x" * 101 not in page.text
    for path in (f"/search.atom?q={endless}", f"/search.feed.json?q={endless}"):
        title = client.get(path).text.partition("<title>" if "atom" in path else '"title"')[2][:150]
        assert f"{'x' * 100}…" in title.encode().decode("unicode_escape" if "\\u" in title else "utf-8"), path


def test_a_page_past_the_end_does_not_count_itself(client: FlaskClient) -> None:
    text = page_of(client, "/search?q=flood&page=999").text
    assert ", page 999" not in text
    assert "These results end before page 999" in text


def test_characters_that_html_forbids_are_not_written(client: FlaskClient) -> None:
    asked = "q=a%00b%1f%c2%85&source=%07x&from=%01"
    for path in (
        f"/search?{asked}",
        f"/search?{asked[:-9]}",
        f"/saved/new?{asked[:-9]}",
        "/articles/%00",
        "/browse/sources?q=%00",
    ):
        text = client.get(path).text
        assert not re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]", text), path
    assert 'value="a b' in client.get(f"/search?{asked[:-9]}").text


# Hostile text


PATHS = [
    "/",
    "/search?q=nasty&page_size=100",
    *(f"/articles/{article.id}?q=nasty" for article in newsroom.NASTY),
    *(f"/articles/{article.id}/versions{page}" for article in newsroom.NASTY[:2] for page in ("", "/1")),
    *(f"/search?page_size=5&q={text}&source={text}" for text in (t.replace("&", "%26") for t in newsroom.HOSTILE)),
    *(f"/search?q={text}&from={text}" for text in (t.replace("&", "%26") for t in newsroom.HOSTILE)),
]


@pytest.mark.parametrize("path", PATHS)
def test_hostile_text_makes_no_element_no_handler_and_no_link(client: FlaskClient, path: str) -> None:
    page = Page(client.get(path))
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "link", "script", "body", "a", "header", "div", "search", "form", "label",
        "input", "button", "main", "section", "h1", "h2", "h3", "p", "span", "ol", "ul", "li", "time", "nav", "article",
        "mark", "details", "summary", "aside", "footer", "code", "strong", "q", "table", "thead", "tbody", "tr",
        "th", "td", "svg", "rect", "template", "text", "caption", "dl", "dt", "dd",
    }  # fmt: skip
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
    assert {attributes.get("class") for attributes in page.all("svg")} <= {"histogram", "ticks"}
    data = [attributes for attributes in page.all("script") if attributes.get("type") == "application/ld+json"]
    scripts = [attributes for attributes in page.all("script") if attributes not in data]
    assert all(re.match(r"/static/[\w-]+\.js\?v=\w+$", attributes["src"] or "") for attributes in scripts)
    for href in page.hrefs():
        assert re.match(r"/(?!/)|#|https?://", href), href
    assert "49" not in re.findall(r"Nasty (\d+)", page.text)


def test_hostile_text_is_still_readable(client: FlaskClient) -> None:
    assert f"Nasty {newsroom.HOSTILE[0]}" in page_of(client, f"/articles/{newsroom.NASTY[0].id}").text


def test_nothing_in_a_template_is_marked_safe() -> None:
    templates = (Path(__file__).resolve().parent.parent / "web" / "templates").glob("*.html")
    text = "".join(template.read_text(encoding="utf-8") for template in templates)
    assert "|safe" not in text.replace(" ", "")
    assert "autoescapefalse" not in text.replace(" ", "")
    assert not re.search(r"<style|style=|\son\w+=", text)


# Around the pages


@pytest.mark.parametrize("path", ["/", "/search?q=flood", f"/articles/{FLOOD.id}", "/nothing"])
def test_every_page_has_one_heading_landmarks_and_a_way_past_the_masthead(client: FlaskClient, path: str) -> None:
    page = Page(client.get(path))
    assert [len(page.all(tag)) for tag in ("h1", "main", "search", "footer")] == [1, 1, 1, 1]
    assert page.hrefs()[0] == "#main"
    assert page.all("main")[0]["id"] == "main"
    assert page.all("html")[0]["lang"] == "en"
    assert [tag for tag, _ in page.elements[: page.elements.index(("body", page.all("body")[0]))]].count("title") == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_sites_name_comes_from_the_settings(client: FlaskClient) -> None:
    assert "Test & Tribune" in page_of(client, "/").text


def test_an_unknown_address_and_a_wrong_method_get_a_page_in_words(client: FlaskClient) -> None:
    assert "There is nothing at this address" in page_of(client, "/nothing", status=404).text
    refused = client.post("/search")
    assert refused.status_code == 405
    assert "GET" in refused.headers["Allow"]
    assert "can be read, but not written to" in refused.text


def test_a_flash_is_listed_by_its_headline_alone(tmp_path: Path) -> None:
    flash = "Harbour bridge closed to all traffic"
    with newsroom.application(tmp_path) as app, app.test_client() as client:
        services = app.extensions["backfile"]
        services.store.put(newsroom.article(900, title=flash, body=f"{flash}."))
        services.builder.update()
        page = client.get("/search?q=harbour+bridge+closed&mode=keyword").text
    (hit,) = [each for each in page.split('<li class="hit">') if f">{flash}</a>" in each]
    assert 'class="snippet"' not in hit.partition("</article>")[0]
