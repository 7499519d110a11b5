"""What a copy keeps, adds, cuts and changes of the text it is taken from, sentence by sentence. Pure.

Invariant: the pieces of a comparison, put together, are the sentences of both texts, each once and in order, as far as
the texts were compared. Sentences are compared by their words: other signs, cases or spaces make no difference.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from archive.passages import sentences

Kind = Literal["kept", "cut", "added", "changed"]

MOST_SENTENCES = 400  # of either text; comparing takes time in the square of them
MOST_CHARACTERS = 200_000  # of either text, before it is cut into sentences
MOST_WORDS = 100  # of a sentence that is compared with another word by word
AHEAD = 6  # sentences of the copy in which one of the origin is looked for
LIKE = 0.5  # of their words, in order, so that a sentence counts as another one changed (difflib's `ratio`)

_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a changed sentence: which both have, or only one of the texts."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence: the origin's own words in `before`, the copy's in `after`, None where it has none.

    `parts` says of a changed one which words were cut and added.
    """

    kind: Kind
    before: str | None
    after: str | None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """How a copy differs; `complete` is False where a text is too long to be compared to its end."""

    pieces: Sequence[Piece]
    complete: bool

    def count(self, kind: Kind) -> int:
        """Return how many sentences are of this kind."""
        return sum(piece.kind == kind for piece in self.pieces)


def differences(origin_body: str, copy_body: str, *, language: str | None = None) -> Differences:
    """Compare a copy with the text it is taken from."""
    before, is_whole = _cut(origin_body, language)
    after, is_whole_too = _cut(copy_body, language)
    matcher = SequenceMatcher(None, [_words(text) for text in before], [_words(text) for text in after], autojunk=False)
    pieces: list[Piece] = []
    for _, start, end, first, last in matcher.get_opcodes():
        pieces += _pieces(before[start:end], after[first:last])
    return Differences(pieces, is_whole and is_whole_too)


def _cut(body: str, language: str | None) -> tuple[list[str], bool]:
    beginning = body[:MOST_CHARACTERS]
    ranges = sentences(beginning, language)
    texts = [" ".join(beginning[start:end].split()) for start, end in ranges[:MOST_SENTENCES]]
    return texts, len(body) <= MOST_CHARACTERS and len(ranges) <= MOST_SENTENCES


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower())) or (text,)  # a line of signs is what it is


def _pieces(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    """Yield the pieces of a stretch: all the same, or of a sentence each the likeliest successor, in order."""
    at = 0
    for old in before:
        place = next((place for place in range(at, len(after))[:AHEAD] if _is_like(old, after[place])), None)
        if place is None:
            yield Piece("cut", old, None)
            continue
        yield from (Piece("added", None, new) for new in after[at:place])
        yield _compared(old, after[place])
        at = place + 1
    yield from (Piece("added", None, new) for new in after[at:])


def _is_like(old: str, new: str) -> bool:
    one, other = _words(old), _words(new)
    if one == other:
        return True
    if max(len(one), len(other)) > MOST_WORDS:
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    # The quick bounds first: most sentences have hardly a word in common.
    return matcher.real_quick_ratio() >= LIKE and matcher.quick_ratio() >= LIKE and matcher.ratio() >= LIKE


def _compared(old: str, new: str) -> Piece:
    if _words(old) == _words(new):
        return Piece("kept", old, new)
    before, after = _RUN.findall(old), _RUN.findall(new)
    matcher = SequenceMatcher(None, [_words(run) for run in before], [_words(run) for run in after], autojunk=False)
    parts: list[Part] = []
    for name, start, end, first, last in matcher.get_opcodes():
        cut, added = "".join(before[start:end]), "".join(after[first:last])
        if name == "equal":
            parts.append(Part("kept", added))
        else:
            parts += [part for part in (Part("cut", cut), Part("added", added)) if part.text]
    return Piece("changed", old, new, tuple(parts))
