"""How gunicorn serves Backfile: one process, several threads. `gunicorn wsgi:app` reads this by itself.

This file is loaded by gunicorn's own process, which lives on through reloads: it imports nothing of the program but
what writes its log, and so the worker stands here too.

A thread is a dear thing, so none waits for a client: the worker gives one only to a request that has arrived whole,
head and body. Clients that send slowly, or nothing, wait at the selector together, up to `SLOW`, and no more than
`MOST_OF_ONE` of an address. But while nobody waits, for a thread or for the crew, one that has answered looks `NEXT`
for what the client asks after that: who asks one thing after another keeps a thread whose caches are warm, and nobody
is woken. It does so for `KEPT` at most; then the client waits for its turn as anybody does.
"""

import contextlib
import errno
import fcntl
import json
import mmap
import os
import re
import secrets
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import termios
import time
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

import gunicorn.http.wsgi
from gunicorn import util
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.workers import gthread

from archive.journal import formatter

gunicorn.http.wsgi.SERVER = "Backfile"  # what the program is, and not what it is made with

bind = "127.0.0.1:8000"
workers = 1  # threads share one open index and one model; each further process adds a model and shares the mapped files
# These speak HTTP, and wait for the few that work (web/crew.py). Enough that the few have work, and some are left for
# exports and writes; each that speaks takes the interpreter from those that work.
threads = 32
limit_request_line = 8190  # bytes, the most gunicorn can be told: a query of some 1,300 Cyrillic letters fits
limit_request_fields = 64  # browsers and proxies send twenty
limit_request_field_size = 8190  # bytes
forwarded_allow_ips = ""  # whom to believe on who asks, and how, is BACKFILE_PROXY_HOPS to say
secure_scheme_headers: dict[str, str] = {}
keepalive = 5  # seconds that a connection is kept for the next request
preload_app = False  # a process forked after FAISS or the model used OpenMP hangs
control_socket_disable = True  # nothing here uses it, and it is one more door
graceful_timeout = 30
timeout = 120
accesslog = None  # the program tells of each request itself (web/watching.py)

SLOW = 10.0  # seconds in which a request must have arrived
NEXT = 5  # milliseconds in which a program that asks one thing after another has asked again
KEPT = 1.0  # seconds in which one client's requests may be one turn
STALLED = 20  # seconds in which a client must take some of an answer
MOST_OF_ONE = 64  # connections of one address that wait to send or to be asked again; a browser has six
MAX_HEAD = 32 * 1024  # bytes
MAX_BODY = 512 * 1024  # bytes, web/app.py: what is longer is refused unread
MOST_DIGITS = 18  # of a length; what has more is too long, whatever they are
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
FORWARDED = re.compile(rb"\r\nx-forwarded-for:([\x20-\x7e\t]*)(?=\r\n)", re.IGNORECASE)
Address = tuple[str, int] | str
QUICK_THREADS = 4  # for monitors and files
SWITCH = 0.001  # seconds; in Python's own five, who only has to pass something on waits for those that compute
RETRY_AFTER = 5  # seconds, where a request has waited for too long
WHOLE, NOT_YET, REFUSED = "whole", "not yet", "refused"

STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
NOTED = re.compile(r"[^'\"]*?(?=[:'\"]|$)")  # of why a request is invalid, what is not the request's own words


