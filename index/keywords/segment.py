"""One segment of our own: what an index keeps beside Tantivy's, in one file that is never written to again.

A file begins with eight bytes, the length of a line of JSON that follows and says of each array what it is called, its
type, and how many elements it has; the arrays follow, each at a multiple of 64 bytes. It is mapped into memory, and
only what a question touches is read. The arrays:

- one element an article, in the order in which they were added: `ids`, `serials` (the number by which Tantivy knows
  the article), `published`, `title_length`, `body_length` (in terms, stop words not counted), and `text_ends`;
- `texts`: the words of titles and bodies as codes, packed. A code is 0 at the end of a title or body, the place in
  `common` of a common word, or else `RARE` plus the word's entry;
- one element an entry. An entry is a string, in order: a word, unstemmed; a term, which is the stem of words; or a
  name, written behind `NAMED`. `holding`: how many articles hold it as a word, up to `MOST_HELD`, and for those in
  more, `held_more` and `held_by`. The strings themselves (`index.keywords.strings`): `strings`, `string_ends`;
- the postings of terms and names. An entry in one article of `DENSE` or more is one of `dense`, with `dense_sizes`, and
  its articles are gaps or bits (`dense_ends`, `gaps`). Of the others, `sizes` says how many articles hold each, and
  those are numbers of 16 bits (`rare`); `sizes_before` has their sum before each `STEP` of them;
- how often it stands in each of these articles (`index.keywords.frequencies`): of all `rare`, and then of all dense;
- which words a term is the stem of, other than itself: `form_words`; the place of each one's term among `STEP` entries,
  in `form_terms`; and how many words those before each `STEP` of them are the stems of, in `forms_before`.
"""

import json
import mmap
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analysis import stem
from index.budget import spend
from index.engine import Ints
from index.keywords.frequencies import Frequencies
from index.keywords.packing import SHORT, Bytes, Codes, Marker, unpack, unpack_many
from index.keywords.places import END, OTHER, Marks, counted, in_batches
from index.keywords.postings import NOWHERE, Matches, united
from index.keywords.strings import ABSENT, Strings
from index.keywords.word_counts import Counted

RARE = SHORT  # codes below it are those of common words
DENSE = 256  # articles: an entry in one of so many takes less as gaps, and what is in fewer has a size of one byte
MOST_HELD = 255
STEP = 64  # entries
MOST_ARTICLES = (1 << 16) - 1  # of a segment: their numbers take 16 bits
NAMED = "\0"  # begins a name's entry, and parts its field from its value; no word holds it

_ALIGNED = 64  # bytes


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a segment's file."""
    header = json.dumps([[name, array.dtype.str, len(array)] for name, array in arrays.items()]).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for array in arrays.values():
            file.write(bytes(-file.tell() % _ALIGNED))
            file.write(np.ascontiguousarray(array).tobytes())


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Map the file into memory. Raises ValueError when it is not as long as it says."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    place = 8 + int.from_bytes(mapped[:8], "little")
    arrays = {}
    for name, kind, count in json.loads(mapped[8:place]):
        place += -place % _ALIGNED
        arrays[name] = np.frombuffer(mapped, kind, count, place)
        place += arrays[name].nbytes
    if place != len(mapped):
        raise ValueError(f"{path} has {len(mapped):,} bytes, not {place:,}")
    return arrays


