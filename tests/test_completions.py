"""What our own search box completes: phrases, titles, operators and their values, and the tip beside them."""

from collections.abc import Iterator
from urllib.parse import quote

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from index.completion import suggest as module
from index.query import MAX_QUERY_CHARS


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_WAIT", 30)
        with newsroom.application(tmp_path_factory.mktemp("data")) as app:
            app.test_client().get("/api/suggest?q=flood")
            yield app


def completed(client: FlaskClient, typed: str) -> list[dict[str, str]]:
    answer = client.get(f"/api/completions?q={quote(typed)}")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.get_json()["query"] == typed
    return list(answer.get_json()["completions"])


def test_phrases_and_titles_are_those_that_browsers_are_suggested(client: FlaskClient) -> None:
    found = completed(client, "council e")
    _, texts, _, _ = client.get("/api/suggest?q=council+e").get_json(force=True)
    assert [completion["text"] for completion in found] == texts
    phrase, title = found[0], found[1]
    assert phrase == {
        "kind": "phrase",
        "text": "council election in Ostwick",
        "label": "council election in Ostwick",
        "note": "10 headlines",
        "count": 10,
        "url": None,
    }
    assert (title["kind"], title["note"]) == ("title", "Harbour News, 10 March 2002")
    assert client.get(title["url"]).status_code == 200


def test_the_beginning_of_a_name_is_completed_before_what_else_begins_so(client: FlaskClient) -> None:
    first = completed(client, "flood sec")[0]
    assert (first["kind"], first["text"], first["label"]) == ("operator", "flood section:", "section:")
    assert first["note"]
    kinds = [completion["kind"] for completion in completed(client, "com")]
    assert kinds
    assert "operator" not in kinds


def test_a_filter_is_completed_by_values_in_quotes_where_they_need_them_with_counts(client: FlaskClient) -> None:
    ledger = next(item for item in completed(client, "flood -source:") if item["label"] == "The Ledger")
    assert ledger["text"] == 'flood -source:"The Ledger" '
    assert ledger["note"] == f"{ledger['count']} articles"
    found = client.get("/api/search", query_string={"q": 'source:"The Ledger"'}).get_json()
    assert found["total"]["value"] == ledger["count"]
    assert completed(client, 'source:"the le')[0]["text"] == 'source:"The Ledger" '


def test_a_value_without_quotes_may_go_on_or_be_over(client: FlaskClient) -> None:
    assert [item["text"] for item in completed(client, "source:the l")] == ['source:"The Ledger" ']
    answer = client.get("/api/completions", query_string={"q": "source:reuters council"}).get_json()
    assert answer["completions"][0]["text"] == "source:reuters council election in Ostwick"
    assert answer["tip"] is None


def test_a_language_is_named_and_a_date_is_offered(client: FlaskClient) -> None:
    assert ("language:de ", "German") in [(item["text"], item["label"]) for item in completed(client, "language:")]
    assert completed(client, 'on:"last w')[0]["text"] == 'on:"last week" '


@pytest.mark.parametrize(
    ("typed", "sign"), [('"mill', '" "'), ("flood -", "-"), ("flood or ", "OR"), ("source:", "source:")]
)
def test_the_operator_one_writes_is_explained(client: FlaskClient, typed: str, sign: str) -> None:
    tip = client.get("/api/completions", query_string={"q": typed}).get_json()["tip"]
    assert tip["sign"] == sign
    assert len(tip["meaning"]) > 10


def test_plain_words_have_no_tip(client: FlaskClient) -> None:
    assert client.get("/api/completions?q=flood").get_json()["tip"] is None


@pytest.mark.parametrize("typed", ["withdrawn", "tomorrow", "first wording"])
def test_what_is_not_shown_is_not_offered(client: FlaskClient, typed: str) -> None:
    assert completed(client, typed) == []


@pytest.mark.parametrize("typed", ["", " ", "title:", '"', "author:\u202e", *newsroom.HOSTILE])
def test_any_text_is_answered(client: FlaskClient, typed: str) -> None:
    completed(client, typed)


def test_a_text_that_is_too_long_is_refused_by_name(client: FlaskClient) -> None:
    refused = client.get(f"/api/completions?q={'x' * (MAX_QUERY_CHARS + 1)}")
    assert (refused.status_code, refused.get_json()["parameter"]) == (400, "q")
