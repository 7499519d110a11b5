"""The figures for a monitor: complete, true, in a form that Prometheus' own parser takes, and of bounded variety."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from archive.errors import ArchiveDamaged
from archive.ingest_run import IngestRun
from web import create_app
from web.services import Services
from web.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    for number in range(4):
        services.store.put(newsroom.article(number))
    services.builder.update()
    yield services
    services.close()


@pytest.fixture
def client(parts: Services) -> FlaskClient:
    return create_app(services=parts).test_client()


def figures(client: FlaskClient) -> Figures:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def figure(client: FlaskClient, name: str, **labels: str) -> float:
    return figures(client).get((f"backfile_{name}", frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_route_method_and_status_with_how_long_they_took(client: FlaskClient) -> None:
    asked = {"route": "/api/articles/<article_id>", "method": "GET"}
    before = figure(client, "http_requests_total", **asked, status="404")
    timed = figure(client, "http_request_duration_seconds_count", **asked)
    client.get("/api/articles/0000000000000000").get_data()
    assert figure(client, "http_requests_total", **asked, status="404") == before + 1
    assert figure(client, "http_request_duration_seconds_count", **asked) == timed + 1


def test_a_search_is_timed_leg_by_leg(client: FlaskClient) -> None:
    def counts() -> list[float]:
        legs = ("query embedding", "keyword", "semantic", "whole")
        return [figure(client, "search_duration_seconds_count", leg=leg) for leg in legs]

    before = counts()
    client.get("/api/search?q=flood+timed").get_data()
    assert [after - each for after, each in zip(counts(), before, strict=True)] == [1, 1, 1, 1]
    client.get("/api/search?q=flood+words&mode=keyword").get_data()
    assert [after - each for after, each in zip(counts(), before, strict=True)] == [1, 2, 1, 2]


def test_what_a_reader_types_is_never_a_label(client: FlaskClient) -> None:
    for path in ("/api/search?q=zebra", "/zebra", "/articles/zebra", "/search?source=zebra", "/static/zebra.css"):
        client.get(path).get_data()
    client.open("/", method="ZEBRA").get_data()
    told = client.get("/metrics").text
    assert "zebra" not in told.lower()
    assert 'method="other"' in told
    assert 'route="other"' in told


def test_the_age_of_the_index_and_what_it_lacks_are_told(parts: Services, client: FlaskClient) -> None:
    assert (figure(client, "generation"), figure(client, "articles")) == (1, 4)
    assert 0 <= figure(client, "generation_age_seconds") < 60
    assert (figure(client, "pending_changes"), figure(client, "ingest_lag_seconds")) == (0, 0)
    parts.store.put(newsroom.article(50))
    parts.store.put(newsroom.article(51))
    with parts.store.transaction() as connection:
        first = parts.store.pointer()[0]
        assert first is not None
        hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        connection.execute("UPDATE change SET at = ? WHERE seq = ?", (hour_ago, first.seq + 1))
    assert figure(client, "pending_changes") == 2
    assert 3500 < figure(client, "ingest_lag_seconds") < 3700


def test_a_poorer_answer_is_told(parts: Services, client: FlaskClient) -> None:
    assert figure(client, "degraded") == 0
    shutil.rmtree(parts.settings.data / "index")
    parts.serving.catch_up()
    assert figure(client, "degraded") == 1


def test_the_last_ingest_is_told(parts: Services, client: FlaskClient) -> None:
    assert not any(name.startswith("backfile_last_ingest") for name, _ in figures(client))
    run = parts.store.begin_run()
    assert figure(client, "last_ingest_finished") == 0
    began = datetime(2026, 1, 2, tzinfo=UTC)
    counts = IngestRun(started_at=began, seconds=2.5, added=3, updated=0, unchanged=1, rejected=2)
    parts.store.end_run(run, counts)
    assert figure(client, "last_ingest_finished") == 1
    assert figure(client, "last_ingest_duration_seconds") == 2.5
    assert figure(client, "last_ingest_inputs", outcome="rejected") == 2
    assert figure(client, "last_ingest_start_timestamp_seconds") > 0


def test_disk_memory_and_what_is_at_work_are_told(client: FlaskClient) -> None:
    told = figures(client)
    for name in ("disk_free_bytes", "resident_memory_bytes", "open_fds", "threads"):
        assert told[f"backfile_{name}", frozenset()] > 0, name
    assert told["backfile_workers", frozenset()] == 1
    assert told["backfile_disk_bytes", frozenset({("part", "index")})] > 0
    ((labels, value),) = [(dict(of), each) for (name, of), each in told.items() if name == "backfile_build_info"]
    assert (labels["model"], labels["keywords"], value) == ("meanings", "whoosh", 1)
    assert re.fullmatch(r"\d+\.\d+\.\d+", labels["version"])


def test_an_archive_that_cannot_be_read_is_told_and_the_rest_still_is(
    client: FlaskClient, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert figure(client, "archive_readable") == 1

    def fail(*_: object) -> None:
        raise ArchiveDamaged("secret /srv/path")

    monkeypatch.setattr(parts.store, "one", fail)
    told = figures(client)
    assert told["backfile_archive_readable", frozenset()] == 0
    assert ("backfile_articles", frozenset()) not in told
    assert told["backfile_disk_free_bytes", frozenset()] > 0


# Names


def test_names_and_units_are_as_prometheus_asks_for_and_all_are_in_the_documentation(client: FlaskClient) -> None:
    client.get("/api/search?q=flood").get_data()
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert len(names) > 20
    for family in families:
        assert re.fullmatch(r"backfile_[a-z][a-z_]+[a-z]", family.name)
        assert family.documentation
        if re.search(r"seconds|duration|age|lag", family.name):
            assert family.name.removesuffix("_total").endswith("_seconds"), family.name
        if re.search(r"memory|disk", family.name):
            assert family.name.endswith("_bytes")
    said = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    written = [name for name in names if name != "backfile_last_ingest_inputs"]
    assert [name for name in written if f"`{name}" not in said] == []


def test_every_rule_for_alarms_asks_for_figures_that_there_are(parts: Services, client: FlaskClient) -> None:
    parts.store.begin_run()
    parts.store.put(newsroom.article(60))
    there = {name for name, _ in figures(client)} | {"up"}
    rules = (ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bbackfile_\w+", re.sub(r"#.*", "", rules)))
    assert len(asked) > 6
    assert asked - there - {"backfile_http_requests_total", "backfile_next_embargo_end_timestamp_seconds"} == set()


# Who may read them


def local_app(parts: Services, setting: str) -> Flask:
    services = Services(Settings(data=parts.settings.data, metrics=setting), embedder=parts.embedder)  # type: ignore[arg-type]
    services.made["store"] = parts.store
    return create_app(services=services)


@pytest.mark.parametrize(
    ("setting", "peer", "headers", "status"),
    [
        ("local", "127.0.0.1", {}, 200),
        ("local", "::1", {}, 200),
        ("local", "192.0.2.1", {}, 404),
        ("local", "", {}, 404),
        ("local", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("local", "127.0.0.1", {"Forwarded": "for=192.0.2.1"}, 404),
        ("local", "127.0.0.1", {"X-Real-IP": "192.0.2.1"}, 404),
        ("local", "127.0.0.1", {"Via": "1.1 cache"}, 404),
        ("public", "192.0.2.1", {"X-Forwarded-For": "192.0.2.1"}, 200),
        ("off", "127.0.0.1", {}, 404),
    ],
)
def test_only_who_may_reads_them(
    parts: Services, setting: str, peer: str, headers: dict[str, str], status: int
) -> None:
    client = local_app(parts, setting).test_client()
    assert client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": peer}).status_code == status


def test_a_proxy_that_is_believed_makes_nobody_local(parts: Services) -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = local_app(parts, "local")
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)  # type: ignore[method-assign]
    client = app.test_client()
    forged = {"X-Forwarded-For": "127.0.0.1"}
    assert client.get("/metrics", headers=forged, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 404
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200
