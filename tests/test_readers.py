"""What the readers make of files, good and bad."""

import codecs
import contextlib
import gzip
import io
import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.identity import article_id
from archive.readers import HEAD_BYTES, Reader, detect
from archive.readers.dates import standard_date, stated_date, written_date
from archive.readers.fields import MAX_BODY_CHARS, language_tag
from archive.readers.lines import MAX_LINE_BYTES
from archive.readers.normalise import MAX_DERIVED_TITLE, body_text, derived_title, one_line
from archive.readers.packed import gzipped
from archive.readers.packed.budget import FREE_BYTES, Budget
from archive.readers.pages import html
from archive.readers.records import json_list, jsonl, table
from archive.readers.texts import text

PAGE = """<!doctype html><html lang="en-gb"><head><title>Bridge reopens - Courier</title>{head}</head><body>
<nav><a href="/">Home</a></nav><article><h1>Bridge reopens</h1>{dates}
<p>The old bridge over the river reopened on Monday after two years of repairs, the council said.</p>
<p>Hundreds of people crossed it on foot in the first hour, among them the engineer who drew the plans.</p>
<p>Traffic follows in May, when the approach roads have been surfaced and the lights have been tested.</p>
</article><footer>Copyright 2015 The Courier. All rights reserved.</footer></body></html>"""


def read(reader: Reader, content: str | bytes) -> list[Article | Rejection]:
    raw = content.encode() if isinstance(content, str) else content
    return list(reader(io.BytesIO(raw), "input"))


def only_article(reader: Reader, content: str | bytes) -> Article:
    (entry,) = read(reader, content)
    assert isinstance(entry, Article), entry
    return entry


def only_rejection(reader: Reader, content: str | bytes) -> Rejection:
    (entry,) = read(reader, content)
    assert isinstance(entry, Rejection), entry
    return entry


def record(**fields: object) -> str:
    return json.dumps({"body": "The old bridge reopened.", **fields})


def outcomes(entries: list[Article | Rejection]) -> list[object]:
    """Return the title of each article and the line of each rejection."""
    return [entry.title if isinstance(entry, Article) else entry.line for entry in entries]


# JSON Lines


def test_a_full_record_keeps_every_field() -> None:
    article = only_article(
        jsonl.read,
        record(
            id="7",
            url="https://news.example/bridge",
            source="The Courier",
            section="local",
            title="Bridge  reopens\n",
            authors=["Jane Doe", " ", None, "John Roe", "Jane Doe"],
            language="en_gb",
            published_at="2016-08-10T09:30:00+02:00",
            updated_at="2016-08-11",
            places=["ignored"],
        ),
    )
    assert article == Article(
        id=article_id(url="https://news.example/bridge", source=None, source_id=None, text=""),
        url="https://news.example/bridge",
        source="The Courier",
        section="local",
        title="Bridge reopens",
        body="The old bridge reopened.",
        authors=("Jane Doe", "John Roe"),
        language="en-GB",
        published_at=datetime(2016, 8, 10, 7, 30, tzinfo=UTC),
        updated_at=datetime(2016, 8, 11, tzinfo=UTC),
    )


def test_a_row_of_a_beir_corpus_is_an_article() -> None:
    article = only_article(
        jsonl.read, '{"_id": "4983", "title": "", "text": "A study. It found much.", "metadata": {}}'
    )
    assert (article.title, article.derived_title, article.body) == ("A study.", True, "A study. It found much.")
    assert article.id == article_id(url=None, source=None, source_id=None, text=f"{article.title}\n\n{article.body}")


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_null_and_empty_fields_are_unknown(empty: str | None) -> None:
    names = ("id", "url", "source", "section", "title", "authors", "language", "published_at", "updated_at")
    article = only_article(jsonl.read, record(**dict.fromkeys(names, empty)))
    plain = only_article(jsonl.read, record())
    assert article == plain
    assert (plain.source, plain.authors, plain.published_at, plain.derived_title) == (None, (), None, True)


def test_other_names_serve_when_the_first_is_null() -> None:
    line = json.dumps(
        {"title": None, "headline": "Bridge", "body": "", "content": "It reopened.", "date": "2016-08-10"}
    )
    article = only_article(jsonl.read, line)
    assert (article.title, article.body) == ("Bridge", "It reopened.")
    assert article.published_at == datetime(2016, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize("name", ["published_at", "updated_at"])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("yesterday", "yesterday"),
        ("10/08/2016", "10/08/2016"),
        ("2016-13-01", "2016-13-01"),
        (1470787200, "1470787200"),
        (["2016-08-10"], "['2016-08-10']"),
        ("x" * 5000, "x" * 40),
    ],
)
def test_a_date_that_cannot_be_read_costs_the_date_and_not_the_article(name: str, given: object, shown: str) -> None:
    article = only_article(jsonl.read, record(**{name: given}))
    assert (article.published_at, article.updated_at, article.unread_date) == (None, None, shown)
    assert article == only_article(jsonl.read, record())


