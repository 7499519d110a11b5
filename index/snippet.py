"""Snippets: the piece of a body that shows why an article was found, and where in it the query's words stand. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

from archive.readers.normalise import ELLIPSIS, first_sentence
from index.analysis import spans

LENGTH = 280  # characters: about two lines and a half on a wide screen
NEAR = 40  # characters before a place that tell whether a sentence begins there
Range = tuple[int, int]

_UNSPACED_STOP = re.compile(r"[。！？][」』”’）]*$")


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
    first, last = _trimmed(body, _stretch(body, (start, end), _densest(matches, length), length))
    text, shift = _flatten(body, first, last)
    before = "" if _begins_sentence(body, first) else ELLIPSIS
    after = "" if last >= len(body.rstrip()) else ELLIPSIS
    marks = tuple(
        (shift[left - first] + len(before), shift[right - 1 - first] + 1 + len(before))
        for _, left, right in matches
        if first <= left and right <= last
    )
    return before + text + after, marks


def _densest(matches: Sequence[tuple[str, int, int]], length: int) -> Range | None:
    """Return the range of at most `length` characters with the most different words, the earliest of equals."""
    best = matches[0][1:] if matches else None
    inside: Counter[str] = Counter()
    most, oldest = 0, 0
    for term, _, right in matches:
        inside[term] += 1
        while inside and right - matches[oldest][1] > length:
            gone = matches[oldest][0]
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            oldest += 1
        if len(inside) > most:
            most, best = len(inside), (matches[oldest][1], right)
    return best


def _stretch(body: str, within: Range, wanted: Range | None, length: int) -> Range:
    """Return the range to show: it holds `wanted`, and begins with a sentence, or else with a word, near before it."""
    start, end = within
    first = start
    if wanted is not None and wanted[1] - start > length:
        lead = min(wanted[0], max(wanted[1] - length, wanted[0] - length // 3))
        places = range(wanted[0], lead - 1, -1)
        first = next((at for at in places if _begins_sentence(body, at)), _word_start(body, lead, wanted[0]))
    last = min(first + length, end)
    if last < end and not body[last].isspace():
        lowest = max(first + length // 2, wanted[1] if wanted else 0)
        last = next((at for at in range(last - 1, lowest - 1, -1) if body[at].isspace()), last)
    return first, last


def _trimmed(body: str, piece: Range) -> Range:
    """Return the piece without white space around it, and without the comma or dash that a cut would leave dangling."""
    first, last = piece
    ending = body[first:last].rstrip()
    if last < len(body.rstrip()):
        ending = ending.rstrip(",;:-\u2013\u2014").rstrip()
    last = first + len(ending)
    return last - len(body[first:last].lstrip()), last


def _begins_sentence(body: str, at: int) -> bool:
    """Return whether a sentence begins at `at`: after a blank line, or after a full stop that ends no abbreviation."""
    near = body[max(0, at - NEAR) : at]
    before = near.rstrip()
    gap = near[len(before) :]
    if not before or gap.count("\n") > 1 or _UNSPACED_STOP.search(before):
        return True
    last_word, opening = before.split()[-1], body[at : at + 1].strip()
    return bool(gap and opening) and first_sentence(f"{last_word} {opening}") == last_word


def _word_start(body: str, lowest: int, highest: int) -> int:
    return next((at for at in range(lowest, highest + 1) if body[at - 1].isspace()), lowest)


def _flatten(body: str, first: int, last: int) -> tuple[str, list[int]]:
    """Return body[first:last] with every run of white space as one space, and where each character went."""
    out: list[str] = []
    shift: list[int] = []
    for previous, character in pairwise(["", *body[first:last]]):
        if not (character.isspace() and previous.isspace()):
            out.append(" " if character.isspace() else character)
        shift.append(len(out) - 1)
    return "".join(out), shift
