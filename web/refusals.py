"""Queries that exceed a limit, as a reader is told in their own language. The index says the same in English."""

from flask_babel import gettext, lazy_gettext

from index.budget import MOST_WORDS
from index.language.clauses import (
    MAX_CLAUSES,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_EDITS,
    MAX_EXPANSIONS,
    MAX_PHRASE_WORDS,
    MAX_QUERY_CHARS,
    MAX_WORDS,
)
from index.query import QueryRefused
from web import units

LIMITS = {  # by the name of a limit: what is said of it, and how much it is
    "characters": (lazy_gettext("A query has at most %(most)s characters: shorten it."), MAX_QUERY_CHARS),
    "words": (lazy_gettext("A query has at most %(most)s words: take some out."), MAX_WORDS),
    "operators": (
        lazy_gettext(
            "A query has at most %(most)s filters, exclusions, groups and the like, phrases counting double: take some"
            " out."
        ),
        MAX_CLAUSES,
    ),
    "depth": (lazy_gettext("Parentheses stand at most %(most)s deep in each other: take some out."), MAX_DEPTH),
    "phrase": (
        lazy_gettext("A phrase has at most %(most)s words: shorten it, or take the quotes off."),
        MAX_PHRASE_WORDS,
    ),
    "distance": (
        lazy_gettext("Words stand at most %(most)s words apart: write a smaller number, or leave the quotes off."),
        MAX_DISTANCE,
    ),
    "edits": (
        lazy_gettext("A word may differ by at most %(most)s letter: leave out the number after the ~."),
        MAX_EDITS,
    ),
    "expansions": (
        lazy_gettext(
            "A word with * or ~ stands for at most %(most)s words of the archive: add a letter, or leave out the sign."
        ),
        MAX_EXPANSIONS,
    ),
    "work": (
        lazy_gettext(
            "These phrases and the like have more than %(most)s words of the archive looked through: leave some out."
        ),
        MOST_WORDS,
    ),
}


def refusal(error: QueryRefused) -> str:
    """Return which limit a query exceeds, and what to do."""
    message, most = LIMITS[error.limit]
    return str(gettext(str(message), most=units.number(most)))
