"""What makes two inputs the same article."""

import contextlib
import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article
from archive.identity import ID_LENGTH, article_id, canonical_url, content_hash

ARTICLE = Article(id="0" * 16, title="Bridge reopens", body="The old bridge reopened.")
SEGMENTS = st.lists(st.text("abcXYZ019-._~éß", min_size=1, max_size=6), max_size=4)
HOSTS = st.sampled_from(["news.example", "NEWS.example", "news.example.", "www.paper.example"])


def url_id(url: str) -> str:
    return article_id(url=url, source=None, source_id=None, text="")


@pytest.mark.parametrize(
    "same",
    [
        "http://news.example/2016/bridge?page=2",
        "HTTPS://News.Example:443/2016/bridge?page=2",
        "https://news.example/2016/bridge?page=2#comments",
        "https://news.example/2016/bridge?utm_source=mail&page=2&fbclid=x",
        "https://news.example/2016/%62ridge?page=2",
        "  https://news.example./2016/bridge?page=2\n",
        "https://user:secret@news.example/2016/bridge?page=2",
    ],
)
def test_urls_that_lead_to_the_same_article_give_the_same_id(same: str) -> None:
    assert url_id(same) == url_id("https://news.example/2016/bridge?page=2")


@pytest.mark.parametrize(
    "other",
    [
        "https://news.example/2016/bridge",
        "https://news.example/2016/bridge?page=3",
        "https://news.example/2016/Bridge?page=2",
        "https://news.example:8443/2016/bridge?page=2",
        "https://old.news.example/2016/bridge?page=2",
        "https://news.example/2016%2Fbridge?page=2",
    ],
)
def test_urls_that_lead_elsewhere_give_another_id(other: str) -> None:
    assert url_id(other) != url_id("https://news.example/2016/bridge?page=2")


@given(HOSTS, SEGMENTS, st.sampled_from(["", "#top", "?utm_medium=social", "?gclid=1#end"]))
def test_the_id_is_stable_over_equivalent_urls(host: str, segments: list[str], arrival: str) -> None:
    path = "/" + "/".join(segments)
    plain = url_id(f"https://{host}{path}")
    assert url_id(f"http://{host.upper()}:80{path}{arrival}") == plain
    assert url_id(canonical_url(f"https://{host}{path}{arrival}")) == plain


@given(st.text())
def test_any_text_is_either_a_web_address_or_refused_with_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert canonical_url(text).startswith("https://")


@pytest.mark.parametrize(
    "text", ["", "javascript:alert(1)", "ftp://news.example/a", "/a/b", "http://", "http://[::1/a"]
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical_url(text)


def test_an_ipv6_host_keeps_its_brackets_and_an_empty_path_becomes_the_root() -> None:
    assert canonical_url("http://[::1]:8080") == "https://[::1]:8080/"


def test_the_url_decides_before_the_own_id_and_that_before_the_text() -> None:
    url = "https://news.example/a"
    by_url = article_id(url=url, source="Courier", source_id="7", text="words")
    by_own_id = article_id(url=None, source="Courier", source_id="7", text="words")
    assert by_url == article_id(url=url, source="Herald", source_id="8", text="other words")
    assert by_own_id == article_id(url=None, source="Courier", source_id="7", text="other words")
    assert by_own_id != article_id(url=None, source="Herald", source_id="7", text="words")
    assert len({by_url, by_own_id, article_id(url=None, source="Courier", source_id=None, text="words")}) == 3


def test_an_own_id_without_its_source_never_makes_two_articles_one() -> None:
    first = article_id(url=None, source=None, source_id="1", text="A bridge fell.")
    assert first != article_id(url=None, source=None, source_id="1", text="A bank failed.")
    assert first == article_id(url=None, source=None, source_id=None, text="A bridge fell.")


def test_an_id_is_sixteen_hex_digits_and_the_same_in_every_release() -> None:
    # Written down once: a change of this value would double every archive there is.
    assert url_id("http://news.example/2016/bridge?utm_source=x") == "6d149961f5f4ecd8"
    assert len(url_id("https://news.example/")) == ID_LENGTH


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Bridge closes"},
        {"body": "The old bridge reopened. "},
        {"url": "https://news.example/a"},
        {"source": "Courier"},
        {"section": "local"},
        {"authors": ("Jane Doe",)},
        {"language": "en"},
        {"published_at": datetime(2016, 8, 10, tzinfo=UTC)},
        {"updated_at": datetime(2016, 8, 10, tzinfo=UTC)},
        {"derived_title": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_a_reader_sees_changes_the_content_hash(change: dict[str, object]) -> None:
    assert content_hash(dataclasses.replace(ARTICLE, **change)) != content_hash(ARTICLE)  # type: ignore[arg-type]


def test_neighbouring_fields_cannot_pass_for_one_another() -> None:
    one = dataclasses.replace(ARTICLE, source="a", section="b")
    other = dataclasses.replace(ARTICLE, source="a b", section=None)
    assert content_hash(one) != content_hash(other)


def test_version_and_status_are_no_part_of_the_content() -> None:
    assert content_hash(dataclasses.replace(ARTICLE, version=3, status="embargoed")) == content_hash(ARTICLE)
