"""The card of the query language: each operator, what it does, and a search of this very archive that shows it.

Invariant: the card has every operator there is (a test compares it with the language), and an example is made of words
and values that the archive's own articles hold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, render_template
from flask_babel import lazy_gettext

from archive.article import Article
from index.analysis import is_stop_word
from index.completion.operators import GROUP, NEAR, PHRASE
from index.completion.values import FILED, FieldValues, written
from index.language.clauses import DATE_OPERATORS
from web import conditional
from web.services import services

PATH = "/search/syntax"
READ = 40  # of the newest articles: among their headlines are words for the examples
WORDS = "words"
MEANINGS = {  # by the sign that each operator is known by, in the order of the card
    WORDS: lazy_gettext("All words are wanted, in any order; AND between them changes nothing"),
    PHRASE: lazy_gettext("These words side by side"),
    NEAR: lazy_gettext("These words near each other: at most so many others between"),
    "-": lazy_gettext("Without this word, phrase or filter; NOT in capitals does the same"),
    "OR": lazy_gettext("Either of the two; written in capitals, or as |"),
    GROUP: lazy_gettext("What stands in parentheses counts as one word"),
    "*": lazy_gettext("Any word that begins so, from three letters on"),
    "~": lazy_gettext("The word, or one a single letter away"),
    "title:": lazy_gettext("The word, or a phrase in quotes, stands in the headline"),
    "author:": lazy_gettext("Written by this author"),
    "source:": lazy_gettext("From this source"),
    "section:": lazy_gettext("Of this section"),
    "language:": lazy_gettext("In this language"),
    "after:": lazy_gettext("Published on this day or later; a year or a month does as well"),
    "before:": lazy_gettext("Published on this day or before, to the end of a month or year"),
    "on:": lazy_gettext("Published on this day, or in this month, year, or “last week”"),
}
_PAIR = re.compile(r"([^\W\d_]{5,}) ([^\W\d_]{5,})")
_PLAIN_PAIRS = (("river", "flood"), ("council", "election"))  # where the archive is empty

blueprint = Blueprint("syntax", __name__)


def register(app: Flask) -> None:
    """Add the page to `app`."""
    app.register_blueprint(blueprint)


@dataclass(frozen=True, slots=True)
class Operator:
    """One line of the card. `meaning` is a message, said in the reader's language when it is shown."""

    sign: str
    meaning: str
    example: str

    @property
    def url(self) -> str:
        """Return the search that the example is."""
        return f"/search?{urlencode({'q': self.example})}"


@blueprint.get(PATH)
def syntax() -> Response:
    """Show the card."""
    parts = services()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    card = operators(parts.store.newest(READ), parts.field_values)
    return conditional.validated(Response(render_template("syntax.html", operators=card)), tag)


def operators(newest: Sequence[Article], values: FieldValues) -> list[Operator]:
    """Return the card, its examples made of the newest articles and of the values of all."""
    made = _examples(newest) | _filters(values)
    return [Operator(sign, meaning, made[sign]) for sign, meaning in MEANINGS.items() if sign in made]


def _examples(newest: Sequence[Article]) -> dict[str, str]:
    (first, second), (other, _) = _pairs(newest)
    return {
        WORDS: f"{first} {second}",
        PHRASE: f'"{first} {second}"',
        NEAR: f'"{second} {first}"~3',
        "-": f"{first} -{other}",
        "OR": f"{first} OR {other}",
        GROUP: f"{second} ({first} OR {other})",
        "*": f"{first[:-1]}*",
        "~": f"{first[:2]}{first[3:]}~",
        "title:": f"title:{first}",
    }


def _pairs(newest: Sequence[Article]) -> Sequence[tuple[str, str]]:
    """Return two pairs of words that stand side by side in two headlines."""
    found: list[tuple[str, str]] = []
    for article in newest:
        taken = {word for pair in found for word in pair}
        for match in _PAIR.finditer(article.title.lower()):
            if not any(word in taken or is_stop_word(word) for word in match.groups()):
                found.append((match[1], match[2]))
                break
    return [*found, *_PLAIN_PAIRS][:2]


def _filters(values: FieldValues) -> dict[str, str]:
    made: dict[str, str] = {}
    for name in FILED:
        for value in values.beginning(name, "", limit=3):
            if text := written(name, value.value or ""):
                made.setdefault(f"{name}:", text)
    year = values.latest_year()
    return made | {f"{name}:": f"{name}:{year}" for name in DATE_OPERATORS if year}
