"""Whether readers are served while others do their worst, and whether a server that is asked much grows.

    python -m benchmarks.hostile_load DATA [--hostile 100] [--ordinary 5] [--seconds 60]
    python -m benchmarks.hostile_load DATA --requests 100000

DATA is a data folder that `flask ingest` made. A server is started over it as operations do, with its limits as they
are by default. Each client has an address of its own, as behind a proxy. Hostile ones send the attacks of
`benchmarks/attacks.py` as fast as they are answered, stop in the middle of a request, or do not read what they asked
for; ordinary ones search, look at a page and wait a second. Told is how long ordinary requests took, how everybody was
answered, and that the worker is the one that was there to begin with.

With `--requests` so many ordinary and hostile requests are sent, by a client that is not limited, and the server's
memory is told after the first tenth and at the end.

`tests/test_hostile_load.py` does the same in a few seconds.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from pathlib import Path

from benchmarks.attacks import COMMON, Attack, attacks

ROOT = Path(__file__).resolve().parent.parent
START = 120.0  # seconds until a server that does not answer is given up
THINKING = 1.0  # seconds between two requests of an ordinary reader
MOST_P95 = 1.0  # seconds
MOST_GROWTH = 0.1  # of the memory after the first tenth
TIMEOUT = 30.0  # seconds


@dataclass(slots=True)
class Told:
    """How requests were answered, and how long ordinary ones took."""

    seconds: list[float] = field(default_factory=list)
    ordinary: Counter[int] = field(default_factory=Counter)
    hostile: Counter[int] = field(default_factory=Counter)

    def quantile(self, share: float) -> float:
        """Return the time that this share of the ordinary requests took at most."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


@dataclass(frozen=True, slots=True)
class Site:
    """A server, and the process that works."""

    host: str
    port: int
    arbiter: int

    @property
    def worker(self) -> int:
        """The process that answers."""
        children = Path(f"/proc/{self.arbiter}/task/{self.arbiter}/children").read_text().split()
        return int(children[0])

    def memory(self) -> int:
        """Return how much memory it takes, in bytes."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.worker}/status").read_text())
        return int(found[1]) * 1024 if found else 0

    def ask(self, attack: Attack, *, by: str, connection: HTTPConnection | None = None) -> int:
        """Send a request and read the answer; return its status, 0 where there was none."""
        opened = connection or HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        try:
            headers = {"X-Forwarded-For": by, **attack.headers}
            if attack.body is None:
                opened.request("GET", attack.address, headers=headers)
            else:
                content = json.dumps(attack.body)
                opened.request(
                    "POST", attack.path, body=content, headers=headers | {"Content-Type": "application/json"}
                )
            answer = opened.getresponse()
            answer.read()
            return answer.status
        except (OSError, HTTPException):
            opened.close()
            return 0
        finally:
            if connection is None:
                opened.close()


@contextmanager
def serving(data: Path, *, application: str = "wsgi:app", **settings: str) -> Iterator[Site]:
    """Serve an archive as operations do, behind a proxy that is us."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = {f"BACKFILE_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, "--config", str(ROOT / "gunicorn.conf.py"), "--bind",
         f"127.0.0.1:{port}"],
        env={**os.environ, "BACKFILE_DATA": str(data), "BACKFILE_PROXY_HOPS": "1", **named},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    site = Site("127.0.0.1", port, process.pid)
    try:
        deadline = time.monotonic() + START
        while site.ask(Attack("up", "/readyz"), by="127.0.0.1") != 200:
            if time.monotonic() > deadline:
                raise TimeoutError("the server does not answer")
            time.sleep(0.2)
        yield site
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def beside(site: Site, *, hostile: int, ordinary: int, seconds: float, pause: float = THINKING) -> Told:
    """Have so many clients of either kind ask for so long, and tell what came of it.

    The hostile ones are a process of their own: in one with them a reader would wait for its own interpreter too.
    """
    told, lock = Told(), threading.Lock()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        attacked = apart.submit(attack_from_here, site, hostile=hostile, seconds=seconds)
        until = time.monotonic() + seconds
        together(lambda number: _read(site, number, told, lock, until=until, pause=pause), ordinary)
        told.hostile = attacked.result()
    return told


