"""Pages: what is the article in them, what is none, and what a hostile one can do."""

import time
from datetime import UTC, datetime

import pytest

from archive.article import Article, Rejection
from archive.identity import article_id
from archive.readers.lines import MAX_RAW_BYTES
from archive.readers.pages.html import page

URL = "https://www.courier.example/2016/bridge"
FIRST = "The old bridge over the river reopened on Monday after two years of repairs, the council said in a statement."
SECOND = "Hundreds of people crossed it on foot in the first hour, among them the engineer who drew the plans for it."
THIRD = "Traffic follows in May, when the approach roads have been surfaced and all of the lights have been tested."
TEXT = f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>"


def document(body: str = f"<article><h1>Bridge reopens</h1>{TEXT}</article>", head: str = "") -> bytes:
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'.encode()


def article(raw: bytes, url: str | None = URL) -> Article:
    entry = page(raw, url=url, charset=None)
    assert isinstance(entry, Article), entry
    return entry


def reason(raw: bytes, url: str | None = URL) -> str:
    entry = page(raw, url=url, charset=None)
    assert isinstance(entry, Rejection), entry
    return entry.reason


def linked(fields: str) -> str:
    return f'<script type="application/ld+json">{{"@type": "NewsArticle", {fields}}}</script>'


def meta(**tags: str) -> str:
    return "".join(
        f'<meta property="{name.replace("_", ":", 1)}" content="{content}">' for name, content in tags.items()
    )


# What the page says


def test_json_ld_goes_before_the_tags_and_the_tags_before_the_print() -> None:
    head = linked(
        '"headline": "Bridge reopens", "datePublished": "2016-08-10T09:30:00+02:00", "dateModified": "2016-08-11",'
        '"author": {"name": "Jane Doe"}, "articleSection": "Local", "inLanguage": "en-GB",'
        '"publisher": {"name": "Courier"}'
    ) + meta(
        og_title="Something else", og_site_name="The Courier", article_section="News", article_published="2001-01-01"
    )
    read = article(document(head=head))
    assert (read.title, read.authors, read.section, read.language) == (
        "Bridge reopens",
        ("Jane Doe",),
        "Local",
        "en-GB",
    )
    assert (read.source, read.url) == ("Courier", URL)
    assert read.published_at == datetime(2016, 8, 10, 7, 30, tzinfo=UTC)
    assert read.updated_at == datetime(2016, 8, 11, tzinfo=UTC)


def test_a_change_before_the_publication_is_none() -> None:
    assert (
        article(document(head=linked('"datePublished": "2016-08-10", "dateModified": "2016-08-09"'))).updated_at is None
    )


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ('"By Jane Doe and John Roe"', ("Jane Doe", "John Roe")),
        ('"Jane Doe, John Roe"', ("Jane Doe", "John Roe")),
        ('"Jane Doe, Ph.D."', ("Jane Doe, Ph.D.",)),
        ('"Doe, Jane"', ("Doe, Jane",)),
        ('["https://courier.example/jane", "Jane Doe", "jane@courier.example"]', ("Jane Doe",)),
        ('[{"name": "The Courier"}, {"name": "Jane Doe"}]', ("Jane Doe",)),
        ('{"name": ["Jane Doe", "John Roe", "Jane Doe"]}', ("Jane Doe", "John Roe")),
        ('[{"name": "Jane Doe"}, {"name": "AP Business Writer"}]', ("Jane Doe",)),
        ('"The Courier"', ("The Courier",)),
        ('"admin"', ()),
    ],
)
def test_authors_are_people_where_people_are_named(author: str, names: tuple[str, ...]) -> None:
    assert article(document(head=meta(og_site_name="The Courier") + linked(f'"author": {author}'))).authors == names


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("The Jerusalem Post | JPost.com", "The Jerusalem Post"),
        ("LinkNaija | Nigeria's popular news platform", "LinkNaija"),
        ("The Lantern – News from Penrow - since 1854", "The Lantern"),
        ("Al-Ahram", "Al-Ahram"),
        ("Breaking News | The Sun", "Breaking News | The Sun"),
        ("All the news of the valley - Lantern", "All the news of the valley - Lantern"),
        ("Stories for you | Courier", "Stories for you | Courier"),
        ("| Lantern", "| Lantern"),
    ],
)
def test_an_outlet_is_its_name_without_a_tagline(said: str, name: str) -> None:
    assert article(document(head=meta(og_site_name=said))).source == name


