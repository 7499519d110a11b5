"""Did you mean: a query as its reader may have meant to type it, by the words the archive holds.

A word is corrected when it is far likelier a slip (`slips.py`) than a name or a word the archive merely does not
hold; where the query has more words, the corrected one should stand together with those in some article. Only words and
the words of phrases are corrected: operators, filters and exclusions stay as they were typed.

Invariant: a word that many articles hold is never corrected, and what is offered differs from what was typed.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase

from index.analysis import Word, fold, is_stop_word, surface, words_of
from index.language.clauses import DATE_OPERATORS, FIELDS
from index.language.grammar import CONNECTIVES
from index.language.lexer import Lexer, Token, straight
from index.spelling.slips import FAR_MORE, Slips, is_corrected, likelihood

Together = Callable[[Sequence[str]], int]
InHeadlines = Callable[[str], int]

MAX_TYPED_WORDS = 24  # in a pasted paragraph nothing is corrected
MAX_STRANGE = 6  # words the archive does not hold, or hardly; a query of more is in another language
LIKELY = 0.75  # probability from which a correction is offered
LIKELY_NAME = 0.85  # the same when the word is typed with a capital

# A word that few articles hold may be a misprint in them.
RARE = 10  # articles
RARE_IN_COMPANY = 50  # articles, when the query has other words to judge by
FAR_MORE_IN_COMPANY = 50  # times as many articles hold the other word beside one of those; alone, `slips.FAR_MORE`
LIKELY_MISPRINT = 0.9

MAX_COMPANY = 3.0  # log odds that a companion adds or takes at most: words that stand together 20 times as often
NO_COMPANY = -1.6  # log odds of a word that stands in no article with its companion: one sensible pair in five does so
COMPANIONS = 2  # words of the query, the nearest, that a proposal is tried with
TRIED = 3  # proposals that are
MAX_COUNTED = 32  # questions put to `together` for one query

MIN_PART = 3  # letters of a word that is run together with another, or torn off it
MIN_HEADLINES = 5  # that hold two words side by side which are offered for one
MIN_JOINED = 0.005  # of the articles hold a word that is offered for two

_LEXER = Lexer(fields=FIELDS, dates=DATE_OPERATORS)
_SIGNS = {"open": "(", "close": ")"}
_PREFIX_OR_FUZZY = re.compile(r".+(?:\*|~[0-9]*)")


@dataclass(frozen=True, slots=True)
class Correction:
    """What to put in place of `start:end` of a query."""

    start: int
    end: int
    text: str


def plain_words(query_text: str) -> list[Word]:
    """Return the words of a query that are looked for, those in quotation marks too: no operators, no filters."""
    text = straight(query_text)
    found: list[Word] = []
    kept = [False]  # whether what stands in each open group stays as it was typed
    negating = False
    for token, start, end in _placed(text):
        connects = token.text in CONNECTIVES and token.kind == "word" and not token.minus and not token.name
        if token.kind == "close":
            kept.pop()
        elif token.kind == "or" or connects:
            negating = negating or token.text == "NOT"
        else:
            stays = kept[-1] or negating or token.minus or bool(token.name)
            negating = False
            if token.kind == "open":
                kept.append(stays)
            elif not stays and not (token.kind == "word" and _PREFIX_OR_FUZZY.fullmatch(token.text)):
                found += words_of(text[start:end], first=start)
    return found


def _placed(text: str) -> Iterator[tuple[Token, int, int]]:
    """Yield the tokens of `text`, in order, and where what each says begins and ends."""
    names = text.translate(_SMALL)
    end = 0
    for token in _LEXER.tokens(text):
        if token.name:
            end = names.index(f"{token.name}:", end) + len(token.name) + 1
        if token.kind == "quoted":
            start, end = _quoted(text, token.text, end)
        else:
            said = token.text or _SIGNS[token.kind]
            start = text.index(said, end)
            end = start + len(said)
        yield token, start, end


def _quoted(text: str, phrase: str, at: int) -> tuple[int, int]:
    """Return where `phrase`, which is told with one space between words, stands in quotation marks after `at`."""
    marks = [mark.start() for mark in re.finditer('"', text) if mark.start() >= at]
    return next(
        (first + 1, last + 1) for first, last in pairwise(marks) if " ".join(text[first + 1 : last].split()) == phrase
    )


_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


class Speller:
    """Corrects queries by the words of one archive. Safe to use from several threads once it is made."""

    def __init__(
        self, words: Mapping[str, int], *, together: Together | None = None, in_headlines: InHeadlines | None = None
    ) -> None:
        """Take the archive's words (folded, not stemmed) and how many articles hold each.

        `together` counts the articles that hold all of some words; `in_headlines` the headlines that hold a phrase.
        Without the first a query is judged word by word, without the second nothing is joined or parted.
        """
        self.words = words
        self.slips = Slips(words)
        self.in_headlines = in_headlines
        self.together = together

    def suggest(self, query_text: str) -> str | None:
        """Return the whole query corrected, or None when there is nothing to correct."""
        if not self.words:
            return None
        typed = plain_words(query_text)
        strange = sum(self.words.get(word.folded, 0) <= RARE for word in typed if is_corrected(word.folded))
        if not 0 < len(typed) <= MAX_TYPED_WORDS or strange > MAX_STRANGE:
            return None
        corrections = _Reading(self, query_text, typed, _Company(self.together)).corrections()
        return _replaced(query_text, corrections) if corrections else None


@dataclass(slots=True)
class _Company:
    """Counts the articles that hold words together: each question once, and not too many."""

    together: Together | None
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)

    def count(self, *together: str) -> int | None:
        """Return how many articles hold all the words, None when that cannot be asked."""
        key = tuple(sorted(set(together)))
        if key not in self.counts:
            if self.together is None or len(self.counts) >= MAX_COUNTED:
                return None
            self.counts[key] = self.together(key)
        return self.counts[key]


class _Reading:
    """One query being corrected: first the words nobody wrote, then, beside those corrected, the words few did."""

    def __init__(self, speller: Speller, query_text: str, typed: Sequence[Word], company: _Company) -> None:
        self._speller = speller
        self._text = query_text
        self._typed = typed
        self._company = company
        self._now = [word.folded for word in typed]  # as far as corrected
        self._found: dict[int, Correction] = {}  # by the number of the word

    def corrections(self) -> list[Correction]:
        """Return what is to be corrected, in order."""
        places = range(len(self._typed))
        for correct in (self._join, self._part, self._replace_unknown):
            for at in places:
                if at not in self._found:
                    correct(at)
        known = not self._found
        for at in places:
            if at not in self._found:
                self._replace_misprint(at)
        if known and self._found and not self._finds_far_more():
            return []
        return [self._found[at] for at in sorted(self._found) if self._found[at].text]

    def _set(self, at: int, text: str, folded: str) -> None:
        self._now[at] = folded
        self._found[at] = Correction(self._typed[at].start, self._typed[at].end, text)

    def _written(self, at: int) -> str:
        """Return a word as it was typed."""
        return self._text[self._typed[at].start : self._typed[at].end]

    def _articles(self, word: str) -> int:
        return self._speller.words.get(word, 0)

    # Words run together and torn apart

    def _join(self, at: int) -> None:
        in_headlines = self._speller.in_headlines
        pair = self._typed[at : at + 2]
        if in_headlines is None or len(pair) < 2 or self._text[pair[0].end : pair[1].start] != " ":
            return
        parts = [word.folded for word in pair]
        one = "".join(parts)
        if min(map(len, parts)) < MIN_PART or self._articles(one) < MIN_JOINED * self._speller.slips.articles:
            return
        if not any(map(is_stop_word, parts)) and not in_headlines(" ".join(parts)):
            self._set(at, _in_case(one, self._written(at)), one)
            self._found[at] = Correction(pair[0].start, pair[1].end, self._found[at].text)
            self._set(at + 1, "", one)

    def _part(self, at: int) -> None:
        word, in_headlines = self._now[at], self._speller.in_headlines
        if in_headlines is None or not word.isalpha():
            return
        pairs = [(word[:cut], word[cut:]) for cut in range(MIN_PART, len(word) - MIN_PART + 1)]
        counted = {pair: in_headlines(" ".join(pair)) for pair in pairs}
        best = max(counted, key=lambda pair: counted[pair], default=None)
        if best and counted[best] >= max(MIN_HEADLINES, self._articles(word)):
            first = _in_case(best[0], self._written(at))
            second = best[1].capitalize() if first[0].isupper() else best[1]
            self._set(at, f"{first} {second}", best[1])

    # Words typed for others

    def _replace_unknown(self, at: int) -> None:
        word = self._now[at]
        if self._articles(word):
            return
        odds = self._in_company(at, self._speller.slips.proposals(word))
        meant = _best(odds)
        enough = LIKELY_NAME if self._written(at)[0].isupper() else LIKELY
        if meant and likelihood(odds, meant) >= enough:
            self._set(at, _in_case(meant, self._written(at)), meant)

    def _in_company(self, at: int, odds: Mapping[str, float]) -> Mapping[str, float]:
        """Return the log odds of the best proposals, given whether they stand together with the words beside."""
        companions = self._companions(at)
        if not companions or self._speller.together is None:
            return odds
        return {
            meant: odds[meant] + sum(self._kept_company(meant, companion) for companion in companions)
            for meant in list(odds)[:TRIED]
        }

    def _kept_company(self, word: str, companion: str) -> float:
        """Return what it adds to the log odds of `word` how much oftener than by chance it stands with `companion`."""
        count = self._company.count(word, companion)
        if not count:
            return 0.0 if count is None else NO_COMPANY
        expected = self._articles(word) * self._articles(companion) / self._speller.slips.articles
        return max(-MAX_COMPANY, min(MAX_COMPANY, math.log((count + 0.5) / (expected + 0.5))))

    def _companions(self, at: int) -> list[str]:
        """Return the nearest other words, as far as they are known to the archive and say what the query is about."""
        others = sorted((other for other in range(len(self._now)) if other != at), key=lambda other: abs(other - at))
        found = [self._now[other] for other in others]
        return [word for word in found if self._articles(word) and not is_stop_word(word)][:COMPANIONS]

    # Misprints

    def _replace_misprint(self, at: int) -> None:
        word, own = self._now[at], self._articles(self._now[at])
        if not 0 < own <= RARE_IN_COMPANY:
            return
        odds = self._in_company(at, self._speller.slips.proposals(word))
        meant = _best(odds)
        if meant and likelihood(odds, meant) >= LIKELY_MISPRINT and self._is_far_more(at, meant):
            self._set(at, _in_case(meant, self._written(at)), meant)

    def _is_far_more(self, at: int, meant: str) -> bool:
        """Return whether far more articles hold `meant` than the word typed, together with the words beside it."""
        word, count = self._now[at], self._company.count
        pairs = [(count(meant, other), count(word, other)) for other in self._companions(at)]
        told = [(more, less) for more, less in pairs if more is not None and less is not None]
        if told:
            return any(more >= FAR_MORE_IN_COMPANY * max(less, 1) for more, less in told)
        return self._articles(word) <= RARE and self._articles(meant) >= FAR_MORE * self._articles(word)

    def _finds_far_more(self) -> bool:
        """Return whether the corrected query finds far more than the one typed, where that finds anything."""
        before, after = ([word for word in words if not is_stop_word(word)] for words in (self._as_typed(), self._now))
        if len(before) < 2:
            return True
        found, now = self._company.count(*before), self._company.count(*after)
        return not found or now is None or now >= FAR_MORE_IN_COMPANY * found

    def _as_typed(self) -> list[str]:
        return [word.folded for word in self._typed]


def _best(odds: Mapping[str, float]) -> str | None:
    return max(odds, key=lambda proposal: odds[proposal], default=None)


def _in_case(word: str, typed: str) -> str:
    """Return `word` with capitals where `typed` has them, and with its possessive."""
    bare = surface(typed)
    if len(bare) > 1 and bare.isupper():
        return word.upper() + typed[len(bare) :]
    capitals = {at for at, letter in enumerate(bare) if letter.isupper()}
    capitals = {at for at in capitals if at == 0 or word[at : at + 1] == fold(bare[at])}
    return "".join(c.upper() if at in capitals else c for at, c in enumerate(word)) + typed[len(bare) :]


def _replaced(text: str, corrections: Sequence[Correction]) -> str:
    for correction in reversed(corrections):
        text = text[: correction.start] + correction.text + text[correction.end :]
    return text
