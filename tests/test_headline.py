"""The headline is what stands over the article, without the site's name."""

import pytest

from archive.readers.pages.headline import MAX_HEADLINE_CHARS, Headings, headline, without_site


def headings(
    *claims: str,
    window: str = "",
    marked: tuple[str, ...] = (),
    visible: tuple[str, ...] = (),
    sites: tuple[str, ...] = (),
) -> Headings:
    return Headings(claims=claims, window=window, marked=marked, visible=visible, sites=sites)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("The bridge reopens | The Guardian", "The bridge reopens"),
        ("The bridge reopens | Local | News | The Guardian", "The bridge reopens"),
        ("The Guardian: The bridge reopens", "The Guardian: The bridge reopens"),
        ("The Guardian | The bridge reopens", "The bridge reopens"),
        ("Bridge - and tunnel – reopen — The Guardian", "Bridge - and tunnel – reopen"),
        ("A low-cost bridge: who pays?", "A low-cost bridge: who pays?"),
        ("The Guardian", "The Guardian"),
    ],
)
def test_the_sites_name_is_cut_off(text: str, title: str) -> None:
    assert without_site(text, {"theguardian"}) == title


def test_a_heading_on_the_page_that_a_tag_confirms_goes_first() -> None:
    offered = headings(
        "Bridge", "The bridge reopens - Courier", visible=("Sign in", "The Bridge reopens"), sites=("Courier",)
    )
    assert headline(offered) == "The Bridge reopens"


def test_a_heading_that_says_the_same_in_other_words_goes_before_what_search_engines_are_told() -> None:
    offered = headings(
        "Old bridge reopens after two years", visible=("Two years on, the old bridge reopens", "Most read")
    )
    assert headline(offered) == "Two years on, the old bridge reopens"


def test_a_lone_heading_is_the_headline_whatever_the_tags_say() -> None:
    offered = headings(
        "John Ford’s books return: why did he fall into obscurity?", visible=("The Disappearance of John",)
    )
    assert headline(offered) == "The Disappearance of John"


def test_a_marked_headline_goes_before_another_heading() -> None:
    offered = headings(marked=("The bridge reopens",), visible=("Why don't you fight for it?",))
    assert headline(offered) == "The bridge reopens"


def test_several_headings_that_nothing_confirms_are_none() -> None:
    assert (
        headline(headings("The bridge reopens", visible=("Latest stories", "Our newsletters"))) == "The bridge reopens"
    )


def test_the_sites_name_alone_is_no_headline() -> None:
    assert (
        headline(headings("Courier", window="The Courier", visible=("The Courier",), sites=("The Courier", "Courier")))
        == ""
    )


def test_a_windows_title_loses_its_last_part_where_no_site_is_named() -> None:
    assert headline(headings(window="The old bridge reopens - Daily Courier")) == "The old bridge reopens"
    assert headline(headings(window="Low - cost")) == "Low"
    assert (
        headline(headings(window="The bridge - and why it took two long years"))
        == "The bridge - and why it took two long years"
    )


def test_a_text_in_a_headlines_place_is_none() -> None:
    assert headline(headings("word " * MAX_HEADLINE_CHARS, visible=("word " * MAX_HEADLINE_CHARS,))) == ""
