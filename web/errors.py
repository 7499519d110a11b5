"""Errors as their readers need them: problem+json (RFC 9457) for programs, a page in words for people.

Invariant: of an error that is ours nothing is told but a name, by which it is found in the log: no path, no SQL, no
traceback, whatever the error itself says.
"""

import json
import re
from http import HTTPStatus

from flask import Flask, Response, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, ArticleNotFound
from index.errors import CursorExpired, SearchError
from index.query import QueryRefused
from web.browse_urls import BROWSE, NothingThere
from web.crew import Overloaded
from web.pages import SEARCH_PATH
from web.params import BadParameter, SearchUrls, search_request, with_dates_in_order
from web.refusals import refusal
from web.results import kept_fields
from web.services import OtherName, StoryMerged, services
from web.watching import note_error, request_id

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER = 10  # seconds; a busy archive is free by then, a damaged one waits for its keeper
RETRY_WHEN_QUEUED = 2  # seconds; a full queue of searches is done by then
OVERLOADED = lazy_gettext("Too many searches are waiting at the moment. Please try again shortly.")
FOR_PROGRAMS = (".atom", ".rss", ".json", ".csv", ".jsonl", ".xml", ".txt", ".bib", ".ris")  # ends of addresses
MAX_ECHO = 200  # characters of a refused value that are sent back
HEADINGS = {  # of pages; programs read the reason phrases of HTTP
    400: lazy_gettext("This address cannot be read"),
    403: lazy_gettext("Refused"),
    404: lazy_gettext("There is no such page"),
    405: lazy_gettext("Nothing can be sent here"),
    410: lazy_gettext("Withdrawn"),
    413: lazy_gettext("Too much was sent"),
    429: lazy_gettext("Too many requests"),
    500: lazy_gettext("Something went wrong"),
    503: lazy_gettext("Not available at the moment"),
}
EXPLANATIONS = {
    404: lazy_gettext("There is nothing at this address. The link may be old, or mistyped."),
    405: lazy_gettext("This address can be read, but not written to."),
    410: lazy_gettext("This article was withdrawn."),
    413: lazy_gettext("The request is too large."),
    500: lazy_gettext("Something went wrong here. It has been noted; please try again."),
    503: lazy_gettext("The archive cannot be read at the moment. Please try again shortly."),
}


