"""The front page: what is new, which stories move, what came in lately, and what was published on this day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from archive.article import Article
from index.anniversaries import Anniversary, anniversary
from index.stories.reading import Headed
from web.examples import example_queries
from web.services import Services

NEWEST = 8  # articles: one leads, the next have their beginnings beside them, the rest are headlines
SECONDS = 3
LATELY = 5
LATELY_DAYS = 14  # what came in before is not new any more
STORIES = 5
ON_THIS_DAY = 4


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article, and when it came into the archive."""

    article: Article
    at: datetime


@dataclass(frozen=True, slots=True)
class Front:
    """All of the front page."""

    today: date
    count: int  # articles of the archive
    sources: int
    first: date | None  # the first day that has articles
    last: date | None
    newest: Sequence[Article]
    lately: Sequence[Arrival]
    stories: Sequence[Headed]
    anniversary: Anniversary | None
    on_this_day: Sequence[Article]

    @property
    def lead(self) -> Article | None:
        """The newest article."""
        return self.newest[0] if self.newest else None

    @property
    def seconds(self) -> Sequence[Article]:
        """Those after it that are shown with their beginnings."""
        return self.newest[1 : 1 + SECONDS]

    @property
    def briefs(self) -> Sequence[Article]:
        """Those of which only the headlines are shown."""
        return self.newest[1 + SECONDS :]

    @property
    def examples(self) -> Sequence[str]:
        """Searches to try."""
        return example_queries(self.newest)


def front(parts: Services) -> Front:
    """Return the front page of this moment."""
    browsing, today = parts.browsing, parts.today()
    contents = browsing.contents()
    newest = parts.store.newest(NEWEST)
    day = anniversary(contents, today, limit=ON_THIS_DAY)
    return Front(
        today=today,
        count=contents.total,
        sources=len(contents.names("source").folded),
        first=contents.first,
        last=contents.last,
        newest=newest,
        lately=_lately(parts, newest),
        stories=parts.stories.moving(STORIES),
        anniversary=day,
        on_this_day=browsing.articles(contents, np.array(day.rows, np.int64)) if day else (),
    )


def _lately(parts: Services, newest: Sequence[Article]) -> list[Arrival]:
    """Return what came in last without being among the newest: an older article that was added."""
    arrivals = parts.store.latest_arrivals(NEWEST + LATELY)
    known = {article.id for article in newest}
    since = parts.today() - timedelta(days=LATELY_DAYS)
    older = [(article_id, at) for article_id, at in arrivals if article_id not in known and at.date() >= since][:LATELY]
    articles = parts.store.live([article_id for article_id, _ in older])
    return [Arrival(articles[article_id], at) for article_id, at in older if article_id in articles]
