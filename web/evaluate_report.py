"""What `flask evaluate` found, as JSON and as a table. Pure.

Invariant: a new figure is a new name in the JSON: what is there keeps its meaning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from web import payload

if TYPE_CHECKING:
    from index.evaluate import Cutoff, EvaluationReport
    from index.evaluation.comparison import Comparison
    from index.evaluation.report import StoriesReport

MAX_SHOWN = 80  # characters of a query's text in a table
SURE = 0.05  # a smaller p, by old custom, is not put down to chance


def report_object(report: "EvaluationReport") -> payload.Json:
    """Return a report as JSON."""
    chance = report.chance
    told: payload.Json = {"collection": report.collection, "queries": report.queries, "documents": report.documents}
    told["modes"] = {setting: dict(measures) for setting, measures in report.modes.items()}
    told["intervals"] = {
        setting: {name: list(edges) for name, edges in measures.items()}
        for setting, measures in report.intervals.items()
    }
    told["chance"] = {"confidence": chance.confidence, "resamples": chance.resamples, "seed": chance.seed}
    if report.stories:
        told["stories"] = {
            "B-cubed F1": report.stories.f1,
            "interval": list(report.stories.interval),
            "precision": report.stories.precision,
            "recall": report.stories.recall,
            "count": report.stories.stories,
        }
    if report.cutoff:
        told["cutoff"] = {setting: asdict(cutoff) for setting, cutoff in report.cutoff.items()}
    if report.comparison:
        told["comparison"] = _comparison_object(report.comparison, report.texts)
    told["notes"] = list(report.notes)
    return told


def _comparison_object(comparison: "Comparison", texts: Mapping[str, str]) -> payload.Json:
    return {
        "settings": list(comparison.settings),
        "measures": {name: asdict(contrast) for name, contrast in comparison.contrasts.items()},
        "worst": [
            {"query": worst.query_id, "text": texts[worst.query_id], "first": worst.first, "second": worst.second}
            for worst in comparison.worst
        ],
    }


def report_lines(report: "EvaluationReport") -> Iterator[str]:
    """Yield the lines of a report for people: a line a setting, the cut-off, the comparison."""
    yield f"{report.collection}: {report.queries} judged"
    width = max(9, *map(len, report.modes))
    for setting, measures in report.modes.items():
        edges = report.intervals[setting]
        shown = (f"{name} {value:.4f} {_edges(edges[name])}" for name, value in measures.items())
        yield f"  {setting:{width}} {'  '.join(shown)}"
    chance = report.chance
    drawn = f"{chance.resamples:,} resamples, seed {chance.seed}"
    searched = f"{report.documents:,} articles searched; " if report.documents else ""
    yield f"  {searched}in brackets: {chance.confidence:.0%} bootstrap intervals over the queries, {drawn}"
    if report.stories:
        yield _stories_line(report.stories)
    for setting, cutoff in report.cutoff.items():
        yield _cutoff_line(setting, cutoff)
    if report.comparison:
        yield from _comparison_lines(report.comparison, report.texts)


def _edges(edges: tuple[float, float], sign: str = "") -> str:
    return f"[{edges[0]:{sign}.4f}, {edges[1]:{sign}.4f}]"


def _stories_line(stories: "StoriesReport") -> str:
    return (
        f"stories, {stories.stories:,} of them: B-cubed F1 {stories.f1:.4f} {_edges(stories.interval)},"
        f" precision {stories.precision:.4f}, recall {stories.recall:.4f}"
    )


def _cutoff_line(setting: str, cutoff: "Cutoff") -> str:
    return (
        f"cut-off, {setting}: hides the best answer of {cutoff.hidden} of {cutoff.answered} queries,"
        f" {cutoff.share:.1%} [{cutoff.interval[0]:.1%}, {cutoff.interval[1]:.1%}]; shows nothing for {cutoff.emptied}"
    )


def _comparison_lines(comparison: "Comparison", texts: Mapping[str, str]) -> Iterator[str]:
    first, second = comparison.settings
    yield f"{first} minus {second}"
    for name, found in comparison.contrasts.items():
        yield (
            f"  {name:9} {found.difference:+.4f} {_edges(found.interval, '+')}  p {found.p:.4f}  {found.wins} better,"
            f" {found.ties} the same, {found.losses} worse{'' if found.p < SURE else '; this may be chance'}"
        )
    if comparison.worst:
        yield f"  most hurt by {first}, {comparison.measure} of both:"
    for worst in comparison.worst:
        text = " ".join(texts[worst.query_id].split())
        shown = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
        yield f"    {worst.first:.4f} {worst.second:.4f}  {worst.query_id}  {shown}"
