import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from archive.errors import ArchiveDamaged
from index.query import MAX_QUERY_CHARS, MAX_WORDS
from index.search import Search
from web import create_app
from web.services import Services
from web.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FLOOD = newsroom.ORDINARY[0]


@pytest.fixture
def own_app(tmp_path: Path) -> Iterator[Flask]:
    """An application that the test may damage; its data lie in `tmp_path`."""
    with newsroom.application(tmp_path) as app:
        yield app


def body_of(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    body = response.get_json()
    assert isinstance(body, dict)
    return body


def search(client: FlaskClient, query_string: str) -> dict[str, Any]:
    return body_of(client.get(f"/api/search?{query_string}"))


def titles(found: dict[str, Any]) -> list[str]:
    return [result["title"] for result in found["results"]]


# Searching


def test_a_search_finds_by_words_and_says_what_it_did(client: FlaskClient) -> None:
    found = search(client, "q=flood+Millbrook")
    assert all("flood" in title for title in titles(found))
    assert (found["query"], found["mode"], found["page"], found["page_size"]) == ("flood Millbrook", "hybrid", 1, 10)
    assert (found["generation"], found["degraded"], found["suggestion"]) == (1, False, None)
    assert found["total"]["value"] >= 10


def test_a_search_finds_by_meaning_where_no_word_occurs(client: FlaskClient) -> None:
    found = search(client, "q=deluge+inundation&mode=semantic")
    assert "flood" in titles(found)[0]
    assert search(client, "q=deluge+inundation&mode=keyword")["results"] == []


def test_every_filter_binds(client: FlaskClient) -> None:
    for name, value, key in (
        ("source", "The Ledger", "source"),
        ("section", "Politics", "section"),
        ("language", "de", "language"),
    ):
        found = search(client, f"q=report&cutoff=off&{name}={quote_plus(value)}&page_size=100")
        assert found["results"]
        assert {result[key] for result in found["results"]} == {value}
    found = search(client, "q=report&author=Ben+Marsh")
    assert found["results"]
    assert all("Ben Marsh" in result["authors"] for result in found["results"])


def test_both_days_of_a_range_are_inside_it(client: FlaskClient) -> None:
    found = search(client, "from=2001-03-02&to=2001-03-03&sort=oldest")
    assert [result["published_at"] for result in found["results"]] == ["2001-03-02T00:00:00Z", "2001-03-03T00:00:00Z"]


@pytest.mark.parametrize("days", ["from=0001-01-01&to=9999-12-31", "to=0001-01-01", "from=9999-12-31"])
def test_the_ends_of_the_calendar_are_days_like_any_other(client: FlaskClient, days: str) -> None:
    assert search(client, days)["degraded"] is False


def test_results_are_ordered_by_time_when_asked(client: FlaskClient) -> None:
    newest = [result["published_at"] for result in search(client, "q=report&sort=newest")["results"]]
    oldest = [result["published_at"] for result in search(client, "q=report&sort=oldest")["results"]]
    assert newest == sorted(newest, reverse=True)
    assert oldest == sorted(oldest)
    assert newest != oldest


def test_explain_is_given_only_when_asked_for(client: FlaskClient) -> None:
    plain = search(client, "q=flood")
    assert "explain" not in plain["results"][0]
    explained = search(client, "q=flood&explain=1")
    reasons = {"keyword", "semantic", "complete", "passages", "feedback", "probability"}
    assert set(explained["results"][0]["explain"]) == reasons
    assert explained["links"]["self"].endswith("explain=1")
    for result in explained["results"]:
        result.pop("explain")
    assert explained["results"] == plain["results"]


QUERIES = (
    "flood Millbrook",
    "report",
    '"people talk" flood',
    "seen by Mary -comet",
    "deluge",
    "flod~ OR elect*",
    "nasty",
)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_the_reasons_of_every_hit_add_up(client: FlaskClient, query: str, mode: str) -> None:
    found = search(client, f"q={quote_plus(query)}&mode={mode}&explain=1&cutoff=off&page_size=100")
    assert found["results"] or (query, mode) == ("deluge", "keyword")
    for result in found["results"]:
        explain = result["explain"]
        parts = [reason["part"] for reason in explain.values() if isinstance(reason, dict)]
        assert sum(parts) == pytest.approx(result["score"], abs=1e-6, rel=0)
        assert explain["probability"] == result["probability"]
        if mode != "semantic":
            told = sum(term["score"] for term in explain["keyword"]["terms"])
            assert told == pytest.approx(explain["keyword"]["score"] or 0.0, abs=1e-6, rel=0)
        assert {explain["keyword"]["weight"], explain["semantic"]["weight"]} <= {0.0, 1.0} or mode == "hybrid"


def test_newness_is_a_part_of_its_own_where_it_counts(tmp_path: Path) -> None:
    with newsroom.application(tmp_path, recency=0.3) as app:
        found = search(app.test_client(), "q=report&explain=1&page_size=100")
    for result in found["results"]:
        explain = result["explain"]
        assert 0 <= explain["recency"]["part"] <= 0.3
        parts = sum(reason["part"] for reason in explain.values() if isinstance(reason, dict))
        assert parts == pytest.approx(result["score"], abs=1e-6, rel=0)
    newness = {result["published_at"]: result["explain"]["recency"]["part"] for result in found["results"]}
    assert newness.pop(None) == 0
    assert newness[max(newness)] > newness[min(newness)] > 0


def test_the_sentence_that_is_meant_stands_in_the_snippet(client: FlaskClient) -> None:
    results = search(client, "q=deluge+inundation&explain=1")["results"]
    told = [result["explain"]["semantic"]["sentence"] for result in results]
    assert "The flood reaches Millbrook; people talk." in told
    for result, sentence in zip(results, told, strict=True):
        place = result["snippet"]["sentence"]
        assert (sentence is None) == (place is None)
        assert sentence is None or result["snippet"]["text"][slice(*place)] == sentence
    for result in search(client, "q=flood&mode=keyword&explain=1")["results"]:
        assert result["snippet"]["sentence"] is None


def test_a_probability_is_given_where_something_was_looked_for(client: FlaskClient) -> None:
    assert all(0 < result["probability"] <= 1 for result in search(client, "q=flood")["results"])
    assert {result["probability"] for result in search(client, "section=Weather")["results"]} == {None}


def test_gibberish_has_no_good_match_and_the_nearest_are_there_for_the_asking(client: FlaskClient) -> None:
    nothing = search(client, "q=xyzzy+plugh")
    assert (nothing["no_good_match"], nothing["total"], nothing["results"]) == (
        True,
        {"value": 0, "relation": "eq"},
        [],
    )
    nearest = search(client, "q=xyzzy+plugh&cutoff=off")
    assert nearest["results"]
    assert nearest["no_good_match"] is False
    assert nearest["links"]["self"] == "/api/search?q=xyzzy+plugh&cutoff=off"


def test_a_query_that_no_article_holds_whole_is_relaxed_and_says_so(client: FlaskClient) -> None:
    assert search(client, "q=flood+zebra")["relaxed"] is True
    assert search(client, "q=flood+Millbrook")["relaxed"] is False


def test_what_was_probably_meant_is_suggested(own_app: Flask) -> None:
    services: Services = own_app.extensions["backfile"]
    services.made["search"] = Search(
        store=services.store,
        serving=services.serving,
        embedder=lambda _: services.embedder,
        fusion="sum",
        speller={"fload millbrok": "flood millbrook"}.get,
    )
    assert search(own_app.test_client(), "q=fload+millbrok")["suggestion"] == "flood millbrook"
    assert search(own_app.test_client(), "q=flood+Millbrook")["suggestion"] is None


def test_highlights_are_the_querys_words_in_the_snippet(client: FlaskClient) -> None:
    snippet = search(client, "q=flood+Millbrook&mode=keyword")["results"][0]["snippet"]
    marked = {snippet["text"][start:end] for start, end in snippet["highlights"]}
    assert marked == {"flood", "Millbrook"}


def test_following_next_visits_every_result_once(client: FlaskClient) -> None:
    seen: list[str] = []
    url: str | None = "/api/search?q=report&mode=keyword&page_size=7"
    while url:
        found = body_of(client.get(url))
        seen += [result["id"] for result in found["results"]]
        assert found["links"]["self"] == url
        url = found["links"]["next"]
    assert len(seen) == len(set(seen)) == found["total"]["value"] > 14
    assert found["links"]["prev"] == f"/api/search?q=report&mode=keyword&page={found['page'] - 1}&page_size=7"


def test_a_cursor_leads_through_one_list_while_articles_come_in_and_others_search(own_app: Flask) -> None:
    services: Services = own_app.extensions["backfile"]
    client = own_app.test_client()
    found = search(client, "q=report&page_size=7")
    total = found["total"]["value"]
    seen = [result["id"] for result in found["results"]]
    number = 1000
    while found["cursor"]:
        services.store.put(newsroom.article(number, title="Report, report, report"))
        services.builder.update()
        services.serving.catch_up()
        assert search(client, "q=report&page_size=7")["total"]["value"] > total, "a new search finds it"
        found = search(client, f"q=report&page_size=7&cursor={found['cursor']}")
        assert found["total"] == {"value": total, "relation": "eq"}
        assert sum(facet["count"] for facet in found["facets"]["source"]) == total
        seen += [result["id"] for result in found["results"]]
        number += 1
    assert len(seen) == len(set(seen)) == total > 14
    assert found["page"] == number - 1000 + 1


def test_links_by_cursor_lead_forth_and_back(client: FlaskClient) -> None:
    first = search(client, "q=report&page_size=7")
    second = search(client, f"q=report&page_size=7&cursor={first['cursor']}")
    assert (second["page"], second["links"]["self"]) == (
        2,
        f"/api/search?q=report&page_size=7&cursor={first['cursor']}",
    )
    third = body_of(client.get(second["links"]["next"]))
    assert third["results"] == search(client, "q=report&page_size=7&page=3")["results"]
    assert body_of(client.get(third["links"]["prev"]))["results"] == second["results"]
    back = body_of(client.get(second["links"]["prev"]))
    assert (back["results"], back["links"]["prev"]) == (first["results"], None)
    header = client.get(second["links"]["self"]).headers["Link"]
    assert header == f'<{second["links"]["next"]}>; rel="next", <{second["links"]["prev"]}>; rel="prev"'


def test_a_cursor_decides_where_a_page_number_stands_beside_it(client: FlaskClient) -> None:
    cursor = search(client, "q=report&page_size=7")["cursor"]
    assert search(client, f"q=report&page_size=7&cursor={cursor}&page=4")["page"] == 2


def test_an_expired_cursor_is_gone_and_says_to_begin_again(client: FlaskClient) -> None:
    problem = problem_of(client.get("/api/search?q=report&cursor=0123456789abcdef-10"), 410)
    assert problem["parameter"] == "cursor"
    assert "begin again" in problem["detail"]


def test_paging_stands_in_the_link_header_too(client: FlaskClient) -> None:
    answer = client.get("/api/search?q=report&page=2&page_size=5")
    links = answer.get_json()["links"]
    assert answer.headers["Link"] == f'<{links["next"]}>; rel="next", <{links["prev"]}>; rel="prev"'
    assert "Link" not in client.get("/api/search?q=report&page_size=100").headers


def test_a_page_beyond_the_end_is_empty_and_leads_back(client: FlaskClient) -> None:
    found = search(client, "q=report&page=900")
    assert found["results"] == []
    assert found["links"]["next"] is None
    assert body_of(client.get(found["links"]["prev"]))["results"]


def test_withdrawn_and_embargoed_articles_are_not_found(client: FlaskClient) -> None:
    for query in ("Withdrawn+words", "Tomorrow%27s+words"):
        shown = titles(search(client, f"q={query}&page_size=100"))
        assert newsroom.WITHDRAWN.title not in shown
        assert newsroom.EMBARGOED.title not in shown


@pytest.mark.parametrize(
    "query",
    ["", "q=report", "q=flood", "q=nasty&cutoff=off", "q=report&mode=keyword&section=Weather", "from=2001-03-01"],
)
def test_the_counts_of_every_field_with_one_value_add_up_to_the_total(client: FlaskClient, query: str) -> None:
    found = search(client, f"{query}&page_size=1")
    for name in ("source", "section", "language", "published"):
        assert sum(facet["count"] for facet in found["facets"][name]) == found["total"]["value"] > 1, name


def test_articles_without_a_value_are_counted_under_null(client: FlaskClient) -> None:
    facets = search(client, "")["facets"]
    assert facets["source"][-1]["value"] is None
    assert facets["section"][-1]["value"] is None
    assert (facets["published"][-1]["from"], facets["published"][-1]["to"]) == (None, None)
    assert None not in {facet["value"] for facet in facets["author"]}


# Articles and related articles


def test_an_article_is_given_whole(client: FlaskClient) -> None:
    given = body_of(client.get(f"/api/articles/{FLOOD.id}"))
    assert list(given) == [
        "id", "url", "title", "derived_title", "source", "section", "authors", "language", "published_at",
        "updated_at", "version", "status", "note", "body", "versions", "copies_total", "copies", "story", "links",
    ]  # fmt: skip
    assert (given["title"], given["body"], given["status"]) == (FLOOD.title, FLOOD.body, "live")
    assert given["published_at"] == "2001-03-01T00:00:00Z"
    assert given["links"]["related"] == f"/api/articles/{FLOOD.id}/related"


def test_every_version_of_an_article_is_listed(client: FlaskClient) -> None:
    given = body_of(client.get(f"/api/articles/{newsroom.CORRECTED.id}"))
    assert (given["version"], given["title"]) == (2, "Second wording")
    assert [(entry["version"], entry["title"]) for entry in given["versions"]] == [
        (1, "First wording"),
        (2, "Second wording"),
    ]
    assert given["versions"][1]["updated_at"] == "2011-01-02T00:00:00Z"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["ingested_at"]) for entry in given["versions"])


