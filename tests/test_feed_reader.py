"""What is made of RSS and Atom, as it should be and as it comes."""

import html
import io
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree
from reader_contract import within
from shared_data import shared

from archive.article import Article, Entry, Rejection
from archive.identity import alias, article_id
from archive.readers import detect
from archive.readers.feeds import feed
from archive.readers.feeds.feed_entry import MAX_FEED_BYTES, FeedRead
from archive.readers.pages import html as html_pages
from archive.store import Store

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>The Courier</title><link>https://courier.example/</link><language>en-gb</language>{items}</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Der Bote</title>
<author><name>Redaktion</name></author><link rel="next" href="/page/2"/>{items}</feed>"""
LONG = "The old bridge over the river reopened on Monday after two years of repairs, the council said. " * 30


def rss(*items: str) -> bytes:
    return RSS.format(items="".join(f"<item>{item}</item>" for item in items)).encode()


def atom(*items: str) -> bytes:
    return ATOM.format(items="".join(f"<entry>{item}</entry>" for item in items)).encode()


def read(raw: bytes) -> list[Entry]:
    return list(feed.read(io.BytesIO(raw), "input"))


def taken(raw: bytes, *, base: str | None = None) -> FeedRead:
    return feed.entries(raw, base=base)


def only(raw: bytes) -> Article:
    (article,) = read(raw)
    assert isinstance(article, Article), article
    return article


def escaped(markup: str) -> str:
    return html.escape(markup, quote=False)


def test_the_buttons_that_wordpress_puts_into_an_entry_are_no_part_of_it() -> None:
    share = '<div class="sharedaddy sd-sharing-enabled"><div><h3>Share this:</h3><ul><li>Twitter</li></ul></div></div>'
    related = '<div id="jp-relatedposts" class="jp-relatedposts"><h3>Related</h3></div>'
    content = f"<p>The bridge reopened.</p>{share}<p>{LONG}</p>{related}"
    article = only(rss(f"<title>Bridge</title><content:encoded><![CDATA[{content}]]></content:encoded>"))
    assert article.body == f"The bridge reopened.\n\n{LONG.strip()}"


def test_an_item_of_rss_gives_all_it_states() -> None:
    article = only(
        rss(
            "<title>Bridge &amp;amp; road reopen</title><link>https://courier.example/bridge?utm_source=rss</link>"
            "<guid isPermaLink='false'>17</guid><pubDate>Wed, 10 Aug 2016 09:30:00 +0200</pubDate>"
            "<dc:creator>Jane Doe</dc:creator><dc:creator>John Roe</dc:creator>"
            "<category>Local</category><category>Roads</category>"
            "<description>Short.</description>"
            f"<content:encoded><![CDATA[<p>The old bridge reopened.</p><p>{LONG}</p>]]></content:encoded>"
        )
    )
    assert article == Article(
        id=article_id(url="https://courier.example/bridge", source=None, source_id=None, text=""),
        url="https://courier.example/bridge?utm_source=rss",
        title="Bridge & road reopen",
        body=f"The old bridge reopened.\n\n{LONG.strip()}",
        source="The Courier",
        section="Local",
        authors=("Jane Doe", "John Roe"),
        language="en-GB",
        published_at=datetime(2016, 8, 10, 7, 30, tzinfo=UTC),
    )
    assert article.aliases == (alias(source="https://courier.example/", source_id="17"),)


def test_an_entry_of_atom_gives_all_it_states() -> None:
    article = only(
        atom(
            "<title type='html'>Br&amp;uuml;cke &lt;b&gt;offen&lt;/b&gt;</title><id>tag:bote.example,2016:17</id>"
            "<link rel='enclosure' href='https://bote.example/a.mp3'/><link href='https://bote.example/bruecke'/>"
            "<published>2016-08-10T09:30:00+02:00</published><updated>2016-08-11T09:30:00Z</updated>"
            "<author><name>Jana Dau</name></author><category term='lokal' label='Lokales'/>"
            "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Die Brücke.</p>"
            "<p>Offen.</p></div></content>"
        )
    )
    assert article.title == "Brücke offen"
    assert article.body == "Die Brücke.\n\nOffen."
    assert article.url == "https://bote.example/bruecke"
    assert (article.published_at, article.updated_at) == (
        datetime(2016, 8, 10, 7, 30, tzinfo=UTC),
        datetime(2016, 8, 11, 9, 30, tzinfo=UTC),
    )
    assert (article.authors, article.section, article.language) == (("Jana Dau",), "Lokales", "de")


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("<author>mail@x.com (Name Surname)</author>", ("Name Surname",)),
        ("<author>mail@x.example (Name Surname)</author>", ("Name Surname",)),
        ("<author>mail@x (Name)</author>", ("Name",)),
        ("<author><![CDATA[Name Surname <mail@news.media>]]></author>", ("Name Surname",)),
        ("<author>Name Surname &lt;mail@news.media&gt;</author>", ("Name Surname",)),
        ("<author>Name Surname (mail@news.media)</author>", ("Name Surname",)),
        ("<author>mail@x.example (Name (Agency))</author>", ("Name (Agency)",)),
        ("<author>mail@x.example</author>", ()),
        ("<managingEditor>mail@x.example (Name)</managingEditor>", ("Name",)),
        ("<dc:creator>b@x.example (B)</dc:creator><dc:creator>By C</dc:creator>", ("B", "C")),
    ],
)
def test_an_author_of_rss_is_the_name_beside_the_mail_address(author: str, names: tuple[str, ...]) -> None:
    assert only(rss(f"<title>One</title>{author}")).authors == names


def test_the_editor_of_a_feed_of_rss_has_not_written_its_items() -> None:
    raw = rss("<title>One</title>").replace(b"<item>", b"<managingEditor>a@x.example (Name)</managingEditor><item>")
    assert only(raw).authors == ()


def test_an_entry_of_atom_without_an_author_has_the_feeds() -> None:
    assert only(atom("<title>Offen</title>")).authors == ("Redaktion",)


def test_keywords_of_a_podcast_are_no_section() -> None:
    keywords = "<itunes:keywords xmlns:itunes='http://www.itunes.com/DTDs/PodCast-1.0.dtd'>a,b</itunes:keywords>"
    assert only(rss(f"<title>One</title>{keywords}")).section is None


def test_rss_1_is_read_with_dublin_cores_date() -> None:
    raw = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
      xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://a.example/"><title>A</title></channel>
      <item rdf:about="https://a.example/1"><title>One</title><dc:date>2004-01-02</dc:date></item></rdf:RDF>"""
    article = only(raw)
    assert (article.url, article.published_at) == ("https://a.example/1", datetime(2004, 1, 2, tzinfo=UTC))


