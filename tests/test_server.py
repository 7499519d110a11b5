"""The server as it is run: gunicorn with its configuration, over a newsroom whose embedder can be held."""

import io
import json
import logging
import os
import re
import runpy
import selectors
import signal
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from gunicorn.config import Config
from gunicorn.workers import gthread
from processes import PATIENCE, ROOT, Newsroom, listening, server, wait_until

from web.app import MAX_BODY
from web.crew import AT_WORK, WAITING, Overloaded
from web.services import MOST_EXPORTS

CONFIGURATION = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
THREADS = CONFIGURATION["threads"]
BEYOND = 6  # more clients than there are threads


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


def ask(address: str, path: str, **headers: str) -> Answer:
    request = Request(address + path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode())


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Newsroom:
    room = Newsroom(tmp_path_factory.mktemp("room"))
    room.write("first.jsonl", range(20))
    room.ingest()
    return room


@pytest.fixture
def address(room: Newsroom) -> Iterator[str]:
    with server(room) as (address, _):
        yield address
    room.hold.unlink(missing_ok=True)


def test_whoever_comes_while_all_are_busy_waits_and_monitors_and_files_do_not(room: Newsroom) -> None:
    clients = THREADS + BEYOND
    with server(room) as (address, process), ThreadPoolExecutor(clients) as pool:
        wait_until(lambda: ask(address, "/readyz").status == 200, process)
        room.hold.touch()
        jobs = [pool.submit(ask, address, f"/api/search?q=report+{number}") for number in range(clients)]
        wait_until(lambda: waiting(address) == clients - AT_WORK, process)
        for path in ("/healthz", "/readyz", "/static/backfile.css"):
            assert ask(address, path).status == 200
        assert not any(job.done() for job in jobs), "all the others wait"
        room.hold.unlink()
        assert {job.result(PATIENCE).status for job in jobs} == {200}
        assert ask(address, "/api/search?q=report+0").status == 200


