"""The keyword index on Whoosh 2.7.4; the only file that imports it.

What is on disk: segments that are never written to again, and a table of contents that every update writes anew and
that also says which articles of a segment are gone. A segment keeps postings (term -> articles, with the frequency)
for two scored fields, `title` and `body`; for the unstemmed words of both together, `word`, and of the title alone,
`title_word`; and for four names (`source`, `section`, `author`, `language`), each compared as a whole, where a language
that names a region is there without it, too. Beside them stand columns (article -> value): the id, the date, both
lengths, and `terms`, the analysed text itself as `index.keywords.hashed` writes it, in which phrases are verified;
positions in the postings would cost more to write and more to read.

Not used: Whoosh's query parser, which hangs and raises on text that users type, and its searcher, which scores one
posting at a time. Postings are read a block at a time into arrays, and `index.keywords.scoring` ranks.

Whoosh never calls fsync: whoever asks for an `update` does, for every file in the directory.
"""

import contextlib
import struct
import weakref
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import columns, fields, formats, index
from whoosh.codec.base import Segment
from whoosh.codec.whoosh3 import W3Codec
from whoosh.reading import SegmentReader, TermNotFound
from whoosh.writing import SegmentWriter

from archive.article import Article
from index.analysis import STOP_TERMS, analyse, words
from index.engine import Floats, Ints
from index.errors import GenerationDamaged
from index.keywords import KeywordIndex
from index.keywords.hashed import CODE_BYTES, Texts, coded
from index.keywords.intake import first_of_each_id, names_of, texts_of
from index.keywords.places import Marks
from index.keywords.postings import Matches, united
from index.keywords.scoring import Bm25, RankedPostings
from index.keywords.word_counts import WordCounts, counted
from index.moments import UNDATED, moment
from index.query import FieldName

BLOCK = 4096  # postings a block; Whoosh's 128 suits readers that skip, ours never does
SEGMENT_CHARACTERS = 150_000_000  # text a new segment is given, some 25,000 articles: bounds a build's memory
MERGE_ARTICLES = 1_000  # a segment of more live articles is not merged: one more article stays a matter of seconds

_NAMES = ("source", "section", "author", "language")
_LOCK_FILE = "MAIN_WRITELOCK"


class WhooshFormat:
    """Keeps a keyword index in a directory with Whoosh."""

    name = "whoosh"

    def __init__(self, ranking: Bm25 | None = None) -> None:
        """`ranking` is what indexes are opened with; nothing of it is on disk."""
        self._ranking = ranking or Bm25()

    def create(self, directory: Path) -> None:
        """Make an empty index in the existing, empty `directory`."""
        index.create_in(str(directory), _schema())

    def update(self, directory: Path, *, removed: Sequence[str], added: Iterable[Article]) -> None:
        """Remove the ids in `removed`, then add the articles, as new segments; unchanged files stay as they are.

        An added article replaces the one of its id that is there; of two added with the same id the first is kept.
        """
        articles = first_of_each_id(added)
        gone, more = set(removed), True
        while more:
            with _writer(directory) as writer:
                written = _add(writer, _for_one_segment(articles))
                _delete(writer, gone | written)
            gone, more = set(), bool(written)  # the last round finds nothing left
        (directory / _LOCK_FILE).unlink(missing_ok=True)

    def open(self, directory: Path) -> KeywordIndex:
        """Open for reading. Raises GenerationDamaged when it cannot be opened."""
        try:
            return RankedPostings(_WhooshPostings(directory), self._ranking)
        except Exception as error:  # Whoosh raises whatever a damaged file leads it to
            raise GenerationDamaged(
                f"the keyword index in {directory} cannot be opened ({error!r}); run: flask reindex"
            ) from error


class _Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's own codec with larger blocks, and without the lengths it would round."""

    length_stats = False

    def __init__(self) -> None:
        super().__init__(blocklimit=BLOCK)


class _Terms(fields.FieldType):  # type: ignore[misc]
    """A field that is given its terms and keeps how often each occurs."""

    def __init__(self) -> None:
        super().__init__(format=formats.Existence(), analyzer=None)

    def index(self, value: Iterable[str], **_: object) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Yield each term with its frequency, once as a count and once as a weight."""
        for term, frequency in Counter(value).items():
            yield term.encode(), frequency, float(frequency), b""


def _schema() -> fields.Schema:
    return fields.Schema(
        title=_Terms(),
        body=_Terms(),
        word=_Terms(),
        title_word=_Terms(),
        **{name: _Terms() for name in _NAMES},
        id=fields.COLUMN(columns.VarBytesColumn()),
        terms=fields.COLUMN(columns.VarBytesColumn()),
        published=fields.COLUMN(columns.NumericColumn("q", default=UNDATED)),
        title_length=fields.COLUMN(columns.NumericColumn("I")),
        body_length=fields.COLUMN(columns.NumericColumn("I")),
    )


class _Pool:
    """Postings on their way to a segment: 8 bytes each, where Whoosh's own pool keeps and sorts a tuple of 200."""

    def __init__(self) -> None:
        self._postings: dict[tuple[str, bytes], tuple[array[int], array[float]]] = {}

    def add(self, item: tuple[str, bytes, int, float, bytes]) -> None:
        """Take a posting. Those of one term come in the order of their articles."""
        field, term, article, weight, _ = item
        postings = self._postings.get((field, term))
        if postings is None:
            postings = self._postings[field, term] = (array("I"), array("f"))
        postings[0].append(article)
        postings[1].append(weight)

    def iter_postings(self) -> Iterator[tuple[str, bytes, int, float, bytes]]:
        """Yield everything in the order of fields, terms and articles."""
        for (field, term), (articles, weights) in sorted(self._postings.items(), key=lambda entry: entry[0]):
            for article, weight in zip(articles, weights, strict=True):
                yield field, term, article, weight, b""

    def cleanup(self) -> None:
        """Forget everything."""
        self._postings.clear()


