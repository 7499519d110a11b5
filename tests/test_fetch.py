"""The door to the network, with real sockets on this machine: where it goes, and what it does not let through."""

import gzip
import shutil
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from sinks import Site, certified, serving

from archive import fetch
from archive.errors import FetchError, FetchRefused
from archive.fetch import LONGEST_WAIT, Fetched, Fetcher, resolved
from archive.public import is_public

LOOPBACK = "127.0.0.0/8"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as served:
        yield served


def names(**addresses: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that knows these names (dots written as __) and what is an address itself."""
    known = {name.replace("__", "."): found for name, found in addresses.items()}

    def resolve(host: str, port: int) -> Sequence[str]:
        return known[host] if host in known else resolved(host, port)

    return resolve


def open_to_loopback(**rest: object) -> Fetcher:
    return Fetcher(allow=[LOOPBACK], **rest)  # type: ignore[arg-type]


# What passes


def test_it_gets_and_posts_and_says_to_whom(site: Site) -> None:
    fetcher = open_to_loopback(resolve=names(news__example=["127.0.0.1"]))
    got = fetcher.get(site.url("/a b?q=é&x=1%2F2", host="news.example"))
    assert (got.status, got.body) == (200, b"hello")
    posted = fetcher.post(site.url("/hook", host="news.example"), b"{}", headers={"X-Own": "1"})
    assert posted.status == 200
    (_, path, headers, _), (method, _, sent, body) = site.asked
    assert path == "/a%20b?q=%C3%A9&x=1%2F2"
    assert headers["Host"] == f"news.example:{site.port}"
    assert (method, sent["X-Own"], body) == ("POST", "1", b"{}")


def test_what_is_packed_is_unpacked(site: Site) -> None:
    site.answers["/gzip"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"news " * 100))
    site.answers["/deflate"] = (200, {"Content-Encoding": "deflate"}, zlib.compress(b"news"))
    site.answers["/none"] = (200, {"Content-Encoding": "gzip"}, b"")
    site.answers["/old"] = (200, {"Content-Encoding": "x-gzip"}, gzip.compress(b"news"))
    site.answers["/wrong"] = (200, {"Content-Encoding": "UTF-8"}, b"news")
    fetcher = open_to_loopback()
    assert fetcher.get(site.url("/gzip")).body == b"news " * 100
    assert fetcher.get(site.url("/deflate")).body == b"news"
    assert fetcher.get(site.url("/none")).body == b""
    assert fetcher.get(site.url("/old")).body == fetcher.get(site.url("/wrong")).body == b"news"


def test_a_redirect_is_followed_by_get_and_is_an_answer_to_post(site: Site) -> None:
    site.answers["/old"] = (301, {"Location": "/new"}, b"")
    fetcher = open_to_loopback()
    got = fetcher.get(site.url("/old"))
    assert (got.url, got.body) == (site.url("/new"), b"hello")
    assert fetcher.post(site.url("/old"), b"").status == 301


@pytest.mark.parametrize(("ways", "moved"), [([301], True), ([308, 301], True), ([302], False), ([301, 307], False)])
def test_an_address_has_moved_when_every_redirect_is_for_good(site: Site, ways: list[int], moved: bool) -> None:
    for place, status in enumerate(ways):
        site.answers[f"/{place}"] = (status, {"Location": f"/{place + 1}"}, b"")
    assert open_to_loopback().get(site.url("/0")).moved is moved
    assert not open_to_loopback().get(site.url()).moved


def test_what_is_not_changed_missing_or_busy_is_an_answer(site: Site) -> None:
    for status in (304, 404, 410, 429, 503):
        site.answers[f"/{status}"] = (status, {"Content-Length": "0"}, b"")
        assert open_to_loopback().get(site.url(f"/{status}"), headers={"If-None-Match": '"a"'}).status == status
    assert all(headers["If-None-Match"] == '"a"' for _, _, headers, _ in site.asked)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "99999999999999999999"}, LONGEST_WAIT),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "soon"}, 0),
        ({}, 0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:58:59 GMT"}, 60),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        ({"retry-after": "Fri, 31 Dec 2999 23:59:59 GMT"}, LONGEST_WAIT),
        ({"retry-after": "Fri, 31 Dec 2999 23:59:59 -0000"}, 0),
    ],
)
def test_how_long_to_stay_away_is_said_in_seconds_or_by_a_date(said: dict[str, str], seconds: int) -> None:
    assert Fetched("http://news.example/", 503, said).wait() == seconds


def test_each_hop_is_made_in_its_turn(site: Site) -> None:
    site.answers["/old"] = (301, {"Location": site.url("/ü", host="other.example")}, b"")
    turns: list[str] = []

    @contextmanager
    def turn(url: str) -> Iterator[None]:
        turns.append(f"before {url}, {len(site.asked)} asked")
        yield
        turns.append(f"after it, {len(site.asked)} asked")

    fetcher = open_to_loopback(resolve=names(other__example=["127.0.0.1"]), user_agent="Paper/1.0 (+https://p.example)")
    fetcher.get(site.url("/old"), turn=turn)
    assert turns == [
        *(f"before {site.url('/old')}, 0 asked", "after it, 1 asked"),
        *(f"before {site.url('/ü', host='other.example')}, 1 asked", "after it, 2 asked"),
    ]
    assert [headers["User-Agent"] for _, _, headers, _ in site.asked] == ["Paper/1.0 (+https://p.example)"] * 2


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_over_tls_the_name_is_asked_for_and_proven_at_the_checked_address(site: Site, tmp_path: Path) -> None:
    server, certificate = certified(tmp_path, "DNS:news.example")
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)  # type: ignore[assignment]
    trusting = ssl.create_default_context(cafile=str(certificate))
    resolve = names(news__example=["127.0.0.1"], other__example=["127.0.0.1"])
    with serving(Site(), tls=server) as secure:
        fetcher = open_to_loopback(resolve=resolve, context=trusting)
        assert fetcher.get(f"https://news.example:{secure.port}/").body == b"hello"
        with pytest.raises(FetchError, match="certificate"):
            fetcher.get(f"https://other.example:{secure.port}/")
        with pytest.raises(FetchError, match="certificate"):
            open_to_loopback(resolve=resolve).get(f"https://news.example:{secure.port}/")
    assert asked == ["news.example", "other.example", "news.example"]


# Where it does not go

CLOSED = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "168.63.129.16", "192.0.0.8", "198.18.0.1", "203.0.113.5", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_public_is_refused_whatever_its_form(address: str) -> None:
    assert not is_public(ip_address(address))
    fetcher = Fetcher(resolve=names(news__example=[address]))
    with pytest.raises(FetchRefused, match="not on the public internet"):
        fetcher.get("http://news.example/")


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"])
def test_a_public_address_is_not(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_name_that_is_not_found_in_time_is_waited_for_no_longer() -> None:
    found = threading.Event()
    fetcher = Fetcher(seconds=0.1, resolve=lambda _host, _port: ["8.8.8.8"] if found.wait(30) else [])
    began = time.monotonic()
    with pytest.raises(FetchRefused, match="not found in time"):
        fetcher.check("http://news.example/")
    assert time.monotonic() - began < 10
    found.set()


def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(FetchRefused):
        Fetcher(resolve=names(news__example=["8.8.8.8", "10.0.0.1"])).check("http://news.example/")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://news.example/", "//news.example/", "http:///", "http://me:pw@news.example/",
     "http://news.example:22/", "http://news.example:99999/", "http://[::1", "news.example", "http://a..example/",
     "http://news.example/" + "a" * 4000],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        Fetcher(resolve=names(news__example=["8.8.8.8"])).get(url)


def test_a_redirect_to_a_private_address_is_refused(site: Site) -> None:
    with serving(Site()) as inside:
        site.answers["/"] = (302, {"Location": inside.url("/secret", host="inside.example")}, b"")
        resolve = names(news__example=["127.0.0.1"], inside__example=["127.0.0.2"])
        fetcher = Fetcher(allow=["127.0.0.1/32"], resolve=resolve)
        with pytest.raises(FetchRefused):
            fetcher.get(site.url(host="news.example"))
        assert inside.asked == []


def test_a_name_that_means_something_else_a_moment_later_gains_nothing(site: Site) -> None:
    """DNS rebinding: the name is resolved once, and the connection goes to what was checked."""
    meant = iter([["127.0.0.1"], ["10.0.0.1"]])
    fetcher = Fetcher(allow=["127.0.0.1/32"], resolve=lambda host, port: next(meant))
    assert fetcher.get(site.url(host="flips.example")).body == b"hello"
    assert next(meant) == ["10.0.0.1"]


def test_a_proxy_of_the_environment_is_not_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert open_to_loopback().get(site.url()).status == 200


def test_redirects_come_to_an_end(site: Site) -> None:
    site.answers["/"] = (302, {"Location": "/"}, b"")
    with pytest.raises(FetchError, match="redirects") as raised:
        open_to_loopback().get(site.url())
    assert not raised.value.retry
    assert len(site.asked) == fetch.MOST_REDIRECTS + 1


# What it does not take


@pytest.mark.parametrize("packed", [True, False])
def test_an_answer_that_is_too_large_is_not_taken(site: Site, packed: bool) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    site.answers["/"] = (200, {"Content-Encoding": "gzip"}, bomb) if packed else (200, {}, bytes(20_000))
    with pytest.raises(FetchError, match="larger than 10,000 bytes") as raised:
        open_to_loopback().get(site.url(), most_bytes=10_000)
    assert not raised.value.retry


def test_an_answer_that_says_that_it_is_too_large_is_not_waited_for(site: Site) -> None:
    site.answers["/"] = (200, {"Content-Length": "20000"}, b"")
    with pytest.raises(FetchError, match="larger than 10,000 bytes"):
        open_to_loopback(most_bytes=10_000).get(site.url())


def test_an_answer_that_breaks_off_or_is_packed_otherwise_is_not_taken(site: Site) -> None:
    site.answers["/short"] = (200, {"Content-Length": "99"}, b"hello")
    site.answers["/cut"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"news" * 99)[:-9])
    site.answers["/br"] = (200, {"Content-Encoding": "br"}, b"hello")
    site.answers["/bad"] = (200, {"Content-Encoding": "gzip"}, b"hello")
    site.answers["/chunk"] = (200, {"Transfer-Encoding": "chunked", "Connection": "close"}, b"5\r\nhel")
    site.answers["/chunks"] = (200, {"Transfer-Encoding": "chunked", "Connection": "close"}, b"5\r\nhello\r\n")
    for path in ("/short", "/cut", "/br", "/bad", "/chunk", "/chunks"):
        with pytest.raises(FetchError) as raised:
            open_to_loopback(seconds=2.0).get(site.url(path))
        assert raised.value.retry is (path != "/br"), path


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\nbegins"])
def test_however_slowly_an_answer_drips_in_it_is_cut_off(said: bytes) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        stop = threading.Event()

        def drip() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(said)
                while not stop.wait(0.02):
                    try:
                        peer.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        try:
            with pytest.raises(FetchError, match="no answer in time"):
                open_to_loopback(seconds=0.3).get(f"http://127.0.0.1:{listening.getsockname()[1]}/")
            assert time.monotonic() - started < 10
        finally:
            stop.set()
            thread.join()


def test_nobody_there_is_said_with_the_host() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        open_to_loopback().get(f"http://127.0.0.1:{port}/")
    with pytest.raises(FetchError, match="not known"):
        Fetcher().get("http://nobody.invalid/")