def test_a_date_that_is_read_or_absent_is_none_that_could_not_be() -> None:
    assert only_article(jsonl.read, record(published_at="31/12/2016")).unread_date is None
    assert only_article(jsonl.read, record(published_at=" ")).unread_date is None


def test_a_truncated_line_is_named_and_the_rest_go_in() -> None:
    entries = read(jsonl.read, f"{record(title='One')}\n{record(title='Two')[:-9]}\n\n{record(title='Four')}")
    assert outcomes(entries) == ["One", 2, "Four"]
    assert isinstance(entries[1], Rejection)
    assert (entries[1].source, "not complete JSON" in entries[1].reason) == ("input", True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (record(title=7), "title is a number"),
        (record(title=True), "title is true or false"),
        (record(authors={"name": "Jane"}), "authors is an object"),
        (record(authors=["Jane", {"name": "Jane"}]), "authors holds an object"),
        (record(body=["a", "b"]), "body is a list"),
        (record(id=True), "id is true or false"),
        (record(source=[]), "source is a list"),
        (record(body=" \n\t"), "no body"),
        (record(body="\u200b…\u0000"), "no body"),
        (record(url="javascript:alert(1)"), "not http or https"),
        ("{}", "no body"),
        ('"text"', "not a JSON object"),
        ("[1]", "not a JSON object"),
        ("nonsense", "not complete JSON"),
        ('{"body": ' + "9" * 5000 + "}", "a number too long"),
        ('{"a":' * 100_000, "nested too deep"),
    ],
)
def test_a_line_that_is_no_article_says_why_and_the_next_goes_in(line: str, words: str) -> None:
    rejection, article = read(jsonl.read, f"{line}\n{record(title='Next')}\n")
    assert isinstance(rejection, Rejection)
    assert isinstance(article, Article)
    assert (rejection.line, article.title) == (1, "Next")
    assert words in rejection.reason


def test_a_body_longer_than_any_article_is_named_and_one_at_the_limit_goes_in() -> None:
    entries = read(jsonl.read, record(body="x" * MAX_BODY_CHARS) + "\n" + record(body="x" * (MAX_BODY_CHARS + 1)))
    assert isinstance(entries[0], Article)
    assert isinstance(entries[1], Rejection)
    assert "2,000,001 characters, more than the 2,000,000" in entries[1].reason


def test_a_line_over_the_cap_is_named_and_the_rest_go_in() -> None:
    fits = b'{"title": "Fits", "body": "x", "note": "' + b"x" * (MAX_LINE_BYTES - 42) + b'"}'
    assert len(fits) == MAX_LINE_BYTES
    entries = read(jsonl.read, fits + b"\r\n" + fits + b" \n" + record(title="Next").encode())
    assert outcomes(entries) == ["Fits", 2, "Next"]
    assert isinstance(entries[1], Rejection)
    assert "longer than 10 MB" in entries[1].reason


def test_a_line_that_is_not_utf8_names_the_byte_and_the_way_out() -> None:
    entries = read(jsonl.read, record(title="One").encode() + b'\n{"body": "caf\xe9"}\n' + record(title="3").encode())
    assert outcomes(entries) == ["One", 2, "3"]
    assert isinstance(entries[1], Rejection)
    assert "byte 0xE9 at position 14 is not UTF-8" in entries[1].reason
    assert "iconv -f latin1 -t utf-8" in entries[1].reason


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert only_article(jsonl.read, codecs.BOM_UTF8 + record(title="One").encode()).title == "One"


def test_a_number_may_be_an_id() -> None:
    assert only_article(jsonl.read, record(id=7)).id == only_article(jsonl.read, record(_id="7")).id


@pytest.mark.parametrize("url", ["javascript:alert(1)", "n/a", "/2016/bridge", "http://[bad", "www.news.example:80/a"])
def test_what_is_no_web_address_is_left_out_where_something_else_identifies(url: str) -> None:
    assert only_article(jsonl.read, record(url=url, id="7")).url is None


def test_a_url_is_kept_as_it_was_given() -> None:
    url = "http://news.example/bridge?utm_source=mail#top"
    assert only_article(jsonl.read, record(url=f" {url} ")).url == url


def test_an_article_with_neither_url_nor_id_is_known_by_its_text() -> None:
    first, again, other = (
        only_article(jsonl.read, record(title=title, section=section)).id
        for title, section in (("One", "a"), ("One", "b"), ("Two", "a"))
    )
    assert first == again != other


