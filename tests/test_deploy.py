"""The files of `deploy/` are right by the programs that will read them, and name only what there is."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from threading import Thread

import pytest
from test_documentation import COMMANDS

from web.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
UNITS = sorted([*SERVICES, *DEPLOY.glob("*.timer")])
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PATIENCE = 20.0  # seconds

ANALYZE = shutil.which("systemd-analyze")
systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here to read the units")


class Server(ThreadingHTTPServer):
    daemon_threads = False  # so that each connection is closed when the server is


def lines(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)


# systemd


@systemd
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """The programs that they start lie where they will on the day; here something else stands in their place."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        (tmp_path / unit.name).write_text(text.replace("/srv/backfile/.venv/bin/", "/bin/true "), encoding="utf-8")
    told = subprocess.run(
        [str(ANALYZE), "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in told.stderr.splitlines() if "backfile" in line and "not executable" not in line]
    assert (told.returncode, ours) == (0, []), told.stderr


@systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_service_is_shut_in(unit: Path) -> None:
    """By systemd's own reckoning, of 10 for what may do everything; a service without any of it has 9.6."""
    told = subprocess.run(
        [str(ANALYZE), "security", "--offline=yes", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-1000:]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_service_runs_what_there_is_as_nobody_special(unit: Path) -> None:
    (command,) = lines(unit, "ExecStart")
    program, *given = command.split()
    assert program in ("/srv/backfile/.venv/bin/gunicorn", "/srv/backfile/.venv/bin/flask")
    if program.endswith("flask"):
        known = {option for parameter in COMMANDS[given[0]].params for option in parameter.opts}
        assert {each for each in given if each.startswith("--")} <= known
    else:
        assert given == ["wsgi:app"]
    assert lines(unit, "User") == ["backfile"]
    assert lines(unit, "ProtectSystem") == ["strict"]
    assert lines(unit, "NoNewPrivileges") == ["yes"]
    assert lines(unit, "MemoryMax") == ["6G"]
    assert lines(unit, "KillMode") == ["mixed"], "what reads hostile files is ended with its parent and not before it"
    (data,) = re.findall(rf"{PREFIX}DATA=(\S+)", unit.read_text(encoding="utf-8"))
    kept = str(Path(data).parent)  # a restore puts aside what stands there, beside it
    assert kept in lines(unit, "ReadWritePaths")[0].split()
    assert int(lines(unit, "TimeoutStopSec")[0]) > 30 + Settings.model_fields["drain"].default


def test_each_timer_starts_a_service_that_there_is() -> None:
    timers = sorted(DEPLOY.glob("*.timer"))
    assert {timer.stem for timer in timers} == {"backfile-backup", "backfile-check"}
    for timer in timers:
        assert timer.with_suffix(".service") in SERVICES
        assert lines(timer, "OnCalendar")
        assert lines(timer, "Persistent") == ["true"], "a machine that was off catches up"


def test_only_settings_that_there_are_are_named() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for file in (each for each in DEPLOY.rglob("*") if each.is_file()):
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", file.read_text(encoding="utf-8"))) <= known, file.name


# The image


def steps() -> list[tuple[str, str]]:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        (word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in text.splitlines())
        if word and word != "#"
    ]  # fmt: skip


def test_the_image_is_made_of_what_there_is_by_hashes_and_runs_as_nobody_special() -> None:
    made = steps()
    bases = [rest for word, rest in made if word == "FROM"]
    assert len(bases) == 2, "what builds it stays out of it"
    assert all(re.match(r"python:3\.11-slim\b", base) for base in bases)
    for word, rest in made:
        assert word in {"FROM", "ARG", "ENV", "WORKDIR", "RUN", "COPY", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL",
                        "HEALTHCHECK", "CMD"}  # fmt: skip
        if word == "COPY" and not rest.startswith("--from"):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
    runs = " ".join(rest for word, rest in made if word == "RUN")
    assert "--require-hashes --no-deps -r requirements.lock" in runs
    assert [rest for word, rest in made if word == "USER"] == ["backfile"]
    assert made[-1] == ("CMD", '["gunicorn", "--bind", "0.0.0.0:8000", "wsgi:app"]')


def test_everything_that_the_program_is_made_of_is_copied_into_the_image() -> None:
    copied = {source.rstrip("/") for word, rest in steps() if word == "COPY" for source in rest.split()[:-1]}
    assert {"archive", "index", "web", "static", "wsgi.py", "gunicorn.conf.py", "pyproject.toml"} <= copied
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {"data", ".git", ".venv"} <= set(ignored)
    assert copied & set(ignored) == set()


def test_the_image_is_looked_after_by_a_program_that_works() -> None:
    class Health(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self) -> None:
            self.send_response(self.status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    (check,) = [rest for word, rest in steps() if word == "HEALTHCHECK"]
    (script,) = re.findall(r'"-c", "(.+)"\]', check)
    with Server(("127.0.0.1", 0), Health) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        script = script.replace(":8000", f":{server.server_port}")
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
        Health.status = 503
        assert subprocess.run([sys.executable, "-c", script], check=False, stderr=subprocess.DEVNULL).returncode != 0
        server.shutdown()


# nginx


@dataclass
class Proxy:
    """nginx with the example's configuration, before a server that tells what it was sent."""

    folder: Path
    plain: int
    tls: int
    asked: list[tuple[str, dict[str, str]]]

    def ask(self, path: str, headers: dict[str, str] | None = None, *, body: bytes | None = None) -> HTTPResponse:
        context = SSLContext(PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, CERT_NONE
        connection = HTTPSConnection("127.0.0.1", self.tls, context=context, timeout=PATIENCE)
        given = {"Host": "archive.example.org", **(headers or {})}
        connection.request("POST" if body is not None else "GET", path, body=body, headers=given)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    if NGINX is None:
        pytest.skip("nginx is not here to read its configuration")
    folder = tmp_path_factory.mktemp("nginx")
    asked: list[tuple[str, dict[str, str]]] = []

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Cache-Control", "public, max-age=31536000, immutable")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None: ...

    with Server(("127.0.0.1", 0), Told) as behind:
        Thread(target=behind.serve_forever, daemon=True).start()
        plain, tls = free_ports()
        write_configuration(folder, plain=plain, tls=tls, behind=behind.server_port)
        command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")]
        told = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        with subprocess.Popen(command) as process:
            wait_for(tls)
            yield Proxy(folder, plain, tls, asked)
            process.terminate()
        behind.shutdown()


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        return first.getsockname()[1], second.getsockname()[1]


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def write_configuration(folder: Path, *, plain: int, tls: int, behind: int) -> None:
    """Write the example with the places and ports of this test; nothing else of it is changed."""
    (folder / "static").mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=archive.example.org", "-keyout", str(folder / "privkey.pem"),
         "-out", str(folder / "fullchain.pem")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for written, here in (
        (r"\n    listen \[::\]:\d+[^;]*;", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ", f"listen 127.0.0.1:{tls} "),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{behind}"),
        (r"/etc/ssl/archive\.example\.org", str(folder)),
        (r"/var/log/nginx/backfile\.log", str(folder / "access.log")),
        (r"/var/cache/nginx/backfile", str(folder / "static")),
    ):
        site, times = re.subn(written, here, site)
        assert times, written
    places = " ".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{}} http {{ {places}\n{site}\n}}", encoding="utf-8"
    )


def test_nginx_says_who_asks_and_nobody_else_does(proxy: Proxy) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "/evil", "X-Real-IP": "6.6.6.6", "Forwarded": "for=6.6.6.6",
    }  # fmt: skip
    proxy.ask("/search?q=flood", forged)
    path, headers = proxy.asked[-1]
    assert path == "/search?q=flood"
    assert headers["Host"] == headers["X-Forwarded-Host"] == "archive.example.org"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])
    told = str(sorted(headers.items()))
    assert not re.search(r"6\.6\.6\.6|gopher|evil|666", told.replace(headers["X-Request-ID"], ""))


