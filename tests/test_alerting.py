"""Alerts on their way: what is sent, signed and tried again, and what becomes of it when the process is killed.

Real sockets throughout. Kills: 6 of a real `flask alerts`, while it judges, while a receiver has a message and has not
answered, and at the moment at which it has.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import newsroom
import pytest
from copied import report
from flask import Flask
from processes import PATIENCE, Newsroom
from sinks import Post, Site, certified, receiving, serving

from archive.alerts import Alerts, Channel, LimitReached, SavedSearch
from archive.article import Article
from archive.errors import ArchiveBusy
from archive.fetch import Fetcher
from archive.ingest import ingest
from archive.lock import exclusive
from archive.questions import DAYS, MOST_QUESTIONS
from web import create_app
from web.alerting import GIVE_UP, Event, Round, run
from web.channels import written_secret
from web.mail import MailProblem, mailing
from web.services import Services
from web.settings import Settings

SITE = "https://archive.example.org"
ME = "me@reader.example"


@dataclass
class Office:
    """An archive that sends alerts, its two receivers, and a clock that can be put on."""

    app: Flask
    parts: Services
    post: Post
    site: Site
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def came_in(self, *articles: Article) -> None:
        for one in articles:
            self.parts.store.put(one)
        self.parts.builder.update()

    def saved(self, name: str = "Floods", question: str = "q=flood") -> SavedSearch:
        return self.parts.alerts.save(name=name, question=question, after_seq=0, most=100)[1]

    def webhook(self, search: SavedSearch, path: str = "/hook") -> Channel:
        return self.parts.alerts.add_channel(search.id, "webhook", self.site.url(path))[0]

    def mail(self, search: SavedSearch, address: str = ME, *, confirmed: bool = True) -> Channel:
        channel, _ = self.parts.alerts.add_channel(search.id, "mail", address)
        if confirmed:
            self.parts.alerts.confirm(channel.id)
        return channel

    def round(self) -> tuple[Round, list[Event]]:
        events: list[Event] = []
        with self.app.app_context():
            return run(self.parts, say=events.append), events

    def outcomes(self) -> list[str]:
        return [event.outcome for event in self.round()[1]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with receiving(Post()) as post, serving(Site()) as site:
        settings = Settings(
            data=tmp_path, site_url=SITE, smtp_url=post.url, mail_from="Archive <alerts@archive.example.org>",
            fetch_allow="127.0.0.0/8",
        )  # fmt: skip
        parts = Services(settings, embedder=newsroom.MeaningEmbedder())
        office = Office(create_app(services=parts), parts, post, site)
        parts.made["alerts"] = Alerts(parts.store, clock=office.now)
        office.came_in(report(1, "A quiet day."))
        yield office
        parts.close()


FIRST, SECOND = report(2, "The flood came.", hours=1, source="The_Wire"), report(3, "The flood <b>went</b>.")


# Webhooks


def test_a_webhook_gets_the_articles_signed_as_the_standard_says(office: Office) -> None:
    search = office.saved()
    channel = office.webhook(search)
    office.came_in(FIRST, SECOND)
    assert office.outcomes() == ["sent"]
    ((_, _, headers, body),) = office.site.asked
    message = json.loads(body)
    assert message["type"] == "alert.fired"
    assert message["data"]["saved_search"] == {"name": "Floods", "url": f"{SITE}/search?q=flood"}
    assert [one["url"] for one in message["data"]["articles"]] == [
        f"{SITE}/articles/{one.id}" for one in (FIRST, SECOND)
    ]
    assert message["data"]["articles"][0]["published_at"] == "2019-03-01T10:00:00Z"
    key = base64.b64decode(written_secret(channel).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < PATIENCE
    assert office.outcomes() == []


def test_what_fails_is_tried_again_later_and_later_under_the_same_name_until_it_is_given_up(office: Office) -> None:
    search = office.saved()
    channel = office.webhook(search)
    office.site.answers["/hook"] = (500, {}, b"")
    office.came_in(FIRST)
    assert office.outcomes() == ["put_off"]
    assert office.outcomes() == []  # not yet
    waits = []
    while (outcome := office.outcomes()) != ["given_up"]:
        if outcome == ["put_off"]:
            waits.append(office.ahead)
        assert "answered 500" in (office.parts.alerts.last_problem(channel.id) or "")
        office.ahead += timedelta(minutes=20)
        assert office.ahead < 2 * GIVE_UP
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert gaps[-1] > timedelta(hours=9)
    assert len({headers["webhook-id"] for _, _, headers, _ in office.site.asked}) == 1
    assert "answered 500" in (office.parts.alerts.last_problem(channel.id) or "")
    office.site.answers.clear()
    office.came_in(SECOND)
    assert office.outcomes() == ["sent"]
    assert office.parts.alerts.last_problem(channel.id) is None


def test_a_receiver_that_says_when_is_asked_no_sooner_and_one_that_is_gone_never(office: Office) -> None:
    search = office.saved()
    channel = office.webhook(search)
    office.site.answers["/hook"] = (503, {"Retry-After": "7200"}, b"")
    office.came_in(FIRST)
    assert office.outcomes() == ["put_off"]
    office.ahead += timedelta(hours=1)
    assert office.outcomes() == []
    office.ahead += timedelta(hours=1, minutes=1)
    office.site.answers["/hook"] = (410, {}, b"")
    assert office.outcomes() == ["stopped"]
    office.came_in(SECOND)
    assert office.outcomes() == []
    (there,) = office.parts.alerts.channels(search.id)
    assert (there.id, there.state, there.problem) == (channel.id, "stopped", "the receiver answered 410")


def test_a_receiver_that_fails_is_asked_once_a_round_and_keeps_no_other_waiting(office: Office) -> None:
    for name in ("One", "Two", "Three"):
        search = office.saved(name)
        office.webhook(search, "/down")
        office.webhook(search, "/up")
    office.site.answers["/down"] = (500, {}, b"")
    office.came_in(FIRST)
    assert sorted(office.outcomes()) == ["put_off"] * 3 + ["sent"] * 3
    assert Counter(path for _, path, _, _ in office.site.asked) == {"/down": 1, "/up": 3}


def test_a_silent_host_costs_one_wait_whatever_its_addresses(office: Office) -> None:
    hung = threading.Event()
    office.site.before = lambda: hung.wait(PATIENCE) and None
    office.parts.made["fetcher"] = Fetcher(allow=["127.0.0.0/8"], seconds=0.3)
    search = office.saved()
    for number in range(4):
        office.webhook(search, f"/{number}")
    office.came_in(FIRST)
    assert office.outcomes() == ["put_off"] * 4
    assert len(office.site.asked) == 1
    hung.set()


def test_a_mail_server_that_says_nothing_is_waited_for_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    search = office.saved()
    for number in range(3):
        office.mail(search, f"r{number}@reader.example")
    office.came_in(FIRST)
    monkeypatch.setattr("web.mail.SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        away = Services(replace_settings(office.parts.settings, smtp_url=url), embedder=newsroom.MeaningEmbedder())
        with create_app(services=away).app_context():
            assert run(away).counts == {"dropped": 3, "put_off": 3}
        away.close()
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_what_there_is_no_time_for_waits_for_another_round(office: Office) -> None:
    search = office.saved()
    for number in range(3):
        office.webhook(search, f"/{number}")
    office.came_in(FIRST)
    with office.app.app_context():
        done = run(office.parts, seconds=0)
    assert (done.counts, done.waiting) == ({}, 3)
    assert office.outcomes() == ["sent"] * 3


def test_an_ingest_says_what_failed_and_what_waits(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.webhook(office.saved(), "/down")
    office.site.answers["/down"] = (500, {}, b"")
    came = tmp_path / "flood.txt"
    came.write_text("The flood\n\nThe flood came.\n", encoding="utf-8")
    told = office.app.test_cli_runner().invoke(args=["ingest", str(came)])
    assert told.exit_code == 0, told.output
    assert "put off: webhook to 127.0.0.1, 'Floods', 1 article: the receiver answered 500" in told.stderr
    monkeypatch.setattr("web.publishing.ALERT_SECONDS", 0.0)
    office.ahead += timedelta(hours=1)
    told = office.app.test_cli_runner().invoke(args=["ingest", str(came)])
    assert "messages left for `flask alerts`, for want of time: 1" in told.stderr
    monkeypatch.setattr(Alerts, "due", lambda *_, **__: 1 / 0)
    told = office.app.test_cli_runner().invoke(args=["ingest", str(came)])
    assert (told.exit_code, "alerts wait for `flask alerts`: ZeroDivisionError" in told.stderr) == (0, True)


def test_what_was_withdrawn_meanwhile_is_not_sent(office: Office) -> None:
    office.webhook(office.saved())
    office.site.answers["/hook"] = (500, {}, b"")
    office.came_in(FIRST, SECOND)
    office.outcomes()
    office.parts.store.remove(FIRST.id)
    office.site.answers.clear()
    office.ahead += timedelta(hours=1)
    assert office.outcomes() == ["sent"]
    assert [one["id"] for one in json.loads(office.site.asked[-1][3])["data"]["articles"]] == [SECOND.id]
    office.came_in(report(4, "Another flood."))
    office.site.answers["/hook"] = (500, {}, b"")
    office.outcomes()
    office.parts.store.remove(report(4, "").id)
    office.ahead += timedelta(hours=1)
    assert office.outcomes() == ["dropped"]


def test_an_address_that_became_private_is_not_asked(office: Office) -> None:
    channel = office.webhook(office.saved())
    office.came_in(FIRST)
    closed = Services(replace_settings(office.parts.settings, fetch_allow=None), embedder=newsroom.MeaningEmbedder())
    with create_app(services=closed).app_context():
        events: list[Event] = []
        run(closed, say=events.append)
    assert [(event.outcome, "not on the public internet (127.0.0.1)" in (event.reason or "")) for event in events] == [
        ("put_off", True)
    ]
    told = office.parts.alerts.last_problem(channel.id) or ""
    assert "must be on the public internet" in told
    assert "127.0.0.1" not in told  # nor what any other name means inside the archive's network
    assert office.site.asked == []
    closed.close()


def replace_settings(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


# Mail


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def links(message: object, pattern: str) -> list[str]:
    return re.findall(rf"{SITE}({pattern})", str(message))


def test_an_address_is_asked_first_and_gets_nothing_before_it_says_yes(office: Office) -> None:
    search = office.saved("Buy my pills")
    channel = office.mail(search, confirmed=False)
    office.came_in(FIRST)
    assert office.outcomes() == ["sent"]
    (question,) = office.post.taken
    assert (question["To"], question["From"]) == (ME, "Archive <alerts@archive.example.org>")
    assert "pills" not in str(question)  # a stranger's words are not sent to somebody who asked for nothing
    (path,) = links(text_of(question), rf"/alerts/{channel.id}/confirm/[\w-]+")
    client = office.app.test_client()
    assert "send them" in client.get(path).text
    office.came_in(SECOND)
    assert office.outcomes() == []  # following the link alone says nothing: programs do that
    assert client.post(path).status_code == 200
    office.came_in(report(4, "A third flood."))
    assert office.outcomes() == ["sent"]
    assert office.post.taken[-1]["Subject"] == "Buy my pills: Headline 4"


def test_an_address_may_forbid_to_be_asked_and_a_question_counts_for_a_month(office: Office) -> None:
    first = office.mail(office.saved(), confirmed=False)
    assert office.outcomes() == ["sent"]
    (path,) = links(text_of(office.post.taken[0]), rf"/alerts/{first.id}/stop/[\w-]+")
    office.mail(office.saved("Other"), ME.upper(), confirmed=False)
    client = office.app.test_client()
    assert "never be asked again" in client.get(path).text
    assert "is not asked again" in client.post(path).text
    assert office.outcomes() == ["dropped"]
    office.ahead += timedelta(days=DAYS + 1)
    with pytest.raises(LimitReached):
        office.mail(office.saved("Third"), confirmed=False)
    assert client.post(path.replace("stop", "confirm")).status_code == 404
    (yes,) = links(text_of(office.post.taken[0]), rf"/alerts/{first.id}/confirm/[\w-]+")
    assert client.post(yes).status_code == 200  # whoever has that mail may think better of it
    for number in range(MOST_QUESTIONS):
        office.mail(office.saved(f"More {number}"), confirmed=False)
    with pytest.raises(LimitReached):
        office.mail(office.saved("Fourth"), confirmed=False)
    office.ahead += timedelta(days=DAYS)
    office.mail(office.saved("Fifth"), confirmed=False)


def test_what_an_address_says_yes_to_does_not_count(office: Office) -> None:
    for number in range(2 * MOST_QUESTIONS):
        office.mail(office.saved(f"Search {number}"))


def test_one_mail_lists_what_a_round_found_and_one_click_ends_it(office: Office) -> None:
    search = office.saved()
    office.mail(search)
    office.came_in(FIRST, SECOND)
    assert office.outcomes() == ["dropped", "sent"]  # the question needs no asking any more
    (mail,) = office.post.taken
    assert mail["Subject"] == "Floods: 2 new articles"
    plain, rich = text_of(mail), text_of(mail, "html")
    assert "Headline 2\nThe Wire · 1 March 2019\n" + f"{SITE}/articles/{FIRST.id}" in plain
    assert f'<a href="{SITE}/articles/{SECOND.id}">Headline 3</a>' in rich
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = urlsplit(mail["List-Unsubscribe"].strip("<>")).path
    assert stop in plain
    client = office.app.test_client()
    assert client.get(stop).status_code == 200
    assert client.post(stop, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    office.came_in(report(4, "A third flood."))
    assert office.outcomes() == []


def test_a_link_for_one_answer_or_address_is_none_for_another(office: Office) -> None:
    one, other = office.mail(office.saved()), office.mail(office.saved("Other"))
    office.came_in(FIRST)
    office.outcomes()
    stop = urlsplit(office.post.taken[0]["List-Unsubscribe"].strip("<>")).path
    client = office.app.test_client()
    for path in (stop.replace("stop", "confirm"), stop.replace(f"/{one.id}/", f"/{other.id}/"), stop[:-1], f"{stop}x"):
        assert client.post(path).status_code == 404
    assert client.post(f"/alerts/{2**70}/stop/x").status_code == 404


def test_an_address_the_server_refuses_is_stopped_and_one_it_puts_off_is_tried_again(office: Office) -> None:
    search = office.saved()
    never, later = office.mail(search, "never@reader.example"), office.mail(search, "later@reader.example")
    office.post.refuses = {never.address: "550 no such user", later.address: "450 mailbox is busy"}
    office.came_in(FIRST)
    assert sorted(office.outcomes()) == ["dropped", "dropped", "put_off", "stopped"]
    states = {each.address: (each.state, each.problem) for each in office.parts.alerts.channels(search.id)}
    assert states == {never.address: ("stopped", "550 no such user"), later.address: ("active", None)}
    office.post.refuses = {}
    office.ahead += timedelta(hours=1)
    assert office.outcomes() == ["sent"]


def test_a_mail_server_that_is_away_is_waited_for(office: Office) -> None:
    office.mail(office.saved())
    office.came_in(FIRST)
    away = Services(
        replace_settings(office.parts.settings, smtp_url="smtp://127.0.0.1:1"), embedder=newsroom.MeaningEmbedder()
    )
    with create_app(services=away).app_context():
        assert run(away).counts == {"dropped": 1, "put_off": 1}
    away.close()
    office.ahead += timedelta(hours=1)
    assert office.outcomes() == ["sent"]


def test_headers_hold_whatever_a_name_and_a_headline_hold(office: Office) -> None:
    search = office.saved("Käse\r\nBcc: all@reader.example", question="q=flood")
    office.mail(search)
    office.came_in(replace(FIRST, title="Überschwemmung " + "lang " * 60))
    assert office.outcomes() == ["dropped", "sent"]
    (mail,) = office.post.taken
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Käse Bcc: all@reader.example: Überschwemmung")


def test_a_delivery_that_fails_in_a_way_nobody_thought_of_fails_alone(office: Office) -> None:
    bad, good = office.saved("Bad"), office.saved("Good")
    channel = office.mail(bad, "a..b@reader.example")  # as one may stand in an archive that took it
    office.mail(good)
    office.came_in(FIRST)
    _, events = office.round()
    assert {event.name: event.outcome for event in events if event.articles} == {"Bad": "put_off", "Good": "sent"}
    assert "could not make or send" in (office.parts.alerts.last_problem(channel.id) or "")
    (failed,) = [event for event in events if event.outcome == "put_off"]
    assert failed.reason == office.parts.alerts.last_problem(channel.id)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_password_is_told_over_tls_to_a_server_that_proves_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "alerts@archive.example.org", ME
    message.set_content("Hello.")
    context, certificate = certified(tmp_path, "IP:127.0.0.1")
    with receiving(Post(), tls=context, at_once=scheme == "smtps") as post:
        url = f"{scheme}://me:p%40ss@127.0.0.1:{post.port}"
        with mailing(url) as mailer, pytest.raises(MailProblem, match="certificate"):
            mailer.send(message)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with mailing(url) as mailer:
            mailer.send(message)
            mailer.send(message)
    assert post.logins == [b"\0me\0p@ss"]  # once: the connection is kept
    assert [text_of(mail) for mail in post.taken] == ["Hello.\n"] * 2


# Rounds


def test_without_an_address_of_its_own_the_archive_judges_and_sends_nothing(office: Office) -> None:
    office.webhook(office.saved())
    office.came_in(FIRST)
    mute = Services(replace_settings(office.parts.settings, site_url=None), embedder=newsroom.MeaningEmbedder())
    with create_app(services=mute).app_context():
        done = run(mute)
    assert (done.judged.alerts, done.counts) == (1, {})
    mute.close()
    assert office.outcomes() == ["sent"]


def test_two_rounds_at_once_are_refused(office: Office) -> None:
    with exclusive(office.parts.settings.data / "alerts.lock"), pytest.raises(ArchiveBusy):
        office.round()


# Killed

SEARCHES = 6  # each with a webhook and an address of its own


@dataclass
class Wire:
    """A newsroom on disk with saved searches, the receivers of their alerts, and processes that send them."""

    room: Newsroom
    post: Post
    site: Site

    def environment(self, **more: str) -> dict[str, str]:
        return self.room.environment(pause=float(more.pop("pause", "0"))) | {
            "BACKFILE_SITE_URL": SITE,
            "BACKFILE_SMTP_URL": self.post.url,
            "BACKFILE_MAIL_FROM": "alerts@archive.example.org",
            "BACKFILE_FETCH_ALLOW": "127.0.0.0/8",
            **more,
        }

    def start(self, *command: str, **more: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.room.command(*command), env=self.environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *command: str, **more: str) -> None:
        with self.start(*command, **more) as process:
            _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err.decode()

    def kill_when(self, arm: Callable[[Callable[[], None]], None]) -> None:
        """Start `flask alerts` and kill it at the moment that `arm` is told how to bring about."""
        process = self.start("alerts", pause="0.05")
        arm(lambda: os.kill(process.pid, signal.SIGKILL))
        process.communicate(timeout=PATIENCE)

    def messages(self) -> list[tuple[str, frozenset[str]]]:
        """Return what came, by name: the headlines in each."""
        posted = [
            (headers["webhook-id"], frozenset(one["title"] for one in json.loads(body)["data"]["articles"]))
            for _, _, headers, body in self.site.asked
        ]
        mailed = [
            (str(mail["Message-ID"]), frozenset(re.findall(r"^Report \d+$", text_of(mail), re.M)))
            for mail in self.post.taken
        ]
        return posted + mailed


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with receiving(Post()) as post, serving(Site()) as site:
        room = Newsroom(tmp_path)
        room.write("first.jsonl", range(3))
        wire = Wire(room, post, site)
        wire.run("ingest", str(tmp_path / "news"))
        with room.services() as parts:
            seq = parts.store.last_seq()
            for number in range(SEARCHES):
                _, search = parts.alerts.save(name=f"Search {number}", question="q=people+talk", after_seq=seq, most=99)
                parts.alerts.add_channel(search.id, "webhook", site.url(f"/{number}"))
                channel, _ = parts.alerts.add_channel(search.id, "mail", f"r{number}@reader.example")
                parts.alerts.confirm(channel.id)
        yield wire


def test_killed_at_any_moment_nothing_is_lost_and_nothing_comes_under_two_names(wire: Wire) -> None:
    again = 0
    for number, moment in enumerate(moments(wire)):
        wire.room.write(f"more{number}.jsonl", range(10 + number, 11 + number))
        with wire.room.services() as parts:  # put in and indexed, but not judged: that is the killed process's work
            ingest([wire.room.folder / "news"], parts.store)
            parts.builder.update()
        before = len(wire.messages())
        wire.kill_when(moment)
        wire.site.before = wire.site.after = wire.post.before = wire.post.after = lambda: None
        again += before != len(wire.messages())
    assert again >= 4  # some had begun to send
    wire.run("reindex", NEWSROOM_EMBEDDER="quick")  # another model: old articles do not come again
    with wire.room.services() as parts:
        put_on(parts)
    wire.run("alerts", NEWSROOM_EMBEDDER="quick")
    check(wire.messages(), expected={f"Report {10 + number}" for number in range(len(moments(wire)))})


def moments(wire: Wire) -> Sequence[Callable[[Callable[[], None]], None]]:
    """Return the moments to kill at: told how to kill, each arranges it."""

    def after_start(seconds: float) -> Callable[[Callable[[], None]], None]:
        def arm(kill: Callable[[], None]) -> None:
            def due() -> None:
                deadline = time.monotonic() + PATIENCE
                while not wire.room.logged() and time.monotonic() < deadline:
                    time.sleep(0.001)
                time.sleep(seconds)
                kill()

            wire.room.log.unlink(missing_ok=True)
            threading.Thread(target=due).start()

        return arm

    def on(receiver: Site | Post, when: str, count: int) -> Callable[[Callable[[], None]], None]:
        def arm(kill: Callable[[], None]) -> None:
            left = [count]

            def due() -> None:
                left[0] -= 1
                if not left[0]:
                    kill()

            setattr(receiver, when, due)

        return arm

    return [
        after_start(0.0),
        after_start(0.02),
        on(wire.site, "before", 1),
        on(wire.site, "after", 2),
        on(wire.post, "before", 2),
        on(wire.post, "after", 1),
    ]


def put_on(parts: Services) -> None:
    """Have everything that waits be due."""
    with parts.store.transaction() as connection:
        connection.execute("UPDATE delivery SET next_at = 0 WHERE state = 'waiting'")


def check(messages: Sequence[tuple[str, frozenset[str]]], *, expected: set[str]) -> None:
    """Fail unless whoever drops names it has had got every headline once for each channel."""
    by_name: dict[str, frozenset[str]] = {}
    for name, titles in messages:
        assert by_name.setdefault(name, titles) == titles
    got = Counter(title for titles in by_name.values() for title in titles)
    assert got == dict.fromkeys(expected, 2 * SEARCHES)
