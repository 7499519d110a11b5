"""How far apart two words are as typing goes, and which words of many are near one.

Distances are restricted Damerau-Levenshtein distances (optimal string alignment): letters put in, left out, replaced,
and two neighbours exchanged. Pure.

Invariant: `Lexicon.near` finds exactly the words within the distance; what it leaves out early cannot be one of them.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint16]
Numbers = NDArray[np.int64]

MAX_LETTERS = 24  # of a word that is looked up or found; longer ones are hardly mistyped words
LAST_LETTER = "\uffff"  # of those that are laid out, in two bytes each; hardly a script beyond it has capitals
AT_ONCE = 10_000  # words laid out at a time, a megabyte of letters in four bytes each
SIGNATURE_BITS = 64
FAR = 100  # more than any distance that is asked for


class Lexicon:
    """Words, laid out to be compared with one word all at once."""

    def __init__(self, words: Sequence[str]) -> None:
        """Lay out `words`, some 60 bytes each, of which those that are too long are never found."""
        self._letters = _letters_of(sorted(filter(_is_laid_out, words), key=len))
        self._signatures = _signatures(self._letters)
        lengths = np.count_nonzero(self._letters, axis=1)
        self._starts = np.searchsorted(lengths, np.arange(MAX_LETTERS + 2))  # where the words of each length begin

    def near(self, word: str, *, distance: int) -> list[tuple[str, int]]:
        """Return the words at most `distance` edits from `word`, other than itself, each with its distance."""
        if not _is_laid_out(word):
            return []
        first = self._starts[max(len(word) - distance, 0)]
        past = self._starts[min(len(word) + distance, MAX_LETTERS) + 1]
        own = _letters_of([word])
        signature, signatures = _signatures(own)[0], self._signatures[first:past]
        # One edit takes at most one letter out of a word and puts at most one in.
        missing, extra = np.bitwise_count(signature & ~signatures), np.bitwise_count(signatures & ~signature)
        rows = first + np.flatnonzero((missing <= distance) & (extra <= distance))
        distances = _distances(own[0, : len(word)], self._letters[rows], distance)
        found = np.flatnonzero((distances > 0) & (distances <= distance))
        return [(_word(self._letters[rows[at]]), int(distances[at])) for at in found]


def _is_laid_out(word: str) -> bool:
    return 0 < len(word) <= MAX_LETTERS and min(word) > "\0" and max(word) <= LAST_LETTER


def _letters_of(words: Sequence[str]) -> Codes:
    """Return the code points of the words, a row each, filled up with 0."""
    letters = np.zeros((len(words), MAX_LETTERS), np.uint16)
    for first in range(0, len(words), AT_ONCE):
        some = np.array(words[first : first + AT_ONCE], dtype=f"<U{MAX_LETTERS}")
        letters[first : first + AT_ONCE] = some.view(np.uint32).reshape(len(some), MAX_LETTERS)
    return letters


def _word(letters: Codes) -> str:
    """Return the word that is laid out as `letters`."""
    return "".join(map(chr, letters[letters > 0].tolist()))


def _signatures(letters: Codes) -> NDArray[np.uint64]:
    """Return, for each word, a set of its letters: a bit for each, which letters far apart in Unicode may share."""
    bits = np.uint64(1) << (letters % SIGNATURE_BITS).astype(np.uint64)
    bits[letters == 0] = 0
    return np.asarray(np.bitwise_or.reduce(bits, axis=1))


def _distances(word: Codes, others: Codes, limit: int) -> Numbers:
    """Return how far each of the `others` (words x letters) is from `word`, FAR where it is beyond `limit`.

    The usual table, filled for all words together and only near its diagonal: `rows[i][j]` is the distance between the
    first i letters of `word` and the first j of each other one.
    """
    lengths = np.count_nonzero(others, axis=1)
    columns = others.T
    far = np.full(len(others), FAR, np.int64)
    width = MAX_LETTERS + 1
    rows = [[np.full(len(others), j, np.int64) if j <= limit else far for j in range(width)]]
    for i, letter in enumerate(word, start=1):
        row = [far] * width
        if i <= limit:
            row[0] = np.full(len(others), i, np.int64)
        for j in range(max(1, i - limit), min(width - 1, i + limit) + 1):
            cost = np.minimum(np.minimum(rows[-1][j], row[j - 1]) + 1, rows[-1][j - 1] + (columns[j - 1] != letter))
            if i > 1 and j > 1:
                swapped = (columns[j - 2] == letter) & (columns[j - 1] == word[i - 2])
                cost = np.where(swapped, np.minimum(cost, rows[-2][j - 2] + 1), cost)
            row[j] = cost
        rows = [rows[-1], row]
    table = np.array(rows[-1])
    return table[lengths, np.arange(len(others))] if len(others) else far


# What a mistyping costs, about 1 an edit. Most errors are slips of the finger or confusions of letters
# that sound alike, and the first letter is seldom wrong (Kukich 1992).
EXCHANGED = 0.6  # two neighbours
DOUBLED = 0.5  # once instead of twice, or twice instead of once
LEFT_OUT = 0.8
PUT_IN = 1.0
REPLACED = 1.3  # by any other letter
VOWEL = 0.7  # for another vowel
SOUND = 0.7  # for a letter that sounds alike
KEY = 0.8  # for one beside it on the keyboard
FIRST = 0.4  # added when it is the first letter
_VOWELS = frozenset("aeiouy")
_SOUNDS = frozenset(map(frozenset, ("ck", "cs", "sz", "gj", "kq", "dt", "mn", "bp", "fv", "vw", "sx", "cq")))
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_KEYS = frozenset(
    frozenset(pair)
    for row, lower in zip(_ROWS, (*_ROWS[1:], ""), strict=True)
    for pair in (*pairwise(row), *zip(row, lower, strict=False), *zip(row[1:], lower, strict=False))
)
_BAND = 2  # letters by which two prefixes may differ in length


def typing_cost(typed: str, meant: str) -> float:
    """Return how unlikely it is that `typed` was typed for `meant`: 0 for the same, about 1 for each edit.

    Meant for words that are two edits apart at most: what is farther is not told apart well.
    """
    rows: list[list[float]] = []
    for i in range(len(typed) + 1):
        row: list[float] = []
        for j in range(len(meant) + 1):
            row.append(_cheapest(rows, row, typed[:i], meant[:j]) if abs(i - j) <= _BAND else FAR)
        rows.append(row)
    return rows[-1][-1]


def _cheapest(rows: Sequence[Sequence[float]], row: Sequence[float], typed: str, meant: str) -> float:
    """Return the cost of two beginnings of words; `rows` holds that of all shorter ones."""
    if not typed and not meant:
        return 0.0
    costs = []
    if meant:
        costs.append(row[-1] + _one_more(meant, LEFT_OUT))
    if typed:
        costs.append(rows[-1][len(meant)] + _one_more(typed, PUT_IN))
    if typed and meant:
        costs.append(rows[-1][len(meant) - 1] + _replaced(typed[-1], meant[-1], len(meant) == 1))
    if len(typed) > 1 and len(meant) > 1 and typed[-1] != typed[-2] and typed[-2:] == meant[-1] + meant[-2]:
        costs.append(rows[-2][len(meant) - 2] + EXCHANGED + FIRST * (len(meant) == 2))
    return min(costs)


def _one_more(word: str, cost: float) -> float:
    """Return the cost of the last letter of `word`, which the other word lacks."""
    if len(word) == 1:
        return cost + FIRST
    return DOUBLED if word[-1] == word[-2] else cost


def _replaced(typed: str, meant: str, first: bool) -> float:
    if typed == meant:
        return 0.0
    pair = frozenset((typed, meant))
    cost = VOWEL if pair <= _VOWELS else SOUND if pair in _SOUNDS else KEY if pair in _KEYS else REPLACED
    return cost + FIRST * first