def test_what_is_unknown_is_null(client: FlaskClient) -> None:
    given = body_of(client.get(f"/api/articles/{newsroom.UNDATED.id}"))
    assert (given["published_at"], given["source"], given["section"], given["authors"]) == (None, None, None, [])


def test_related_articles_are_of_the_story_and_never_the_article_itself(client: FlaskClient) -> None:
    related = body_of(client.get(f"/api/articles/{FLOOD.id}/related"))
    assert list(related) == ["id", "generation", "degraded", "results"]
    assert related["id"] == FLOOD.id
    assert len(related["results"]) == 5
    assert FLOOD.id not in {result["id"] for result in related["results"]}
    assert all("flood" in result["title"] for result in related["results"])
    assert all(result["lane"] and result["reason"] for result in related["results"])


def test_as_many_related_articles_as_asked(client: FlaskClient) -> None:
    assert len(body_of(client.get(f"/api/articles/{FLOOD.id}/related?limit=2"))["results"]) == 2


# Health


def test_readiness_says_ok_and_what_there_is(client: FlaskClient, app: Flask) -> None:
    answer = client.get("/readyz")
    services: Services = app.extensions["backfile"]
    assert body_of(answer) == {
        "status": "ok",
        "generation": 1,
        "degraded": False,
        "articles": services.store.stats().articles,
        "pending_changes": 1,  # the one that was withdrawn since
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_health_counts_what_the_index_does_not_hold_yet(own_app: Flask) -> None:
    services: Services = own_app.extensions["backfile"]
    health = own_app.test_client()
    before = body_of(health.get("/readyz"))["pending_changes"]
    services.store.remove(FLOOD.id)
    assert body_of(health.get("/readyz"))["pending_changes"] == before + 1
    services.builder.update()
    assert body_of(health.get("/readyz"))["pending_changes"] == 0


def test_without_its_index_everything_still_answers_and_says_so(own_app: Flask, tmp_path: Path) -> None:
    client = own_app.test_client()
    shutil.rmtree(tmp_path / "index")
    assert body_of(client.get("/readyz")) | {"articles": 0} == {
        "status": "degraded",
        "generation": None,
        "degraded": True,
        "articles": 0,
        "pending_changes": 1,  # the one that was withdrawn since
    }
    found = search(client, "q=flood")
    assert found["degraded"] is True
    assert found["results"]
    assert body_of(client.get(f"/api/articles/{FLOOD.id}/related"))["degraded"] is True
    assert "not at full strength" in client.get("/search?q=flood").text
    assert client.get(f"/articles/{FLOOD.id}").status_code == 200


# Validators


@pytest.mark.parametrize(
    "path", ["/api/search?q=flood", f"/api/articles/{FLOOD.id}", f"/api/articles/{FLOOD.id}/related"]
)
def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    assert re.fullmatch(r'W/"1-[0-9a-f]{16}"', first.headers["ETag"])
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(path, headers={"If-None-Match": 'W/"1-0000000000000000"'}).status_code == 200


def test_a_takedown_changes_the_validator_before_the_next_generation(own_app: Flask) -> None:
    client = own_app.test_client()
    before = client.get("/api/search?q=flood").headers["ETag"]
    own_app.extensions["backfile"].store.remove(FLOOD.id)
    after = client.get("/api/search?q=flood", headers={"If-None-Match": before})
    assert after.status_code == 200
    assert FLOOD.id not in after.text


# Errors


def problem_of(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = json.loads(answer.data)
    assert {"type", "title", "status", "detail", "instance"} <= set(problem)
    assert problem["status"] == status
    assert isinstance(problem, dict)
    return problem


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/search?mode=best", "mode"),
        ("/api/search?sort=random", "sort"),
        ("/api/search?from=yesterday", "from"),
        ("/api/search?from=2020-01-02&to=2020-01-01", "to"),
        ("/api/search?page=0", "page"),
        ("/api/search?page_size=101", "page_size"),
        ("/api/search?explain=yes", "explain"),
        ("/api/search?cutoff=half", "cutoff"),
        ("/api/search?cursor=second", "cursor"),
        (f"/api/articles/{FLOOD.id}/related?limit=21", "limit"),
    ],
)
def test_a_bad_parameter_is_a_problem_that_names_it(client: FlaskClient, path: str, parameter: str) -> None:
    problem = problem_of(client.get(path), 400)
    assert problem["parameter"] == parameter
    assert problem["detail"] == f"{parameter} must be {problem['expected']}"
    assert len(problem["value"]) <= 200
    assert problem["instance"] == path


