"""RESULTS.md: every part's last result, with the machine it was measured on, and the cost curve.

    python -m benchmarks.results

Reads `benchmarks/.work/results/*.json` and writes `benchmarks/RESULTS.md` and `benchmarks/cost-curve.svg`. A part that
has not been run is named as such.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.curve import Panel, drawing
from benchmarks.measure import LIBRARIES, WORK, machine, shown, versions

HERE = Path(__file__).parent
PARTS = {  # in the order they are shown
    "embedding": "Embedding",
    "keywords": "The keyword leg",
    "vectors": "Vectors",
    "search": "Searching, beside the peers",
    "quality": "Judged quality among distractors",
    "related": "Related articles",
    "stories": "Stories",
    "publishing": "Publishing",
    "ingest": "Ingest",
    "serving": "Serving",
    "pages": "Results pages",
}
PANELS = ("query time", "ingest rate", "memory", "disk")
VERDICTS = {True: "yes", False: "**no**", None: "not measured"}
MISSING = "Not run here."

Result = Mapping[str, Any]


def main() -> None:
    """Read, render, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE, help="the folder that RESULTS.md goes to")
    asked = parser.parse_args()
    results = read(WORK / "results")
    (asked.out / "cost-curve.svg").write_text(drawing(panels(results.values())), encoding="utf-8")
    (asked.out / "RESULTS.md").write_text(rendered(results), encoding="utf-8")
    print(f"{asked.out / 'RESULTS.md'}: {', '.join(results) or 'no part has been run'}")


def read(folder: Path) -> dict[str, Result]:
    """Return the parts' results, known ones first and in order."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    order = [*PARTS, *(name for name in found if name not in PARTS)]
    return {name: found[name] for name in order if name in found}


def rendered(results: Mapping[str, Result]) -> str:
    """Return RESULTS.md."""
    parts = [f"## {PARTS[name]}\n\n{MISSING}\n" for name in PARTS if name not in results]
    text = [
        "# Results\n",
        "Made by `make bench`; [docs/benchmarks.md](../docs/benchmarks.md) says how, and how to read it. What is"
        " compared was run in turn in one run, so the ratios hold where the seconds do not. Figures are medians, with"
        " their quartiles in parentheses.\n",
        about_machine(results),
        "## What was to be shown\n",
        checks_of(results),
        "## The cost curve\n",
        "![Query time, ingest rate, memory and disk by the number of articles](cost-curve.svg)\n",
        curve_table(results.values()),
        *(part(result) for result in results.values()),
        *parts,
    ]
    return "\n".join(text)


def about_machine(results: Mapping[str, Result]) -> str:
    """Return the machine and the versions; where parts were run on different ones, each is told."""
    told: dict[str, list[str]] = {}
    for name, result in results.items():
        facts = result["machine"]
        line = (
            f"{facts['processor']}, {facts['cores']} cores, {facts['memory']}, {facts['system']},"
            f" Python {facts['python']}"
        )
        told.setdefault(line, []).append(f"{name} {result['at'][:10]}")
    if not told:
        told[machine()["processor"]] = ["nothing yet"]
    libraries = {
        **versions(LIBRARIES),
        **dict(chain.from_iterable(one["versions"].items() for one in results.values())),
    }
    lines = [f"- {line} ({', '.join(parts)})" for line, parts in told.items()]
    lines.append(f"- {', '.join(f'{name} {version}' for name, version in sorted(libraries.items()))}")
    return "\n".join([*lines, ""])


def checks_of(results: Mapping[str, Result]) -> str:
    """Return every part's checks in one table."""
    rows = [
        [name, one["check"], one["bar"], one["measured"], VERDICTS[one["met"]]]
        for name, result in results.items()
        for one in result["checks"]
    ]
    return markdown(["part", "what", "bar", "measured", "met"], rows)


def part(result: Result) -> str:
    """Return a part's tables and notes."""
    lines = [
        f"## {PARTS.get(result['part'], result['title'])}\n",
        f"Measured {result['at'].replace('T', ' ')[:16]} UTC.\n",
    ]
    for table in result["tables"]:
        lines += [f"### {table['title']}\n", markdown(table["columns"], table["rows"])]
    lines += [f"{note}\n" for note in result["notes"]]
    return "\n".join(lines)


def panels(results: Iterable[Result]) -> list[Panel]:
    """Return the cost curve's panels: each with the lines of its name that any part has drawn."""
    made: dict[str, Panel] = {}
    for one in chain.from_iterable(result["series"] for result in results):
        panel = made.setdefault(one["panel"], Panel(one["panel"], one["unit"], {}))
        panel.lines[one["name"]] = [(x, y) for x, y in one["points"]]
    return [made[name] for name in [*PANELS, *(name for name in made if name not in PANELS)] if name in made]


def curve_table(results: Iterable[Result]) -> str:
    """Return the cost curve in figures."""
    found = panels(results)
    sizes = sorted({x for panel in found for line in panel.lines.values() for x, _ in line})
    rows = []
    for panel in found:
        for name, line in panel.lines.items():
            at = dict(line)
            rows.append([f"{panel.name}, {panel.unit}", name, *(at.get(size) for size in sizes)])
    return markdown(["", "engine", *(f"{size:,.0f} articles" for size in sizes)], rows)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table; figures stand to the right."""
    if not rows:
        return f"{MISSING}\n"
    is_figure = [all(row[n] is None or isinstance(row[n], int | float) for row in rows) for n in range(len(columns))]
    lines = [
        " | ".join(["", *columns, ""]).strip(),
        "|" + "|".join(" ---: " if figure else " --- " for figure in is_figure) + "|",
        *(" | ".join(["", *(shown(cell).replace("|", "\\|") for cell in row), ""]).strip() for row in rows),
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
