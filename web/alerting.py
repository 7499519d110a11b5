"""A round of alerts: judge what is new, then send what waits in the outbox.

What is promised: an alert that is in the outbox is sent, however often this process is killed. Between the moment at
which a receiver has taken a message on and the one at which that is noted here, a kill makes the next round send the
very same message again, under the same name; nothing else ever does. A receiver that drops names it has had, as
mailboxes and Standard Webhooks do, gets each exactly once.
"""

import logging
import math
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from flask import current_app

from archive.alerts import Channel, Delivery
from archive.article import Article
from archive.errors import FetchError, FetchRefused
from archive.progress import Progress, silent
from index.alerts import Fired, Judge, fire
from web import mail, webhooks
from web.saved import asked_by
from web.services import Services

FIRST_WAIT, LONGEST_WAIT = 60, 12 * 60 * 60  # seconds between two attempts; each wait is four times the one before
GIVE_UP = timedelta(days=5)
KEPT_DAYS = 30  # that settled deliveries are remembered
REFUSED = "nothing can be sent to this address: it must be on the public internet"  # whatever its name means in here
AT_ONCE = 50  # deliveries read from the outbox together

log = logging.getLogger(__name__)

Outcome = Literal["sent", "put_off", "given_up", "dropped", "stopped"]
Say = Callable[["Event"], None]


@dataclass(frozen=True, slots=True)
class Event:
    """What became of one delivery."""

    outcome: Outcome
    kind: str
    to: str  # the receiver's host: whose address it is, is nobody else's business
    name: str
    articles: int | None  # none of the question whether an address wants alerts
    reason: str | None = None


@dataclass(slots=True)
class Round:
    """What a round of alerts came to."""

    judged: Fired
    counts: dict[Outcome, int] = field(default_factory=dict)
    waiting: int = 0  # deliveries for which there was no time


class _Failed(Exception):
    """Why a delivery did not go out, for its reader; `detail` says it to whoever runs the archive."""

    def __init__(self, reason: str, *, detail: str | None = None, lasting: bool = False, wait: int = 0) -> None:
        super().__init__(reason)
        self.detail = detail or reason
        self.lasting = lasting
        self.wait = wait


def run(parts: Services, *, progress: Progress = silent, say: Say = lambda _: None, seconds: float = math.inf) -> Round:
    """Judge and send; after so many seconds of sending the rest waits for another round.

    Raises ArchiveBusy when another process is at it, and NotJudged without an index.
    """
    with parts.alone(parts.settings.data / "alerts.lock"):
        done = Round(judged=_judge(parts, progress))
        if parts.settings.site_url:
            # Addresses and texts are made as for a reader who came to the site's own address.
            with current_app.test_request_context(base_url=parts.settings.site_url), ExitStack() as open_:
                _Outbox(parts, open_, say, done).send_all(until=time.monotonic() + seconds)
        parts.alerts.forget_settled(days=KEPT_DAYS)
        return done


def _judge(parts: Services, progress: Progress) -> Fired:
    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        if not parts.alerts.behind(engine.seq):
            return Fired()
        judge = Judge(engine, parts.models.embedder)
        return fire(parts.store, parts.alerts, judge, until=engine.seq, read=asked_by, progress=progress)