@pytest.mark.parametrize(
    ("query", "limit"),
    [("a" * (MAX_QUERY_CHARS + 1), "characters"), ("(" * 6 + "a", "depth"), ("a " * (MAX_WORDS + 1), "words")],
)
def test_a_query_beyond_a_limit_is_a_problem_that_names_the_limit(client: FlaskClient, query: str, limit: str) -> None:
    problem = problem_of(client.get(f"/api/search?q={quote_plus(query)}"), 400)
    assert (problem["parameter"], problem["limit"]) == ("q", limit)
    assert len(problem["value"]) <= 200
    assert problem["detail"].endswith(".")


def test_a_prefix_that_stands_for_too_many_words_is_a_problem_too(own_app: Flask) -> None:
    services: Services = own_app.extensions["backfile"]
    body = " ".join(f"quo{first}{second}" for first in "bcdfghklmnprt" for second in "aeioubcdfgh")
    services.store.put(newsroom.article(1000, body=body))
    services.builder.update()
    problem = problem_of(own_app.test_client().get("/api/search?q=quo*"), 400)
    assert problem["parameter"] == "q"
    assert "quo" in problem["detail"]
    assert search(own_app.test_client(), "q=quob*")["results"]


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/articles/0000000000000000", "/api/articles/x"])
def test_what_is_not_there_is_a_problem_too(client: FlaskClient, path: str) -> None:
    assert problem_of(client.get(path), 404)["title"] == "Not Found"


