"""Every page and answer over an archive of which every field is a script: what is in it stays text.

Read by a parser here, all of it; `test_xss.py` has a browser read it.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser
from urllib.parse import quote

import hostile_archive
import pytest
from every_route import Followed, follow, questions
from flask import Flask
from flask.testing import FlaskClient
from hostile_archive import EVERY, FAMILIES, FIRST, PAYLOADS, WORDS
from lxml import etree
from werkzeug.test import TestResponse

from archive.alerts import Delivery
from archive.article import Article
from web import create_app
from web.mail import alert_message
from web.services import Services

OURS = re.compile(r"(http://localhost)?/static/[\w-]+\.js(\?v=\w+)?")
LINKS = {"href", "src", "action", "formaction", "data", "poster", "srcset", "cite", "background", "ping", "xlink:href"}
ELEMENTS = {
    "a", "article", "aside", "body", "button", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "fieldset",
    "footer", "form", "h1", "h2", "h3", "head", "header", "html", "iframe", "input", "ins", "label", "legend", "li",
    "link", "main", "mark", "meta", "nav", "ol", "option", "p", "pre", "q", "rect", "script", "search", "section",
    "select", "small", "span", "strong", "summary", "svg", "table", "tbody", "td", "template", "text", "textarea", "th",
    "thead", "time", "title", "tr", "ul", "kbd", "em", "line", "path", "g", "abbr", "cite", "blockquote", "col",
    "colgroup", "noscript", "backfile-search", "backfile-related", "progress", "meter", "output", "circle", "b", "i",
    "tfoot", "s",
}  # fmt: skip


class Tags(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = hostile_archive.open_archive(tmp_path_factory.mktemp("hostile"))
    yield services
    services.close()


@pytest.fixture(scope="module")
def app(services: Services) -> Flask:
    return create_app(services=services)


@pytest.fixture(scope="module")
def followed(services: Services) -> Followed:
    return follow(services)


@pytest.fixture(scope="module")
def articles(services: Services) -> Sequence[Article]:
    return list(services.store.live(services.store.live_ids()).values())


def wrong_in(answer: TestResponse) -> list[str]:
    """Return what of a page is not ours: elements, handlers, and links that lead nowhere a link of ours would."""
    wrong = []
    for tag, attributes in Tags(answer.text).found:
        if tag not in ELEMENTS:
            wrong.append(f"<{tag}>")
        is_data = attributes.get("type") == "application/ld+json"
        if tag == "script" and not is_data and not OURS.fullmatch(attributes.get("src") or ""):
            wrong.append(f"a script: {attributes}")
        for name, value in attributes.items():
            if name.startswith("on") or name in {"style", "srcdoc", "ping"}:
                wrong.append(f"{tag} {name}={value}")
            if name in LINKS and not re.match(r"/(?![/\\])|#|\?|https?://[^/\\]|$", value or ""):
                wrong.append(f"{tag} {name}={value}")
    return wrong


def assert_harmless(client: FlaskClient, address: str) -> TestResponse:
    with client.get(address, follow_redirects=True) as answer:
        assert answer.status_code < 500, address
        assert not [value for value in answer.headers.values() if "\r" in value or "\n" in value]
        assert "pwned=1" not in answer.headers.get("Set-Cookie", "")
        if answer.mimetype == "text/html":
            assert wrong_in(answer) == [], address
            for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', answer.text, re.DOTALL):
                json.loads(block)
        elif answer.mimetype.endswith("xml"):
            tree = etree.fromstring(answer.get_data())
            assert not tree.xpath("//*[namespace-uri() = 'http://www.w3.org/1999/xhtml']"), address
        elif answer.mimetype.endswith("json"):
            json.loads(answer.get_data())
        return answer


def test_the_corpus_is_large_and_every_payload_of_it_is_shown(client: FlaskClient, articles: Sequence[Article]) -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 300
    titles = " ".join(article.title for article in articles)
    kept = [payload for payload in PAYLOADS if payload in titles]
    assert len(kept) >= 300, "what has control characters is cleaned when it comes in"
    assert sum(article.note is not None for article in articles) > 300


def test_every_page_of_every_article_is_text(client: FlaskClient, articles: Sequence[Article]) -> None:
    asked = quote(WORDS)
    for article in articles[::EVERY]:
        assert_harmless(client, f"/articles/{article.id}?q={asked}&page_size=100")


def test_whatever_belongs_to_an_article_is_text(client: FlaskClient, articles: Sequence[Article]) -> None:
    paths = (
        "versions", "versions/1", "versions/1/changes", "copies", "embed", "related", "cite.bib", "cite.ris",
        "cite.json", "follow-ups.atom", "follow-ups.rss", "follow-ups.feed.json",
    )  # fmt: skip
    of_the_api = ("", "/related", "/copies", "/versions/1")
    for number, article in enumerate(articles[3::EVERY]):
        assert_harmless(client, f"/articles/{article.id}/{paths[number % len(paths)]}")
        assert_harmless(client, f"/api/articles/{article.id}{of_the_api[number % len(of_the_api)]}")


def test_every_route_is_text_whatever_a_parameter_of_it_holds(
    app: Flask, services: Services, followed: Followed
) -> None:
    client = app.test_client()
    names = (
        "q",
        "name",
        "source",
        "from",
        "page",
        "letter",
        "url",
        "mode",
        "sort",
        "cursor",
        "by",
        "against",
        "callback",
    )
    asked = [(rule, address) for rule, address in questions(app, services, followed) if "static" not in rule.endpoint]
    for place, (_, address) in enumerate(asked):
        for payload in PAYLOADS[place * 7 % len(PAYLOADS) :: 16 * EVERY]:
            pairs = "&".join(f"{name}={quote(payload, errors='replace')}" for name in names)
            assert_harmless(client, f"{address.partition('?')[0]}?{pairs}")
        assert_harmless(client, address)


def test_a_query_a_filter_and_a_path_are_text(client: FlaskClient) -> None:
    for number, payload in enumerate(PAYLOADS[::EVERY]):
        said = quote(payload, safe="", errors="replace")
        for address in (
            f"/search?q={said}",
            f"/search?q=hostile&source={said}&author={said}&section={said}",
            f"/browse/source?name={said}",
            f"/{said}",
            f"/saved/new?q={said}",
            f"/articles/{said}",
            f"/api/completions?q={said}",
        )[number % 3 :: 3]:
            assert_harmless(client, address)


def test_lists_of_everything_are_text(client: FlaskClient) -> None:
    lists = [
        "/", "/browse", "/stories", "/status", "/browse/undated", "/embed", "/api/docs", "/search/syntax",
        *(f"/browse/{kind}?page={page}" for kind in ("sources", "sections", "authors") for page in range(1, 8)),
        *(f"/search?q={quote(WORDS)}&mode=keyword&page_size=100&page={page}" for page in range(1, 9)),
        *(f"/search.{form}?q={quote(WORDS)}" for form in ("atom", "rss", "feed.json", "jsonl", "csv")),
        "/browse/2020", "/browse/2020/01", "/browse/2020/01/01", "/sitemap.xml",
    ]  # fmt: skip
    for address in lists:
        assert_harmless(client, address)


def test_what_was_smuggled_past_the_readers_leads_nowhere(client: FlaskClient, services: Services) -> None:
    web = re.compile(r"https?://", re.IGNORECASE)
    seen = 0
    for payload in PAYLOADS if EVERY == 1 else FAMILIES["addresses"]:
        number = PAYLOADS.index(payload)
        id_ = hostile_archive.smuggled(number, payload).id
        told = client.get(f"/api/articles/{id_}").get_json()
        version = client.get(f"/api/articles/{id_}/versions/1").get_json()
        page = Tags(client.get(f"/articles/{id_}").text)
        cited = client.get(f"/articles/{id_}/cite.json").get_json(force=True)[0]["URL"]
        originals = [attributes.get("href") for tag, attributes in page.found if attributes.get("class") == "original"]
        for url in (told["url"], version["url"], cited, *originals):
            assert url is None or web.match(url), payload
        assert bool(originals) == bool(told["url"])
        seen += told["url"] is None
    assert seen > 30
    for link in (attributes for tag, attributes in page.found if attributes.get("class") == "original"):
        assert "noopener" in (link.get("rel") or "")
    rows = list(csv.DictReader(io.StringIO(client.get(f"/search.csv?q={quote(WORDS)}").get_data().decode("utf-8-sig"))))
    assert len(rows) > 400
    assert not [row["url"] for row in rows if row["url"] and not web.match(row["url"])]


def test_no_cell_of_a_table_is_a_formula(client: FlaskClient) -> None:
    rows = csv.reader(io.StringIO(client.get(f"/search.csv?q={quote(WORDS)}").get_data().decode("utf-8-sig")))
    cells = [cell for row in rows for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell[:1] in {"=", "@", "\t", "\r"} or re.match(r"[+-](?![\d.]+$)", cell)]


def test_what_a_feed_calls_html_is_text_when_it_is_read_as_html(client: FlaskClient) -> None:
    feed = etree.fromstring(client.get(f"/search.rss?q={quote(WORDS)}").get_data())
    described = [element.text or "" for element in feed.iter("description", "{*}encoded")]
    assert len(described) > 20
    told = client.get(f"/search.feed.json?q={quote(WORDS)}").get_json(force=True)
    described += [item[name] for item in told["items"] for name in ("content_html",) if name in item]
    for text in described:
        assert {tag for tag, _ in Tags(text).found} <= {"p", "br"}, text


def test_a_mail_has_no_headers_but_ours_and_its_html_is_text(
    app: Flask, services: Services, articles: Sequence[Article], followed: Followed
) -> None:
    hostile = "x\r\nBcc: everybody@example.org\r\n\r\n<script>pwned()</script>"
    delivery = Delivery(
        id=1,
        channel=followed.mail,
        search=replace(followed.saved, name=hostile, question="q=%3Cscript%3E"),
        message="m1",
        alerts=(1, 2),
        attempts=0,
        created_at=FIRST,
    )
    told = (articles[:100], articles[100:101], articles[300:])
    with app.test_request_context():
        messages = [alert_message(delivery, each, services.settings) for each in told]
    for message in messages:
        read = message_from_bytes(message.as_bytes(), policy=policy.default)
        assert set(read.keys()) == {
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe",
            "List-Unsubscribe-Post", "Content-Type", "MIME-Version",
        }  # fmt: skip
        part = read.get_body(("html",))
        assert part is not None
        for tag, attributes in Tags(part.get_content()).found:
            assert tag in {"html", "head", "meta", "title", "body", "h1", "h2", "p", "a", "ul", "li", "hr"}, tag
            assert re.match(r"https?://localhost/", attributes.get("href") or "http://localhost/"), attributes


def test_the_name_of_a_saved_search_is_text_on_every_page_of_it(client: FlaskClient) -> None:
    for payload in PAYLOADS[::7]:
        saved = client.post("/saved", data={"q": f"hostile {payload}"[:200], "name": payload})
        if saved.status_code == 429:
            break
        assert saved.status_code in {303, 400}, payload
        if saved.status_code == 303:
            where = saved.headers["Location"]
            assert_harmless(client, where)
            for form in ("atom", "rss", "feed.json"):
                assert_harmless(client, f"{where.partition('?')[0]}/matches.{form}")


def test_no_line_of_a_log_is_begun_by_who_asks(
    client: FlaskClient, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    for payload in PAYLOADS:
        if re.search(r"[\r\n]|%0", payload):
            client.delete(f"/api/articles/{quote(payload, safe='', errors='replace')}")
    assert caplog.messages
    assert not [line for line in caplog.messages if re.search(r"[\x00-\x1f\x7f]", line)]
