import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from web.services import Services
from web.settings import PREFIX, Settings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = load_settings()
    assert settings.data == Path("data")
    assert (settings.model, settings.embedder, settings.keywords, settings.fusion) == (None, "auto", "auto", "sum")
    assert (settings.page_size, settings.site_name) == (10, "Backfile")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILE_DATA", "/srv/news")
    monkeypatch.setenv("BACKFILE_PAGE_SIZE", "25")
    assert load_settings().data == Path("/srv/news")
    assert load_settings().page_size == 25


def test_a_bad_value_is_one_line_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILE_PAGE_SIZE", "many")
    monkeypatch.setenv("BACKFILE_FUSION", "magic")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "BACKFILE_PAGE_SIZE='many'" in refused.value.message
    assert "BACKFILE_FUSION='magic'" in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.exit_code == 2


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_bad_setting_ends_a_command_with_one_line_and_status_two() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "routes"],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "BACKFILE_PAGE_SIZE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: BACKFILE_PAGE_SIZE='0' cannot be used")
    assert ended.stderr.count("\n") == 1


def test_a_part_is_made_once_however_many_ask_at_once(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path))
    with ThreadPoolExecutor(16) as pool:
        stores = set(pool.map(lambda _: services.store, range(64)))
    assert len(stores) == 1
    services.close()


def test_parts_are_opened_side_by_side_and_what_is_ready_waits_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services(Settings(data=tmp_path))
    store = services.store
    begun, goes_on = threading.Event(), threading.Event()

    def slowly(*_: object, **__: object) -> object:
        begun.set()
        goes_on.wait(60)
        return object()

    monkeypatch.setattr("index.embedder.open_embedder", slowly)
    with ThreadPoolExecutor(2) as pool:
        loading = pool.submit(lambda: services.embedder)
        assert begun.wait(60)
        try:
            assert pool.submit(lambda: services.store).result(timeout=5) is store
            assert pool.submit(lambda: services.search).result(timeout=5) is not None
        finally:
            goes_on.set()
        assert loading.result(timeout=60) is services.embedder
    services.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://archive.example.org/", "https://archive.example.org"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("", None),
    ],
)
def test_the_site_s_address_is_kept_without_a_slash_at_its_end(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: str | None
) -> None:
    monkeypatch.setenv("BACKFILE_SITE_URL", given)
    assert load_settings().site_url == kept


@pytest.mark.parametrize(
    "given", ["archive.example.org", "ftp://a.example", "https://a.example/news", "https://me@a.example", "http://a:b"]
)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("BACKFILE_SITE_URL", given)
    with pytest.raises(SettingsError, match="without a path"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("SMTP_URL", "smtps://me:pa%40ss@mail.example:465"),
        ("SMTP_URL", "smtp+starttls://mail.example"),
        ("SMTP_URL", "smtp://127.0.0.1:25"),
        ("MAIL_FROM", "Backfile <alerts@example.org>"),
        ("FETCH_ALLOW", "10.0.0.0/8, fd00::/8,192.168.7.5"),
        ("USER_AGENT", "HarbourNews/1.0 (+https://news.example.org; desk@news.example.org)"),
    ],
)
def test_how_alerts_go_out_is_kept_as_it_is_given(monkeypatch: pytest.MonkeyPatch, name: str, given: str) -> None:
    monkeypatch.setenv(f"BACKFILE_{name}", given)
    assert getattr(load_settings(), name.lower()) == given


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("SMTP_URL", "mail.example"),
        ("SMTP_URL", "https://mail.example"),
        ("SMTP_URL", "smtp://me:secret@mail.example"),
        ("SMTP_URL", "smtps://me:secret@mail.example:x"),
        ("MAIL_FROM", "Backfile"),
        ("MAIL_FROM", "a@b.example\r\nBcc: c@d.example"),
        ("FETCH_ALLOW", "10.0.0.0/8,intranet"),
        ("USER_AGENT", "HarbourNews\nX-Other: yes"),
        ("USER_AGENT", "(no name)"),
        ("SAVED_SEARCHES", "-1"),
    ],
)
def test_how_alerts_cannot_go_out_is_refused_without_telling_a_password(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(f"BACKFILE_{name}", given)
    with pytest.raises(SettingsError, match=f"BACKFILE_{name}") as refused:
        load_settings()
    assert "secret" not in str(refused.value)
