"""Alerts: which new articles a saved search is told of, and what it would have been told of in the past.

The definition: a saved search fires for an article exactly when the same search, narrowed to that article alone, lists
it. `Judge.fires` says so for many articles at once. No filter changes a score, so a search narrowed to one article
judges it beside the best of the whole archive all the same; which others are judged together with it changes nothing.

Invariants: judging is by one generation throughout, and only by one that is whole and of the model in use: while there
is none nothing is judged, and nothing passed over. An article is judged by the change that put it into the index, so
neither another model nor a rebuilt index makes an old article fire.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Literal

import numpy as np

from archive.alerts import Alerts
from archive.progress import Progress, silent
from archive.store import Store
from index.budget import budget
from index.calibration import THRESHOLD, evidence, exact, highest_probabilities, probabilities_beside
from index.catalogue import Catalogue
from index.embedder import embed_query
from index.engine import Candidates, Engine, JudgingEngine, Mask, Meaning
from index.errors import SearchError
from index.function_words import without_function_words
from index.models import OpenByIdentity
from index.moments import UNDATED, at, midnight, moment
from index.query import Query, QueryRefused, narrow, parse, without_filters
from index.ranking import DEPTH, checked_embedder
from index.search import SearchRequest, filters_of

STAGE = "alerts"
APART = (1, 7, 40, 400)  # days: no wording that goes by today means the same on all of these
DAY = timedelta(days=1)
BACK_TEST = 90 * DAY


class NotSaved(Exception):
    """A search that cannot be an alert: it asks for everything, or for days that are others tomorrow."""

    def __init__(self, reason: Literal["everything", "relative dates"]) -> None:
        """Say which."""
        super().__init__(reason)
        self.reason = reason


class NotJudged(SearchError):
    """There is no generation to judge by."""


@dataclass(frozen=True, slots=True)
class BackTest:
    """What a search would have fired for among the articles published in some days, the latest first."""

    article_ids: Sequence[str]
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days those are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Fired:
    """What one round of judging came to."""

    searches: int = 0
    alerts: int = 0
    problems: int = 0


def check_saved(request: SearchRequest, *, today: date) -> None:
    """Raise NotSaved, or QueryRefused, when a search cannot be kept as an alert."""
    query = narrow(parse(request.query, today=today), *filters_of(request))
    if query == Query():
        raise NotSaved("everything")
    if any(parse(request.query, today=today + days * DAY) != parse(request.query, today=today) for days in APART):
        raise NotSaved("relative dates")


class Judge:
    """Judges articles by saved searches, over one generation."""

    def __init__(self, engine: Engine, embedder: OpenByIdentity, *, today: date | None = None) -> None:
        """Take the engine that holds the articles. Raises NotJudged when it answers from the store alone."""
        if not isinstance(engine, JudgingEngine):
            raise NotJudged("there is no index to judge articles by: run `flask ingest` or `flask reindex`")
        self._engine = engine
        self._embedder = embedder
        self._today = today or datetime.now(UTC).date()
        self.searched = 0  # how often a whole search was needed

    def fires(self, request: SearchRequest, article_ids: Sequence[str]) -> set[str]:
        """Return those of the articles that `request`, narrowed to each of them alone, lists.

        Raises QueryRefused, ModelUnavailable and ModelMismatch.
        """
        query = narrow(parse(request.query, today=self._today), *filters_of(request))
        query = without_function_words(query, self._engine.languages)
        if query == Query() or not article_ids:
            return set()
        if request.mode == "keyword" or not query.text:
            meaning, asked = None, query
        else:
            meaning = self._meaning(query.text)
            asked = replace(query, wanted=()) if request.mode == "semantic" else query
        candidates = self._engine.scored(asked, meaning, article_ids)
        passing = self._passing(candidates, request, asked, meaning) if query.text else candidates.selected
        return set(candidates.ids_of(np.flatnonzero(passing)))

    def _meaning(self, text: str) -> Meaning:
        return cache(partial(embed_query, checked_embedder(self._embedder, self._engine), text))

    def _passing(self, candidates: Candidates, request: SearchRequest, asked: Query, meaning: Meaning | None) -> Mask:
        """Return which of the candidates are listed: what `index.listing.worth_showing` says, each alone."""
        by_words = request.mode == "keyword"
        sure = candidates.holds_all if by_words else exact(candidates)
        found = _found(candidates, request)
        may = found & (highest_probabilities(candidates, mode=request.mode) >= THRESHOLD)
        if by_words:  # where an article holds all the words, `holds_most` of none is told
            may &= candidates.holds_most
        if (may & candidates.selected & ~sure).any():
            # Only now is anything looked for that is not new: how good the best of the whole archive is.
            self.searched += 1
            whole = self._engine.candidates(without_filters(asked), meaning, depth=DEPTH)
            best = float(evidence(whole, mode=request.mode).max(initial=0.0))
            may &= probabilities_beside(best, candidates, mode=request.mode) >= THRESHOLD
        passing: Mask = candidates.selected & (sure | may)
        return passing


def _found(candidates: Candidates, request: SearchRequest) -> Mask:
    """Return which of the candidates a leg that counts has found: others are in no list, however probable."""
    by_words, by_meaning = candidates.keyword > 0, ~np.isnan(candidates.semantic)
    found: Mask = {"keyword": by_words, "semantic": by_meaning, "hybrid": by_words | by_meaning}[request.mode]
    return found


def each_once(article_ids: Iterable[str], groups: Mapping[str, int]) -> list[str]:
    """Return the articles without those that are copies of one before them."""
    first: dict[object, str] = {}
    for article_id in article_ids:
        first.setdefault(groups.get(article_id, article_id), article_id)
    return list(first.values())


def back_test(request: SearchRequest, store: Store, judge: Judge, *, catalogue: Catalogue, today: date) -> BackTest:
    """Return what `request` would have fired for among the articles of the archive's last 90 days.

    They end with the day of the newest article, so that an archive of old papers has something to say as well.
    """
    shelf = catalogue.shelf()
    known = shelf.shown & (shelf.published != UNDATED) & (shelf.published < moment(midnight(today + DAY)))
    last = at(int(shelf.published[known].max())).date() if known.any() else today  # some come from the year 9999
    first = max(last, date.min + BACK_TEST) - BACK_TEST + DAY
    rows = np.flatnonzero(known & (shelf.published >= moment(midnight(first))))
    ids = dict(zip(shelf.places.tolist(), shelf.ids.astype(str).tolist(), strict=True))
    asked = [ids[row] for row in rows[np.lexsort((rows, shelf.published[rows]))].tolist()]
    with budget():
        passing = judge.fires(request, asked)
    fired = [article_id for article_id in asked if article_id in passing]
    if request.copies == "folded":
        fired = each_once(fired, store.copy_groups()[1])
    return BackTest(fired[::-1], first, last)


def fire(
    store: Store,
    alerts: Alerts,
    judge: Judge,
    *,
    until: int,
    read: Callable[[str], SearchRequest],
    progress: Progress = silent,
) -> Fired:
    """Judge by every saved search what changed since it was judged last, up to the change `until`, which is indexed.

    `read` makes a request of what a saved search asks. What changed again since is left to the round that has it in its
    index. A search that can no longer be asked is noted, and tried again the next time.
    """
    behind = alerts.behind(until)
    groups = store.copy_groups()[1] if behind else {}
    changed: dict[int, Mapping[str, int]] = {}
    fired = problems = 0
    for done, saved in enumerate(behind, start=1):
        if saved.after_seq not in changed:
            changed = {saved.after_seq: _changed(store, after=saved.after_seq, until=until)}
        new = changed[saved.after_seq]
        try:
            request = read(saved.question)
            passing = judge.fires(request, list(new))
        except (QueryRefused, ValueError) as error:
            alerts.trouble(saved.id, str(error))
            problems += 1
            continue
        due = [article_id for article_id in new if article_id in passing]
        if request.copies == "folded":
            said = alerts.copies_fired(saved.id, due)
            due = each_once((article_id for article_id in due if article_id not in said), groups)
        fired += alerts.fire(saved, {article_id: new[article_id] for article_id in due}, until=until)
        progress(STAGE, done, len(behind))
    return Fired(len(behind), fired, problems)


def _changed(store: Store, *, after: int, until: int) -> Mapping[str, int]:
    """Return the articles whose last change is one of these, each with its seq, in the order of the changes.

    A version that is held until its time changes nothing that a reader could be alerted of.
    """
    changes = store.last_changes(after=after, with_held=False)
    return dict(sorted(((id_, seq) for id_, seq in changes.items() if seq <= until), key=lambda pair: pair[1]))