def test_an_aggregated_entry_names_its_own_source() -> None:
    article = only(
        rss("<title>Bridge reopens - The Ledger</title><source url='https://ledger.example/rss'>The Ledger</source>")
    )
    assert (article.title, article.source) == ("Bridge reopens", "The Ledger")


# Dates


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("10 Aug 16 09:30 GMT", datetime(2016, 8, 10, 9, 30, tzinfo=UTC)),
        ("Wednesday, 10 August 2016 09:30:00 EST", datetime(2016, 8, 10, 14, 30, tzinfo=UTC)),
        ("Wed, 10 Aug 2016 09:30:00 CEST", datetime(2016, 8, 10, 7, 30, tzinfo=UTC)),
        ("2016-08-10", datetime(2016, 8, 10, tzinfo=UTC)),
        ("Wed, 10 Aug 2016", datetime(2016, 8, 10, tzinfo=UTC)),
        ("Wed, 10 Aug 2016 09:30:00 BST", None),  # British, Bougainville or Bangladesh
        ("2016", None),
        ("2016-08", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Wed, 30 Nov 0002 00:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_what_is_written_and_never_a_guess(written: str, moment: datetime | None) -> None:
    article = only(rss(f"<title>One</title><pubDate>{written}</pubDate>"))
    assert (article.published_at, article.updated_at) == (moment, None)


def test_the_feeds_own_date_is_no_entrys() -> None:
    raw = RSS.format(
        items="<lastBuildDate>2016-08-10</lastBuildDate><pubDate>2016-08-10</pubDate><item><title>One</title></item>"
    )
    assert only(raw.encode()).published_at is None
    assert only(atom("<title>Eins</title><updated>2016-08-10T00:00:00Z</updated>")).published_at is None


# Texts


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("One<br>two<br/><br />three", "One\n\ntwo\n\nthree"),
        ("<div>One</div><ul><li>two<li>three</ul>", "One\n\ntwo\n\nthree"),
        ("<p>5 &lt; 6 &amp; 7 &gt; 6&nbsp;&hellip;</p>", "5 < 6 & 7 > 6\xa0…"),
        ("5 < 6 & AT&T", "5 < 6 & AT&T"),
        ("<p>don&#146;t</p>", "don’t"),
        ("<script>steal()</script><p>Words</p><style>p {}</style><!-- <p>no</p> -->", "Words"),
        ("<p>Words</p><script>steal()", "Words"),
        ("<p>One</p><iframe src='x' /><p>two</p><script src='y'/><p>three</p><video src='z'/>", "One\n\ntwo\n\nthree"),
        ("<figure><img src='x'><figcaption>Photo: J. Roe</figcaption></figure><p>One</p><button>Share</button>", "One"),
        ("<p>One</p><object data='x'><param name='y'><p>two</p>", "One\n\ntwo"),
        ("&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;", "One & two"),
        ("<p>The &lt;b&gt; element</p>", "The <b> element"),
        ("<p>One</p>\n<p>The post <a href='/'>One</a> appeared first on <a href='/'>A</a>.</p>", "One"),
        ("<div>" * 3000 + "deep" + "</div>" * 3000, "deep"),
        ("CafÃ© au lait", "Café au lait"),
        ("Ã la carte, sagte er – „à la carte“", "Ã la carte, sagte er – „à la carte“"),
    ],
)
def test_a_text_is_what_a_reader_sees_in_its_paragraphs(markup: str, text: str) -> None:
    assert only(rss(f"<title>One</title><description>{escaped(markup)}</description>")).body == text
    assert only(rss(f"<title>One</title><description><![CDATA[{markup}]]></description>")).body == text


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "markup", ["<script>steal()</script>Bridge", "Bri<b onclick='x()'>dge</b>", "Bridge<img src=x onerror=y>"]
)
def test_no_markup_comes_through_in_a_title_however_often_escaped(markup: str, times: int) -> None:
    for _ in range(times):
        markup = escaped(markup)
    assert only(rss(f"<title><![CDATA[{markup}]]></title>")).title == "Bridge"


