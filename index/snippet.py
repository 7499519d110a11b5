"""Snippets: the piece of a body that shows why an article was found, and where in it the query's words stand. Pure."""

from collections.abc import Collection, Sequence
from itertools import pairwise

from index.analysis import spans

LENGTH = 280  # characters: about two lines and a half on a wide screen
Range = tuple[int, int]


def snippet(
    body: str, passage: Range | None, *, words: Collection[str], length: int = LENGTH
) -> tuple[str, tuple[Range, ...]]:
    """Return a text of about `length` characters and the (start, end) of each matching word in it.

    It is taken from `passage` (where the body matches by meaning) when there is one: the stretch of it that holds the
    most different `words`, else its beginning. Without a passage, the same of the whole body. `words` are terms as
    `index.analysis` makes them. A text that is cut begins or ends with an ellipsis.
    """
    start, end = passage or (0, len(body))
    matches = [(term, start + left, start + right) for term, left, right in spans(body[start:end]) if term in words]
    first, last = _stretch(body, (start, end), _densest(matches, length), length)
    text, shift = _flatten(body, first, last)
    before = "" if first == 0 or _begins_sentence(body, first) else "…"
    after = "" if last == len(body) else "…"
    marks = tuple(
        (shift[left - first] + len(before), shift[right - 1 - first] + 1 + len(before))
        for _, left, right in matches
        if first <= left and right <= last
    )
    return before + text + after, marks


def _densest(matches: Sequence[tuple[str, int, int]], length: int) -> int | None:
    """Return where the window of `length` characters with the most different words begins, the earliest of equals."""
    best: tuple[int, int] | None = None
    for number, (_, begin, _) in enumerate(matches):
        inside = {term for term, _, right in matches[number:] if right - begin <= length}
        if best is None or len(inside) > best[0]:
            best = (len(inside), begin)
    return best[1] if best else None


def _stretch(body: str, within: Range, begin: int | None, length: int) -> Range:
    """Return the range to show: from the sentence that holds `begin`, if that is near, to a word's end."""
    start, end = within
    first = start
    if begin is not None and begin - start > length // 2:
        lead = max(start, begin - length // 3)
        first = next(
            (at for at in range(begin, lead, -1) if _begins_sentence(body, at)), _word_start(body, lead, begin)
        )
    last = min(first + length, end)
    if last < len(body) and not body[last].isspace():
        space = body.rfind(" ", first + length // 2, last)
        last = space if space > 0 else last
    return first, last


def _begins_sentence(body: str, at: int) -> bool:
    before = body[:at].rstrip()[-2:]
    return at == 0 or (
        body[at - 1].isspace() and (before[-1:] in ".!?" or before[-2:-1] in ".!?" or "\n" in body[at - 1])
    )


def _word_start(body: str, lowest: int, highest: int) -> int:
    space = body.find(" ", lowest, highest)
    return space + 1 if space >= 0 else lowest


def _flatten(body: str, first: int, last: int) -> tuple[str, list[int]]:
    """Return body[first:last] with every run of white space as one space, and where each character went."""
    out: list[str] = []
    shift: list[int] = []
    for previous, character in pairwise(["", *body[first:last]]):
        if not (character.isspace() and previous.isspace()):
            out.append(" " if character.isspace() else character)
        shift.append(len(out) - 1)
    return "".join(out), shift