# CSV


def test_a_table_is_read_row_by_row() -> None:
    content = (
        'Title,Body,Authors,Date,Mood\r\nOne,"Text, with a comma.","Jane Doe; John Roe",2016-08-10,good\r\n'
        '\r\nTwo,"Two lines\r\nof ""quoted"" text.",,,\r\n'
    )
    one, two = read(table.read, content)
    assert isinstance(one, Article)
    assert isinstance(two, Article)
    assert (one.title, one.body, one.authors) == ("One", "Text, with a comma.", ("Jane Doe", "John Roe"))
    assert one.published_at == datetime(2016, 8, 10, tzinfo=UTC)
    assert (two.body, two.authors, two.published_at) == ('Two lines of "quoted" text.', (), None)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_separate_columns_too(delimiter: str) -> None:
    content = codecs.BOM_UTF8 + delimiter.join(["title", "text"]).encode() + b"\n" + delimiter.join("ab").encode()
    assert only_article(table.read, content).title == "a"


def test_of_two_columns_with_one_name_the_first_counts() -> None:
    assert only_article(table.read, "title,body,title\nOne,It happened.,\n").title == "One"


def test_a_quote_that_is_never_closed_costs_its_row_only() -> None:
    entries = read(table.read, 'title,body\nOne,a\nTwo,"open\nThree,c\nFour,"d"\nFive,"open to the end\nSix,f\n')
    assert outcomes(entries) == ["One", 3, "Three", "Four", 6, "Six"]
    assert isinstance(entries[1], Rejection)
    assert "close every quote" in entries[1].reason