@contextlib.contextmanager
def _writer(directory: Path) -> Iterator[SegmentWriter]:
    """Give a writer whose work is committed at the end, or undone and its lock released when anything fails."""
    writer = SegmentWriter(index.open_dir(str(directory)), codec=_Codec(), compound=False)
    writer.pool = _Pool()
    try:
        yield writer
        writer.commit(mergetype=_merge)
    except BaseException:
        for undo in (writer.cancel, writer.writelock.release):  # the first fails where a commit did, and keeps the lock
            with contextlib.suppress(Exception):
                undo()
        raise


def _for_one_segment(articles: Iterator[Article]) -> Iterator[Article]:
    room = SEGMENT_CHARACTERS
    while room > 0 and (article := next(articles, None)) is not None:
        room -= len(article.title) + len(article.body)
        yield article


def _add(writer: SegmentWriter, articles: Iterable[Article]) -> set[str]:
    """Add the articles to the writer's new segment and return their ids."""
    written = set()
    for article in articles:
        texts = texts_of(article)
        title, body = map(analyse, texts)
        title_words, body_words = map(words, texts)
        writer.add_document(
            title=title,
            body=body,
            word=title_words + body_words,
            title_word=title_words,
            **dict(names_of(article)),
            id=article.id.encode(),
            terms=coded(title, body),
            published=UNDATED if article.published_at is None else moment(article.published_at),
            title_length=_length(title),
            body_length=_length(body),
        )
        written.add(article.id)
    return written


def _length(terms: Sequence[str]) -> int:
    return sum(term not in STOP_TERMS for term in terms)


def _delete(writer: SegmentWriter, ids: set[str]) -> None:
    """Mark the articles of these ids, as far as earlier segments hold them, as gone."""
    if not ids:
        return
    wanted = {id_.encode() for id_ in ids}
    for segment in writer.segments:
        reader = SegmentReader(writer.storage, writer.schema, segment)
        for number, id_ in enumerate(reader.column_reader("id", translate=False)):
            if id_ in wanted:
                segment.delete_document(number)
        reader.close()


def _merge(writer: SegmentWriter, segments: Sequence[Segment]) -> list[Segment]:
    """Copy small segments into the one being written, and return the others.

    Going from the smallest up, a segment is copied when it holds no more live articles than what is written so far,
    or more gone than live ones: each article is copied a number of times that grows with the logarithm of the archive.
    """
    kept = []
    for segment in sorted(segments, key=lambda segment: (segment.doc_count(), segment.segment_id())):
        live = segment.doc_count()
        outweighed = live <= max(writer.doc_count(), segment.deleted_count())
        if live > MERGE_ARTICLES or not outweighed:
            kept.append(segment)
        elif live:
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
    return kept


