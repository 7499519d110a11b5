"""A model's own tokeniser, without torch. Safe to use from several threads, which it lets run meanwhile."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from index.errors import ModelUnavailable


class Tokenizer:
    """Text into tokens. `room` is the model's limit less the marks it puts around a text."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        """Load it from the model's `folder`. Raises ModelUnavailable when there is none."""
        import tokenizers

        path = folder / "tokenizer.json"
        if not path.exists():
            raise ModelUnavailable(f"{folder}: no tokenizer.json in it: save the model with a fast tokeniser")
        self._spans = tokenizers.Tokenizer.from_file(str(path))
        self._spans.no_truncation()
        self._spans.no_padding()
        self._ids = tokenizers.Tokenizer.from_file(str(path))
        self._ids.enable_truncation(limit)
        self._ids.no_padding()
        is_uncased = self._spans.encode("The").ids == self._spans.encode("the").ids
        self.fold = str.lower if is_uncased else str  # makes those words one that the model makes one
        self.room = limit - self._spans.num_special_tokens_to_add(False)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters; all of them."""
        offsets: list[tuple[int, int]] = self._spans.encode(text, add_special_tokens=False).offsets
        return offsets

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text as the model wants them, cut at its limit."""
        return [encoding.ids for encoding in self._ids.encode_batch_fast(list(texts))]

    def pieces(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of the pieces of each word, which holds no white space.

        The words are cut as one text: calling the tokeniser for each takes several times as long.
        """
        encoding = self._spans.encode(" ".join(words), add_special_tokens=False)
        begins = list(accumulate((len(word) + 1 for word in words), initial=0))
        pieces: list[list[int]] = [[] for _ in words]
        at = 0
        for piece, (_, end) in zip(encoding.ids, encoding.offsets, strict=True):
            while begins[at + 1] < end:
                at += 1
            pieces[at].append(piece)
        return pieces

    def vocabulary(self) -> dict[str, int]:
        """Return every piece there is and its id."""
        vocabulary: dict[str, int] = self._spans.get_vocab()
        return vocabulary

    def marks(self) -> tuple[list[int], list[int]]:
        """Return the ids that the model wants before and after a text."""
        bare, marked = self._spans.encode("a", add_special_tokens=False).ids, self._spans.encode("a").ids
        first = next(place for place in range(len(marked)) if marked[place : place + len(bare)] == bare)
        return marked[:first], marked[first + len(bare) :]