class Segment:
    """A segment opened for reading; its articles are numbered from 0, removed ones included."""

    def __init__(self, path: Path) -> None:
        """Map the file into memory. Raises OSError or ValueError when it is not whole."""
        arrays = _read(path)
        self.ids: NDArray[np.bytes_] = arrays["ids"]
        self.serials: Ints = arrays["serials"].astype(np.int64)
        self.published: Ints = arrays["published"]
        self.title_length: Ints = arrays["title_length"].astype(np.int64)
        self.body_length: Ints = arrays["body_length"].astype(np.int64)
        self.holding: NDArray[np.uint8] = arrays["holding"]
        self._text_ends: Ints = np.append(0, arrays["text_ends"].astype(np.int64))
        self._arrays = arrays
        self._strings = Strings(arrays["strings"], arrays["string_ends"], count=len(self.holding))
        self._sizes = arrays["sizes"].data
        self._dense = arrays["dense"].data
        self._dense_starts = len(arrays["rare"]) + np.append(0, np.cumsum(arrays["dense_sizes"], dtype=np.int64))
        self._form_terms = arrays["form_terms"].data
        self._frequencies = Frequencies(arrays)

    def __len__(self) -> int:
        """Return the number of articles, removed ones included."""
        return len(self.ids)

    def string(self, entry: int) -> str:
        """Return the string of an entry."""
        return self._strings[entry].decode()

    def strings(self) -> list[str]:
        """Return the strings of all entries, in order."""
        return [string.decode() for string in self._strings.all()]

    def entry(self, string: str) -> int:
        """Return the entry of a string, or ABSENT."""
        return self._strings.find(string.encode())

    def document_frequency(self, term: str) -> int:
        """Return how many articles hold a term or name."""
        entry = self.entry(term)
        if entry == ABSENT:
            return 0
        place = self._dense_place(entry)
        return self._sizes[entry] if place == ABSENT else int(self._arrays["dense_sizes"][place])

    def matches(self, term: str) -> Matches:
        """Return where a term or name stands."""
        entry = self.entry(term)
        return NOWHERE if entry == ABSENT else self._matches(entry)

    def articles(self, entry: int) -> Ints:
        """Return the articles of an entry's postings."""
        return self._articles(entry, *self._postings(entry))

    def _articles(self, entry: int, start: int, end: int) -> Ints:
        if self._sizes[entry] or start == end:
            numbers: Ints = self._arrays["rare"][start:end].astype(np.int64)
            return numbers
        place = self._dense_place(entry)
        ends = self._arrays["dense_ends"]
        packed = self._arrays["gaps"][ends[place - 1] if place else 0 : ends[place]]
        return unpack_many(packed, end - start, of=len(self))

    def _postings(self, entry: int) -> tuple[int, int]:
        """Return from where to where an entry's postings go."""
        place = self._dense_place(entry)
        if place != ABSENT:
            return int(self._dense_starts[place]), int(self._dense_starts[place + 1])
        step = entry // STEP
        start = int(self._arrays["sizes_before"][step]) + sum(self._sizes[step * STEP : entry])
        return start, start + self._sizes[entry]

    def _dense_place(self, entry: int) -> int:
        """Return the place of an entry among the dense ones, or ABSENT."""
        if self._sizes[entry]:
            return ABSENT
        place = bisect_left(self._dense, entry)
        return place if place < len(self._dense) and self._dense[place] == entry else ABSENT

    def _matches(self, entry: int) -> Matches:
        start, end = self._postings(entry)
        return Matches(self._articles(entry, start, end), *self._frequencies.between(start, end))

    def words_of(self, words: Sequence[str]) -> Matches:
        """Return where any of these unstemmed words stands, as often as they all do."""
        wanted = {entry for word in words if (entry := self.entry(word)) != ABSENT and self.holding[entry]}
        terms = {self.entry(stem(self.string(entry))) for entry in wanted}
        whole = {term for term in terms if wanted.issuperset(self._forms(term))}
        found = [self._matches(term) for term in whole]
        looked_at = [self.articles(term) for term in terms - whole]
        if looked_at:
            forms = [form for term in terms - whole for form in self._forms(term) if form in wanted]
            articles = np.unique(np.concatenate(looked_at))
            for some, marks in self._marked(articles, [forms]):
                spend(2 * len(marks))  # of many words each mark is looked for among more
                counts = counted(marks, np.flatnonzero(marks == 1))
                found.append(Matches(some, counts[:, 0], counts[:, 1]).of(counts.sum(axis=1) > 0))
        return united(found)

    def counted(self, articles: Ints) -> Counted:
        """Return the strings of all entries, with how many of these articles (ascending) hold each as a word."""
        return Counted(self._strings, self._holding_among(articles))

    def _holding_among(self, articles: Ints) -> NDArray[np.uint16]:
        holding = self.holding.astype(np.uint16)
        holding[self._arrays["held_more"]] = self._arrays["held_by"]
        others = np.setdiff1d(np.arange(len(self)), articles, assume_unique=True)
        for some in in_batches(others, self._text_ends[others + 1] - self._text_ends[others]):
            codes = self.codes(some)
            is_word = codes > 0
            texts = np.cumsum(~is_word)[is_word] // 2
            held = np.unique(self.entries(codes[is_word]).astype(np.int64) << 16 | texts)
            holding = holding - np.bincount(held >> 16, minlength=len(holding)).astype(np.uint16)
        return holding

    def texts(self, articles: Ints, groups: Sequence[Sequence[str]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield these articles (ascending), some at a time, with their texts, in which groups of terms are marked."""
        entries = [[entry for term in terms if (entry := self.entry(term)) != ABSENT] for terms in groups]
        return self._marked(articles, [[form for entry in some for form in self._forms(entry)] for some in entries])

    def codes(self, articles: Ints) -> Codes:
        """Return the texts of these articles (ascending), one after the other."""
        return unpack(self._packed(articles))

    def _packed(self, articles: Ints) -> Bytes:
        apart = np.flatnonzero(np.diff(articles) > 1)
        first, last = articles[np.append(0, apart + 1)], articles[np.append(apart, -1)]
        texts, ends = self._arrays["texts"], self._text_ends
        pieces = [texts[s:e] for s, e in zip(ends[first].tolist(), ends[last + 1].tolist(), strict=True)]
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]

    def entries(self, codes: Codes) -> Codes:
        """Return the entries of these words' codes: of an end, whatever it is."""
        common = self._arrays["common"]
        entries: Codes = np.where(codes < RARE, common[np.minimum(codes, max(len(common) - 1, 0))], codes - RARE)
        return entries

    def _forms(self, term: int) -> list[int]:
        """Return the entries of the words whose stem the entry is."""
        step, at = divmod(term, STEP)
        first, last = self._arrays["forms_before"][step : step + 2].tolist()
        terms = self._form_terms[first:last].tobytes()
        first += max(terms.find(at), 0)
        forms: list[int] = self._arrays["form_words"][first : first + terms.count(at)].tolist()
        string = self.string(term)
        return [term, *forms] if self.holding[term] and stem(string) == string else forms

    def _marked(self, articles: Ints, wanted: Sequence[Sequence[int]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield articles with their texts, in which the words of the first group of entries are marked 1, and so on."""
        marks = {self._code(entry): mark for mark, entries in enumerate(wanted, start=1) for entry in entries}
        marker = Marker({**marks, 0: END}, other=OTHER)
        for some in in_batches(articles, self._text_ends[articles + 1] - self._text_ends[articles]):
            yield some, marker.marks(self._packed(some))

    def _code(self, entry: int) -> int:
        order, common = self._common
        place = int(common.searchsorted(np.uint32(entry)))  # of its own type, or numpy makes a copy of the other
        return int(order[place]) if place < len(common) and common[place] == entry else RARE + entry

    @cached_property
    def _common(self) -> tuple[Ints, Codes]:
        """The codes of common words in the order of their entries, and these."""
        common = self._arrays["common"]
        order = np.argsort(common[1:]) + 1
        return order, common[order]
