"""What an evaluation writes for other tools, and the runs it reads back: TREC runs, and figures query by query.

A TREC run has one line a document: query id, `Q0`, document id, rank from 1, score, tag, separated by spaces. The score
we write falls by one with each rank, so that tools which sort by score (all of TREC's do) read our order.

Invariant: a file is replaced whole or not at all.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.errors import SourceError
from index.evaluation.collection import text_lines
from index.evaluation.measures import Measures, Run
from index.files import replacing

FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
)  # a spreadsheet would compute such a cell; headlines come from outside


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRow:
    """One query in one setting. `rank` is that of its best-placed answer, None when none was found among the judged.

    `shown` says whether the cut-off leaves that answer, None when there is no such answer or no cut-off.
    """

    query_id: str
    text: str
    setting: str
    measures: Measures
    rank: int | None
    shown: bool | None


def trec_run(run: Run, *, tag: str) -> str:
    """Return a run in TREC's format. Raises SourceError when an id has white space in it or is empty."""
    written = []
    for query_id, documents in run.items():
        for place, document_id in enumerate(documents):
            for name in (query_id, document_id):
                if len(name.split()) != 1:
                    raise SourceError(f"a TREC run cannot hold the id {name!r}: its columns are separated by spaces")
            written.append(f"{query_id} Q0 {document_id} {place + 1} {len(documents) - place} {tag}\n")
    return "".join(written)


def read_trec_run(path: Path) -> Run:
    """Read a run, each query's documents by falling score, ties by rank. Raises SourceError naming the line."""
    scored: dict[str, dict[str, tuple[float, int]]] = {}
    for where, line in text_lines(path, wanted="--compare-runs names two files in TREC's run format"):
        query_id, document_id, rank, score = _columns(where, line)
        if document_id in scored.setdefault(query_id, {}):
            raise SourceError(f"{where}: document {document_id!r} is there twice for query {query_id!r}")
        scored[query_id][document_id] = (-score, rank)
    if not scored:
        raise SourceError(f"{path}: no line in it: a run has at least one")
    return {query_id: sorted(places, key=places.__getitem__) for query_id, places in scored.items()}


def _columns(where: str, line: str) -> tuple[str, str, int, float]:
    try:
        query_id, _, document_id, rank, score, _ = line.split()
        value = float(score)
        if math.isnan(value):
            raise ValueError("the score is not a number")
        return query_id, document_id, int(rank), value
    except ValueError as error:
        raise SourceError(f"{where}: six columns are wanted (query Q0 document rank score tag): {error}") from error


def json_lines(rows: Iterable[QueryRow]) -> str:
    """Return one JSON object a line, of one query in one setting each."""
    return "".join(f"{json.dumps(_row(row), ensure_ascii=False)}\n" for row in rows)


def tab_separated(rows: Sequence[QueryRow]) -> str:
    """Return the same as a table with a heading, for spreadsheets: what one would take for a formula is quoted."""
    objects = [_row(row) for row in rows]
    lines = [list(objects[0]), *(list(map(_cell, each.values())) for each in objects)] if objects else []
    return "".join("\t".join(line) + "\n" for line in lines)


def _row(row: QueryRow) -> Mapping[str, object]:
    return {
        "query": row.query_id,
        "text": row.text,
        "setting": row.setting,
        **row.measures,
        "rank": row.rank,
        "shown": row.shown,
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    quoted = f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return " ".join(quoted.split())


def replace_file(path: Path, text: str) -> None:
    """Write `text` to `path`, through a link if it is one. Raises OSError, and then whatever was there is untouched."""
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
