"""Polite requests: to one host at a time, with pauses, and where nobody named the address, by leave of its robots.txt.

What an operator names, on the command line or as a feed that is followed, is asked for by a person, and a robots.txt is
not for persons; what was found in a feed or sitemap is fetched by a robot, and obeys (RFC 9309).
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from archive import robots
from archive.errors import FetchError
from archive.fetch import Fetched, Fetcher
from archive.follows import TROUBLED, TROUBLED_SECONDS, Follows, host_of
from archive.robots import Robots

PAUSE = 1.0  # seconds between two requests to a host, at least
BUSY = {429, 503}  # Too Many Requests, Service Unavailable
UNSAID_WAIT = 60  # seconds that a busy host is left alone when it does not say for how long
UNREACHABLE = 599  # kept as the status of a robots.txt that could not be asked for


def left_alone(host: str, seconds: int, *, now: datetime) -> str:
    """Say until when a host asks to be left alone, and for about how long that is."""
    until = (now + timedelta(seconds=seconds)).astimezone(UTC)
    day = "" if until.date() == now.astimezone(UTC).date() else f"{until:%Y-%m-%d} "
    return f"{host} asks to be left alone until {day}{until:%H:%M} UTC ({_about(seconds)})"


def _about(seconds: int) -> str:
    """Return a time in words, in hours from an hour on, in minutes from a minute on."""
    for name, size in (("hour", 60 * 60), ("minute", 60)):
        if (count := round(seconds / size)) and seconds > 0.9 * size:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"


class NotAsked(FetchError):
    """An address that is not asked now, for what its host has said before."""


@dataclass(slots=True)
class _Host:
    """What is known of a host in this process; times by the clock of `Visits`."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    asked_at: float = -math.inf
    pause: float = PAUSE


class Visits:
    """Makes requests through the one door. Safe to use from several threads, which wait for each other's hosts."""

    def __init__(
        self,
        fetcher: Fetcher,
        follows: Follows,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the door, where robots.txt files are kept, and what tells the time and waits."""
        self._fetcher = fetcher
        self._follows = follows
        self._clock = clock
        self._sleep = sleep
        self._token = robots.product_token(fetcher.user_agent)
        self._hosts: dict[str, _Host] = {}
        self._opening = threading.Lock()

    def named(self, url: str, *, most_bytes: int, headers: Mapping[str, str] | None = None) -> Fetched:
        """Return what is at an address that somebody named. Raises FetchError, as NotAsked when it is not asked now."""
        return self._admitted(self._fetcher.get(url, headers=headers, most_bytes=most_bytes, turn=self._turn))

    def found(self, url: str, *, most_bytes: int, headers: Mapping[str, str] | None = None) -> Fetched:
        """Return what is at an address that was found, if we may. Raises FetchError, also as NotAsked."""
        return self._admitted(self._fetcher.get(url, headers=headers, most_bytes=most_bytes, turn=self._turn_by_leave))

    @contextmanager
    def _turn(self, url: str) -> Iterator[None]:
        host = self._host(url)
        with host.turn:
            if busy := self._follows.busy(host_of(url)):
                raise NotAsked(left_alone(host_of(url), busy, now=self._follows.now()), wait=busy)
            if (early := host.asked_at + host.pause - self._clock()) > 0:
                self._sleep(early)
            try:
                yield
            finally:
                host.asked_at = self._clock()

    @contextmanager
    def _turn_by_leave(self, url: str) -> Iterator[None]:
        rules = self._robots(url)
        if rules is robots.NOTHING:
            raise NotAsked(f"{host_of(url)} cannot say now what it lets us fetch", wait=TROUBLED_SECONDS)
        if not rules.allows(url):
            raise FetchError(f"{host_of(url)}: its robots.txt does not let us fetch this page", retry=False)
        with self._turn(url):
            yield

    def _robots(self, url: str) -> Robots:
        """Return what a site allows, asking it once a day; two threads may ask at the same time, which does no harm."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc.lower()}"
        status, body = self._follows.robots(site) or self._asked_for_robots(site)
        meant = robots.meant(status, body, token=self._token)
        self._host(url).pause = max(PAUSE, meant.delay)
        return meant

    def _asked_for_robots(self, site: str) -> tuple[int, bytes]:
        try:
            answer = self._fetcher.get(f"{site}/robots.txt", most_bytes=4 * robots.MOST_BYTES, turn=self._turn)
            status, body = answer.status, answer.body[: robots.MOST_BYTES] if answer.status < TROUBLED else b""
            self._heed(answer)
        except FetchError as error:
            status, body = (UNREACHABLE if error.retry else 404), b""
        self._follows.keep_robots(site, status, body)
        return status, body

    def _admitted(self, answer: Fetched) -> Fetched:
        self._heed(answer)
        if answer.status in BUSY:
            raise FetchError(f"{host_of(answer.url)} answered {answer.status}", wait=answer.wait())
        return answer

    def _heed(self, answer: Fetched) -> None:
        """Leave a host alone for as long as it says."""
        if answer.status in BUSY:
            self._follows.stay_away(host_of(answer.url), seconds=answer.wait() or UNSAID_WAIT)

    def _host(self, url: str) -> _Host:
        with self._opening:
            return self._hosts.setdefault(host_of(url), _Host())