def test_an_embargoed_article_does_not_exist_yet(client: FlaskClient) -> None:
    problem_of(client.get(f"/api/articles/{newsroom.EMBARGOED.id}"), 404)
    problem_of(client.get(f"/api/articles/{newsroom.EMBARGOED.id}/related"), 404)


def test_a_withdrawn_article_is_gone(client: FlaskClient) -> None:
    gone = client.get(f"/api/articles/{newsroom.WITHDRAWN.id}")
    assert problem_of(gone, 410)["detail"] == "This article was withdrawn."
    assert "Withdrawn words" not in gone.text
    problem_of(client.get(f"/api/articles/{newsroom.WITHDRAWN.id}/related"), 410)


def test_an_article_withdrawn_while_it_is_asked_about_is_gone(own_app: Flask) -> None:
    newsroom.withdraw_when_related_is_asked_for(own_app.extensions["backfile"], FLOOD.id)
    problem = problem_of(own_app.test_client().get(f"/api/articles/{FLOOD.id}/related"), 410)
    assert problem["detail"] == "This article was withdrawn."


@pytest.mark.parametrize("path", ["/api/search", f"/api/articles/{FLOOD.id}", "/healthz", "/readyz", "/metrics"])
def test_writing_is_refused_and_says_what_is_allowed(client: FlaskClient, path: str) -> None:
    answer = client.post(path)
    problem_of(answer, 405)
    assert "GET" in answer.headers["Allow"]


