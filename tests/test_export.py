"""Exports: the whole list, once, in its order, whatever happens meanwhile; and cells that are no formulas."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import newsroom
import pytest
from copied import report, story
from flask import Flask
from flask.testing import FlaskClient

from archive.grouping import find_copies
from web import export
from web.crew import Overloaded
from web.export import BOM, COLUMNS, file_name

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An archive with copies and hostile cells, that exports no more than 40 articles."""
    folder = tmp_path_factory.mktemp("data")
    with newsroom.application(folder, export_limit=40) as app:
        services = app.extensions["backfile"]
        text = story("dam")
        for number in range(3):
            services.store.put(report(number, text, source=f"Paper {number}", hours=number))
        for number, formula in enumerate(FORMULAS):
            services.store.put(
                newsroom.article(400 + number, title=f"{formula} formulas", source=formula, body="formulas")
            )
        find_copies(services.store)
        services.builder.update()
        yield app


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def lines_of(client: FlaskClient, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/search.jsonl?{query}")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def rows_of(client: FlaskClient, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/search.csv?{query}")
    assert answer.text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix(BOM), newline=""), strict=True))


def paged(client: FlaskClient, query: str) -> list[str]:
    """Return the ids of every page."""
    path, ids = f"/api/search?{query}&page_size=7", []
    while path:
        found = client.get(path).get_json()
        ids += [result["id"] for result in found["results"]]
        path = found["links"]["next"]
    return ids


@pytest.mark.parametrize("query", ["q=flood", "q=report&sort=oldest", "q=formulas&mode=keyword", "source=The+Ledger"])
def test_an_export_is_every_page_of_the_list_in_its_order(client: FlaskClient, query: str) -> None:
    exported = lines_of(client, query)
    total = client.get(f"/api/search?{query}").get_json()["total"]["value"]
    assert [line["id"] for line in exported if line["copy_of"] is None] == paged(client, query)
    assert len(exported) == total
    assert [row["id"] for row in rows_of(client, query)] == [line["id"] for line in exported]


def test_copies_that_the_pages_fold_are_named_with_what_stands_for_them(client: FlaskClient) -> None:
    exported = {line["source"]: line for line in lines_of(client, "q=headline&mode=keyword&sort=newest")}
    papers = [exported[f"Paper {number}"] for number in range(3)]
    assert [paper["copy_of"] for paper in papers] == [papers[2]["id"], papers[2]["id"], None]
    every = lines_of(client, "q=headline&mode=keyword&sort=newest&copies=all")
    assert [line["copy_of"] for line in every] == [None] * len(every)
    assert [line["id"] for line in every] == [line["id"] for line in exported.values()]


def test_a_line_says_what_the_api_says(client: FlaskClient) -> None:
    found = {result["id"]: result for result in client.get("/api/search?q=flood&page_size=100").get_json()["results"]}
    for line in lines_of(client, "q=flood"):
        assert set(line) == set(COLUMNS)
        result = found[line["id"]]
        for name in (
            "url",
            "title",
            "source",
            "section",
            "authors",
            "language",
            "published_at",
            "score",
            "probability",
        ):
            assert line[name] == result[name], name
        assert line["page"] == f"http://localhost{result['links']['page']}"
        assert line["snippet"]
        assert line["story"] == (client.get(result["links"]["self"]).get_json()["story"] or {"id": None})["id"]


def test_texts_come_only_when_they_are_asked_for(client: FlaskClient) -> None:
    with_text = lines_of(client, "q=flood&body=1")
    assert with_text[0]["body"] == client.get(f"/api/articles/{with_text[0]['id']}").get_json()["body"]
    assert "body" not in lines_of(client, "q=flood&body=0")[0]
    assert client.get("/search.jsonl?body=all").status_code == 400


def test_no_cell_is_a_formula(client: FlaskClient) -> None:
    rows = rows_of(client, "q=formulas&mode=keyword")
    assert len(rows) == len(FORMULAS)
    for row in rows:
        assert all(
            not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row.values() if not _number(cell)
        )
    assert {row["source"] for row in rows} == {f"'{formula}" for formula in FORMULAS}
    assert {line["source"] for line in lines_of(client, "q=formulas&mode=keyword")} == set(
        FORMULAS
    )  # JSON has no formulas


def _number(cell: str) -> bool:
    return cell.replace(".", "", 1).removeprefix("-").isdigit()


def test_the_file_is_csv_as_the_standard_has_it(client: FlaskClient) -> None:
    answer = client.get("/search.csv?q=nasty")
    assert (answer.mimetype, answer.mimetype_params) == ("text/csv", {"charset": "utf-8", "header": "present"})
    assert answer.text.count("\r\n") == len(rows_of(client, "q=nasty")) + 1
    assert rows_of(client, "q=nasty")[0].keys() == dict.fromkeys(COLUMNS).keys()
    assert 'filename="backfile-nasty-' in answer.headers["Content-Disposition"]


def test_what_is_capped_says_so(client: FlaskClient) -> None:
    total = client.get("/api/search").get_json()["total"]["value"]
    answer = client.get("/search.jsonl")
    assert (answer.headers["Backfile-Total"], answer.headers["Backfile-Exported"]) == (str(total), "40")
    assert len(answer.text.splitlines()) == 40 < total
    assert "-first-40.jsonl" in answer.headers["Content-Disposition"]
    assert "-first-" not in client.get("/search.jsonl?q=flood").headers["Content-Disposition"]


def test_a_file_s_name_tells_what_is_in_it() -> None:
    assert file_name('"River" flood / 2001', "csv", capped_at=None).startswith("backfile-river-flood-2001-2")
    assert file_name("Überschwemmung\r\nX: y", "csv", capped_at=None).startswith("backfile-berschwemmung-x-y-2")
    assert file_name("???", "csv", capped_at=3).startswith("backfile-articles-2")


def test_a_list_stays_one_list_while_articles_come_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PIECE", 5)
    with newsroom.application(tmp_path) as app:
        client, services = app.test_client(), app.extensions["backfile"]
        expected = paged(client, "q=flood")
        answer = client.get("/search.jsonl?q=flood", buffered=False)
        lines = answer.response.__iter__()
        read = [json.loads(next(lines))["id"] for _ in range(3)]
        services.store.put(newsroom.article(5, title="Flood, told anew", published_at=None))
        services.store.put(newsroom.article(1000, title="Flood flood flood"))
        services.store.remove(expected[-1])
        services.builder.update()
        services.serving.catch_up()
        read += [json.loads(line)["id"] for line in lines]
        assert read == expected[:-1]


def test_an_export_waits_its_turn_rather_than_break_off(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAUSE", 0)
    refusals = iter([Overloaded(), Overloaded()])

    class Busy:
        def do(self, work: Any, *, who: str) -> Any:  # noqa: ANN401
            for refusal in refusals:
                raise refusal
            return [*work(), who]

    parts: Any = type("Parts", (), {"crew": Busy()})()
    read: Any = ["read"]
    assert export._patiently(parts, lambda: read, who="reader") == ["read", "reader"]


def test_an_export_is_compressed_as_it_goes(client: FlaskClient) -> None:
    plain = client.get("/search.jsonl?q=flood")
    packed = client.get("/search.jsonl?q=flood", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
