"""Entries as JSON: how the process that reads what may be hostile tells what it found, and what is believed of that.

Invariant: `entry_from` believes nothing. Whatever took that process over, it can hand back values of the right types
and no others; where they come from is said by whoever asked, not by the answer.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, get_args

from archive.article import Article, Entry, Rejection, Status, Withdrawal
from archive.readers.fields import MAX_BODY_CHARS, is_web_address

_ID = re.compile(r"[0-9a-f]{16}")
_MOST = 1 << 62  # beyond what any count can be, and within what SQLite can hold

Check = Callable[[object], object]


def to_json(entry: Entry) -> bytes:
    """Return `entry` as one JSON object."""
    told = {field.name: _told(getattr(entry, field.name)) for field in fields(entry)}
    return json.dumps({"kind": type(entry).__name__, **told}).encode("ascii")


def entry_from(answer: bytes, *, origin: str) -> Entry:
    """Return the entry that `answer` describes. Raises ValueError where it is not one in every detail."""
    try:
        told = json.loads(answer)
    except RecursionError as error:
        raise ValueError("lists nested without end") from error
    if not isinstance(told, dict):
        raise ValueError("not an object")
    match told.pop("kind", None):
        case "Article":
            return Article(**_checked(told, _ARTICLE))
        case "Withdrawal":
            return Withdrawal(**_checked(told, _WITHDRAWAL))
        case "Rejection":
            return Rejection(**{**_checked(told, _REJECTION), "source": origin})
    raise ValueError("no kind of entry")


def _told(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _checked(told: Mapping[str, object], checks: Mapping[str, Check]) -> dict[str, Any]:
    if told.keys() != checks.keys():
        raise ValueError("fields are missing, or there are others")
    return {name: check(told[name]) for name, check in checks.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode()  # half of a pair of surrogates cannot be kept
    return value


def _body(value: object) -> str:
    text = _text(value)
    if len(text) > MAX_BODY_CHARS:
        raise ValueError("a body longer than any may be")
    return text


def _id(value: object) -> str:
    if not _ID.fullmatch(text := _text(value)):
        raise ValueError("not an id")
    return text


def _url(value: object) -> str:
    if not is_web_address(text := _text(value)):
        raise ValueError("not a web address")
    return text


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None or moment.utcoffset():
        raise ValueError("not a time in UTC")
    return moment.astimezone(UTC)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise ValueError("not a count")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _status(value: object) -> str:
    if value not in get_args(Status):
        raise ValueError("not a status")
    return str(value)


def _bytes(value: object) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _all(check: Check) -> Check:
    def checked(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ValueError("not a list")
        return tuple(check(each) for each in value)

    return checked


_ARTICLE: dict[str, Check] = {
    "id": _id,
    "title": _text,
    "body": _body,
    "url": _optional(_url),
    "source": _optional(_text),
    "section": _optional(_text),
    "authors": _all(_text),
    "language": _optional(_text),
    "published_at": _optional(_moment),
    "updated_at": _optional(_moment),
    "version": _number,
    "status": _status,
    "derived_title": _truth,
    "embargoed_until": _optional(_moment),
    "source_version": _optional(_number),
    "note": _optional(_text),
    "aliases": _all(_id),
    "language_guessed": _truth,
}
_WITHDRAWAL: dict[str, Check] = {
    "id": _id,
    "reason": _text,
    "source": _optional(_text),
    "source_version": _optional(_number),
    "aliases": _all(_id),
}
_REJECTION: dict[str, Check] = {
    "source": _text,
    "reason": _text,
    "line": _optional(_number),
    "raw": _optional(_bytes),
}