class logger_class(Logger):  # noqa: N801 -- the name under which gunicorn looks for it
    """gunicorn's own events in the form of the program's, without readers' addresses and what they asked for."""

    def setup(self, cfg: object) -> None:
        """Begin, or begin anew after a reload."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(os.environ.get("BACKFILE_LOG") or "auto"))

    def warning(self, msg: str, *args: object, **kwargs: object) -> None:
        """Tell of what is odd; gunicorn names the address and the words of an invalid request."""
        said, _, why = msg.partition(" from ip=")
        if why:
            msg, args = "%s: %s", (said, NOTED.match(why.partition(": ")[2])[0])
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: str, *args: object, **kwargs: object) -> None:
        """Tell of what went wrong, of an address without its query."""
        super().exception(msg, *(str(each).partition("?")[0] for each in args), **kwargs)


class Head(NamedTuple):
    """What is told by as much of a request as is there: its size in bytes, or the status it is refused with."""

    size: int | None = None  # None: its head has no end yet
    status: HTTPStatus | None = None
    waits: bool = False  # until it is told to go on


def read_head(there: bytes) -> Head:
    """Return what is told by the first bytes of a request."""
    head, end, _ = there.partition(b"\r\n\r\n")
    if not end:
        return Head(status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) if len(head) >= MAX_HEAD else Head()
    head += b"\r\n"
    if CHUNKED.search(head):
        return Head(status=HTTPStatus.LENGTH_REQUIRED)
    length = LENGTH.search(head)
    digits = length[1].lstrip(b"0") if length else b""
    size = int(digits[:MOST_DIGITS] or 0)
    if size > MAX_BODY or len(digits) > MOST_DIGITS:
        return Head(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return Head(len(head) + 2 + size, waits=size > 0 and EXPECTS.search(head) is not None)


class Sent(list[bytes]):
    """What would be sent."""

    sendall = list.append


class Answer(gunicorn.http.wsgi.Response):
    """An answer whose head goes with its first piece: each time it sends, a thread hands the interpreter over."""

    def write(self, arg: bytes) -> None:
        """Send a piece."""
        if self.headers_sent:
            super().write(arg)
            return
        sock, self.sock = self.sock, Sent()
        try:
            super().write(arg)
        finally:
            pieces, self.sock = self.sock, sock
        sock.sendall(b"".join(pieces))


class Connection(gthread.TConn):
    """A connection that is looked at before a thread reads from it."""

    def __init__(self, cfg: Config, sock: socket.socket, client: Address, server: Address) -> None:
        """Look after the connection of a client that was just accepted."""
        super().__init__(cfg, sock, client, server)
        self.deadline = time.monotonic() + SLOW
        self.seen = -1  # bytes that were there when it was looked at last
        self.there = b""  # and those of them that were looked at
        self.is_waited_for = False  # told to go on
        self.is_watched = sock.family != socket.AF_UNIX and not cfg.is_ssl  # else a proxy of ours speaks, or we decrypt
        if self.is_watched:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALLED, 0))

    @property
    def address(self) -> str:
        """Whom connections are counted for; empty for a proxy of ours."""
        return self.client[0] if self.is_watched and self.client else ""

    def who(self, hops: int) -> str:
        """Return whose request has arrived; where so many proxies are ours, who that is to them."""
        from web.clients import turn_taker

        address, port = self.client[:2] if isinstance(self.client, tuple) else ("", "")
        if hops:
            named = [each.strip() for line in FORWARDED.findall(self.there) for each in line.decode().split(",")]
            address = named[-hops] if len(named) >= hops else address
        return turn_taker({"REMOTE_ADDR": address, "REMOTE_PORT": port})

    def is_quick(self) -> bool:
        """Tell whether what has arrived is for a monitor, or asks for a file."""
        from web.turns import is_quick

        method, _, rest = self.there.partition(b" ")
        return method in (b"GET", b"HEAD") and is_quick(re.split(rb"[?\s]", rest, maxsplit=1)[0].decode("latin-1"))

    def speaks_within(self, milliseconds: int) -> bool:
        """Wait for so long, and return whether the client has sent something, or has gone."""
        if self.cfg.is_ssl or self.parser.unreader.buf.getvalue():  # what is read already is not seen at the socket
            return False
        door = select.poll()
        door.register(self.sock, select.POLLIN)
        return bool(door.poll(milliseconds))

    def arrived(self) -> tuple[str, HTTPStatus | None]:
        """Return whether the next request is there whole, and if it is refused, the status.

        Until it is, the selector wakes us only when more has come than we have seen.
        """
        if self.cfg.is_ssl:
            return WHOLE, None
        kept = self.parser.unreader.buf.getvalue() if self.parser is not None else b""  # read with the one before
        # Counted before it is looked at: what comes in between must wake us.
        count = struct.unpack("i", fcntl.ioctl(self.sock, termios.FIONREAD, bytes(4)))[0]
        try:
            there = self.sock.recv(MAX_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            there = None
        self.there = kept + (there or b"")
        if there == b"" or (there and count == self.seen) or not self.is_watched:
            return WHOLE, None  # no more will come: whoever reads it finds that out
        head = read_head(self.there)
        if head.status:
            return REFUSED, head.status
        if head.size is not None and len(kept) + count >= head.size:
            self.seen = -1
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            return WHOLE, None
        if head.waits and not self.is_waited_for:
            self.is_waited_for = True
            self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n", socket.MSG_DONTWAIT)
        self.seen = count
        least = count + 1 if head.size is None else head.size - len(kept)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
        return NOT_YET, None

    def close(self, graceful: bool = False) -> None:
        """Close it at once: gunicorn's own waits for the client, in the one thread that accepts all others."""
        if graceful:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
                for _ in range(16):  # what was sent and never read would have the answer thrown away
                    if not self.sock.recv(65_536, socket.MSG_DONTWAIT):
                        break
        util.close(self.sock)


