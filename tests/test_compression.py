"""Compression: only for those who ask, only what is worth it, and always the same answer."""

import gzip

import newsroom
import pytest
from flask.testing import FlaskClient

from web.compression import LEAST

LONG = "/api/articles/" + newsroom.ORDINARY[0].id + "/related"


@pytest.mark.parametrize("path", [LONG, "/", "/search?q=flood"])
@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*"])
def test_a_long_answer_is_compressed_for_who_takes_it(client: FlaskClient, path: str, accepted: str) -> None:
    plain = client.get(path)
    answer = client.get(path, headers={"Accept-Encoding": accepted})
    assert plain.headers.get("Content-Encoding") is None
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == plain.data
    assert len(answer.data) == int(answer.headers["Content-Length"]) < len(plain.data) / 2
    assert answer.headers["Vary"] == plain.headers["Vary"]
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.headers.get("ETag") == plain.headers.get("ETag")


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "*;q=0"])
def test_who_does_not_ask_gets_it_plain(client: FlaskClient, accepted: str) -> None:
    answer = client.get(LONG, headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.is_json


def test_a_short_answer_is_sent_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert len(answer.data) < LEAST


def test_what_is_compressed_already_is_not_compressed_again(client: FlaskClient) -> None:
    answer = client.get("/static/backfile.css", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.data).startswith(b"/*")


def test_an_unchanged_answer_has_no_body_to_compress(client: FlaskClient) -> None:
    tag = client.get(LONG).headers["ETag"]
    answer = client.get(LONG, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.data) == (304, b"")
    assert "Content-Encoding" not in answer.headers
