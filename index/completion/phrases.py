"""The words of an archive's headlines, sorted to be looked up by their beginnings, and the phrases that recur in them.

A phrase is one to four words that stand next to each other in the headlines of several articles and belong together:
neither "of the" nor "Trump says", but "supreme court" and "house of representatives". Pure; nothing here is shown to
anybody before `index.completion.suggest` has compared it with the store.

Invariant: `Headlines` never changes once it is made. Words are numbered in alphabetical order, so those that begin
alike stand side by side; articles are numbered newest first, so an ascending list of them is in the order of showing.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.analysis import is_stop_word, stem, words
from index.engine import Mask
from index.function_words import function_terms

Numbers = NDArray[np.int32]
Keys = NDArray[np.int64]

MAX_WORDS = 4  # of a phrase
MIN_ARTICLES = 3  # whose headlines hold a phrase
MIN_LETTERS = 3  # of a phrase's first and last word
MIN_ASSOCIATION = 0.25  # normalised pointwise mutual information (Bouma 2009); 0: by chance, 1: never apart
MAX_WITHIN = 0.75  # what stands so often within one longer phrase is a piece of it, not a phrase of its own
MAX_HEADLINE_WORDS = 64  # of a headline that are read
BREATHE_EVERY = 100  # headlines between two chances for other threads, about 2 ms of work
NOWHERE = -1  # where no run begins; between two headlines, no word
LAST = "\U0010ffff"  # sorts after every letter

Headline = tuple[str, str, str | None]
"""An article's id, its title, and the tag of its language."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of some headlines, columns with a row each, in alphabetical order."""

    texts: Sequence[str]  # folded words, a space between
    counts: Numbers  # articles that hold it
    starts: Numbers  # where its articles begin in `articles`
    articles: Numbers

    def articles_of(self, row: int) -> Numbers:
        """Return the articles whose headlines hold a phrase, newest first."""
        return self.articles[self.starts[row] : self.starts[row] + self.counts[row]]


@dataclass(frozen=True, slots=True)
class Headlines:
    """All headlines at one moment of the archive."""

    seq: int  # the last change that is in them
    ids: NDArray[np.bytes_]  # article ids, newest first
    words: Sequence[str]  # sorted
    starts: Numbers  # where each word's articles begin in `articles`, and where the last one's end
    articles: Numbers
    phrases: Phrases
    tails: Sequence[str]  # each phrase from each of its words on, sorted: "house of commons", "commons"
    tail_rows: Numbers  # the phrase each tail is of

    def holding(self, whole: Sequence[str], prefix: str) -> Numbers:
        """Return the articles, newest first, whose headlines hold `whole` words and one that begins with `prefix`."""
        ranges = [(word, word + " ") for word in whole]  # no word holds a space
        if prefix:
            ranges.append((prefix, prefix + LAST))
        held = np.ones(len(self.ids), bool) if ranges else np.zeros(len(self.ids), bool)
        for first, past in ranges:
            one = np.zeros(len(self.ids), bool)
            one[self._articles(first, past)] = True
            held &= one
        return np.flatnonzero(held).astype(np.int32)

    def ids_of(self, articles: Numbers) -> Iterator[str]:
        """Yield the ids of these articles."""
        return (self.ids[article].decode() for article in articles)

    def _articles(self, first: str, past: str) -> Numbers:
        rows = bisect_left(self.words, first), bisect_left(self.words, past)
        return self.articles[self.starts[rows[0]] : self.starts[rows[1]]]

    def phrases_with(self, typed: str) -> Numbers:
        """Return the phrases in which `typed` begins at some word: folded words, the last of them unfinished."""
        first, past = bisect_left(self.tails, typed), bisect_left(self.tails, typed + LAST)
        return np.unique(self.tail_rows[first:past])

    def count(self, phrase: str) -> int:
        """Return how many headlines hold `phrase` (folded words, a space between); 0 for what is no phrase."""
        row = bisect_left(self.phrases.texts, phrase)
        known = row < len(self.phrases.texts) and self.phrases.texts[row] == phrase
        return int(self.phrases.counts[row]) if known else 0


