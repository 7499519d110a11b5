"""Clients that send slowly, too much, nothing, or nonsense: none of them takes a thread, and others are answered."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from processes import ROOT, Newsroom, server
from test_server import ask

MANY = 60  # more than there are threads
SOON = 3.0  # seconds; gunicorn by itself takes five for one that sends nothing, and for ever for others
SLOW, MOST_OF_ONE = 2.0, 100  # as the configuration is for these tests


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    room = Newsroom(tmp_path_factory.mktemp("room"))
    room.write("first.jsonl", range(5))
    room.ingest()
    impatient = room.folder / "impatient.conf.py"
    impatient.write_text(
        f"exec(compile(open({str(ROOT / 'gunicorn.conf.py')!r}).read(), 'conf', 'exec'))\n"
        f"SLOW, MOST_OF_ONE = {SLOW}, {MOST_OF_ONE}\n"
    )
    with server(room, "--config", str(impatient)) as (address, _):
        assert ask(address, "/api/stats").status == 200
        yield address


@pytest.fixture
def opened(address: str) -> Iterator[list[socket.socket]]:
    """Connections that are closed when the test is over."""
    connections: list[socket.socket] = []
    yield connections
    for connection in connections:
        connection.close()


def connect(address: str, opened: list[socket.socket], sent: bytes = b"") -> socket.socket:
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
    opened.append(connection)
    with contextlib.suppress(OSError):  # closed in our face
        connection.sendall(sent)
    return connection


def answer_of(connection: socket.socket) -> bytes:
    """Return all that is sent until the connection is closed."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def seconds_for(address: str, path: str = "/api/stats") -> float:
    began = time.monotonic()
    assert ask(address, path).status == 200
    return time.monotonic() - began


HEAD = b"POST /api/related HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
WAYS = {
    "nothing": b"",
    "half a head": b"GET /api/stats HTTP/1.1\r\nHost: loc",
    "half a body": HEAD + b'1000\r\n\r\n{"title": ',
    "a length with noughts before it": HEAD + b'000000000000000000000500\r\n\r\n{"title": ',
    "a body that is waited for": HEAD + b"1000\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("sent", WAYS.values(), ids=WAYS)
def test_more_slow_clients_than_threads_keep_nobody_from_being_answered(
    address: str, opened: list[socket.socket], sent: bytes
) -> None:
    for _ in range(MANY):
        connect(address, opened, sent)
    assert max(seconds_for(address) for _ in range(5)) < SOON


def test_clients_that_never_hang_up_keep_nobody_from_being_answered(address: str, opened: list[socket.socket]) -> None:
    for _ in range(20):  # gunicorn by itself waits two seconds for each, one after the other, and accepts nobody
        connect(address, opened, b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert max(seconds_for(address) for _ in range(3)) < SOON


def test_what_does_not_arrive_in_time_is_given_up(address: str, opened: list[socket.socket]) -> None:
    waiting = [connect(address, opened, sent) for sent in WAYS.values()]
    began = time.monotonic()
    trickling = connect(address, opened, b"GET /")
    with contextlib.suppress(OSError):
        for _ in range(40):  # a byte now and then wins no time
            trickling.sendall(b"a")
            time.sleep(0.1)
    assert time.monotonic() - began < 3.9, "it was closed while it went on"
    for connection in waiting:
        assert answer_of(connection) in {b"", b"HTTP/1.1 100 Continue\r\n\r\n"}


def test_what_is_begun_at_once_after_an_answer_has_as_long_to_arrive_as_any_other(
    address: str, opened: list[socket.socket]
) -> None:
    asked = b"GET /api/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    began = time.monotonic()
    connection = connect(address, opened, asked)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
    connection.sendall(asked[:20])
    answer_of(connection)
    assert SLOW - 0.5 < time.monotonic() - began < SLOW + 2, "and not as long as one that has not begun"


def test_a_request_that_comes_in_pieces_is_answered(address: str, opened: list[socket.socket]) -> None:
    body = json.dumps({"title": "Report 3", "text": "People talk of report 3. " * 200}).encode()
    whole = HEAD + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body
    connection = connect(address, opened)
    for start in range(0, len(whole), 600):
        connection.sendall(whole[start : start + 600])
        time.sleep(0.02)
    assert answer_of(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_one_after_the_other_and_several_at_once_are_answered(
    address: str, opened: list[socket.socket]
) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    connection = connect(address, opened, one)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")
    connection.sendall(one + one + last[:30])
    time.sleep(0.1)
    connection.sendall(last[30:])
    assert answer_of(connection).count(b"HTTP/1.1 200 OK") == 3


def test_a_client_that_waits_to_be_told_to_go_on_is_told(address: str, opened: list[socket.socket]) -> None:
    body = json.dumps({"title": "Report 3", "text": "People talk."}).encode()
    waits = HEAD + str(len(body)).encode() + b"\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    connection = connect(address, opened, waits)
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(body)
    assert b"HTTP/1.1 200 OK\r\n" in answer_of(connection)


REFUSED = {
    "a body that does not say how long it is": (
        b"POST /api/related HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
        b"411",
    ),
    "a body too long": (HEAD + b"600000\r\n\r\n{", b"413"),
    "a body of thirty digits": (HEAD + b"9" * 30 + b"\r\n\r\n{", b"413"),
    "a body of more than there is": (HEAD + b"99999999999999999\r\n\r\n{", b"413"),
    "a head too long": (b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"a" * 40_000, b"431"),
    "too many headers": (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
    "an address too long": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
    "no HTTP": (b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n", b"400"),
    "no method": (b"<script> / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
    "a header that is none": (b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", b"400"),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_read_is_refused_at_once_in_our_own_words(
    address: str, opened: list[socket.socket], sent: bytes, status: bytes
) -> None:
    began = time.monotonic()
    answer = answer_of(connect(address, opened, sent))
    assert time.monotonic() - began < SOON
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ")[:2] == [b"HTTP/1.1", status]
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == int(status)
    for word in (b"gunicorn", b"Invalid", b"script", b"nonsense"):
        assert word not in answer


def test_of_one_address_only_so_many_may_wait_to_send(address: str, opened: list[socket.socket]) -> None:
    began = time.monotonic()
    connections = [connect(address, opened) for _ in range(MOST_OF_ONE + 30)]
    closed = 0
    while closed < 30:
        assert time.monotonic() - began < SLOW, "the others are closed then, too"
        for connection in list(connections):
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                closed += connection.recv(1) == b""
                connections.remove(connection)
    assert ask(address, "/healthz").status == 200
    assert closed == 30


def test_no_request_is_overlooked_whenever_its_bytes_arrive(address: str) -> None:
    with ThreadPoolExecutor(8) as pool:  # each by a connection of its own, looked at while it arrives
        told = list(pool.map(lambda _: ask(address, "/healthz").status, range(600)))
    assert told == [200] * 600, "what is overlooked is given up after a while"
