"""What may be sent to this site, and by whom. Reading is open; a route that takes more says whom it lets in.

Invariant: an application with a route of which nobody has said that does not start. So what is forgotten is closed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar, cast

from flask import Flask, current_app, request
from flask_babel import gettext
from werkzeug.exceptions import Forbidden

P = ParamSpec("P")
R = TypeVar("R")

QUESTIONS = frozenset({"GET", "HEAD", "OPTIONS"})  # methods by which nothing is changed (RFC 9110, section 9.2.1)
ELSEWHERE = frozenset({"cross-site", "same-site"})  # what browsers call a page of another origin (Sec-Fetch-Site)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who is let in by a route: holders of a token of this `scope`; without one everybody, for the reason given.

    `from_elsewhere`: whether a page of another site may send something here by somebody's browser.
    """

    scope: str | None = None
    because: str = ""
    from_elsewhere: bool = True


class DoorNotSaid(RuntimeError):
    """A route takes more than questions, and nothing says who may send them."""


def lets_in(door: Door) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say of a view whom it lets in."""

    def say(view: Callable[P, R]) -> Callable[P, R]:
        view.door = door  # type: ignore[attr-defined]
        return view

    return say


def open_to_readers(because: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let everybody send this, by a form of our own pages."""
    return lets_in(Door(because=because, from_elsewhere=False))


def open_to_programs(because: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let everybody send this, from wherever."""
    return lets_in(Door(because=because))


def door_of(app: Flask, endpoint: str | None) -> Door | None:
    """Return whom the view of an endpoint lets in, None when it does not say."""
    view = app.view_functions.get(endpoint or "")
    return cast("Door | None", getattr(view, "door", None))


def register(app: Flask) -> None:
    """Keep what other sites' pages send out of `app`, and refuse to start it with a door of which nobody has said.

    To be called when all routes are there. Raises DoorNotSaid.
    """
    unsaid = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - QUESTIONS and door_of(app, rule.endpoint) is None
    ]
    if unsaid:
        raise DoorNotSaid(f"nothing says who may send something to {', '.join(unsaid)}: see web/doors.py")
    app.before_request(_keep_out)


def _keep_out() -> None:
    """Refuse a form that another site's page sends by the browser of somebody who reads it.

    Browsers say so over https, and no page can have them say otherwise; other programs do not, and act for themselves.
    """
    door = None if request.method in QUESTIONS else door_of(current_app, request.endpoint)
    if door and not door.from_elsewhere and request.headers.get("Sec-Fetch-Site") in ELSEWHERE:
        raise Forbidden(gettext("This was sent by a page of another site. Please use the form on this one."))