def read_headlines(headlines: Iterable[Headline], *, seq: int, breathe: Callable[[], None]) -> Headlines:
    """Return `headlines`, newest first, made ready to be looked up.

    They are read one by one. `breathe` is called every few milliseconds, so that a build in the background can let
    other threads go first.
    """
    ids, text = _read(headlines, breathe)
    single = _runs(text, text.tokens.astype(np.int64), length=1, least=1)
    phrases = _phrases(text, breathe)
    tails = sorted(_tails(phrases.texts))
    breathe()
    return Headlines(
        seq=seq,
        ids=ids,
        words=text.words,
        starts=np.concatenate([_starts(single.counts), [len(single.articles)]]).astype(np.int32),
        articles=single.articles,
        phrases=phrases,
        tails=[tail for tail, _ in tails],
        tail_rows=np.array([row for _, row in tails], np.int32),
    )


@dataclass(frozen=True, slots=True)
class _Text:
    """All headlines as one text of numbered words."""

    words: Sequence[str]  # sorted; a word's number is its place here
    tokens: Numbers  # by place; NOWHERE after each headline
    articles: Numbers  # by place
    article_count: int
    loose: Mask  # by place: a word that neither begins nor ends a phrase


def _read(headlines: Iterable[Headline], breathe: Callable[[], None]) -> tuple[NDArray[np.bytes_], _Text]:
    ids: list[bytes] = []
    numbers: dict[str, int] = {}
    tokens, lengths, foreign = array("i"), array("i"), array("b")
    for article_id, title, language in headlines:
        if len(ids) % BREATHE_EVERY == 0:
            breathe()
        ids.append(article_id.encode())
        found = words(title)[:MAX_HEADLINE_WORDS]
        tokens.extend([numbers.setdefault(word, len(numbers)) for word in found])
        tokens.append(NOWHERE)
        skipped = function_terms(language)
        foreign.extend([bool(skipped) and stem(word) in skipped for word in found])
        foreign.append(False)
        lengths.append(len(found) + 1)
    vocabulary = sorted(numbers)
    order = np.full(len(vocabulary) + 1, NOWHERE, np.int32)  # its last entry is what NOWHERE reads
    order[[numbers[word] for word in vocabulary]] = np.arange(len(vocabulary), dtype=np.int32)
    articles = np.repeat(np.arange(len(ids), dtype=np.int32), lengths)
    text = order[np.asarray(tokens)]
    loose = np.array([*map(_is_loose, vocabulary), False])[text] | np.asarray(foreign, np.bool_)
    return np.array(ids, np.bytes_), _Text(vocabulary, text, articles, len(ids), loose)