def test_an_open_quote_before_a_huge_rest_does_not_gather_it() -> None:
    rest = b"Later,words\n" * (MAX_LINE_BYTES // 12 + 10)
    entries = table.read(io.BytesIO(b'title,body\nOne,"open\n' + rest), "input")
    assert outcomes([next(entries), next(entries)]) == [2, "Later"]


def test_a_row_over_the_cap_is_named_though_none_of_its_lines_is() -> None:
    cell = b'"' + (b"x" * 999 + b"\n") * (MAX_LINE_BYTES // 10_000) + b'"'
    entries = table.read(io.BytesIO(b"title,body\n" + b",".join([cell] * 11) + b"\nNext,c\n"), "input")
    first = next(entries)
    assert isinstance(first, Rejection)
    assert (first.line, "goes on for too long" in first.reason) == (2, True)


def test_a_line_over_the_cap_inside_a_table_is_named() -> None:
    entries = read(table.read, b"title,body\nOne,a\nTwo," + b"x" * MAX_LINE_BYTES + b"\nThree,c\n")
    assert outcomes(entries) == ["One", 3, "Three"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a,b,c", "3 cells where the first row names 2 columns"),
        ("a", "1 cells"),
        ("a,", "no body"),
        ("éé éé caf\udce9,b", "byte 0xE9 at position 14 is not UTF-8"),
    ],
)
def test_a_row_that_is_no_article_says_why_and_the_next_goes_in(row: str, words: str) -> None:
    content = f"title,body\n{row}\nNext,text\n".encode("utf-8", "surrogateescape")
    rejection, article = read(table.read, content)
    assert outcomes([rejection, article]) == [2, "Next"]
    assert isinstance(rejection, Rejection)
    assert words in rejection.reason


@pytest.mark.parametrize("content", ["", "\n\n", "title,date\na,2016-08-10\nb,2016-08-10\n", "title,body\n", '"open'])
def test_a_table_without_texts_is_rejected_once(content: str) -> None:
    only_rejection(table.read, content)


@pytest.mark.parametrize("encoding", ["latin1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_in_the_encoding_it_is_in(encoding: str, delimiter: str) -> None:
    rows = [["title", "body"], ["Brücke", "Sie ist offen, heißt es."], ["Café", "Il est fermé à midi."]]
    content = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows).encode(encoding)
    assert detect(content, "table.txt") is table.read
    entries = read(table.read, content)
    assert [(each.title, each.body) for each in entries if isinstance(each, Article)] == [
        tuple(row) for row in rows[1:]
    ]


@pytest.mark.parametrize(("encoding", "cafés"), [("latin1", 3), ("utf-8", 3), ("utf-8", 1), ("latin1", 1)])
def test_a_table_is_judged_where_its_first_accent_stands_however_late(encoding: str, cafés: int) -> None:
    plain = b"title,body\n" + b"Plain,words\n" * (HEAD_BYTES // 4)
    content = plain + "\n".join(["Café,Déjà vu."] * cafés).encode(encoding)
    stream = io.BufferedReader(io.BytesIO(content), HEAD_BYTES)  # type: ignore[arg-type,type-var]  # as of a file
    entries = list(table.read(stream, "input"))  # type: ignore[arg-type]
    assert outcomes(entries[-cafés:]) == ["Café"] * cafés
    assert len(entries) == HEAD_BYTES // 4 + cafés


def test_a_damaged_gzip_of_a_latin1_table_gives_its_rows_and_then_the_reason() -> None:
    rows = "".join(f"Café {number},Déjà {number**9}\n" for number in range(9_000))
    entries: list[Article | Rejection] = []
    with pytest.raises(SourceError, match="damaged or cut off"):
        entries.extend(table.read(opened(gzip.compress(f"title,body\n{rows}".encode("latin1"))[:-300]), "input"))  # type: ignore[arg-type]
    assert outcomes(entries) == [f"Café {number}" for number in range(len(entries))]
    assert len(entries) > 8_500


# A list of records


def test_a_list_of_records_spread_over_lines_is_read_one_by_one() -> None:
    content = json.dumps(
        [json.loads(record(title="One")), {"title": "Two"}, 7, json.loads(record(title="Four"))], indent=2
    )
    entries = read(json_list.read, content)
    assert outcomes(entries) == ["One", 6, 9, "Four"]
    assert isinstance(entries[1], Rejection)
    assert entries[1].raw is not None
    assert json.loads(entries[1].raw) == {"title": "Two"}


def test_objects_spread_over_lines_are_read_one_by_one_and_a_broken_one_costs_itself() -> None:
    spread = json.dumps(json.loads(record(title="One")), indent=2)
    entries = read(json_list.read, f"{spread}\n{spread[:-4]}\n{spread}\n")
    assert outcomes(entries) == ["One", 5, "One"]
    assert detect(spread.encode("utf-16"), "a.json") is json_list.read
    assert only_article(json_list.read, spread.encode("utf-16")).title == "One"


# Plain text


def test_text_without_a_header_takes_its_title_from_the_first_sentence_and_has_no_date() -> None:
    article = only_article(text.read, "\ufeffThe bridge reopened on 10 August 2016. Many came.\nMore follows in May.\n")
    assert article.title == "The bridge reopened on 10 August 2016."
    assert (article.derived_title, article.published_at) == (True, None)
    assert article.body == "The bridge reopened on 10 August 2016. Many came.\n\nMore follows in May."


def test_header_lines_fill_the_fields() -> None:
    article = only_article(
        text.read,
        "\nHeadline: Bridge reopens\r\nDate: Wed, 10 Aug 2016 09:30:00 +0200\r\nBy: Jane Doe\r\nBy: John Roe\r\n"
        "Mood: good\r\nSection:\r\nSOURCE: Courier\r\nURL: https://news.example/bridge\r\n\r\nThe bridge: it reopened.",
    )
    assert (article.title, article.derived_title, article.body) == ("Bridge reopens", False, "The bridge: it reopened.")
    assert article.published_at == datetime(2016, 8, 10, 7, 30, tzinfo=UTC)
    assert (article.authors, article.source, article.section) == (("Jane Doe", "John Roe"), "Courier", None)
    assert article.url == "https://news.example/bridge"


def test_a_first_line_with_another_name_is_text() -> None:
    article = only_article(text.read, "Washington: a city waits.\nTitle: none\n\nMore.")
    assert article.derived_title
    assert article.body.startswith("Washington: a city waits.")


def test_a_header_that_runs_into_the_text_is_named_with_its_line() -> None:
    rejection = only_rejection(text.read, "Title: Bridge\nDate: 2016-08-10\nThe bridge reopened.\n")
    assert rejection.line == 3
    assert "blank line" in rejection.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Title: Bridge\n", "no body"),
        (" \n", "no body"),
        ("A text\0with NUL", "NUL"),
        (codecs.BOM_UTF16_LE + b"a", "UTF-16"),
    ],
)
def test_text_that_is_no_article_says_why(content: str | bytes, words: str) -> None:
    assert words in only_rejection(text.read, content).reason


def test_latin1_text_is_rejected_with_line_byte_and_the_way_out() -> None:
    rejection = only_rejection(
        text.read, codecs.BOM_UTF8 + "The Café\nIn the café".encode("latin1").replace(b"f\xe9", b"fe", 1)
    )
    assert rejection.line == 2
    assert "byte 0xE9 at position 11" in rejection.reason
    assert "iconv -f latin1 -t utf-8" in rejection.reason


@pytest.mark.parametrize("encoding", ["latin1", "cp1252", "cp1251", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_a_text_is_read_in_the_encoding_it_is_in(encoding: str) -> None:
    words = "Мост через реку открыт снова." if encoding == "cp1251" else "Der Brücke fehlt ein Stück, sagt José."
    assert only_article(text.read, words.encode(encoding)).body == words


def test_bytes_that_are_no_text_in_any_encoding_are_not_taken_for_latin1() -> None:
    assert "is not UTF-8" in only_rejection(text.read, b"\xe9\x01\x02 words \xff").reason


def test_utf16_with_its_mark_is_read() -> None:
    assert only_article(text.read, "Die Brücke ist offen.".encode("utf-16")).body == "Die Brücke ist offen."


def test_a_text_over_the_cap_is_rejected() -> None:
    assert "larger than 50 MB" in only_rejection(text.read, b"word " * 10_000_001).reason


# HTML


def test_a_page_gives_its_article_and_what_its_tags_say() -> None:
    head = """<meta property="og:title" content="Bridge reopens"><meta property="og:site_name" content="The Courier">
    <meta property="article:published_time" content="2016-08-10T09:30:00+02:00">
    <meta property="article:modified_time" content="2016-08-11T00:00:00Z">
    <meta property="article:section" content="Local"><meta name="author" content="Jane Doe">
    <link rel="canonical" href="https://courier.example/bridge">"""
    article = only_article(html.read, PAGE.format(head=head, dates=""))
    assert (article.title, article.derived_title) == ("Bridge reopens", False)
    assert (article.source, article.section, article.authors) == ("The Courier", "Local", ("Jane Doe",))
    assert (article.url, article.language) == ("https://courier.example/bridge", "en-GB")
    assert article.published_at == datetime(2016, 8, 10, 7, 30, tzinfo=UTC)
    assert article.updated_at == datetime(2016, 8, 11, tzinfo=UTC)
    paragraphs = article.body.split("\n\n")
    assert [paragraph.split()[0] for paragraph in paragraphs] == ["The", "Hundreds", "Traffic"]


@pytest.mark.parametrize(
    "dates",
    [
        "",
        "<p>Posted on 12 March 2014</p>",
        '<time datetime="2016-08-10">Wed</time> <time datetime="2016-08-12">Fri</time>',
        '<time datetime="yesterday">yesterday</time>',
        "<time>2016-08-10</time>",
    ],
)
def test_a_page_that_states_no_single_date_has_none(dates: str) -> None:
    head = '<link rel="canonical" href="https://courier.example/2013/02/03/bridge">'
    assert only_article(html.read, PAGE.format(head=head, dates=dates)).published_at is None


@pytest.mark.parametrize(
    "dates",
    [
        '<time datetime="2016-08-10">Wednesday</time>',
        '<time datetime="2016-08-10" pubdate>Wed</time> <time datetime="2016-08-12">Fri</time>',
        '<span itemprop="datePublished" content="2016-08-10">Wed</span> <time datetime="2016-08-12">Fri</time>',
    ],
)
def test_a_page_whose_own_date_is_marked_has_it(dates: str) -> None:
    article = only_article(html.read, PAGE.format(head="", dates=dates))
    assert article.published_at == datetime(2016, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize("address", ["https://courier.example/", "/bridge", "javascript:alert(1)"])
def test_an_address_that_cannot_be_the_pages_own_is_left_out(address: str) -> None:
    head = f'<link rel="canonical" href="{address}">'
    assert only_article(html.read, PAGE.format(head=head, dates="")).url is None


@pytest.mark.parametrize(
    "content", ["", "<html><body><nav>Home</nav></body></html>", b"\x00\xff" * 50, "<div>" * 50_000]
)
def test_a_page_without_an_article_is_rejected(content: str | bytes) -> None:
    only_rejection(html.read, content)


def test_a_page_over_the_cap_is_rejected() -> None:
    assert "larger than 10 MB" in only_rejection(html.read, b"<html>" + b" " * 10_000_000).reason


# What every reader promises


READERS = st.sampled_from([text.read, jsonl.read, table.read])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(["id", "url", "source", "title", "body", "text", "authors", "language", "date", "updated_at"])


def keeps_its_promise(entries: list[Article | Rejection]) -> None:
    for entry in entries:
        if isinstance(entry, Rejection):
            assert entry.reason
            assert entry.line is None or entry.line >= 1
            continue
        assert entry.body.strip()
        assert entry.title.strip()
        assert "\n" not in entry.title
        assert "\n\n\n" not in entry.body
        shown = [entry.title, entry.body, entry.url, entry.source, entry.section, *entry.authors]
        everything = "".join(part or "" for part in shown)
        assert "\0" not in everything
        assert "\r" not in everything
        everything.encode()  # no lone surrogates


@given(READERS, st.binary())
def test_any_bytes_give_only_articles_and_rejections(reader: Reader, content: bytes) -> None:
    keeps_its_promise(read(reader, content))


@given(READERS, st.text(st.characters(codec="utf-8"), max_size=200) | st.text('"\n\r,;\t {}:abTitle', max_size=60))
def test_any_text_gives_only_articles_and_rejections(reader: Reader, content: str) -> None:
    keeps_its_promise(read(reader, f"title,body\n{content}"))
    keeps_its_promise(read(reader, f"Title: {content}"))


@given(st.lists(st.dictionaries(NAMES, VALUES), max_size=4))
def test_any_records_give_one_entry_each(records: list[dict[str, object]]) -> None:
    entries = read(jsonl.read, "\n".join(json.dumps(each) for each in records))
    assert len(entries) == len(records)
    keeps_its_promise(entries)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300) | st.text("<>/=\"'abp &;#!-\n", max_size=200).map(str.encode))
def test_any_bytes_in_a_page_give_only_articles_and_rejections(content: bytes) -> None:
    keeps_its_promise(read(html.read, content))
    keeps_its_promise(read(html.read, PAGE.format(head="", dates="").encode().replace(b"</article>", content)))


@given(st.binary(max_size=100), st.sampled_from(["a.txt", "a.jsonl", "a.csv", "a.html.gz", "a.xyz", ""]))
def test_detect_picks_a_reader_or_says_why_not(head: bytes, name: str) -> None:
    with contextlib.suppress(SourceError):
        assert callable(detect(head, name))


# Which reader


@pytest.mark.parametrize(
    ("head", "name", "reader"),
    [
        ("The bridge reopened.", "a.txt", text.read),
        ("The bridge reopened.", "a.TXT.gz", text.read),
        ("The bridge reopened.", "story", text.read),
        ("Title: Bridge\n\nIt reopened.", "a.story", text.read),
        (record(), "a.jsonl.gz", jsonl.read),
        (record(), "a.txt", jsonl.read),
        ("broken", "a.jsonl", jsonl.read),
        ('{"body": "cut off\0', "a.jsonl", jsonl.read),
        ("title,body\n", "a.txt", table.read),
        ("published_at\ttext\n", "a", table.read),
        ("a,b\n", "a.csv", table.read),
        ('{\n  "title": "a"', "a.json", json_list.read),
        ('[{"title": "a", "body": "b"}]', "a.txt", json_list.read),
        ("[[a]] b", "a.txt", text.read),
        ("\n <!DOCTYPE html>\n<html>", "a.txt", html.read),
        ('<?xml version="1.0"?><!-- saved --><html lang="en">', "a", html.read),
        ("<p>A piece of a page", "a.htm", html.read),
        ("﻿<p>is not a page", "a.txt", text.read),
    ],
)
def test_content_decides_first_and_the_name_second(head: str, name: str, reader: Reader) -> None:
    assert detect(head.encode(), name) is reader


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "photo.txt", "not text: looks like a PNG image"),
        (b"%PDF-1.7", "a.txt", "a PDF document"),
        (b"PK\x07\x08", "a.zip", "no reader takes .zip files"),
        (b"", "a.txt", "empty file"),
        (codecs.BOM_UTF8 + b" \n", "a.jsonl", "empty file"),
        (b"ab\0cd", "a.txt", "NUL"),
        (b"some words", "a.xyz", "no reader takes .xyz files"),
        (b'<?xml version="1.0"?><invoice>', "a.xml", "XML whose root is <invoice>, of a kind that no reader takes"),
        (b"<ns:invoice><line/></ns:invoice>", "a.xml", "XML whose root is <invoice>, of a kind that no reader takes"),
        (b'<?xml version="1.0"?> ', "a.txt", "XML of a kind that no reader takes"),
        (b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>', "a.xml", "XML that declares entities"),
        (b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>', "a.txt", "as attacks do"),
        (record().encode("utf-16"), "a.jsonl", "iconv -f utf-16 -t utf-8"),
    ],
)
def test_what_no_reader_takes_says_what_it_looks_like(head: bytes, name: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        detect(head, name)


# gzip


def opened(packed: bytes) -> io.BufferedReader:
    file = io.BytesIO(packed)
    return io.BufferedReader(gzipped.Unpacked(file, Budget(file.tell)), HEAD_BYTES)


def test_gzip_is_unpacked_whatever_the_number_of_members() -> None:
    assert opened(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(700)).read() == b"one two"


def test_a_cut_off_gzip_gives_its_lines_and_then_the_reason() -> None:
    lines = "".join(f"{record(title=str(number), section=str(number**9))}\n" for number in range(2000))
    packed = gzip.compress(lines.encode())
    stream = opened(packed[:-300])
    entries: list[Article | Rejection] = []
    with pytest.raises(SourceError, match="damaged or cut off"):
        entries.extend(jsonl.read(stream, "input"))
    titles = outcomes(entries)
    assert titles == [str(number) for number in range(len(titles))]
    assert len(titles) > 1900


def test_after_a_damaged_member_of_a_gzip_file_the_next_one_is_read() -> None:
    # Of what cannot be packed: zlib has no sooner sign of damage than the checksum at the end of a member.
    parts = [random.Random(number).randbytes(200_000) for number in range(3)]
    packed = [gzip.compress(part) for part in parts]
    for place, what in ((100_000, b"\xff" * 40), (5, b""), (0, b"no gzip here")):
        torn = packed[1][:place] + what + packed[1][place + len(what) :] if what else packed[1][:place]
        stream = opened(packed[0] + torn + packed[2])
        got = bytearray()
        failures = 0
        while True:
            try:
                piece = stream.read1(1 << 16)
            except SourceError:
                failures += 1
                continue
            if not piece:
                break
            got += piece
        assert failures == 1
        assert got.startswith(parts[0])
        assert got.endswith(parts[2])


def test_a_gzip_that_grows_without_end_is_stopped() -> None:
    packed = gzip.compress(bytes(FREE_BYTES + 10_000_000), compresslevel=1)
    stream = opened(packed)
    sizes: list[int] = []
    with pytest.raises(SourceError, match="unpacks to over 100 MB"):
        sizes.extend(len(piece) for piece in iter(lambda: stream.read(1 << 20), b""))
    assert 0.9 * FREE_BYTES < sum(sizes) <= FREE_BYTES


# One form


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("One.\n\n\n \nTwo.\n", "One.\n\nTwo."),
        ("One.\r\nTwo.\rThree.\x85Four.\u2028Five.", "One.\n\nTwo.\n\nThree.\n\nFour.\n\nFive."),
        ("Caf\u0065\u0301 \x07bell\x00 \ud83d end\ttab", "Caf\u00e9 bell \ufffd end\ttab"),
        ("Bidi \u202eleft alone\u202c.", "Bidi \u202eleft alone\u202c."),
        ("They met:\n\n- one\n- the other, with more words\n- a third\n\nThen they left.", None),
        ("Write to:\n\nCity Hall\n12 Long Harbour Street, second floor\nLeeds\nEngland\n\nOpen on Mondays.", None),
    ],
)
def test_a_body_has_one_form(given_text: str, expected: str | None) -> None:
    assert body_text(given_text) == (expected or given_text)
    assert body_text(body_text(given_text)) == body_text(given_text)


