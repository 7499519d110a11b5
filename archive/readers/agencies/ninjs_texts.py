"""The texts of an item of ninjs, in whatever generation: headline, body and description, by their roles.

Generation 1 writes the role after the property's name (`body_xhtml`), the later ones in objects of a list (`bodies`).
"""

import re
from collections.abc import Mapping

from archive.errors import SourceError
from archive.readers.agencies.agency import STANDFIRST_ROLES, Text
from archive.readers.markup import IN_AGENCIES, has_markup, plain_text
from archive.readers.normalise import body_text, has_words, one_line

Fields = Mapping[str, object]  # an item's properties, their names in lower case: generation 3 writes them in camel case

PLURALS = {"headline": "headlines", "body": "bodies", "description": "descriptions"}  # from generation 2 on
MAIN_ROLES = ("main", "", "headline", "text")  # in this order
NO_TEXT_ROLES = frozenset({"creditline", "credit", "writer", "byline", "slugline", "keywords"})
MAX_REASON_VALUE = 60

_NITF = re.compile(r"<body\.content\b|\A\s*<(?:block|p|hl2)\b")


def lowered(value: Mapping[str, object]) -> Fields:
    """Return an item's properties by their names in lower case."""
    return {name.lower(): inner for name, inner in value.items()}


def string(fields: Fields, name: str) -> str | None:
    """Return a property that must be text where it is given. Raises SourceError when it is not."""
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise SourceError(f"{name} is not text: {str(value)[:MAX_REASON_VALUE]}")


def has_words_in(fields: Fields, name: str) -> bool:
    """Tell whether a property has words, in whatever generation; what is wrong with it is said where it is read."""
    try:
        return any(has_words(text.text) for text in texts(fields, name, PLURALS[name]))
    except SourceError:
        return True


def headline(fields: Fields) -> str:
    """Return the headline of an item, empty where it has none."""
    headlines = texts(fields, "headline", "headlines")
    return next((line for text in headlines if (line := one_line(text.text))), one_line(string(fields, "title") or ""))


def standfirst(fields: Fields) -> str:
    """Return the headlines and descriptions whose role says that they stand above the text, a paragraph each."""
    found = [("subheadline", fields.get("subheadline"))]
    for name in ("headline", "description"):
        found += [(own, fields[own]) for own in sorted(fields) if _role(own, name) in STANDFIRST_ROLES]
        listed = fields.get(PLURALS[name])
        values = [lowered(value) for value in listed if isinstance(value, dict)] if isinstance(listed, list) else []
        found += [
            (str(value.get("contenttype") or ""), value.get("value"))
            for value in values
            if str(value.get("role") or "").lower() in STANDFIRST_ROLES
        ]
    return "\n\n".join(_text(value, kind).text for kind, value in found if isinstance(value, str) and has_words(value))


def texts(fields: Fields, name: str, listed: str) -> list[Text]:
    """Return the texts of a property: of `body`, `body_text`, `body_xhtml`… in generation 1, of `bodies` in the later.

    The main one comes first. Raises SourceError when one is not text.
    """
    found: list[tuple[int, Text]] = []
    for own in sorted(fields):
        role = _role(own, name)
        if role is not None and role not in NO_TEXT_ROLES and fields[own] is not None:
            found.append((_rank(role), _text(string(fields, own) or "", own)))
    values = fields.get(listed) if listed else None
    if values is not None and not isinstance(values, list):
        raise SourceError(f"{listed} is not a list")
    for value in values or []:
        if not isinstance(value, dict) or not isinstance(value.get("value", ""), str):
            raise SourceError(f"{listed} holds what is no text: {str(value)[:MAX_REASON_VALUE]}")
        own_fields = lowered(value)
        role = str(own_fields.get("role") or "")
        if role.lower() not in NO_TEXT_ROLES:
            kind = f"{role} {own_fields.get('contenttype') or ''}"
            found.append((_rank(role), _text(str(own_fields.get("value") or ""), kind)))
    return [text for _, text in sorted(found, key=lambda each: each[0])]


def _role(own: str, name: str) -> str | None:
    """Return the role that generation 1 writes after a property's name, or None for another property."""
    if own == name:
        return ""
    return own[len(name) + 1 :] if re.match(f"{name}_[a-z0-9_]", own) else None


def _rank(role: str) -> int:
    return MAIN_ROLES.index(role.lower()) if role.lower() in MAIN_ROLES else len(MAIN_ROLES)


def _text(value: str, kind: str) -> Text:
    kind = kind.lower()
    is_other = ("xml" in kind or "nitf" in kind) and "html" not in kind
    if is_other:  # NITF is read; what else there may be is not for people
        return Text(text=plain_text(value, IN_AGENCIES) if _NITF.search(value) else "")
    if "plain" in kind or not (has_markup(value) or "html" in kind):
        return Text(text=body_text(value))
    if not has_markup(value):  # a blank line is all that can part paragraphs in it
        value = "".join(f"<p>{paragraph}</p>" for paragraph in re.split(r"\n\s*\n", value))
    return Text(text=plain_text(value, IN_AGENCIES))
