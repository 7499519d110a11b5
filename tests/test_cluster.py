"""The files of `deploy/cluster/`: pinned, closed, without a password that somebody knows, and of what there is.

No engine for containers and no cluster is asked: what the files say is compared with the program, and the scripts run.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
import yaml
from flask import Flask
from postgres import Server
from test_deploy import DEPLOY, NGINX, Proxy, free_ports, wait_for
from test_documentation import COMMANDS

from web import health
from web.settings import Settings, database_url

ROOT = DEPLOY.parent
CLUSTER = DEPLOY / "cluster"
COMPOSE = yaml.safe_load((CLUSTER / "compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VALUES = sorted((CLUSTER / "helm").glob("*.yaml"))
MANIFESTS = sorted((CLUSTER / "kubernetes").glob("*.yaml"))
TEXTS = [each for each in sorted(CLUSTER.rglob("*")) if each.is_file() and each.suffix != ".pyc"]
VERSION = re.compile(r":v?\d+\.\d+(\.\d+)?(-[\w.]+)?(@sha256:[0-9a-f]{64})?$")
KNOWN_PASSWORDS = ("minioadmin", "root:Milvus", "LetMeInRay", "changeme", "postgres:postgres")
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("backfile:")}
PEOPLE = {"edge", "outside"}  # networks with a way out

KUBECTL = shutil.which("kubectl")


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in MANIFESTS:
        if file.name != "kustomization.yaml":
            for each in yaml.safe_load_all(file.read_text(encoding="utf-8")):
                yield file.name, each


OBJECTS = list(objects())


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for _, each in OBJECTS if each["kind"] == kind]


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in of_kind(kind) if each["metadata"]["name"] == name]
    return found


def walk(value: object) -> Iterator[dict[str, Any]]:
    """Yield every mapping in what was read."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for _, each in OBJECTS:
        for mapping in walk(each):
            if "containers" in mapping:
                yield each["metadata"]["name"], mapping


