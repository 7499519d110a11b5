"""Every page in its other forms: named in its head and its header, and found where it says."""

from collections.abc import Iterator

import newsroom
import pytest
from flask.testing import FlaskClient
from lxml import html

FLOOD = newsroom.ORDINARY[0]
PAGES = ("/", "/search?q=flood&source=The+Ledger&page=2", "/search", f"/articles/{FLOOD.id}", "/stories", "/stories/1")
VERSIONS = f"/articles/{newsroom.CORRECTED.id}/versions"
MORE_PAGES = (
    VERSIONS, f"{VERSIONS}/1", f"{VERSIONS}/2/changes", f"{VERSIONS}/1/changes?against=2",
    "/browse", "/browse/2001/03/01?sort=oldest", "/browse/source?name=The+Ledger", "/status?by=week",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with newsroom.application(tmp_path_factory.mktemp("data"), export_limit=20) as app:
        yield app.test_client()


def links(client: FlaskClient, path: str, rel: str = "alternate") -> list[tuple[str, str]]:
    """Return the media type and the address of each link of this kind in a page's head."""
    answer = client.get(path)
    assert answer.status_code == 200
    return [
        (link.get("type"), link.get("href")) for link in html.fromstring(answer.text).xpath(f"//link[@rel='{rel}']")
    ]


@pytest.mark.parametrize("path", [*PAGES, *MORE_PAGES])
def test_every_page_is_data_too_and_says_where(client: FlaskClient, path: str) -> None:
    (twin,) = [href for media_type, href in links(client, path) if media_type == "application/json"]
    assert f'<{twin}>; rel="alternate"; type="application/json"' in client.get(path).headers["Link"]
    assert client.get(twin).mimetype == "application/json"


def test_the_twin_of_a_page_of_results_is_that_very_page(client: FlaskClient) -> None:
    path = "/search?q=flood&page=2&page_size=3"
    shown = html.fromstring(client.get(path).text).xpath("//article//h2/a/text()")
    (twin,) = [href for media_type, href in links(client, path) if media_type == "application/json"]
    assert [result["title"] for result in client.get(twin).get_json()["results"]] == shown
    assert 'rel="next"' in client.get(path).headers["Link"]


@pytest.mark.parametrize(
    "path", ["/search.json?q=flood", f"/articles/{FLOOD.id}.json", "/stories.json", "/stories/1.json"]
)
def test_a_page_s_address_with_json_at_its_end_leads_to_its_twin(client: FlaskClient, path: str) -> None:
    leads = client.get(path)
    assert leads.status_code == 308
    assert client.get(leads.headers["Location"]).mimetype == "application/json"
    assert leads.headers["Location"].partition("?")[2] == path.partition("?")[2]


@pytest.mark.parametrize("path", PAGES[1:])
def test_every_feed_and_file_that_a_page_names_is_there(client: FlaskClient, path: str) -> None:
    for media_type, href in links(client, path):
        answer = client.get(href)
        assert (answer.status_code, answer.mimetype) == (200, media_type.replace("+oembed", ""))


def test_a_list_can_be_followed_and_taken_along(client: FlaskClient) -> None:
    page = html.fromstring(client.get("/search?q=report&source=The+Ledger&sort=oldest&page=2&page_size=5").text)
    hrefs = page.xpath("//div[@class='takeaway']//a/@href")
    kept = "?q=report&source=The+Ledger"
    assert hrefs[:3] == [f"/search.{form}{kept}" for form in ("atom", "rss", "feed.json")]
    assert hrefs[3:] == [f"/search.{form}{kept}&sort=oldest" for form in ("csv", "jsonl")]
    assert all(client.get(href).status_code == 200 for href in hrefs)


def test_where_a_list_is_longer_than_a_file_may_be_the_page_says_so(client: FlaskClient) -> None:
    assert "(the first 20 of " in client.get("/search").text
    assert "(the first" not in client.get("/search?q=%22Second+wording%22").text


def test_the_archive_says_what_it_holds(client: FlaskClient) -> None:
    held = client.get("/api/stats").get_json()
    assert held["articles"] == client.get("/readyz").get_json()["articles"]
    assert (held["name"], held["earliest"], held["sources"]) == ("Backfile", "2000-01-02T00:00:00Z", 9)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_tells_a_browser_of_the_search(client: FlaskClient, path: str) -> None:
    assert links(client, path, rel="search") == [("application/opensearchdescription+xml", "/opensearch.xml")]