def test_the_longest_text_is_the_body() -> None:
    short = "<description>Short.</description>"
    assert only(rss(f"<title>One</title>{short}<content:encoded>{LONG}</content:encoded>")).body == LONG.strip()
    assert (
        only(rss(f"<title>One</title><description>{LONG}</description><content:encoded>Short.</content:encoded>")).body
        == LONG.strip()
    )


def test_an_entry_with_a_title_alone_is_kept_and_one_with_a_text_alone_gets_a_title() -> None:
    title_alone, text_alone = read(
        rss("<title>Bridge reopens</title>", "<description>It opened. Cars passed.</description>")
    )
    assert isinstance(title_alone, Article)
    assert isinstance(text_alone, Article)
    assert (title_alone.title, title_alone.body) == ("Bridge reopens", "Bridge reopens")
    assert (text_alone.title, text_alone.derived_title) == ("It opened.", True)


def test_an_entry_with_a_link_alone_is_a_page_to_fetch_and_one_with_nothing_is_named() -> None:
    found = taken(
        rss("<link>https://courier.example/1</link>", "<description><![CDATA[<img src='a.jpg'>]]></description>")
    )
    assert found.pages == ("https://courier.example/1",)
    assert [rejection.reason for rejection in found.rejections] == [
        "entry 2: it has neither a headline nor a text, nor a link to one"
    ]


@pytest.mark.parametrize(
    ("texts", "is_summary"),
    [
        (f"<description>{LONG}</description>", False),
        (f"<description>{LONG[:300]}</description>", True),
        (f"<description>{LONG} [&amp;#8230;]</description>", True),
        (f"<content:encoded>{LONG[:700]}</content:encoded>", False),
        (f"<content:encoded>{LONG[:700]} Continue reading →</content:encoded>", True),
        (f"<content:encoded>{LONG} Weiterlesen...</content:encoded>", True),
        (f"<description>{LONG[:700]}</description><content:encoded>{LONG}</content:encoded>", False),
        ("", True),
    ],
)
def test_an_entry_says_whether_it_is_only_a_summary_of_its_page(texts: str, is_summary: bool) -> None:
    (entry,) = taken(rss(f"<title>One</title><link>https://courier.example/1</link>{texts}")).entries
    assert entry.is_summary is is_summary


