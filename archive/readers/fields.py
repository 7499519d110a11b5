"""From named fields, as a record, a table row or header lines give them, to an article.

Invariant: an article has a body with words in it and a title; a field that is null or empty is unknown; a field of the
wrong type is never bent into shape, the record is refused and the reason says which field. A date alone costs no
article: where it cannot be read without doubt it is unknown, and the article says what was written there.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from archive.article import Article
from archive.errors import SourceError
from archive.identity import article_id, canonical_url
from archive.readers.dates import written_date
from archive.readers.normalise import body_text, derived_title, has_words, one_line

# Each field's names in order of preference; keys beyond these are ignored.
ID = ("id", "_id")
URL = ("url",)
SOURCE = ("source",)
SECTION = ("section",)
TITLE = ("title", "headline")
BODY = ("body", "text", "content")
AUTHORS = ("authors", "author")
LANGUAGE = ("language",)
PUBLISHED = ("published_at", "date", "published")
UPDATED = ("updated_at",)
MAX_BODY_CHARS = 2_000_000  # 350,000 words: no article is as long, and a page, a snippet and a panel must cope with it
MAX_UNREAD = 40  # characters that are shown of a date that is none
KNOWN = frozenset(ID + URL + SOURCE + SECTION + TITLE + BODY + AUTHORS + LANGUAGE + PUBLISHED + UPDATED)

_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{2,8})*)")  # the common part of BCP 47
_FOREIGN_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+-]*:", re.IGNORECASE)


def article_from(fields: Mapping[str, object]) -> Article:
    """Return the article these fields describe. Raises SourceError with the reason when they cannot be one."""
    body = body_text(_text(fields, BODY) or "")
    if not has_words(body):
        raise SourceError(f"no body: the article's text belongs in {_or(BODY)}")
    if len(body) > MAX_BODY_CHARS:
        raise SourceError(
            f"the body has {len(body):,} characters, more than the {MAX_BODY_CHARS:,} an article may have:"
            " split it into its articles"
        )
    headline = one_line(_text(fields, TITLE) or "")
    derived = not has_words(headline)
    title = derived_title(body) if derived else headline
    source = _line(fields, SOURCE)
    source_id = _own_id(fields)
    published_at, unread = _date(fields, PUBLISHED)
    updated_at, unread_too = _date(fields, UPDATED)
    url = _url(fields, source_id=source_id)
    return Article(
        id=article_id(url=url, source=source, source_id=source_id, text=f"{title}\n\n{body}"),
        url=url,
        source=source,
        section=_line(fields, SECTION),
        title=title,
        body=body,
        authors=_authors(fields),
        language=language_tag(_text(fields, LANGUAGE)),
        published_at=published_at,
        updated_at=updated_at,
        derived_title=derived,
        unread_date=unread or unread_too,
    )


def language_tag(text: str | None) -> str | None:
    """Return a BCP 47 tag in its usual capitals ("en_us" gives "en-US"), or None when `text` does not look like one."""
    tag = _LANGUAGE_TAG.fullmatch((text or "").strip().replace("_", "-"))
    if not tag:
        return None
    return tag[1].lower() + "".join(f"-{_subtag(part)}" for part in tag[2].split("-")[1:])


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():  # a script: Hant
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()  # a region: US


def is_web_address(url: str) -> bool:
    """Tell whether `url` can name an article: an absolute http or https URL."""
    try:
        canonical_url(url)
    except ValueError:
        return False
    return True


def _value(fields: Mapping[str, object], names: Sequence[str]) -> tuple[str, object]:
    """Return the first of `names` that holds something, with what it holds; null and blank text are nothing."""
    for name in names:
        value = fields.get(name)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return name, value
    return names[0], None


def _text(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    name, value = _value(fields, names)
    if value is None or isinstance(value, str):
        return value
    raise SourceError(f"{name} is {_kind(value)}: it must be text in quotes, or left out")


def _line(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    return one_line(_text(fields, names) or "") or None


def _date(fields: Mapping[str, object], names: Sequence[str]) -> tuple[datetime | None, str | None]:
    """Return the moment that a date names, or what is written there when it names none, or several."""
    _, value = _value(fields, names)
    moment = written_date(value) if isinstance(value, str) else None
    return moment, None if value is None or moment else one_line(str(value)[:MAX_UNREAD])


def _own_id(fields: Mapping[str, object]) -> str | None:
    name, value = _value(fields, ID)
    if isinstance(value, int) and not isinstance(value, bool):  # many exports number their rows
        return str(value)
    return _line({name: value}, (name,))


def _url(fields: Mapping[str, object], *, source_id: str | None) -> str | None:
    url = _line(fields, URL)
    if url is None or is_web_address(url):
        return url
    if source_id is None and _FOREIGN_SCHEME.match(url):
        raise SourceError(f"url {url[:60]!r} is not http or https and there is no id: give one of the two")
    return None


def _authors(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names in order, each once. One text may hold several, separated by semicolons."""
    name, value = _value(fields, AUTHORS)
    if value is None:
        return ()
    listed = value.split(";") if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise SourceError(f"{name} is {_kind(value)}: it must be a list of names, or one text")
    for author in listed:
        if author is not None and not isinstance(author, str):
            raise SourceError(f"{name} holds {_kind(author)}: each name must be text in quotes")
    return tuple(dict.fromkeys(line for author in listed if (line := one_line(author or ""))))


def _kind(value: object) -> str:
    """Return the JSON word for a value's type."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def _or(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