def test_a_publisher_that_is_not_called_like_the_site_is_not_its_source() -> None:
    head = linked('"publisher": {"name": "Associated Press"}')
    assert article(document(head=head + meta(og_site_name="The Courier"))).source == "The Courier"
    assert article(document(head=head)).source == "Associated Press"
    assert article(document()).source == "courier.example"
    assert article(document(), url=None).source is None


@pytest.mark.parametrize("section", ["The Courier", "courier.example", "x" * 61, "", "..."])
def test_what_is_no_section_is_none(section: str) -> None:
    head = meta(og_site_name="The Courier") + linked(f'"articleSection": "{section}"')
    assert article(document(head=head)).section is None


def test_of_several_sections_the_first_counts() -> None:
    assert article(document(head=linked('"articleSection": "Food &amp; Wine,slider,home"'))).section == "Food & Wine"


# Its address


def test_a_page_of_one_site_cannot_become_a_version_of_anothers_article() -> None:
    stolen = "https://www.nytimes.com/2016/08/10/bridge.html"
    head = f'<link rel="canonical" href="{stolen}">' + meta(og_url=stolen) + linked(f'"url": "{stolen}"')
    read = article(document(head=head), url="https://evil.example/copy")
    assert read.url == "https://evil.example/copy"
    assert read.id == article_id(url="https://evil.example/copy", source=None, source_id=None, text="")
    assert article(document(head=head), url=None).url == stolen


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ('<link rel="canonical" href="/bridge">', "https://www.courier.example/bridge"),
        ('<base href="https://courier.example/a/"><link rel="canonical" href="b">', "https://courier.example/a/b"),
        ('<base href="https://evil.example/"><link rel="canonical" href="b">', URL),
        ('<link rel="Canonical nofollow" href="https://m.courier.example/b">', "https://m.courier.example/b"),
        ('<link rel="canonical" href="/"><meta property="og:url" content="/b">', "https://www.courier.example/b"),
        ('<link rel="canonical" href="javascript:alert(1)">', URL),
        (linked('"mainEntityOfPage": "https://courier.example/b"'), "https://courier.example/b"),
        ("", URL),
    ],
)
def test_the_canonical_address_is_resolved_and_checked(head: str, url: str) -> None:
    assert article(document(head=head)).url == url


# Its text


def test_lists_quotes_subheads_and_tables_stay_readable() -> None:
    body = (
        f"<article><h1>Bridge</h1><p>{FIRST}</p><h2>What changes</h2>"
        f"<ul><li>Cars from May</li><li>Trams in June</li></ul>"
        f"<blockquote><p>{SECOND}</p></blockquote><table><tr><th>Year</th><th>Cost</th></tr>"
        f"<tr><td>2014</td><td>5 m</td></tr></table><p>{THIRD}</p></article>"
    )
    assert article(document(body)).body.split("\n\n") == [
        FIRST, "What changes", "- Cars from May", "- Trams in June", SECOND, "Year · Cost", "2014 · 5 m", THIRD,
    ]  # fmt: skip


def test_what_is_not_the_article_stays_out() -> None:
    links = (
        '<ul><li><a href="/1">Ferry sinks off the old harbour wall</a></li><li><a href="/2">Tunnel dug</a></li></ul>'
    )
    body = (
        f'<nav><a href="/">Home</a></nav><div class="cookie-banner"><p>We use cookies. Accept all cookies.</p></div>'
        f"<article><h1>Bridge reopens</h1><p>{FIRST}</p><script>document.write('x');</script><style>p {{}}</style>"
        f"<figure><img src=x><figcaption>The bridge, seen from the north bank</figcaption></figure><p>{SECOND}</p>"
        f"<p>Read more: Ferry sinks off the harbour</p>{links}<p>{THIRD}</p>"
        f'<div class="newsletter-signup"><p>Get our newsletter every morning.</p></div><p>Follow us on Twitter</p>'
        f"<p>Copyright 2016 The Courier. All rights reserved.</p></article><footer><p>Imprint and contact</p></footer>"
    )
    assert article(document(body)).body.split("\n\n") == [FIRST, SECOND, THIRD]


