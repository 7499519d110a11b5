"""JSON-LD is understood as it is found: broken, nested, among that of other articles."""

import json

import pytest

from archive.readers.pages.linked_data import MAX_BLOCK_CHARS, LinkedArticle, linked_article, parsed
from archive.readers.pages.page_address import key

URL = "https://courier.example/bridge"


def article(**fields: object) -> dict[str, object]:
    return {"@context": "https://schema.org", "@type": "NewsArticle", "headline": "The bridge reopens", **fields}


def read(*blocks: object, titles: tuple[str, ...] = ()) -> LinkedArticle:
    texts = [block if isinstance(block, str) else json.dumps(block) for block in blocks]
    return linked_article(texts, keys=[key(URL)], titles=titles)


def test_everything_that_is_said_is_taken() -> None:
    said = read(
        article(
            url=URL,
            author=[{"@type": "Person", "name": "Jane &amp; Doe"}, "John Roe"],
            datePublished="2016-08-10",
            dateModified="2016-08-11",
            articleSection=["Local", "News"],
            inLanguage={"@type": "Language", "name": "English", "alternateName": "en"},
            publisher={"@type": "Organization", "name": "The Courier"},
            articleBody="The old bridge.",
            isAccessibleForFree="False",
        )
    )
    assert said == LinkedArticle(
        headline="The bridge reopens",
        authors=("Jane & Doe", "John Roe"),
        published="2016-08-10",
        updated="2016-08-11",
        section="Local",
        language="en",
        publisher="The Courier",
        urls=(URL,),
        body="The old bridge.",
        is_free=False,
    )


@pytest.mark.parametrize(
    "broken",
    [
        '<!-- {"@type": "NewsArticle", "headline": "The bridge reopens"} -->',
        '//<![CDATA[\n{"@type": "NewsArticle", "headline": "The bridge reopens"}\n//]]>',
        '{"@type": "NewsArticle", "headline": "The bridge reopens",}',
        '{"@type": ["Thing", "NewsArticle",], "headline": "The bridge reopens", }',
        '{"@type": "NewsArticle", "headline": "The bridge\n\treopens"}',
        '{"@type": "NewsArticle", "headline": "The\\\' bridge reopens"}'.replace("The\\'", "The"),
        '{"@type": "NewsArticle", "headline": "The bridge reopens", "description": "It\\\'s open"}',
        '{"@type": "NewsArticle", "headline": "The bridge \x01reopens"};',
        '{"@type": "WebSite"} {"@type": "NewsArticle", "headline": "The bridge reopens"}',
        "{&quot;@type&quot;: &quot;NewsArticle&quot;, &quot;headline&quot;: &quot;The bridge reopens&quot;}",
        '{"@type": "http://schema.org/NewsArticle", "headline": "The <b>bridge</b> reopens"}',
        '{"@type": "schema:NewsArticle", "headline": "The bridge&nbsp;reopens"}',
        '{"@type": "NewsArticle", "name": "The bridge reopens", "headline": null}',
        '[[{"@graph": [{"@type": "Page", "mainEntity": {"@type": "BlogPosting", "headline": "The bridge reopens"}}]}]]',
        '{"mainEntityOfPage": {"@type": "LiveBlogPosting", "headline": {"@value": "The bridge reopens"}}}',
    ],
)
def test_the_usual_breakage_is_mended(broken: str) -> None:
    assert read(broken).headline == "The bridge reopens"


@pytest.mark.parametrize(
    "useless",
    [
        "",
        "null",
        "{",
        "[" * 100_000,
        '{"@graph":' * 50_000,
        "9" * 100_000,
        '"' * 1001,
        " " * (MAX_BLOCK_CHARS + 1),
        '{"@type": {"@type": "NewsArticle"}, "headline": 7}',
        '{"@type": "Organization", "name": "The Courier"}',
    ],
)
def test_what_cannot_be_understood_is_passed_over(useless: str) -> None:
    assert read(useless) == LinkedArticle()
    assert read(useless, article()).headline == "The bridge reopens"


@pytest.mark.parametrize(
    "own",
    [
        {"url": URL},
        {"mainEntityOfPage": URL + "/"},
        {"mainEntityOfPage": {"@type": "WebPage", "@id": "http://www.courier.example/bridge"}},
        {"@id": URL + "#article"},
    ],
)
def test_the_article_whose_address_is_the_pages_is_chosen(own: dict[str, object]) -> None:
    others = [article(headline=f"Other {n}", url=f"https://courier.example/{n}") for n in range(3)]
    assert read(others, article(**own)).headline == "The bridge reopens"


def test_without_an_address_the_headline_tells_which() -> None:
    blocks = [article(headline="Other"), article(headline="The Bridge Reopens!")]
    assert read(blocks, titles=("The bridge reopens",)).headline == "The Bridge Reopens!"


def test_of_several_that_nothing_ties_to_the_page_none_is_taken() -> None:
    assert read([article(headline="One"), article(headline="Two")]) == LinkedArticle()


def test_lists_of_other_articles_are_not_looked_into() -> None:
    listed = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": article()}]}
    assert read(listed) == LinkedArticle()
    assert read({"@type": "LiveBlogPosting", "headline": "Live", "liveBlogUpdate": [article()]}).headline == "Live"


def test_two_descriptions_of_the_page_complete_each_other() -> None:
    said = read(
        article(url=URL, author=""), {"@type": "Article", "url": URL, "author": "Jane Doe", "headline": "Bridge"}
    )
    assert (said.headline, said.authors) == ("The bridge reopens", ("Jane Doe",))


def test_names_are_looked_up_where_the_graph_only_refers_to_them() -> None:
    graph = [
        article(author={"@id": "#jane"}, publisher={"@id": "#org"}),
        {"@type": "Person", "@id": "#jane", "name": "Jane Doe"},
        {"@type": "Organization", "@id": "#org", "name": "The Courier"},
    ]
    said = read({"@graph": graph})
    assert (said.authors, said.publisher) == (("Jane Doe",), "The Courier")


@pytest.mark.parametrize("value", [7, None, True, [[["x"]]], {"name": 7}, {"@id": {}}, [None, {}]])
def test_values_of_any_kind_are_survived(value: object) -> None:
    fields = (
        "headline",
        "author",
        "datePublished",
        "articleSection",
        "inLanguage",
        "publisher",
        "articleBody",
        "url",
        "@id",
    )
    for field in fields:
        read({"@type": "NewsArticle", field: value})


def test_several_values_in_one_block_are_all_found() -> None:
    assert parsed('{"a": 1}\n{"b": 2}, [3];') == [{"a": 1}, {"b": 2}, [3]]