def together(work: Callable[[int], None], count: int) -> None:
    """Do this in so many threads, and wait for them."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _read(site: Site, number: int, told: Told, lock: threading.Lock, *, until: float, pause: float) -> None:
    chance, by = random.Random(number), f"198.51.100.{number + 1}"
    connection = HTTPConnection(site.host, site.port, timeout=TIMEOUT)
    time.sleep(chance.random() * pause)
    while time.monotonic() < until:
        path, name = chance.choice([("/api/search", "q"), ("/search", "q"), ("/api/suggest", "q")])
        wanted = Attack("reader", path, [(name, " ".join(chance.sample(COMMON, 2)))])
        began = time.monotonic()
        status = site.ask(wanted, by=by, connection=connection)
        with lock:
            told.seconds.append(time.monotonic() - began)
            told.ordinary[status] += 1
        time.sleep(pause)
    connection.close()


def attack_from_here(site: Site, *, hostile: int, seconds: float) -> Counter[int]:
    """Be so many hostile clients for so long, and return how they were answered."""
    answered, lock = Counter[int](), threading.Lock()
    until = time.monotonic() + seconds
    known = [attack for attack in attacks(an_article(site)) if len(attack.address) < 8_000]
    ways = [_ask_everything, _ask_everything, _ask_everything, _stop_half_way, _never_read]

    def count(status: int) -> None:
        with lock:
            answered[status] += 1

    def attacker(number: int) -> None:
        chance, by = random.Random(number), f"203.0.113.{number + 1}"
        with contextlib.suppress(OSError):
            ways[number % len(ways)](site, by, chance.sample(known, len(known)), until, count)

    together(attacker, hostile)
    return answered


def _ask_everything(site: Site, by: str, known: Sequence[Attack], until: float, count: Callable[[int], None]) -> None:
    connection = HTTPConnection(site.host, site.port, timeout=TIMEOUT)
    for attack in itertools.cycle(known):
        if time.monotonic() >= until:
            break
        count(site.ask(attack, by=by, connection=connection))
    connection.close()


def _stop_half_way(site: Site, by: str, known: Sequence[Attack], until: float, count: Callable[[int], None]) -> None:  # noqa: ARG001
    """Send most of a request, and the next one when the connection is closed."""
    while time.monotonic() < until:
        with socket.create_connection((site.host, site.port), timeout=1) as held:
            held.sendall(f"POST /api/related HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {by}\r\nContent-Le".encode())
            while time.monotonic() < until:
                try:
                    if not held.recv(1):
                        break
                except TimeoutError:
                    continue
        count(0)


def _never_read(site: Site, by: str, known: Sequence[Attack], until: float, count: Callable[[int], None]) -> None:  # noqa: ARG001
    """Ask for much and read nothing of it."""
    while time.monotonic() < until:
        with socket.create_connection((site.host, site.port), timeout=1) as held:
            head = f"Host: a\r\nX-Forwarded-For: {by}\r\n\r\n"
            held.sendall(f"GET /search.jsonl?q=-zzzz&body=1 HTTP/1.1\r\n{head}".encode())
            time.sleep(min(5.0, max(0.0, until - time.monotonic())))
        count(0)


def an_article(site: Site) -> str:
    """Return the id of an article that is there."""
    connection = HTTPConnection(site.host, site.port, timeout=TIMEOUT)
    connection.request("GET", "/api/search?page_size=1", headers={"X-Forwarded-For": "127.0.0.1"})
    found = json.loads(connection.getresponse().read())
    connection.close()
    return str(found["results"][0]["id"])


def growth(site: Site, *, requests: int, clients: int = 8) -> tuple[int, int, Counter[int]]:
    """Send so many requests; return the memory after the first tenth, at the end, and how they were answered."""
    known = [attack for attack in attacks(an_article(site)) if len(attack.address) < 8_000]
    light = [attack for attack in known if not attack.name.startswith(("export", "a draft"))]
    chance, told, lock = random.Random(5), Counter[int](), threading.Lock()
    left = iter(range(requests))
    after_warm_up = 0

    def client(_: int) -> None:
        nonlocal after_warm_up
        connection = HTTPConnection(site.host, site.port, timeout=TIMEOUT)
        while True:
            with lock:
                number = next(left, None)
                if number is None:
                    break
                plain = Attack("plain", "/api/search", [("q", " ".join(chance.sample(COMMON, 2)) + f" {number}")])
                attack = chance.choice(light) if number % 10 == 0 else plain
                if number == requests // 10:
                    after_warm_up = site.memory()
            status = site.ask(attack, by="127.0.0.1", connection=connection)
            with lock:
                told[status] += 1
        connection.close()

    together(client, clients)
    return after_warm_up, site.memory(), told


def main() -> int:
    """Read the command line, do it, and say whether it went as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--hostile", type=int, default=100)
    parser.add_argument("--ordinary", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--requests", type=int, default=0)
    asked = parser.parse_args()
    with serving(asked.data) as site:
        worker = site.worker
        if asked.requests:
            before, after, told = growth(site, requests=asked.requests)
            grown = (after - before) / before
            print(f"{before / 1e6:.0f} MB after the first tenth, {after / 1e6:.0f} MB at the end: {grown:+.1%}; {told}")
            is_well = grown <= MOST_GROWTH
        else:
            result = beside(site, hostile=asked.hostile, ordinary=asked.ordinary, seconds=asked.seconds)
            quantiles = [result.quantile(share) for share in (0.5, 0.95, 1.0)]
            print("ordinary: {} requests, p50 {:.3f} s, p95 {:.3f} s, slowest {:.3f} s".format(
                len(result.seconds), *quantiles))  # fmt: skip
            print(f"  answered {dict(result.ordinary)}; hostile {dict(result.hostile)}")
            is_well = quantiles[1] <= MOST_P95 and set(result.ordinary) == {200}
        is_same = site.worker == worker
        print("the worker is the same" if is_same else "the worker died")
    return 0 if is_well and is_same else 1


if __name__ == "__main__":
    sys.exit(main())