class worker_class(gthread.ThreadWorker):  # noqa: N801 -- as above
    """gunicorn's threads, none of which waits for a client, and whose door is shut once they are to stop.

    Requests wait for a thread as they do for the crew: clients take turns. Monitors and files have their own threads.
    """

    hops = 0  # proxies that are ours; known once the application is loaded, as is the crew
    crew = None

    def init_process(self) -> None:
        """Begin, and keep a signal to stop until it can be heard: the handlers that a worker is born with lose it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
        super().init_process()

    def init_signals(self) -> None:
        """Hear signals from here on, and what came meanwhile."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)

    def get_thread_pool(self) -> object:
        """Return the threads, with a place in their queue for every connection."""
        from web import watching
        from web.crew import Crew

        class Pool(Crew):
            def shutdown(self, *, wait: bool = True) -> None:
                self._threads.shutdown(wait)

        self.watching = watching
        self.quick = Pool(at_work=QUICK_THREADS, waiting=self.cfg.worker_connections)
        return Pool(at_work=self.cfg.threads, waiting=self.cfg.worker_connections)

    def enqueue_req(self, conn: Connection) -> None:
        """Have a request answered that is there whole, when it is its client's turn; put off or refuse any other."""
        try:
            found, status = conn.arrived()
        except OSError:  # it is gone
            found, status = REFUSED, None
        if found == NOT_YET:
            self.put_off(conn)
        elif found == REFUSED:
            if status:
                refuse(conn.sock, status)
            self.nr_conns -= 1
            conn.close(graceful=True)
        else:
            turn = self.turn(conn)
            threads, who = turn
            done = threads.submit(partial(self.handle, conn, self.watching.queued(), turn), who=who)
            done.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def turn(self, conn: Connection) -> tuple[object, str]:
        """Return which threads answer what has arrived, and whose turn that is."""
        return self.quick if conn.is_quick() else self.tpool, conn.who(self.hops)

    def put_off(self, conn: Connection) -> None:
        """Wait at the selector until there is more; of those that do, one address has only so many."""
        conn.sock.setblocking(False)
        conn.timeout = conn.deadline
        try:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))
        except (OSError, ValueError, KeyError):  # the system watches no more of them
            self.nr_conns -= 1
            conn.close()
            return
        self.pending_conns.append(conn)
        of_one = [each for each in self.pending_conns if each.address == conn.address != ""]
        if len(of_one) > MOST_OF_ONE:
            self.drop(of_one[0])  # of the newest more may be on its way

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept, or accept no more. Left open, whoever still came would wait until the last answer is given."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def accept(self, listener: socket.socket) -> None:
        """Take the next client."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        sock.setblocking(True)
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, sock, client, listener.getsockname()))

    def handle(self, conn: Connection, arrived: float, turn: tuple[object, str]) -> object:
        """Answer a request that is there whole, and what the same client asks at once after that."""
        until = time.monotonic() + KEPT
        again = self.answer(conn, arrived)
        while again is True and self.may_keep(turn, until) and conn.speaks_within(NEXT) and self.may_keep(turn, until):
            try:
                found, _ = conn.arrived()
            except OSError:  # it is gone
                return False
            if found == NOT_YET:
                return NOT_YET
            if found == REFUSED or self.turn(conn) != turn:
                break  # it is looked at again, as if it had come later
            again = self.answer(conn, self.watching.queued())
        return again

    def may_keep(self, turn: tuple[object, str], until: float) -> bool:
        """Tell whether a turn may go on: nobody waits for one, and it is not with the few quick threads."""
        threads, _ = turn
        nobody_waits = not (self.tpool.waiting or self.crew.waiting)
        return self.alive and threads is self.tpool and nobody_waits and time.monotonic() < until

    def answer(self, conn: Connection, arrived: float) -> object:
        """Answer a request; return whether the client may ask again."""
        self.watching.begun(arrived)
        conn.data_ready = conn.is_watched
        try:
            again = super().handle(conn)
        except BaseException as error:  # of a SystemExit, which would be raised once more where it ends the process
            self.handle_error(None, conn.sock, conn.client, error)
            return False
        conn.deadline, conn.is_waited_for = time.monotonic() + SLOW, False
        return again

    def finish_request(self, conn: Connection, fs: "Future[object]") -> None:
        """Keep or close a connection."""
        from web.crew import Overloaded

        error = fs.exception()
        if isinstance(error, Overloaded):  # it has waited for too long
            self.watching.given_up()
            refuse(conn.sock, HTTPStatus.SERVICE_UNAVAILABLE)
        elif error is not None:
            self.handle_error(None, conn.sock, conn.client, error)
        elif fs.result() == NOT_YET:
            self.put_off(conn)
            return
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Close what has had its time."""
        now = time.monotonic()
        for conn in [each for each in self.pending_conns if each.timeout <= now]:
            self.drop(conn)

    def drop(self, conn: Connection) -> None:
        """Close a connection that waits at the selector."""
        self.pending_conns.remove(conn)
        with contextlib.suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def handle_error(
        self,
        req: object,  # noqa: ARG002 what is told of it could be anything
        client: socket.socket,
        addr: object,  # noqa: ARG002 no event has a reader's address
        exc: BaseException,
    ) -> None:
        """Answer what cannot be read, or went wrong, in our own words; the log has one line of it."""
        status, named = HTTPStatus.INTERNAL_SERVER_ERROR, ""
        if isinstance(exc, errors.ParseException):
            status = STATUS.get(type(exc), HTTPStatus.BAD_REQUEST)
            self.log.warning("Invalid request: %s", type(exc).__name__)
        else:
            self.log.error("a request went wrong (%s)", named := secrets.token_hex(8), exc_info=exc)
        refuse(client, status, named)


