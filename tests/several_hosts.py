"""Several web hosts, one database and one index, each in a network of its own, and cables that can be pulled.

    net    a switch; readers ask from here, each from an address of its own
    db     PostgreSQL
    index  Milvus
    a, b   gunicorn with our configuration, over a data folder of its own

Each is a network namespace of Linux with one interface. A process is started in one by whoever is in it (`inside`), and
so is a socket opened.
"""

import ctypes
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import Result
from milvus import MilvusServer
from milvus import running as running_milvus
from newsroom import MeaningEmbedder
from postgres import Server, running
from processes import PATIENCE, ROOT, Newsroom

from web import create_app
from web.services import Services
from web.settings import Settings

CLONE_NEWNET = 0x40000000
DATABASE, INDEX, FIRST_HOST, FIRST_READER = 1, 2, 11, 101
MOST_READERS = 40
PORT = 8000
SWITCH = "02:00:00:00:00:01"  # else it goes by its cables, and is another one to all when one is pulled
READING = 15.0  # seconds after which a reader has gone away
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def address(number: int) -> str:
    return f"10.77.0.{number}"


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Have this thread, and what it starts, in another network."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(there)
        os.close(home)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def why_there_are_no_networks() -> str | None:
    """Return why no networks can be made here, None where they can."""
    reason = "no networks can be made here: it takes root and iproute2"
    if not shutil.which("ip") or os.geteuid() != 0:
        return reason
    name = f"backfile-{os.getpid()}-try"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
    except subprocess.CalledProcessError as error:
        return f"{reason}: {error.stderr.strip()}"
    return None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 whatever was answered
        return json.loads(self.text)