# Links and names


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ("<link>/1</link>", "https://courier.example/1"),
        ("<link>\n  https://courier.example/1\n</link>", "https://courier.example/1"),
        ("<guid>https://courier.example/1</guid>", "https://courier.example/1"),
        ("<guid isPermaLink='false'>https://courier.example/1</guid>", None),
        ("<guid>17</guid>", None),
        ("<link>javascript:alert(1)</link>", None),
        ("<link>file:///etc/passwd</link><guid>https://courier.example/1</guid>", None),
        ("<link>data:text/html,x</link>", None),
        ("<link>https://courier.example:port/1</link>", None),
        ("<link>mailto:a@b.example</link>", None),
        ("<link>//other.example/1</link>", "https://other.example/1"),
    ],
)
def test_a_link_is_a_web_address_or_none(item: str, url: str | None) -> None:
    found = taken(rss(f"<title>One</title>{item}"), base="https://courier.example/feed.xml")
    assert found.articles[0].url == url


def test_links_are_resolved_against_xml_base_and_the_feeds_own_address() -> None:
    based = "<title>B</title><link xml:base='https://b.example/x/' href='2'/>"
    found = taken(atom("<title>A</title><link href='1'/>", based), base="https://a.example/feed/")
    assert [article.url for article in found.articles] == ["https://a.example/feed/1", "https://b.example/x/2"]
    assert found.links_next == "https://a.example/page/2"


def test_an_entry_whose_link_changed_is_the_same_article_by_its_guid(tmp_path: Path) -> None:
    guid = "<guid isPermaLink='false'>17</guid>"
    before = only(rss(f"<title>Bridge reopens</title><link>https://courier.example/bridge</link>{guid}"))
    after = only(rss(f"<title>Bridge reopens again</title><link>https://courier.example/bridge-2</link>{guid}"))
    with closing(Store(tmp_path / "archive.db")) as store:
        assert [store.put(before), store.put(after)] == ["added", "updated"]
        assert [title for _, title, _ in store.headlines()] == ["Bridge reopens again"]


@pytest.mark.parametrize(
    "link", ["https://courier.example/", "https://courier.example/news", "https://courier.example/all#x"]
)
def test_a_link_that_several_entries_share_does_not_make_them_one_article(link: str) -> None:
    first, second, third = taken(
        rss(
            f"<title>One</title><link>{link}</link><guid isPermaLink='false'>1</guid>",
            f"<title>Two</title><link>{link}</link><guid isPermaLink='false'>2</guid>",
            f"<title>Three</title><link>{link}</link>",
        )
    ).articles
    assert len({first.id, second.id, third.id}) == 3
    assert first.id == alias(source="https://courier.example/", source_id="1")
    assert second.url == link


def test_guids_are_unique_in_their_feed_only() -> None:
    item = "<title>One</title><guid isPermaLink='false'>17</guid>"
    other = rss(item).replace(b"courier.example", b"ledger.example")
    assert only(rss(item)).id != only(other).id


# Character sets


RUSSIAN = "Правительство объявило о новых мерах поддержки фермеров после засухи"


