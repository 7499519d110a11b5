"""Hybrid search: what the pages, the endpoint and the command call.

Invariants: an index only nominates, so what the store does not show is neither counted nor shown. One answer comes from
one generation, and total, facets, histogram and pages are all counted from one frozen list. A filter, a phrase or an
exclusion binds whatever leg found an article. Total and facets count articles: what paging reaches and what is folded.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from archive.article import Article
from archive.store import Store
from index.catalogue import NOT_SHOWN, Catalogue, Shelf
from index.engine import Ints, Lender, Mask, TermEvidence
from index.errors import CursorExpired
from index.facets import Facets, facets_of
from index.folding import MOST_COPIES, Copies, Copying, Folding, Groups, fold
from index.frozen import FrozenSets, cursor_of, read_cursor, token_of
from index.fusion import Method
from index.language.tags import tag_of
from index.listing import Cutoff, Remarks, Sort, in_order, ranked_rows, remarks, worth_showing
from index.matching import holds
from index.models import OpenByIdentity
from index.moments import midnight
from index.query import AnyOf, Clause, FieldName, FieldValue, Published, Query, narrow, parse
from index.ranking import DEPTH, Mode, Ranker, Ranking, checked_embedder
from index.results import Found, Result, Row, WholeList, passage_range, result_of
from index.sentences import Place, SentenceFinder
from index.snippet import Range
from index.standing import REACH, Standing, beside, row_of
from index.timing import timed

Speller = Callable[[str], str | None]
EXPIRED = "this cursor has expired: begin again at the first page"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is asked: inclusive days in UTC; several values of one filter mean any of them.

    `cursor` names a page of a list made before; `page` is not looked at then, and the rest may be left out. `cutoff`
    "off" also lists what is probably not relevant. `copies` "folded" shows the first of each group of copies alone.
    """

    query: str = ""
    mode: Mode = "hybrid"
    sources: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    date_from: date | None = None
    date_to: date | None = None
    sort: Sort = "relevance"
    cutoff: Cutoff = "on"
    copies: Copying = "folded"
    page: int = 1
    page_size: int = 10
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResponse:
    """One page of an answer. `complete` is False when more articles than `total` may match.

    `folded` of the `total` are copies that stand behind another article of the list.

    `relaxed`: no article holds every word, so these hold most, or are near in meaning. `no_good_match`: there was
    something to look for and nothing is probably relevant. `by_meaning_alone`: no article listed holds a word of the
    query. `doubtful`: nothing listed is probably relevant, but the cut-off is off. `holding` of the `total` hold all
    the words; None where words were not looked for. `cursor` is the next page's, None on the last.
    """

    request: SearchRequest
    results: Sequence[Result]
    total: int
    folded: int
    complete: bool
    relaxed: bool
    by_meaning_alone: bool
    doubtful: bool
    no_good_match: bool
    suggestion: str | None
    facets: Facets
    cursor: str | None
    generation: int | None
    degraded: bool
    took_ms: float
    holding: int | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """An answer without its articles. `complete` is False when more articles than `total` may match."""

    total: int
    complete: bool
    facets: Facets


@dataclass(frozen=True, slots=True)
class ResultSet:
    """A ranking after the store was asked, cut off and put in order: the list that every page shows a part of.

    Of the ranking only what is listed is kept, in the order of the list: row n of its columns is row n of the list.
    Copies that are folded are rows like any other.
    """

    token: str
    asked: SearchRequest  # its first page
    ranking: Ranking
    filed: Ints  # the row of each article on the catalogue's shelf
    facets: Facets
    folding: Folding
    seq: int  # the last change that was looked at
    copies_seq: int  # what the folding goes by
    total: int
    folded: int
    holding: int | None
    remarks: Remarks
    no_good_match: bool
    is_thin: bool  # so little was found that the query may be misspelt

    @property
    def nbytes(self) -> int:
        """The memory that its columns take."""
        return self.ranking.nbytes + self.filed.nbytes + self.folding.group.nbytes


