"""Saved searches as pages: saving one after a look back, its matches and feeds, its channels.

Whoever has the link of a saved search may do all of this, and nobody else anything: the token in the address is all the
authority there is. No browser adds it by itself, as it would a cookie, so no other site can make one act here.

What one finds behind such a link, its page, feed and forms, stands in one file: each is a few lines long.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from archive.alerts import Alert, Channel, ChannelKind, LimitReached, SavedSearch, new_token
from archive.article import Article
from index.alerts import BackTest, Judge, NotJudged, NotSaved, back_test, check_saved
from index.search import SearchRequest
from web import params
from web.buckets import Rate
from web.doors import open_to_readers
from web.feeds import FEED_SIZE, FORMAT, news_of, written
from web.filters import chips
from web.services import Services, services
from web.wording import shortened

PATH = "/saved"
BY_LINK = "Whoever has the link of a saved search may change it: the token in it is the authority."
MATCHES_ON_PAGE = 20
SHOWN_IN_BACK_TEST = 10
SAVING = Rate(60, seconds=60)  # by all readers: none needs more, and a loop fills no archive before it is noticed
MAX_NAME = 120  # characters
MAX_QUESTION = 8_000  # characters: 80 filter values would be 16,000, and nobody needs them
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # embeddings, overrides and isolates of direction
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")

blueprint = Blueprint("saved", __name__, url_prefix=PATH)


def register(app: Flask) -> None:
    """Add the pages to `app`, and what others need to lead to them."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["saved_path"] = lambda asked: f"{PATH}/new?{question_of(asked)}"
    app.context_processor(lambda: {"can_save": services().settings.saved_searches > 0})


# Questions: what a saved search asks, as its URL has it


def question_of(asked: SearchRequest) -> str:
    """Return the parameters of a search, but for how it is shown."""
    plain = replace(asked, sort="relevance", cutoff="on", page=1, cursor=None)
    return urlencode(params.SearchUrls(path="", page_size=asked.page_size).pairs(plain))


def asked_by(question: str) -> SearchRequest:
    """Return the search that a question asks. Raises BadParameter when it can be asked no more."""
    return params.search_request(MultiDict(parse_qsl(question)), page_size=MATCHES_ON_PAGE)


def described(asked: SearchRequest) -> str:
    """Return a search in one line: what is typed, then what narrows it down."""
    urls = params.SearchUrls(path="/search", page_size=asked.page_size)
    return " · ".join(filter(None, [shortened(asked.query), *(chip.name for chip in chips(asked, urls))]))


# Saving one


@dataclass(frozen=True, slots=True)
class Preview:
    """A search about to be saved, and what it would have fired for.

    `token` is what will open it: the form carries it, so that sending the form twice saves one search.
    """

    asked: SearchRequest
    name: str
    fields: Sequence[tuple[str, str]]
    tested: BackTest
    shown: Sequence[Article]
    token: str


@blueprint.get("")
def listed() -> Response:
    """Show the page on which a browser lists the saved searches that it remembers: nothing of them is known here."""
    permitted()
    return Response(render_template("saved_list.html"))


@blueprint.get("/new")
def new() -> Response:
    """Show what a search would have fired for, and ask whether to save it."""
    parts = permitted()
    asked = _asked(request.args)
    try:
        preview = _preview(parts, asked)
    except NotJudged as error:
        raise ServiceUnavailable(
            gettext("No search can be saved yet: this archive has no index of its articles to judge them by.")
        ) from error
    return Response(render_template("saved_new.html", preview=preview, most_name=MAX_NAME))