def test_hard_wrapped_copy_is_unwrapped_and_an_indent_starts_a_paragraph() -> None:
    wrapped = (
        "The harbour of the town will close for the whole of\nthe winter while its walls are raised by two metres,\n"
        "the vice-\npresident of the board said.\n    Ships are sent to the next port along the coast, which\n"
        "has room for all of them.\n Wire"
    )
    assert body_text(wrapped) == (
        "The harbour of the town will close for the whole of the winter while its walls are raised by two metres, "
        "the vice-president of the board said.\n\nShips are sent to the next port along the coast, which "
        "has room for all of them.\n\nWire"
    )


def test_wrapped_paragraphs_between_blank_lines_are_unwrapped_too() -> None:
    wrapped = (
        "The harbour of the town will close for the whole of\nthe winter while its walls are raised.\n\nMore soon."
    )
    assert body_text(wrapped).split("\n\n")[0].endswith("whole of the winter while its walls are raised.")


def test_short_sentences_a_line_are_paragraphs_not_wrapping() -> None:
    assert body_text("Fire in Leeds.\nTwo were hurt.\nPolice came.").count("\n\n") == 2


def test_long_lines_are_paragraphs() -> None:
    line = "This paragraph is written on a single line, as word processors do, and goes on past eighty characters"
    assert body_text("\n".join([line] * 3)) == "\n\n".join([line] * 3)


