"""Stories as they are read: listed, one by one, and beside an article of theirs.

Invariant: only articles that the store shows count. A story with fewer than two of them is not there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from itertools import groupby

import numpy as np

from archive.store import Store
from archive.story import Report, Story
from index.analysis import analyse
from index.engine import Engine, JudgingEngine, Vectors, as_ids
from index.query import Query
from index.serving import Serving

LOOKED_AT = 40  # latest stories, among which those of several outlets are sought
KEY_TERMS = 8
CONSIDERED = 50  # telling terms among which those are sought that many reports hold
READ = 30  # reports whose beginnings are read for key terms, evenly over the story's time
BEGINNING = 2000  # characters of a report that are read
HELD_BY = 0.5  # share of the reports that hold a key term
AROUND = 6  # reports that are named beside an article of their story
WITHIN = 20  # reports before it and after it among which those are looked for
SAME = 6  # digits within which two reports are as near to the middle


@dataclass(frozen=True, slots=True)
class Headed:
    """A story in a list."""

    story: Story
    title: str
    language: str | None  # of the title
    outlets: Mapping[str, int]  # sources, each with its articles, most first


@dataclass(frozen=True, slots=True)
class StoryPage:
    """A page of the list of stories, the one with the latest article first."""

    total: int
    number: int
    size: int
    stories: Sequence[Headed]


@dataclass(frozen=True, slots=True)
class Around:
    """A story around one of its articles: the reports next to it in time, itself among them, of copies one."""

    headed: Headed
    reports: Sequence[Report]


@dataclass(frozen=True, slots=True)
class Told:
    """A story as a whole."""

    headed: Headed
    terms: Sequence[str]  # words that tell it from the rest of the archive, most telling first
    reports: Sequence[Report]  # in the order of time, undated ones last

    @property
    def days(self) -> Sequence[tuple[date | None, Sequence[Report]]]:
        """The reports of each day, UTC; those without a date last."""
        return [(at, list(reports)) for at, reports in groupby(self.reports, key=_date)]

    @property
    def first(self) -> Report | None:
        """The report published first, None when none has a date."""
        return next((report for report in self.reports if report.published_at), None)

    @property
    def latest(self) -> Report | None:
        """The report published last, None when none has a date."""
        return next((report for report in reversed(self.reports) if report.published_at), None)


class Stories:
    """Reads what has been told. Safe to use from several threads."""

    def __init__(self, store: Store, serving: Serving) -> None:
        """Read from `store`; titles and key terms go by the engine in service."""
        self._store = store
        self._serving = serving
        self._listed: tuple[object, Sequence[Story]] = (None, ())

    def page(self, *, number: int, size: int) -> StoryPage:
        """Return a page of the list, counted from 1."""
        listed = self._list()
        wanted = listed[(number - 1) * size : number * size]
        reports = self._reports([story.id for story in wanted])
        with self._serving.engine() as (engine, _):
            headed = [_headed(engine, told) for told in reports.values()]
        return StoryPage(len(listed), number, size, headed)

    def count(self) -> int:
        """Return how many stories there are."""
        return len(self._list())

    def moving(self, limit: int) -> list[Headed]:
        """Return the latest stories that more than one outlet tells, looking back a while."""
        found: list[Sequence[Report]] = []
        listed = [story.id for story in self._list()[:LOOKED_AT]]
        for reports in self._reports(listed).values():
            if len({report.source for report in reports if report.source}) > 1 and len(found) < limit:
                found.append(reports)
        with self._serving.engine() as (engine, _):
            return [_headed(engine, reports) for reports in found]

    def _reports(self, story_ids: Sequence[int]) -> dict[int, list[Report]]:
        """Return the articles of each of these stories that still has two or more, in the order given."""
        reports: dict[int, list[Report]] = {story: [] for story in story_ids}
        for report in self._store.reports(story_ids):
            reports[report.story].append(report)
        return {story: told for story, told in reports.items() if len(told) > 1}

    def story(self, story_id: int) -> Told | None:
        """Return a story, or None when there is none to show."""
        reports = self._store.reports([story_id])
        if len(reports) < 2:
            return None
        with self._serving.engine() as (engine, _):
            return Told(_headed(engine, reports), self._terms(engine, reports), reports)

    def story_of(self, article_id: str) -> Headed | None:
        """Return the story that an article is in, or None."""
        reports = self._beside(article_id)
        return _headed_by(reports, reports[0]) if reports else None

    def around(self, article_id: str) -> Around | None:
        """Return the story that an article is in, with the reports that are next to it in time; None without one."""
        reports = self._beside(article_id)
        at = next((place for place, report in enumerate(reports) if report.id == article_id), None)
        if at is None:
            return None
        before, after = reports[max(0, at - WITHIN) : at][::-1], reports[at + 1 : at + 1 + WITHIN]
        copies = self._store.copies_of([report.id for report in (*before, reports[at], *after)])
        told = {_origin(article_id, copies)}
        before, after = _untold(before, copies, told), _untold(after, copies, told)
        before = before[: max(AROUND // 2, AROUND - len(after))]
        after = after[: AROUND - len(before)]
        return Around(_headed_by(reports, reports[0]), [*before[::-1], reports[at], *after])

    def _beside(self, article_id: str) -> list[Report]:
        """Return the reports of the story that an article is in, its own among them; none where it is in none."""
        story = self._store.stories_of([article_id]).get(article_id)
        reports = self._store.reports([story]) if story is not None else []
        return reports if len(reports) > 1 else []

    def numbers_of(self, article_ids: Sequence[str]) -> dict[str, int]:
        """Return the story of those of the articles that are in one that is shown."""
        shown = {story.id for story in self._list()}
        return {id_: story for id_, story in self._store.stories_of(article_ids).items() if story in shown}

    def merged_into(self, story_id: int) -> int | None:
        """Return the story that one has gone into, at last; None when it has not, or nothing is left of that."""
        into: int | None = story_id
        while into is not None and (events := self._store.story_events(into)):
            event, _ = events[-1]
            if event.kind not in ("merged", "ended"):
                return into if into != story_id else None
            into = event.other
        return None

    def _list(self) -> Sequence[Story]:
        """Return all stories, read again when the archive or its stories have changed."""
        state = (self._store.last_seq(), self._store.telling())
        if self._listed[0] != state:
            self._listed = (state, self._store.stories())
        return self._listed[1]

    def _terms(self, engine: Engine, reports: Sequence[Report]) -> list[str]:
        """Return words that half of the reports hold and that tell them from the rest of the archive."""
        chosen = np.unique(np.linspace(0, len(reports) - 1, min(len(reports), READ)).astype(int)).tolist()
        articles = self._store.live([reports[place].id for place in chosen]).values()
        texts = [f"{article.title}\n{article.body[:BEGINNING]}" for article in articles]
        languages = {article.language for article in articles}
        language = languages.pop() if len(languages) == 1 else None
        telling = engine.telling_terms("\n".join(texts), limit=CONSIDERED, language=language)
        held = Counter(term for text in texts for term in set(analyse(text)))
        least = max(2, HELD_BY * len(texts))
        return [word for word, _ in telling if all(held[term] >= least for term in analyse(word))][:KEY_TERMS]


def _origin(article_id: str, copies: Mapping[str, Sequence[str]]) -> str:
    return copies[article_id][0] if article_id in copies else article_id


def _untold(reports: Sequence[Report], copies: Mapping[str, Sequence[str]], told: set[str]) -> list[Report]:
    """Return those of the reports that are no copies of one that was told, and tell them."""
    first: list[Report] = []
    for report in reports:
        if (text := _origin(report.id, copies)) not in told:
            told.add(text)
            first.append(report)
    return first


def _headed(engine: Engine, reports: Sequence[Report]) -> Headed:
    """Return a story under the headline of the report that is nearest to the middle of all: it says what all share.

    Of equals, as two always are, the first takes it; one that got a headline only from its text does not if it can be
    helped.
    """
    named = [report for report in reports if not report.derived_title] or list(reports)
    vectors = _means(engine, reports)
    near = dict(zip([report.id for report in reports], np.round(vectors @ vectors.sum(axis=0), SAME), strict=True))
    return _headed_by(reports, max(named, key=lambda report: near[report.id]))


def _headed_by(reports: Sequence[Report], head: Report) -> Headed:
    dated = [report.published_at for report in reports if report.published_at]
    story = Story(head.story, len(reports), dated[0] if dated else None, dated[-1] if dated else None)
    outlets = Counter(report.source for report in reports if report.source)
    return Headed(story, head.title, head.language, dict(sorted(outlets.items(), key=lambda pair: (-pair[1], pair[0]))))


def _means(engine: Engine, reports: Sequence[Report]) -> Vectors:
    """Return the mean vector of each report, zeros of one that the engine does not know; no columns without vectors."""
    if not isinstance(engine, JudgingEngine) or engine.degraded:
        return np.zeros((len(reports), 0), np.float32)
    there = engine.scored(Query(), None, [report.id for report in reports])
    ids = as_ids(report.id for report in reports)
    known = there.all_ids[there.numbers]
    rows = np.searchsorted(known, ids)
    here = np.flatnonzero(np.append(known, b"")[rows] == ids)
    found = engine.means(there.kept(rows[here]))
    vectors = np.zeros((len(reports), found.shape[1]), np.float32)
    vectors[here] = found
    return vectors


def _date(report: Report) -> date | None:
    return report.published_at.astimezone(UTC).date() if report.published_at else None