@blueprint.post("")
@open_to_readers("Anybody may save a search: they are limited in number and pace, and the setting can be 0.")
def save() -> BaseResponse:
    """Save a search, and lead to the page that only its link opens."""
    parts = permitted()
    asked = _asked(request.form)
    name = _name(request.form.get("name", "")) or described(asked)[:MAX_NAME]
    published, _ = parts.store.pointer()
    seq, most = published.seq if published else 0, parts.settings.saved_searches
    if wait := parts.buckets.take("saving", SAVING).wait:
        raise TooManyRequests(
            gettext("Many searches are being saved at the moment. Please try again shortly."),
            retry_after=math.ceil(wait),
        )
    given = request.form.get("token", "")
    token = given if _TOKEN.fullmatch(given) else None
    try:
        token, _ = parts.alerts.save(name=name, question=question_of(asked), after_seq=seq, most=most, token=token)
    except LimitReached as error:
        raise BadRequest(gettext("This archive keeps as many saved searches as it can.")) from error
    return _led(url_for("saved.shown", token=token, created=1))


def _preview(parts: Services, asked: SearchRequest) -> Preview:
    today = datetime.now(UTC).date()
    with parts.serving.engine() as (engine, _):
        judge = Judge(engine, parts.models.embedder)
        tested = back_test(asked, parts.store, judge, catalogue=parts.search.catalogue, today=today)
    first = tested.article_ids[:SHOWN_IN_BACK_TEST]
    articles = parts.store.live(first)
    fields = parse_qsl(question_of(asked))
    shown = [articles[article_id] for article_id in first if article_id in articles]
    return Preview(asked, described(asked)[:MAX_NAME], fields, tested, shown, new_token())


# One that is saved


