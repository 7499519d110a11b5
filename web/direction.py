"""Languages as pages mark them up: which one a page speaks itself, and which way a text runs.

Invariant: a text whose language is not known is never guessed at here; "auto" leaves it to the browser, which goes by
its first letter.
"""

import re
from dataclasses import dataclass
from typing import Literal

from web import units

Direction = Literal["ltr", "rtl", "auto"]
TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # the form of RFC 5646, less its registered exceptions
UNKNOWN = {"und", "mul", "zxx", "mis"}  # ISO 639-2: undetermined, several, none, without a code
FROM_THE_RIGHT = {  # languages that are written so unless their tag names another script
    "ar", "arc", "arz", "azb", "bal", "bgn", "bqi", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "khw", "ks", "lrc",
    "luz", "mzn", "nqo", "pnb", "ps", "sd", "sdh", "skr", "syr", "ug", "ur", "yi",
}  # fmt: skip
SCRIPTS_FROM_THE_RIGHT = {  # ISO 15924
    "adlm", "arab", "aran", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa", "yezi",
}  # fmt: skip
SCRIPT_LETTERS = 4  # of a script in a tag, and of nothing else in its second place (RFC 5646)


def language_tag(language: str | None) -> str | None:
    """Return a language as a page may name it; None when it is not known, or no BCP 47 tag: feeds send anything."""
    return language if language and TAG.fullmatch(language) and language[:3].lower() not in UNKNOWN else None


def direction(language: str | None) -> Direction:
    """Return which way a text in this language runs; "auto" when the language is not known."""
    if (known := language_tag(language)) is None:
        return "auto"
    first, *rest = known.lower().split("-")
    script = next((part for part in rest[:1] if len(part) == SCRIPT_LETTERS and part.isalpha()), None)
    if script is not None:
        return "rtl" if script in SCRIPTS_FROM_THE_RIGHT else "ltr"
    return "rtl" if first in FROM_THE_RIGHT else "ltr"


@dataclass(frozen=True, slots=True)
class Interface:
    """The language a page speaks itself, and which way that runs."""

    language: str
    direction: Direction


def interface() -> Interface:
    """Return the language of the page that is being made."""
    language = units.locale().language
    return Interface(language, direction(language))
