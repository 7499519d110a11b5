"""Looking through the archive without a query: by day, and by source, section and author.

Invariants: an answer is of one table of contents, and articles are read again from the store, so what it does not show
is neither counted nor listed. A method returns None where there is nothing, which for a reader is a page not found.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from archive.article import Article
from archive.store import Store
from index.catalogue import Catalogue
from index.contents import Contents, Order
from index.engine import Ints
from index.facets import Period, last_day, periods_of
from index.moments import UNDATED
from index.names import KINDS, Kind, Named, letter_of

Sorting = Literal["name", "count"]
SORTINGS: tuple[Sorting, ...] = ("name", "count")
TOP = 8  # names beside a list
NEWEST = 6  # articles on a profile


@dataclass(frozen=True, slots=True)
class Top:
    """The names of one field that most of the articles looked at have, and how many names there are."""

    kind: Kind
    names: Sequence[Named]
    total: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The archive as a whole."""

    count: int
    first: date | None
    last: date | None
    undated: int
    years: Sequence[Period]
    tops: Sequence[Top]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A year or a month: its articles by month and by day, who they are from, and the days beside it with articles."""

    first: date
    last: date
    count: int
    months: Sequence[Period]
    days: Sequence[Period]
    tops: Sequence[Top]
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list of articles, counted from 1."""

    articles: Sequence[Article]
    total: int
    number: int
    size: int
    order: Order


@dataclass(frozen=True, slots=True)
class OneDay:
    """A day's articles, a page of them."""

    day: date
    listed: Listed
    tops: Sequence[Top]
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class NamesPage:
    """A page of the names of one field, counted from 1. `letters` are those that all names begin with."""

    kind: Kind
    names: Sequence[Named]
    total: int
    all: int
    unnamed: int  # articles without
    letters: dict[str, int]
    letter: str
    text: str
    sort: Sorting
    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What the archive holds of one name. `first` and `last` are articles, None where none has a date."""

    kind: Kind
    name: str
    count: int
    undated: int
    published: Sequence[Period]  # as facets have them
    first: Article | None
    last: Article | None
    newest: Sequence[Article]
    tops: Sequence[Top]


class Browsing:
    """Looks through the articles of a store. Safe to use from several threads."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        """Read what is shown from `store`, and follow `catalogue`."""
        self._store = store
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._contents: Contents | None = None

    def contents(self) -> Contents:
        """Return the table of contents as it is now."""
        shelf = self._catalogue.shelf()
        with self._lock:
            if self._contents is None or self._contents.shelf is not shelf:
                self._contents = Contents(shelf)
            return self._contents

    def overview(self) -> Overview:
        """Return the archive as a whole."""
        contents = self.contents()
        return Overview(
            count=contents.total,
            first=contents.first,
            last=contents.last,
            undated=len(contents.undated),
            years=contents.by_year,
            tops=[Top(kind, contents.names(kind).top(limit=TOP), len(contents.names(kind).folded)) for kind in KINDS],
        )

    def year(self, year: int) -> Stretch | None:
        """Return a year."""
        contents = self.contents()
        return _stretch(contents, date(year, 1, 1), date(year, 12, 31), months=contents.by_month(year))

    def month(self, year: int, month: int) -> Stretch | None:
        """Return a month."""
        return _stretch(self.contents(), date(year, month, 1), last_day(year, month), months=())

    def day(self, day: date, *, order: Order, number: int, size: int) -> OneDay | None:
        """Return a page of a day's articles, in this order."""
        contents = self.contents()
        rows = contents.rows(day, day)
        if not len(rows):
            return None
        listed = self._listed(contents, contents.in_order(rows, order), order=order, number=number, size=size)
        return OneDay(day, listed, _tops(contents, rows), contents.before(day), contents.after(day))

    def undated(self, *, number: int, size: int) -> Listed:
        """Return a page of the articles of unknown date, in the order of their ids."""
        contents = self.contents()
        return self._listed(contents, contents.undated, order="newest", number=number, size=size)

    def _listed(self, contents: Contents, rows: Ints, *, order: Order, number: int, size: int) -> Listed:
        articles = self.articles(contents, rows[(number - 1) * size : number * size])
        return Listed(articles, len(rows), number, size, order)

    def articles(self, contents: Contents, rows: Ints) -> list[Article]:
        """Return these articles of the contents, in this order, as far as they are still shown."""
        ids = contents.ids(rows)
        found = self._store.live(ids)
        return [found[article_id] for article_id in ids if article_id in found]

    def names(self, kind: Kind, *, letter: str, text: str, sort: Sorting, number: int, size: int) -> NamesPage:
        """Return a page of the names of a field: of those that begin with `letter` and hold `text`, if given."""
        contents = self.contents()
        names = contents.names(kind)
        chosen = names.holding(text)
        letters = names.letters(chosen)
        if letter:
            chosen = [each for each in chosen if letter_of(names.folded[each]) == letter]
        if sort == "count":
            chosen.sort(key=lambda each: -names.counts[each])
        listed = chosen[(number - 1) * size : number * size]
        return NamesPage(
            kind=kind,
            names=[names.named(each) for each in listed],
            total=len(chosen),
            all=len(names.folded),
            unnamed=contents.total - len(np.unique(names.rows)),
            letters=letters,
            letter=letter,
            text=text,
            sort=sort,
            number=number,
            size=size,
        )

    def profile(self, kind: Kind, name: str) -> Profile | None:
        """Return what there is of one name, however it is spelt."""
        contents = self.contents()
        names = contents.names(kind)
        if (number := names.number(name)) is None:
            return None
        rows = names.rows_of(number)
        dated = contents.in_order(rows[contents.shelf.published[rows] != UNDATED], "newest")
        ends = self.articles(contents, np.append(dated[:NEWEST], dated[-1:]))
        return Profile(
            kind=kind,
            name=names.spellings[number],
            count=len(rows),
            undated=len(rows) - len(dated),
            published=periods_of(contents.shelf.published[rows]),
            first=ends[-1] if ends else None,
            last=ends[0] if ends else None,
            newest=ends[: min(NEWEST, len(dated))],
            tops=_tops(contents, rows, without=kind),
        )


def _stretch(contents: Contents, first: date, last: date, *, months: Sequence[Period]) -> Stretch | None:
    rows = contents.rows(first, last)
    if not len(rows):
        return None
    return Stretch(
        first=first,
        last=last,
        count=len(rows),
        months=months,
        days=contents.by_day(first, last),
        tops=_tops(contents, rows),
        before=contents.before(first),
        after=contents.after(last),
    )


def _tops(contents: Contents, rows: Ints, *, without: Kind | None = None) -> list[Top]:
    """Return the names that most of these articles have, field by field."""
    mask = contents.mask(rows)
    tops = []
    for kind in KINDS:
        if kind != without:
            counts = contents.names(kind).counts_among(mask)
            tops.append(Top(kind, contents.names(kind).top(counts, limit=TOP), int(np.count_nonzero(counts))))
    return tops