class Broken(Services):
    """Services whose archive fails as told."""

    failure: Exception

    @property
    def store(self) -> Any:  # noqa: ANN401 -- never returns
        raise self.failure


def broken_client(tmp_path: Path, failure: Exception) -> FlaskClient:
    broken = Broken(Settings(data=tmp_path))
    broken.failure = failure
    return create_app(services=broken).test_client()


def test_a_fault_of_ours_is_a_problem_that_leaks_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = broken_client(tmp_path, RuntimeError("secret /srv/path"))
    problem = problem_of(client.get(f"/api/articles/{FLOOD.id}"), 500)
    assert "secret" not in json.dumps(problem)
    assert "secret /srv/path" in caplog.text
    page = client.get("/")
    assert (page.status_code, page.mimetype) == (500, "text/html")
    assert "secret" not in page.text


def test_an_archive_that_cannot_be_opened_is_unavailable_for_now(tmp_path: Path) -> None:
    client = broken_client(tmp_path, ArchiveDamaged("secret /srv/path"))
    answer = client.get(f"/api/articles/{FLOOD.id}")
    assert "secret" not in json.dumps(problem_of(answer, 503))
    assert answer.headers["Retry-After"] == "10"
    problem_of(client.get("/readyz"), 503)
    assert client.get("/healthz").status_code == 200, "a restart would not mend it"
    assert client.get("/").status_code == 503


