"""What search engines are told."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree, html

from web import sitemap

NAMESPACE = {"s": sitemap.NAMESPACE}
PAGES = ("/", "/search?q=flood", f"/articles/{newsroom.ORDINARY[0].id}", "/stories", "/nothing")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An archive that may be indexed, at an address of its own."""
    folder = tmp_path_factory.mktemp("data")
    with newsroom.application(folder, robots="allow", site_url="https://archive.example.org") as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def listed(client: FlaskClient, path: str, name: str) -> list[str]:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    tree = etree.fromstring(answer.data)
    assert all(tree.xpath("//s:lastmod/text()", namespaces=NAMESPACE))
    return [str(address) for address in tree.xpath(f"//s:{name}/s:loc/text()", namespaces=NAMESPACE)]


def robots_of(client: FlaskClient, path: str) -> list[str]:
    return [str(said) for said in html.fromstring(client.get(path).text).xpath("//meta[@name='robots']/@content")]


def test_by_default_nothing_is_to_be_indexed(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        client = app.test_client()
        assert client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
        assert client.get("/sitemap.xml").status_code == client.get("/sitemaps/1.xml").status_code == 404
        for path in PAGES:
            assert robots_of(client, path)[0].startswith("noindex"), path


def test_where_it_is_chosen_articles_are_indexed_and_results_are_not(client: FlaskClient) -> None:
    rules = client.get("/robots.txt")
    assert rules.mimetype == "text/plain"
    assert "Disallow: /\n" not in rules.text
    assert {"Disallow: /search", "Disallow: /api/"} <= set(rules.text.splitlines())
    assert "Sitemap: https://archive.example.org/sitemap.xml" in rules.text
    assert [robots_of(client, path) for path in PAGES] == [[], ["noindex"], [], [], []]


def test_a_sitemap_lists_every_article_that_is_shown_once(app: Flask, client: FlaskClient) -> None:
    (only,) = listed(client, "/sitemap.xml", "sitemap")
    assert only == "https://archive.example.org/sitemaps/1.xml"
    ids = app.extensions["backfile"].store.live_ids()
    assert sorted(listed(client, "/sitemaps/1.xml", "url")) == [
        f"https://archive.example.org/articles/{article_id}" for article_id in ids
    ]


def test_beyond_its_size_a_further_one_begins_and_none_changes_but_the_last(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "SPAN", 10)
    monkeypatch.setattr(sitemap, "BATCH", 3)
    services = app.extensions["backfile"]
    maps = [
        address.removeprefix("https://archive.example.org") for address in listed(client, "/sitemap.xml", "sitemap")
    ]
    before = [listed(client, path, "url") for path in maps]
    assert all(1 <= len(urls) <= 10 for urls in before)
    assert len({url for urls in before for url in urls}) == sum(map(len, before)) == services.store.count_live()
    services.store.put(newsroom.article(2000))
    services.store.put(newsroom.article(2, title="Corrected"))
    after = [listed(client, path, "url") for path in maps]
    assert after[:-1] == before[:-1]
    assert client.get("/sitemaps/77.xml").status_code == 404


def test_a_sitemap_is_compressed_and_asked_about_by_its_tag(client: FlaskClient) -> None:
    plain = client.get("/sitemaps/1.xml")
    packed = client.get("/sitemaps/1.xml", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert client.get("/sitemaps/1.xml", headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304


def test_an_article_s_page_says_its_own_address_in_full(client: FlaskClient) -> None:
    path = f"/articles/{newsroom.ORDINARY[0].id}"
    said = html.fromstring(client.get(f"{path}?q=flood", base_url="http://other.example").text)
    assert said.xpath("//link[@rel='canonical']/@href") == [f"https://archive.example.org{path}"]
