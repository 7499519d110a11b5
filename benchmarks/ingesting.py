"""Ingest as a whole: peak memory, disk, and what it costs to be killed half-way and started again.

    python -m benchmarks.ingesting news/*.jsonl.gz                   (100,000 articles: 90 minutes)
    python -m benchmarks.ingesting news/*.jsonl.gz --articles 10000
    python -m benchmarks.ingesting news/*.jsonl.gz --unbroken        (memory and disk only)

`flask ingest` runs as a process of its own into an empty data folder. When half of the embeddings are kept it is
stopped (SIGSTOP), its folder copied as it lies, and let go on to its end: the copy is what a SIGKILL at that moment
leaves. Then the copy is given the same articles. So both runs share their first half, and what they differ in is what
the kill cost. Work is processor time, the start of the program and its model included, and passages embedded. The
model's own files are not counted as the archive's disk.
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

from archive.packing import CRC, PASSAGE
from archive.store import Store
from benchmarks.measure import WORK, Check, Series, Table, disk_bytes, report
from index.embeddings import BATCH_PASSAGES

MEMORY, WORK_RATIO, DISK_RATIO = 2_000_000_000, 1.02, 3.0  # the bars: bytes; of an unbroken run; of the text
MB = 1_000_000
POLLED = 10  # seconds between two looks at how far the ingest is


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took."""

    seconds: float
    processor: float  # seconds
    peak: int  # bytes
    embedded: int


def main() -> None:
    """Ingest, kill, resume, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="JSON Lines files of articles, gzipped or not")
    parser.add_argument("--articles", type=int, help="ingest no more than the first so many")
    parser.add_argument("--unbroken", action="store_true", help="leave out the run that is killed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=WORK.parent) as aside:
        news = Path(aside) / "news.jsonl"
        news.write_bytes(b"".join(lines(asked.files, asked.articles)))
        whole, killed = Path(aside) / "whole", Path(aside) / "killed"
        unbroken, half = ingest(news, whole, killed=None if asked.unbroken else killed)
        broken = [half, ingest(news, killed)[0]] if half else []
        show(whole, unbroken, broken)


def lines(files: Sequence[Path], articles: int | None) -> Iterator[bytes]:
    """Yield the first lines of the files, each file in turn one, so that a part holds something of all."""
    unpacked = [gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files]
    in_turn = (line for each in zip_longest(*(text.splitlines() for text in unpacked)) for line in each if line)
    yield from (line + b"\n" for line in islice(in_turn, articles))


def ingest(news: Path, data: Path, *, killed: Path | None = None) -> tuple[Run, Run | None]:
    """Run `flask ingest`; with `killed`, leave there what a kill half-way would, and return the run so far too."""
    start = time.perf_counter()
    half = None
    with tempfile.TemporaryFile() as out:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "ingest", str(news), "--json"]
        process = subprocess.Popen(command, stdout=out, env={**os.environ, "BACKFILE_DATA": str(data)})
        if killed is not None:
            half = stopped(process, data, killed, start)
        _, _, used = os.wait4(process.pid, 0)
        out.seek(0)
        embedded = json.loads(out.read())["embedded"]
    return Run(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, embedded), half


def stopped(process: subprocess.Popen[bytes], data: Path, killed: Path, start: float) -> Run:
    """Copy the archive as it lies when half of its passages are embedded, while the process stands still."""
    while (done := progress(data))[0] < done[1] / 2 or not done[0]:
        if process.poll() is not None:
            sys.exit("The ingest ended before half of its embeddings were seen: give more articles.")
        time.sleep(POLLED)
    process.send_signal(signal.SIGSTOP)
    seconds, used = time.perf_counter() - start, Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2]
    ticks = sum(int(field) for field in used.split()[11:15])  # its own and its children's, user and system: proc(5)
    peak = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in line)
    shutil.copytree(data, killed)
    process.send_signal(signal.SIGCONT)
    return Run(seconds, ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) * 1024, progress(killed)[0])


def progress(data: Path) -> tuple[int, int]:
    """Return how many embeddings the archive holds by now, and how many passages."""
    path = data / "archive.sqlite3"
    if not path.exists():
        return 0, 0
    store = Store(path)
    try:
        passages = f"SELECT coalesce(sum((length(packed) - {CRC.size}) / {PASSAGE.size}), 0) FROM passages"
        kept, cut = store.one(f"SELECT (SELECT count(*) FROM embedded), ({passages})")
        return kept, cut
    finally:
        store.close()


def show(data: Path, unbroken: Run, broken: Sequence[Run]) -> None:
    """Report one unbroken run and, if there was one, the run that was killed and resumed."""
    store = Store(data / "archive.sqlite3")
    ids = store.live_ids()
    text = sum(
        len(article.body.encode())
        for start in range(0, len(ids), 500)
        for article in store.live(ids[start : start + 500]).values()
    )
    store.close()
    archive, index = disk_bytes(data / "archive.sqlite3"), disk_bytes(data / "index")
    share = (archive + index) / text
    checks = [
        Check(
            f"peak memory of the ingest of {len(ids):,} articles",
            f"under {MEMORY / MB:,.0f} MB",
            f"{unbroken.peak / MB:,.0f} MB",
            unbroken.peak < MEMORY,
        ),
        Check("archive and index on disk, to the text", f"at most {DISK_RATIO:g}", f"{share:.2f}", share <= DISK_RATIO),
    ]
    if broken:
        ratio = sum(run.processor for run in broken) / unbroken.processor
        check = "killed half-way and resumed, processor time to that of an unbroken run"
        checks.append(Check(check, f"at most {WORK_RATIO}", f"{ratio:.3f}", ratio <= WORK_RATIO))
    rows = [
        (name, f"{run.seconds:,.0f}", f"{run.processor:,.0f}", f"{run.peak / MB:,.0f}", f"{run.embedded:,}")
        for name, run in zip(("unbroken", "until the kill", "resumed"), (unbroken, *broken), strict=False)
    ]
    tables = [
        Table("Runs", ("run", "seconds", "processor s", "peak MB", "passages embedded"), rows),
        Table(
            "Disk, MB",
            ("text", "archive", "index", "together, to the text"),
            [(f"{text / MB:,.0f}", f"{archive / MB:,.0f}", f"{index / MB:,.0f}", f"{share:.2f}")],
        ),
    ]
    point = (len(ids), len(ids) / unbroken.seconds)
    series = [Series("ingest rate", "articles/s", "ours, with embedding", [point])]
    notes = [f"A kill costs at most one batch of {BATCH_PASSAGES:,} passages; the killed run's count is of those kept."]
    report("ingest", title="Ingest", checks=checks, tables=tables, series=series, notes=notes)


if __name__ == "__main__":
    main()
