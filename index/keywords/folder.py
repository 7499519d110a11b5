"""Our own segments in a folder: which there are, which of their articles are gone, and how an update changes that.

`segments.json` names the segments and is replaced at the end of an update, so a folder is before it as it was, and
after it as it is to be. A file is never written to again: other folders may be linked to it.

The policy of merging: an update writes what is added as a new segment, and copies into it, from the smallest segment
up, each that has no more live articles than what is written so far, or more gone than live ones; none of more than
`MERGE_ARTICLES`. So an article is copied a number of times that grows with the logarithm of the archive, an update
costs what it adds and a constant, and a rebuild makes one segment of many.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from archive.article import Article
from index.engine import Ints, Mask
from index.keywords.draft import Draft
from index.keywords.intake import names_of
from index.keywords.places import Marks
from index.keywords.postings import Matches
from index.keywords.segment import MOST_ARTICLES, NAMED, Segment
from index.keywords.word_counts import WordCounts
from index.moments import UNDATED, moment
from index.query import FieldName

MERGE_ARTICLES = 8_000  # a segment of more live articles is not merged: copying takes a second or two

_CONTENTS = "segments.json"


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment of a folder: its file, and the one that names the articles that are gone, if any are."""

    articles: str
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a folder holds. Serials and file numbers begin with `serial` and `file`: smaller ones are taken."""

    serial: int = 0
    file: int = 0
    parts: tuple[_Part, ...] = ()


def create(directory: Path) -> None:
    """Make an empty folder of segments in `directory`."""
    _publish(directory, _Contents())


def _publish(directory: Path, contents: _Contents) -> None:
    aside = directory / f"{_CONTENTS}.new"
    aside.write_text(json.dumps(asdict(contents)))
    aside.replace(directory / _CONTENTS)


def _contents(directory: Path) -> _Contents:
    read = json.loads((directory / _CONTENTS).read_text())
    return _Contents(read["serial"], read["file"], tuple(_Part(**part) for part in read["parts"]))


def _gone(directory: Path, part: _Part, count: int) -> Mask:
    gone = np.zeros(count, np.bool_)
    if part.gone is not None:
        gone[np.fromfile(directory / part.gone, "<u2")] = True
    return gone


class Update:
    """An update of a folder: nothing changes before `publish`."""

    def __init__(self, directory: Path) -> None:
        """Begin with what the folder holds."""
        self._directory = directory
        self._before = _contents(directory)
        self._segments = [Segment(directory / part.articles) for part in self._before.parts]
        self._gone = [
            _gone(directory, part, len(segment))
            for part, segment in zip(self._before.parts, self._segments, strict=True)
        ]
        self._draft = Draft()
        self._parts: list[_Part] = []
        self._made: list[str] = []
        self._serial = self._before.serial
        self._ids: set[str] = set()

    @property
    def first_serial(self) -> int:
        """The serial from which on none had been given before this update."""
        return self._before.serial

    def add(self, article: Article, *, title: Sequence[str], body: Sequence[str]) -> int:
        """Add an article with the words of its texts, and return the serial it is given."""
        if self._draft.is_full:
            self._write()
        serial, self._serial = self._serial, self._serial + 1
        self._draft.add(
            article.id,
            serial=serial,
            published=UNDATED if article.published_at is None else moment(article.published_at),
            texts=(title, body),
            names=[_name(field, value) for field, values in names_of(article) for value in values],
        )
        self._ids.add(article.id)
        return serial

    def remove(self, ids: Collection[str]) -> list[int]:
        """Mark the articles of these ids and those that were replaced as gone, and return their serials."""
        wanted = np.unique(np.array([id_.encode() for id_ in self._ids.union(ids)], "S16"))
        removed: list[int] = []
        for segment, gone in zip(self._segments, self._gone, strict=True):
            first = np.searchsorted(wanted, segment.ids, "left")
            leaves = ~gone & (first < np.searchsorted(wanted, segment.ids, "right"))
            removed += segment.serials[leaves].tolist()
            gone |= leaves
        return removed

    def write(self) -> None:
        """Write the files of what is added and merged, and of what is gone."""
        for part, segment, gone in sorted(
            zip(self._before.parts, self._segments, self._gone, strict=True), key=lambda one: int((~one[2]).sum())
        ):
            live = int((~gone).sum())
            outweighed = live <= max(len(self._draft), len(segment) - live)
            fits = not self._draft.is_full and len(self._draft) + live <= MOST_ARTICLES
            if live > MERGE_ARTICLES or not outweighed or not fits:
                self._parts.append(self._kept(part, gone))
            elif live:
                self._draft.take(segment, np.flatnonzero(~gone))
        if len(self._draft):
            self._write()

    def publish(self) -> None:
        """Make what was written what the folder holds, and unlink what it holds no longer."""
        contents = _Contents(self._serial, self._before.file + len(self._made), tuple(self._parts))
        _publish(self._directory, contents)
        for file in _files(self._before.parts) - _files(self._parts):
            (self._directory / file).unlink(missing_ok=True)

    def undo(self) -> None:
        """Unlink what was written."""
        for file in self._made:
            (self._directory / file).unlink(missing_ok=True)

    def _write(self) -> None:
        name = self._made_name("articles")
        self._draft.write(self._directory / name)
        self._parts.append(_Part(name))
        self._draft = Draft()

    def _kept(self, part: _Part, gone: Mask) -> _Part:
        if int(gone.sum()) == int(_gone(self._directory, part, len(gone)).sum()):
            return part
        name = self._made_name("gone")
        np.flatnonzero(gone).astype("<u2").tofile(self._directory / name)
        return _Part(part.articles, name)

    def _made_name(self, kind: str) -> str:
        self._made.append(f"{self._before.file + len(self._made):08}.{kind}")
        return self._made[-1]


def _name(field: str, value: str) -> str:
    return f"{NAMED}{field}{NAMED}{value}"


def _files(parts: Sequence[_Part]) -> set[str]:
    return {file for part in parts for file in (part.articles, part.gone) if file is not None}


class OwnPostings:
    """A folder's segments opened as they are now. Safe to read from several threads."""

    def __init__(self, directory: Path) -> None:
        """Map the files into memory. Raises OSError or ValueError when one is missing or not whole."""
        parts = _contents(directory).parts
        self._segments = [Segment(directory / part.articles) for part in parts]
        self._starts = np.cumsum([0, *map(len, self._segments)]).tolist()
        gone = [_gone(directory, part, len(one)) for part, one in zip(parts, self._segments, strict=True)]
        self.live: Mask = ~np.concatenate([np.zeros(0, np.bool_), *gone])
        self.ids = np.concatenate([np.empty(0, "S16"), *(one.ids for one in self._segments)])
        self.serials = self._column(lambda segment: segment.serials)
        self.published = self._column(lambda segment: segment.published)
        self.title_length = self._column(lambda segment: segment.title_length)
        self.body_length = self._column(lambda segment: segment.body_length)

    def _column(self, of: Callable[[Segment], Ints]) -> Ints:
        return np.concatenate([np.empty(0, np.int64), *map(of, self._segments)])

    def term(self, term: str) -> Matches:
        """Return where a term stands."""
        return self._joined([segment.matches(term) for segment in self._segments])

    def words_of(self, words: Sequence[str]) -> Matches:
        """Return where any of these unstemmed words stands, as often as they all do."""
        return self._joined([segment.words_of(words) for segment in self._segments])

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles, ascending, one of whose values of `field` is the folded `name`."""
        return self.term(_name(field, name)).articles

    def _joined(self, found: Sequence[Matches]) -> Matches:
        return Matches(
            np.concatenate(
                [np.empty(0, np.int64), *(m.articles + start for m, start in zip(found, self._starts, strict=False))]
            ),
            np.concatenate([np.empty(0), *(matches.title for matches in found)]),
            np.concatenate([np.empty(0), *(matches.body for matches in found)]),
        )

    def document_frequency(self, term: str) -> int:
        """Return how many articles hold `term`; removed ones count."""
        return sum(segment.document_frequency(term) for segment in self._segments)

    def words(self) -> WordCounts:
        """Return every unstemmed word that a live article holds, and how many articles hold it."""
        return WordCounts(
            [
                segment.counted(np.flatnonzero(self.live[start : start + len(segment)]))
                for segment, start in zip(self._segments, self._starts, strict=False)
            ]
        )

    def texts(self, articles: Ints, groups: Sequence[Sequence[str]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield these articles (ascending), some at a time, with their texts, in which groups of terms are marked."""
        for segment, start in zip(self._segments, self._starts, strict=False):
            first, last = np.searchsorted(articles, (start, start + len(segment)))
            yield from ((some + start, marks) for some, marks in segment.texts(articles[first:last] - start, groups))

    def close(self) -> None:
        """Release files and memory."""
        self._segments = []
