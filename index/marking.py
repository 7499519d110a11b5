"""Where a query's words stand in a text: what the article's page marks for a reader who came from a search. Pure.

A word is the query's when it makes the same term, or is a form of it in the text's language: its cases, accents and
endings do not matter. Invariant: what is
marked is what `index.matching` would say the query asked for. Stop words are not marked, unless all of it is stop words
or they are part of a phrase.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.analysis import analyse, scoring_terms, words
from index.inflection import language_of, spans_in, stem_in
from index.matching import Meant, one_edit_apart, only_word, telling
from index.query import Clause, Fuzzy, Near, Phrase, Prefix, Query, Term, leaves
from index.snippet import Match, Range

MOST_CHARACTERS = 200_000  # of a text that are looked at: some 30 ms
MOST_MARKS = 500  # in one text: a common word of a long report is not worth more


def marks(query: Query, text: str, *, language: str | None = None) -> list[Range]:
    """Return where the words and phrases that `query` wants stand in `text`, in order and apart, the first 500."""
    asked = _Asked.of([*telling(query), *leaves(query.required)], language_of(language))
    found = spans_in(language_of(language), text[:MOST_CHARACTERS])
    places = {(start, end) for term, start, end in found if asked.is_word(term, text[start:end])}
    for phrase in asked.phrases:
        places.update(_runs(phrase, text, found))
    return _joined(sorted(places))[:MOST_MARKS]


@dataclass(frozen=True, slots=True)
class _Asked:
    terms: frozenset[str]
    stems: frozenset[str]  # in the text's language
    language: str | None
    prefixes: tuple[str, ...]
    fuzzy: frozenset[str]
    phrases: Sequence[Meant]

    @staticmethod
    def of(clauses: Sequence[Clause], language: str | None) -> "_Asked":
        """Return what these clauses and what they hold ask for in texts; filters ask for nothing there."""
        parts = list(leaves(clauses))
        single = [term for part in parts if isinstance(part, Term | Near | Fuzzy) for term in analyse(part.text)]
        inflected = [Meant.of(part.text, language) for part in parts if isinstance(part, Term | Near)]
        phrases = dict.fromkeys(part.text for part in parts if isinstance(part, Phrase))
        return _Asked(
            terms=frozenset(scoring_terms(single)),
            stems=frozenset(stem for each in inflected for stem in each.by_stem),
            language=language,
            prefixes=tuple(filter(None, (only_word(part.text) for part in parts if isinstance(part, Prefix)))),
            fuzzy=frozenset(filter(None, (only_word(part.text) for part in parts if isinstance(part, Fuzzy)))),
            phrases=[asked for text in phrases if (asked := Meant.of(text, language)).terms],
        )

    def is_word(self, term: str, typed: str) -> bool:
        """Return whether a word of a text, given as its term and as it stands there, is asked for by itself."""
        if term in self.terms:
            return True
        if not (self.stems or self.prefixes or self.fuzzy):
            return False
        folded = next(iter(words(typed)), "")
        if self.language is not None and stem_in(self.language, folded) in self.stems:
            return True
        return folded.startswith(self.prefixes) or any(one_edit_apart(folded, word) for word in self.fuzzy)


def _runs(phrase: Meant, text: str, found: Sequence[Match]) -> Iterator[Range]:
    """Yield where the words of `phrase` stand side by side, each time from the first to the end of the last."""
    width = len(phrase.terms)
    said = [term for term, _, _ in found]
    if phrase.language is not None:
        said = [phrase.said(term, next(iter(words(text[start:end])), "")) for term, start, end in found]
    for at in range(len(found) - width + 1):
        if all(said[at + n] == term for n, term in enumerate(phrase.terms)):
            yield found[at][1], found[at + width - 1][2]


def _joined(places: Sequence[Range]) -> list[Range]:
    """Return the places, those that overlap as one."""
    apart: list[Range] = []
    for start, end in places:
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart
