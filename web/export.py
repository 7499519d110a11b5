"""A whole list of results to take away: CSV for spreadsheets, JSON Lines for programs.

Invariants: an export is one list, in its order, with the copies that its pages fold: as many rows as `total` says, up
to `BACKFILE_EXPORT_LIMIT`. It is read and sent piece by piece, and takes no more memory than one piece. As each keeps
a thread for as long as its reader takes, there are few at once. A cell never begins with what a
spreadsheet takes for a formula.
"""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from flask import Blueprint, Response, request

from index.results import Row, WholeList
from web import params
from web.clients import turn_taker
from web.crew import Overloaded
from web.links import outside_link
from web.payload import PROBABILITY_DIGITS, SCORE_DIGITS, Json, instant
from web.services import Services, services
from web.urls import absolute

PIECE = 250  # rows read at once: some 2 MB of texts
PAUSE = 0.2  # seconds, when every place is taken in the middle of an export
MAX_NAME = 40  # characters of the query in a file's name
BOM = "\ufeff"  # by which a spreadsheet knows UTF-8
COLUMNS = (
    "id", "url", "title", "source", "section", "authors", "language", "published_at", "score", "probability", "story",
    "copy_of", "snippet", "page",
)  # fmt: skip
# What begins a formula, in ASCII and in full width (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")

blueprint = Blueprint("export", __name__)


@blueprint.get("/search.csv")
def as_csv() -> Response:
    """Return a whole list of results as CSV."""
    return _export("csv", "text/csv; charset=utf-8; header=present", csv_lines)


@blueprint.get("/search.jsonl")
def as_json_lines() -> Response:
    """Return a whole list of results as JSON Lines, with `body=1` the texts too."""
    has_body = params.body(request.args) == "1"
    return _export("jsonl", "application/jsonl", lambda rows: json_lines(rows, has_body=has_body))


@dataclass(frozen=True, slots=True)
class Exported:
    """A row of an export: what was found, the number of the story it is part of, and its page's address in full."""

    row: Row
    story: int | None
    page: str

    def fields(self) -> Json:
        """Return it by columns."""
        result, article = self.row.result, self.row.result.article
        probability = None if result.probability is None else round(result.probability, PROBABILITY_DIGITS)
        values = (
            article.id,
            outside_link(article.url),
            article.title,
            article.source,
            article.section,
            list(article.authors),
            article.language,
            instant(article.published_at),
            round(result.score, SCORE_DIGITS),
            probability,
            self.story,
            self.row.copy_of,
            result.snippet.text,
            self.page,
        )
        return dict(zip(COLUMNS, values, strict=True))


def _export(form: str, media_type: str, write: Callable[[Iterable[Exported]], Iterator[str]]) -> Response:
    parts = services()
    wanted = replace(params.search_request(request.args, page_size=parts.settings.page_size), page=1, cursor=None)
    who = turn_taker(request.environ)
    leave = parts.exports.enter(who)
    try:
        whole = parts.search.whole(wanted)
    except BaseException:
        leave()
        raise
    length = min(whole.length, parts.settings.export_limit)
    lines = write(_read(parts, whole, length, pages=absolute("/articles/"), who=who))
    answer = Response(_sent(lines, then=leave), content_type=media_type)
    answer.call_on_close(leave)  # where nothing of it was sent
    is_capped = length < whole.length
    name = file_name(wanted.query, form, capped_at=length if is_capped else None)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Backfile-Total"] = str(whole.total)
    answer.headers["Backfile-Exported"] = str(length if is_capped else whole.total)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _sent(lines: Iterable[str], *, then: Callable[[], None]) -> Iterator[bytes]:
    try:
        for line in lines:
            yield line.encode("utf-8", "replace")
    finally:
        then()


def file_name(query: str, form: str, *, capped_at: int | None) -> str:
    """Return a file's name that tells what was searched for, when, and whether that is all of it."""
    words = re.sub(r"[^a-z0-9]+", "-", query.lower())[:MAX_NAME].strip("-") or "articles"
    first = f"-first-{capped_at}" if capped_at is not None else ""
    return f"backfile-{words}-{datetime.now(UTC).date().isoformat()}{first}.{form}"


def _read(parts: Services, whole: WholeList, length: int, *, pages: str, who: str) -> Iterator[Exported]:
    """Yield the first rows of a list, read for `who`; the addresses of all articles' pages begin with `pages`."""

    def piece(part: slice) -> Sequence[Exported]:
        rows = whole.read(part)
        ids = [row.result.article.id for row in rows]
        stories = parts.stories.numbers_of(ids)
        return [Exported(row, stories.get(each), pages + each) for row, each in zip(rows, ids, strict=True)]

    for start in range(0, length, PIECE):
        yield from _patiently(parts, partial(piece, slice(start, min(start + PIECE, length))), who=who)


def _patiently(parts: Services, work: Callable[[], Sequence[Exported]], *, who: str) -> Sequence[Exported]:
    """Return what the crew makes of it, however long it is busy: half an export is none."""
    while True:
        try:
            return parts.crew.do(work, who=who)
        except Overloaded:
            time.sleep(PAUSE)


def csv_lines(rows: Iterable[Exported]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180)."""
    yield BOM + csv_line(COLUMNS)
    for row in rows:
        yield csv_line([csv_cell(value) for value in row.fields().values()])


def csv_line(cells: Sequence[object]) -> str:
    """Return one line of a CSV file."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()


def csv_cell(value: object) -> object:
    """Return a value as a cell: several names with semicolons; a text that would be a formula after an apostrophe."""
    text = "; ".join(value) if isinstance(value, list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def json_lines(rows: Iterable[Exported], *, has_body: bool) -> Iterator[str]:
    """Yield one JSON object a line, with the text where that is asked for."""
    for row in rows:
        body = {"body": row.row.result.article.body} if has_body else {}
        yield json.dumps({**row.fields(), **body}, ensure_ascii=False, separators=(",", ":")) + "\n"
