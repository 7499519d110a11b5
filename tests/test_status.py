"""The state of an installation, as a page and as JSON: complete, discreet, and there whatever happens to the index."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import newsroom
import pytest
from flask.testing import FlaskClient
from test_api import body_of
from test_pages import page_of

from archive.ingest_run import KEPT_REJECTIONS, MOST_RUNS
from web import create_app
from web.services import Services
from web.settings import Settings

TODAY = date(2004, 1, 1)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder(), today=lambda: TODAY)
    for number in range(6):
        services.store.put(newsroom.article(number))
    services.builder.update()
    yield services
    services.close()


@pytest.fixture
def client(parts: Services) -> FlaskClient:
    return create_app(services=parts).test_client()


def ingest(parts: Services, folder: Path, *files: str) -> None:
    """Run the command on files of these contents."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(files):
        (folder / f"secret-{number}.jsonl").write_text(text, encoding="utf-8")
    create_app(services=parts).test_cli_runner().invoke(args=["ingest", str(folder)])


GOOD = json.dumps({"id": "1", "title": "Good", "body": "Words of the good one.", "source": "Wire"})
BAD = "\n".join(['{"title": "no body"}'] * 30)


def test_it_says_what_there_is_and_which_generation_answers(parts: Services, client: FlaskClient) -> None:
    state = body_of(client.get("/api/status"))
    assert (state["status"], state["degraded"], state["articles"], state["generation"]) == ("ok", False, 6, 1)
    assert (state["pending_changes"], state["keywords"], state["model"]) == (0, "whoosh", "meanings")
    assert state["disk"]["index"] > 0
    assert {"Backfile", "Python", "Flask"} <= set(state["software"])
    parts.store.put(newsroom.article(50))
    assert body_of(client.get("/api/status"))["pending_changes"] == 1
    assert "Everything answers" in page_of(client, "/status").text


def test_the_last_ingest_is_told_with_reasons_and_without_the_names_of_files(
    parts: Services, client: FlaskClient, tmp_path: Path
) -> None:
    assert body_of(client.get("/api/status"))["ingest"] is None
    ingest(parts, tmp_path / "in", GOOD, BAD)
    run = body_of(client.get("/api/status"))["ingest"]
    assert (run["added"], run["updated"], run["rejected"]) == (1, 0, 30)
    assert run["seconds"] >= 0
    assert [reason["count"] for reason in run["reasons"]] == [KEPT_REJECTIONS]
    for path in ("/status", "/api/status"):
        told = client.get(path).text
        assert "no body" in told
        assert "secret" not in told
        assert str(tmp_path) not in told


def test_stats_names_the_inputs_that_were_rejected(parts: Services, tmp_path: Path) -> None:
    ingest(parts, tmp_path / "in", GOOD, BAD)
    runner = create_app(services=parts).test_cli_runner()
    told = json.loads(runner.invoke(args=["stats", "--json"]).stdout)["last_ingest"]
    assert (told["added"], told["rejected"], len(told["rejections"])) == (1, 30, KEPT_REJECTIONS)
    lines = runner.invoke(args=["stats"]).stdout
    assert "1 added, 0 updated, 0 unchanged, 30 rejected" in lines
    assert "secret-1.jsonl:1: no body" in lines


def test_a_run_that_did_not_end_is_said_to_be_at_work_or_interrupted(parts: Services, client: FlaskClient) -> None:
    parts.store.begin_run()
    run = body_of(client.get("/api/status"))["ingest"]
    assert (run["seconds"], run["added"]) == (None, 0)
    assert "interrupted" in page_of(client, "/status").text


def test_only_so_many_runs_are_remembered(parts: Services) -> None:
    runs = [parts.store.begin_run() for _ in range(MOST_RUNS + 2)]
    assert runs == list(range(1, MOST_RUNS + 3))
    kept = list(parts.store.rows("SELECT run_id FROM ingest_run"))
    assert len(kept) == MOST_RUNS


def test_quality_is_what_was_measured_last_with_its_age(parts: Services, client: FlaskClient) -> None:
    assert "Not measured yet" in page_of(client, "/status").text
    file = parts.settings.data / "evaluations" / "self.json"
    file.parent.mkdir()
    for broken in ("", "[]", '{"modes": 1}', "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        file.write_text(broken, encoding="utf-8")
        assert body_of(client.get("/api/status"))["quality"] is None
    measured = {"measured_at": "2003-01-01T00:00:00Z", "seq": 4, "queries": 5, "documents": 6}
    file.write_text(json.dumps({**measured, "modes": {"hybrid": {"RR": 0.75}}}), encoding="utf-8")
    quality = body_of(client.get("/api/status"))["quality"]
    assert (quality["modes"], quality["changes_since"]) == ({"hybrid": {"RR": 0.75}}, 2)
    assert "0.750" in page_of(client, "/status").text


def test_coverage_is_told_by_day_or_by_week(client: FlaskClient) -> None:
    by_day = body_of(client.get("/api/status"))["coverage"]
    assert (by_day["by"], len(by_day["totals"]), by_day["last"]) == ("day", 30, "2001-03-06")
    assert sum(sum(feed["counts"]) for feed in by_day["feeds"]) == sum(by_day["totals"]) == 6
    assert {feed["name"] for feed in by_day["feeds"]} == {"The Ledger", "Harbour News", "Radio Nine"}
    assert len(body_of(client.get("/api/status?by=week"))["coverage"]["totals"]) == 52
    assert client.get("/status?by=hour").status_code == 400
    assert "The Ledger" in page_of(client, "/status?by=week").text


def test_it_answers_when_the_index_is_gone_and_says_so(tmp_path: Path, parts: Services, client: FlaskClient) -> None:
    shutil.rmtree(parts.settings.data / "index")
    state = body_of(client.get("/api/status"))
    assert (state["status"], state["generation"], state["current_generation"]) == ("degraded", None, 1)
    assert "flask reindex" in page_of(client, "/status").text
    assert client.get("/").status_code == client.get("/browse").status_code == 200


def test_it_can_be_turned_off_and_no_page_leads_there_then(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path, status="off"), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=services).test_client()
    assert client.get("/status").status_code == client.get("/api/status").status_code == 404
    assert client.get("/healthz").status_code == 200
    assert "/status" not in page_of(client, "/").hrefs()
    services.close()


def test_a_model_in_a_folder_is_named_without_where_it_lies(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path, model="/srv/private/models/tiny"))
    client = create_app(services=services).test_client()
    assert body_of(client.get("/api/status"))["model"] == "tiny"
    assert "/srv/private" not in client.get("/status").text
    services.close()