class _WhooshPostings:
    """A Whoosh index opened as it is now, its columns in memory, its postings on disk. Not safe for several threads."""

    def __init__(self, directory: Path) -> None:
        reader = index.open_dir(str(directory), readonly=True).reader()
        self._segments = [pair for pair in reader.leaf_readers() if pair[0].doc_count_all()]
        self.close = weakref.finalize(self, _close, [segment for segment, _ in self._segments])  # also when forgotten
        self.ids = np.array(self._column("id"), "S16")
        self.live = np.array(
            [not s.is_deleted(i) for s, _ in self._segments for i in range(s.doc_count_all())], np.bool_
        )
        self.published: Ints = np.array(self._column("published"), np.int64)
        self.title_length: Ints = np.array(self._column("title_length"), np.int64)
        self.body_length: Ints = np.array(self._column("body_length"), np.int64)
        self._texts = [_texts(segment, directory) for segment, _ in self._segments]

    def _column(self, name: str) -> list[Any]:
        return [value for segment, _ in self._segments for value in segment.column_reader(name, translate=False)]

    def term(self, term: str) -> Matches:
        """Return where a term stands."""
        title, body = self.read("title", term), self.read("body", term)
        articles = np.union1d(title[0], body[0])
        counts = np.zeros((2, len(articles)))
        counts[0, np.searchsorted(articles, title[0])] = title[1]
        counts[1, np.searchsorted(articles, body[0])] = body[1]
        return Matches(articles, counts[0], counts[1])

    def words_of(self, words: Sequence[str]) -> Matches:
        """Return where any of these unstemmed words stands, as often as they all do."""
        return united([self._word(word) for word in words])

    def _word(self, word: str) -> Matches:
        articles, frequencies = self.read("word", word)
        in_title, title = self.read("title_word", word)
        counts = np.zeros((2, len(articles)))
        counts[0, np.searchsorted(articles, in_title)] = title
        counts[1] = frequencies - counts[0]
        return Matches(articles, counts[0], counts[1])

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles, ascending, one of whose values of `field` is the folded `name`."""
        return self.read(field, name)[0]

    def read(self, field: str, term: str) -> tuple[Ints, Floats]:
        """Return the numbers of the articles whose `field` holds `term`, ascending, and how often each does."""
        blocks = [block for segment, start in self._segments for block in _blocks(segment, field, term.encode(), start)]
        if not blocks:
            return np.empty(0, np.int64), np.empty(0)
        return np.concatenate([numbers for numbers, _ in blocks]), np.concatenate([weights for _, weights in blocks])

    def document_frequency(self, term: str) -> int:
        """Return about how many articles hold `term`: removed ones count, and a title's only where no body holds it."""
        return sum(
            max(segment.doc_frequency(field, term) for field in ("title", "body")) for segment, _ in self._segments
        )

    def words(self) -> WordCounts:
        """Return every unstemmed word that a live article holds, and about how many articles hold it."""
        counts: Counter[str] = Counter()
        for segment, start in self._segments:
            live = self.live[start : start + segment.doc_count_all()].tolist()
            for term, holding, lowest, highest in _terms_of(segment, "word"):
                if live[lowest] or live[highest] or (holding > 2 and self._is_live(segment, start, term)):
                    counts[term.decode()] += holding
        return WordCounts([counted(counts)])

    def _is_live(self, segment: SegmentReader, start: int, word: bytes) -> bool:
        return any(self.live[articles].any() for articles, _ in _blocks(segment, "word", word, start))

    def texts(self, articles: Ints, groups: Sequence[Sequence[str]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield these articles (ascending), some at a time, with their texts, in which groups of terms are marked."""
        for (segment, start), texts in zip(self._segments, self._texts, strict=True):
            first, last = np.searchsorted(articles, (start, start + segment.doc_count_all()))
            yield from ((some + start, marks) for some, marks in texts.of(articles[first:last] - start, groups))


def _texts(segment: SegmentReader, directory: Path) -> Texts:
    """Map the segment's column `terms`, which is every article's codes one after the other, into memory."""
    lengths = np.array(segment.column_reader("terms", translate=False)._lengths, np.int64) // CODE_BYTES
    path = directory / segment.segment().make_filename(".terms.col")
    return Texts(np.memmap(path, "<u8", mode="r", shape=(int(lengths.sum()),)), lengths)


def _close(segments: Sequence[SegmentReader]) -> None:
    for segment in segments:
        segment.close()


def _blocks(segment: SegmentReader, field: str, term: bytes, start: int) -> Iterator[tuple[Ints, Floats]]:
    """Yield the segment's postings of a term, a block at a time, removed articles included.

    This goes below Whoosh's public matcher, which hands out one posting a call (and, where articles were removed, asks
    for each whether it was): ten to fifty times slower. The tests compare the two.
    """
    try:
        matcher = segment._terms.matcher(field, term, segment.schema[field].format)
    except TermNotFound:
        return
    while matcher.is_active():
        matcher._read_data()
        numbers, weights, _ = matcher._data  # differences between numbers; None where every weight is 1
        articles = np.cumsum(np.array(numbers, np.int64)) + start
        yield articles, np.broadcast_to(np.array(1.0 if weights is None else weights, np.float64), articles.shape)
        matcher._next_block()


_LENGTHS = struct.Struct("!II")  # before an entry in the file of terms: how long the term is, and what is said of it
_SAID = struct.Struct("!5xI6xII")  # of a term: how many articles hold it, the first of them and the last


def _terms_of(segment: SegmentReader, field: str) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the segment's terms of a field in order, each with how many articles hold it, the first and the last.

    This, too, goes below Whoosh's surface, which makes an object of each term: several times slower.
    """
    terms = segment._terms
    number = terms._fieldmap.get(field)
    first = None if number is None else terms._tindex.closest_key_pos(struct.pack("!H", number))
    if first is None:
        return
    key = struct.pack("!H", number)
    data, place = terms._tindex.dbfile.get(first, terms._tindex.endofdata - first), 0
    while data.startswith(key, place + _LENGTHS.size):
        term_length, length = _LENGTHS.unpack_from(data, place)
        start = place + _LENGTHS.size
        said = start + term_length
        yield data[start + len(key) : said], *_SAID.unpack_from(data, said)
        place = said + length
