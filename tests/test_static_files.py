"""Static files: kept by readers for good under the address that names their content, compressed once."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from web import create_app
from web.services import Services
from web.settings import Settings
from web.static_files import FOLDER, read_files, static_files

SHEET = "backfile.css"
VERSION = hashlib.sha256((FOLDER / SHEET).read_bytes()).hexdigest()[:12]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    services = Services(Settings(data=tmp_path_factory.mktemp("data")))
    yield create_app(services=services)
    services.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_the_address_of_a_file_names_its_content_and_is_kept_for_a_year(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = url_for("static", filename=SHEET)
    assert address == f"/static/{SHEET}?v={VERSION}"
    answer = client.get(address)
    assert answer.data == (FOLDER / SHEET).read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("query", ["", "?v=0123456789ab", "?v="])
def test_an_address_that_does_not_name_the_content_is_asked_about_each_time(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/static/{SHEET}{query}")
    assert answer.data == (FOLDER / SHEET).read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/static/{SHEET}{query}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("identity", None)])
def test_a_file_is_compressed_for_who_takes_it(client: FlaskClient, accepted: str, encoding: str | None) -> None:
    answer = client.get(f"/static/{SHEET}", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    content = gzip.decompress(answer.data) if encoding else answer.data
    assert content == (FOLDER / SHEET).read_bytes()


def test_a_head_request_tells_the_length_alone(client: FlaskClient) -> None:
    answer = client.head(f"/static/{SHEET}")
    assert answer.data == b""
    assert int(answer.headers["Content-Length"]) == (FOLDER / SHEET).stat().st_size


@pytest.mark.parametrize("path", ["nothing.css", "../wsgi.py", "%2e%2e/wsgi.py", "vendor", "", "/etc/passwd"])
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code in {308, 404}


def test_every_file_in_the_folder_is_there_with_its_kind() -> None:
    files = {file.relative_to(FOLDER).as_posix() for file in Path(FOLDER).rglob("*") if file.is_file()}
    assert set(static_files()) == files
    assert static_files()["search.js"].mimetype in {"text/javascript", "application/javascript"}
    assert static_files()["favicon.svg"].mimetype == "image/svg+xml"


def test_modules_import_each_other_by_addresses_that_are_kept_for_good(client: FlaskClient) -> None:
    for script in ("search.js", "live.js", "tips.js"):
        text = client.get(f"/static/{script}").text
        imported = re.findall(r'(?:from |import\()"\./([^"]+)"', text)
        assert len(imported) == (FOLDER / script).read_text(encoding="utf-8").count('"./') > 0
        for address in imported:
            assert "immutable" in client.get(f"/static/{address}").headers["Cache-Control"], address


def test_the_version_of_a_module_changes_with_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "page.js").write_text('import { a } from "./parts/a.js";\nimport("./gone.js");', encoding="utf-8")
    (tmp_path / "parts" / "a.js").write_text('import "./b.js";\nimport "../page.css";', encoding="utf-8")
    (tmp_path / "parts" / "b.js").write_text("one", encoding="utf-8")
    before = read_files(tmp_path)
    (tmp_path / "parts" / "b.js").write_text("two", encoding="utf-8")
    after = read_files(tmp_path)
    assert all(before[name].version != after[name].version for name in before)
    a, b = after["parts/a.js"], after["parts/b.js"]
    assert a.content.decode() == f'import "./b.js?v={b.version}";\nimport "../page.css";'
    assert after["page.js"].content.decode() == (
        f'import {{ a }} from "./parts/a.js?v={a.version}";\nimport("./gone.js");'
    )
