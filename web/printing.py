"""Answers as a terminal shows them: results in plain lines, and what is to be said of the answer before them.

Invariant: it says what the pages say, and no more than is known.
"""

import click

from index.ranking import Mode
from index.related import RelatedResponse
from index.results import Result
from index.search import SearchResponse
from web.reasons import why
from web.results import how_well
from web.wording import more_copies


def admit_gaps(response: SearchResponse | RelatedResponse) -> None:
    """Say on standard error when answers are incomplete."""
    if response.degraded:
        click.echo("these answers are incomplete: the index or the model is missing; see `flask check`", err=True)


def print_answer(response: SearchResponse) -> None:
    """Write how much was found, and what is to be said of it."""
    total = f"{response.total}" if response.complete else f"at least {response.total}"
    click.echo(f"{total} found in {response.took_ms} ms")
    if response.folded:
        copies = "1 copy" if response.folded == 1 else f"{response.folded:,} copies"
        click.echo(f"{copies} folded; `--copies all` lists them too")
    if response.no_good_match:
        click.echo("no good match: nothing in the archive is likely to be what you are looking for")
    if response.no_good_match and response.request.cutoff == "on":
        click.echo("`--cutoff off` lists the nearest articles anyway")
    if matching := how_well(response):
        click.echo(f"{matching.strong} {matching.text}")
    if response.suggestion:
        click.echo(f"did you mean: {response.suggestion}")


def print_result(place: int, result: Result) -> None:
    """Write one result: its headline, where it is from and when, why it is here or what it says."""
    article = result.article
    day = article.published_at.date().isoformat() if article.published_at else "undated"
    click.echo(f"\n{place}. {article.title}")
    copies = more_copies(result.copies.count) if result.copies else ""
    click.echo(f"   {' · '.join(filter(None, (article.source, article.section, day, article.id, copies)))}")
    click.echo(f"   {result.reason or result.snippet.text}")


def print_reasons(result: Result, mode: Mode) -> None:
    """Write why a result stands where it does; its score is the sum of what its parts add."""
    found = why(result, mode)
    if found is None:
        return
    for row in found.rows:
        told = ", ".join(
            filter(None, (row.place, row.score, row.weight and f"weight {row.weight}", f"adds {row.adds}"))
        )
        click.echo(f"   {row.name.lower()}: {told}")
    click.echo(f"   together: {found.total}")
    facts = (
        ("your words in it", found.words),
        ("nearest in meaning", found.sentence),
        ("likelihood", found.likelihood),
    )
    for name, fact in facts:
        if fact:
            click.echo(f"   {name}: {fact}")
