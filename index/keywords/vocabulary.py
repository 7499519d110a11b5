"""The archive's words, folded and not stemmed, and which of them a prefix or a fuzzy word stands for. Pure.

Invariant: what a word is expanded to is bounded, or refused by name; no more words are looked at than tell that.
"""

from collections.abc import Iterable, Iterator, Sequence

from index.analysis import stem
from index.inflection import beginnings, stem_in
from index.keywords.word_counts import WordCounts
from index.query import MAX_EXPANSIONS, QueryRefused


class Vocabulary:
    """What words stand for among those of an archive. Safe to use from several threads."""

    def __init__(self, words: WordCounts) -> None:
        """Take the archive's words."""
        self.counts = words

    def beginning(self, letters: str) -> Sequence[str]:
        """Return the words that begin with `letters`. Raises QueryRefused when they are too many."""
        places = self.counts.beginning(letters) if letters else range(0)
        if _are_too_many(map(self.counts.word, places)):
            raise QueryRefused(
                "expansions",
                f"{letters}* stands for {len(places):,} words of the archive, and at most {MAX_EXPANSIONS} are looked"
                f" up: add a letter",
            )
        return [*map(self.counts.word, places)]

    def alike(self, language: str, word: str) -> Sequence[str]:
        """Return the words that are forms of this one in the language, itself among them if it is there."""
        asked = stem_in(language, word)
        places = (place for first in beginnings(language, asked) for place in self.counts.beginning(first))
        found = {self.counts.word(place) for place in places}
        return sorted(one for one in found if stem_in(language, one) == asked)

    def similar(self, word: str) -> Sequence[str]:
        """Return `word`, if it is one of the words, and those one edit away from it, in order.

        Raises QueryRefused when they are too many.
        """
        found = sorted(edit for edit in set(self._edits(word)) if edit in self.counts) if word else []
        if _are_too_many(found):
            raise QueryRefused(
                "expansions",
                f"{word}~ stands for {len(found):,} words of the archive, and at most {MAX_EXPANSIONS} are looked up:"
                f" leave out the ~",
            )
        return found

    def _edits(self, word: str) -> Iterator[str]:
        """Yield `word` and what one edit makes of it, putting in only letters that some word has in that place."""
        yield word
        for at in range(len(word) + 1):
            before, after = word[:at], word[at:]
            yield before + after[1:]
            yield before + after[1:2] + after[:1] + after[2:]
            for letter in self._following(before):
                yield before + letter + after
                yield before + letter + after[1:]

    def _following(self, beginning: str) -> Iterator[str]:
        """Yield each letter that follows `beginning` in some word."""
        places = self.counts.beginning(beginning)
        place = places.start
        while place < places.stop:
            letter = self.counts.word(place)[len(beginning) : len(beginning) + 1]
            if letter:
                yield letter
            place = self.counts.beginning(beginning + letter).stop if letter else place + 1


def _are_too_many(found: Iterable[str]) -> bool:
    """Return whether `found` are more terms than one word may stand for; the forms of a word are one term."""
    terms: set[str] = set()
    for word in found:
        terms.add(stem(word))
        if len(terms) > MAX_EXPANSIONS:
            return True
    return False