def test_nginx_keeps_static_files_by_their_whole_address(proxy: Proxy) -> None:
    for address in ("/static/backfile.css?v=1", "/static/backfile.css?v=1", "/static/backfile.css?v=2"):
        assert proxy.ask(address).status == 200
    assert [path for path, _ in proxy.asked if path.startswith("/static/")] == [
        "/static/backfile.css?v=1",
        "/static/backfile.css?v=2",
    ]


def test_nginx_keeps_figures_and_floods_away(proxy: Proxy) -> None:
    before = len(proxy.asked)
    assert proxy.ask("/metrics").status == 404
    assert proxy.ask("/api/related", body=b"x" * 600_000).status == 413
    assert len(proxy.asked) == before
    assert proxy.ask("/readyz").status == 200, "from this machine"
    statuses = [proxy.ask("/search.csv?q=x").status for _ in range(20)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses


def test_nginx_sends_readers_to_the_encrypted_address(proxy: Proxy) -> None:
    connection = HTTPConnection("127.0.0.1", proxy.plain, timeout=PATIENCE)
    connection.request("GET", "/search?q=a%20b", headers={"Host": "archive.example.org"})
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.headers["Location"]) == (301, "https://archive.example.org/search?q=a%20b")
    assert "max-age" in str(proxy.ask("/").headers["Strict-Transport-Security"])
    connection.close()


def test_nginx_writes_down_neither_who_asked_nor_what_for(proxy: Proxy) -> None:
    proxy.ask("/search?q=zebra")
    written = (proxy.folder / "access.log").read_text(encoding="utf-8")
    assert "/search" in written
    assert "zebra" not in written
    assert "127.0.0.1" not in written
