"""The application of `newsroom_wsgi`, of which a part fails in the way that a request's header `Break` says.

`Break: PART KIND`: the part is `store` (whatever reads or writes the database), `crew` (whatever is searched), `page`
(whatever is rendered) or `rows` (an export that has begun). Each error says what no answer may.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import jinja2
from flask import has_request_context, request
from newsroom_wsgi import app

from archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError
from archive.store import Store
from index.errors import GenerationDamaged, ModelMismatch, ModelUnavailable, SearchError
from index.results import WholeList
from index.search import Search, SearchRequest
from web.crew import Crew, Overloaded

TELLTALE = "/srv/secret/archive.sqlite3: SELECT body FROM version WHERE secret = 'tango'"
KINDS: dict[str, Callable[[], BaseException]] = {
    "ArchiveDamaged": lambda: ArchiveDamaged(TELLTALE),
    "ArchiveBusy": lambda: ArchiveBusy(TELLTALE),
    "DiskFull": lambda: ArchiveError(f"{TELLTALE}: the disk is full"),
    "GenerationDamaged": lambda: GenerationDamaged(TELLTALE),
    "ModelUnavailable": lambda: ModelUnavailable(TELLTALE),
    "ModelMismatch": lambda: ModelMismatch(TELLTALE),
    "SearchError": lambda: SearchError(TELLTALE),
    "Overloaded": lambda: Overloaded(TELLTALE),
    "ValueError": lambda: ValueError(TELLTALE),
    "KeyError": lambda: KeyError(TELLTALE),
    "OSError": lambda: OSError(28, "No space left on device", "/srv/secret/archive.sqlite3"),
    "BrokenPipeError": lambda: BrokenPipeError(32, TELLTALE),
    "MemoryError": lambda: MemoryError(TELLTALE),
    "RecursionError": lambda: RecursionError(TELLTALE),
    "TimeoutError": lambda: TimeoutError(TELLTALE),
    "UnicodeEncodeError": lambda: UnicodeEncodeError("utf-8", "tango\ud800", 5, 6, TELLTALE),
    "AssertionError": lambda: AssertionError(TELLTALE),
    "TemplateError": lambda: jinja2.TemplateRuntimeError(TELLTALE),
    "SystemExit": lambda: SystemExit(TELLTALE),
}


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


Store._reader = _failing("store", Store._reader)  # type: ignore[method-assign]
Store._transaction = _failing("store", Store._transaction)  # type: ignore[method-assign]
Crew.do = _failing("crew", Crew.do)  # type: ignore[method-assign]
jinja2.Template.render = _failing("page", jinja2.Template.render)  # type: ignore[method-assign]
_whole = Search.whole
Search.whole = _failing_rows  # type: ignore[method-assign]

__all__ = ["KINDS", "TELLTALE", "app"]
