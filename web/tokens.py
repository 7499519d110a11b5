"""Who may change the archive by a request: whoever sends a token of the right scope (RFC 6750).

Invariants: without a token nothing is said of what is there or not. A token that holds is let in whatever others did
at the same address, which behind a proxy is everybody's: of 192 bits none is found by trying, so a client is locked out
only to keep its attempts from costing anything.
"""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from flask import Response, request

from web.clients import client
from web.errors import problem
from web.services import services

if TYPE_CHECKING:
    from archive.tokens import Token

log = logging.getLogger(__name__)

P = ParamSpec("P")
TAKEDOWN = "takedown"
SCOPES = (TAKEDOWN,)
REALM = 'Bearer realm="Backfile"'


def needs(scope: str) -> "Callable[[Callable[Concatenate[Token, P], Response]], Callable[P, Response]]":
    """Let a view be asked by holders of a token of this scope alone; the token is its first argument."""

    def guard(view: "Callable[Concatenate[Token, P], Response]") -> Callable[P, Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            token = _holder()
            if token is None:
                return _refuse()
            if token.scope != scope:
                answer = problem(HTTPStatus.FORBIDDEN, f"This needs a token of the scope {scope}.")
                answer.headers["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{scope}"'
                return answer
            answer = view(token, *args, **kwargs)
            answer.headers["Cache-Control"] = "no-store"
            return answer

        guarded.scope = scope  # type: ignore[attr-defined]  # what a route needs can be looked up
        return guarded

    return guard


def _sent() -> str:
    sent = request.authorization
    return (sent.token or "") if sent is not None and sent.type == "bearer" else ""


def _holder() -> "Token | None":
    sent = _sent()
    return services().tokens.holder(sent) if sent else None


def _refuse() -> Response:
    """Answer somebody whose token does not hold, or who sent none."""
    tokens, who = services().tokens, client()
    seconds = tokens.locked_out(who)
    if seconds:
        answer = problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests without a token that holds.")
        answer.headers["Retry-After"] = str(seconds)
        return answer
    tokens.note_failure(who)
    log.warning("%s %s: refused, without a token that holds", request.method, request.path)
    detail = "This token does not hold." if _sent() else "This needs a token: Authorization: Bearer bf_…"
    answer = problem(HTTPStatus.UNAUTHORIZED, detail)
    answer.headers["WWW-Authenticate"] = f'{REALM}, error="invalid_token"' if _sent() else REALM
    return answer
