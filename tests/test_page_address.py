"""A page is believed about its address within its own site only."""

import pytest

from archive.readers.pages.page_address import key, own_address, same_site

FETCHED = "https://www.courier.example/2016/bridge?utm_source=x#top"


@pytest.mark.parametrize(
    ("claim", "address"),
    [
        ("https://courier.example/bridge", "https://courier.example/bridge"),
        ("https://news.courier.example/bridge", "https://news.courier.example/bridge"),
        ("/bridge", "https://www.courier.example/bridge"),
        ("//courier.example/bridge", "https://courier.example/bridge"),
        ("bridge#comments", "https://www.courier.example/2016/bridge"),
        (" https://courier.example/\nbridge ", "https://courier.example/bridge"),
        ("https://courier.example/?p=12", "https://courier.example/?p=12"),
    ],
)
def test_an_address_within_the_site_is_believed(claim: str, address: str) -> None:
    assert own_address([claim], fetched=FETCHED) == address


@pytest.mark.parametrize(
    "claim",
    [
        "https://nytimes.com/2016/08/10/bridge.html",
        "https://courier.example.evil.example/bridge",
        "https://evilcourier.example/bridge",
        "https://user@nytimes.com/bridge",
        "https://courier.example/",
        "/",
        "",
        "javascript:alert(1)",
        "data:text/html,bridge",
        "ftp://courier.example/bridge",
        "file:///etc/passwd",
        "https://[broken",
        "https://courier.example:port/bridge",
        "https://courier.example/" + "a" * 3000,
    ],
)
def test_any_other_address_is_not_and_the_page_keeps_its_own(claim: str) -> None:
    assert own_address([claim], fetched=FETCHED) == "https://www.courier.example/2016/bridge?utm_source=x"
    assert own_address([claim, "/bridge"], fetched=FETCHED) == "https://www.courier.example/bridge"


def test_a_file_is_believed_about_where_it_is_from() -> None:
    assert own_address(["/bridge", "https://nytimes.com/bridge"], fetched=None) == "https://nytimes.com/bridge"
    assert own_address(["/bridge", "https://nytimes.com/"], fetched=None) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://edition.cnn.com/a", "https://www.cnn.com/b", True),
        ("https://www.bbc.co.uk/a", "https://news.bbc.co.uk/a", True),
        ("https://one.co.uk/a", "https://two.co.uk/a", False),
        ("https://one.blogspot.com/a", "https://two.blogspot.com/a", False),
        ("https://one.github.io/a", "https://two.github.io/a", False),
        ("http://10.0.0.1/a", "http://10.0.0.1:8080/a", True),
        ("http://10.0.0.1/a", "http://192.0.0.1/a", False),
        ("http://[::1]/a", "http://[::2]/a", False),
        ("http://localhost/a", "http://localhost:8000/b", True),
    ],
)
def test_sites_are_told_apart_as_browsers_do(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same


def test_spellings_of_one_address_have_one_key() -> None:
    spellings = (
        "http://www.courier.example/bridge/",
        "https://m.courier.example/bridge#top",
        "https://courier.example/bridge?utm_source=x",
    )
    assert len({key(each) for each in spellings}) == 1
    assert key("mailto:desk@courier.example") == ""
