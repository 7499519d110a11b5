"""The common input: what every engine is built from and asked. Needs numpy alone, so that both environments read it.

    articles.jsonl    {"id", "title", "body"}, a line an article
    passages.jsonl    {"id", "article", "text"}, a line a passage: the text that was embedded, its headline first
    vectors.npy       float32, shape (passages, dimension), each row of norm 1: the passages' embeddings
    queries.txt       a query a line, each different
    corpus.json       how many articles, passages, characters and bytes of text

Invariant: `corpus.json` is written last, so a folder that has it is whole.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. `text_bytes` counts titles and bodies in UTF-8."""

    articles: int
    passages: int
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of common input."""

    folder: Path

    @property
    def is_whole(self) -> bool:
        """Return whether it was written to its end."""
        return self._size.exists()

    @property
    def size(self) -> Size:
        """Return how much there is."""
        return Size(**json.loads(self._size.read_text(encoding="utf-8")))

    @property
    def queries(self) -> list[str]:
        """Return the queries."""
        return (self.folder / "queries.txt").read_text(encoding="utf-8").splitlines()

    @property
    def vectors(self) -> NDArray[np.float32]:
        """Return the passages' embeddings, memory-mapped."""
        mapped: NDArray[np.float32] = np.load(self.folder / "vectors.npy", mmap_mode="r")
        return mapped

    def articles(self) -> Iterator[dict[str, str]]:
        """Yield the articles."""
        return _lines(self.folder / "articles.jsonl")

    def passages(self) -> Iterator[dict[str, str]]:
        """Yield the passages, in the order of the vectors."""
        return _lines(self.folder / "passages.jsonl")

    def close(self, size: Size, queries: Iterable[str]) -> None:
        """Write what makes the folder whole."""
        (self.folder / "queries.txt").write_text("".join(f"{query}\n" for query in queries), encoding="utf-8")
        self._size.write_text(json.dumps(asdict(size)) + "\n", encoding="utf-8")

    @property
    def _size(self) -> Path:
        return self.folder / "corpus.json"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
