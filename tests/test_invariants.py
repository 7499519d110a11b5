"""What holds of every answer over 25,000 real articles, in every mode, also while another process ingests.

The archive is made of two of the files of `../shared/data/news`, with a made-up embedder, so that it is built in a
minute or two. To ask an archive that the real model indexed instead, name its folder in BACKFILE_TEST_ARCHIVE (it is
copied; `flask ingest` made it). BACKFILE_TEST_QUESTIONS is how many questions each test asks, 50 if it does not say.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from newsroom import QuickEmbedder
from processes import ROOT, Newsroom

from archive.article import Article
from archive.grouping import find_copies
from archive.ingest import ingest
from index.analysis import analyse, fold
from index.folding import COPYINGS, Copying
from index.listing import CUTOFFS, SORTS, Cutoff, Sort
from index.matching import holds
from index.query import FieldValue, Phrase, QueryRefused, parse
from index.ranking import MODES, Mode
from index.search import SearchRequest, SearchResponse
from web import create_app
from web.services import Services
from web.settings import Settings

NEWS = ROOT.parent / "shared" / "data" / "news"
FILES = ("us-politics.jsonl.gz", "wire-1987.jsonl.gz")
NAMED = os.environ.get("BACKFILE_TEST_ARCHIVE")
PAGE = 100
MOST_PAGES = 12  # a longer list is walked in a few large steps and compared with its total otherwise

pytestmark = pytest.mark.skipif(
    not NAMED and not all((NEWS / name).exists() for name in FILES),
    reason="the news files of ../shared/data/news are not here: see its README.md",
)


@dataclass(frozen=True)
class Big:
    """The archive, and every article in it by id."""

    services: Services
    articles: dict[str, Article]
    vocabulary: Sequence[str]


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Big]:
    folder = tmp_path_factory.mktemp("invariants") / "data"
    if NAMED:
        shutil.copytree(NAMED, folder)
        services = Services(Settings(data=folder))
    else:
        services = Services(Settings(data=folder), embedder=QuickEmbedder())
        ingest([NEWS / name for name in FILES], services.store)
    find_copies(services.store)
    services.builder.update()
    ids = services.store.live_ids()
    assert len(ids) >= 25_000
    articles = services.store.live(ids)
    chance = random.Random(20)
    texts = [articles[id_] for id_ in chance.sample(ids, 300)]
    words = [word for one in texts for word in chance.sample(f"{one.title} {one.body}".split(), 3)]
    yield Big(services, articles, sorted({word.strip('.,;:"()<>') for word in words} - {""}))
    services.close()


def walk(services: Services, request: SearchRequest) -> tuple[list[str], list[SearchResponse]]:
    """Return what paging by number reaches, and every page."""
    pages = [services.search.search(request)]
    while pages[-1].cursor is not None and len(pages) < MOST_PAGES:
        pages.append(services.search.search(replace(request, page=len(pages) + 1)))
    return [result.article.id for page in pages for result in page.results], pages


def check_counts(answer: SearchResponse) -> None:
    facets = answer.facets
    for counted in (facets.source, facets.section, facets.language, facets.published):
        assert sum(bucket.count for bucket in counted) == answer.total


QUESTIONS = st.tuples(st.integers(0, 2**32), st.integers(0, 5), st.sampled_from(MODES), st.sampled_from(SORTS))
SLOW = settings(
    max_examples=int(os.environ.get("BACKFILE_TEST_QUESTIONS", "50")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def question(big: Big, seed: int, words: int) -> str:
    """Return a query of words and operators over what the archive holds."""
    chance = random.Random(seed)
    one = big.articles[chance.choice(sorted(big.articles))]
    body = one.body.split() or ["x"]
    start = chance.randrange(len(body))
    pieces = chance.sample(list(big.vocabulary), words)
    pieces += chance.choices(
        [
            f'"{" ".join(body[start : start + 2])}"',
            f'"{" ".join(body[start : start + 6 : 3])}"~4',
            f"-{chance.choice(big.vocabulary)}",
            f'source:"{one.source}"',
            f'section:"{one.section}"',
            f"({chance.choice(big.vocabulary)} OR {chance.choice(big.vocabulary)})",
            f"{chance.choice(big.vocabulary)[:5]}*",
            "after:1987-03-10",
            "before:2016",
            "on:1987-03",
            "title:trade",
        ],
        k=chance.choice([0, 0, 1, 1, 2]),
    )
    chance.shuffle(pieces)
    return " ".join(pieces)


def asked(services: Services, request: SearchRequest) -> SearchResponse | None:
    try:
        return services.search.search(request)
    except QueryRefused:  # a prefix of a common beginning
        return None


@SLOW
@given(QUESTIONS, st.sampled_from(CUTOFFS), st.sampled_from(COPYINGS))
def test_facet_sums_the_total_and_what_paging_reaches_are_the_same(
    big: Big, asked_for: tuple[int, int, Mode, Sort], cutoff: Cutoff, copies: Copying
) -> None:
    seed, words, mode, sort = asked_for
    text = question(big, seed, words)
    request = SearchRequest(query=text, mode=mode, sort=sort, cutoff=cutoff, copies=copies, page_size=PAGE)
    if asked(big.services, request) is None:
        return
    reached, pages = walk(big.services, request)
    assert len(reached) == len(set(reached))
    assert {page.total for page in pages} == {pages[0].total}
    shown = pages[0].total - pages[0].folded
    assert len(reached) == min(shown, PAGE * MOST_PAGES)
    check_counts(pages[0])
    if shown > len(reached):
        last = (shown - 1) // PAGE + 1
        end = big.services.search.search(replace(request, page=last))
        assert len(end.results) == shown - PAGE * (last - 1)
        assert end.cursor is None


@SLOW
@given(QUESTIONS)
def test_a_hit_never_breaks_its_filter_phrase_or_exclusion(big: Big, asked_for: tuple[int, int, Mode, Sort]) -> None:
    seed, words, mode, sort = asked_for
    text = question(big, seed, words)
    answer = asked(big.services, SearchRequest(query=text, mode=mode, sort=sort, cutoff="off", page_size=PAGE))
    if answer is None:
        return
    query = parse(text, today=date(2020, 1, 1))
    for result in answer.results:
        assert holds(query, result.article)
        terms = [analyse(result.article.title), analyse(result.article.body)]
        for clause in query.required:
            if isinstance(clause, Phrase):
                assert any(f" {' '.join(analyse(clause.text))} " in f" {' '.join(field)} " for field in terms)
            if isinstance(clause, FieldValue) and clause.field == "source":
                assert fold(result.article.source or "") == fold(clause.value)


@SLOW
@given(st.integers(0, 2**32), st.integers(0, 40), st.sampled_from(MODES), st.booleans())
def test_date_filters_take_both_their_days(big: Big, seed: int, days: int, mode: Mode, with_words: bool) -> None:
    chance = random.Random(seed)
    dated = [one for one in big.articles.values() if one.published_at]
    first = chance.choice(dated).published_at
    assert first is not None
    start, end = first.date(), first.date() + timedelta(days=days)
    wanted = {
        one.id
        for one in dated
        if one.published_at
        and datetime.combine(start, time.min, UTC) <= one.published_at
        and one.published_at.date() <= end
    }
    request = SearchRequest(date_from=start, date_to=end, mode=mode, copies="all", page_size=PAGE)
    reached, pages = walk(big.services, request)
    assert pages[0].total == len(wanted)
    assert set(reached) <= wanted
    typed = big.services.search.search(SearchRequest(query=f"after:{start} before:{end}", mode=mode))
    assert typed.total == len(wanted)
    if with_words:
        narrowed, _ = walk(big.services, replace(request, query=chance.choice(big.vocabulary)))
        assert set(narrowed) <= wanted


@SLOW
@given(QUESTIONS)
def test_the_parts_of_a_score_add_up_to_it(big: Big, asked_for: tuple[int, int, Mode, Sort]) -> None:
    seed, words, mode, sort = asked_for
    answer = asked(big.services, SearchRequest(query=question(big, seed, words), mode=mode, sort=sort, page_size=20))
    for result in answer.results if answer else ():
        parts = result.keyword.part + result.semantic.part + sum(result.parts.values())
        assert abs(result.score - parts) <= 1e-9
        if result.keyword.score is not None and result.terms:
            assert sum(term.score for term in result.terms) == pytest.approx(result.keyword.score)


NASTY = st.text(max_size=120) | st.text(
    alphabet=st.sampled_from(list("abtrump \"'()-:*~|&^[]{}\\/OR\u201c\uff0a\u0301\u202e\x00\ud800")), max_size=120
)


@SLOW
@given(NASTY, st.sampled_from(MODES))
def test_no_text_makes_the_endpoint_fail(big: Big, text: str, mode: Mode) -> None:
    client = create_app(services=big.services).test_client()
    query = text.encode("utf-8", "replace").decode()
    answer = client.get("/api/search", query_string={"q": query, "mode": mode, "page_size": "1"})
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert answer.mimetype == "application/problem+json"


def test_rows_neither_repeat_nor_drop_while_another_process_ingests(big: Big, tmp_path: Path) -> None:
    """Last of the file: it changes the archive."""
    data = big.services.settings.data
    environment = Newsroom(tmp_path).environment() | {"BACKFILE_DATA": str(data), "NEWSROOM_EMBEDDER": "quick"}
    program = [sys.executable, "-m", "flask", "--app", "wsgi" if NAMED else "newsroom_wsgi"]
    ingesting = Ingesting(tmp_path, [*program, "ingest"], environment)
    requests = [
        SearchRequest(query="trade deficit", page_size=7),
        SearchRequest(query="trade", mode="keyword", page_size=11),
        SearchRequest(query="president speech", mode="semantic", page_size=5),
        SearchRequest(query="", sort="newest", page_size=10),
    ]
    first = [big.services.search.search(request) for request in requests]
    walks: list[list[SearchResponse]] = [[answer] for answer in first]
    by_cursor: list[list[SearchResponse]] = [[answer] for answer in first]
    for page in range(2, 9):
        ingesting.one_more()
        for request, numbered, cursored in zip(requests, walks, by_cursor, strict=True):
            if cursored[-1].cursor:
                numbered.append(big.services.search.search(replace(request, page=page)))
                cursored.append(big.services.search.search(replace(request, cursor=cursored[-1].cursor)))
    ingesting.finish()
    for request, start, numbered, cursored in zip(requests, first, walks, by_cursor, strict=True):
        ids = [result.article.id for answer in numbered for result in answer.results]
        assert ids == [result.article.id for answer in cursored for result in answer.results]
        assert len(ids) == len(set(ids)) == min(start.total - start.folded, request.page_size * len(numbered))
        for answer in (*numbered, *cursored):
            assert (answer.total, answer.folded, answer.generation) == (start.total, start.folded, start.generation)
            check_counts(answer)
    big.services.serving.catch_up()
    afresh = big.services.search.search(requests[1])
    assert afresh.generation != first[1].generation
    assert afresh.total == first[1].total + ingesting.count


class Ingesting:
    """Another process that brings in articles, a file at a time, as fast as it is asked to."""

    def __init__(self, folder: Path, command: Sequence[str], environment: dict[str, str]) -> None:
        self._folder = folder
        self._command = command
        self._environment = environment
        self._running: subprocess.Popen[str] | None = None
        self.count = 0

    def one_more(self) -> None:
        """Begin to bring in another article, when the last one is in."""
        if self._running is not None and self._running.poll() is None:
            return
        self._check()
        self.count += 1
        row = {"title": f"Trade talks, part {self.count}", "body": "A trade deficit. The president gave a speech."}
        file = self._folder / f"{self.count}.jsonl"
        file.write_text(json.dumps({"id": str(self.count), "source": "New wire", **row}) + "\n")
        self._running = subprocess.Popen(
            [*self._command, str(file)],
            env=self._environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> None:
        """Wait for the last one."""
        self._check()

    def _check(self) -> None:
        if self._running is not None:
            _, err = self._running.communicate(timeout=300)
            assert self._running.returncode == 0, err