class Cable:
    """What connects a namespace to the switch."""

    def __init__(self, net: str, namespace: str, number: int) -> None:
        """Plug it in."""
        self._net, self._end = net, f"to-{number}"
        self.namespace = namespace
        ip("netns", "add", namespace)
        ip("-n", net, "link", "add", self._end, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        ip("-n", net, "link", "set", self._end, "master", "switch", "up")
        ip("-n", namespace, "addr", "add", f"{address(number)}/24", "dev", "eth0")
        for name in ("lo", "eth0"):
            ip("-n", namespace, "link", "set", name, "up")

    def pull(self) -> None:
        """Let nothing through any more; nobody is told."""
        ip("-n", self._net, "link", "set", self._end, "nomaster")

    def plug_in(self) -> None:
        """Let everything through again."""
        ip("-n", self._net, "link", "set", self._end, "master", "switch")


@dataclass
class Host(Newsroom):
    """A web host; `settings` are what its configuration says, beside where its data lie."""

    net: str
    cable: Cable
    number: int
    settings: Mapping[str, str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    def environment(self, *, pause: float = 0.0, most: int | None = None) -> dict[str, str]:
        named = {f"BACKFILE_{name.upper()}": value for name, value in self.settings.items()}
        return super().environment(pause=pause, most=most) | named

    def start(self) -> None:
        """Serve; index and model are opened in the background."""
        gunicorn = str(Path(sys.executable).with_name("gunicorn"))
        command = [gunicorn, "newsroom_wsgi:app", "--config", str(ROOT / "gunicorn.conf.py")]
        with self.server_log.open("ab") as log, inside(self.cable.namespace):
            self._process = subprocess.Popen(
                [*command, "--bind", f"{address(self.number)}:{PORT}"],
                env=self.environment(),
                cwd=self.folder,
                stderr=log,
                start_new_session=True,
            )

    @contextmanager
    def services(self) -> Iterator[Services]:
        """Be a process of this host; its threads begin in its network, so it is to be left where it was entered."""
        with inside(self.cable.namespace):
            settings = Settings(data=self.data, **self.settings)  # type: ignore[arg-type]  # read as a variable's text
            services = Services(settings, embedder=MeaningEmbedder())
            try:
                yield services
            finally:
                services.close()

    def flask(self, *arguments: str) -> Result:
        """Run a command on this host."""
        with self.services() as services:
            return create_app(services=services).test_cli_runner().invoke(args=arguments)

    @property
    def server_log(self) -> Path:
        return self.folder / "server.log"

    def wait_until_ready(self, seconds: float = PATIENCE) -> float:
        """Return how long it took until searches were answered."""
        began = time.monotonic()
        while not self.is_ready():
            assert time.monotonic() - began < seconds, self.server_log.read_text()
            time.sleep(0.05)
        return time.monotonic() - began

    def is_ready(self) -> bool:
        try:
            return self.ask("/readyz").status == 200
        except OSError:
            return False

    def stop(self) -> None:
        """End it, with its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def ask(
        self, path: str, *, reader: int = 0, method: str = "GET", patience: float = READING, **headers: str
    ) -> Answer:
        """Ask from the address of a reader. Raises OSError where nobody answers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(address(self.number), PORT)
        with inside(self.net):
            connection.sock = socket.create_connection(
                (address(self.number), PORT), timeout=patience, source_address=(address(FIRST_READER + reader), 0)
            )
        try:
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        return Answer(answer.status, answer.headers, text)


@dataclass
class Site:
    """Two web hosts, and the database and the index that both have."""

    a: Host
    b: Host
    database: Server
    cable: Cable  # the database's
    index: MilvusServer
    index_cable: Cable

    @property
    def hosts(self) -> tuple[Host, Host]:
        return self.a, self.b

    def restart(self, mode: str) -> float:
        """Stop the database and start it again; return how many seconds that took."""
        began = time.monotonic()
        with inside(self.cable.namespace):
            self.database.stop(mode)
            self.database.start()
        return time.monotonic() - began

    def restart_index(self, *, seconds: float) -> None:
        """Kill the index and start it again, so many seconds later."""
        self.index.kill()
        time.sleep(seconds)
        with inside(self.index_cable.namespace):
            self.index.start()


@contextmanager
def several_hosts(folder: Path, **settings: str) -> Iterator[Site]:
    """Serve an archive by two hosts, which both have these settings."""
    name = f"backfile-{os.getpid()}-{next(_numbers)}"
    with ExitStack() as left:
        net = f"{name}-net"
        left.callback(_remove, name)
        ip("netns", "add", net)
        ip("-n", net, "link", "add", "switch", "address", SWITCH, "type", "bridge")
        for number in range(FIRST_READER, FIRST_READER + MOST_READERS):
            ip("-n", net, "addr", "add", f"{address(number)}/24", "dev", "switch")
        ip("-n", net, "link", "set", "switch", "up")
        cable = Cable(net, f"{name}-db", DATABASE)
        database = left.enter_context(_database(cable))
        with inside(cable.namespace):
            url = database.new()
        index_cable = Cable(net, f"{name}-index", INDEX)
        index = left.enter_context(_index(index_cable))
        shared = {"archive": url, "milvus": index.url, **settings}
        hosts = []
        for place, letter in enumerate("ab"):
            number = FIRST_HOST + place
            host = Host(folder / letter, net, Cable(net, f"{name}-{letter}", number), number, shared)
            host.data.mkdir(parents=True)
            left.callback(host.stop)
            hosts.append(host)
        yield Site(*hosts, database, cable, index, index_cable)


@contextmanager
def _index(cable: Cable) -> Iterator[MilvusServer]:
    with ExitStack() as left:
        with inside(cable.namespace):
            server = left.enter_context(running_milvus(address=address(INDEX)))
        yield server


@contextmanager
def _database(cable: Cable) -> Iterator[Server]:
    with ExitStack() as left:
        with inside(cable.namespace):
            server = left.enter_context(running(address=address(DATABASE)))
        yield server


def _remove(name: str) -> None:
    """Remove the namespaces of this name, and all cables with them."""
    listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        if line.startswith(f"{name}-"):
            ip("netns", "del", line.split()[0])


@dataclass
class Load:
    """What came of asking all the time."""

    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)  # answers of 500 and above, and none at all
    slowest: float = 0.0
    last_failure: float = 0.0  # on the monotonic clock


@contextmanager
def asking(hosts: tuple[Host, ...], paths: list[str], *, readers: int = 4, pause: float = 0.12) -> Iterator[Load]:
    """Have so many readers ask each host, one path after the other, as long as this lasts."""
    load, ended, lock = Load(), threading.Event(), threading.Lock()

    def read(host: Host, reader: int) -> None:
        for path in itertools.cycle(paths[reader % len(paths) :] + paths[: reader % len(paths)]):
            if ended.wait(pause):
                return
            _count(load, lock, lambda path=path: host.ask(path, reader=reader))

    with ThreadPoolExecutor(len(hosts) * readers) as threads:
        jobs = [
            threads.submit(read, host, 1 + place * readers + number)
            for place, host in enumerate(hosts)
            for number in range(readers)
        ]
        try:
            yield load
        finally:
            ended.set()
        for job in jobs:
            job.result(PATIENCE)


def _count(load: Load, lock: threading.Lock, ask: Callable[[], Answer]) -> None:
    began = time.monotonic()
    try:
        answer = ask()
    except OSError as error:
        said, status = f"{type(error).__name__}: {error}", 0
    else:
        status = answer.status
        kind, again = answer.headers.get("Content-Type"), answer.headers.get("Retry-After")
        said = f"{status} {kind} Retry-After: {again}" if status >= 500 else ""
    ended = time.monotonic()
    with lock:
        load.answers[status] += 1
        load.slowest = max(load.slowest, ended - began)
        if said:
            load.failures.append(said)
            load.last_failure = ended