def command_of(words: list[str]) -> None:
    """Assert that a command line of ours is one that there is."""
    program, *given = words
    if program == "flask":
        command = COMMANDS[given[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {each for each in given if each.startswith("--")} <= known
    else:
        assert program in ("gunicorn", "ray", "sleep")
        assert program != "gunicorn" or given[-1] == "wsgi:app"


# What is run


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version(name: str) -> None:
    assert VERSION.search(SERVICES[name]["image"]), SERVICES[name]["image"]


def test_charts_and_their_images_have_versions() -> None:
    for file in VALUES:
        text = file.read_text(encoding="utf-8")
        assert re.search(r"pinned to chart version \d+\.\d+\.\d+", text), file.name
        for mapping in walk(yaml.safe_load(text)):
            if "repository" in mapping:
                assert VERSION.search(f":{mapping['tag']}")
    readme = (CLUSTER / "README.md").read_text(encoding="utf-8")
    for file in VALUES:
        (version,) = re.findall(r"chart version ([\d.]+\d)", file.read_text(encoding="utf-8"))
        assert f"--version {version}" in readme, "the walk installs the version that the values are for"


def test_nothing_is_called_latest() -> None:
    assert [file.name for file in TEXTS if re.search(r":latest\b", file.read_text(encoding="utf-8"))] == []


def test_our_own_image_is_of_this_version_and_made_by_the_file_that_there_is() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert {SERVICES[name]["image"] for name in OURS} == {f"backfile:{version}"}
    assert (CLUSTER / SERVICES["web1"]["build"]["context"] / SERVICES["web1"]["build"]["dockerfile"]).exists()
    kustomization = yaml.safe_load((CLUSTER / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8"))
    assert kustomization["images"][0]["newTag"] == version
    assert {container["image"] for _, pod in pods() for container in pod["containers"]} == {"backfile"}


def test_only_commands_that_there_are_are_run() -> None:
    for name in OURS:
        command_of(SERVICES[name]["command"])
    for _, pod in pods():
        for container in pod["containers"]:
            if "command" in container:
                command_of(container["command"])


def test_the_database_that_is_named_is_one() -> None:
    database_url(SERVICES["web1"]["environment"]["BACKFILE_ARCHIVE"])
    database_url(named("ConfigMap", "backfile")["data"]["BACKFILE_ARCHIVE"])


def test_what_is_named_of_settings_is_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for values in (SERVICES["web1"]["environment"], named("ConfigMap", "backfile")["data"]):
        for name, value in values.items():
            if not str(value).startswith("${"):
                monkeypatch.setenv(name, str(value))
        assert Settings().proxy_hops == 1
        assert Settings().drain < 30, "less than is waited before a container is killed, by gunicorn's 30 seconds"


# Who can reach it


def test_only_nginx_is_published_and_nowhere_unless_somebody_says_so() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"nginx": ["${LISTEN:-127.0.0.1}:${PORT:-8443}:8443"]}
    assert not any(service.get("network_mode") == "host" for service in SERVICES.values())


def test_networks_have_no_way_out_but_for_what_fetches_and_sends() -> None:
    inside = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert inside == set(COMPOSE["networks"]) - PEOPLE
    out = {name for name, service in SERVICES.items() if PEOPLE & set(service.get("networks", ()))}
    assert out == {"nginx", "fetch", "alerts"}
    assert not set(SERVICES["nginx"]["networks"]) & {"back", "bulk"}


def test_what_asks_nobody_for_a_password_listens_on_the_loopback_alone() -> None:
    """etcd has no users here, and SeaweedFS asks at its S3 door only; Milvus shares their loopback."""
    for name in ("etcd", "objects", "milvus"):
        assert SERVICES[name]["network_mode"] == "service:milvus-pod"
        assert "networks" not in SERVICES[name]
    listening = [each for each in SERVICES["etcd"]["command"] if "listen" in each]
    assert len(listening) == 2
    assert all("=http://127.0.0.1:" in each for each in listening)
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1"} <= set(SERVICES["objects"]["command"])
    assert SERVICES["milvus-pod"]["command"] == ["sleep", "infinity"], "what holds the network does nothing else"


def test_whoever_is_asked_asks_for_a_password() -> None:
    assert SERVICES["milvus"]["environment"]["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"
    assert "--auth-host=scram-sha-256" in SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert "POSTGRES_HOST_AUTH_METHOD" not in SERVICES["postgres"]["environment"]
    for name in ("ray-head", "ray-worker", "reindex"):
        assert SERVICES[name]["environment"]["RAY_AUTH_MODE"] == "token"
    assert "--include-dashboard=false" in SERVICES["ray-head"]["command"]
    milvus = yaml.safe_load((CLUSTER / "helm" / "milvus.yaml").read_text(encoding="utf-8"))
    assert yaml.safe_load(milvus["extraConfigFiles"]["user.yaml"])["common"]["security"]["authorizationEnabled"] is True
    for mapping in walk(named("RayCluster", "bulk")):
        if "containers" in mapping:
            assert {"name": "RAY_AUTH_MODE", "value": "token"} in mapping["containers"][0]["env"]


def test_every_part_of_milvus_gets_its_secrets_from_the_secret() -> None:
    milvus = yaml.safe_load((CLUSTER / "helm" / "milvus.yaml").read_text(encoding="utf-8"))
    for part in ("mixCoordinator", "proxy", "streamingNode", "dataNode", "queryNode"):
        assert [each["name"] for each in milvus[part]["extraEnv"]] == [
            "COMMON_SECURITY_DEFAULTROOTPASSWORD",
            "MINIO_ACCESS_KEY_ID",
            "MINIO_SECRET_ACCESS_KEY",
        ]
        assert all("secretKeyRef" in each["valueFrom"] for each in milvus[part]["extraEnv"])
    assert not {"accessKey", "secretKey"} & set(milvus["externalS3"])


def test_everything_is_refused_that_no_policy_allows() -> None:
    closed = named("NetworkPolicy", "nobody")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for service in of_kind("Service"):
        assert service["spec"]["type"] == "ClusterIP"
    for policy in of_kind("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", ()):
            assert rule.get("from"), "from anybody"


# Secrets


def test_no_file_has_a_password_in_it() -> None:
    for file in TEXTS:
        text = file.read_text(encoding="utf-8")
        assert [each for each in KNOWN_PASSWORDS if each in text] == [], file.name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|ACCESS_KEY", name):
                assert str(value).startswith("/run/secrets/"), name
    assert of_kind("Secret") == []


def test_every_secret_is_a_file_that_the_script_makes_or_a_certificate(tmp_path: Path) -> None:
    subprocess.run([CLUSTER / "make-secrets", tmp_path], check=True)
    made = {file.name for file in (tmp_path / "secrets").iterdir()}
    assert set(COMPOSE["secrets"]) - made == {"tls_certificate", "tls_key"}
    assert made - set(COMPOSE["secrets"]) == set()
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        given = {Path(each.partition("=")[2]).name for each in service.get("entrypoint", ()) if "/run/secrets/" in each}
        assert given <= set(service.get("secrets", ()))


def test_secrets_are_drawn_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    def made() -> dict[str, str]:
        subprocess.run([CLUSTER / "make-secrets", tmp_path], check=True)
        return {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "secrets").iterdir()}

    first = made()
    assert made() == first
    assert len(set(first.values())) == len(first)
    assert first["milvus_token"] == f"root:{first['milvus_root_password']}"
    (identity,) = json.loads(first["s3.json"])["identities"]
    assert identity["credentials"] == [{"accessKey": first["s3_access_key"], "secretKey": first["s3_secret_key"]}]
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o444}
    assert "secrets/" in (CLUSTER / ".gitignore").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("held", [None, "", "\n", "minioadmin", "root:Milvus", "a" * 20 + "\n" + "b" * 20])
def test_nothing_starts_with_a_password_that_is_missing_empty_or_known(tmp_path: Path, held: str | None) -> None:
    if held is not None:
        (tmp_path / "secret").write_text(held, encoding="utf-8")
    command = ["/bin/sh", CLUSTER / "with-secrets", f"TOKEN={tmp_path}/secret", "--", "touch", tmp_path / "started"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 78
    assert told.stderr.startswith("with-secrets: TOKEN: ")
    assert not held or held.strip() not in told.stderr or not held.strip(), "what it was is not written out"
    assert not (tmp_path / "started").exists()


def test_a_program_is_started_with_what_stands_in_its_files(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("with = and $(signs) of all kinds\n", encoding="utf-8")
    (tmp_path / "two").write_text("a second one, as long", encoding="utf-8")
    script = "import os; print(os.environ['ONE'], os.environ['TWO'], sep='|')"
    command = ["/bin/sh", CLUSTER / "with-secrets", f"ONE={tmp_path}/one", f"TWO={tmp_path}/two", "--"]
    told = subprocess.run([*command, sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "with = and $(signs) of all kinds|a second one, as long\n"


def test_the_archive_has_a_user_who_owns_one_database_and_is_no_superuser(postgres: Server, tmp_path: Path) -> None:
    """The server of the tests has a superuser of that name, so another is made here."""
    script = (CLUSTER / "postgres-init.sh").read_text(encoding="utf-8")
    script = script.replace("backfile", "newsroom").replace("DATABASE archive", "DATABASE news")
    script = script.replace("/run/secrets", str(tmp_path))
    given = {
        "PATH": os.environ["PATH"],
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "POSTGRES_USER": "backfile",
    }
    assert subprocess.run(["/bin/sh", "-c", script], capture_output=True, env=given, check=False).returncode == 78
    (tmp_path / "postgres_password").write_text('it\'s a "long" one; $(no) `trick`', encoding="utf-8")
    subprocess.run(["/bin/sh", "-c", script], check=True, capture_output=True, env=given)
    with psycopg.connect(postgres.url("news")) as connection:
        (is_super,) = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'newsroom'").fetchone() or ()
        assert is_super is False
        found = connection.execute(
            "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding),"
            " has_database_privilege('public', oid, 'CONNECT') FROM pg_database WHERE datname = 'news'"
        ).fetchone()
        assert found == ("newsroom", "UTF8", False)
        (kept,) = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'newsroom'").fetchone() or ()
        assert str(kept).startswith("SCRAM-SHA-256$")


# How it is held


def test_every_service_is_shut_in_bounded_and_started_again() -> None:
    writable = {name for name, service in SERVICES.items() if not service.get("read_only")}
    assert writable == {"milvus"}, "Milvus writes into its own folders"
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert service["mem_limit"], name
        assert service["cpus"], name
        assert service["restart"] == ("no" if name in ("ingest", "reindex") else "unless-stopped"), name


def test_every_server_is_asked_how_it_does() -> None:
    ours = {"web1", "web2"}  # by the image
    for name, service in SERVICES.items():
        check = service.get("healthcheck")
        if name in ours:
            assert check is None
        elif check != {"disable": True}:
            assert check["test"][0] == "CMD", name
    for service in SERVICES.values():
        for waited_for in service.get("depends_on", {}):
            assert SERVICES[waited_for].get("healthcheck") != {"disable": True}


def test_volumes_networks_and_configurations_are_those_that_are_declared() -> None:
    for service in SERVICES.values():
        volumes = {each.partition(":")[0] for each in service.get("volumes", ())}
        assert {each for each in volumes if not each.startswith("./")} <= set(COMPOSE["volumes"])
        assert set(service.get("networks", ())) <= set(COMPOSE["networks"])
        assert {each["source"] for each in service.get("configs", ())} <= set(COMPOSE["configs"])
    for name, config in COMPOSE["configs"].items():
        assert name == "site" or (CLUSTER / config["file"]).exists()


def test_each_pod_is_nobody_special() -> None:
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= set(container["resources"]["limits"]), name
            if not name.startswith("bulk"):
                assert container["securityContext"]["readOnlyRootFilesystem"] is True, name


def test_servers_are_asked_at_the_addresses_that_there_are_and_stand_on_two_machines() -> None:
    app = Flask("bare")
    health.register(app)
    known = {rule.rule for rule in app.url_map.iter_rules()}
    deployment = named("Deployment", "web")["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    asked = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
    assert asked == {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert set(asked.values()) <= known
    assert deployment["replicas"] >= 2
    labels = deployment["template"]["metadata"]["labels"]
    (rule,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    budget = named("PodDisruptionBudget", "web")["spec"]
    service = named("Service", "web")["spec"]
    for selected in (rule["labelSelector"]["matchLabels"], budget["selector"]["matchLabels"], service["selector"],
                     deployment["selector"]["matchLabels"]):  # fmt: skip
        assert selected == labels
    assert budget["minAvailable"] < deployment["replicas"]


def test_commands_are_run_where_the_passwords_are() -> None:
    """What `docker compose exec` starts has the container's environment, and not that of its first process."""
    readme = (CLUSTER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"compose exec \S+ flask", readme) == []
    (given,) = re.findall(r"^ +docker compose run --rm ingest (flask .+)$", readme, flags=re.M)
    command_of(given.split())


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not here to put the manifests together")
def test_the_manifests_go_together() -> None:
    """No cluster is asked: this part of kubectl only reads files."""
    told = subprocess.run(
        [str(KUBECTL), "kustomize", CLUSTER / "kubernetes"],
        capture_output=True,
        text=True,
        check=False,
        env={"KUBECONFIG": "/dev/null", "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
    )
    assert told.returncode == 0, told.stderr
    together = list(yaml.safe_load_all(told.stdout))
    assert len(together) == len(OBJECTS)
    assert {each["metadata"].get("namespace", "backfile") for each in together} == {"backfile"}
    assert "image: backfile\n" not in told.stdout, "each has its version by now"


# nginx


class Host(BaseHTTPRequestHandler):
    """A web host that tells its name."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hosts() -> Iterator[list[ThreadingHTTPServer]]:
    made = [ThreadingHTTPServer(("127.0.0.1", 0), Host) for _ in range(2)]
    for each in made:
        each.asked = []  # type: ignore[attr-defined]
        Thread(target=each.serve_forever, daemon=True).start()
    yield made
    for each in made:
        each.shutdown()
        each.server_close()


def site(*servers: str, name: str = "archive.example.org") -> str:
    told = subprocess.run([CLUSTER / "make-site", name, *servers], capture_output=True, text=True, check=True)
    return told.stdout


def test_the_site_is_that_of_one_machine_with_other_places() -> None:
    written = site("web1:8000", "web2:8000", name="news.example.net")
    assert re.findall(r"^    server (\S+)", written, flags=re.M) == ["web1:8000", "web2:8000"]
    assert set(re.findall(r"server_name (\S+);", written)) == {"news.example.net"}
    assert re.findall(r"listen (.+);", written) == ["8080", "8443 ssl http2"]
    assert not re.search(r"127\.0\.0\.1:8000|/etc/ssl|/var/|\[::\]|archive\.example\.org", written)
    assert "/run/secrets/tls_certificate" in written
    assert "/run/secrets/tls_key" in written
    refused = subprocess.run([CLUSTER / "make-site", "a;b", "web1:8000"], capture_output=True, check=False)
    assert (refused.returncode, refused.stdout) == (2, b"")


@pytest.mark.skipif(NGINX is None, reason="nginx is not here to read its configuration")
def test_nginx_asks_both_hosts_and_goes_on_with_one(tmp_path: Path, hosts: list[ThreadingHTTPServer]) -> None:
    plain, tls = free_ports()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=archive.example.org", "-keyout", str(tmp_path / "tls_key"),
         "-out", str(tmp_path / "tls_certificate")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    written = site(*(f"127.0.0.1:{each.server_port}" for each in hosts))
    for there, here in (
        ("listen 8080;", f"listen 127.0.0.1:{plain};"),
        ("listen 8443 ", f"listen 127.0.0.1:{tls} "),
        ("/run/secrets", str(tmp_path)),
        ("/dev/stdout", str(tmp_path / "access.log")),
        ("/tmp/backfile", str(tmp_path / "static")),
    ):
        assert there in written
        written = written.replace(there, here)
    places = " ".join(f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; events {{}} http {{ {places}\n{written}\n}}",
        encoding="utf-8",
    )
    command = [NGINX, "-p", str(tmp_path), "-c", "nginx.conf", "-e", str(tmp_path / "error.log")]
    with subprocess.Popen([str(each) for each in command]) as process:
        try:
            wait_for(tls)
            proxy = Proxy(tmp_path, plain, tls, [])
            assert {proxy.ask(f"/search?q={number}").status for number in range(8)} == {200}
            assert all(len(each.asked) >= 2 for each in hosts)  # type: ignore[attr-defined]
            hosts[0].shutdown()
            hosts[0].server_close()
            assert {proxy.ask(f"/search?q={number}").status for number in range(8)} == {200}
        finally:
            process.terminate()


# The plan


def test_the_page_on_scaling_has_the_tables_that_the_plan_works_out() -> None:
    told = subprocess.run([sys.executable, CLUSTER / "plan.py"], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    first, second = told.strip().split("\n\n")
    assert first in page
    assert second in page


def test_the_plan_takes_any_number() -> None:
    command = [sys.executable, CLUSTER / "plan.py", "250000", "3000000000"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "| articles | 100,000 | 1,200 million |" in told
