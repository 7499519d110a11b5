"""Languages as pages mark them up: which one a page speaks itself, and which way a text runs.

Invariant: a text whose language is not known is never guessed at here; "auto" leaves it to the browser, which goes by its
first letter.
"""

from dataclasses import dataclass
from typing import Literal

from flask_babel import get_locale

Direction = Literal["ltr", "rtl", "auto"]
UNKNOWN = {"und", "mul", "zxx", "mis"}  # ISO 639-2: undetermined, several, none, without a code
FROM_THE_RIGHT = frozenset(  # languages that are written so unless their tag names another script
    [
        "ar",
        "arc",
        "arz",
        "azb",
        "bal",
        "bgn",
        "bqi",
        "ckb",
        "dv",
        "fa",
        "glk",
        "he",
        "iw",
        "ji",
        "khw",
        "ks",
        "lrc",
        "luz",
        "mzn",
        "nqo",
        "pnb",
        "ps",
        "sd",
        "sdh",
        "skr",
        "syr",
        "ug",
        "ur",
        "yi",
    ]
)
SCRIPTS_FROM_THE_RIGHT = frozenset(
    ["adlm", "arab", "aran", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa", "yezi"]
)  # ISO 15924
SCRIPT_LETTERS = 4  # of a script in a tag, and of nothing else in its second place (RFC 5646)


def direction(language: str | None) -> Direction:
    """Return which way a text in this language (a BCP 47 tag) runs; "auto" when the language is not known."""
    first, *rest = (language or "und").lower().replace("_", "-").split("-")
    if first in UNKNOWN:
        return "auto"
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
    language = str(get_locale() or "en").replace("_", "-")
    return Interface(language, direction(language))
