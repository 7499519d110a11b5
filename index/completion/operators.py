"""Which operator a reader is writing: what was typed in, the operator at its end and what may follow it out. Pure.

Invariant: nothing is read as an operator here that `index.query` takes for words, but for what is unfinished.
"""

import re
from dataclasses import dataclass

from index.language.clauses import DATE_OPERATORS, FIELDS, MIN_FUZZY, MIN_PREFIX
from index.language.lexer import straight

NAMES = (*FIELDS, *DATE_OPERATORS)
MIN_NAME = 2  # letters typed before names of operators are offered
SURE_NAME = 3  # letters from which they are rather meant than other words
MORE_WORDS = 4  # typed without quotes after the first of a value: it may be longer, or over
GROUP = "( )"  # how the signs that surround something are called
PHRASE = '" "'
NEAR = '" "~'

_VALUE = re.compile(
    rf'(?:^|[\s(])-?(?P<name>{"|".join(NAMES)}):(?P<typed>"[^"]*|[^\s"()]*(?: [^\s"():]+){{0,{MORE_WORDS}}})$',
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(rf"(?:^|[\s(])-?(?P<name>[a-z]{{{MIN_NAME},}})$", re.IGNORECASE | re.ASCII)
_SIGNS = {  # what stands at the end, by the sign that it is explained under; the first that fits
    NEAR: re.compile(r'"[^"]+"~[0-9]*$'),
    "~": re.compile(rf"[^\W_]{{{MIN_FUZZY},}}~[0-9]?$"),
    "*": re.compile(rf"[^\W_]{{{MIN_PREFIX},}}\*$"),
    "-": re.compile(r"(?:(?:^|[\s(])-[^\s-]*|\S\s+NOT\s*)$"),
    "OR": re.compile(r"\S\s+(?:or|OR|\|)\s?$"),
    GROUP: re.compile(r"(?:^|[\s(])-?\([^)]*$"),
}


@dataclass(frozen=True, slots=True)
class AtEnd:
    """The operator that a typed text ends with: its `sign`; of a filter or a date, what of its value is typed.

    Typed without quotes, further words may belong to the value or follow it: `may_be_over`.
    """

    sign: str
    before: str = ""  # the whole text up to the value
    typed: str = ""  # of the value, without its quotation mark

    @property
    def may_be_over(self) -> bool:
        """Return whether what is typed is a value only if there is one that begins so."""
        return " " in self.typed

    @property
    def name(self) -> str:
        """Return the name of a filter or a date operator; empty of any other."""
        return self.sign.removesuffix(":") if self.sign.endswith(":") else ""


def at_end(text: str) -> AtEnd | None:
    """Return the operator that `text` ends with, None where it ends with plain words."""
    plain = straight(text)
    is_quoting = plain.count('"') % 2 == 1
    if (value := _VALUE.search(plain)) and is_quoting == value["typed"].startswith('"'):
        start = value.start("typed")
        return AtEnd(f"{value['name'].lower()}:", text[:start], text[start:].lstrip('"“”„«»'))
    if is_quoting:
        return AtEnd(PHRASE)
    return next((AtEnd(sign) for sign, ends in _SIGNS.items() if ends.search(plain)), None)


def names_begun(text: str) -> list[str]:
    """Return `text` with its last word written out as each filter and date operator that begins so."""
    start, begun = _name_begun(text)
    return [f"{text[:start]}{name}:" for name in NAMES if begun and name.startswith(begun)]


def is_name_begun(text: str) -> bool:
    """Return whether the last word is more likely the beginning of an operator's name than of another word."""
    return len(_name_begun(text)[1]) >= SURE_NAME


def _name_begun(text: str) -> tuple[int, str]:
    """Return where the last word begins and what it is, in small letters; nothing where it can be no name."""
    plain = straight(text)
    begun = _NAME.search(plain)
    if begun is None or plain.count('"') % 2:
        return len(text), ""
    return begun.start("name"), begun["name"].lower()
