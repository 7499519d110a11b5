"""Measuring side by side: cases run in turn, medians and spread, and one JSON file a part.

Invariant: what is compared was run in one process tree, in turn, on one machine, so what else that machine does meets
every case alike. Trust the ratios; the seconds are this machine's. `benchmarks/results.py` renders what is written.
"""

import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

WORK = Path(__file__).parent / ".work"
LIBRARIES = ("apsw", "faiss-cpu", "numpy", "openvino", "sentence-transformers", "tantivy", "torch", "Whoosh")
KIB_PER_GIB = 1024 * 1024
ARITHMETIC = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")  # the best first, as /proc/cpuinfo names them

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to be shown. `met` is None where it was not measured, and `measured` then says why."""

    check: str
    bar: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """Figures as they are printed and rendered; a row has a cell for each column."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Series:
    """A line of the cost curve: `points` are (articles, value); series of one `panel` share its axes."""

    panel: str
    unit: str
    name: str
    points: Sequence[tuple[float, float]]


def interleaved(cases: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Return the seconds each case took in each of `rounds`; who goes first rotates. Nothing is run beforehand."""
    names = list(cases)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names) if names else 0
        for name in names[first:] + names[:first]:
            taken[name].append(seconds(cases[name]))
    return taken


def seconds(case: Callable[[], object]) -> float:
    """Return how long `case` took."""
    started = time.perf_counter()
    case()
    return time.perf_counter() - started


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(statistics.median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of `values` do not exceed, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the values a quarter and three quarters of the way up."""
    return percentile(values, 0.25), percentile(values, 0.75)


def ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    """Return one ratio a round: what was measured in the same round is compared."""
    return [one / other for one, other in zip(of, to, strict=True)]


def told(values: Sequence[float], *, digits: int = 2) -> str:
    """Return the median and the spread of `values` in words."""
    low, high = spread(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def report(
    part: str,
    *,
    title: str,
    checks: Sequence[Check] = (),
    tables: Sequence[Table] = (),
    series: Sequence[Series] = (),
    notes: Sequence[str] = (),
    work: Path = WORK,
) -> Path:
    """Print what `part` found and write it to `work/results/PART.json`, whose path is returned.

    Raises ValueError for a row that does not fit its table's columns.
    """
    for table in tables:
        if any(len(row) != len(table.columns) for row in table.rows):
            raise ValueError(f"{table.title}: a row has not {len(table.columns)} cells")
    written = {
        "part": part,
        "title": title,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(LIBRARIES),
        "checks": [asdict(check) for check in checks],
        "tables": [asdict(table) for table in tables],
        "series": [asdict(one) for one in series],
        "notes": list(notes),
    }
    print(as_text(title, checks=checks, tables=tables, notes=notes), flush=True)
    path = work / "results" / f"{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")  # a result is whole or not there: `make bench` goes by its date
    aside.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    aside.replace(path)
    return path


def as_text(title: str, *, checks: Sequence[Check], tables: Sequence[Table], notes: Sequence[str] = ()) -> str:
    """Return a part's findings for a terminal."""
    lines = [title, "=" * len(title)]
    verdicts = {True: "met", False: "NOT MET", None: "not measured"}
    lines += [f"[{verdicts[one.met]}] {one.check}: {one.measured} (bar: {one.bar})" for one in checks]
    for table in tables:
        rows = [list(table.columns), *([shown(cell) for cell in row] for row in table.rows)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
        lines += ["", table.title]
        lines += ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, *notes])


def shown(cell: Cell) -> str:
    """Return a cell as it is printed: three significant digits, thousands grouped, nothing for what is not known."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:#.3g}".rstrip(".")
    return f"{cell:,}" if isinstance(cell, int) else cell


def machine() -> dict[str, str]:
    """Return what this machine is: its processor, the cores this process may use, and its memory."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{_memory_kib() / KIB_PER_GIB:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions(names: Sequence[str]) -> dict[str, str]:
    """Return the versions of those of these distributions that are installed."""
    installed = {}
    for name in names:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def resident_bytes(pid: int | None = None, *, of: str = "VmRSS") -> int:
    """Return the memory of a process (this one by default) in bytes: `VmRSS`, or `VmHWM` for the most it ever had."""
    return _kib(Path(f"/proc/{pid or 'self'}/status"), of) * 1024


def unshared_bytes(pid: int | None = None) -> int:
    """Return the memory of a process that is backed by no file, in bytes: what memory-mapped files cannot give back."""
    return _kib(Path(f"/proc/{pid or 'self'}/status"), "RssAnon") * 1024


def disk_bytes(*paths: Path) -> int:
    """Return the bytes of disk that files and folders take; a file that is linked twice counts once."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    found = {(stat.st_dev, stat.st_ino): stat.st_blocks * 512 for stat in (file.lstat() for file in files)}
    return sum(found.values())


def _processor() -> str:
    """Return the processor's name and the best it can do for a model: two of one name differ threefold in that."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    facts = dict(re.split(r"\s*:\s*", line, maxsplit=1) for line in lines if ":" in line)
    best = next((each for each in ARITHMETIC if each in facts.get("flags", "").split()), None)
    name = facts.get("model name", platform.machine())
    return f"{name} ({best})" if best else name


def _memory_kib() -> int:
    return _kib(Path("/proc/meminfo"), "MemTotal")


def _kib(file: Path, field: str) -> int:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise ValueError(f"{file}: no {field}")
