"""Alerts by mail: what a message says, and handing it to the mail server that is set.

A message keeps its `Message-ID` and its date through all attempts, so that a mailbox which got it twice, because this
process died before it could note the first time, can tell. Nothing but articles of the archive, and the name their
reader gave the search, stands in one; the question whether an address wants alerts holds nothing of a stranger's.
"""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from flask import render_template, url_for
from flask_babel import gettext, ngettext

from archive.alerts import Delivery
from archive.article import Article
from web import units
from web.addresses import mail_address
from web.channels import answer_path
from web.settings import Settings
from web.units import long_day
from web.urls import absolute, site_url
from web.wording import label

SECONDS = 15.0  # for each step of the conversation
PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
MOST_ARTICLES = 50  # of one message; more are counted
MAX_SUBJECT = 150  # characters
POLICY = SMTP.clone(max_line_length=900)  # an address that is folded or encoded is one no more


class MailProblem(Exception):
    """A message did not go out. `lasting`: nor will it ever, to this address; `to_all`: nor would any other now."""

    def __init__(self, reason: str, *, lasting: bool = False, to_all: bool = False) -> None:
        """Keep why."""
        super().__init__(reason)
        self.lasting = lasting
        self.to_all = to_all


@dataclass(frozen=True, slots=True)
class Listed:
    """An article as a message lists it."""

    article: Article
    url: str

    @property
    def line(self) -> str:
        """Where it comes from, and when."""
        said = [label(self.article.source) if self.article.source else ""]
        said.append(long_day(self.article.published_at) if self.article.published_at else "")
        return " · ".join(filter(None, said))


def alert_message(delivery: Delivery, articles: Sequence[Article], settings: Settings) -> EmailMessage:
    """Return the mail about these articles."""
    total, name = len(articles), delivery.search.name
    stop = absolute(answer_path(delivery.channel, "stop"))
    shown = [
        Listed(article, absolute(url_for("pages.article", article_id=article.id)))
        for article in articles[:MOST_ARTICLES]
    ]
    values = {
        "total": total,
        "name": name,
        "articles": shown,
        "more": total - len(shown),
        "search_url": absolute(f"/search?{delivery.search.question}"),
        "stop_url": stop,
    }
    counted = ngettext("%(number)s new article", "%(number)s new articles", total, number=units.number(total))
    headline = articles[0].title if total == 1 else counted
    message = _message(delivery, settings, subject=f"{name}: {headline}")
    message["List-Unsubscribe"] = f"<{stop}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(render_template("mail/alert.txt", **values))
    message.add_alternative(render_template("mail/alert.html", **values), subtype="html")
    return message


def question_message(delivery: Delivery, settings: Settings) -> EmailMessage:
    """Return the mail that asks whether an address wants alerts."""
    subject = gettext("Do you want alerts from %(site)s?", site=settings.site_name)
    message = _message(delivery, settings, subject=subject)
    confirm = absolute(answer_path(delivery.channel, "confirm"))
    refuse = absolute(answer_path(delivery.channel, "stop"))
    message.set_content(render_template("mail/confirm.txt", confirm_url=confirm, refuse_url=refuse))
    return message


def _message(delivery: Delivery, settings: Settings, *, subject: str) -> EmailMessage:
    name, address = parseaddr(settings.mail_from or "")
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = mail_address(delivery.channel.address)
    message["Subject"] = " ".join(subject.split())[:MAX_SUBJECT]
    message["Date"] = format_datetime(delivery.created_at)
    message["Message-ID"] = f"<{delivery.message}@{urlsplit(site_url()).hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine need answer
    return message


class Mailer:
    """Hands messages to the mail server, over one connection while that lasts. Use it as a context."""

    def __init__(self, url: str) -> None:
        """Take the server's address; nothing is opened before there is a message."""
        self._parts = urlsplit(url)
        self._server: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Return when the server has taken the message on. Raises MailProblem."""
        try:
            server = self._server = self._server or self._opened()
        except (OSError, smtplib.SMTPException) as error:
            raise MailProblem(f"mail server {self._parts.hostname}: {_said(error)}", to_all=True) from error
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise MailProblem(f"{code} {said.decode('utf-8', 'replace')}", lasting=code >= 500) from error
        except smtplib.SMTPResponseException as error:
            self.close()
            raise MailProblem(
                _said(error), lasting=isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise MailProblem(_said(error)) from error
        except Exception:
            self.close()  # in the middle of a sentence: the next message begins anew
            raise

    def close(self) -> None:
        """Take leave of the server."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _opened(self) -> smtplib.SMTP:
        scheme, host = self._parts.scheme, self._parts.hostname or ""
        port = self._parts.port or PORTS[scheme]
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if scheme == "smtps":
            server = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        try:
            if scheme == "smtp+starttls":
                server.starttls(context=context)
            if self._parts.username:
                server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server


@contextmanager
def mailing(url: str) -> Iterator[Mailer]:
    """Lend a mailer, and close it."""
    mailer = Mailer(url)
    try:
        yield mailer
    finally:
        mailer.close()


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
