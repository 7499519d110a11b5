"""An archive's own export format: how a record of an article is written as JSON, and read again. Pure.

Invariant: what `record_object` wrote, `record_from` reads to an equal record; anything else is either a record that the
archive could have made itself, or refused with the reason.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar, cast

from archive.article import Article, ChangeKind, Edition, Logged, Record, Status
from archive.errors import SourceError
from archive.identity import ID_LENGTH
from archive.readers.fields import MAX_BODY_CHARS, is_web_address, language_tag

FORMAT_VERSION = 1
SUM = "sum"
MARK = "article"  # by which a line says what it is
MOST = 2**53 - 1  # the highest number that every reader of JSON reads exactly

_TEXTS = ("title", "body", "url", "source", "section", "language", "note")
_TIMES = ("published_at", "updated_at")
_STATUSES = ("live", "embargoed", "removed")
_KINDS = ("added", "updated", "held", "removed")
_HEX = frozenset("0123456789abcdef")

T = TypeVar("T")


def first_line(*, articles: int, exported_at: datetime) -> dict[str, object]:
    """Return what an export begins with."""
    return {"backfile": FORMAT_VERSION, "exported_at": _written(exported_at), "articles": articles}


def shown_edition(record: Record) -> Edition:
    """Return the version of an article that is shown, or would be."""
    return next(each for each in record.editions if each.article.version == record.version)


def as_first_version(record: Record) -> Record:
    """Return a record of nothing but what is shown, as if it had come in as it is."""
    edition = shown_edition(record)
    only = replace(edition, article=replace(edition.article, version=1), row=None)
    change = Logged(version=1, kind="added", at=edition.ingested_at)
    return replace(record, version=1, editions=(only,), changes=(change,))


def record_object(record: Record) -> dict[str, object]:
    """Return a record as an object to be written as JSON. What is not known, or as usual, is left out."""
    return _filled(
        {
            "backfile": MARK,
            "id": record.id,
            "status": record.status,
            "version": record.version,
            "aliases": list(record.aliases),
            "versions": [_edition_object(edition, record) for edition in record.editions],
            "changes": [
                _filled(
                    {
                        "seq": change.seq,
                        "version": change.version,
                        "kind": change.kind,
                        "at": _written(change.at),
                        "reason": change.reason,
                    }
                )
                for change in record.changes
            ],
        }
    )


def with_sum(values: Mapping[str, object]) -> dict[str, object]:
    """Return the object with its checksum, the SHA-256 of all the rest of it, for what a disk may do to it."""
    return {**values, SUM: _sum(values)}


def without_sum(values: Mapping[str, object]) -> dict[str, object]:
    """Return the object as it was before; older ones have no checksum. Raises SourceError when it differs from it."""
    rest = {name: value for name, value in values.items() if name != SUM}
    if SUM in values and values[SUM] != _sum(rest):
        raise SourceError("differs from its own checksum, so it is damaged: take another copy of the file")
    return rest


def _sum(values: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _edition_object(edition: Edition, record: Record) -> dict[str, object]:
    article = edition.article
    is_removed = record.status == "removed"
    return _filled(
        {
            "version": article.version,
            "row": edition.row,
            "ingested_at": _written(edition.ingested_at),
            "embargoed_until": _written(edition.embargoed_until),
            "source_version": article.source_version,
            **{name: _written(getattr(article, name)) for name in _TIMES},
            "authors": list(article.authors),
            "derived_title": article.derived_title or None,
            **{name: getattr(article, name) for name in _TEXTS if not (is_removed and name in ("title", "body"))},
        }
    )


def _filled(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None and value != []}


def _written(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


# Reading


def record_from(values: Mapping[str, object]) -> Record:
    """Return the record that these values describe. Raises SourceError with the reason when they are none."""
    if values.get("backfile") != MARK:
        raise SourceError(f'not a record of an article: its line must hold "backfile": "{MARK}"')
    id_ = _id(_needed(values, "id", str))
    status = cast(Status, _one_of(values, "status", _STATUSES))
    record = Record(
        id=id_,
        status=status,
        version=_number(values, "version"),
        aliases=tuple(_id(alias) for alias in _list(values, "aliases", str)),
        editions=tuple(_edition(each, id_, status) for each in _list(values, "versions", dict)),
        changes=tuple(_change(each) for each in _list(values, "changes", dict)),
    )
    _check(record)
    return record


def _edition(values: Mapping[str, object], id_: str, status: Status) -> Edition:
    texts = {name: _text(values, name) for name in _TEXTS}
    title, body = texts.pop("title"), texts.pop("body")
    if status == "removed":
        title = body = ""
    if title is None or body is None:
        raise SourceError("a version without title or body")
    if len(body) > MAX_BODY_CHARS:
        raise SourceError(f"a body of more than {MAX_BODY_CHARS:,} characters")
    if texts["url"] is not None and not is_web_address(texts["url"]):
        raise SourceError(f"url {texts['url'][:60]!r} is not http or https")
    if texts["language"] != language_tag(texts["language"]):
        raise SourceError(f"language {texts['language']!r} is not a language tag")
    return Edition(
        article=Article(
            id=id_,
            version=_number(values, "version"),
            title=title,
            body=body,
            url=texts["url"],
            source=texts["source"],
            section=texts["section"],
            language=texts["language"],
            note=texts["note"],
            authors=tuple(_sound(name) for name in _list(values, "authors", str)),
            published_at=_time(values, "published_at"),
            updated_at=_time(values, "updated_at"),
            derived_title=_optional(values, "derived_title", bool) or False,
            source_version=_number(values, "source_version", least=-MOST) if "source_version" in values else None,
        ),
        ingested_at=_moment(_needed(values, "ingested_at", str), "ingested_at"),
        embargoed_until=_time(values, "embargoed_until"),
        row=_number(values, "row") if "row" in values else None,
    )


def _change(values: Mapping[str, object]) -> Logged:
    return Logged(
        seq=_number(values, "seq") if "seq" in values else None,
        version=_number(values, "version"),
        kind=cast(ChangeKind, _one_of(values, "kind", _KINDS)),
        at=_moment(_needed(values, "at", str), "at"),
        reason=_text(values, "reason"),
    )


def _check(record: Record) -> None:
    """Raise SourceError for a record that no archive could hold."""
    numbers = [edition.article.version for edition in record.editions]
    open_ = [each.article.version for each in record.editions if each.embargoed_until is None]
    seqs = [change.seq for change in record.changes]
    counts = numbers == list(range(1, len(numbers) + 1))
    if record.status == "removed":
        faults = {"versions": numbers != [record.version], "embargoed_until": not open_}
    else:
        shown = open_ if record.status == "live" else numbers
        faults = {"versions": not numbers or not counts, "version": record.version != max(shown, default=0)}
    faults["changes"] = not any(change.version == record.version for change in record.changes)
    if None not in seqs:
        faults["seq"] = cast(list[int], seqs) != sorted(set(cast(list[int], seqs)))
    for field, is_wrong in faults.items():
        if is_wrong:
            raise SourceError(f"the record contradicts itself: {field}")


def _optional(values: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SourceError(f"{name} must be {_KIND_NAMES[kind]}")
    return value


_KIND_NAMES: Mapping[type, str] = {str: "text", int: "a whole number", bool: "true or false", list: "a list"}


def _needed(values: Mapping[str, object], name: str, kind: type[T]) -> T:
    value = _optional(values, name, kind)
    if value is None:
        raise SourceError(f"{name} is missing")
    return value


def _list(values: Mapping[str, object], name: str, kind: type[T]) -> Sequence[T]:
    listed: list[object] = _optional(values, name, list) or []
    if not all(isinstance(each, kind) for each in listed):
        raise SourceError(f"{name} holds something of another kind")
    return cast(list[T], listed)


def _number(values: Mapping[str, object], name: str, *, least: int = 1) -> int:
    value = _needed(values, name, int)
    if not least <= value <= MOST:
        raise SourceError(f"{name} is out of range")
    return value


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = _optional(values, name, str)
    return None if value is None else _sound(value)


def _sound(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SourceError("holds half a character (a lone surrogate)") from error
    return text


def _one_of(values: Mapping[str, object], name: str, choices: Sequence[str]) -> str:
    value = _needed(values, name, str)
    if value not in choices:
        raise SourceError(f"{name} must be one of {', '.join(choices)}")
    return value


def _id(text: str) -> str:
    if len(text) != ID_LENGTH or not _HEX.issuperset(text):
        raise SourceError(f"an id must be {ID_LENGTH} digits of 0-9 and a-f")
    return text


def _time(values: Mapping[str, object], name: str) -> datetime | None:
    text = _optional(values, name, str)
    return None if text is None else _moment(text, name)


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"{name} must be a time with its zone, as 2016-08-10T09:30:00+00:00") from error