class _Outbox:
    """Sends what waits, one after the other; a receiver that fails is left alone for the rest of the round.

    A host that cannot be spoken with is left alone at all its addresses, and the mail server likewise.
    """

    def __init__(self, parts: Services, open_: ExitStack, say: Say, done: Round) -> None:
        self._parts = parts
        self._say = say
        self._done = done
        self._failed: dict[str, _Failed] = {}
        url = parts.settings.smtp_url
        self._mailer = open_.enter_context(mail.mailing(url)) if url and parts.settings.mail_from else None

    def send_all(self, *, until: float) -> None:
        """Go through the outbox until nothing more is due, or that time has come."""
        while waiting := self._parts.alerts.due(limit=AT_ONCE):
            for delivery in waiting:
                if time.monotonic() >= until:
                    self._done.waiting = self._parts.alerts.count_due()
                    return
                self._settle(delivery)

    def _settle(self, delivery: Delivery) -> None:
        articles: list[Article] = []
        try:
            articles = self._articles(delivery)
            wanted = self._is_wanted(delivery, articles)
            if wanted:
                self._send(delivery, articles)
        except _Failed as failed:
            self._after(delivery, articles, failed)
        except Exception as error:  # whatever it is, it is this delivery's alone: all others go out
            log.exception("a delivery by %s failed", delivery.channel.kind)
            reason = f"this archive could not make or send the message ({type(error).__name__})"
            self._after(delivery, articles, _Failed(reason))
        else:
            outcome: Literal["sent", "dropped"] = "sent" if wanted else "dropped"
            self._parts.alerts.settle(delivery.id, outcome)
            self._note(delivery, articles, outcome)

    def _is_wanted(self, delivery: Delivery, articles: list[Article]) -> bool:
        """Return whether it is still to be sent: neither withdrawn since, nor answered or stopped."""
        if delivery.alerts is None:
            return self._parts.alerts.may_be_asked(delivery.channel)
        return delivery.channel.state == "active" and bool(articles)

    def _articles(self, delivery: Delivery) -> list[Article]:
        alerts = self._parts.alerts.delivered(delivery)
        shown = self._parts.store.live([alert.article_id for alert in alerts])
        return [shown[alert.article_id] for alert in alerts if alert.article_id in shown]

    def _send(self, delivery: Delivery, articles: list[Article]) -> None:
        channel = delivery.channel
        everybody = "mail" if channel.kind == "mail" else f"//{_host(channel)}"
        if known := self._failed.get(channel.address) or self._failed.get(everybody):
            raise known
        try:
            if channel.kind == "webhook":
                webhooks.post(self._parts.fetcher, delivery, articles)
            else:
                self._mail(delivery, articles)
        except webhooks.WebhookProblem as problem:
            failed, of = _Failed(str(problem), lasting=problem.lasting, wait=problem.wait), channel.address
        except FetchRefused as problem:
            failed, of = _Failed(REFUSED, detail=str(problem)), everybody
        except FetchError as problem:
            failed, of = _Failed(str(problem)), everybody
        except mail.MailProblem as problem:
            failed = _Failed(str(problem), lasting=problem.lasting)
            of = everybody if problem.to_all else channel.address
        else:
            return
        self._failed[of] = failed
        raise failed

    def _mail(self, delivery: Delivery, articles: list[Article]) -> None:
        settings = self._parts.settings
        if self._mailer is None:
            raise mail.MailProblem("this archive has no mail server at present")
        if delivery.alerts is None:
            self._mailer.send(mail.question_message(delivery, settings))
        else:
            self._mailer.send(mail.alert_message(delivery, articles, settings))

    def _after(self, delivery: Delivery, articles: list[Article], failed: _Failed) -> None:
        reason, alerts = str(failed), self._parts.alerts
        outcome: Outcome
        if failed.lasting:
            alerts.stop(delivery.channel.id, reason)
            outcome = "stopped"
        elif alerts.now() - delivery.created_at > GIVE_UP:
            alerts.settle(delivery.id, "given_up", reason=reason)
            outcome = "given_up"
        else:
            wait = min(FIRST_WAIT * 4 ** min(delivery.attempts, 10), LONGEST_WAIT)
            spread = random.uniform(0.8, 1.2)  # noqa: S311 so that those that failed together do not all come back at once
            alerts.put_off(delivery.id, seconds=max(int(wait * spread), failed.wait), reason=reason)
            outcome = "put_off"
        self._note(delivery, articles, outcome, failed.detail)

    def _note(self, delivery: Delivery, articles: list[Article], outcome: Outcome, reason: str | None = None) -> None:
        self._done.counts[outcome] = self._done.counts.get(outcome, 0) + 1
        channel, number = delivery.channel, None if delivery.alerts is None else len(articles)
        self._say(Event(outcome, channel.kind, _host(channel), delivery.search.name, number, reason))


def _host(channel: Channel) -> str:
    address = channel.address
    return address.rpartition("@")[2] if channel.kind == "mail" else urlsplit(address).hostname or ""
