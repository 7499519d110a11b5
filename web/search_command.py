"""The command `flask search`: a page of results or all of them, in lines to read or as JSON.

Invariant: however many pages are read, they are of one list, which is searched for once.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import click

from index.folding import COPYINGS
from index.listing import CUTOFFS, SORTS
from index.query import QueryRefused
from index.ranking import MODES
from index.results import Result
from index.search import Search, SearchRequest, SearchResponse
from web import params, payload
from web.printing import admit_gaps, print_answer, print_reasons, print_result
from web.search_options import filters, request_args
from web.services import services
from web.settings import MAX_PAGE_SIZE
from web.terminal import MODE, TEXT, as_json, command, write_json


@command
@click.argument("query", type=TEXT)
@click.option("--mode", type=MODE, default=MODES[0], show_default=True, help="Words, meaning, or both.")
@filters
@click.option("--sort", type=click.Choice(SORTS), default=SORTS[0], show_default=True)
@click.option("--cutoff", type=click.Choice(CUTOFFS), default=CUTOFFS[0], show_default=True,
              help="With off, also list what is probably not relevant.")  # fmt: skip
@click.option("--copies", type=click.Choice(COPYINGS), default=COPYINGS[0], show_default=True,
              help="With all, list every copy of an article, not the first alone.")  # fmt: skip
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--page-size", type=click.IntRange(1, MAX_PAGE_SIZE), help="Results on a page (BACKFILE_PAGE_SIZE by default)."
)
@click.option("--all", "everything", is_flag=True, help="All results, not one page; with --json one object a line.")
@click.option("--explain", is_flag=True, help="Say what each result's score is made of.")
@as_json
def search(as_json: bool, explain: bool, everything: bool, **given: object) -> None:
    """Search the archive by words and by meaning.

    \b
    Examples:
      flask search "land swap rejected by the Kremlin"
      flask search '"prisoner exchange" -football after:2024' --mode keyword
      flask search Kursk --source "Meridian Wire" --json
      flask search "grain deal" --explain --page-size 3
      flask search "section:sport after:2016" --sort oldest --all --json > sport.jsonl
    """
    parts = services()
    try:
        request = params.search_request(request_args(given), page_size=parts.settings.page_size)
        if everything and request.page != 1:
            raise click.UsageError("--all lists every page: leave --page out")
        pages = (_every_page if everything else _one_page)(parts.search, request)
        first = next(pages)
    except (params.BadParameter, QueryRefused) as error:
        raise click.UsageError(str(error)) from error
    describe = payload.explained_result if explain else payload.result_object
    if as_json and everything:
        for result in _results(first, pages):
            click.echo(json.dumps(describe(result), ensure_ascii=False))
    elif as_json:
        urls = params.SearchUrls(path="/api/search", page_size=parts.settings.page_size)
        links, facets = payload.page_links(first, urls), payload.facets_object(first.facets)
        write_json(payload.search_object(first, links=links, facets=facets, describe=describe))
    else:
        admit_gaps(first)
        print_answer(first)
        before = (first.request.page - 1) * first.request.page_size
        for place, result in enumerate(_results(first, pages), start=before + 1):
            print_result(place, result)
            if explain:
                print_reasons(result, request.mode)


def _one_page(searcher: Search, request: SearchRequest) -> Iterator[SearchResponse]:
    yield searcher.search(request)


def _every_page(searcher: Search, request: SearchRequest) -> Iterator[SearchResponse]:
    response = searcher.search(replace(request, page_size=MAX_PAGE_SIZE))
    yield response
    while response.cursor:
        response = searcher.search(replace(response.request, cursor=response.cursor))
        yield response


def _results(first: SearchResponse, others: Iterator[SearchResponse]) -> Iterator[Result]:
    for response in chain([first], others):
        yield from response.results
