"""Which words of an archive a mistyped word may have been meant for, and how likely each is. Pure.

The likelihood grows with how slight the slip is, how long the word is, and how many articles hold the other one. It is
weighed against the chance that the word is right: a name or a word the archive merely does not hold.

Invariant: a word of fewer than `MIN_ARTICLES` articles is never proposed: an archive has misprints of its own.
"""

import math
from collections.abc import Mapping
from heapq import nlargest

from index.analysis import is_stop_word
from index.spelling.edits import Lexicon, typing_cost

MIN_ARTICLES = 3  # that hold a word that is proposed
MOST_WORDS = 400_000  # that may be proposed, the most frequent: 25 MB; more have only archives read by machine
SHORT = 4  # letters; such a word is only a slip when two letters of a very frequent one are exchanged
LONG = 7  # letters of a word that may be two edits away
FREQUENT = 0.01  # of the articles hold a very frequent word
CONSIDERED = 24  # words near one, the nearest and most frequent, that are weighed

# The log odds that a word of the archive was meant, against those of a word it does not hold: a conditional logit over
# all words near the typed one, fitted to mistyped words of a news archive and to words of other collections.
BASE = -1.3
PER_COST = -5.0  # of `typing_cost`
PER_LETTER = 0.63
MAX_LETTERS = 12  # that count
PER_TENFOLD = 1.8  # articles that hold the word
OTHER_ENDING = -0.45  # the last letters differ: those of two forms of a word do, slips are more often within

_ENDINGS = (  # each line, those that one English word takes; not "", "e": "earthquak" is no form of "earthquake"
    frozenset(("", "s", "es", "d", "ed", "ing", "ings")),
    frozenset(("e", "es", "ed", "ing", "ings")),
    frozenset(("y", "ies", "ied")),
    frozenset(("", "ly")),
)
FAR_MORE = 100  # times as many articles hold a word as its misprint
_FORM_SHARE = 0.1  # of the likeliest word's articles must hold the other form of a word that is taken for right


class Slips:
    """Proposes words of one archive. Safe to use from several threads once it is made."""

    def __init__(self, words: Mapping[str, int]) -> None:
        """Take the archive's words (folded, not stemmed) and how many articles hold each."""
        self._words = words
        self.articles = max(words.values(), default=0)  # some word is in nearly every article
        self._lexicon = Lexicon(_proposed(words))

    def proposals(self, word: str) -> dict[str, float]:
        """Return the words that may have been meant, with the log odds of each, best first; none when `word` is right.

        It is taken for right when the archive holds another form of it, such as its singular.
        """
        if not is_corrected(word):
            return {}
        near = self._lexicon.near(word, distance=2 if len(word) >= LONG else 1)
        near.sort(key=lambda found: (found[1], -self._words[found[0]], found[0]))
        odds = {meant: self._odds(word, meant) for meant, _ in near[:CONSIDERED] if self._may_be(word, meant)}
        ranked = sorted(odds, key=lambda meant: -odds[meant])
        if any(self._is_form(word, meant, ranked[0]) for meant in ranked):
            return {}
        return {meant: odds[meant] for meant in ranked if not self._is_misprint(meant, ranked[0])}

    def _odds(self, word: str, meant: str) -> float:
        return (
            BASE
            + PER_COST * typing_cost(word, meant)
            + PER_LETTER * min(len(word), MAX_LETTERS)
            + PER_TENFOLD * math.log10(self._words[meant])
            + OTHER_ENDING * (word[-1] != meant[-1])
        )

    def _may_be(self, word: str, meant: str) -> bool:
        if word.isascii() != meant.isascii():  # letters of two scripts that look alike
            return False
        return len(word) > SHORT or (sorted(word) == sorted(meant) and self._words[meant] >= FREQUENT * self.articles)

    def _is_form(self, word: str, other: str, best: str) -> bool:
        return are_forms(word, other) and self._words[other] >= _FORM_SHARE * self._words[best]

    def _is_misprint(self, word: str, best: str) -> bool:
        """Return whether `word` is itself a misprint of `best`, and so no rival to it."""
        return self._words[best] >= FAR_MORE * self._words[word] and typing_cost(word, best) <= 1


def _proposed(words: Mapping[str, int], *, most: int = MOST_WORDS) -> list[str]:
    """Return the words that may be proposed; of too many, those that the most articles hold."""
    found = [word for word, count in words.items() if count >= MIN_ARTICLES and is_corrected(word)]
    return found if len(found) <= most else nlargest(most, found, key=lambda word: words[word])


def is_corrected(word: str) -> bool:
    """Return whether a word is of the kind that is corrected: letters of a script with capitals, and no stop word."""
    return len(word) >= SHORT and all(c.upper() != c for c in word) and not is_stop_word(word)


def are_forms(first: str, second: str) -> bool:
    """Return whether two words differ in an English ending alone, as those of one verb or noun do."""
    if first.endswith("ss") or second.endswith("ss"):  # "congres" is not the singular of "congress"
        return False
    same = 0
    while first[same : same + 1] == second[same : same + 1] != "":
        same += 1
    parted = [{first[at:], second[at:]} for at in (same, same - 1) if at >= SHORT - 1]
    return any(endings <= family for endings in parted for family in _ENDINGS)


def likelihood(odds: Mapping[str, float], word: str) -> float:
    """Return the probability that `word` was meant, given the log odds of all words that may have been."""
    top = max(0.0, *odds.values())
    return math.exp(odds[word] - top) / (math.exp(-top) + sum(math.exp(value - top) for value in odds.values()))
