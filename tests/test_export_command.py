"""`flask export`: the archive into a file, in every format, and out of the file again."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import newsroom
import pytest
from click.testing import Result
from flask import Flask
from jsonschema import Draft202012Validator
from lxml import etree
from shared_data import shared

from archive.article import Article, Withdrawal
from archive.ingest import ingest
from archive.store import Store
from web import create_app
from web.services import Services
from web.settings import Settings

ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "https://news.example"
FORMULA = replace(newsroom.article(20), title='=HYPERLINK("https://evil.example")', authors=("Ada Quill", "B; Marsh"))
CORRECTED = replace(newsroom.article(1), title="Corrected & bold", note="CORRECTS spelling in par 3")
WITHHELD = replace(newsroom.article(30), status="embargoed", title="Embargoed secret")
LATER = replace(
    newsroom.article(31), status="embargoed", title="Secret for later", embargoed_until=datetime.now(UTC) + timedelta(9)
)
REMOVED = replace(newsroom.article(32), title="Removed secret", body="A secret that was removed.")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An archive that no test changes, with versions, and with what may not be shown."""
    settings = Settings(data=tmp_path_factory.mktemp("data"), site_url=SITE)
    services = Services(settings, embedder=newsroom.MeaningEmbedder())
    for each in [*map(newsroom.article, range(8)), CORRECTED, FORMULA, WITHHELD, LATER, REMOVED]:
        services.store.put(each)
    services.store.put(replace(newsroom.article(2), body="Only a body, by nobody.", title="Only a body", source=None))
    services.store.remove(REMOVED.id, reason="a court order")
    services.store.withdraw(Withdrawal(id="f" * 16, reason="kill"))
    services.builder.update()
    yield create_app(services=services)
    services.close()


def store_of(app: Flask) -> Store:
    services: Services = app.extensions["backfile"]
    return services.store


