"""A group of copies as the article's page and the endpoint show it: the likely origin, and how each copy differs.

Invariant: everything is compared with the likely origin, whichever article of the group is being read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from archive.article import Article
from archive.differences import Differences, Kind, Piece, differences
from web.payload import Json, copy_object
from web.wording import count_of

MOST_COMPARED = 12  # copies of one group in one answer: each takes some milliseconds; the article being read always is


@dataclass(frozen=True, slots=True)
class Member:
    """One article of a group; `differences` is None of the origin, and of those beyond `MOST_COMPARED`."""

    article: Article
    is_origin: bool
    is_this: bool
    differences: Differences | None

    @property
    def summary(self) -> str:
        """Say in one line how it differs from the origin."""
        if self.differences is None:
            return ""
        kinds: tuple[Kind, ...] = ("added", "cut", "changed")
        counts = [(kind, self.differences.count(kind)) for kind in kinds]
        told = [f"{count_of(count, 'sentence')} {kind}" for kind, count in counts if count]
        return ", ".join(told) or "word for word the same"

    @property
    def stretches(self) -> list["Stretch"]:
        """Return the sentences, those of one kind that follow each other together."""
        pieces = self.differences.pieces if self.differences else ()
        return [Stretch(kind, list(run)) for kind, run in groupby(pieces, key=lambda piece: piece.kind)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sentences that follow each other and are all kept, cut, added or changed."""

    kind: Kind
    pieces: Sequence[Piece]


def members(group: Sequence[Article], *, this: str) -> list[Member]:
    """Return the articles of `group`, whose first is the likely origin, compared with it; `this` is being read."""
    return [_member(group[0], article, place, this=this) for place, article in enumerate(group)]


def _member(origin: Article, article: Article, place: int, *, this: str) -> Member:
    is_compared = article is not origin and (place <= MOST_COMPARED or article.id == this)
    found = differences(origin.body, article.body, language=origin.language) if is_compared else None
    return Member(article, article is origin, article.id == this, found)


def copies_object(article_id: str, group: Sequence[Member]) -> Json:
    """Return a group of copies with how each differs from its likely origin."""
    return {
        "id": article_id,
        "origin": group[0].article.id if group else None,
        "copies": [
            {**copy_object(each.article, is_origin=each.is_origin), "differences": _differences(each.differences)}
            for each in group
        ],
    }


def _differences(found: Differences | None) -> Json | None:
    if found is None:
        return None
    kinds: tuple[Kind, ...] = ("kept", "added", "cut", "changed")
    sentences = [{"kind": piece.kind, "before": piece.before, "after": piece.after} for piece in found.pieces]
    return {"complete": found.complete, **{kind: found.count(kind) for kind in kinds}, "sentences": sentences}