def _is_loose(word: str) -> bool:
    return is_stop_word(word) or len(word) < MIN_LETTERS or word.isdigit()


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of `length` words that stand in enough headlines, a row each."""

    length: int
    at: Numbers  # by place: the row of the run that begins there, or NOWHERE
    counts: Numbers  # articles that hold it
    articles: Numbers  # which they are, row after row
    examples: Numbers  # a place where it begins


def _runs(text: _Text, keys: Keys, *, length: int, least: int = MIN_ARTICLES) -> _Runs:
    """Return the runs that at least `least` headlines hold; `keys` says, by place, which run begins there."""
    places = np.flatnonzero(keys >= 0)
    _, examples, rows = np.unique(keys[places], return_index=True, return_inverse=True)
    size = max(text.article_count, 1)
    holders = _distinct(rows.astype(np.int64) * size + text.articles[places])
    counts = np.bincount(holders // size, minlength=len(examples)).astype(np.int32)
    enough = counts >= least
    renumbered = np.where(enough, np.cumsum(enough) - 1, NOWHERE).astype(np.int32)
    at = np.full(len(keys), NOWHERE, np.int32)
    at[places] = renumbered[rows]
    return _Runs(
        length=length,
        at=at,
        counts=counts[enough],
        articles=(holders % size)[enough[holders // size]].astype(np.int32),
        examples=places[examples[enough]].astype(np.int32),
    )


def _distinct(keys: Keys) -> Keys:
    """Return the different keys in order, as numpy.unique does, which takes five times as long for a million."""
    ordered = np.sort(keys)
    return ordered[np.diff(ordered, prepend=NOWHERE) > 0]


def _lengthened(run: _Runs) -> Keys:
    """Return, by place, a key of the run one word longer, which can recur only if both its halves do."""
    first, second = run.at.astype(np.int64), np.append(run.at[1:], np.int32(NOWHERE))
    return np.where((first >= 0) & (second >= 0), first * len(run.counts) + second, NOWHERE)


def _phrases(text: _Text, breathe: Callable[[], None]) -> Phrases:
    """Return the runs of words that recur and belong together."""
    runs = [_runs(text, text.tokens.astype(np.int64), length=1)]
    for length in range(2, MAX_WORDS + 2):  # longer than a phrase may be, to know what is a piece of that
        breathe()
        runs.append(_runs(text, _lengthened(runs[-1]), length=length))
    shaped = [_well_ended(text, run) & _associated(runs[: run.length], text.article_count) for run in runs]
    found: list[tuple[str, Numbers]] = []
    for order, run in enumerate(runs[:MAX_WORDS]):
        breathe()
        longer = zip(runs[order + 1 :], shaped[order + 1 :], strict=True)
        alone = [_standing_alone(run, other, well) for other, well in longer]
        found += _texts(text, run, np.logical_and.reduce([shaped[order], *alone]))
    found.sort(key=lambda phrase: phrase[0])
    counts = np.array([len(articles) for _, articles in found], np.int32)
    return Phrases(
        texts=[phrase for phrase, _ in found],
        counts=counts,
        starts=_starts(counts),
        articles=np.concatenate([np.empty(0, np.int32), *(articles for _, articles in found)]),
    )


def _well_ended(text: _Text, run: _Runs) -> Mask:
    """Return which runs neither begin nor end with a loose word in most of the places where they stand."""
    places = np.flatnonzero(run.at >= 0)
    rows, ends = run.at[places], text.loose[places] | text.loose[places + run.length - 1]
    well = np.bincount(rows, ~ends, minlength=len(run.counts))
    return np.asarray(2 * well > np.bincount(rows, minlength=len(run.counts)))


def _associated(runs: Sequence[_Runs], article_count: int) -> Mask:
    """Return which of the longest runs hold together wherever one parts them; a single word always does."""
    run = runs[-1]
    together = np.ones(len(run.counts), bool)
    share = run.counts / max(article_count, 1)
    for cut in range(1, run.length):
        left, right = runs[cut - 1], runs[run.length - cut - 1]
        counts = left.counts[left.at[run.examples]], right.counts[right.at[run.examples + cut]]
        by_chance = counts[0] / article_count * (counts[1] / article_count)
        together &= np.log(share / by_chance) >= MIN_ASSOCIATION * -np.log(np.minimum(share, 1 - 1e-9))
    return together


def _standing_alone(run: _Runs, longer: _Runs, shaped: Mask) -> Mask:
    """Return which runs do not stand nearly always within one and the same of the `longer` ones that are `shaped`."""
    most = np.zeros(len(run.counts), np.int32)
    for offset in range(longer.length - run.length + 1):
        np.maximum.at(most, run.at[longer.examples[shaped] + offset], longer.counts[shaped])
    return np.asarray(most <= MAX_WITHIN * run.counts)


def _texts(text: _Text, run: _Runs, kept: Mask) -> Iterator[tuple[str, Numbers]]:
    """Yield the words and the articles of the runs that are `kept`."""
    starts = _starts(run.counts)
    for row in np.flatnonzero(kept):
        place, start = run.examples[row], starts[row]
        phrase = " ".join(text.words[number] for number in text.tokens[place : place + run.length])
        yield phrase, run.articles[start : start + run.counts[row]]


def _starts(counts: Numbers) -> Numbers:
    return (np.cumsum(counts) - counts).astype(np.int32)


def _tails(texts: Sequence[str]) -> Iterator[tuple[str, int]]:
    for row, phrase in enumerate(texts):
        parts = phrase.split(" ")
        yield from ((" ".join(parts[at:]), row) for at in range(len(parts)) if not is_stop_word(parts[at]))