def export(app: Flask, *arguments: object) -> Result:
    result = app.test_cli_runner().invoke(args=["export", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_exported_is_ingested_to_the_same_archive(app: Flask, tmp_path: Path) -> None:
    store = store_of(app)
    file = tmp_path / "archive.jsonl.gz"
    result = export(app, "-o", file)
    assert result.stdout == ""
    assert "exporting: 13 of 13" in result.stderr
    other = Store(tmp_path / "other.sqlite3")
    report = ingest([file], other)
    assert (report.added, report.held, report.withdrawn, report.rejected) == (9, 2, 2, [])
    assert list(other.records()) == list(store.records())
    assert other.check() == []
    other.close()


def test_the_command_restores_what_the_command_wrote(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "archive.jsonl"
    export(app, "-o", file)
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    result = create_app(services=services).test_cli_runner().invoke(args=["ingest", str(file), "--json"])
    assert json.loads(result.stdout)["added"] == 9
    again = create_app(services=services).test_cli_runner().invoke(args=["export"])
    assert again.stdout.splitlines()[1:] == file.read_text().splitlines()[1:]
    services.close()


def test_it_goes_to_standard_output_and_nothing_else_does(app: Flask) -> None:
    first, *lines = objects(export(app).stdout)
    assert (first["backfile"], first["articles"], len(lines)) == (1, 13, 13)
    removed = next(line for line in lines if line["id"] == REMOVED.id)
    assert (removed["status"], removed["changes"][-1]["reason"]) == ("removed", "a court order")
    assert "Removed secret" not in export(app).stdout


def test_filters_and_a_query_choose_what_a_search_would_list(app: Flask) -> None:
    store = store_of(app)
    listed = [line["id"] for line in objects(export(app, "--source", "Harbour News").stdout)[1:]]
    everything = store.live(store.live_ids())
    assert sorted(listed) == sorted(key for key, each in everything.items() if each.source == "Harbour News")
    (_, found) = objects(export(app, "corrected").stdout)
    assert (found["id"], len(found["versions"])) == (CORRECTED.id, 2)
    assert len(objects(export(app, "--from", "2999-01-01").stdout)) == 1


@pytest.mark.parametrize("form", ["jsonl", "ninjs", "csv", "atom"])
def test_what_may_not_be_shown_is_in_no_format_for_others(app: Flask, form: str) -> None:
    text = export(app, "--format", form, "--versions", "shown").stdout
    assert "Corrected" in text
    assert "secret" not in text.lower()
    assert newsroom.article(1).title not in text


def test_of_shown_versions_a_clean_archive_is_made(app: Flask, tmp_path: Path) -> None:
    store, other = store_of(app), Store(tmp_path / "other.sqlite3")
    (tmp_path / "shown.jsonl").write_text(export(app, "--versions", "shown").stdout)
    assert ingest([tmp_path / "shown.jsonl"], other).rejected == []
    live = {key: replace(each, version=1) for key, each in store.live(store.live_ids()).items()}
    assert other.live(other.live_ids()) == live
    assert other.check() == []
    other.close()


def test_ninjs_is_valid_and_says_all_that_fits(app: Flask) -> None:
    schema = shared("formats/ninjs/specification/ninjs-schema_3.1.json")
    validator = Draft202012Validator(json.loads(schema.read_text()))
    items = {item["altIds"][0]["value"]: item for item in objects(export(app, "--format", "ninjs").stdout)}
    for item in items.values():
        validator.validate(item)
    assert len(items) == 9
    corrected = items[CORRECTED.id]
    assert corrected["headlines"] == [{"role": "main", "value": CORRECTED.title}]
    assert corrected["bodies"][0]["value"] == CORRECTED.body
    assert (corrected["edNote"], corrected["version"], corrected["pubStatus"]) == (CORRECTED.note, "2", "usable")
    assert items[FORMULA.id]["by"] == "Ada Quill and B; Marsh"
    assert corrected["contentCreated"] == CORRECTED.published_at.strftime("%Y-%m-%dT%H:%M:%SZ")  # type: ignore[union-attr]


def test_csv_comes_back_and_holds_no_formula(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "archive.csv"
    export(app, "--format", "csv", "-o", file)
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert [row["title"] for row in rows if "HYPERLINK" in row["title"]] == [f"'{FORMULA.title}"]
    store, other = store_of(app), Store(tmp_path / "other.sqlite3")
    assert ingest([file], other).added == 9
    wanted = {key: replace(each, version=1, note=None) for key, each in store.live(store.live_ids()).items()}
    came_back = other.live(other.live_ids())
    wanted[FORMULA.id] = replace(FORMULA, title=f"'{FORMULA.title}", authors=("Ada Quill", "B", "Marsh"))
    assert came_back == wanted
    other.close()


def test_atom_holds_whole_texts_under_the_site_s_own_address(app: Flask) -> None:
    feed = etree.fromstring(export(app, "--format", "atom").stdout.encode())
    entries = {entry.findtext(f"{ATOM}title"): entry for entry in feed.iter(f"{ATOM}entry")}
    assert len(entries) == 9
    assert entries[CORRECTED.title].findtext(f"{ATOM}content") == CORRECTED.body
    link = entries[CORRECTED.title].find(f"{ATOM}link[@rel='alternate']")
    assert link is not None
    assert link.get("href") == f"{SITE}/articles/{CORRECTED.id}"


def test_atom_without_an_address_of_the_site_says_what_is_missing(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    result = create_app(services=services).test_cli_runner().invoke(args=["export", "--format", "atom"])
    assert (result.exit_code, "BACKFILE_SITE_URL" in result.output) == (2, True)
    services.close()


def test_it_is_packed_when_that_is_asked_for(app: Flask) -> None:
    assert gzip.decompress(export(app, "--gzip").stdout_bytes).decode().startswith('{"backfile":1,')


def test_a_file_stays_whole_when_an_export_breaks_off(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "archive.jsonl"
    file.write_text("the last one")

    def broken(_self: Store, _ids: object = None) -> Iterator[Article]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Store, "records", broken)
    result = app.test_cli_runner().invoke(args=["export", "-o", str(file)])
    assert result.exit_code == 1
    assert (file.read_text(), [each.name for each in tmp_path.iterdir()]) == ("the last one", [file.name])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "csv", "--versions", "all"], "csv holds what is shown now"),
        (["--from", "yesterday"], "from must be a day such as"),
        (["--format", "pdf"], "pdf"),
        (["word " * 2000], "characters"),
    ],
)
def test_what_cannot_be_exported_is_refused(app: Flask, arguments: list[str], said: str) -> None:
    result = app.test_cli_runner().invoke(args=["export", *arguments])
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_ninjs_comes_back_as_what_it_was(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "archive.json"
    export(app, "--format", "ninjs", "-o", file)
    store, other = store_of(app), Store(tmp_path / "other.sqlite3")
    assert ingest([file], other).added == 9
    came_back = {each.url: each for each in other.live(other.live_ids()).values()}
    for kept in store.live(store.live_ids()).values():
        found = came_back[kept.url]
        for name in ("title", "body", "section", "published_at", "language", "note"):
            assert getattr(found, name) == getattr(kept, name), name
        assert found.source == kept.source or kept.source is None  # the reader names the site then
        assert found.source_version == kept.version
    other.close()