def register(app: Flask) -> None:
    """Make `app` answer every error in its reader's form."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(BadParameter, _bad_parameter)
    app.register_error_handler(QueryRefused, _query_refused)
    app.register_error_handler(CursorExpired, _cursor_expired)
    app.register_error_handler(ArticleNotFound, _withdrawn)
    app.register_error_handler(StoryMerged, _story_merged)
    app.register_error_handler(OtherName, _other_name)
    app.register_error_handler(NothingThere, _nothing_there)
    app.register_error_handler(Overloaded, overloaded)
    app.register_error_handler(ArchiveError, _unavailable)
    app.register_error_handler(SearchError, _unavailable)


def problem(status: HTTPStatus, detail: str, **members: object) -> Response:
    """Return a problem+json answer with `members` added to it (RFC 9457, section 3.2)."""
    named = {"error_id": request_id()} if status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}
    return _problem(status, detail, instance=request.full_path.rstrip("?"), **named, **members)


def _problem(status: HTTPStatus, detail: str, **members: object) -> Response:
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **members}
    return Response(json.dumps(body), status=status, content_type=PROBLEM_TYPE)


def bare() -> Response:
    """Return the answer to a fault of ours that needs nothing else to work."""
    answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(EXPLANATIONS[500]))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def is_for_a_program(path: str) -> bool:
    """Tell whether a program reads what is at this address."""
    return (
        path.startswith("/api/")
        or path in {"/api", "/healthz", "/readyz", "/metrics", "/oembed"}
        or path.endswith(FOR_PROGRAMS)
    )


def _answer(status: HTTPStatus, detail: str, *, is_for_anybody: bool = False) -> Response:
    is_named = status >= HTTPStatus.INTERNAL_SERVER_ERROR and not is_for_anybody
    if is_for_a_program(request.path):
        return _problem(status, detail) if is_for_anybody else problem(status, detail)
    template = "withdrawn.html" if status == HTTPStatus.GONE else "error.html"
    error_id = request_id() if is_named else None
    heading = HEADINGS.get(status.value, HEADINGS[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400])
    return Response(
        render_template(template, status=status, heading=heading, detail=detail, error_id=error_id), status=status
    )


def _http_error(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:  # a redirect is no error
        return error.get_response(request.environ)
    status = HTTPStatus(error.code)
    ours = error.description if error.description != type(error).description else None
    answer = _answer(status, ours or str(EXPLANATIONS.get(status.value, status.phrase)))
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After"}:
            answer.headers[name] = value
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _bad_parameter(error: BadParameter) -> Response:
    status = HTTPStatus.BAD_REQUEST
    if is_for_a_program(request.path):
        return problem(status, str(error), parameter=error.name, value=error.value[:MAX_ECHO], expected=error.expected)
    if request.path != SEARCH_PATH and ("q" not in request.args or request.path.startswith(BROWSE)):
        return _answer(status, gettext("%(name)s must be %(expected)s.", name=error.name, expected=error.expected))
    query = request.args.get("q", "")
    page = render_template("bad_search.html", error=error, refused=None, query=query, kept=(), max_echo=MAX_ECHO)
    return Response(page, status=status)


def _query_refused(error: QueryRefused) -> Response:
    """Answer a query that exceeds a limit of the query language."""
    status = HTTPStatus.BAD_REQUEST
    query = request.args.get("q", "")
    if is_for_a_program(request.path):
        return problem(status, str(error), parameter="q", value=query[:MAX_ECHO], limit=error.limit)
    size = services().settings.page_size
    wanted = search_request(with_dates_in_order(request.args)[0], page_size=size)
    kept = kept_fields(wanted, SearchUrls(path=request.path, page_size=size))
    return Response(
        render_template("bad_search.html", error=None, refused=refusal(error), query=query, kept=kept), status=status
    )


def _cursor_expired(error: CursorExpired) -> Response:
    return problem(HTTPStatus.GONE, str(error), parameter="cursor", value=request.args.get("cursor", "")[:MAX_ECHO])


def _withdrawn(_: ArticleNotFound) -> Response:
    """Answer for an article that was there when the request began: it was withdrawn since."""
    return _answer(HTTPStatus.GONE, str(EXPLANATIONS[410]))


def _story_merged(error: StoryMerged) -> Response:
    """Lead to the story that took over."""
    head, _, asked = request.path.partition("/stories/")
    target = f"{head}/stories/{re.sub('^[0-9]+', str(error.into), asked)}"  # its page, its JSON, its feed
    return _moved(target, str(error), merged_into=target)


def _other_name(error: OtherName) -> BaseResponse:
    """Lead to the article under the id that it has here: its page, its JSON, whatever was asked for."""
    asked = (request.view_args or {}).get("article_id")
    if request.endpoint is None or asked is None:  # its address is a part of the question, as oEmbed has it
        return _http_error(NotFound(str(error)))
    target = url_for(request.endpoint, **{**(request.view_args or {}), "article_id": error.article_id})
    query = request.query_string.decode("latin-1")
    return _moved(f"{target}?{query}" if query else target, str(error))


def _moved(target: str, said: str, **members: object) -> Response:
    status = HTTPStatus.MOVED_PERMANENTLY
    answer = problem(status, said, **members) if is_for_a_program(request.path) else Response(status=status)
    answer.headers["Location"] = target
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _nothing_there(nothing: NothingThere) -> Response:
    """Say that there is nothing at an address that could be browsed, and lead to the nearest that has something."""
    status = HTTPStatus.NOT_FOUND
    if is_for_a_program(request.path):
        links = [{"name": link.name, "page": link.url, "self": f"/api{link.url}"} for link in nothing.links]
        return problem(status, nothing.heading, nearest=links)
    return Response(render_template("nothing_there.html", nothing=nothing), status=status)


def overloaded(_: Overloaded | None = None) -> Response:
    """Answer when there is more to do than can wait, in words that hold nothing of the request."""
    return _later(str(OVERLOADED), seconds=RETRY_WHEN_QUEUED, is_for_anybody=True)


def _unavailable(error: Exception) -> Response:
    note_error(error)
    return _later(str(EXPLANATIONS[503]), seconds=RETRY_AFTER)


def _later(detail: str, *, seconds: int, is_for_anybody: bool = False) -> Response:
    answer = _answer(HTTPStatus.SERVICE_UNAVAILABLE, detail, is_for_anybody=is_for_anybody)
    answer.headers["Retry-After"] = str(seconds)
    answer.headers["Cache-Control"] = "no-store"
    return answer