# What comes in and goes out


@pytest.mark.parametrize("text", [*newsroom.HOSTILE, "%ED%A0%80", "\x00", "ａ" * 50, '"', "-", "a:b:c", "((((", "\\"])
def test_any_text_is_a_query(client: FlaskClient, text: str) -> None:
    query = text if text.startswith("%ED") else quote_plus(text)
    for mode in ("hybrid", "keyword", "semantic"):
        search(client, f"q={query}&mode={mode}")


def test_hostile_text_comes_back_as_data(client: FlaskClient) -> None:
    answer = client.get("/api/search?q=nasty&page_size=100")
    assert answer.mimetype == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    shown = {result["title"] for result in answer.get_json()["results"]}
    assert f"Nasty {newsroom.HOSTILE[0]}" in shown


# Documentation


def test_every_route_and_parameter_is_documented(app: Flask) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rules = {path for rule in app.url_map.iter_rules() if rule.endpoint != "static" for path in paths(rule.rule)}
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in text and f"GET {rule}`" not in text] == []
    read = re.findall(r'\(args, "([a-z_]+)"|args\.get\("([a-z_]+)"', (ROOT / "web" / "params.py").read_text())
    names = {first or second for first, second in read}
    assert {"q", "mode", "source", "from", "limit", "explain"} <= names
    assert [name for name in sorted(names) if f"| `{name}` |" not in text] == []


def paths(rule: str) -> list[str]:
    """Return the addresses of a route, each of what may stand in one place, the place's name where anything may."""
    choices = re.search(r"<any\((.*?)\):\w+>", rule)
    each = [rule.replace(choices[0], choice.strip("' ")) for choice in choices[1].split(",")] if choices else [rule]
    return [re.sub(r"<[^>]*?([a-z]+)>", lambda part: part[1].upper(), path) for path in each]


def test_every_field_of_an_answer_is_documented(client: FlaskClient) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    answers = [
        search(client, "q=flood&explain=1"),
        body_of(client.get(f"/api/articles/{newsroom.CORRECTED.id}")),
        body_of(client.get(f"/api/articles/{FLOOD.id}/related")),
        body_of(client.get("/readyz")),
        client.get("/api/search?page=0").get_json(),
        client.get("/api/search?q=((((((a").get_json(),
    ]
    assert [name for name in sorted(keys_of(answers)) if f"`{name}`" not in text] == []


def keys_of(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in keys_of(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in keys_of(inner)}
    return set()
