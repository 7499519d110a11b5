"""The application of `newsroom_wsgi`, of which a part fails in the way that a request's header `Break` says.

`Break: PART KIND`: the part is `store` (whatever reads or writes the database), `index` (whatever is searched), `page`
(whatever is rendered) or `rows` (an export that has begun). The kinds are those of `breakage`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import jinja2
from breakage import KINDS
from flask import has_request_context, request
from newsroom_wsgi import app

from archive.sqlite_database import SqliteDatabase
from index.results import WholeList
from index.search import Search, SearchRequest
from index.serving import Serving


def _fail(part: str) -> None:
    if has_request_context() and request.headers.get("Break", "").startswith(f"{part} "):
        raise KINDS[request.headers["Break"].split()[1]]()


def _failing(part: str, whole: Callable[..., Any]) -> Callable[..., Any]:
    def failing(*args: object, **kwargs: object) -> object:
        _fail(part)
        return whole(*args, **kwargs)

    return failing


def _failing_rows(self: Search, wanted: SearchRequest) -> WholeList:
    found = _whole(self, wanted)
    if not request.headers.get("Break", "").startswith("rows "):
        return found
    kind = request.headers["Break"].split()[1]

    def read(part: slice) -> NoReturn:
        raise KINDS[kind]()

    return replace(found, read=read)


SqliteDatabase._reader = _failing("store", SqliteDatabase._reader)  # type: ignore[method-assign]
SqliteDatabase.transaction = _failing("store", SqliteDatabase.transaction)  # type: ignore[method-assign]
Serving.engine = _failing("index", Serving.engine)  # type: ignore[method-assign]
jinja2.Template.render = _failing("page", jinja2.Template.render)  # type: ignore[method-assign]
_whole = Search.whole
Search.whole = _failing_rows  # type: ignore[method-assign]

__all__ = ["app"]