def test_a_title_is_one_line() -> None:
    assert one_line(" Bridge\r\n  reopens\u00a0today\x00 ") == "Bridge reopens today"


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("Mr. Smith met U.S. envoys on Jan. 5. Then he left.", "Mr. Smith met U.S. envoys on Jan. 5."),
        ("“Is it so?” he asked. Yes.", "“Is it so?” he asked."),
        ("No stop here\n\nNext paragraph", "No stop here"),
        ("It rose 3.5 percent. Good.", "It rose 3.5 percent."),
        ("橋が再開した。人々が来た。", "橋が再開した。"),
        ("word " * 30, "word " * 18 + "word word…"),
        ("x" * 300, "x" * 99 + "…"),
    ],
)
def test_a_derived_title_is_the_first_sentence_cut_at_a_word(body: str, title: str) -> None:
    assert derived_title(body.strip()) == title
    assert len(title) <= MAX_DERIVED_TITLE


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2016-08-10", datetime(2016, 8, 10, tzinfo=UTC)),
        ("20160810", datetime(2016, 8, 10, tzinfo=UTC)),
        ("2016-08-10T09:30", datetime(2016, 8, 10, 9, 30, tzinfo=UTC)),
        ("2016-08-10 09:30:00.5 -0530", datetime(2016, 8, 10, 15, 0, 0, 500_000, tzinfo=UTC)),
        ("2016-08-10t09:30z", datetime(2016, 8, 10, 9, 30, tzinfo=UTC)),
        ("Wed, 10 Aug 2016 09:30:00 GMT", datetime(2016, 8, 10, 9, 30, tzinfo=UTC)),
        ("10 Aug 2016 09:30 EDT", datetime(2016, 8, 10, 13, 30, tzinfo=UTC)),
        ("1000-01-01", datetime(1000, 1, 1, tzinfo=UTC)),
    ],
)
def test_dates_come_out_in_utc(written: str, moment: datetime) -> None:
    assert standard_date(written) == written_date(written) == stated_date(written) == moment
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("31/12/2026", datetime(2026, 12, 31, tzinfo=UTC)),
        ("12/31/2026", datetime(2026, 12, 31, tzinfo=UTC)),
        ("8/8/2016", datetime(2016, 8, 8, tzinfo=UTC)),
        ("31-12-2026 23:05", datetime(2026, 12, 31, 23, 5, tzinfo=UTC)),
        ("12/31/2026, 9:30 PM", datetime(2026, 12, 31, 21, 30, tzinfo=UTC)),
        ("12/31/2026 12:30 a.m.", datetime(2026, 12, 31, 0, 30, tzinfo=UTC)),
        ("10.08.2016", datetime(2016, 8, 10, tzinfo=UTC)),
        ("2016/08/10 09:30:15 +02:00", datetime(2016, 8, 10, 7, 30, 15, tzinfo=UTC)),
        ("2016-8-1", datetime(2016, 8, 1, tzinfo=UTC)),
        ("August 10, 2016", datetime(2016, 8, 10, tzinfo=UTC)),
        ("Wednesday, Aug. 10, 2016 9:30", datetime(2016, 8, 10, 9, 30, tzinfo=UTC)),
        ("10th August 2016", datetime(2016, 8, 10, tzinfo=UTC)),
        ("10 Sept 2016", datetime(2016, 9, 10, tzinfo=UTC)),
    ],
)
def test_dates_in_other_forms_that_mean_one_day_alone_are_read(written: str, moment: datetime) -> None:
    assert written_date(written) == stated_date(written) == moment
    assert standard_date(written) is None  # embargoes go by standards alone


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "2016",
        "2016-08",
        "10/08/2016",
        "10-08-2016 09:30",
        "31/12/26",
        "31.13.2026",
        "31/02/2026",
        "13/13/2026",
        "10 Août 2016",
        "10 Mar 2016 09:30 IST",
        "12/31/2026 13:30 PM",
        "12/31/2026 25:00",
        "2016-02-30",
        "0999-12-31",
        "1000-01-01T00:00+02:00",
        "9999-12-31T23:00-02:00",
        "10 Aug 16 09:30",
        "30 Nov 0002 00:00",
        "10 Aug 2016 09:30 CEST",
        "1470787200",
        "2016-08-10T",
        "２０１６-08-10",
    ],
)
def test_what_would_need_a_guess_is_no_date(written: str) -> None:
    assert written_date(written) is None


@given(st.text() | st.text("0123456789-:.TZ+W ", max_size=30))
def test_any_text_is_a_date_in_utc_or_none(written: str) -> None:
    moment = written_date(written)
    assert moment is None or moment.tzinfo is UTC


def test_what_programs_write_where_they_have_no_date_is_one_in_a_record_alone() -> None:
    assert stated_date("1970-01-01T00:00:00Z") is None
    assert written_date("1970-01-01") == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("en", "en"),
        ("EN_us", "en-US"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("english", None),
        ("", None),
        ("e", None),
        ("en-", None),
    ],
)
def test_a_language_is_a_bcp47_tag_or_unknown(written: str, tag: str | None) -> None:
    assert language_tag(written) == tag
