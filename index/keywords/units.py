"""What of a query scores: its words, phrases, prefixes and so on, each a unit with one frequency in each article. Pure.

A word is its term, and in articles of a language that inflects it otherwise, other terms as well (`Forms`). In an
archive in English there are no others.

Invariant: two clauses that ask for the same make the same unit, whose weight is then the sum of theirs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from index.analysis import STOP_TERMS, analyse, spans
from index.matching import WORDS_REMEMBERED, only_word, parts
from index.query import AllOf, AnyOf, Clause, Fuzzy, Near, Phrase, Prefix, Query, Term

Terms = tuple[str, ...]
Forms = Callable[[str], Mapping[str, Terms]]
"""Of a word as it was typed: by language, the terms it may have in an article of that language, its own first."""


def no_forms(_: str) -> Mapping[str, Terms]:
    """Return what any word is in an archive in English."""
    return {}


@dataclass(frozen=True, slots=True)
class Run:
    """Terms side by side, in this order: a phrase; a single one is a word.

    `forms` says, by language, what may stand in the place of each term in an article of that language.
    """

    terms: Terms
    forms: tuple[tuple[str, tuple[Terms, ...]], ...] = ()

    @property
    def words(self) -> Sequence["Run"]:
        """Each of its words as a run of its own."""
        if not self.forms:
            return [Run((term,)) for term in self.terms]
        return [
            Run((term,), tuple((language, (found[at],)) for language, found in self.forms if len(found[at]) > 1))
            for at, term in enumerate(self.terms)
        ]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A run's terms in one field, in any order, with at most `distance` others between the first and the last."""

    run: Run
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


class Wanted(NamedTuple):
    """A unit as the user typed it, and the factor that its score is multiplied by."""

    text: str
    weight: float


def run_of(text: str, forms: Forms = no_forms) -> Run:
    """Return the words of a text, side by side."""
    if forms is no_forms:
        return Run(tuple(analyse(text)))
    return _run(_typed(text), forms)


@lru_cache(maxsize=WORDS_REMEMBERED)
def _plain_words(text: str) -> Sequence[tuple[Run, str]]:
    return [(Run((term,)), word) for term, word in parts(text)]


def words_of(text: str, forms: Forms = no_forms) -> Sequence[tuple[Run, str]]:
    """Return the words of what was typed as one, usually one, each on its own, and as it was typed."""
    if forms is no_forms:
        return _plain_words(text)
    return [(run_of(word, forms), word) for _, word in parts(text)]


def unit_of(clause: Term | Phrase | Near | Prefix | Fuzzy, forms: Forms = no_forms) -> Unit:
    """Return what the clause binds an article to: a term that is several words, to a phrase."""
    match clause:
        case Term(text) | Phrase(text):
            return run_of(text, forms)
        case Near(text, distance):
            run = _run(sorted(_typed(text)), forms)
            return Cluster(run, distance) if len(run.terms) > 1 else run
        case Prefix(text):
            return Beginning(only_word(text))
        case Fuzzy(text):
            return Similar(only_word(text))


def _typed(text: str) -> list[tuple[str, str]]:
    """Return the terms of a text, each with the word that it was made of, as it stands there."""
    return [(term, text[start:end]) for term, start, end in spans(text)]


def _run(found: Sequence[tuple[str, str]], forms: Forms) -> Run:
    """Return the run of these terms, each given with the word that it was made of."""
    terms = tuple(term for term, _ in found)
    others = [forms(word) for _, word in found]
    if not any(others):
        return Run(terms)
    each = [*zip(terms, others, strict=True)]
    languages = sorted({language for other in others for language in other})
    return Run(terms, tuple((one, tuple(other.get(one, (term,)) for term, other in each)) for one in languages))


def units(query: Query, forms: Forms = no_forms) -> Mapping[Unit, Wanted]:
    """Return what scores, in the order it was typed. Stop words on their own do not score beside anything else."""
    found: dict[Unit, Wanted] = {}
    for unit, text, weight in _scoring((*query.wanted, *query.required), forms):
        known = found.get(unit)
        found[unit] = known._replace(weight=known.weight + weight) if known else Wanted(text, weight)
    if not any(map(_is_stop_word, found)):
        return found
    tells = {unit: wanted for unit, wanted in found.items() if not _is_stop_word(unit)}
    return tells or found


def _is_stop_word(unit: Unit) -> bool:
    return isinstance(unit, Run) and len(unit.terms) == 1 and unit.terms[0] in STOP_TERMS


def _scoring(clauses: Iterable[Clause], forms: Forms) -> Iterator[tuple[Unit, str, float]]:
    for clause in clauses:
        match clause:
            case Term(text, weight):
                for word, typed in words_of(text, forms):
                    yield word, typed, weight
            case Phrase() | Near() | Prefix() | Fuzzy():
                if (unit := unit_of(clause, forms)) not in _NOTHING:
                    yield unit, _as_typed(clause), 1.0
            case AnyOf(inner) | AllOf(inner):
                yield from _scoring(inner, forms)


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
