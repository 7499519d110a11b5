"""A model run by OpenVINO: converted from torch once, kept beside the archive with its hashes, light to load.

Beside the converted model lies the table of its word pieces (`index.pieces`), made with it.

Invariant: a conversion that is used agreed with torch when it was made, and its files still have the hashes they had.
"""

import json
import logging
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.embedder import Embedder, ModelSource, Tokenizer, TorchEmbedder, checked
from index.engine import Vectors
from index.errors import ModelUnavailable
from index.files import file_sha256
from index.pieces import MAX_VOCABULARY, Pieces, PieceTable, make_table, save_table

FORMAT = 2  # of the folder; 2 has a table of pieces. One of another format is made anew
TABLE = "pieces.npy"
BATCH_TOKENS = 8_192  # tokens of one inference, padding included; 16 to 32 full passages run fastest on a CPU
CONVERSION_COSINE = 0.999  # a converted model must agree with torch at least this well, bfloat16 included
PROBES = ("Parliament votes tonight.", "The river rose again after " + "a week of heavy rain in the north, " * 12)


class OpenVinoEmbedder:
    """A model run by OpenVINO: 2.7 to 6 times torch's rate on a CPU with AMX, and light to load."""

    def __init__(self, source: ModelSource, *, cache: Path) -> None:
        """Load the converted model, converting it first when `cache` has none."""
        folder = _converted(source, cache)
        facts = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
        self.name = source.name
        self.sha256 = source.sha256
        self.dimension = int(facts["dimension"])
        self._tokenizer = Tokenizer(folder, limit=int(facts["limit"]))
        self.max_tokens = self._tokenizer.room
        self._model = _Model(folder)
        self._table = PieceTable(folder / TABLE) if TABLE in facts["files"] else None

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters."""
        return self._tokenizer.spans(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of norm 1 for each text, in order."""
        tokens = [self._tokenizer.ids(text) for text in texts]
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch in batches([len(ids) for ids in tokens]):
            vectors[batch] = self._model.infer([tokens[number] for number in batch])
        return checked(vectors)

    def pieces(self, text: str) -> Pieces | None:
        """Return the word pieces of `text` with a vector each, looked up; None when the vocabulary is too large."""
        if self._table is None:
            return None
        ids, spans = self._tokenizer.pieces(text)
        starts = np.array([start for start, _ in spans], dtype=np.int64)
        return Pieces(starts=starts, vectors=self._table.vectors(ids))


class _Model:
    """A converted model, compiled for this machine: token ids in, vectors out. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        import openvino

        core = openvino.Core()
        self._compiled = core.compile_model(str(folder / "model.xml"), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
        self._local = threading.local()

    def infer(self, batch: Sequence[Sequence[int]]) -> Vectors:
        request = getattr(self._local, "request", None)
        if request is None:  # an inference request serves one thread at a time
            request = self._local.request = self._compiled.create_infer_request()
        longest = max(map(len, batch))
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        output: Vectors = request.infer([ids, mask])[0]
        return output


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the positions of texts to run together: sorted by length, `BATCH_TOKENS` a batch with its padding."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _converted(source: ModelSource, cache: Path) -> Path:
    """Return the folder of the converted model, converting it when it is not there or not whole."""
    folder = cache / f"{source.sha256[:16]}-openvino"
    if not is_whole(folder):
        _convert(source, folder)
    return folder


def is_whole(folder: Path) -> bool:
    """Return whether `folder` holds a conversion of this format, every file as it was made."""
    try:
        facts = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
        return facts["format"] == FORMAT and all(
            file_sha256(folder / name) == digest for name, digest in facts["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _convert(source: ModelSource, folder: Path) -> None:
    import openvino
    import torch

    class WholePipeline(torch.nn.Module):
        """Token ids and mask in, finished embedding out."""

        def __init__(self, pipeline: Callable[..., Any]) -> None:
            super().__init__()
            self.pipeline = pipeline

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = self.pipeline({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    reference = TorchEmbedder(source)
    logging.getLogger(__name__).info("converting %s for OpenVINO, once", source.name)
    example = torch.ones((2, 16), dtype=torch.long)
    try:
        with warnings.catch_warnings():  # the tracer warns of every branch of the model; `_compare` is the real check
            warnings.simplefilter("ignore")
            converted = openvino.convert_model(
                WholePipeline(reference.model.cpu().eval()),
                example_input={"input_ids": example, "attention_mask": example},
            )
    except Exception as error:  # the converter raises whatever its tracer and torch raise
        raise ModelUnavailable(f"{source.name} cannot be converted: {error}") from error
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="converting-") as made_in:
        made = Path(made_in) / folder.name
        made.mkdir()
        openvino.save_model(converted, made / "model.xml", compress_to_fp16=False)
        shutil.copy(source.folder / "tokenizer.json", made)
        limit = int(reference.model.max_seq_length or 512)
        tabulate(made, limit=limit)
        files = {file.name: file_sha256(file) for file in sorted(made.iterdir())}
        facts = {"format": FORMAT, "limit": limit, "dimension": reference.dimension, "files": files}
        (made / "conversion.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    _compare(source, reference, folder)


def tabulate(folder: Path, *, limit: int, most: int = MAX_VOCABULARY) -> None:
    """Make the table of pieces beside a converted model: some seconds; none for a vocabulary of over `most` pieces."""
    tokenizer = Tokenizer(folder, limit=limit)
    vocabulary = tokenizer.vocabulary()
    if len(vocabulary) <= most:
        before, after = tokenizer.marks()
        texts = [[*before, piece, *after] for piece in range(max(vocabulary.values()) + 1)]
        save_table(make_table(texts, vocabulary=vocabulary, infer=_Model(folder).infer), folder / TABLE)


def _compare(source: ModelSource, reference: Embedder, folder: Path) -> None:
    converted = OpenVinoEmbedder(source, cache=folder.parent)
    cosines = np.sum(converted.embed(PROBES) * reference.embed(PROBES), axis=1)
    if float(cosines.min()) < CONVERSION_COSINE:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelUnavailable(f"{source.name} converted to OpenVINO differs from torch: cosine {cosines.min():.4f}")
