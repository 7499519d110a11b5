"""Vectors: our index beside FAISS's exact scan of float32, one query at a time, with filters and without.

    python -m benchmarks.vectors WORK/all
    python -m benchmarks.vectors WORK/10000 --synthetic 200000 --queries 40

The argument is a folder that `benchmarks.peers.prepare` made: its passages are searched as they are, then as many
synthetic ones as are asked for (a million by default). Those are drawn around the real ones: a real vector, Gaussian
noise of .03 a component, norm 1 again, each an article of its own. The queries are the folder's, embedded.

Recall@10 is told twice: against the exact scan of float32, and against the exact scan of the embeddings as the archive
keeps them (eight bits a component), which is what "exact" means inside: that scan itself finds .990 of what float32
does among the synthetic ones, so no more is to be had there. Each thread count is measured in a process of
its own, memory in another, which opens the index, answers the queries and does nothing else.
"""

import argparse
import multiprocessing
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import WORK, Check, Table, interleaved, median, ratios, report, told
from benchmarks.vector_places import CHUNK, Place, make_real, make_synthetic
from index.order import best_first

SYNTHETIC = 1_000_000
DEPTH, DEEP = 10, 1000  # articles asked for: a page of them; what the fusion of both legs takes
SHARES = (0.01, 0.1, 0.5)  # of the articles, that a filter leaves
THREADS = (1, 2)
QUERIES = 600  # at .99, recall is told to within .0025 (95%); takes some 8 GB of memory
ROUNDS, BLOCK = 7, 20  # a round asks every case the same queries, one at a time
TIMES, SHARE, RECALL, FILTERED = 10.0, 0.15, 0.99, 1.2  # the bars
FLOAT32 = 4  # bytes a component
FLAT, OURS = "IndexFlatIP", "ours"

Vectors = NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """A way to ask our index."""

    name: str
    depth: int
    share: float = 1.0

    def within(self, articles: int) -> NDArray[np.bool_] | None:
        """Return which articles a filter leaves, None without one."""
        return np.random.default_rng(1).random(articles) < self.share if self.share < 1 else None


CASES = (
    Case(OURS, DEPTH),
    *(Case(f"{OURS}, {share:.0%} left", DEPTH, share) for share in SHARES),
    Case(f"{OURS}, the best {DEEP}", DEEP),
    *(Case(f"{OURS}, the best {DEEP}, {share:.0%} left", DEEP, share) for share in SHARES),
)


@dataclass(frozen=True)
class Recall:
    """The share of what is nearest that was found, over all queries."""

    ten: float  # of the ten nearest by float32
    ten_kept: float  # of the ten nearest by the embeddings as they are kept
    all_kept: float  # of as many as were asked for, by these


@dataclass(frozen=True)
class Memory:
    """Bytes a passage that a process takes for our index, the exact vectors' own mapping apart."""

    unshared: float
    mapped: float


@dataclass(frozen=True)
class Measured:
    """What was found in one place. `seconds` has a query's in each round: by threads, then by case."""

    place: Place
    passages: int
    dimension: int
    seconds: Mapping[int, Mapping[str, Sequence[float]]]
    recall: Mapping[str, Recall]
    memory: Memory


def main() -> None:
    """Make the places, measure each, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--synthetic", type=int, default=SYNTHETIC, help="how many synthetic passages")
    parser.add_argument("--queries", type=int, default=QUERIES, help="how many queries recall is told from")
    asked = parser.parse_args()
    work = WORK / "vectors"
    shutil.rmtree(work, ignore_errors=True)
    real = _apart(make_real, work / "real", asked.corpus.resolve(), asked.queries)
    synthetic = _apart(make_synthetic, work / "synthetic", real, asked.synthetic)
    is_whole = (asked.synthetic, asked.queries) == (SYNTHETIC, QUERIES)
    show([measured(real), measured(synthetic)], work=WORK if is_whole else WORK / "partial")
    shutil.rmtree(work)


def _apart(function: Callable[..., T], *arguments: object, threads: int = max(THREADS)) -> T:
    """Return what `function` says in a process of its own, whose libraries use so many threads."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads)))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


