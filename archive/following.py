"""A round: everything that is followed and due is asked whether it has something new.

Hosts are asked side by side, what is of one host one after the other. What fails is asked again later and later, to a
day; what is gone for good is asked no more.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Literal

from archive.article import Entry, Rejection
from archive.errors import FetchError, SourceError
from archive.fetching import MOST_FEED_BYTES, Fetching, PageProblem, Unreadable, validators_of
from archive.follows import Follow, FollowKind, Follows, host_of
from archive.ingest import IngestReport, take
from archive.quarantine import Notes, Quarantine
from archive.readers.isolated.web_content import WebContent
from archive.store import Store
from archive.visits import Visits, left_alone

HOSTS_AT_ONCE = 8
LONGEST_WAIT = 24 * 60 * 60  # seconds between two attempts
NOT_MODIFIED, GONE = 304, 410

Outcome = Literal["new", "unchanged", "failed", "put_off", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of one that was followed. `left`: pages to be fetched in later rounds; `pages`: could not be had."""

    url: str
    title: str | None
    outcome: Outcome
    report: IngestReport = field(default_factory=IngestReport)
    left: int = 0
    pages: tuple[PageProblem, ...] = ()
    moved_to: str | None = None
    problem: str | None = None
    again_in: int | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Follower:
    """Asks what is followed by `follows` and due, and brings what is new into `store`, what is unreadable aside."""

    store: Store
    follows: Follows
    visits: Visits
    fetching: Fetching
    quarantine: Quarantine | None = None

    def round(self, say: Callable[[Asked], None] = lambda _: None) -> list[Asked]:
        """Ask all that is due, and return what became of each, in the order in which they were done."""
        hosts: dict[str, list[Follow]] = defaultdict(list)
        for follow in self.follows.due():
            hosts[host_of(follow.url)].append(follow)
        done: list[Asked] = []
        with ThreadPoolExecutor(HOSTS_AT_ONCE, thread_name_prefix="follow") as threads:
            asking: list[Future[None]] = []

            def ask(host: str) -> None:
                for follow in hosts[host]:
                    asked = self._asked(follow)
                    done.append(asked)
                    say(asked)

            try:
                asking += [threads.submit(ask, host) for host in hosts]
                for each in as_completed(asking):
                    each.result()
            finally:  # when this is interrupted, or the store fails
                self.fetching.stop()
                threads.shutdown(wait=False, cancel_futures=True)
        return done

    def _asked(self, follow: Follow) -> Asked:
        if seconds := self.follows.busy(host_of(follow.url)):  # it said so a moment ago, to another of this host
            busy = left_alone(host_of(follow.url), seconds, now=self.follows.now())
            return Asked(url=follow.url, title=follow.title, outcome="put_off", problem=busy, again_in=seconds)
        try:
            answer = self.visits.named(follow.url, most_bytes=MOST_FEED_BYTES, headers=follow.validators.headers())
            moved_to = answer.url if answer.moved and answer.url != follow.url else None
            digest = hashlib.sha256(answer.body).digest()
            if answer.status == GONE:
                return self._gone(follow)
            if answer.status == NOT_MODIFIED or (200 <= answer.status < 300 and digest == follow.body_hash):
                if moved_to and not self.follows.moved(follow, moved_to):
                    return self._followed_twice(follow, moved_to)
                self.follows.unchanged(follow)
                return Asked(url=follow.url, title=follow.title, outcome="unchanged", moved_to=moved_to)
            found = self.fetching.checked(answer)
            kind = kind_of(found)
        except (FetchError, SourceError) as error:
            return self._failed(follow, error)
        if moved_to and not self.follows.moved(follow, moved_to):
            return self._followed_twice(follow, moved_to)
        report = IngestReport()
        with Notes(self.quarantine) as notes:

            def bring_in(entry: Entry) -> None:
                if isinstance(entry, Rejection):
                    notes.add(entry)
                take(entry, self.store, report)

            taken = self.fetching.take(found, bring_in, teller=follow.url)
        new, problem = report.added + report.updated, _problem(taken.problems)
        if taken.left or found.kind == "index":  # which may stay the same when its sitemaps change
            self.follows.partly_read(follow, kind=kind, title=found.title, found=new, problem=problem)
        else:
            self.follows.read(
                follow,
                kind=kind,
                title=found.title,
                validators=validators_of(answer),
                body_hash=digest,
                found=new,
                problem=problem,
            )
        outcome: Outcome = "new" if new or report.held or report.withdrawn else "unchanged"
        title = found.title or follow.title
        return Asked(
            url=follow.url,
            title=title,
            outcome=outcome,
            report=report,
            left=taken.left,
            pages=taken.problems,
            moved_to=moved_to,
        )

    @staticmethod
    def _followed_twice(follow: Follow, url: str) -> Asked:
        problem = f"moved for good to {url}, which is followed"
        return Asked(url=follow.url, title=follow.title, outcome="gone", problem=problem)

    def _gone(self, follow: Follow) -> Asked:
        problem = f"{host_of(follow.url)} answered {GONE}: it is gone for good"
        self.follows.gone(follow, problem)
        return Asked(url=follow.url, title=follow.title, outcome="gone", problem=problem)

    def _failed(self, follow: Follow, error: FetchError | SourceError) -> Asked:
        wait = min(follow.every * 2 ** min(follow.failures + 1, 20), LONGEST_WAIT)
        spread = random.uniform(1.0, 1.1)  # noqa: S311 so that those that failed together do not all come back at once
        asked_for = error.wait if isinstance(error, FetchError) else 0
        seconds = max(int(wait * spread), asked_for)
        if isinstance(error, Unreadable):
            with Notes(self.quarantine) as notes:
                notes.add(Rejection(source=follow.url, reason=str(error), raw=error.raw))
        self.follows.failed(follow, str(error), seconds=seconds)
        return Asked(url=follow.url, title=follow.title, outcome="failed", problem=str(error), again_in=seconds)


def _problem(pages: Sequence[PageProblem]) -> str | None:
    """Say how many pages could not be had, and why the last could not."""
    if not pages:
        return None
    last = pages[-1]
    return f"{len(pages)} page{'s' if len(pages) > 1 else ''} not fetched, the last {last.url}: {last.reason}"


def kind_of(found: WebContent) -> FollowKind:
    """Return as what something is followed. Raises SourceError when that is nothing, or nothing of it can be read."""
    if found.kind == "feed":
        if found.entries and not found.items:  # rejections alone
            raise SourceError(getattr(found.entries[0], "reason", "nothing in it can be read"))
        return "feed"
    if found.kind in ("sitemap", "index"):
        return "sitemap"
    raise SourceError(f"a {found.kind} and no feed or sitemap")


@dataclass(frozen=True, slots=True)
class Discovered:
    """What there is to follow at an address, or at the first that a page there names; `others` are the rest."""

    url: str
    title: str | None
    kind: FollowKind
    others: tuple[str, ...] = ()


def discovered(visits: Visits, fetching: Fetching, url: str) -> Discovered:
    """Return what there is to follow at `url`. Raises FetchError, and SourceError when there is nothing."""
    answer = visits.named(url, most_bytes=MOST_FEED_BYTES)
    found, others = fetching.checked(answer), list[str]()
    if found.kind == "page":
        first, *others = found.links or [""]
        if not first:
            raise SourceError(f"{url}: a page that names no feed: give the feed's or the sitemap's own address")
        url, answer = first, visits.named(first, most_bytes=MOST_FEED_BYTES)
        found = fetching.checked(answer)
    return Discovered(answer.url if answer.moved else url, found.title, kind_of(found), tuple(others))
