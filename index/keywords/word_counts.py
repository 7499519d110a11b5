"""Words and how many articles hold each, packed: some 16 bytes a word, where a dict takes 170. Pure.

A word's place in order is its number. Words are compared as UTF-8, whose order is that of their letters, and made into
strings one at a time, when they are asked for.

Invariant: no word is empty or holds a NUL, and none is there twice.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.keywords.strings import Strings, pack

STEP = 128  # words from one that is kept at hand to the next: a word is found among these, and then among so many
AT_ONCE = 4_000  # strings of each list that are merged at a time: a word has 64 letters at most, so a few megabytes

_PAST = b"\xff"  # comes after every letter in UTF-8


@dataclass(frozen=True, slots=True)
class Counted:
    """Strings in order, and how many articles hold each as a word."""

    strings: Strings
    counts: NDArray[Any]  # whole numbers: 0 says that the string is no word

    def cuts(self) -> list[bytes]:
        """Return each of `AT_ONCE` strings."""
        return [self.strings[place] for place in range(0, len(self.strings), AT_ONCE)]

    def places(self, cuts: Sequence[bytes]) -> list[int]:
        """Return where each of `cuts` stands or would stand, and where the last string ends."""
        return [*map(self.strings.place, cuts), len(self.strings)]

    def between(self, first: int, last: int) -> tuple[NDArray[np.bytes_], NDArray[Any]]:
        """Return the words from one place up to another, filled up to one length, and their counts."""
        counts = self.counts[first:last]
        is_word = np.flatnonzero(counts)
        return self.strings.between(first, last)[is_word], counts[is_word]


class WordCounts(Mapping[str, int]):
    """Words in order, each with the number of articles that hold it. Safe to use from several threads."""

    def __init__(self, parts: Sequence[Counted]) -> None:
        """Merge lists of words, adding up the counts of those that several hold; nothing is kept of the lists."""
        cuts = sorted({cut for part in parts for cut in part.cuts()})
        places = [part.places(cuts) for part in parts]
        text = BytesIO()  # this and the arrays grow where they are: pieces would leave holes in the memory
        self._ends, self._counts = array("I", [0]), array("I")  # each word begins where one ends
        for at in range(len(cuts)):
            words, held = _united([part.between(at_[at], at_[at + 1]) for part, at_ in zip(parts, places, strict=True)])
            letters = words.view(np.uint8)
            text.write(letters[letters > 0].tobytes())
            self._ends.frombytes((self._ends[-1] + np.cumsum(np.strings.str_len(words))).astype(np.uint32).tobytes())
            self._counts.frombytes(held.astype(np.uint32).tobytes())
        self._text = text.getvalue()
        self._at_hand = [self._bytes(place) for place in range(0, len(self), STEP)]

    def __len__(self) -> int:
        """Return how many words there are."""
        return len(self._counts)

    def __iter__(self) -> Iterator[str]:
        """Yield the words in order."""
        return map(self.word, range(len(self)))

    def __getitem__(self, word: str) -> int:
        """Return how many articles hold the word. Raises KeyError when none does."""
        place = self._place(_encoded(word))
        if place == len(self) or self.word(place) != word:
            raise KeyError(word)
        return self._counts[place]

    def items(self) -> ItemsView[str, int]:
        """Return the words with their counts, in order; to go through them looks none up."""
        return _Items(self)

    def values(self) -> ValuesView[int]:
        """Return the counts, in order of the words; to go through them looks none up."""
        return _Values(self)

    def numbers(self) -> Sequence[int]:
        """Return the counts, in order of the words."""
        return self._counts

    def word(self, place: int) -> str:
        """Return the word of this number."""
        return self._bytes(place).decode()

    def beginning(self, letters: str) -> range:
        """Return the numbers of the words that begin with `letters`."""
        encoded = _encoded(letters)
        return range(self._place(encoded), self._place(encoded + _PAST))

    def _bytes(self, place: int) -> bytes:
        return self._text[self._ends[place] : self._ends[place + 1]]

    def _place(self, encoded: bytes) -> int:
        """Return where a word stands or would stand."""
        first = max(0, bisect_right(self._at_hand, encoded) - 1) * STEP
        last = min(first + STEP, len(self))
        return bisect_left(range(len(self)), encoded, lo=first, hi=last, key=self._bytes)


class _Items(ItemsView[str, int]):
    """What `WordCounts.items` gives."""

    def __init__(self, words: WordCounts) -> None:
        super().__init__(words)
        self._words = words

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return zip(self._words, self._words.numbers(), strict=True)


class _Values(ValuesView[int]):
    """What `WordCounts.values` gives."""

    def __init__(self, words: WordCounts) -> None:
        super().__init__(words)
        self._words = words

    def __iter__(self) -> Iterator[int]:
        return iter(self._words.numbers())


def counted(words: Mapping[str, int]) -> Counted:
    """Return words, in whatever order, as a list to be merged."""
    strings = sorted(map(_encoded, words))
    return Counted(
        Strings(*pack(strings), count=len(strings)),
        np.array([words[string.decode()] for string in strings], np.int64),
    )


def _encoded(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")  # half a letter may be asked for, and is in no word


def _united(
    lists: Sequence[tuple[NDArray[np.bytes_], NDArray[Any]]],
) -> tuple[NDArray[np.bytes_], NDArray[Any]]:
    """Return the words of several lists as one, each once, with its counts added up."""
    words = np.concatenate([words for words, _ in lists])
    order = np.argsort(words, kind="stable")  # a stable sort merges what is in order
    words = words[order]
    is_first = np.append(True, words[1:] != words[:-1])[: len(words)]
    counts = np.concatenate([counts for _, counts in lists]).astype(np.int64)[order]
    firsts = np.flatnonzero(is_first)
    return words[firsts], np.add.reduceat(counts, firsts) if len(firsts) else counts