# Measured


def measured(place: Place) -> Measured:
    """Return what one place shows, each measurement in a process of its own."""
    passages, dimension = place.array("vectors").shape
    return Measured(
        place,
        passages,
        dimension,
        seconds={threads: _apart(timed, place, threads=threads) for threads in THREADS},
        recall=_apart(recalled, place),
        memory=_apart(held, place, threads=1),
    )


def timed(place: Place) -> dict[str, list[float]]:
    """Return the seconds a query takes in each round, for every case and for FAISS's exact scan."""
    import faiss

    made, queries = place.array("vectors"), np.asarray(place.array("queries"))[:BLOCK]
    flat = faiss.IndexFlatIP(made.shape[1])
    for first in range(0, len(made), CHUNK):
        flat.add(np.asarray(made[first : first + CHUNK]))
    ask: dict[str, Callable[[Vectors], object]] = {FLAT: lambda query: flat.search(query[None], DEPTH)}
    ask |= {case.name: one for case, one in _askers(place).items()}
    for one in ask.values():
        one(queries[0])  # warmed up
    taken = interleaved({name: partial(_each, one, queries) for name, one in ask.items()}, rounds=ROUNDS)
    return {name: [seconds / len(queries) for seconds in rounds] for name, rounds in taken.items()}


def _each(ask: Callable[[Vectors], object], queries: Vectors) -> None:
    for query in queries:
        ask(query)


def _askers(place: Place) -> dict[Case, Callable[[Vectors], Any]]:
    from index.vectors import VectorIndex

    ours = VectorIndex(place.index, dimension=place.array("queries").shape[1], ids=place.ids)
    return {case: partial(ours.nearest, depth=case.depth, within=case.within(len(place.ids))) for case in CASES}


def recalled(place: Place) -> dict[str, Recall]:
    """Return what each case finds of what is nearest."""
    queries = np.asarray(place.array("queries"))
    exact, kept = (_best(place, queries, of) for of in (np.asarray, _as_kept))
    found: dict[str, Recall] = {}
    for case, ask in _askers(place).items():
        within, shares = case.within(len(exact)), []
        for column, query in enumerate(queries):
            numbers = ask(query).numbers
            wanted = ((exact, DEPTH), (kept, DEPTH), (kept, case.depth))
            shares.append([_found(numbers, best[:, column], within, depth) for best, depth in wanted])
        found[case.name] = Recall(*np.mean(shares, axis=0).tolist())
    return found


def _best(place: Place, queries: Vectors, of: Callable[[Vectors], Vectors]) -> Vectors:
    """Return the best cosine of each article with each query, by what `of` makes of the vectors."""
    made, owners = place.array("vectors"), place.array("owners")
    cosines = np.concatenate([of(made[first : first + CHUNK]) @ queries.T for first in range(0, len(made), CHUNK)])
    best: Vectors = np.maximum.reduceat(cosines, np.searchsorted(owners, np.arange(owners[-1] + 1)))
    return best


def _as_kept(vectors: Vectors) -> Vectors:
    from archive.packing import quantised

    steps, scales = quantised(np.asarray(vectors))
    kept: Vectors = steps * scales[:, None]
    return kept


def _found(numbers: NDArray[np.int64], best: Vectors, within: NDArray[np.bool_] | None, depth: int) -> float:
    searched = np.flatnonzero(within) if within is not None else np.arange(len(best))
    nearest = searched[best_first(best[searched], most=depth)]
    return float(np.isin(nearest, numbers).mean())


