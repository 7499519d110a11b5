"""Validators: what a client has already is answered without searching, and never when anything has changed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from archive.store import Store
from index.related import RelatedResponse
from index.search import SearchRequest, SearchResponse
from web import conditional, create_app
from web.services import Services
from web.settings import Settings

FLOOD = newsroom.ORDINARY[0]
SEARCHED = ("/api/search?q=flood&source=The+Ledger", "/search?q=flood")
RELATED = (f"/api/articles/{FLOOD.id}/related", f"/articles/{FLOOD.id}")
EARLY = (*SEARCHED, *RELATED)


class Counting:
    """Searches, and counts how often."""

    def __init__(self, services: Services) -> None:
        self.count = 0
        self._search, self._related = services.search, services.related
        services.made["search"] = services.made["related"] = self

    def search(self, request: SearchRequest) -> SearchResponse:
        self.count += 1
        return self._search.search(request)

    def related(self, article_id: str, *, limit: int) -> RelatedResponse:
        self.count += 1
        return self._related.related(article_id, limit=limit)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with newsroom.application(tmp_path) as app:
        newsroom.services_of(app).warm_up()
        settle(newsroom.services_of(app))
        yield app


@pytest.fixture
def counting(app: Flask) -> Counting:
    return Counting(newsroom.services_of(app))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def settle(services: Services) -> None:
    """Wait until what is read in the background is read: suggestions go by it."""
    services.spelling.close()
    if services.suggest._reading is not None:
        services.suggest._reading.join()


def again(client: FlaskClient, path: str, tag: str) -> TestResponse:
    return client.get(path, headers={"If-None-Match": tag})


@pytest.mark.parametrize("path", EARLY)
def test_what_a_client_has_is_answered_without_searching(client: FlaskClient, counting: Counting, path: str) -> None:
    first = client.get(path)
    assert (first.status_code, counting.count) == (200, 1)
    for _ in range(3):
        answer = again(client, path, first.headers["ETag"])
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Vary"] == first.headers["Vary"]
    assert counting.count == 1


def test_a_tag_is_told_by_a_handful_of_statements(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag, asked = client.get(SEARCHED[0]).headers["ETag"], list[str]()
    rows = Store.rows
    monkeypatch.setattr(Store, "rows", lambda store, sql, *more: asked.append(sql) or rows(store, sql, *more))
    assert again(client, SEARCHED[0], tag).status_code == 304
    assert len(asked) <= 4  # what is due, the pointer for the tag and for the engine, how far all has come


@pytest.mark.parametrize("header", ['W/"1-0000000000000000"', '"0-1"', "*", "nonsense"])
def test_any_other_tag_is_answered_by_searching(client: FlaskClient, counting: Counting, header: str) -> None:
    answer = again(client, SEARCHED[0], header)
    assert answer.status_code == (304 if header == "*" else 200)
    assert counting.count == 1


def test_one_of_several_tags_is_enough(client: FlaskClient, counting: Counting) -> None:
    tag = client.get(SEARCHED[0]).headers["ETag"]
    assert again(client, SEARCHED[0], f'"other", {tag}, W/"more"').status_code == 304
    assert counting.count == 1


def test_star_asks_whether_there_is_anything_and_does_not_hide_an_error(client: FlaskClient) -> None:
    assert again(client, "/api/articles/0000000000000000/related", "*").status_code == 404
    assert again(client, f"/api/articles/{newsroom.WITHDRAWN.id}/related", "*").status_code == 410
    assert again(client, "/api/search?q=((((((a", "*").status_code == 400


def ingest(services: Services) -> None:
    services.store.put(newsroom.article(300))


def publish(services: Services) -> None:
    services.builder.update()


def reindex(services: Services) -> None:
    services.builder.rebuild()


def take_down(services: Services) -> None:
    services.store.remove(newsroom.ORDINARY[1].id)


def lose_the_index(services: Services) -> None:
    shutil.rmtree(services.settings.data / "index")


def change_the_model(services: Services) -> None:
    services.builder_of(newsroom.OtherEmbedder(), reference="other").rebuild()


@pytest.mark.parametrize("path", EARLY)
@pytest.mark.parametrize("happens", [ingest, publish, reindex, take_down, lose_the_index, change_the_model])
def test_whatever_changes_is_answered_anew(app: Flask, client: FlaskClient, path: str, happens: object) -> None:
    before = client.get(path)
    assert callable(happens)
    happens(newsroom.services_of(app))
    newsroom.services_of(app).serving.catch_up()
    after = again(client, path, before.headers["ETag"])
    assert after.status_code == 200
    assert after.headers.get("ETag") != before.headers["ETag"]


def test_a_degraded_answer_is_asked_for_anew_each_time(app: Flask, client: FlaskClient, counting: Counting) -> None:
    lose_the_index(newsroom.services_of(app))
    newsroom.services_of(app).serving.catch_up()
    for path in SEARCHED:
        first = client.get(path)
        assert first.status_code == 200
        assert again(client, path, first.headers.get("ETag", '"none"')).status_code in (200, 304)
    assert counting.count == 4


def test_a_further_page_is_of_the_list_made_before_and_tagged_by_what_it_says(
    app: Flask, client: FlaskClient, counting: Counting
) -> None:
    second = client.get("/api/search?q=report&page=2&page_size=5")
    assert again(client, "/api/search?q=report&page=2&page_size=5", second.headers["ETag"]).status_code == 304
    for number in range(301, 304):
        newsroom.services_of(app).store.put(newsroom.article(number, title="Report, report, report"))
    publish(newsroom.services_of(app))
    newsroom.services_of(app).serving.catch_up()
    unchanged = again(client, "/api/search?q=report&page=2&page_size=5", second.headers["ETag"])
    assert unchanged.status_code == 304, "still the same list, whatever came in"
    client.get("/api/search?q=report&page_size=5")
    changed = again(client, "/api/search?q=report&page=2&page_size=5", second.headers["ETag"])
    assert changed.status_code == 200
    assert counting.count == 5


def test_another_question_another_day_another_setting_have_other_tags(tmp_path: Path) -> None:
    tags = set()
    with newsroom.application(tmp_path) as app:
        services = newsroom.services_of(app)
        services.warm_up()
        settle(services)
        paths = ("q=flood", "q=Flood", "q=flood&mode=keyword", "q=flood&explain=1", "q=flood&page_size=9", "")
        tags |= {app.test_client().get(f"/api/search?{path}").headers["ETag"] for path in paths}
        tags.add(app.test_client().get("/search?q=flood").headers["ETag"])
        assert len(tags) == len(paths) + 1
    services = Services(Settings(data=tmp_path, recency=0.5), embedder=newsroom.MeaningEmbedder())
    services.warm_up()
    settle(services)
    assert create_app(services=services).test_client().get("/api/search?q=flood").headers["ETag"] not in tags
    services.close()


def test_two_processes_over_one_archive_tag_alike(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    other = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    other.warm_up()
    settle(other)
    for path in EARLY:
        assert (
            again(create_app(services=other).test_client(), path, client.get(path).headers["ETag"]).status_code == 304
        )
    other.close()


def test_where_a_host_keeps_what_it_has_is_told_by_no_tag(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    moved = Settings(data=tmp_path.parent / tmp_path.name, ledger=tmp_path / "ledger.jsonl", page_size=10)
    assert moved != newsroom.services_of(app).settings
    with app.test_request_context("/"):
        ours = conditional.archive_tag(newsroom.services_of(app))
        other = Services(moved, embedder=newsroom.MeaningEmbedder())
        assert conditional.archive_tag(other) == ours
        other.close()


def test_a_spelling_learnt_since_is_an_answer_of_its_own(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        client = app.test_client()
        client.get("/api/search?q=flood")  # the model is loaded, no words are read
        before = client.get("/api/search?q=flood")
        newsroom.services_of(app).spelling.begin()
        settle(newsroom.services_of(app))
        assert again(client, "/api/search?q=flood", before.headers["ETag"]).status_code == 200


def test_the_front_page_is_told_by_the_archive_alone(app: Flask, client: FlaskClient) -> None:
    before = client.get("/")
    assert again(client, "/", before.headers["ETag"]).status_code == 304
    lose_the_index(newsroom.services_of(app))
    assert again(client, "/", before.headers["ETag"]).status_code == 304
    take_down(newsroom.services_of(app))
    assert again(client, "/", before.headers["ETag"]).status_code == 200


def test_a_restored_backup_that_counts_on_from_an_earlier_number_is_another_archive(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.sqlite3"
    services = newsroom.services_of(app)
    with services.store.snapshot():
        services.store.database.copy_to(backup, lambda done, pages: None)
    services.store.put(newsroom.article(300))
    before = client.get("/").headers["ETag"]
    services.close()
    for name in ("archive.sqlite3", "archive.sqlite3-wal", "archive.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    backup.rename(tmp_path / "archive.sqlite3")
    restored = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    restored.store.put(newsroom.article(301))
    assert again(create_app(services=restored).test_client(), "/", before).status_code == 200
    restored.close()


def test_until_the_next_generation_is_opened_the_answer_is_of_the_one_before_and_tagged_by_what_it_says(
    app: Flask, client: FlaskClient, counting: Counting
) -> None:
    with newsroom.services_of(app).serving._opening:  # as while it is opened
        ingest(newsroom.services_of(app))
        publish(newsroom.services_of(app))
        before = client.get(SEARCHED[0])
        assert before.get_json()["generation"] == 1
        assert again(client, SEARCHED[0], before.headers["ETag"]).status_code == 304
        assert counting.count == 2, "it could not be told beforehand"
    newsroom.services_of(app).serving.catch_up()
    after = again(client, SEARCHED[0], before.headers["ETag"])
    assert (after.status_code, after.get_json()["generation"]) == (200, 2)


@pytest.mark.parametrize("name", ["web/page.py", "web/templates/page.html", "static/site.css", "requirements.txt"])
def test_the_program_is_told_by_all_it_is_made_of(tmp_path: Path, name: str) -> None:
    for part in ("archive", "index", "web/templates", "static"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("one")
    known = conditional.fingerprint(tmp_path)
    assert conditional.fingerprint(tmp_path) == known
    (tmp_path / name).write_text("two")
    assert conditional.fingerprint(tmp_path) != known
