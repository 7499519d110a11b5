"""The one door to the network: http and https, GET and POST, to public addresses.

Whoever gives this archive an address must not reach through it what only this machine can reach. So a host's name is
resolved once, every address it has is checked against our own list, and the connection goes to one of those very
addresses, whatever the name may mean a moment later; each redirect is checked in the same way. No proxy of the
environment is asked, no password in an address is used, and sizes and times have bounds: however slowly an answer
drips in, it is cut off.

`http.client` does the talking: it resolves, follows and unpacks nothing behind our back.
"""

import http.client
import os
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address, ip_network
from typing import Literal, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from archive.errors import FetchError, FetchRefused
from archive.public import Network, is_public

PORTS = {"http": 80, "https": 443}  # and no others, but in networks that are allowed by name
MOST_URL = 4_000  # characters
MOST_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
PERMANENT = {301, 308}
LOOK_UP_SECONDS = 5.0
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0  # for one hop, from the look-up of its name to the last byte
MOST_BYTES = 10 * 1024 * 1024  # of an answer, unpacked
CHUNK = 64 * 1024
PLAIN = {"identity", "utf-8", "none"}  # the last two are no codings, but written for none
PACKED = {"gzip", "x-gzip", "deflate"}
USER_AGENT = "Backfile/0.1 (news archive)"
LONGEST_WAIT = 24 * 60 * 60  # seconds that whoever answers may ask us to stay away

T = TypeVar("T")
Resolve = Callable[[str, int], Sequence[str]]  # the addresses of a host, for a port
Turn = Callable[[str], AbstractContextManager[None]]
"""`turn(url)`: a context that each hop of a request is made in, which may wait before it lets it, or refuse."""

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+(?:%\w+)?", re.IGNORECASE)  # a name, or an address of IPv6


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, its headers (names in small letters), its body unpacked, and where it came from.

    `moved`: there were redirects on the way, each of which said that it is for good.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    moved: bool = False

    def wait(self) -> int:
        """Return for how many seconds whoever answers asks us to stay away (`Retry-After`), 0 when it does not say."""
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdigit():
            return min(int(said[:9]), LONGEST_WAIT)
        try:
            until = parsedate_to_datetime(said)
            now = parsedate_to_datetime(self.headers["date"]) if "date" in self.headers else datetime.now(UTC)
            return max(0, min(int((until - now).total_seconds()), LONGEST_WAIT))
        except (ValueError, TypeError, OverflowError):  # no date, or one without a zone beside one that has it
            return 0


