"""What of a query scores: its words, phrases, prefixes and so on, each a unit with one frequency in each article. Pure.

Invariant: two clauses that ask for the same make the same unit, whose weight is then the sum of theirs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from index.analysis import STOP_TERMS, analyse
from index.matching import only_word, parts, telling
from index.query import AllOf, AnyOf, Clause, Fuzzy, Near, Phrase, Prefix, Query, Term


@dataclass(frozen=True, slots=True)
class Run:
    """Terms side by side, in this order: a phrase; a single one is a word."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Terms in one field, in any order, with at most `distance` others between the first and the last of them."""

    terms: tuple[str, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """Every word, unstemmed, that begins with these letters."""

    letters: str


@dataclass(frozen=True, slots=True)
class Similar:
    """A word's own term, and every unstemmed word that is one edit away from it."""

    word: str


Unit = Run | Cluster | Beginning | Similar


@dataclass(frozen=True, slots=True)
class Wanted:
    """A unit as the user typed it, and the factor that its score is multiplied by."""

    text: str
    weight: float


def unit_of(clause: Term | Phrase | Near | Prefix | Fuzzy) -> Unit:
    """Return what the clause binds an article to: a term that is several words, to a phrase."""
    match clause:
        case Term(text) | Phrase(text):
            return Run(tuple(analyse(text)))
        case Near(text, distance):
            terms = tuple(sorted(analyse(text)))
            return Cluster(terms, distance) if len(terms) > 1 else Run(terms)
        case Prefix(text):
            return Beginning(only_word(text))
        case Fuzzy(text):
            return Similar(only_word(text))


def units(query: Query) -> Mapping[Unit, Wanted]:
    """Return what scores, in the order it was typed. Stop words on their own do not score beside anything else."""
    found: dict[Unit, Wanted] = {}
    for unit, text, weight in _scoring((*telling(query), *query.required)):
        known = found.get(unit)
        found[unit] = replace(known, weight=known.weight + weight) if known else Wanted(text, weight)
    tells = {unit: wanted for unit, wanted in found.items() if not _is_stop_word(unit)}
    return tells or found


def _is_stop_word(unit: Unit) -> bool:
    return isinstance(unit, Run) and len(unit.terms) == 1 and unit.terms[0] in STOP_TERMS


def _scoring(clauses: Iterable[Clause]) -> Iterator[tuple[Unit, str, float]]:
    for clause in clauses:
        match clause:
            case Term(text, weight):
                yield from ((Run((term,)), word, weight) for term, word in parts(text))
            case Phrase() | Near() | Prefix() | Fuzzy():
                if (unit := unit_of(clause)) not in _NOTHING:
                    yield unit, _as_typed(clause), 1.0
            case AnyOf(inner) | AllOf(inner):
                yield from _scoring(inner)


_NOTHING = (Run(()), Beginning(""), Similar(""))  # of a clause that holds no word


def _as_typed(clause: Phrase | Near | Prefix | Fuzzy) -> str:
    match clause:
        case Phrase(text):
            return f'"{text}"'
        case Near(text, distance):
            return f'"{text}"~{distance}'
        case Prefix(text):
            return f"{text}*"
        case Fuzzy(text):
            return f"{text}~"
