"""The archive's words, folded and not stemmed, and which of them a prefix or a fuzzy word stands for. Pure.

Invariant: what a word is expanded to is bounded, or refused by name.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from index.analysis import stem
from index.query import MAX_EXPANSIONS, QueryRefused

_LAST = "\U0010ffff"  # comes after any letter a word can hold


class Vocabulary:
    """Words in order, each with the number of articles that hold it. Safe to use from several threads."""

    def __init__(self, words: dict[str, int]) -> None:
        """Take over `words`, which stand in order."""
        self.counts: Mapping[str, int] = MappingProxyType(words)
        self._words = list(words)

    def beginning(self, letters: str) -> Sequence[str]:
        """Return the words that begin with `letters`. Raises QueryRefused when they are too many."""
        first, last = (bisect_left(self._words, end) for end in (letters, letters + _LAST))
        found = self._words[first:last] if letters else []
        if _is_too_many(found):
            raise QueryRefused(
                "expansions",
                f"{letters}* stands for {len(found):,} words of the archive, and at most {MAX_EXPANSIONS} are looked"
                f" up: add a letter",
            )
        return found

    def similar(self, word: str) -> Sequence[str]:
        """Return `word`, if it is one of the words, and those one edit away from it, in order.

        Raises QueryRefused when they are too many.
        """
        found = sorted({edit for edit in self._edits(word) if edit in self.counts}) if word else []
        if _is_too_many(found):
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
        place = bisect_left(self._words, beginning)
        while place < len(self._words) and self._words[place].startswith(beginning):
            letter = self._words[place][len(beginning) : len(beginning) + 1]
            if letter:
                yield letter
            place = bisect_left(self._words, beginning + letter + _LAST, lo=place) if letter else place + 1


def _is_too_many(found: Sequence[str]) -> bool:
    """Return whether `found` are more terms than one word may stand for; the forms of a word are one term."""
    return len(found) > MAX_EXPANSIONS and len(set(map(stem, found))) > MAX_EXPANSIONS
