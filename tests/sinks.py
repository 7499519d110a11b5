"""Receivers on this machine, with real sockets: a web server and a mail server that keep what they are sent."""

import base64
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """A web server, what it was asked, and what it answers by path; `before` is called before it answers."""

    host: str = "127.0.0.1"
    port: int = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"


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

    server = Server((site.host, 0), Handler)
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
    logins: list[bytes] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, post: Post, tls: ssl.SSLContext | None, *, at_once: bool) -> None:
        self.post, self.tls, self.at_once = post, tls, at_once
        super().__init__(("127.0.0.1", 0), _Conversation)

    def handle_error(self, *_: object) -> None:
        """Say nothing: who spoke is gone, as the test meant it to be."""


class _Conversation(socketserver.StreamRequestHandler):
    """Speaks as much of SMTP (RFC 5321) as a client needs to hand over a message."""

    server: _Server

    def setup(self) -> None:
        if self.server.at_once:
            self.over_tls()
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server would close the one that was wrapped

    def over_tls(self) -> None:
        assert self.server.tls is not None
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)

    def say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())
        self.wfile.flush()

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline():
            verb = line[:4].decode().upper()
            getattr(self, f"hear_{verb.lower()}", self.hear)(line)
            if verb == "QUIT":
                return

    def hear(self, line: bytes) -> None:
        self.say("250 good")

    def hear_ehlo(self, line: bytes) -> None:
        self.say("250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN")

    def hear_star(self, line: bytes) -> None:  # STARTTLS
        self.say("220 go on")
        self.over_tls()
        super().setup()

    def hear_auth(self, line: bytes) -> None:
        self.server.post.logins.append(base64.b64decode(line.split()[2]))
        self.say("235 welcome")

    def hear_rcpt(self, line: bytes) -> None:
        address = line.decode().partition("<")[2].partition(">")[0]
        self.say(self.server.post.refuses.get(address, "250 good"))

    def hear_data(self, line: bytes) -> None:
        self.say("354 go on")
        lines, post = [], self.server.post
        while (text := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(text[1:] if text.startswith(b".") else text)
        post.taken.append(message_from_bytes(b"".join(lines), policy=policy.default))
        post.before()
        self.say(post.refuses.get("", "250 taken"))
        post.after()


@contextmanager
def receiving(post: Post, *, tls: ssl.SSLContext | None = None, at_once: bool = False) -> Iterator[Post]:
    """Run the mail server; over TLS when a client asks for it, or `at_once`."""
    server = _Server(post, tls, at_once=at_once)
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


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """Return what a server of this name (DNS:… or IP:…) proves itself with, and the file by which a client knows it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=here"]
    command = ["openssl", "req", "-x509", *made, "-addext", f"subjectAltName={name}"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
