"""The grammar of the query language: tokens in, the tree of clauses they spell out. Pure.

Invariant: the tree is what was typed, with every word in it and in order, at most `MAX_DEPTH` groups deep; no nesting
of the text deepens a call. `index.query` simplifies it and makes of it what an engine is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from index.analysis import analyse, fold, spans, words
from index.language.clauses import (
    DATE_OPERATORS,
    FIELDS,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_EDITS,
    MAX_PHRASE_WORDS,
    MIN_FUZZY,
    MIN_PREFIX,
    AllOf,
    AnyOf,
    Clause,
    FieldValue,
    Fuzzy,
    Near,
    Not,
    Phrase,
    Prefix,
    Published,
    QueryRefused,
    Term,
)
from index.language.dates import Period, period
from index.language.lexer import Lexer, Token
from index.language.tags import tag_of

CONNECTIVES = ("AND", "OR", "NOT")
HEADLINE_WORDS = 5  # words for each connective, all in capitals: a pasted headline, whose NOT is no operator
AUXILIARIES = frozenset(words("am is are was were be been has have had do does did will would should can could must"))
MAX_DATE_WORDS = 5  # the 5th of march 2016


@dataclass(slots=True)
class _Group:
    """A pair of parentheses being read, or the whole query: operands that are all meant, each of one part or an OR."""

    field_name: str = ""  # the filter whose values stand in it
    minus: bool = False  # the group as a whole is excluded
    operands: list[list[Clause]] = field(default_factory=list)
    joining: bool = False  # an OR was read: the next operand belongs to the last
    negating: bool = False  # a NOT was read

    def add(self, clause: Clause, *, excluded: bool) -> None:
        """Add an operand, joined and negated as the connectives before it say."""
        meant = Not(clause) if excluded or self.negating else clause
        if self.joining:
            self.operands[-1].append(meant)
        else:
            self.operands.append([meant])
        self.joining = self.negating = False

    def connect(self, connective: str) -> None:
        """Take a connective that has an operand after it. Of several in a row a NOT and an OR count once."""
        if connective == "NOT":
            self.negating = True
        elif connective != "AND" and self.operands and not self.negating:
            self.joining = True

    def clause(self) -> Clause:
        """Return what the group holds."""
        parts = [operand[0] if len(operand) == 1 else AnyOf(tuple(operand)) for operand in self.operands]
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


_LEXER = Lexer(fields=FIELDS, dates=DATE_OPERATORS)


class Parser:
    """Makes a tree of a text's tokens. It keeps its own stack, never deeper than `MAX_DEPTH` groups."""

    def __init__(self, text: str, *, today: date) -> None:
        """Take a text that `readable` returned, and the day it is typed on."""
        self._tokens = list(_LEXER.tokens(text))
        self._today = today
        self._groups = [_Group()]
        self._in_headline = _is_headline(text, self._tokens)

    def tree(self) -> Clause:
        """Return the clause the whole text is. A group that is never closed ends with the text."""
        at = 0
        while at < len(self._tokens):
            at += self._take(at)
        while len(self._groups) > 1:
            self._close()
        return self._groups[0].clause()

    def _take(self, at: int) -> int:
        """Read the token at `at`, with those that belong to it, and return how many they are."""
        token = self._tokens[at]
        group = self._groups[-1]
        if token.kind == "open":
            self._open(token)
        elif token.kind == "close":
            self._close()
        elif token.kind == "or" or self._is_connective(at):
            self._connect(at)
        elif token.name in DATE_OPERATORS:
            return self._take_date(at)
        else:
            group.add(_leaf(token, token.name or group.field_name), excluded=token.minus)
        return 1

    def _open(self, token: Token) -> None:
        if len(self._groups) > MAX_DEPTH:
            raise QueryRefused("depth", f"Parentheses stand at most {MAX_DEPTH} deep in each other: take some out.")
        self._groups.append(_Group(token.name or self._groups[-1].field_name, token.minus))

    def _close(self) -> None:
        closed = self._groups.pop()
        self._groups[-1].add(closed.clause(), excluded=closed.minus)

    def _is_connective(self, at: int) -> bool:
        token = self._tokens[at]
        if token.kind != "word" or token.minus or token.name or token.text not in CONNECTIVES or self._in_headline:
            return False
        # "did NOT send" negates, and excludes nothing
        return token.text != "NOT" or at == 0 or AUXILIARIES.isdisjoint(words(self._tokens[at - 1].text))

    def _connect(self, at: int) -> None:
        """Take a connective; one that has nothing to connect is a word, as in `portland OR`."""
        token, group = self._tokens[at], self._groups[-1]
        is_last = at + 1 == len(self._tokens) or self._tokens[at + 1].kind == "close"
        if is_last or not (group.operands or group.negating or token.text == "NOT"):
            group.joining = group.negating = False
            group.add(Term(token.text), excluded=False)
        else:
            group.connect(token.text)

    def _take_date(self, at: int) -> int:
        token = self._tokens[at]
        days, taken = self._dated(at)
        clause = Term(f"{token.name}:{token.text}") if days is None else _published(token.name, days)
        self._groups[-1].add(clause, excluded=token.minus)
        return taken

    def _dated(self, at: int) -> tuple[Period | None, int]:
        """Return the period the date operator at `at` is followed by, and of how many tokens it is.

        Words that follow belong to it where there is no date without them, or where a year completes it.
        """
        first = self._tokens[at]
        alone = period(first.text, self._today)
        found, taken = alone, 1
        typed = [first.text]
        for token in self._tokens[at + 1 : at + MAX_DATE_WORDS] if first.kind == "word" else ():
            if token.kind != "word" or token.minus or token.name:
                break
            typed.append(token.text)
            longer = period(" ".join(typed), self._today)
            if longer and (alone is None or _A_YEAR.fullmatch(token.text)):
                found, taken = longer, len(typed)
        return found, taken


