"""What was found, as JSON: how the process that reads what may be hostile tells it, and what is believed of that.

Invariant: nothing is believed. Whatever took that process over, it can hand back values of the right types
and no others; where they come from is said by whoever asked, not by the answer.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from archive.article import Article, Entry, Rejection, Status, Withdrawal
from archive.readers.feeds.opml import Subscription
from archive.readers.fields import MAX_BODY_CHARS, is_web_address
from archive.readers.isolated.web_content import Holds, Item, Kind, WebContent

_ID = re.compile(r"[0-9a-f]{16}")
_MOST = 1 << 62  # beyond what any count can be, and within what SQLite can hold

Check = Callable[[object], object]


def to_json(found: Entry | WebContent) -> bytes:
    """Return what was found as one JSON object."""
    return json.dumps(_told(found)).encode("ascii")


def entry_from(answer: bytes, *, origin: str) -> Entry:
    """Return the entry that `answer` describes. Raises ValueError where it is not one in every detail."""
    return _entry(_parsed(answer), origin)


def content_from(answer: bytes, *, origin: str) -> WebContent | Rejection:
    """Return the content that `answer` describes, or why there is none. Raises ValueError as `entry_from` does."""
    told = _parsed(answer)
    if _type(told) == "Rejection":
        return _rejection(told, origin)
    entries = _all(lambda each: _entry(each, origin))
    return WebContent(**_fields(told, "WebContent", {**_CONTENT, "entries": entries}))


def _told(value: object) -> object:
    if is_dataclass(value):
        return {"type": type(value).__name__, **{each.name: _told(getattr(value, each.name)) for each in fields(value)}}
    if isinstance(value, tuple):
        return [_told(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _parsed(answer: bytes) -> object:
    try:
        return json.loads(answer)
    except RecursionError as error:
        raise ValueError("lists nested without end") from error


def _type(told: object) -> object:
    return told.get("type") if isinstance(told, dict) else None


def _fields(told: object, name: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    """Return the fields of what says to be of the type `name`, each checked."""
    if not isinstance(told, dict) or told.get("type") != name:
        raise ValueError(f"not of the type {name}")
    if told.keys() != checks.keys() | {"type"}:
        raise ValueError("fields are missing, or there are others")
    return {field: check(told[field]) for field, check in checks.items()}


def _entry(told: object, origin: str) -> Entry:
    match _type(told):
        case "Article":
            return _article(told)
        case "Withdrawal":
            return Withdrawal(**_fields(told, "Withdrawal", _WITHDRAWAL))
        case "Rejection":
            return _rejection(told, origin)
    raise ValueError("no type of entry")


def _article(told: object) -> Article:
    return Article(**_fields(told, "Article", _ARTICLE))


def _rejection(told: object, origin: str) -> Rejection:
    return Rejection(**{**_fields(told, "Rejection", _REJECTION), "source": origin})


def _item(told: object) -> Item:
    return Item(**_fields(told, "Item", _ITEM))


def _subscription(told: object) -> Subscription:
    return Subscription(**_fields(told, "Subscription", _SUBSCRIPTION))


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


def _one_of(words: object) -> Check:
    def checked(value: object) -> str:
        if value not in get_args(words):
            raise ValueError("not one of the words there are")
        return str(value)

    return checked


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
    "status": _one_of(Status),
    "derived_title": _truth,
    "embargoed_until": _optional(_moment),
    "source_version": _optional(_number),
    "note": _optional(_text),
    "aliases": _all(_id),
    "language_guessed": _truth,
    "unread_date": _optional(_text),
}
_WITHDRAWAL: dict[str, Check] = {
    "id": _id,
    "reason": _text,
    "source": _optional(_text),
    "source_version": _optional(_number),
    "updated_at": _optional(_moment),
    "aliases": _all(_id),
    "for_good": _truth,
}
_REJECTION: dict[str, Check] = {
    "source": _text,
    "reason": _text,
    "line": _optional(_number),
    "raw": _optional(_bytes),
    "size": _optional(_number),
}
_ITEM: dict[str, Check] = {
    "url": _optional(_url),
    "said": _bytes,
    "about": _optional(_article),
    "holds": _one_of(Holds),
    "changed_at": _optional(_moment),
}
_SUBSCRIPTION: dict[str, Check] = {"url": _url, "title": _optional(_text), "category": _optional(_text)}
_CONTENT: dict[str, Check] = {
    "kind": _one_of(Kind),
    "title": _optional(_text),
    "items": _all(_item),
    "links": _all(_url),
    "feeds": _all(_subscription),
}