STATUS = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}


def refuse(sock: socket.socket, status: HTTPStatus, error_id: str = "") -> None:
    """Answer with a problem (RFC 9457), if that can be sent without waiting, and promise no more."""
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": status.description}
    body = json.dumps(problem | ({"error_id": error_id} if error_id else {})).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nServer: Backfile\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nCache-Control: no-store\r\nContent-Length: {len(body)}\r\n"
    )
    head += f"Retry-After: {RETRY_AFTER}\r\n\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else "\r\n"
    with contextlib.suppress(OSError):
        sock.send(head.encode("latin-1") + body, socket.MSG_DONTWAIT)


def on_starting(server: object) -> None:
    """Make what all workers share: whether the server is on its way out, and the folder of their figures."""
    server.draining = mmap.mmap(-1, 1)
    # A folder of its own for each such process: one that replaces another (SIGUSR2) inherits its environment.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = server.figures = tempfile.mkdtemp(prefix="backfile-metrics-")


def when_ready(server: object) -> None:
    """Let a balancer see that this server is leaving before it leaves: /readyz says so for `BACKFILE_DRAIN` seconds."""
    stop = server.handle_term

    def drain_and_stop() -> None:
        server.draining[0] = 1
        until = time.monotonic() + float(os.environ.get("BACKFILE_DRAIN") or 0)
        while time.monotonic() < until and not _is_asked_again(server):
            time.sleep(0.05)
        stop()

    server.handle_term = drain_and_stop


def _is_asked_again(server: object) -> bool:
    """Tell whether another signal says that there is no time for that."""
    return not server.SIG_QUEUE.empty() and server.SIG_QUEUE.get_nowait() in STOP


def pre_fork(server: object, worker: object) -> None:
    """Let a worker know what is known here."""
    worker.draining = server.draining


def post_worker_init(worker: object) -> None:
    """Have answers sent our way, and open index and model beside, so that the first visitor does not wait for them."""
    from web.services import EXTENSION

    gunicorn.http.wsgi.Response = Answer  # here and not above, where a reload would put one on top of the other
    services = worker.app.callable.extensions[EXTENSION]
    services.is_leaving = lambda: not worker.alive or bool(worker.draining[0])
    services.scores = worker.tpool.scores  # who is next is one question, whatever is waited for
    sys.setswitchinterval(SWITCH)
    worker.hops, worker.crew = services.settings.proxy_hops, services.crew
    services.begin_to_warm_up()


def child_exit(_: object, worker: object) -> None:
    """Leave what a worker had at work and waiting out of the figures: it is no more."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: object) -> None:
    """Leave nothing behind."""
    server.draining.close()
    shutil.rmtree(server.figures, ignore_errors=True)