_A_YEAR = re.compile(r"[0-9]{4},?")


def _is_headline(text: str, tokens: Sequence[Token]) -> bool:
    """Return whether this is a headline in capitals, in which NOT and OR are words like any other."""
    connectives = sum(token.text in CONNECTIVES for token in tokens)
    return text.isupper() and len(tokens) - connectives >= HEADLINE_WORDS * connectives


def _leaf(token: Token, field_name: str) -> Clause:
    if field_name in FIELDS:
        if fold(token.text) and (field_name != "title" or analyse(token.text)):
            return FieldValue(field_name, tag_of(token.text) if field_name == "language" else token.text)
        return Term(f"{token.name}:{token.text}" if token.name else token.text)
    if token.kind == "quoted":
        return _phrase(token.text, token.distance)
    return _word(token.text)


def _phrase(text: str, distance: str) -> Phrase | Near:
    count = len(analyse(text))
    if count > MAX_PHRASE_WORDS:
        raise QueryRefused(
            "phrase",
            f"A phrase has at most {MAX_PHRASE_WORDS} words, this one {count}: shorten it, or take the quotes off.",
        )
    if not distance or count < 2:
        return Phrase(text)
    if int(distance) > MAX_DISTANCE:
        raise QueryRefused(
            "distance",
            f'Words stand at most {MAX_DISTANCE} words apart: write "…"~{MAX_DISTANCE}, or leave the quotes off.',
        )
    return Near(text, int(distance))


def _word(text: str) -> Term | Prefix | Fuzzy:
    """Return a prefix or a fuzzy word where the sign stands after one word that is long enough, else a term."""
    beginning = text.removesuffix("*")
    if beginning != text and (folded := _single(beginning)):
        return Prefix(folded) if len(folded) >= MIN_PREFIX else Term(beginning)
    word, tilde, edits = text.rpartition("~")
    if tilde and _EDITS.fullmatch(edits) and (folded := _single(word)):
        return _fuzzy(word, folded, int(edits or MAX_EDITS))
    return Term(text)


def _fuzzy(word: str, folded: str, edits: int) -> Term | Fuzzy:
    if len(folded) < MIN_FUZZY or edits == 0:
        return Term(word)
    if edits > MAX_EDITS:
        raise QueryRefused("edits", f"A word may differ by one letter, not by {edits}: write {word}~.")
    return Fuzzy(word)


_EDITS = re.compile(r"[0-9]*")


def _single(text: str) -> str:
    """Return `text` folded when it is one word and nothing else, or an empty string."""
    found = spans(text)
    return words(text)[0] if len(found) == 1 and found[0][1:] == (0, len(text)) else ""


def _published(operator: str, days: Period) -> Published:
    first, last = days
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    # no day follows the last of the year 9999: that side stays open
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1) if last < date.max else None
    return Published(start=None if operator == "before" else start, end=None if operator == "after" else end)