class Search:
    """Searches the archive. Safe to use from several threads."""

    def __init__(
        self,
        *,
        store: Store,
        serving: Lender,
        embedder: OpenByIdentity,
        fusion: Method,
        recency: float = 0.0,
        speller: Speller | None = None,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        """Take the parts, most of them for the `Ranker`; `speller` is asked how a query that found little is spelt."""
        self._store = store
        self._serving = serving
        self._embedder = embedder
        self._speller = speller
        self._today = today
        self.catalogue = Catalogue(store)  # what the articles are filed under, for whoever asks in bulk
        self._groups = Groups(store)
        self._ranker = Ranker(
            serving=serving, embedder=embedder, catalogue=self.catalogue, fusion=fusion, recency=recency
        )
        self._sets: FrozenSets[ResultSet] = FrozenSets()

    def prepare(self) -> None:
        """Read what every search counts by, so that the first one need not."""
        self._groups.of(self.catalogue.shelf())

    def search(self, request: SearchRequest) -> SearchResponse:
        """Return one page of what `request` asks for. Raises QueryRefused, and CursorExpired for an old cursor."""
        with timed("whole"):
            return self._answered(request)

    def _answered(self, request: SearchRequest) -> SearchResponse:
        started = time.perf_counter()
        found, start = self._found(request)
        shelf = self.catalogue.shelf()
        if shelf.seq != found.seq:
            found = self._counted_again(found, shelf)
        part = slice(start, start + request.page_size)
        after = start + request.page_size
        page = start // request.page_size + 1
        return SearchResponse(
            request=replace(found.asked, page=page, page_size=request.page_size, cursor=request.cursor),
            results=self._results(found, part, shelf),
            total=found.total,
            folded=found.folded,
            complete=found.remarks.complete,
            relaxed=found.remarks.relaxed,
            by_meaning_alone=found.remarks.by_meaning_alone,
            doubtful=found.remarks.doubtful,
            no_good_match=found.no_good_match,
            suggestion=self._speller(found.asked.query) if self._speller and found.is_thin else None,
            facets=found.facets,
            cursor=cursor_of(found.token, after) if after < found.folding.places else None,
            generation=found.ranking.generation,
            degraded=found.ranking.degraded,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
            holding=found.holding,
        )

    def whole(self, request: SearchRequest) -> WholeList:
        """Return the whole list that `request` asks for a page of. Raises as `search` does."""
        found, _ = self._found(request)
        left = self._counted_again(found, self.catalogue.shelf())
        return WholeList(
            length=len(found.filed),
            total=left.total,
            complete=found.remarks.complete,
            degraded=found.ranking.degraded,
            ids=lambda: found.ranking.candidates.ids_of(np.arange(len(found.filed))),
            read=lambda part: self._rows(found, part),
        )

    def outline(self, request: SearchRequest) -> Outline:
        """Return what `search` says of everything found, without reading any article. Raises QueryRefused."""
        found, _ = self._found(replace(request, page=1, cursor=None))
        shelf = self.catalogue.shelf()
        if shelf.seq != found.seq:
            found = self._counted_again(found, shelf)
        return Outline(found.total, found.remarks.complete, found.facets)

    def rank(self, query: Query, *, mode: Mode, depth: int = DEPTH) -> Ranking:
        """Return every candidate for `query`, fused, nothing cut off; the store has not been asked about them."""
        return self._ranker.rank(query, mode=mode, depth=depth)

    def outdated(self, request: SearchRequest) -> str | None:
        """Return the token of the list kept for `request` when the archive has moved on; what is told of it is its own.

        None where `standing` goes by the archive as it is.
        """
        kept = self._sets.latest(self._question(request))
        return kept.token if kept is not None and not self._is_current(kept) else None

    def standing(self, request: SearchRequest, article: Article) -> Standing:
        """Return where `article` stands in the list of which `request` asks for a page.

        It is the list kept, whatever has changed since; only one that is kept no longer is made again. Raises
        QueryRefused.
        """
        question = self._question(request)
        found = self._sets.latest(question)
        if found is None:
            found = self._freeze(*question)
            self._sets.keep(question, found)
        here = Standing(
            query=found.ranking.query,
            places=found.folding.places,
            complete=found.remarks.complete,
            degraded=found.ranking.degraded,
        )
        row = row_of(found.ranking.candidates, article.id)
        if row is None:
            return here
        place = int(found.folding.places_of(np.array([row]))[0])
        shelf = self.catalogue.shelf()
        near = found.folding.rows(slice(max(0, place - REACH), place + REACH + 1))
        shown = found.folding.leading(self._held(found, near, shelf))
        ids = found.ranking.candidates.ids_of(shown)
        previous, following = beside(place, found.folding.places_of(shown), ids)
        sentence = self._sentences(found.ranking, np.array([row]), {article.id: article}).get(article.id)
        return replace(here, place=place + 1, previous=previous, next=following, sentence=sentence)

    def _question(self, request: SearchRequest) -> tuple[SearchRequest, date]:
        """Return what a list is kept under: what is asked for, whichever page, on this day."""
        return replace(request, page=1, page_size=1, cursor=None), self._today()  # "yesterday" is another day tomorrow

    def _found(self, request: SearchRequest) -> tuple[ResultSet, int]:
        """Return the list that `request` asks for a page of, and the row its page begins at.

        The first page is of the archive as it is; a further one is of the list whose first page was asked for last.
        """
        question = self._question(request)
        asked, today = question
        if request.cursor is not None:
            if (cursor := read_cursor(request.cursor)) is None:
                raise CursorExpired(EXPIRED)
            return self._named(cursor[0], asked, today), cursor[1]
        start = (request.page - 1) * request.page_size
        latest = self._sets.latest(question)
        if latest is not None and (start or self._is_current(latest)):
            return latest, start
        made = self._freeze(asked, today)
        self._sets.keep(question, made)
        return made, start

    def _named(self, token: str, asked: SearchRequest, today: date) -> ResultSet:
        """Return the list of this token, which a cursor names, made again where it is not kept.

        Another process has made it, or this one long ago: while the archive is the same, so is the list.
        """
        says_nothing_else = asked == SearchRequest(page_size=1)
        found = self._sets.named(token)
        if found is None and not says_nothing_else:
            found = self._freeze(asked, today)
            self._sets.keep((asked, today), found)
        if found is None or found.token != token:
            raise CursorExpired(EXPIRED)
        if not says_nothing_else and asked != found.asked:
            raise CursorExpired("this cursor belongs to another search: begin again at the first page")
        return found

    def _is_current(self, found: ResultSet) -> bool:
        with self._serving.engine() as (engine, degraded):
            is_same_engine = (engine.generation, degraded) == (found.ranking.generation, found.ranking.degraded)
        seqs = (self._store.last_seq(), self._store.copies_seq())
        return is_same_engine and engine.generation is not None and seqs == (found.seq, found.copies_seq)

    def _freeze(self, request: SearchRequest, today: date) -> ResultSet:
        """Search, leave out what the store does not show and what is not relevant, and put the rest in order."""
        typed = parse(request.query, today=today)
        ranking = self.rank(narrow(typed, *filters_of(request)), mode=request.mode)
        shelf = self.catalogue.shelf()
        filed = self.catalogue.rows(shelf, ranking.candidates.all_ids, ranking.candidates.numbers)
        says_nothing = bool(request.query.strip()) and typed == Query()  # punctuation is no wish to see everything
        keep = ranking.candidates.selected & (not says_nothing)
        if request.cutoff == "on":
            keep &= worth_showing(ranking)
        rows = ranked_rows(ranking)
        rows = rows[keep[rows]]
        rows = rows[self._still_holding(ranking, rows, filed[rows], shelf, since=ranking.seq)]
        rows = in_order(rows, shelf.published[filed[rows]], sort=request.sort, ranking=ranking)
        filed = filed[rows]
        copies_seq, groups = self._groups.of(shelf)
        folding = fold(groups[filed], request.copies)
        said = remarks(ranking, rows, cutoff=request.cutoff)
        is_thin = said.relaxed or not len(rows) or ranking.candidates.known < 1
        return ResultSet(
            token=token_of(request, today, ranking.mode, ranking.generation, ranking.degraded, shelf.seq, copies_seq),
            asked=request,
            ranking=ranking.kept(rows),
            filed=filed,
            facets=facets_of(shelf, filed),
            folding=folding,
            seq=shelf.seq,
            copies_seq=copies_seq,
            total=len(rows),
            folded=len(rows) - folding.places,
            holding=_holding(ranking, rows),
            remarks=said,
            no_good_match=not len(rows) and (says_nothing or bool(ranking.query.text)),
            is_thin=is_thin and bool(ranking.query.text),
        )

    def _still_holding(self, ranking: Ranking, rows: Ints, filed: Ints, shelf: Shelf, *, since: int) -> Mask:
        """Return which of these candidates are shown and keep to what binds; what changed since is read again."""
        keep: Mask = filed != NOT_SHOWN
        if not (ranking.query.required or ranking.query.excluded):
            return keep
        changed = np.flatnonzero(keep & (shelf.changed[filed] > since))
        ids = ranking.candidates.ids_of(rows[changed])
        articles = self._store.live(ids)
        keep[changed] = [id_ in articles and holds(ranking.query, articles[id_]) for id_ in ids]
        return keep

    def _counted_again(self, found: ResultSet, shelf: Shelf) -> ResultSet:
        """Return the set with counts of what is left of it, now that articles changed; its rows stay where they are."""
        filed = shelf.shown_of(found.filed)
        keep = self._still_holding(found.ranking, np.arange(len(filed)), filed, shelf, since=found.seq)
        if keep.all() and not (shelf.changed[filed] > found.seq).any():
            return found
        folded = found.folding.folded(keep)
        holding = _holding(found.ranking, np.flatnonzero(keep))
        return replace(
            found, total=int(keep.sum()), folded=folded, holding=holding, facets=facets_of(shelf, filed[keep])
        )

    def _held(self, found: ResultSet, rows: Ints, shelf: Shelf) -> Ints:
        """Return those of these rows that are still part of the list."""
        filed = shelf.shown_of(found.filed[rows])
        return rows[self._still_holding(found.ranking, rows, filed, shelf, since=found.seq)]

    def _results(self, found: ResultSet, part: slice, shelf: Shelf) -> list[Result]:
        """Return the results at these places. Where what stood for its copies has gone, the next of them does."""
        ranking = found.ranking
        rows = found.folding.leading(self._held(found, found.folding.rows(part), shelf))
        ids = ranking.candidates.ids_of(rows)
        articles = self._store.live(ids)
        terms = self._terms(ranking, ids)
        sentences = self._sentences(ranking, rows, articles)
        copies = self._copies(found, rows, shelf)
        stories = self._store.story_sizes(ids)
        results = []
        for row, article_id in zip(rows.tolist(), ids, strict=True):
            article = articles.get(article_id)
            if article is None:
                continue
            result = result_of(
                Found(ranking.candidates, ranking.fusion, row),
                article,
                words=ranking.marked,
                depth=DEPTH,
                sentence=sentences.get(article_id),
            )
            probability = float(ranking.probability[row]) if ranking.query.text else None
            results.append(
                replace(
                    result,
                    terms=terms.get(article_id, ()),
                    probability=probability,
                    copies=copies.get(article_id),
                    story=stories.get(article_id),
                )
            )
        return results

    def _rows(self, found: ResultSet, part: slice) -> list[Row]:
        """Return these rows of the list as far as they are still part of it."""
        ranking, folding, shelf = found.ranking, found.folding, self.catalogue.shelf()
        rows = self._held(found, np.arange(len(found.filed))[part], shelf)
        leaders = folding.leading(self._held(found, folding.beside(rows), shelf))
        ids_of = ranking.candidates.ids_of
        leading = dict(zip(folding.group[leaders].tolist(), ids_of(leaders), strict=True))
        ids, articles = ids_of(rows), self._store.live(ids_of(rows))
        listed = []
        for row, group, article_id in zip(rows.tolist(), folding.group[rows].tolist(), ids, strict=True):
            if (article := articles.get(article_id)) is None:
                continue
            place = Found(ranking.candidates, ranking.fusion, row)
            result = result_of(place, article, words=ranking.marked, depth=DEPTH)
            probability = float(ranking.probability[row]) if ranking.query.text else None
            is_folded = folding.copies == "folded" and leading.get(group) != article_id
            listed.append(Row(replace(result, probability=probability), leading.get(group) if is_folded else None))
        return listed

    def _copies(self, found: ResultSet, rows: Ints, shelf: Shelf) -> Mapping[str, Copies]:
        """Return what else of the list each of these rows belongs together with, by article; nothing for most."""
        beside = found.folding.beside(rows)
        if len(beside) == len(np.unique(found.folding.group[rows])):
            return {}
        groups: dict[int, list[str]] = {}
        held = self._held(found, beside, shelf)
        ids_of = found.ranking.candidates.ids_of
        for number, article_id in zip(found.folding.group[held].tolist(), ids_of(held), strict=True):
            groups.setdefault(number, []).append(article_id)
        numbers = dict(zip(ids_of(rows), found.folding.group[rows].tolist(), strict=True))
        others = {id_: [other for other in groups.get(number, ()) if other != id_] for id_, number in numbers.items()}
        others = {article_id: group for article_id, group in others.items() if group}
        whole = self._store.copies_of(list(others))
        return {
            article_id: Copies(count=len(group), ids=group[:MOST_COPIES], origin=whole.get(article_id, [article_id])[0])
            for article_id, group in others.items()
        }

    def _sentences(self, ranking: Ranking, rows: Ints, articles: Mapping[str, Article]) -> Mapping[str, Range | None]:
        """Return the sentence of each of these articles that is nearest in meaning, when meaning was searched."""
        if ranking.vector is None:
            return {}
        with self._serving.engine() as (engine, _):
            if engine.model_sha256 != ranking.model_sha256:  # an older list, by a model that is served no more
                return {}
            pieces = checked_embedder(self._embedder, engine).pieces
        finder = SentenceFinder(ranking.query.text, vector=ranking.vector, words=ranking.marked, pieces=pieces)
        places = {}
        for row, article_id in zip(rows.tolist(), ranking.candidates.ids_of(rows), strict=True):
            article = articles.get(article_id)
            passage = passage_range(ranking.candidates.span(row), article) if article else None
            if article and passage:
                places[article_id] = Place(article.body, passage, article.language)
        return dict(zip(places, finder.find_each(list(places.values())), strict=True))

    def _terms(self, ranking: Ranking, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return which words these articles hold; nothing when the generation they were found in is served no more."""
        with self._serving.engine() as (engine, _):
            if engine.generation != ranking.generation:
                return {}
            asked = replace(ranking.query, wanted=()) if ranking.mode == "semantic" else ranking.query
            return engine.explain(asked, article_ids)


def _holding(ranking: Ranking, rows: Ints) -> int | None:
    """Return how many of these rows of the candidates hold every word; None where words were not looked for."""
    if ranking.mode == "semantic" or not ranking.candidates.terms:
        return None
    return int(ranking.candidates.holds_all[rows].sum())


def filters_of(request: SearchRequest) -> list[Clause]:
    """Return the request's filters: clauses like any typed in the box."""
    names: tuple[tuple[FieldName, tuple[str, ...]], ...] = (
        ("source", request.sources),
        ("section", request.sections),
        ("author", request.authors),
        ("language", tuple(map(tag_of, request.languages))),
    )
    clauses: list[Clause] = [
        AnyOf(tuple(FieldValue(name, value) for value in values)) for name, values in names if values
    ]
    if request.date_from or request.date_to:
        start = midnight(request.date_from) if request.date_from else None
        # date.max has no day after it
        until = request.date_to if request.date_to and request.date_to < date.max else None
        clauses.append(Published(start, midnight(until + timedelta(days=1)) if until else None))
    return clauses
