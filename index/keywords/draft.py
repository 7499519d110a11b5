"""A segment in the making: articles, and what is kept of older segments, gathered and then written at once.

Invariant: what is written depends on the articles and their order alone, not on which segment they came from.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analysis import STOP_TERMS, stem
from index.engine import Ints
from index.keywords import frequencies, segment
from index.keywords.packing import Codes, in_fewest_bytes, pack, pack_many
from index.keywords.segment import DENSE, MOST_ARTICLES, MOST_HELD, NAMED, RARE, STEP, Segment
from index.keywords.strings import pack as pack_strings

Keys = NDArray[np.uint64]

MOST_PLACES = 20_000_000  # words of a segment: bounds a build's memory, to some 500 MB
_AT_ONCE = 2_000_000  # words whose postings are sorted at once

_END = ""  # stands for the end of a title or body


class Draft:
    """Gathers articles for one segment."""

    def __init__(self) -> None:
        """Begin without articles."""
        self.ids: list[bytes] = []
        self.serials: list[int] = []
        self._published: list[int] = []
        self._words: dict[str, int] = {_END: 0}
        self._places: list[NDArray[np.uint32]] = []  # of the words in `_words`
        self._new = array("I")  # the same of the articles added since
        self._lengths: list[int] = []  # in places, both ends included
        self._names: dict[str, array[int]] = {}

    def __len__(self) -> int:
        """Return the number of articles."""
        return len(self.ids)

    @property
    def is_full(self) -> bool:
        """Whether the next article belongs into another segment."""
        return len(self) >= MOST_ARTICLES or sum(map(len, self._places)) + len(self._new) >= MOST_PLACES

    def add(
        self, article_id: str, *, serial: int, published: int, texts: Sequence[Sequence[str]], names: Iterable[str]
    ) -> None:
        """Add an article: its texts are the words of the title and those of the body, its names begin with NAMED."""
        number = self._words
        before = len(self._new)
        for text in texts:
            self._new.extend([number.setdefault(word, len(number)) for word in text])
            self._new.append(0)
        self._lengths.append(len(self._new) - before)
        for name in dict.fromkeys(names):
            self._names.setdefault(name, array("I")).append(len(self))
        self._published.append(published)
        self.serials.append(serial)
        self.ids.append(article_id.encode())

    def take(self, other: Segment, articles: Ints) -> None:
        """Add these articles (ascending) of another segment."""
        self._collect()
        number = np.full(len(other), -1, np.int64)
        number[articles] = len(self) + np.arange(len(articles))
        strings = other.strings()
        words = np.zeros(len(strings), np.uint32)
        for entry in np.flatnonzero(other.holding).tolist():
            words[entry] = self._words.setdefault(strings[entry], len(self._words))
        codes = other.codes(articles)
        self._places.append(np.where(codes > 0, words[other.entries(codes)], 0).astype(np.uint32))
        ends = np.flatnonzero(codes == 0)[1::2]
        self._lengths += np.diff(ends, prepend=-1).tolist()
        for entry, string in enumerate(strings):
            if string.startswith(NAMED):
                kept = number[other.articles(entry)]
                if (kept >= 0).any():
                    self._names.setdefault(string, array("I")).extend(kept[kept >= 0].tolist())
        self._published += other.published[articles].tolist()
        self.serials += other.serials[articles].tolist()
        self.ids += other.ids[articles].tolist()

    def write(self, path: Path) -> None:
        """Write the segment's file, and forget everything."""
        self._collect()
        places = np.concatenate([np.empty(0, np.uint32), *self._places])
        self._places.clear()
        words, terms = list(self._words), list(map(stem, self._words))
        strings = sorted({*words, *terms, *self._names})
        entry_of = {string: entry for entry, string in enumerate(strings)}
        entries = np.array([entry_of[word] for word in words], np.uint32)
        stems = np.array([entry_of[term] for term in terms], np.uint32)
        is_scored = np.array([term not in STOP_TERMS for term in terms])
        is_scored[0] = False
        names = {entry_of[name]: np.array(numbers, np.uint32) for name, numbers in self._names.items()}
        arrays = {**self._columns(places, is_scored), **self._texts(places, entries), **_strings(strings)}
        count = len(strings)
        del words, terms, strings, entry_of  # what follows takes as much memory again
        self._words.clear()
        self._names.clear()
        arrays.update(self._postings(places, entries=entries, stems=stems, names=names, count=count))
        arrays.update(_forms(entries, stems, count))
        segment.write(path, arrays)

    def _collect(self) -> None:
        self._places.append(np.array(self._new, np.uint32))
        self._new = array("I")

    def _columns(self, places: Codes, is_scored: NDArray[np.bool_]) -> Mapping[str, NDArray[Any]]:
        """Return what has one element an article; `is_scored` says it of each word."""
        passed = np.append(0, np.cumsum(is_scored[places]))
        lengths = np.diff(passed[np.flatnonzero(places == 0)], prepend=0)
        return {
            "ids": np.array(self.ids, "S16"),
            "serials": np.array(self.serials, np.uint32),
            "published": np.array(self._published, np.int64),
            "title_length": in_fewest_bytes(lengths[0::2]),
            "body_length": in_fewest_bytes(lengths[1::2]),
        }

    def _texts(self, places: Codes, entries: Codes) -> Mapping[str, NDArray[Any]]:
        """Return the texts with the commonest words written shortest."""
        frequencies = np.bincount(places, minlength=len(entries))
        frequencies[0] = 0
        common = np.argsort(-frequencies, kind="stable")[: min(RARE, len(entries)) - 1]
        codes = entries + np.uint32(RARE)
        codes[common] = np.arange(1, len(common) + 1, dtype=np.uint32)
        codes[0] = 0
        packed, ends = [], [np.empty(0, np.int64)]
        passed = 0
        for start in range(0, len(places), _AT_ONCE):
            some, some_ends = pack(codes[places[start : start + _AT_ONCE]])
            packed.append(some)
            ends.append(some_ends + passed)
            passed += len(some)
        text_ends = np.concatenate(ends)[np.cumsum(self._lengths, dtype=np.int64) - 1]
        return {
            "texts": np.concatenate([np.empty(0, np.uint8), *packed]),
            "text_ends": text_ends.astype(np.uint32),
            "common": np.append(0, entries[common]).astype(np.uint32),
        }

    def _postings(
        self, places: Codes, *, entries: Codes, stems: Codes, names: Mapping[int, Codes], count: int
    ) -> Mapping[str, NDArray[Any]]:
        """Return where every term and name stands, and how many articles hold every word."""
        postings = [
            _keys(np.full(len(numbers), entry), numbers * 2 + 1) << _TIMES | np.uint64(1)
            for entry, numbers in names.items()
        ]
        holding = np.zeros(count, np.int64)
        ends = np.cumsum(self._lengths, dtype=np.int64)
        first = 0
        while first < len(self):
            begin = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, begin + _AT_ONCE)))
            some = places[begin : int(ends[last - 1])]
            is_word = np.flatnonzero(some)
            text = np.cumsum(some == 0)[is_word] + 2 * first  # two of each article: its title and its body
            some = some[is_word]
            found, times = _counted(_keys(stems[some], text))
            postings.append(found << _TIMES | times)
            held, _ = _counted(_keys(entries[some], text // 2))
            holding += np.bincount((held >> _TEXT).astype(np.int64), minlength=count)
            first = last
        return {**_held(holding), **_written(postings, count, articles=len(self))}


_TEXT = np.uint64(17)  # bits of a key that say which article, and whether its body
_TIMES = np.uint64(24)  # bits of a posting that say how often


def _keys(entries: NDArray[Any], texts: NDArray[Any]) -> Keys:
    keys: Keys = entries.astype(np.uint64) << _TEXT | texts.astype(np.uint64)
    return keys


def _counted(keys: Keys) -> tuple[Keys, Keys]:
    """Return the different keys, ascending, and how often each is there."""
    keys.sort()
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.empty(0, np.int64)
    return keys[first], np.diff(np.append(first, len(keys))).astype(np.uint64)


def _frequencies(postings: list[Keys]) -> tuple[Keys, Codes]:
    """Return the postings' entries and articles, ascending, and how often each is in title and body: shape (2, n)."""
    written = np.concatenate([np.empty(0, np.uint64), *postings])
    postings.clear()
    written.sort()
    times = (written & np.uint64(2**24 - 1)).astype(np.uint32)
    in_body = (written >> _TIMES & np.uint64(1)).astype(np.bool_)
    written >>= np.uint64(25)
    is_first = np.append(True, written[1:] != written[:-1]) if len(written) else np.empty(0, np.bool_)
    which = np.cumsum(is_first, dtype=np.int32) - 1
    often = np.zeros((2, int(is_first.sum())), np.uint32)
    often[0, which[~in_body]], often[1, which[in_body]] = times[~in_body], times[in_body]
    return written[is_first], often


def _written(postings: list[Keys], count: int, *, articles: int) -> Mapping[str, NDArray[Any]]:
    """Return the postings, each a key and how often it is there, as a segment has them."""
    posting, often = _frequencies(postings)
    number = (posting & 0xFFFF).astype(np.uint16)
    sizes = np.bincount((posting >> 16).astype(np.int64), minlength=count)
    del posting  # as large as what follows
    ends = np.cumsum(sizes)
    is_dense = sizes * DENSE > articles
    dense = np.flatnonzero(is_dense)
    gaps = [
        pack_many(number[ends[entry] - sizes[entry] : ends[entry]].astype(np.int64), of=articles)
        for entry in dense.tolist()
    ]
    is_rare = np.repeat(~is_dense, sizes)
    rare_sizes = np.where(is_dense, 0, sizes)
    return {
        "sizes": rare_sizes.astype(np.uint8),
        "sizes_before": np.append(0, np.cumsum(rare_sizes))[:-1:STEP].astype(np.uint32),
        "dense": dense.astype(np.uint32),
        "dense_sizes": sizes[dense].astype(np.uint16),
        "dense_ends": np.cumsum([len(some) for some in gaps], dtype=np.uint32),
        "gaps": np.concatenate([np.empty(0, np.uint8), *gaps]),
        "rare": number[is_rare],
        **frequencies.pack(*(np.append(some[is_rare], some[~is_rare]) for some in often)),
    }


def _held(holding: Ints) -> Mapping[str, NDArray[Any]]:
    """Return how many articles hold each entry as a word, as a segment has it."""
    more = np.flatnonzero(holding > MOST_HELD)
    return {
        "holding": np.minimum(holding, MOST_HELD).astype(np.uint8),
        "held_more": more.astype(np.uint32),
        "held_by": holding[more].astype(np.uint16),
    }


def _forms(entries: Codes, stems: Codes, count: int) -> Mapping[str, NDArray[Any]]:
    """Return which words have a stem other than themselves; of each word its entry and that of its stem are given."""
    inflected = np.flatnonzero(entries != stems)
    inflected = inflected[np.lexsort((entries[inflected], stems[inflected]))]
    terms = stems[inflected]
    return {
        "forms_before": np.searchsorted(terms, np.arange(0, count + STEP, STEP)).astype(np.uint32),
        "form_terms": (terms % STEP).astype(np.uint8),
        "form_words": entries[inflected],
    }


def _strings(strings: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    text, ends = pack_strings([string.encode() for string in strings])
    return {"strings": text, "string_ends": ends}
