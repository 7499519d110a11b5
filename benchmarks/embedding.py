"""OpenVINO against torch: the same model, the same passages, the same machine, in turn. Prints ratios of medians.

    PYTHONPATH=. python benchmarks/embedding.py [--passages 64] [--rounds 5]

Take the ratio, not the milliseconds: what else a machine does moves both alike.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from index.embedder import BUNDLED, open_embedder

SEEDS = Path(__file__).parent.parent / "seeds" / "corpus.jsonl"


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with SEEDS.open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file][: asked.passages]
    with tempfile.TemporaryDirectory() as cache:
        runtimes = {name: open_embedder(BUNDLED, runtime=name, cache=Path(cache)) for name in ("openvino", "torch")}
        for label, batch in (("bulk", texts), ("one query", ["submarine crew trapped under the sea"])):
            taken: dict[str, list[float]] = {name: [] for name in runtimes}
            for embedder in runtimes.values():
                embedder.embed(batch)  # warmed up
            for _ in range(asked.rounds):
                for name, embedder in runtimes.items():
                    taken[name].append(seconds(lambda embedder=embedder, batch=batch: embedder.embed(batch)))
            medians = {name: statistics.median(times) for name, times in taken.items()}
            spread = {name: f"{min(times):.3f}-{max(times):.3f} s" for name, times in taken.items()}
            print(f"{label}: torch takes {medians['torch'] / medians['openvino']:.1f} times as long  {spread}")


if __name__ == "__main__":
    main()
