"""The channels of a saved search as pages: adding and removing them, and what the owner of a mail address answers.

A link in a mail carries a signature by the channel's own secret, so it can answer for that channel and nothing else.
Following it only shows a button: programs that read mail before people do follow every link.
"""

import base64
import hashlib
import hmac
import logging
from typing import Literal
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response as BaseResponse

from archive.alerts import MOST_CHANNELS, Channel, ChannelKind, LimitReached
from archive.errors import FetchError
from web.addresses import mail_address
from web.doors import open_to_programs, open_to_readers
from web.saved import BY_LINK, PATH, channel_kinds, led_back, opened, permitted
from web.services import Services, services

log = logging.getLogger(__name__)

MAX_ADDRESS: dict[ChannelKind, int] = {"mail": 254, "webhook": 2_000}  # characters
CHANNEL_ID = "<int(max=9223372036854775807):channel_id>"  # in a route: what SQLite can count to
Answer = Literal["confirm", "stop"]

blueprint = Blueprint("channels", __name__)


def register(app: Flask) -> None:
    """Add the pages to `app`."""
    app.register_blueprint(blueprint)


@blueprint.post(f"{PATH}/<token>/channels/<any(mail, webhook):kind>")
@open_to_readers(BY_LINK)
def add(token: str, kind: ChannelKind) -> BaseResponse:
    """Send the alerts of a saved search to another address."""
    parts = permitted()
    saved = opened(parts, token)
    if kind not in channel_kinds(parts):
        raise NotFound(gettext("This archive does not send alerts this way."))
    address = _address(kind, request.form.get("address", "").strip())
    if kind == "webhook":
        _reachable(parts, address)
    try:
        channel, is_new = parts.alerts.add_channel(saved.id, kind, address)
    except LimitReached as error:
        raise BadRequest(_why_not(error)) from error
    if kind == "mail" or not is_new:
        return led_back(token)
    back = url_for("saved.shown", token=token)
    return Response(render_template("saved_secret.html", channel=channel, secret=written_secret(channel), back=back))


@blueprint.post(f"{PATH}/<token>/channels/{CHANNEL_ID}/remove")
@open_to_readers(BY_LINK)
def remove(token: str, channel_id: int) -> BaseResponse:
    """Send no more alerts to an address."""
    parts = permitted()
    parts.alerts.remove_channel(opened(parts, token).id, channel_id)
    return led_back(token)


@blueprint.get("/alerts/<int:channel_id>/<any(confirm, stop):answer>/<signature>")
def ask(channel_id: int, answer: Answer, signature: str) -> Response:
    """Ask whoever followed a link in a mail whether that is what they want."""
    channel = _answering(channel_id, answer, signature)
    if answer == "confirm":
        heading, button = gettext("Alerts by mail"), gettext("Yes, send them")
        said = gettext("Shall alerts of this saved search be sent to %(address)s?", address=channel.address)
    elif channel.state == "unconfirmed":
        heading, button = gettext("No more questions"), gettext("Do not ask again")
        said = gettext("Shall %(address)s never be asked again whether it wants alerts?", address=channel.address)
    else:
        heading, button = gettext("No more alerts"), gettext("Stop them")
        said = gettext("Shall %(address)s get no more alerts of this saved search?", address=channel.address)
    return Response(render_template("saved_answer.html", heading=heading, said=said, button=button))


@blueprint.post("/alerts/<int:channel_id>/<any(confirm, stop):answer>/<signature>")
@open_to_programs(
    "The signature in the link, which only a mail has, is the authority; mail programs send it by themselves."
)
def answered(channel_id: int, answer: Answer, signature: str) -> Response:
    """Do what the button says; a mail program's one click (RFC 8058) comes here as well."""
    channel = _answering(channel_id, answer, signature)
    if answer == "confirm":
        services().alerts.confirm(channel.id)
        said = gettext("Alerts are sent to %(address)s from now on.", address=channel.address)
    elif channel.state == "unconfirmed":
        services().alerts.refuse(channel)
        said = gettext("%(address)s is not asked again.", address=channel.address)
    else:
        services().alerts.stop(channel.id, None)
        said = gettext("%(address)s gets no more alerts of this saved search.", address=channel.address)
    return Response(render_template("saved_answer.html", heading=gettext("Thank you"), said=said, button=None))


def answer_path(channel: Channel, answer: Answer) -> str:
    """Return the path of the link by which a channel's owner answers."""
    return url_for("channels.ask", channel_id=channel.id, answer=answer, signature=_signature(channel, answer))


def written_secret(channel: Channel) -> str:
    """Return a channel's secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(channel.secret).decode()


def _answering(channel_id: int, answer: Answer, signature: str) -> Channel:
    channel = permitted().alerts.channel(channel_id) if channel_id < 2**63 else None
    if channel is None or not hmac.compare_digest(_signature(channel, answer).encode(), signature.encode()):
        raise NotFound(gettext("This link is no longer valid: there is no such alert."))
    return channel


def _signature(channel: Channel, answer: Answer) -> str:
    signed = hmac.digest(channel.secret, f"{answer} {channel.id} {channel.address}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(signed[:18]).decode()


def _reachable(parts: Services, address: str) -> None:
    """Say at once what the first delivery would find out: a name that is not known, an address that is not public."""
    try:
        parts.fetcher.check(address)  # in this thread, which only waits: those that search have better things to do
    except FetchError as error:
        log.warning("a webhook was not taken: %s", error)  # what a name means in here is nobody's business out there
        raise BadRequest(
            gettext("Nothing can be sent to this address. It must be on the public internet, at port 80 or 443.")
        ) from error


def _why_not(error: LimitReached) -> str:
    text: str
    if error.limit == "channels":
        text = gettext("A saved search is sent to at most %(most)s addresses.", most=MOST_CHANNELS)
    else:
        text = gettext("This address has been asked as often as it may be whether it wants alerts.")
    return text


def _address(kind: ChannelKind, given: str) -> str:
    """Return an address that can be sent to, as far as that can be told by looking at it."""
    if len(given) > MAX_ADDRESS[kind]:
        raise BadRequest(gettext("This address is too long."))
    if kind == "mail":
        try:
            return mail_address(given).addr_spec
        except ValueError as error:
            raise BadRequest(gettext("This is no mail address: it must be like name@example.org.")) from error
    try:
        parts = urlsplit(given)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web or parts.username is not None or parts.password is not None or not given.isprintable():
        raise BadRequest(gettext("This is no web address: it must begin with https:// and hold no password."))
    return given
