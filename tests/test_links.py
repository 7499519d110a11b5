"""Where a stored address may lead, whatever it is."""

import pytest
from hostile_archive import PAYLOADS

from archive.readers.fields import is_web_address
from web.links import outside_link


@pytest.mark.parametrize("url", ["https://a.example/x", "http://a.example", "HTTPS://A.example/?q=<b>"])
def test_a_web_address_is_linked(url: str) -> None:
    assert outside_link(url) == url


@pytest.mark.parametrize("url", [None, "", "//a.example", "/x", "https:", "https://[::1", " javascript:x", "x y"])
def test_anything_else_is_not_linked(url: str | None) -> None:
    assert outside_link(url) is None


def test_of_everything_hostile_only_web_addresses_are_taken_in_and_linked() -> None:
    linked = {payload for payload in PAYLOADS if outside_link(payload)}
    assert all(payload.startswith("https://") for payload in linked)
    assert {payload for payload in PAYLOADS if is_web_address(payload)} <= linked