def waiting(address: str) -> float:
    """Return how many requests wait, for a thread or for the crew."""
    found = re.search(r"^backfile_crew_requests_waiting (\S+)$", ask(address, "/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_sixteen_clients_at_once_are_all_answered(address: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: ask(address, f"/api/search?q=report+{number % 20}"), range(160)))
    assert {answer.status for answer in answers} == {200}


def test_nobody_is_believed_who_says_by_which_way_they_came(address: str) -> None:
    forged = {"X_Forwarded_Proto": "https", "X_Forwarded_Ssl": "on", "X_Forwarded_Host": "evil.example"}
    told = ask(address, "/opensearch.xml", **forged)
    assert address in told.text
    assert "https://127.0.0.1" not in told.text
    assert "evil.example" not in told.text


def test_there_are_threads_for_all_who_work_and_for_all_exports_and_no_more_than_the_crew_has_room_for() -> None:
    assert AT_WORK + MOST_EXPORTS + 8 <= THREADS <= AT_WORK + WAITING
    assert CONFIGURATION["preload_app"] is False
    assert CONFIGURATION["MAX_BODY"] == MAX_BODY, "what the program would refuse is not read"


@pytest.mark.parametrize(
    ("hops", "named", "who"),
    [
        (0, "203.0.113.9", "local:5"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (3, "203.0.113.9, 198.51.100.7", "local:5"),
        (1, "2001:db8::7", "2001:db8::/64"),
        (1, "nobody", "local"),
    ],
)
def test_whose_turn_it_is_for_a_thread_goes_by_what_our_proxies_say(hops: int, named: str, who: str) -> None:
    connection = arrived(f"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {named}\r\n\r\n")
    assert connection.who(hops).removesuffix(":5") == who.removesuffix(":5")


@pytest.mark.parametrize(
    ("line", "is_quick"),
    [
        ("GET /healthz HTTP/1.1", True),
        ("HEAD /static/backfile.css?v=1 HTTP/1.1", True),
        ("GET /metrics", True),
        ("POST /healthz HTTP/1.1", False),
        ("GET /search?q=/static/ HTTP/1.1", False),
        ("GET /healthz/more HTTP/1.1", False),
        ("", False),
    ],
)
def test_monitors_and_files_are_told_by_the_first_line(line: str, is_quick: bool) -> None:
    assert arrived(f"{line}\r\n\r\n").is_quick() == is_quick


def arrived(sent: str) -> Any:  # noqa: ANN401 a class of a file that is no module
    """Return a connection from this machine of which so much has arrived."""
    kind = CONFIGURATION["Connection"]
    connection = kind.__new__(kind)
    connection.client, connection.there = ("127.0.0.1", 5), sent.encode("latin-1")
    return connection


FIRST, NEXT = "GET /api/stats HTTP/1.1\r\n\r\n", "GET /api/search?q=more HTTP/1.1\r\n\r\n"
BY_PROXY = "GET / HTTP/1.1\r\nX-Forwarded-For: {}\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "answered", "told"),
    [
        ((FIRST, NEXT), 2, True),  # then it has nothing more to ask, and waits at the selector
        ((FIRST, NEXT, NEXT), 3, True),
        ((FIRST, NEXT[:20]), 1, CONFIGURATION["NOT_YET"]),
        ((FIRST, "GET /healthz HTTP/1.1\r\n\r\n"), 1, True),  # other threads are for that
        ((FIRST, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 1, True),  # it is refused as any other
        ((BY_PROXY.format("203.0.113.9"), BY_PROXY.format("203.0.113.9")), 2, True),
        ((BY_PROXY.format("203.0.113.9"), BY_PROXY.format("198.51.100.7")), 1, True),  # it is somebody else's turn
        ((FIRST,), 1, True),
    ],
)
def test_what_a_client_asks_at_once_after_an_answer_is_answered_by_the_same_thread(
    sent: tuple[str, ...], answered: int, told: object
) -> None:
    hops = int(sent[0] != FIRST)
    with at_work(hops=hops) as (worker, connection, client):
        client.sendall(sent[0].encode())
        assert connection.arrived() == (CONFIGURATION["WHOLE"], None)
        worker.asked = list(reversed(sent[1:]))
        assert worker.handle(connection, 0.0, worker.turn(connection)) == told
        assert worker.answered == answered


@pytest.mark.parametrize(
    "state",
    [
        "others wait for a thread",
        "others wait for the crew",
        "the worker is to stop",
        "the client is to go",
        "nothing has come",
        "a monitor",
    ],
)
def test_no_thread_waits_for_the_next_question_where(state: str) -> None:
    with at_work() as (worker, connection, client):
        asked = "GET /healthz HTTP/1.1\r\n\r\n" if state == "a monitor" else FIRST
        client.sendall(asked.encode())
        connection.arrived()
        worker.asked = [asked]
        worker.tpool.waiting = int(state == "others wait for a thread")
        worker.crew.waiting = int(state == "others wait for the crew")
        worker.alive = state != "the worker is to stop"
        worker.again = {"the client is to go": False, "nothing has come": gthread._DEFER}.get(state, True)
        connection.parser = None if state == "nothing has come" else connection.parser
        assert worker.handle(connection, 0.0, worker.turn(connection)) is worker.again
        assert worker.answered == 1


def test_who_begins_to_wait_meanwhile_is_before_whoever_asks_again() -> None:
    with at_work() as (worker, connection, client):
        client.sendall(FIRST.encode())
        connection.arrived()
        worker.asked = [NEXT]
        looked = connection.speaks_within

        def somebody_comes(milliseconds: int) -> bool:
            worker.tpool.waiting = 1
            return bool(looked(milliseconds))

        connection.speaks_within = somebody_comes
        assert worker.handle(connection, 0.0, worker.turn(connection)) is True
        assert worker.answered == 1


def test_one_client_keeps_a_thread_for_a_second_and_then_waits_for_its_turn() -> None:
    with at_work() as (worker, connection, client):
        client.sendall(FIRST.encode())
        connection.arrived()
        worker.asked = [NEXT] * 1_000_000
        worker.takes = 0.01
        began = time.monotonic()
        assert worker.handle(connection, 0.0, worker.turn(connection)) is True
        assert CONFIGURATION["KEPT"] <= time.monotonic() - began < CONFIGURATION["KEPT"] + PATIENCE
        assert 1 < worker.answered < 1_000


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_client_that_goes_after_its_answer_is_let_go(is_reset: bool) -> None:
    with at_work() as (worker, connection, client):
        client.sendall(FIRST.encode())
        connection.arrived()
        worker.goes = True
        if is_reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert worker.handle(connection, 0.0, worker.turn(connection)) is False


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded(), b"503 Service Unavailable"), (RuntimeError(), b"500 Internal Server Error")]
)
def test_only_who_has_waited_for_too_long_is_told_to_come_again(
    error: Exception, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with at_work() as (worker, connection, client):
        done: Future[object] = Future()
        done.set_exception(error)
        worker.finish_request(connection, done)
        assert client.recv(65_536).startswith(b"HTTP/1.1 " + status)
        assert (worker.nr_conns, worker.given_up) == (0, int(isinstance(error, Overloaded)))
        assert bool(caplog.records) == isinstance(error, RuntimeError)


@pytest.mark.parametrize("is_watched", [True, False])
def test_who_has_begun_to_ask_waits_at_the_selector_where_it_takes_one_more(is_watched: bool) -> None:
    with at_work() as (worker, connection, _):
        if not is_watched:
            worker.poller.close()
        done: Future[object] = Future()
        done.set_result(CONFIGURATION["NOT_YET"])
        worker.finish_request(connection, done)
        assert list(worker.pending_conns) == [connection] * is_watched
        assert worker.nr_conns == int(is_watched)


@contextmanager
def at_work(*, hops: int = 0) -> Iterator[tuple[Any, Any, socket.socket]]:
    """Give a worker whose answers are counted, one of its connections, and the client at the other end.

    With each answer the client sends what it is to ask next.
    """

    class Worker(CONFIGURATION["worker_class"]):  # type: ignore[misc]
        answered, asked, again, takes, goes = 0, (), True, 0.0, False

        def __init__(self) -> None:
            self.alive, self.hops = True, hops
            self.tpool, self.quick, self.crew = (
                SimpleNamespace(name=name, waiting=0) for name in ("all", "few", "crew")
            )
            self.watching = SimpleNamespace(queued=lambda: 0.0, given_up=self.gives_up)
            self.poller, self.pending_conns = selectors.DefaultSelector(), deque[Any]()
            self.nr_conns, self.given_up, self.log = 1, 0, logging.getLogger("gunicorn")

        def gives_up(self) -> None:
            self.given_up += 1

        def answer(self, conn: Any, arrived: float) -> bool:  # noqa: ANN401 a class of a file that is no module
            del arrived
            if not conn.sock.recv(65_536):
                return False
            self.answered += 1
            time.sleep(self.takes)
            if self.asked:
                client.sendall(self.asked.pop().encode())
            if self.goes:
                client.close()
            return self.again

    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()) as client:
        sock, name = door.accept()
        connection = CONFIGURATION["Connection"](Config(), sock, name, door.getsockname())
        connection.parser = SimpleNamespace(unreader=SimpleNamespace(buf=io.BytesIO()))
        worker = Worker()
        with sock, worker.poller:
            yield worker, connection, client


