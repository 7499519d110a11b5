"""The front page: what is new, what moves, what came in, and what was published on this day; true at every moment."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import newsroom
import pytest
from flask.testing import FlaskClient
from test_pages import page_of

from web import create_app
from web.services import Services
from web.settings import Settings

TODAY = date(2016, 3, 14)


class Clock:
    """The day it is, for the server; a test may turn it on."""

    day = TODAY

    def __call__(self) -> date:
        return self.day


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(tmp_path: Path, clock: Clock) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder(), today=clock)
    yield services
    services.close()


@pytest.fixture
def client(parts: Services) -> FlaskClient:
    return create_app(services=parts).test_client()


def put(parts: Services, number: int, day: date, title: str, **changes: object) -> str:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    made = newsroom.article(number, published_at=at, title=title, **changes)
    parts.store.put(made)
    return made.id


def section(page: str, name: str) -> str:
    """Return the part of the page under this heading, empty without one."""
    found = re.search(rf'<section class="{name}".*?</section>', page, re.S)
    return found[0] if found else ""


def test_the_newest_leads_and_what_comes_after_is_smaller(parts: Services, client: FlaskClient) -> None:
    for number in range(12):
        put(parts, number, date(2016, 1, 1) + timedelta(days=number), f"Title {number:02}")
    newest = section(client.get("/").text, "newest")
    assert re.findall(r">(Title \d\d)<", newest) == [f"Title {number:02}" for number in range(11, 3, -1)]
    assert 'class="lead"' in newest.split("Title 11")[0]
    assert newest.count('class="beginning"') == 4


def test_articles_of_this_day_in_other_years_are_told_with_the_day_named(parts: Services, client: FlaskClient) -> None:
    for number, year in enumerate((1990, 1995, 2001)):
        put(parts, number, date(year, 3, 14), f"Of {year}")
    put(parts, 9, date(2001, 3, 15), "A day later")
    told = section(client.get("/").text, "on-this-day")
    assert "On this day, 14 March" in told
    assert re.findall(r">(Of \d+)<", told) == ["Of 1990", "Of 1995", "Of 2001"]
    assert 'href="/browse/1995/03/14"' in told
    assert "A day later" not in told


def test_where_the_day_has_too_few_the_week_is_told_and_where_that_has_none_nothing_is(
    parts: Services, client: FlaskClient, clock: Clock
) -> None:
    put(parts, 1, date(1990, 3, 14), "Of the day")
    put(parts, 2, date(1990, 3, 16), "Of the week")
    told = section(client.get("/").text, "on-this-day")
    assert "This week in other years" in told
    assert "Of the week" in told
    clock.day = date(2016, 6, 1)
    assert section(client.get("/").text, "on-this-day") == ""


def test_the_page_is_another_on_the_next_day(parts: Services, client: FlaskClient, clock: Clock) -> None:
    put(parts, 1, date(1990, 3, 15), "Of tomorrow")
    tag = client.get("/").headers["ETag"]
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304
    clock.day = TODAY + timedelta(days=1)
    again = client.get("/", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.headers["ETag"] != tag


def test_what_is_withdrawn_leaves_the_page_at_once(parts: Services, client: FlaskClient) -> None:
    ids = [put(parts, number, date(1990 + number, 3, 14), f"Story of {number}") for number in range(4)]
    assert "Story of 3" in client.get("/").text
    for article_id in ids[1:]:
        parts.store.remove(article_id)
    page = client.get("/").text
    assert "Story of 3" not in page
    assert "This week in other years" in page


def test_older_articles_that_came_in_lately_are_told_for_a_while(
    parts: Services, client: FlaskClient, clock: Clock
) -> None:
    clock.day = datetime.now(UTC).date()
    for number in range(8):
        put(parts, number, date(2016, 1, 1 + number), f"New {number}")
    assert section(client.get("/").text, "lately") == ""
    put(parts, 20, date(1950, 1, 1), "Found in the cellar")
    assert "Found in the cellar" in section(client.get("/").text, "lately")
    clock.day += timedelta(days=30)
    assert section(client.get("/").text, "lately") == ""


def test_stories_that_several_outlets_tell_are_named_and_those_of_one_are_not(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        client = app.test_client()
        moving = section(client.get("/").text, "moving")
        told = [int(number) for number in re.findall(r'href="/stories/(\d+)"', moving)]
        assert told
        outlets = [len(client.get(f"/api/stories/{number}").get_json()["outlets"]) for number in told]
        assert min(outlets) > 1
        latest = [client.get(f"/api/stories/{number}").get_json()["latest"] for number in told]
        assert latest == sorted(latest, reverse=True)


def test_an_empty_archive_says_how_to_fill_it_and_what_will_be_here(client: FlaskClient) -> None:
    page = page_of(client, "/")
    assert "flask ingest PATH" in page.text
    assert "on this day in other years" in page.text
    assert [attributes["name"] for attributes in page.all("input")] == ["q"]


def test_an_archive_without_dates_has_a_front_page(parts: Services, client: FlaskClient, clock: Clock) -> None:
    clock.day = datetime.now(UTC).date()
    parts.store.put(newsroom.UNDATED)
    page = page_of(client, "/")
    assert "1 article" in page.text
    assert "A letter without a date" in page.text  # it came in lately