def test_a_text_cut_up_by_advertisements_is_put_together() -> None:
    paragraphs = [f"{FIRST} This is paragraph number {number}." for number in range(12)]
    pieces = [paragraphs[:4], paragraphs[4:5], paragraphs[5:8], paragraphs[8:]]
    boxes = "".join(
        f'<div class="grid article-body">{"".join(f"<p>{text}</p>" for text in piece)}</div><aside>Ad</aside>'
        for piece in pieces
    )
    read = article(document(f'<main><article class="article">{boxes}</article></main>', meta(og_title="Bridge")))
    assert read.body.split("\n\n") == paragraphs


def test_json_lds_text_counts_only_where_it_is_much_longer() -> None:
    long = " ".join([FIRST, SECOND, THIRD] * 4)
    short = document(f"<article><p>{FIRST}</p></article>", linked(f'"headline": "Bridge", "articleBody": "{long}"'))
    assert article(short).body == long
    assert article(document(head=linked(f'"articleBody": "{FIRST}"'))).body == f"{FIRST}\n\n{SECOND}\n\n{THIRD}"


def test_json_lds_text_is_plain() -> None:
    body = f"<p>{FIRST} Fish &amp; chips.</p><ul><li>{SECOND}</li></ul><p>{THIRD}</p>"
    read = article(document("<p>Loading</p>", linked(f'"headline": "Bridge", "articleBody": "{body}"')))
    assert read.body.split("\n\n") == [f"{FIRST} Fish & chips.", SECOND, THIRD]


def test_the_server_s_encoding_is_heeded() -> None:
    raw = document(f"<article><h1>Мост открыт</h1><p>{'Старый мост снова открыт. ' * 9}</p></article>")
    koi = raw.decode().replace('lang="en"', "").encode("koi8-r")
    entry = page(koi, url=URL, charset="koi8-r")
    assert isinstance(entry, Article)
    assert entry.title == "Мост открыт"


# What is no article


@pytest.mark.parametrize(
    "title",
    [
        "404", "404 Not Found", "Page not found | The Courier", "Sorry, this page cannot be found",
        "Error 404 - Courier", "503 Service Unavailable", "There is no such page",
        "Seite nicht gefunden", "Página no encontrada – El Correo", "Page introuvable",
    ],
)  # fmt: skip
def test_an_error_page_is_refused(title: str) -> None:
    assert "an error page" in reason(document(f"<h1>Oops</h1>{TEXT}", f"<title>{title}</title>"))


@pytest.mark.parametrize(
    "title",
    ["Just a moment...", "Before you continue to Courier", "Access denied", "Are you a robot?", "Log in | Courier"],
)
def test_a_wall_is_refused(title: str) -> None:
    assert "a notice in the article's place" in reason(document(f"<h1>{title}</h1>{TEXT}", f"<title>{title}</title>"))


@pytest.mark.parametrize(
    "title",
    [
        "404: how a number became a joke",
        "Bridge not found on any map",
        "Access denied: the year of the wall",
        "Robot check",
    ],
)
def test_an_article_about_these_things_is_none_of_them(title: str) -> None:
    said = linked(f'"headline": "{title}", "datePublished": "2016-08-10"')
    assert (
        article(document(f"<article><h1>{title}</h1>{TEXT * 3}</article>", f"<title>{title}</title>{said}")).title
        == title
    )


def test_the_beginning_of_an_article_behind_a_paywall_is_refused() -> None:
    stub = f"<article><h1>Bridge</h1><p>{FIRST}</p><p>Subscribe to read on.</p></article>"
    assert "behind a paywall" in reason(document(stub, linked('"isAccessibleForFree": false')))
    assert article(document(stub, linked('"isAccessibleForFree": true'))).body.startswith(FIRST)
    assert article(document(head=linked('"isAccessibleForFree": "False"'))).body.startswith(FIRST)  # all of it is there


