"""Marked-up text becomes the plain text a reader of it would see, as a string and as a tree alike."""

import pytest
from lxml import etree

from archive.readers.markup import IN_AGENCIES, element_text, has_markup, plain_line, plain_text

ALIKE = [
    ("<div><p>One\n two</p><p>three</p></div>", "One two\n\nthree"),
    ("<div>One<ul><li>two</li><li>three</li></ul>four</div>", "One\n\ntwo\n\nthree\n\nfour"),
    ("<div><h2>One</h2>two<br/>three<br/><br/>four</div>", "One\n\ntwo\nthree\n\nfour"),
    ("<table><tr><th>Year</th><th>Ships</th></tr><tr><td>2026</td><td>311</td></tr></table>",
     "Year · Ships\n\n2026 · 311"),
    ("<table><tr><td/><td>One</td></tr><tr><td><p>two</p><p>three</p></td><td>four</td></tr></table>",
     "One\n\ntwo\n\nthree\n\nfour"),
    ("<div><table><tr><td>One<script>x()</script></td><td>two</td></tr></table></div>", "One · two"),
    ("<div><p>One</p><style>p {}</style><noscript>two</noscript><svg><title>x</title></svg></div>", "One"),
    ("<div><figure><img/><p>Photo: J. Roe</p></figure><p>One</p></div>", "One"),
    ("<div><pre>One\n  two</pre>three</div>", "One\ntwo\n\nthree"),
    ("<body.content><media><media-caption>A ship</media-caption></media><p>One <em>and</em> two</p><note>no</note>"
     "</body.content>", "One and two"),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "text"), ALIKE)
def test_a_string_and_a_tree_of_an_agency_read_alike(markup: str, text: str) -> None:
    assert plain_text(markup, IN_AGENCIES) == text
    assert element_text(etree.fromstring(markup)) == text


def test_a_tree_is_read_without_namespaces_with_its_named_characters_and_without_what_stands_around_it() -> None:
    raw = (
        '<!DOCTYPE nitf SYSTEM "nitf.dtd"><x:a xmlns:x="urn:x">no<x:p>Caf&eacute;<!-- no --> au lait</x:p>'
        "<x:p>two</x:p>no</x:a>"
    )
    root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, load_dtd=False))
    assert element_text(root[0]) == "Café au lait"


def test_how_deep_a_tree_is_costs_nothing() -> None:
    root = inner = etree.Element("div")
    for _ in range(20_000):
        inner = etree.SubElement(inner, "div")
    inner.text = "deep"
    assert element_text(root) == "deep"


def test_in_feeds_a_break_ends_a_paragraph_and_a_figure_may_hold_text() -> None:
    quoted = "<figure><blockquote>One<br>two</blockquote><figcaption>Photo</figcaption></figure>"
    assert plain_text(quoted) == "One\n\ntwo"


def test_of_an_article_in_nitf_the_text_alone_is_read() -> None:
    head, content = "<body.head><hl1>No</hl1></body.head>", "<body.content><p>One</p></body.content>"
    assert plain_text(f"<body>{head}{content}<body.end>No</body.end></body>", IN_AGENCIES) == "One"
    assert plain_text(f"<body>{head}<body.content><p>One</p>") == "One"


def test_half_a_character_and_a_nul_cost_only_themselves() -> None:
    assert plain_text("<p>One\ud800 \0two</p>") == "One two"


def test_a_line_holds_no_markup() -> None:
    assert plain_line("Fish &amp;amp; chips<br/>at  5&nbsp;€ <5 km>") == "Fish & chips at 5 € <5 km>"


@pytest.mark.parametrize(
    ("text", "is_marked"), [("<p>One", True), ("5 <b 6", False), ("a</nitf>", True), ("<5>", False)]
)
def test_markup_is_elements_that_are_known_or_end(text: str, is_marked: bool) -> None:
    assert has_markup(text) == is_marked


def test_columns_of_text_are_paragraphs_and_columns_of_data_are_a_row() -> None:
    story = "The bridge was closed at noon after the river had risen by two metres in a single night."
    assert plain_text(f"<table><tr><td>One</td><td>{story}</td></tr></table>") == f"One\n\n{story}"
    assert plain_text("<table><tr><td>1</td><td>Busch</td><td>5040</td></tr></table>") == "1 · Busch · 5040"


@pytest.mark.parametrize(
    "unseen",
    ['class="sharedaddy sd-sharing-enabled"', 'class="x jp-relatedposts"', 'style="top:0;display: none"', "hidden"],
)
def test_what_is_hidden_or_for_sharing_is_no_text_to_its_own_end(unseen: str) -> None:
    assert plain_text(f"<p>One</p><div {unseen}>no<div><br>no</div><img {unseen}>no</div><p>two</p>") == "One\n\ntwo"


def test_classes_that_only_begin_alike_hide_nothing_nor_does_that_of_a_whole_document() -> None:
    assert plain_text('<body class="sharing"><p class="share-price">One</p></body>') == "One"
