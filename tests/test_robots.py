"""robots.txt, by the rules and the examples of RFC 9309."""

import time

import pytest

from archive.robots import ALL, MOST_DELAY, NOTHING, meant, parsed, product_token

SITE = "https://news.example"


def allows(text: str, path: str, *, token: str = "backfile") -> bool:
    return parsed(text.encode(), token=token).allows(SITE + path)


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("user-AGENT : * \n disallow : /a # no", "/a/b", False),
        ("User-agent: *\nDisallow: /a", "/b", True),
        ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("Disallow: /", "/a", True),  # of no group
        # the longest rule decides, wherever it stands; of two as long the one that allows
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nAllow: /\nDisallow: /", "/a", True),
        # groups
        ("User-agent: *\nDisallow: /\nUser-agent: Backfile\nDisallow: /own", "/a", True),
        ("User-agent: Backfile\nDisallow: /own\nUser-agent: *\nDisallow: /", "/own", False),
        ("User-agent: other\nUser-agent: backfile\nDisallow: /", "/a", False),
        ("User-agent: other\n\nUser-agent: backfile\n\nDisallow: /", "/a", False),
        ("User-agent: backfile\nDisallow: /a\nUser-agent: backfile\nDisallow: /b", "/b", False),
        ("User-agent: backfile\nDisallow: /a\nUser-agent: backfile\nDisallow: /b", "/a", False),
        ("User-agent: back\nDisallow: /\n", "/a", True),
        ("User-agent: backfiles\nDisallow: /\n", "/a", True),
        ("User-agent: Backfile/0.1\nDisallow: /\n", "/a", False),
        ("User-agent: backfile\nUser-agent: *\nSitemap: https://news.example/s.xml\nDisallow: /", "/a", False),
        # patterns
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x=1", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf/b.pdf", False),
        ("User-agent: *\nDisallow: /a$", "/a", False),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a1c2b3", True),
        ("User-agent: *\nDisallow: /ab*b$", "/ab", True),
        ("User-agent: *\nDisallow: /*?print=", "/a?print=1", False),
        ("User-agent: *\nDisallow: *", "/a", False),
        # escapes: the same address however it is spelled
        ("User-agent: *\nDisallow: /ü", "/%C3%BC", False),
        ("User-agent: *\nDisallow: /%C3%BC", "/ü", False),
        ("User-agent: *\nDisallow: /%7ejoe", "/~joe", False),
        ("User-agent: *\nDisallow: /a%2fb", "/a/b", True),
        ("User-agent: *\nDisallow: /a%2fb", "/a%2Fb", False),
        ("User-agent: *\nDisallow: /a%2Ab", "/axb", True),
        ("User-agent: *\nDisallow: /", "", False),
    ],
)
def test_what_a_file_allows(text: str, path: str, allowed: bool) -> None:
    assert allows(text, path) is allowed


def test_no_file_is_leave_and_a_site_in_trouble_gives_none() -> None:
    for status, means in ((404, ALL), (403, ALL), (410, ALL), (500, NOTHING), (503, NOTHING), (429, NOTHING)):
        assert meant(status, b"User-agent: *\nDisallow: /a", token="backfile") is means
    assert not meant(200, b"User-agent: *\nDisallow: /a", token="backfile").allows(f"{SITE}/a")
    assert ALL.allows(f"{SITE}/a")
    assert not NOTHING.allows(f"{SITE}/a")


@pytest.mark.parametrize(("said", "seconds"), [("5", 5), ("1.5", 1.5), ("9999999", MOST_DELAY), ("soon", 0), ("-3", 0)])
def test_a_crawl_delay_holds_within_bounds(said: str, seconds: float) -> None:
    assert parsed(f"User-agent: *\nCrawl-delay: {said}\n".encode(), token="backfile").delay == seconds


def test_a_robot_is_called_by_the_first_word_of_its_name() -> None:
    assert product_token("Backfile/0.1 (news archive)") == "backfile"
    assert product_token("Harbour-News bot/2") == "harbour-news"


def test_no_file_makes_matching_slow() -> None:
    text = "User-agent: *\n" + f"Disallow: /{'*a' * 2000}b\n" * 100
    began = time.perf_counter()
    assert allows(text, "/" + "a" * 4000)
    assert parsed(b"User-agent: *\nDisallow: /" + b"\xff" * 10_000_000, token="backfile").allows(f"{SITE}/a")
    assert time.perf_counter() - began < 5