@pytest.mark.parametrize(
    ("codec", "declared", "text"),
    [
        ("koi8-r", "koi8-r", RUSSIAN),
        ("koi8-r", None, RUSSIAN),
        ("cp1251", "utf-8", RUSSIAN),
        ("utf-8", "iso-8859-1", RUSSIAN),
        ("utf-8-sig", "windows-1251", RUSSIAN),
        ("utf-16", "utf-16", RUSSIAN),
        ("utf-16-le", "utf-16", RUSSIAN),
        ("utf-16-be", None, RUSSIAN),
        ("utf-32-le", "utf-32", RUSSIAN),
        ("utf-32", "utf-8", RUSSIAN),
        ("cp1252", "utf-8", "L’été à Besançon – déjà"),
        ("cp1252", "iso-8859-1", "L’été à Besançon – déjà"),
        ("cp1252", "unicode_escape", "L’été à Besançon – déjà"),
        ("shift_jis", "Shift_JIS", "政府は新たな対策を発表した"),
        ("gb18030", "gb2312", "政府宣布了旱灾后的新措施"),
        ("iso2022_jp", "iso-2022-jp", "政府は新たな対策を発表した"),
        ("iso2022_jp", None, "政府は新たな対策を発表した"),
    ],
)
def test_the_character_set_is_found_whatever_is_declared(codec: str, declared: str | None, text: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    raw = f"{declaration}<rss><channel><item><title>{text}</title></item></channel></rss>".encode(codec)
    assert detect(raw, "feed") == feed.read
    assert only(raw).title == text


def test_the_servers_character_set_goes_before_the_documents() -> None:
    raw = f'<?xml version="1.0" encoding="koi8-r"?><rss><item><title>{RUSSIAN}</title></item></rss>'.encode("cp1251")
    assert feed.entries(raw, base=None, charset="windows-1251").articles[0].title == RUSSIAN


def test_a_feed_in_two_character_sets_is_read_in_both() -> None:
    raw = rss("<title>Caf\xe9</title>", "<title>L’été</title>").replace("Caf\xe9".encode(), b"Caf\xe9")
    assert [article.title for article in taken(raw).articles] == ["Café", "L’été"]


# What is a feed


@pytest.mark.parametrize(
    "before",
    [
        "\n\n  ",
        "\ufeff \n",
        "<!-- made by hand -->\n",
        "<br />\n<b>Warning</b>: mysql_connect() in <b>/x.php</b> on line <b>3</b><br />\n",
    ],
)
def test_a_feed_behind_junk_is_found_and_read(before: str) -> None:
    raw = before.encode() + rss("<title>One</title>")
    assert detect(raw, "feed.txt") == feed.read
    assert only(raw).title == "One"


@pytest.mark.parametrize(
    ("start", "reader"),
    [
        ('<?xml version="1.0"?><!DOCTYPE html><html><body><rss>', html_pages.read),
        ("<!doctype html><title>What is RSS?</title><pre><rss version='2.0'>", html_pages.read),
        ('<r:rss xmlns:r="http://backend.userland.com/rss2">', feed.read),
        ("<CHANNEL HREF='https://a.example/'><ITEM>", feed.read),
    ],
)
def test_a_page_about_feeds_is_a_page(start: str, reader: object) -> None:
    assert detect(start.encode(), "a") == reader


@pytest.mark.parametrize(
    "start",
    [
        '<?xml version="1.0"?><newsItem xmlns="http://iptc.org/std/nar/2006-10-01/">',
        "<nitf><body><rss></rss></body></nitf>",
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:foaf="http://xmlns.com/foaf/0.1/">',
        '{"headline": "<rss version=\\"2.0\\">"}',
        "What RSS is: a line such as <rss version='2.0'> begins it.",
    ],
)
def test_what_only_speaks_of_feeds_is_none(start: str) -> None:
    assert not feed.matches(start.encode(), start)


# What is broken, and what is meant to harm


def test_a_feed_that_is_not_well_formed_gives_what_is_whole() -> None:
    raw = rss("<title>Fish & chips &nbsp;&copy; &bogus;</title>", "<title>Two\x08</title>", "<title>Three</title>")
    assert [article.title for article in taken(raw).articles] == ["Fish & chips © &bogus;", "Two", "Three"]
    assert [article.title for article in taken(raw[: raw.index(b"Three") + 5]).articles][:2] == [
        "Fish & chips © &bogus;",
        "Two",
    ]


def test_short_entities_of_a_document_type_are_kept_and_nothing_else_of_it() -> None:
    doctype = '<!DOCTYPE rss [<!ENTITY nbsp "&#160;"> <!ENTITY own "Ours"> <!ENTITY file SYSTEM "file:///etc/passwd">]>'
    raw = f"{doctype}<rss><item><title>A &own; &file;</title></item></rss>".encode()
    assert only(raw).title == "A Ours &file;"


def test_entities_do_not_grow() -> None:
    lol = "".join(f'<!ENTITY l{n + 1} "&l{n};&l{n};&l{n};">' for n in range(40))
    raw = f'<!DOCTYPE rss [<!ENTITY l0 "ha">{lol}]><rss><item><title>A &l40;</title></item></rss>'.encode()
    with within(2):
        assert only(raw).title == "A &l39;&l39;&l39;"


def test_attacks_by_xml_open_nothing_and_grow_to_nothing() -> None:
    for file in sorted(shared("formats/xml-attacks").rglob("*.x*")):
        raw = file.read_bytes()
        root = raw.rindex(b"\n<") if b"\n<" in raw else 0
        with within(5):
            for entry in [*read(raw), *read(raw[:root] + rss("<title>&a; &ee; &lol9;</title>"))]:
                assert len(str(entry)) < 1_000
                assert "root:" not in str(entry)


@pytest.mark.parametrize(
    "piece",
    ["<item>", "<item><title>a", "<a", "&a;", "<![CDATA[", "<!--", "<!DOCTYPE [", "<?x", "</item>", "]]>", "<title"],
)
def test_what_repeats_without_end_ends(piece: str) -> None:
    raw = b"<rss><channel>" + piece.encode() * 20_000
    with within(10):
        list(feed.read(io.BytesIO(raw), "input"))


def test_a_feed_over_the_cap_is_named() -> None:
    (rejection,) = read(b"<rss>" + b" " * MAX_FEED_BYTES)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "a feed larger than 20 MB: split it"


def test_a_feed_without_entries_is_named() -> None:
    (rejection,) = read(rss())
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "a feed without entries"
    (rejection,) = read(rss("<link>https://courier.example/1</link>"))
    assert isinstance(rejection, Rejection)
    assert "entries that are links alone: 1;" in rejection.reason


# Feeds as others collected them


UNSEEN = "script|style|svg|math|select|object|applet|embed|head|title|textarea|audio|video|canvas|iframe|noscript"
TEXTS = {"title", "description", "summary", "content", "encoded", "body", "abstract", "fullitem"}


def has_words(element: etree._Element) -> bool:
    """Tell whether an entry's part has a word in it, by taking all that looks like markup away."""
    text = re.sub(r"<[^>]*>", "", etree.tostring(element, encoding="unicode", with_tail=False))
    for _ in range(3):
        text = re.sub(rf"(?is)<({UNSEEN})\b.*?(</\1>|$)|<!--.*?(-->|$)|<[^>]*>", "", html.unescape(text))
    return re.search(r"[^\W_]", text) is not None


def entries_with_words(raw: bytes) -> tuple[int, list[str]]:
    """Return how many entries with words lxml finds in a feed, and their links, without the reader under test."""
    try:
        root = etree.fromstring(raw, etree.XMLParser(recover=True, resolve_entities=False))
    except etree.XMLSyntaxError:
        return 0, []
    count, links = 0, []
    for entry in root.iter("{*}item", "{*}entry") if root is not None else ():
        parts = [(etree.QName(part).localname.lower(), part) for part in entry if isinstance(part.tag, str)]
        if any(name in TEXTS and has_words(part) for name, part in parts):
            count += 1
            own = [
                part.get("href") or part.text or ""
                for name, part in parts
                if name == "link" and part.get("rel", "alternate") == "alternate"
            ]
            links += [link.strip() for link in own if re.match("https?://", link.strip())][:1]
    return count, links


def test_of_all_collected_feeds_nearly_all_entries_come_with_their_links_and_nothing_harmful() -> None:
    feeds = sorted(shared("formats/feeds").rglob("*.xml"))
    assert len(feeds) > 2_000
    with_entries, whole, lost_links = 0, 0, []
    for file in feeds:
        raw = file.read_bytes()
        with within(5):
            articles = [entry for entry in read(raw) if isinstance(entry, Article)]
        expected, links = entries_with_words(raw)
        with_entries += expected > 0
        whole += len(articles) >= expected > 0
        lost_links += [link for link in links if link not in [article.url for article in articles]]
        for article in articles:
            parts = (article.title, article.body, article.source or "", article.section or "", *article.authors)
            assert not re.search(r"<\s*/?\s*script", "\n".join(parts), re.IGNORECASE), file
            assert article.url is None or re.match("https?://", article.url), file
    assert with_entries > 390
    assert whole / with_entries > 0.97
    assert lost_links == []
