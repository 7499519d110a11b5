"""What a reader's first page of results weighs, with all that it brings: measured as it is sent, compressed."""

import re
from collections.abc import Iterator

import newsroom
import pytest
from flask.testing import FlaskClient

MOST = 60 * 1024  # bytes
SENTENCE = "The river had been rising since the flood of the morning, and nobody in the town of Millbrook slept. "


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        services = app.extensions["backfile"]
        for number in range(400, 412):
            services.store.put(
                newsroom.article(number, body=f"Number {number}. {SENTENCE * 9}", source=f"Outlet {number}")
            )
        services.builder.update()
        yield app.test_client()


def sent(client: FlaskClient, address: str) -> bytes:
    """Return what goes over the wire, headers included."""
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200, address
    return str(answer.headers).encode() + answer.data


def brought(client: FlaskClient, address: str) -> set[str]:
    """Return the addresses of all that a page makes its browser ask for, with the modules that only a click brings."""
    text = client.get(address).text
    found = re.findall(
        r'<(?:link rel="(?:stylesheet|icon|modulepreload)"[^>]* href|script[^>]* src|img[^>]* src)="([^"]+)"', text
    )
    parts = set(found)
    waiting = [each for each in found if ".js" in each]
    while waiting:
        imported = re.findall(r'(?:from |import\()"\./([^"]+)"', client.get(waiting.pop()).text)
        new = {f"/static/{name}" for name in imported} - parts
        parts |= new
        waiting += new
    return parts


def test_the_first_page_of_results_with_all_that_it_brings_is_light(client: FlaskClient) -> None:
    page = "/search?q=flood+in+Millbrook"
    parts = brought(client, page)
    assert any("backfile.css" in part for part in parts)
    assert any("live.js" in part for part in parts)
    weights = {part: len(sent(client, part)) for part in (page, *parts)}
    assert sum(weights.values()) <= MOST, weights


def test_who_comes_back_asks_for_the_page_alone(client: FlaskClient) -> None:
    for part in brought(client, "/search?q=flood"):
        assert "immutable" in client.get(part).headers["Cache-Control"], part