def test_the_server_is_at_work_before_its_first_visitor(room: Newsroom) -> None:
    room.log.unlink(missing_ok=True)
    with server(room) as (_, process):
        wait_until(lambda: bool(room.logged()), process)  # the warm-up embeds
        assert room.logged()


def test_either_of_two_workers_goes_on_with_a_list_that_the_other_made(room: Newsroom) -> None:
    with server(room, "--workers", "2") as (address, _):
        seen: list[str] = []
        found = json.loads(ask(address, "/api/search?q=report&page_size=1").text)
        while found["cursor"]:  # a connection each time, which either worker may take
            seen += [result["id"] for result in found["results"]]
            answer = ask(address, f"/api/search?q=report&page_size=1&cursor={found['cursor']}")
            assert answer.status == 200
            found = json.loads(answer.text)
        assert len(seen) == len(set(seen)) == 19


# What it says, and how it stops


def events(room: Newsroom) -> list[dict[str, object]]:
    """Return what the server has logged; every line of it is an object."""
    return [json.loads(line) for line in (room.folder / "server.log").read_text().splitlines()]


def raw(address: str, sent: bytes) -> bytes:
    """Return what a server answers to these bytes."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_every_line_of_its_log_is_one_event_without_readers_and_their_questions(room: Newsroom) -> None:
    with server(room) as (address, process):
        answer = ask(address, "/search?q=zebra", X_Request_ID="wire-desk-1")
        assert answer.headers["X-Request-ID"] == "wire-desk-1"
        for sent in (
            b"GET /search?q=zebra HTTP/9.9\r\nHost: x\r\n\r\n",
            b"GET /search?q=zebra\x1b[31m\r\n\r\n",
            b"ZEBRA zebra zebra\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nZebra zebra: \x00\r\n\r\n",
            b"GET /" + b"zebra" * 2_000 + b" HTTP/1.1\r\n\r\n",
        ):
            assert b" 4" in raw(address, sent)[:15] or b" 5" in raw(address, sent)[:15]
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)
    told = events(room)
    (request,) = [event for event in told if event.get("id") == "wire-desk-1"]
    assert (request["route"], request["status"], request["method"]) == ("/search", 200, "GET")
    text = (room.folder / "server.log").read_text()
    assert "zebra" not in text.lower()
    assert "127.0.0.1:" in text, "where it listens"
    assert '"Invalid request: ' in text
    assert len(re.findall(r"127\.0\.0\.1", text)) == 1, "and nobody else's address"
    assert {"gunicorn.error", "web.watching"} <= {event["logger"] for event in told}


class Recorder:
    """A socket that keeps what is sent by it, each sending for itself."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.sendall = self.sent.append


