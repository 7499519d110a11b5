"""Receivers on this machine, with real sockets: a web server and a mail server that keep what they are sent."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """A web server, what it was asked, and what it answers by path; `before` is called before it answers."""

    port: int = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(site: Site, *, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.asked.append((self.command, self.path, dict(self.headers), body))
            site.before()
            status, headers, said = site.answers.get(self.path, (200, {}, b"hello"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(said)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)
            self.wfile.flush()
            site.after()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing: who asked is gone, as the test meant it to be."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site.port = server.server_address[1]
    with _running(server):
        yield site


@dataclass
class Post:
    """A mail server, the messages it took, and what it answers to a recipient or a message instead of taking it."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)  # recipient: reply
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def receiving(post: Post) -> Iterator[Post]:
    """Speak as much of SMTP (RFC 5321) as a client needs to hand over a message."""

    class Handler(socketserver.StreamRequestHandler):
        def say(self, reply: str) -> None:
            self.wfile.write(f"{reply}\r\n".encode())
            self.wfile.flush()

        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"RCPT":
                    address = line.decode().partition("<")[2].partition(">")[0]
                    self.say(post.refuses.get(address, "250 good"))
                elif verb == b"DATA":
                    self.say("354 go on")
                    self.take()
                elif verb == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 good")

        def take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b".") else line)
            post.taken.append(message_from_bytes(b"".join(lines), policy=policy.default))
            post.before()
            self.say(post.refuses.get("", "250 taken"))
            post.after()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: who spoke is gone, as the test meant it to be."""

    server = Server(("127.0.0.1", 0), Handler)
    post.port = server.server_address[1]
    with _running(server):
        yield post


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()