@pytest.mark.parametrize(
    "title", ["404 Media reopens", "Sign in the sky", "Access denied to thousands", "Bridge not found on maps"]
)
def test_a_headline_that_only_begins_like_a_notice_is_a_headline(title: str) -> None:
    assert article(document(f"<article><h1>{title}</h1>{TEXT}</article>", f"<title>{title}</title>")).title == title


def teasers(count: int) -> str:
    return "".join(f'<div><h3><a href="/{n}">Headline number {n}</a></h3><p>{SECOND}</p></div>' for n in range(count))


def test_a_front_page_or_a_list_is_refused() -> None:
    listing = document(f"<main><h1>Local news</h1>{teasers(12)}</main>", "<title>Local news - Courier</title>")
    assert "a front page or a list" in reason(listing, url="https://courier.example/local")
    assert "a front page or a list" in reason(document(f"<main>{teasers(3)}</main>"), url="https://courier.example/")


def test_an_article_that_leads_to_many_others_is_an_article() -> None:
    long = "".join(f"<p>{FIRST} {SECOND}</p>" for _ in range(5))
    assert article(document(f"<article><h1>Bridge</h1>{long}</article><aside>{teasers(12)}</aside>")).body.startswith(
        FIRST
    )
    dated = document(f"<article><h1>Bridge</h1>{TEXT}</article><aside>{teasers(12)}</aside>", meta(og_type="article"))
    assert article(dated).body.startswith(FIRST)


def test_a_page_of_short_lines_is_refused() -> None:
    lines = "".join(f"<p>All sources in {year} (9)</p>" for year in range(1990, 2020))
    assert "no article text" in reason(document(f"<h1>Browse</h1>{lines}"))
    assert article(document(f"<article><h1>Results</h1>{lines}</article>", meta(og_type="article"))).title == "Results"


def test_a_headline_about_markup_keeps_it() -> None:
    raw = document(
        f"<article><h1>Why &lt;b&gt; is out of use</h1>{TEXT}</article>", meta(og_title="Why &lt;b> is out of use")
    )
    assert article(raw).title == "Why <b> is out of use"


def test_a_refused_page_is_kept_while_it_is_small() -> None:
    empty = document("<nav>Home</nav>")
    refused = page(empty, url=URL, charset=None)
    assert isinstance(refused, Rejection)
    assert (refused.source, refused.raw) == (URL, empty)
    large = page(empty + b" " * MAX_RAW_BYTES, url=None, charset=None, origin="page.html")
    assert isinstance(large, Rejection)
    assert (large.source, large.raw) == ("page.html", None)


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 100_000,
        "<p>word" * 5_000,
        "<b><i><a href=x>" * 20_000,
        "<ul><li>" * 20_000,
        "<table><tr><td>" * 5_000,
        f"{TEXT}<a href='" + "x" * 1_000_000,
        "<!--" * 100_000,
        "<h1>Bridge</h1>" * 5_000,
        f"<title>{'404 ' * 200_000}</title>",
        "<article><div class=a><p>" + FIRST + "</p><p>" + SECOND + "</p></div>",
        "<script type='application/ld+json'>" + "[" * 500_000,
        "<script type='application/ld+json'>" + '{"a":"' * 100_000,
        f"<meta name=author content='{'Jane Doe, ' * 100_000}'>{TEXT}",
        "&#x110000;&#0;&#xD800;&amp" * 10_000,
        "\0\x01\x0b\ufeff\u202e" * 10_000 + TEXT,
    ],
)  # fmt: skip
def test_a_hostile_page_costs_seconds_at_most(body: str) -> None:
    start = time.process_time()
    page(document(body), url=URL, charset="utf-8")
    assert time.process_time() - start < 10


def test_a_page_of_more_elements_than_any_article_has_is_refused() -> None:
    assert "more than 100,000 elements" in reason(document("<br>" * 100_000 + TEXT))
