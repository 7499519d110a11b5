"""Under which names the site answers, and that no answer that repeats a stranger's name is kept by others."""

from pathlib import Path

import newsroom
import pytest
from werkzeug.test import TestResponse

from web.settings import SettingsError, load_settings

REPEATING = ["/search?q=flood", "/search.atom?q=flood", "/robots.txt", "/opensearch.xml", "/", "/embed"]


def ask(folder: Path, path: str, host: str, **settings: object) -> TestResponse:
    with newsroom.application(folder, robots="allow", **settings) as app, app.test_client() as client:
        return client.get(path, headers={"Host": host})


@pytest.mark.parametrize("host", ["evil.example", "archive.example.org.evil.example", "archive.example.org@evil", "["])
def test_a_site_that_knows_its_names_answers_to_no_other(tmp_path: Path, host: str) -> None:
    with newsroom.application(tmp_path, hosts="archive.example.org") as app, app.test_client() as client:
        for path in ("/", "/api/search?q=flood", "/search.atom?q=flood", "/nothing-here"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 400
            assert "evil" not in answer.text


@pytest.mark.parametrize(
    "host", ["archive.example.org", "ARCHIVE.example.org:443", "localhost:8000", "127.0.0.1", "[::1]:8000", "b.test"]
)
def test_it_answers_to_its_own_names_and_to_whoever_looks_after_it(tmp_path: Path, host: str) -> None:
    answer = ask(tmp_path, "/api/stats", host, site_url="https://archive.example.org", hosts="a.test, B.test")
    assert answer.status_code == 200


def test_named_hosts_hold_without_an_address_too(tmp_path: Path) -> None:
    with newsroom.application(tmp_path, hosts="a.test") as app, app.test_client() as client:
        asked = {host: client.get("/api/stats", headers={"Host": host}).status_code for host in ("a.test", "b.test")}
    assert asked == {"a.test": 200, "b.test": 400}


def test_whoever_asks_after_its_health_asks_by_address(tmp_path: Path) -> None:
    assert ask(tmp_path, "/healthz", "10.1.2.3:8000", hosts="archive.example.org").status_code == 200


def test_a_name_that_is_none_is_refused_by_any_site(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app, app.test_client() as client:
        for host in ('a"><script>', "a b", "a/b", "a\\b", "a" * 300):
            assert client.get("/", headers={"Host": host}).status_code == 400


def test_what_repeats_a_name_that_nobody_has_vouched_for_is_kept_by_no_shared_cache(tmp_path: Path) -> None:
    with newsroom.application(tmp_path, robots="allow") as app, app.test_client() as client:
        for path in REPEATING:
            answer = client.get(path, headers={"Host": "evil.example"})
            assert "evil.example" in answer.text, path
            assert answer.headers["Cache-Control"] in {"private, no-cache", "no-store"}, path


def test_a_site_that_knows_its_address_repeats_nobody_s(tmp_path: Path) -> None:
    own = "https://archive.example.org"
    with newsroom.application(tmp_path, robots="allow", site_url=own) as app, app.test_client() as client:
        for path in REPEATING:
            answer = client.get(path, headers={"Host": "evil.example"})
            assert "evil.example" not in answer.text, path
            assert "private" not in answer.headers.get("Cache-Control", ""), path


def test_a_list_of_names_that_cannot_be_used_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILE_HOSTS", "https://archive.example.org")
    with pytest.raises(SettingsError, match="BACKFILE_HOSTS"):
        load_settings()
