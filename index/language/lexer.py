"""What was typed, cut into the tokens the query language is made of. Pure; reads every text in one pass.

Invariant: a token is a piece of the text. What a token means (a filter, a date, OR, only a word) `grammar.py` decides;
here only the signs that hold tokens together or apart are known: spaces, quotes, parentheses, a minus, a bar,
a colon after a name.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "quoted", "or", "open", "close"]

MAX_MARKS = 16  # accents on one letter that are kept; no script writes more


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: `minus` stands before it, `name` (lower case) and a colon; `distance` digits after `"…"~`."""

    kind: Kind
    text: str = ""
    minus: bool = False
    name: str = ""
    distance: str = ""


class Lexer:
    """Cuts texts into tokens, knowing by name which words may stand before a colon."""

    def __init__(self, *, fields: Sequence[str], dates: Sequence[str]) -> None:
        """Take the names of filters, whose value may be a group, and of date operators, whose value may not."""
        self._item = re.compile(
            rf"""
            (?P<bar> \|{{1,2}} (?=[\s"(]|$) | (?<=[)"])\|{{1,2}} )
            | (?: (?<![^\s(]) (?P<minus>-) (?=[^\s-]) )?
              (?: (?ai:(?P<field>{"|".join(fields)})) : (?=[^\s)]) | (?ai:(?P<date>{"|".join(dates)})) : (?=[^\s()]) )?
              (?: "(?P<quoted>[^"]*)"(?: ~(?P<distance>[0-9]*)(?!\w) )? | (?P<open>\() | (?P<bare>[^\s"]+) )
            """,
            re.VERBOSE,
        )

    def tokens(self, text: str) -> Iterator[Token]:
        """Yield the tokens of a text that `readable` returned. Every close token has an open one before it."""
        depth = at = 0
        while match := self._item.search(text, at):
            at = match.end()
            name = (match["field"] or match["date"] or "").lower()
            minus = bool(match["minus"])
            if match["bar"]:
                yield Token("or", match["bar"])
            elif match["open"]:
                depth += 1
                yield Token("open", minus=minus, name=name)
            elif match["quoted"] is not None:
                words = " ".join(match["quoted"].split())
                if words:
                    yield Token("quoted", words, minus, name, match["distance"] or "")
            else:
                bare = match["bare"]
                closes = _closing(bare) if depth else -1
                if closes < 0:
                    yield Token("word", bare, minus, name)
                    continue
                if closes:
                    yield Token("word", bare[:closes], minus, name)
                depth -= 1
                at = match.start("bare") + closes + 1
                yield Token("close")


def readable(text: str) -> str:
    """Return `text` in the characters the language is written in.

    Full-width forms become plain ones (NFKC), double quotes of every kind straight ones, minus signs and hyphens "-".
    Control characters and lone surrogates, which no word holds and some libraries refuse, become spaces. Characters
    that are not seen are dropped, those that turn the direction of writing among them.
    """
    if text.isascii() and text.isprintable():
        return text
    return straight(unicodedata.normalize("NFKC", "".join(_visible(text))))


def straight(text: str) -> str:
    """Return `text` with the signs of the language as they are in ASCII, every character in its place."""
    return text if text.isascii() else text.translate(_SIGNS)


def _visible(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category[0] == "M" else 0
        if category in ("Cc", "Cs") or character == _BREAK:
            yield " "
        elif (category != "Cf" or character in _JOINERS) and marks <= MAX_MARKS:
            yield character


def _closing(bare: str) -> int:
    """Return where `bare` closes the group it stands in, -1 when it does not.

    A parenthesis that belongs to one in the word itself, as in `f(x)`, or to a smiley closes no group.
    """
    if _SMILEY.fullmatch(bare):
        return -1
    opened = 0
    for at, character in enumerate(bare):
        if character == "(":
            opened += 1
        elif character == ")":
            if not opened:
                return at
            opened -= 1
    return -1


_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u301d\u301e\u301f"
_MINUSES = "\u2010\u2212"  # hyphen and minus sign; dashes are longer and mean something else
_FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(ord("!"), ord("~") + 1)}
_SIGNS = str.maketrans(_FULL_WIDTH | dict.fromkeys(_QUOTES, '"') | dict.fromkeys(_MINUSES, "-"))
_BREAK = "\u200b"  # the space of no width: words end there
_JOINERS = "\u200c\u200d"  # they stand inside words of some scripts
_SMILEY = re.compile(r"[:;=]['^o-]?[()]+")