@dataclass(frozen=True, slots=True)
class Match:
    """An article that fired."""

    alert: Alert
    article: Article


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """What the page of a saved search shows."""

    token: str
    saved: SavedSearch
    asked: SearchRequest
    description: str
    search_url: str
    matches: Sequence[Match]
    total: int
    number: int
    channels: Sequence[tuple[Channel, str | None]]
    kinds: Sequence[ChannelKind]

    @property
    def links(self) -> dict[str, str | None]:
        """The pages beside this one."""
        pages = -(-self.total // MATCHES_ON_PAGE)
        at = {"prev": self.number - 1 if self.number > 1 else 0, "next": self.number + 1 if self.number < pages else 0}
        return {
            rel: url_for("saved.shown", token=self.token, page=page if page > 1 else None) if page else None
            for rel, page in at.items()
        }


@blueprint.get("/<token>")
def shown(token: str) -> Response:
    """Show what a saved search found, the latest first, and what can be done with it."""
    parts = permitted()
    saved = opened(parts, token)
    number = params.page_number(request.args)
    created = request.args.get("created") == "1"
    view = _view(parts, token, saved, number=number)
    return Response(render_template("saved.html", view=view, created=created, most_name=MAX_NAME))


def _view(parts: Services, token: str, saved: SavedSearch, *, number: int) -> SavedView:
    asked = asked_by(saved.question)
    return SavedView(
        token=token,
        saved=saved,
        asked=asked,
        description=described(asked),
        search_url=f"/search?{saved.question}",
        matches=matches(parts, saved, limit=MATCHES_ON_PAGE, offset=(number - 1) * MATCHES_ON_PAGE),
        total=parts.alerts.count_alerts(saved.id),
        number=number,
        channels=[(channel, _trouble(parts, channel)) for channel in parts.alerts.channels(saved.id)],
        kinds=channel_kinds(parts),
    )


def _trouble(parts: Services, channel: Channel) -> str | None:
    return channel.problem or parts.alerts.last_problem(channel.id)


def matches(parts: Services, saved: SavedSearch, *, limit: int, offset: int = 0) -> list[Match]:
    """Return what a saved search found, the latest first."""
    alerts = parts.alerts.alerts(saved.id, limit=limit, offset=offset)
    articles = parts.store.live([alert.article_id for alert in alerts])
    return [Match(alert, articles[alert.article_id]) for alert in alerts if alert.article_id in articles]


def channel_kinds(parts: Services) -> list[ChannelKind]:
    """Return what alerts can be sent by: all of it names this site's own address."""
    settings = parts.settings
    mail: list[ChannelKind] = ["mail"] if settings.smtp_url and settings.mail_from else []
    return [*mail, "webhook"] if settings.site_url else []


@blueprint.get(f"/<token>/matches.{FORMAT}")
def feed(token: str, form: str) -> Response:
    """Return what a saved search found as a feed, the latest first."""
    parts = permitted()
    saved = opened(parts, token)
    fired = {each.article_id: each.fired_at for each in parts.alerts.alerts(saved.id, limit=FEED_SIZE, offset=0)}
    answer = written(
        parts,
        form,
        title=saved.name,
        page=url_for("saved.shown", token=token),
        address=url_for("saved.feed", token=token, form=form),
        told=[replace(news, found=fired[news.article.id]) for news in news_of(parts, list(fired))],
    )
    answer.add_etag(weak=True)
    answer.make_conditional(request)
    return answer


@blueprint.post("/<token>/name")
@open_to_readers(BY_LINK)
def rename(token: str) -> BaseResponse:
    """Give it another name."""
    parts = permitted()
    saved = opened(parts, token)
    if name := _name(request.form.get("name", "")):
        parts.alerts.rename(saved.id, name)
    return led_back(token)


@blueprint.post("/<token>/pause")
@open_to_readers(BY_LINK)
def pause(token: str) -> BaseResponse:
    """Judge no more articles by it."""
    parts = permitted()
    parts.alerts.pause(opened(parts, token).id)
    return led_back(token)


@blueprint.post("/<token>/resume")
@open_to_readers(BY_LINK)
def resume(token: str) -> BaseResponse:
    """Judge again what comes in from now on."""
    parts = permitted()
    published, _ = parts.store.pointer()
    parts.alerts.resume(opened(parts, token).id, after_seq=published.seq if published else 0)
    return led_back(token)


@blueprint.post("/<token>/delete")
@open_to_readers(BY_LINK)
def delete(token: str) -> Response:
    """Forget it."""
    parts = permitted()
    saved = opened(parts, token)
    parts.alerts.delete(saved.id)
    return Response(render_template("saved_gone.html", saved=saved, token=token))


# What all of them share


def permitted() -> Services:
    """Return the parts, when searches may be saved here. Raises NotFound."""
    parts = services()
    if not parts.settings.saved_searches:
        raise NotFound(gettext("This archive keeps no saved searches."))
    return parts


def opened(parts: Services, token: str) -> SavedSearch:
    """Return the saved search that the token in an address opens. Raises NotFound."""
    saved = parts.alerts.opened(token)
    if saved is None:
        raise NotFound(
            gettext("There is no saved search at this address. It may have been deleted, or the link is cut.")
        )
    parts.alerts.note_opened(saved)
    return saved


def _asked(args: params.Args) -> SearchRequest:
    asked = params.search_request(args, page_size=services().settings.page_size)
    if len(question_of(asked)) > MAX_QUESTION:
        raise BadRequest(gettext("This search is too long to be saved: take some filters out."))
    try:
        check_saved(asked, today=datetime.now(UTC).date())
    except NotSaved as error:
        raise BadRequest(_why_not(error)) from error
    return asked


def _why_not(error: NotSaved) -> str:
    text: str
    if error.reason == "everything":
        text = gettext("Say what to look for, or narrow the search down: as it is, every article would be an alert.")
    else:
        text = gettext("Dates such as “last week” mean other days tomorrow: name the days, or leave them out.")
    return text


def _name(given: str) -> str:
    """Return a name in one line, without what no reader sees or what would turn the text around it."""
    plain = _TURNING.sub("", _CONTROL.sub(" ", given))
    return " ".join(plain.split())[:MAX_NAME]


def led_back(token: str) -> BaseResponse:
    """Lead to the page of a saved search."""
    return _led(url_for("saved.shown", token=token))


def _led(address: str) -> BaseResponse:
    return redirect(address, code=303)