@dataclass(frozen=True, slots=True)
class _Target:
    """An address that may be asked: where to connect, and what to ask there."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: Sequence[str]


def resolved(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Fetcher:
    """Asks addresses on the network. Safe to use from several threads."""

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        resolve: Resolve = resolved,
        seconds: float = TOTAL_SECONDS,
        most_bytes: int = MOST_BYTES,
        context: ssl.SSLContext | None = None,
        user_agent: str = USER_AGENT,
    ) -> None:
        """Take the private networks that may be asked all the same, at any port, what names mean, and who we are."""
        self._allow: tuple[Network, ...] = tuple(ip_network(network) for network in allow)
        self._resolve = resolve
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._context = context or ssl.create_default_context()
        self.user_agent = user_agent

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        most_bytes: int | None = None,
        turn: Turn = lambda _: nullcontext(),
    ) -> Fetched:
        """Return what is at `url`, wherever it leads, each hop in its `turn`. Raises FetchRefused, and FetchError."""
        moved: set[bool] = set()
        for _ in range(MOST_REDIRECTS + 1):
            with turn(url):
                answer = self._ask("GET", url, headers or {}, None, most_bytes or self._most_bytes)
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                return replace(answer, moved=moved == {True})
            moved.add(answer.status in PERMANENT)
            url = _led_to(url, answer.headers["location"])
        raise FetchError(f"{url[:80]}: more than {MOST_REDIRECTS} redirects", retry=False)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None) -> Fetched:
        """Send `body` to `url` and return the answer; a redirect is an answer. Raises FetchRefused, and FetchError."""
        return self._ask("POST", url, headers or {}, body, self._most_bytes)

    def check(self, url: str) -> None:
        """Raise FetchRefused when an address is not one to ask, as far as that shows now."""
        self._target(url)

    def _ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        most_bytes: int,
    ) -> Fetched:
        deadline = time.monotonic() + self._seconds
        target = self._target(url)
        general = {"User-Agent": self.user_agent, "Accept": "*/*", "Accept-Encoding": "gzip", "Connection": "close"}
        sent = {**general, **headers}
        try:
            with self._connected(target, deadline) as connection:
                connection.request(method, target.path, body=body, headers=sent)
                with connection.getresponse() as response:
                    read = _read(response, deadline, most_bytes)
                    names = {name.lower(): value for name, value in response.getheaders()}
                    return Fetched(url, response.status, names, read)
        except TimeoutError:
            raise FetchError(f"{target.host}: no answer in time") from None
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            if time.monotonic() >= deadline:
                raise FetchError(f"{target.host}: no answer in time") from error
            said = getattr(error, "strerror", None) or error or type(error).__name__
            raise FetchError(f"{target.host}: {said}") from error

    # Where it may go

    def _target(self, url: str) -> _Target:
        if len(url) > MOST_URL:
            raise FetchRefused(f"an address has at most {MOST_URL:,} characters")
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS.get(parts.scheme, 0)
            host = (parts.hostname or "").encode("idna").decode("ascii")
        except ValueError as error:  # UnicodeError is one
            raise FetchRefused(f"{url[:80]}: this is no address: {error}") from error
        if parts.scheme not in PORTS or not host:
            raise FetchRefused(f"{url[:80]}: only http:// and https:// addresses are asked")
        if not _HOST.fullmatch(host):
            raise FetchRefused(f"{host[:80]!r} is not the name of a host")
        if parts.username is not None or parts.password is not None:
            raise FetchRefused(f"{host}: an address that is asked holds no password")
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = quote(parts.query, safe="/?%:@!$&'()*+,;=~")
        addresses = self._checked(host, port)
        return _Target(parts.scheme, host, port, f"{path}?{query}" if query else path, addresses)

    def _checked(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host, when every one of them may be asked."""
        try:
            addresses = _in_time(lambda: self._resolve(host, port), seconds=min(LOOK_UP_SECONDS, self._seconds))
        except TimeoutError:
            raise FetchRefused(f"{host}: the name was not found in time", retry=True) from None
        except (OSError, UnicodeError) as error:
            raise FetchRefused(f"{host}: the name is not known: {error}", retry=True) from error
        if not addresses:
            raise FetchRefused(f"{host}: the name has no address", retry=True)
        for text in addresses:
            address = ip_address(text)
            if any(address in network for network in self._allow):
                continue
            if not is_public(address):
                raise FetchRefused(f"{host} is not on the public internet ({address}): see BACKFILE_FETCH_ALLOW")
            if port not in PORTS.values():
                raise FetchRefused(f"{host}: only ports 80 and 443 are asked, not {port}")
        return addresses

    # Talking

    @contextmanager
    def _connected(self, target: _Target, deadline: float) -> Iterator[http.client.HTTPConnection]:
        """Connect to one of the checked addresses; at the deadline the connection is shut, whoever waits for it."""
        plain = self._opened(target, deadline)
        watched = socket.socket(fileno=os.dup(plain.fileno()))  # the same connection, which no wrapping takes away
        guard = threading.Timer(max(deadline - time.monotonic(), 0.0), _shut, [watched])
        guard.daemon = True
        guard.start()
        connection = http.client.HTTPConnection(target.host, target.port)
        try:
            if target.scheme == "https":
                plain = self._context.wrap_socket(plain, server_hostname=target.host)
                connection.default_port = PORTS["https"]  # the Host header leaves it out
            connection.sock = plain
            yield connection
        finally:
            guard.cancel()
            connection.close()
            plain.close()
            watched.close()

    def _opened(self, target: _Target, deadline: float) -> socket.socket:
        failed: OSError = OSError("no address")
        for address in target.addresses:
            left = min(CONNECT_SECONDS, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError
            try:
                opened = socket.create_connection((address, target.port), timeout=left)
            except OSError as error:
                failed = error
            else:
                opened.settimeout(self._seconds)
                return opened
        raise failed


def _in_time(work: Callable[[], T], *, seconds: float) -> T:
    """Return what `work` returns, or raise TimeoutError and leave it to itself: nothing can end a look-up."""
    done: Future[T] = Future()

    def do() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # it is the waiting thread's
            done.set_exception(error)

    threading.Thread(target=do, name="look-up", daemon=True).start()
    return done.result(seconds)


def _led_to(url: str, location: str) -> str:
    """Return where a redirect leads; a server that writes UTF-8 into its headers is understood."""
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchRefused(f"{location[:80]}: this is no address: {error}") from error


def _shut(watched: socket.socket) -> None:
    with suppress(OSError):  # it was over already
        watched.shutdown(socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse, deadline: float, most_bytes: int) -> bytes:
    """Return the body, unpacked. Raises FetchError when it is larger than it may be, or too slow."""
    coding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if coding not in PLAIN | PACKED:
        raise FetchError(f"an answer packed as {coding[:20]} is not read", retry=False)
    too_large = FetchError(f"the answer is larger than {most_bytes:,} bytes", retry=False)
    if (response.length or 0) > most_bytes:
        raise too_large
    unpack = None if coding in PLAIN else zlib.decompressobj(zlib.MAX_WBITS | 32)
    body, began = bytearray(), False
    while packed := response.read1(CHUNK):
        began = True
        body += packed if unpack is None else unpack.decompress(packed, most_bytes + 1 - len(body))
        if len(body) > most_bytes:
            raise too_large
    if time.monotonic() >= deadline:  # what was shut looks like an end
        raise TimeoutError
    if response.length or (unpack is not None and began and not unpack.eof):
        raise FetchError("the answer ends before it should")
    return bytes(body)
