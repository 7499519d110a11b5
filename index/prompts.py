"""What a model wants to read before a text: other words before a question than before a passage.

Some models are trained on texts that say what they are, as E5 is on "query: …" and "passage: …"; without these words
they find worse. sentence-transformers writes them down as `prompts` in the model's
`config_sentence_transformers.json`, and so does whoever knows better.

Invariant: vectors made with other prompts are those of another model, by their identity.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.embedder import Embedder
from index.engine import Vector, Vectors
from index.errors import ModelUnavailable
from index.pieces import Pieces

CONFIG = "config_sentence_transformers.json"
POOLING = "1_Pooling/config.json"
PASSAGE_NAMES = ("document", "passage", "corpus")  # the first that a model has


@dataclass(frozen=True, slots=True)
class Prompts:
    """What stands before a query and before a passage."""

    query: str = ""
    passage: str = ""


def prompts_of(folder: Path) -> Prompts:
    """Return the prompts of the model in `folder`. Raises ModelUnavailable when they cannot be used."""
    config = _read(folder / CONFIG)
    named: dict[str, str] = config.get("prompts") or {}
    default = named.get(config.get("default_prompt_name") or "", "")
    passage = next((named[name] for name in PASSAGE_NAMES if name in named), default)
    found = Prompts(query=named.get("query", default), passage=passage)
    if found != Prompts() and not _read(folder / POOLING).get("include_prompt", True):
        raise ModelUnavailable(f"{folder}: pools without its prompts (include_prompt), which is not supported")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise ModelUnavailable(f"{path}: no JSON object: {error}") from error


class Prompted:
    """An embedder whose texts are given with the model's prompts."""

    def __init__(self, embedder: Embedder, prompts: Prompts) -> None:
        """Embed by this embedder."""
        self._embedder = embedder
        self._prompts = prompts
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens - len(embedder.token_spans(prompts.passage))
        said = json.dumps([embedder.sha256, prompts.query, prompts.passage])
        self.sha256 = hashlib.sha256(said.encode()).hexdigest()

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters."""
        return self._embedder.token_spans(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of norm 1 for each text, taken for passages."""
        return self._embedder.embed([self._prompts.passage + text for text in texts])

    def embed_query(self, text: str) -> Vector:
        """Return the vector of one query."""
        vector: Vector = self._embedder.embed([self._prompts.query + text])[0]
        return vector

    def pieces(self, words: Sequence[str]) -> Pieces | None:
        """Return the pieces of these words with a vector each, without prompts."""
        return self._embedder.pieces(words)
