"""An agency's story from its files to what readers see: filed, corrected, held, embargoed and taken back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from archive.identity import guid_id
from archive.releases import Releases
from archive.store import Store
from web import create_app
from web.services import Services
from web.settings import Settings

GUID = "urn:newsml:wire.example:20260301:harbour"
PATH = f"/articles/{guid_id(GUID)}"
FIRST = "The harbour reopened on Sunday."
WRONG, RIGHT = "It had been shut since 2042.", "It had been shut since 2024."
LATER = "The mayor cut a ribbon."
NOTE = "(Corrects the year in the second sentence)"


class Clock:
    """A clock that stands until it is moved."""

    now = datetime(2026, 3, 1, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    services.made["store"] = store = Store(services.settings.data / "archive.sqlite3", clock=clock)
    services.made["releases"] = Releases(store, clock=clock)
    yield create_app(services=services)
    services.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def item(version: int, text: str, meta: str = "") -> str:
    """Return a version as NewsML-G2; `meta` stands after its status."""
    content = (
        f"<contentMeta><headline>Harbour reopens</headline></contentMeta><contentSet><inlineXML><html><body><p>{text}"
    )
    content += "</p></body></html></inlineXML></contentSet>"
    return (
        f'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="{GUID}" version="{version}"><itemMeta>'
        '<itemClass qcode="ninat:text"/><provider literal="Wire"/>'
        f"<versionCreated>2026-03-01T1{version}:00:00Z</versionCreated>{meta}</itemMeta>{content if text else ''}"
        "</newsItem>"
    )


def ingest(app: Flask, tmp_path: Path, delivery: str, *, status: int = 0) -> dict[str, int]:
    """Have `flask ingest` read one more file, and return what it counted."""
    file = tmp_path / f"{len(list(tmp_path.iterdir()))}.delivery"
    file.write_text(delivery)
    result = app.test_cli_runner().invoke(args=["ingest", str(file), "--json"])
    assert result.exit_code == status, result.output
    report = json.loads(result.stdout)
    return {name: report[name] for name in ("added", "updated", "unchanged", "held", "withdrawn") if report[name]}


def answer(client: FlaskClient, path: str) -> Any:  # noqa: ANN401 any JSON
    return client.get(path, headers={"Accept": "application/json"}).get_json()


def test_a_correction_shows_its_note_and_the_sentence_it_changed(
    app: Flask, client: FlaskClient, clock: Clock, tmp_path: Path
) -> None:
    assert ingest(app, tmp_path, item(1, f"{FIRST} {WRONG}")) == {"added": 1}
    corrected = item(
        2,
        f"{FIRST} {RIGHT}",
        f'<pubStatus qcode="stat:usable"/><edNote>{NOTE}</edNote><signal qcode="sig:correction"/>',
    )
    assert ingest(app, tmp_path, corrected) == {"updated": 1}
    page, changes = client.get(PATH).text, client.get(f"{PATH}/versions/2/changes").text
    assert NOTE in page
    assert RIGHT in page
    assert WRONG not in page
    assert NOTE in changes
    assert "It had been shut since <del>2042.</del><ins>2024.</ins>" in changes
    api = f"/api{PATH}"
    assert [each["note"] for each in answer(client, api)["versions"]] == [None, NOTE]
    told = answer(client, f"{api}/versions/2/changes")
    assert told["note"] == NOTE
    assert [each["kind"] for each in told["differences"]["sentences"]] == ["kept", "changed"]

    opens = clock.now + timedelta(hours=1)
    embargoed = item(3, f"{FIRST} {RIGHT} {LATER}", f"<embargoed>{opens.isoformat()}</embargoed>")
    assert ingest(app, tmp_path, embargoed) == {"held": 1}
    assert LATER not in client.get(PATH).text
    assert answer(client, api)["version"] == 2
    assert client.get(f"{PATH}/versions/3").status_code == 404
    clock.now = opens
    assert LATER in client.get(PATH).text
    assert answer(client, api)["version"] == 3


def test_what_is_withheld_or_killed_badly_disappears_and_comes_back_when_it_is_usable(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    def status() -> int:
        return client.get(PATH).status_code

    first, second = item(1, FIRST), item(3, f"{FIRST} {RIGHT}")
    assert (ingest(app, tmp_path, first), status()) == ({"added": 1}, 200)
    withheld = item(2, "", '<pubStatus qcode="stat:withheld"/>')
    assert (ingest(app, tmp_path, withheld), status()) == ({"held": 1}, 404)
    assert (ingest(app, tmp_path, first), status()) == ({"unchanged": 1}, 404)
    assert (ingest(app, tmp_path, second), status()) == ({"updated": 1}, 200)
    misspelt = json.dumps({"uri": GUID, "version": "4", "pubstatus": "cancelled"})
    assert (ingest(app, tmp_path, misspelt, status=1), status()) == ({"held": 1}, 404)
    assert (ingest(app, tmp_path, second), status()) == ({"unchanged": 1}, 404)
    assert ingest(app, tmp_path, item(5, f"{FIRST} {LATER}")) == {"updated": 1}
    assert [each["version"] for each in answer(client, f"/api{PATH}")["versions"]] == [1, 3, 5]
    killed = json.dumps({"uri": GUID, "version": "6", "pubstatus": "canceled"})
    assert (ingest(app, tmp_path, killed), status()) == ({"withdrawn": 1}, 410)
    assert (ingest(app, tmp_path, item(7, FIRST)), status()) == ({"unchanged": 1}, 410)