def answered(status: str, *pieces: bytes, method: str = "GET") -> list[bytes]:
    """Return what is sent of an answer of six bytes in these pieces."""
    request, recorder = SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False), Recorder()
    answer = CONFIGURATION["Answer"](request, recorder, Config())
    answer.start_response(status, [("Content-Length", "6")])
    for piece in pieces:
        answer.write(piece)
    answer.close()
    return recorder.sent


def test_the_head_of_an_answer_is_sent_with_its_first_piece() -> None:
    first, second = answered("200 OK", b"one", b"two")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (first.partition(b"\r\n\r\n")[2], second) == (b"one", b"two")


def test_an_answer_without_a_body_is_a_head() -> None:
    for sent in (answered("304 Not Modified"), answered("200 OK", b"onetwo", method="HEAD")):
        assert [piece.endswith(b"\r\n\r\n") for piece in sent] == [True]


def test_an_answer_arrives_at_once(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        for _ in range(20):
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(65_536).endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("condition", ["", "If-None-Match: *\r\n", 'If-None-Match: "other"\r\n'])
def test_an_answer_has_one_date(address: str, condition: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.sendall(f"GET /api/stats HTTP/1.1\r\nHost: localhost\r\n{condition}\r\n".encode())
        head, _, _ = sock.recv(65_536).partition(b"\r\n\r\n")
    assert head.count(b"\r\nDate: ") == 1


def test_two_workers_count_as_one(room: Newsroom) -> None:
    with server(room, "--workers", "2") as (address, process):
        wait_until(lambda: ask(address, "/readyz").status == 200, process)

        def counted() -> dict[str, float]:
            lines = [line for line in ask(address, "/metrics").text.splitlines() if not line.startswith("#")]
            return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}

        asked = 'backfile_http_requests_total{method="GET",route="/api/stats",status="200"}'
        for _ in range(30):
            assert ask(address, "/api/stats").status == 200
        wait_until(lambda: counted()[asked] == 30, process)  # one is counted when its answer has gone
        found = counted()
        assert found["backfile_workers"] == 2
        assert found["backfile_crew_requests_at_work"] == found["backfile_crew_requests_waiting"] == 0
        os.kill(process.pid, signal.SIGHUP)
        wait_until(lambda: sum("Booting worker" in str(event["message"]) for event in booting(room)) == 4, process)
        wait_until(lambda: counted()["backfile_workers"] == 2, process)
        assert ask(address, "/api/stats").status == 200
        wait_until(lambda: counted()[asked] == 31, process)  # a reload loses no count
        room.log.unlink(missing_ok=True)
        room.hold.touch()
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(ask, address, "/api/search?q=asked+of+one+that+dies")
            wait_until(lambda: counted()["backfile_crew_requests_at_work"] == 1, process)
            for pid in re.findall(r"Booting worker with pid: (\d+)", listening(room))[-2:]:
                os.kill(int(pid), signal.SIGKILL)
            room.hold.unlink()
            with pytest.raises(OSError):  # noqa: PT011 whatever a killed worker leaves a client with
                held.result(PATIENCE)
        wait_until(lambda: booted(room) == 6, process)
        assert counted()["backfile_crew_requests_at_work"] == 0, "what a worker that is no more was at does not count"


def booting(room: Newsroom) -> list[dict[str, object]]:
    return [event for event in events(room) if event.get("message")]


@dataclass
class Readers:
    """Clients that ask one after the other, each over a connection of its own, and keep what went wrong."""

    address: str
    over: threading.Event
    answered: int = 0
    longest: float = 0.0
    failed: list[str] = field(default_factory=list)

    def read(self, number: int) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            try:
                answer = ask(self.address, f"/api/search?q=report+{number}")
                if answer.status != 200:
                    self.failed.append(f"{answer.status} {answer.text}")
            except OSError as error:
                self.failed.append(repr(error))
            self.answered += 1
            self.longest = max(self.longest, time.monotonic() - began)


@contextmanager
def reading(address: str, clients: int = 4) -> Iterator[Readers]:
    readers = Readers(address, threading.Event())
    with ThreadPoolExecutor(clients) as pool:
        jobs = [pool.submit(readers.read, number) for number in range(clients)]
        try:
            yield readers
        finally:
            readers.over.set()
        for job in jobs:
            job.result(PATIENCE)


def booted(room: Newsroom) -> int:
    return listening(room).count("Booting worker")


def test_a_reload_and_a_successor_cost_no_reader_an_answer(room: Newsroom) -> None:
    with server(room) as (address, process):
        wait_until(lambda: ask(address, "/readyz").status == 200, process)
        with reading(address) as readers:
            wait_until(lambda: readers.answered > 20, process)
            os.kill(process.pid, signal.SIGHUP)
            wait_until(lambda: "Worker exiting" in listening(room) or booted(room) == 2, process)
            begun = readers.answered
            wait_until(lambda: readers.answered > begun + 40, process)
            os.kill(process.pid, signal.SIGUSR2)  # a second server on the same socket
            wait_until(lambda: booted(room) == 3, process)
            wait_until(lambda: ask(address, "/readyz").status == 200, process)
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            begun = readers.answered
            deadline = time.monotonic() + PATIENCE
            while readers.answered < begun + 40:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        assert readers.failed == []


def test_asked_to_stop_while_it_starts_it_does_not_go_on_until_it_is_killed(room: Newsroom) -> None:
    with server(room) as (_, process):
        wait_until(lambda: booted(room) == 1, process)
        began = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert time.monotonic() - began < CONFIGURATION["graceful_timeout"] / 2


def test_it_says_that_it_is_leaving_and_still_answers_before_it_leaves_and_ends_what_it_began(
    room: Newsroom,
) -> None:
    with server(Draining(room.folder)) as (address, process), ThreadPoolExecutor(1) as pool:
        wait_until(lambda: ask(address, "/readyz").status == 200, process)
        room.log.unlink(missing_ok=True)
        room.hold.touch()
        held = pool.submit(ask, address, "/api/search?q=never+asked+before")
        wait_until(lambda: bool(room.logged()), process)
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: ask(address, "/readyz").status == 503, process)
        assert "being stopped" in ask(address, "/readyz").text
        assert ask(address, "/api/stats").status == 200, "whoever still comes is answered"
        began = time.monotonic()
        wait_until(lambda: refuses(address), process)
        assert time.monotonic() - began < 15, "nobody is left waiting at a door that does not open any more"
        assert not held.done()
        room.hold.unlink()
        assert held.result(PATIENCE).status == 200, "what was begun is answered"
        assert process.wait(PATIENCE) == 0


class Draining(Newsroom):
    def environment(self, *, pause: float = 0.0, most: int | None = None) -> dict[str, str]:
        return {**super().environment(pause=pause, most=most), "BACKFILE_DRAIN": "2"}


def refuses(address: str) -> bool:
    try:
        return ask(address, "/healthz").status != 200
    except OSError:
        return True
