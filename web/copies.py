"""A group of copies as the article's page and the endpoint show it: the likely origin, and how each copy differs.

Invariant: everything is compared with the likely origin, whichever article of the group is being read.
"""

from dataclasses import dataclass

from archive.article import Article
from archive.differences import Differences, differences
from web.changes import Stretch, differences_object, stretches_of, summary_of
from web.payload import Json, copy_object
from web.services import CopyGroup

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
        return summary_of(self.differences) if self.differences else ""

    @property
    def stretches(self) -> list[Stretch]:
        """Return the sentences, those of one kind that follow each other together."""
        return stretches_of(self.differences)


def members(group: CopyGroup, *, this: str) -> list[Member]:
    """Return the articles of `group` that it holds, compared with the likely origin; `this` is being read."""
    return [_member(group.origin, article, place, this=this) for place, article in enumerate(group.articles)]


def _member(origin: Article, article: Article, place: int, *, this: str) -> Member:
    is_origin = article.id == origin.id
    is_compared = not is_origin and (place <= MOST_COMPARED or article.id == this)
    found = differences(origin.body, article.body, language=origin.language) if is_compared else None
    return Member(article, is_origin, article.id == this, found)


def copies_object(article_id: str, group: CopyGroup | None) -> Json:
    """Return a group of copies with how each differs from its likely origin."""
    return {
        "id": article_id,
        "origin": group.origin.id if group else None,
        "total": group.total if group else 0,
        "copies": [
            {
                **copy_object(each.article, is_origin=each.is_origin),
                "differences": differences_object(each.differences) if each.differences else None,
            }
            for each in (members(group, this=article_id) if group else ())
        ],
    }
