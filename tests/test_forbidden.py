"""Addresses that must lead nowhere, each by its name: none of them brings a packet to this machine's own listeners.

The listeners are real, one for all addresses of IPv4 that this machine has and one for those of IPv6; a connection that
was made waits in them to be counted, whether or not anybody took it.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pytest
from sinks import Site, serving

from archive.errors import FetchRefused
from archive.fetch import REDIRECTS, Fetcher, resolved

# `PORT` stands for the port of the listeners.
URLS = {
    # This machine, as it is written plainly
    "loopback": "http://127.0.0.1:PORT/",
    "loopback, another of its addresses": "http://127.8.8.8:PORT/",
    "loopback of IPv6": "http://[::1]:PORT/",
    "loopback of IPv6, in full": "http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/",
    "loopback of IPv6, with a zone": "http://[::1%25lo]:PORT/",
    "no address in particular": "http://0.0.0.0:PORT/",
    "no address in particular, of IPv6": "http://[::]:PORT/",
    "localhost": "http://localhost:PORT/",
    "localhost in capitals": "http://LOCALHOST:PORT/",
    "localhost with a dot": "http://localhost.:PORT/",
    "localhost.localdomain": "http://localhost.localdomain:PORT/",
    "a name below localhost": "http://news.localhost:PORT/",
    "ip6-localhost": "http://ip6-localhost:PORT/",
    # The same as system libraries read it
    "one number": "http://2130706433:PORT/",
    "one number, hexadecimal": "http://0x7f000001:PORT/",
    "one number, octal": "http://017700000001:PORT/",
    "octal": "http://0177.0.0.1:PORT/",
    "octal with more zeros": "http://0000177.0.0.1:PORT/",
    "hexadecimal": "http://0x7f.0x0.0x0.0x1:PORT/",
    "hexadecimal and decimal": "http://0x7f.1:PORT/",
    "two numbers": "http://127.1:PORT/",
    "three numbers": "http://127.0.1:PORT/",
    "nought": "http://0:PORT/",
    "loopback with a dot": "http://127.0.0.1.:PORT/",
    "nought, hexadecimal": "http://0x0:PORT/",
    # Letters that mean others
    "fullwidth digits": "http://１２７.０.０.１:PORT/",
    "digits in circles": "http://①②⑦.⓪.⓪.①:PORT/",
    "digits of Arabic": "http://١٢٧.٠.٠.١:PORT/",
    "ideographic full stops": "http://127。0。0。1:PORT/",
    "fullwidth full stops": "http://127．0．0．1:PORT/",
    "halfwidth full stops": "http://127｡0｡0｡1:PORT/",
    "localhost in fullwidth letters": "http://ｌｏｃａｌｈｏｓｔ:PORT/",
    "localhost with a long s": "http://localhoſt:PORT/",
    "escaped": "http://%31%32%37.0.0.1:PORT/",
    "a soft hyphen": "http://local\u00adhost:PORT/",
    "a tab within": "http://127.0.\t0.1:PORT/",
    "a line end within": "http://127.0.0.1\r\n:PORT/",
    "punycode of nothing": "http://xn--localhost-:PORT/",
    # IPv4 wrapped in IPv6
    "mapped": "http://[::ffff:127.0.0.1]:PORT/",
    "mapped, hexadecimal": "http://[::ffff:7f00:1]:PORT/",
    "compatible": "http://[::127.0.0.1]:PORT/",
    "translated": "http://[::ffff:0:127.0.0.1]:PORT/",
    "NAT64": "http://[64:ff9b::127.0.0.1]:PORT/",
    "NAT64, local use": "http://[64:ff9b:1::127.0.0.1]:PORT/",
    "6to4": "http://[2002:7f00:1::]:PORT/",
    "Teredo": "http://[2001:0:7f00:1::80ff:fffe]:PORT/",
    "mapped metadata": "http://[::ffff:169.254.169.254]/latest/meta-data/",
    # Others behind the wall
    "private, ten": "http://10.0.0.1:PORT/",
    "private, 172": "http://172.16.0.1:PORT/",
    "private, 192": "http://192.168.0.1:PORT/",
    "carrier's own": "http://100.64.0.1:PORT/",
    "link-local": "http://169.254.1.1:PORT/",
    "link-local of IPv6": "http://[fe80::1]:PORT/",
    "unique local of IPv6": "http://[fd12:3456:789a::1]:PORT/",
    "site-local of IPv6": "http://[fec0::1]:PORT/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "metadata as one number": "http://2852039166/latest/meta-data/",
    "metadata of IPv6": "http://[fd00:ec2::254]/latest/meta-data/",
    "another cloud's metadata": "http://100.100.100.200/latest/meta-data/",
    "a third cloud's host": "http://168.63.129.16/machine/",
    "everybody": "http://255.255.255.255:PORT/",
    "many": "http://224.0.0.1:PORT/",
    "many, of IPv6": "http://[ff02::1]:PORT/",
    "benchmarks": "http://198.18.0.1:PORT/",
    "documentation": "http://203.0.113.1:PORT/",
    # Who is meant
    "a user's name that looks like a host": "http://news.example@127.0.0.1:PORT/",
    "a password": "http://news.example:80@127.0.0.1:PORT/",
    "an empty user": "http://@127.0.0.1:PORT/",
    "a backslash before the user's end": "http://news.example\\@127.0.0.1:PORT/",
    "a backslash after the host": "http://127.0.0.1:PORT\\.news.example/",
    "a fragment before the user's end": "http://127.0.0.1:PORT#@news.example/",
    "a query before the user's end": "http://127.0.0.1:PORT?@news.example/",
    "two users": "http://news.example@news.example@127.0.0.1:PORT/",
    # Ways in that are none
    "a port that is no web's": "http://8.8.8.8:22/",
    "a port of mail": "http://8.8.8.8:25/",
    "a port past the last": "http://127.0.0.1:99999/",
    "a port that is no number": "http://127.0.0.1:http/",
    "a file": "file:///etc/passwd",
    "a file on a host": "file://127.0.0.1:PORT/etc/passwd",
    "gopher": "gopher://127.0.0.1:PORT/_GET",
    "ftp": "ftp://127.0.0.1:PORT/",
    "dict": "dict://127.0.0.1:PORT/d:word",
    "ldap": "ldap://127.0.0.1:PORT/",
    "jar": "jar:http://127.0.0.1:PORT!/",
    "data": "data:text/html,news",
    "script": "javascript:fetch('http://127.0.0.1:PORT/')",
    "no scheme": "//127.0.0.1:PORT/",
    "no scheme, and no slashes": "127.0.0.1:PORT",
    "over TLS": "https://127.0.0.1:PORT/",
}

# What a name may be found to mean, though it looks like any other.
MEANINGS = {
    "loopback": ["127.0.0.1"],
    "loopback of IPv6": ["::1"],
    "mapped": ["::ffff:127.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1"],
    "private": ["10.0.0.1"],
    "metadata": ["169.254.169.254"],
    "metadata of IPv6": ["fd00:ec2::254"],
    "this machine's own": [*resolved(socket.gethostname(), 80)] or ["127.0.0.1"],
    "a public one, then loopback": ["8.8.8.8", "127.0.0.1"],
    "loopback, then a public one": ["127.0.0.1", "8.8.8.8"],
    "a public one of IPv6, then loopback": ["2606:4700::1111", "::1"],
}

# Where redirects lead: one of each kind.
LED_TO = {
    "loopback": "http://127.0.0.1:PORT/",
    "loopback of IPv6": "http://[::1]:PORT/",
    "the same, without a scheme": "//127.0.0.1:PORT/",
    "as one number": "http://2130706433:PORT/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "a private network": "http://10.0.0.1:PORT/",
    "a name of ours": "http://inside.example:PORT/",
    "over TLS": "https://localhost:PORT/",
    "a file": "file:///etc/passwd",
    "no address": "http://[::1",
}

HERE = "127.9.9.9"  # where the site is that redirects: the one address that is allowed


class Listeners:
    """What listens at every address of this machine, at one port, and tells how many connections were made."""

    def __init__(self) -> None:
        self._sockets = [socket.create_server(("", 0), backlog=100)]
        self.port: int = self._sockets[0].getsockname()[1]
        if socket.has_ipv6:
            other = socket.create_server(("::", self.port), family=socket.AF_INET6, backlog=100)
            self._sockets.append(other)
        for each in self._sockets:
            each.setblocking(False)

    def connections(self) -> int:
        return sum(self._counted(each) for each in self._sockets)

    @staticmethod
    def _counted(listening: socket.socket) -> int:
        count = 0
        while True:
            try:
                peer, _ = listening.accept()
            except BlockingIOError:
                return count
            peer.close()
            count += 1

    def close(self) -> None:
        for each in self._sockets:
            each.close()


@pytest.fixture(scope="module")
def listeners() -> Iterator[Listeners]:
    with closing(Listeners()) as listening:
        for host in ("127.0.0.1", "::1") if socket.has_ipv6 else ("127.0.0.1",):
            socket.create_connection((host, listening.port)).close()
            assert listening.connections() == 1, "a connection that is made would be counted"
        yield listening


@contextmanager
def nobody_came(listeners: Listeners) -> Iterator[None]:
    yield
    assert listeners.connections() == 0


def fetcher(meanings: Mapping[str, list[str]]) -> Fetcher:
    known = {"news.example": ["8.8.8.8"], "news.localhost": ["127.0.0.1"], "localhost.localdomain": ["127.0.0.1"]}

    def resolve(host: str, port: int) -> list[str]:
        return {**known, **meanings}.get(host) or list(resolved(host, port))

    return Fetcher(allow=[f"{HERE}/32"], resolve=resolve, seconds=2.0)


def test_there_are_sixty_and_more() -> None:
    assert len(URLS) + len(MEANINGS) >= 60
    assert len(set(URLS.values())) == len(URLS)


@pytest.mark.parametrize("name", URLS)
def test_this_address_is_refused(listeners: Listeners, name: str) -> None:
    with nobody_came(listeners), pytest.raises(FetchRefused):
        fetcher({}).get(URLS[name].replace("PORT", str(listeners.port)))


@pytest.mark.parametrize("name", MEANINGS)
def test_a_name_that_means_this_is_refused(listeners: Listeners, name: str) -> None:
    with nobody_came(listeners), pytest.raises(FetchRefused, match=r"not on the public internet|only ports"):
        fetcher({"inside.example": MEANINGS[name]}).get(f"http://inside.example:{listeners.port}/")


@pytest.mark.parametrize("name", LED_TO)
def test_no_redirect_leads_there(listeners: Listeners, name: str) -> None:
    location = LED_TO[name].replace("PORT", str(listeners.port))
    with serving(Site(host=HERE)) as site:
        for status in sorted(REDIRECTS):
            site.answers[f"/{status}"] = (status, {"Location": location}, b"")
            with nobody_came(listeners), pytest.raises(FetchRefused):
                fetcher({"inside.example": ["127.0.0.1"]}).get(site.url(f"/{status}"))
        assert len(site.asked) == len(REDIRECTS)


def test_a_name_that_means_another_host_at_the_second_look_is_not_looked_up_twice(listeners: Listeners) -> None:
    """DNS rebinding, within one request: first allowed, then this machine."""
    looked_up = []

    def flips(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return [HERE] if len(looked_up) == 1 else ["127.0.0.1"]

    with serving(Site(host=HERE)) as site:
        flipping = Fetcher(allow=[f"{HERE}/32"], resolve=flips)
        assert flipping.get(site.url(host="flips.example")).body == b"hello"
        site.answers["/again"] = (302, {"Location": "/elsewhere"}, b"")
        looked_up.clear()
        with nobody_came(listeners), pytest.raises(FetchRefused, match="not on the public internet"):
            flipping.get(site.url("/again", host="flips.example"))
    assert looked_up == ["flips.example"] * 2, "once for the address, once for where it leads"
