"""A live blog is read update by update, each under its time and headline, in the order of the page."""

import json

from archive.article import Article
from archive.readers.pages import html

NEWEST = "Police have closed the Mill Bridge to all traffic after water reached the deck."
SCHOOL = "Two hundred pupils were taken by bus from the school to the sports hall on the hill."
OLDEST = "The environment agency issued two severe warnings for the river Pen overnight."
STANDFIRST = "Follow the latest as the river Pen threatens the lower town."


def update(headline: str, published: str, text: str) -> dict[str, str]:
    return {"@type": "BlogPosting", "headline": headline, "datePublished": published, "articleBody": text}


UPDATES = [
    update("First warnings", "2026-11-28T06:00:00+01:00", OLDEST),
    update("School evacuated", "2026-11-28T11:00:00+01:00", f"<p>{SCHOOL}</p><p>All are well.</p>"),
    update("Bridge closed", "2026-11-28T14:10:00+01:00", NEWEST),
]


def body(updates: object, *, above: str = f"<p>{STANDFIRST}</p>", shown: tuple[str, ...] = (), about: str = "") -> str:
    said = {
        "@type": "LiveBlogPosting",
        "headline": "Flood live: rivers rising",
        "datePublished": "2026-11-28T06:00:00Z",
        "articleBody": about,
        "liveBlogUpdate": updates,
    }
    posts = "".join(
        f"<article><time>now</time><h2>x</h2><p>{text}</p></article>" for text in shown or (NEWEST, SCHOOL, OLDEST)
    )
    page = (
        f"<html><head><script type='application/ld+json'>{json.dumps(said)}</script></head><body><nav><p>Menu</p></nav>"
        f"<main><h1>Flood live: rivers rising</h1>{above}{posts}</main></body></html>"
    )
    entry = html.page(page.encode(), url="https://lantern.example/live/flood", charset=None)
    assert isinstance(entry, Article), entry
    return entry.body


def test_updates_stand_in_the_order_of_the_page_below_what_stands_above_them() -> None:
    assert body(UPDATES).split("\n\n") == [
        STANDFIRST,
        "14:10 — Bridge closed",
        NEWEST,
        "11:00 — School evacuated",
        SCHOOL,
        "All are well.",
        "06:00 — First warnings",
        OLDEST,
    ]


def test_updates_that_the_page_does_not_show_keep_the_order_in_which_they_are_told() -> None:
    shown = body(
        [*UPDATES, update("More rain", "2026-11-28T05:00:00+01:00", "More rain is to come.")],
        above="",
        about="All of it.",
    )
    assert shown.split("\n\n")[:2] == ["All of it.", "06:00 — First warnings"]
    assert shown.endswith("05:00 — More rain is to come.")


def test_the_day_is_given_where_there_are_several_and_utc_is_named() -> None:
    days = [update("One", "2026-11-28T23:50:00Z", NEWEST), update("Two", "2026-11-29 00:10", OLDEST)]
    assert [line for line in body(days, shown=(NEWEST, OLDEST)).split("\n\n") if "—" in line] == [
        "2026-11-28 23:50 UTC — One",
        "2026-11-29 00:10 — Two",
    ]


def test_a_headline_that_is_the_beginning_of_its_text_is_not_said_twice_and_no_time_is_made_up() -> None:
    lines = body([update("Police have closed the Mill…", "yesterday", NEWEST), *UPDATES[:2]]).split("\n\n")
    assert lines[:2] == [STANDFIRST, NEWEST]


def test_a_few_updates_told_do_not_replace_the_many_on_the_page() -> None:
    assert SCHOOL in body(UPDATES[:1])


def test_what_are_no_updates_changes_nothing() -> None:
    for broken in ("x", [], [1, None, {"headline": "x"}, {"articleBody": 3}], {"articleBody": ""}):
        assert NEWEST in body(broken)