def held(place: Place) -> Memory:
    """Return what a process takes for the index after it has answered the queries."""
    from index import vectors

    queries = np.asarray(place.array("queries"))
    ids = place.ids
    before = resident()
    index = vectors.VectorIndex(place.index, dimension=queries.shape[1], ids=ids)
    for query in queries:
        index.scores(query, index.nearest(query, depth=DEPTH).numbers)
    unshared, mapped = (now - then for now, then in zip(resident(), before, strict=True))
    return Memory(unshared / len(index), mapped / len(index))


def resident() -> tuple[int, int]:
    """Return the bytes this process has in memory: of no file, and of files other than exact vectors."""
    unshared, mapped, is_exact = 0, 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        field, _, value = line.partition(":")
        if "-" in field:
            is_exact = line.endswith(".vectors.npy")
        elif field == "Rss":
            mapped += 0 if is_exact else int(value.split()[0]) * 1024
        elif field == "Anonymous":
            unshared += int(value.split()[0]) * 1024
    return unshared, mapped - unshared


# Told


def show(found: Sequence[Measured], *, work: Path) -> None:
    """Print and write the figures; the last place decides the checks."""
    report(
        "vectors",
        title="Vectors: our index beside FAISS's exact scan",
        checks=checks(found[-1]),
        tables=[table(one, threads) for one in found for threads in THREADS],
        notes=[
            f"{one.place.name}: {one.passages:,} x {one.dimension}; {one.memory.unshared:.0f} bytes a passage in memory"
            f" and {one.memory.mapped:.0f} of mapped files beside the exact vectors"
            for one in found
        ],
        work=work,
    )


def checks(one: Measured) -> list[Check]:
    """Return what has to be shown, by what was found in the synthetic place."""
    return [
        *(_faster(one, threads) for threads in THREADS),
        _smaller(one),
        *(_filtered(one, case) for case in CASES if case.share < 1 and case.depth == DEPTH),
    ]


def _faster(one: Measured, threads: int) -> Check:
    taken, recall = one.seconds[threads], one.recall[OURS]
    times = ratios(taken[FLAT], taken[OURS])
    return Check(
        f"{one.passages:,} vectors, one query at a time, {threads} thread(s): times as fast as {FLAT}",
        f">= {TIMES:g} at recall@10 >= {RECALL}",
        f"{told(times, digits=1)} at {recall.ten:.4f} (kept: {recall.ten_kept:.4f})",
        median(times) >= TIMES and round(recall.ten, 4) >= RECALL,
    )


def _smaller(one: Measured) -> Check:
    share = (one.memory.unshared + one.memory.mapped) / (FLOAT32 * one.dimension)
    return Check(
        "memory, of float32's, the exact vectors' mapping apart", f"<= {SHARE}", f"{share:.3f}", share <= SHARE
    )


def _filtered(one: Measured, case: Case) -> Check:
    taken, recall = one.seconds[1], one.recall[case.name]
    times = ratios(taken[case.name], taken[OURS])
    return Check(
        f"a filter that leaves {case.share:.0%}: time of the unfiltered",
        f"<= {FILTERED} at recall@10 >= {RECALL}",
        f"{told(times)} at {recall.ten:.4f} (kept: {recall.ten_kept:.4f})",
        median(times) <= FILTERED and round(recall.ten, 4) >= RECALL,
    )


def table(one: Measured, threads: int) -> Table:
    """Return the figures of one place with so many threads."""
    taken = one.seconds[threads]
    rows: list[Sequence[str | float | None]] = [[FLAT, median(taken[FLAT]) * 1000, 1.0, 1.0, None, None]]
    for case in CASES:
        recall, times = one.recall[case.name], median(ratios(taken[FLAT], taken[case.name]))
        shares = [f"{share:.4f}" for share in (recall.ten, recall.ten_kept, recall.all_kept)]
        rows.append([case.name, median(taken[case.name]) * 1000, times, *shares])
    columns = ["case", "ms", f"times as fast as {FLAT}", "recall@10", "recall@10, kept", "recall of all asked, kept"]
    return Table(f"{one.place.name}, {one.passages:,} passages, {threads} thread(s)", columns, rows)


if __name__ == "__main__":
    main()
