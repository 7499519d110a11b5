"""Who may change the archive by a request: whoever sends a token of the right scope (RFC 6750).

Invariants: without a token nothing is said of what is there or not. A token that holds is let in whatever others did
at the same address, which behind a proxy is everybody's: of 192 bits none is found by trying, so a client is locked out
only to keep its attempts from costing anything.
"""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from flask import Response, request

from web.doors import Door, lets_in
from web.errors import problem
from web.services import services

if TYPE_CHECKING:
    from archive.tokens import Refusal, Token

log = logging.getLogger(__name__)

P = ParamSpec("P")
TAKEDOWN = "takedown"
SCOPES = (TAKEDOWN,)
REALM = 'Bearer realm="Backfile"'
LOCAL = "local"  # who comes by a socket of this machine, without an address
IPV6_NETWORK = 64  # bits: whoever has one address of it has all


def needs(scope: str) -> "Callable[[Callable[Concatenate[Token, P], Response]], Callable[P, Response]]":
    """Let a view be asked by holders of a token of this scope alone; the token is its first argument."""

    def guard(view: "Callable[Concatenate[Token, P], Response]") -> Callable[P, Response]:
        @lets_in(Door(scope=scope))
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
            found = services().tokens.holder(_sent())
            if isinstance(found, str):
                return _refuse(found)
            if found.scope != scope:
                return _forbid(found, scope)
            answer = view(found, *args, **kwargs)
            answer.headers["Cache-Control"] = "no-store"
            return answer

        return guarded

    return guard


def _sent() -> str:
    sent = request.authorization
    return (sent.token or "") if sent is not None and sent.type == "bearer" else ""


def _refuse(why: "Refusal") -> Response:
    """Answer somebody whose token does not hold, or who sent none."""
    tokens, client = services().tokens, network()
    seconds = tokens.locked_out(client)
    if seconds:
        answer = problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests without a token that holds.")
        answer.headers["Retry-After"] = str(seconds)
        return answer
    tokens.note_failure(client, why)
    log.warning("%s %s: refused, token: %s", request.method, request.path, why)
    detail = "This needs a token: Authorization: Bearer bf_…" if why == "none" else "This token does not hold."
    answer = problem(HTTPStatus.UNAUTHORIZED, detail)
    answer.headers["WWW-Authenticate"] = REALM if why == "none" else f'{REALM}, error="invalid_token"'
    return answer


def _forbid(token: "Token", scope: str) -> Response:
    services().tokens.note_refusal("scope")
    log.warning("%s %s: refused, token %d is for %s", request.method, request.path, token.id, token.scope)
    answer = problem(HTTPStatus.FORBIDDEN, f"This needs a token of the scope {scope}.")
    answer.headers["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    return answer


def address() -> str:
    """Return the address that a request came from, as far as it has one."""
    return request.remote_addr or LOCAL


def network() -> str:
    """Return what stands for whoever sent a request: the address, of which there are too many in IPv6 for one each."""
    try:
        sender = ip_address(address())
    except ValueError:  # a socket without an address
        return LOCAL
    if sender.version == 6:
        return str(ip_network((sender, IPV6_NETWORK), strict=False))
    return str(sender)
