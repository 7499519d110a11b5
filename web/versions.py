"""The versions of an article as pages and endpoints show them: the list, one of them, and what changed between two.

Invariant: what cannot be shown itself shows no version either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import NotFound

from archive.article import Article
from archive.differences import Differences, differences
from archive.store import Store, VersionEntry
from web.changes import Stretch, counted, differences_object, stretches_of
from web.links import outside_link
from web.payload import Json, instant, version_links
from web.wording import byline, in_a_row, label, language_name, moment_text

MOST_COMPARED = 20  # versions of one list that are compared with the one before, the newest: each takes milliseconds
FIELD_NAMES = {
    "title": lazy_gettext("headline"),
    "authors": lazy_gettext("authors"),
    "source": lazy_gettext("source"),
    "section": lazy_gettext("section"),
    "language": lazy_gettext("language"),
    "url": lazy_gettext("address"),
    "published_at": lazy_gettext("date"),
    "updated_at": lazy_gettext("time of update"),
}
QUIET = frozenset({"updated_at"})  # changes with almost every version, so a list of versions does not name it


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Something about an article that was changed beside its text, as a reader is told; None where it had none."""

    field: str
    before: str | None
    after: str | None

    @property
    def name(self) -> str:
        """Return what is changed, in a word."""
        return str(FIELD_NAMES[self.field])


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed from one version of an article to another."""

    before: Article
    after: Article
    fields: Sequence[FieldChange]
    text: Differences

    @property
    def stretches(self) -> list[Stretch]:
        """Return the sentences, those of one kind that follow each other together."""
        return stretches_of(self.text)

    @property
    def summary(self) -> str:
        """Say in one line what changed: what was changed beside the text first."""
        named = byline([field.name for field in self.fields if field.field not in QUIET])
        fields = [gettext("%(fields)s changed", fields=named)] if named else []
        told = in_a_row([*fields, *counted(self.text)]) or gettext("nothing but signs and spaces changed")
        return f"{told[0].upper()}{told[1:]}."


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the list; `changes` is None of the first and of those not compared."""

    entry: VersionEntry
    changes: Changes | None
    is_shown: bool


def changes_between(before: Article, after: Article) -> Changes:
    """Compare two versions of an article."""
    fields = [
        FieldChange(name, old, new)
        for name in FIELD_NAMES
        if (old := _written(before, name)) != (new := _written(after, name))
    ]
    return Changes(before, after, fields, differences(before.body, after.body, language=after.language))


def _written(article: Article, name: str) -> str | None:
    value = getattr(article, name)
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, tuple):
        return in_a_row(value) or None
    if value and name in ("source", "section"):
        return label(value)
    return language_name(value) if value and name == "language" else value


def version_lines(store: Store, article: Article) -> list[VersionLine]:
    """Return the versions of an article, the newest first."""
    entries = store.versions(article.id)
    alone = max(1, len(entries) - MOST_COMPARED)
    texts = [store.version(article.id, entry.version) for entry in entries[alone - 1 :]]
    found: list[Changes | None] = [None] * alone
    found += [changes_between(old, new) if old and new else None for old, new in pairwise(texts)]
    lines = [
        VersionLine(entry, changes, entry.version == article.version)
        for entry, changes in zip(entries, found, strict=False)
    ]
    return lines[::-1]


def version_of(store: Store, article: Article, number: int) -> Article:
    """Return one version of an article that is shown. Raises NotFound."""
    found = store.version(article.id, number)
    if found is None:
        raise _no_version(number)
    return found


def _no_version(number: int) -> NotFound:
    return NotFound(gettext("This article has no version %(number)s.", number=number))


@dataclass(frozen=True, slots=True)
class Edition:
    """One version among those of an article that may be shown: numbers between them may be missing."""

    shown: Article  # the version that is shown now
    article: Article
    entry: VersionEntry
    before: int | None
    after: int | None


def edition_of(store: Store, shown: Article, number: int) -> Edition:
    """Return one version of an article that is shown. Raises NotFound."""
    article, entries = version_of(store, shown, number), store.versions(shown.id)
    numbers = [entry.version for entry in entries]
    if number not in numbers:  # withheld a moment ago
        raise _no_version(number)
    at = numbers.index(number)
    before, after = numbers[at - 1] if at else None, numbers[at + 1] if at + 1 < len(numbers) else None
    return Edition(shown, article, entries[at], before, after)


def compared(store: Store, shown: Article, number: int, asked: int | None) -> Changes:
    """Return what a version changed, of the one asked for or of the one before it. Raises NotFound."""
    edition = edition_of(store, shown, number)
    against = asked or edition.before
    if against is None:
        raise NotFound(gettext("This is the first version: there is none before it to compare it with."))
    return changes_between(version_of(store, shown, against), edition.article)


def version_object(edition: Edition) -> Json:
    """Return one version with its text."""
    version = edition.article
    return {
        "id": version.id,
        "version": version.version,
        "latest": edition.shown.version,
        "ingested_at": instant(edition.entry.ingested_at),
        "note": version.note,
        "url": outside_link(version.url),
        "title": version.title,
        "derived_title": version.derived_title,
        "source": version.source,
        "section": version.section,
        "authors": list(version.authors),
        "language": version.language,
        "published_at": instant(version.published_at),
        "updated_at": instant(version.updated_at),
        "body": version.body,
        "links": version_links(version.id, version.version, is_first=edition.before is None),
    }


def changes_object(changes: Changes) -> Json:
    """Return what changed between two versions: what was said about the article, and every sentence of its text."""
    return {
        "id": changes.after.id,
        "version": changes.after.version,
        "against": changes.before.version,
        "note": changes.after.note,
        "fields": [
            {
                "field": field.field,
                "before": _plain(changes.before, field.field),
                "after": _plain(changes.after, field.field),
            }
            for field in changes.fields
        ],
        "differences": differences_object(changes.text),
        "links": version_links(changes.after.id, changes.after.version, is_first=False),
    }


def _plain(article: Article, name: str) -> object:
    value = getattr(article, name)
    if isinstance(value, datetime):
        return instant(value)
    return list(value) if isinstance(value, tuple) else value
