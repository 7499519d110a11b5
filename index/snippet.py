"""Snippets: the piece of a body that shows why an article was found, where in it the query's words stand, and where the
sentence that comes nearest to it in meaning. Pure.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.readers.normalise import ELLIPSIS, first_sentence
from index.inflection import eliding, spans_in

LENGTH = 280  # characters: about two lines and a half on a wide screen
NEAR = 40  # characters before a place that tell whether a sentence begins there
KEPT_TEXTS = 128  # passages whose terms are remembered: of a page for each thread that is making one, some 3 MB
WORD_HIT = 0.5  # share of the query's words from which an article counts as found by them, not by meaning alone
Range = tuple[int, int]
Match = tuple[str, int, int]  # term, start and end in the body

_SPACE = re.compile(r"\s+")
_GAP = re.compile(r"\s{2,}")
_STOP = re.compile(r"[.!?…]['\"”’»)\]]*$")
_UNSPACED_ENDS = "。！？」』”’）"
_UNSPACED_STOP = re.compile(r"[。！？][」』”’）]*$")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a body; the ranges in it (start, end) of the query's words, and of the sentence that is meant."""

    text: str
    highlights: tuple[Range, ...] = ()
    sentence: Range | None = None


def terms_of(text: str, language: str | None = None) -> Sequence[Match]:
    """Return (term, start, end) of each term of `text`; whoever looks at the same passage next need not analyse it."""
    return _kept_terms(text, eliding(language))


@lru_cache(maxsize=KEPT_TEXTS)
def _kept_terms(text: str, language: str | None) -> Sequence[Match]:
    return spans_in(language, text)


def snippet(
    body: str,
    passage: Range | None,
    *,
    words: Collection[str],
    sentence: Range | None = None,
    share: float | None = None,
    length: int = LENGTH,
    language: str | None = None,
) -> Excerpt:
    """Return a text of about `length` characters, each matching word in it, and the sentence as far as it is shown.

    It is taken from `passage` (where the body matches by meaning) when there is one, else from the whole body.
    Without a `sentence` it is the stretch of it that holds the most different `words`, else its beginning. With one,
    the sentence is shown, unless the article is found by its words (`share` of them, weighed by whoever knows better,
    is WORD_HIT or more) and they stand closer together elsewhere. `words` are terms as `index.analysis` makes them,
    `sentence` is in characters of the body. A text that is cut begins or ends with an ellipsis, apart from
    the full stop where a sentence ends there.
    """
    start, end = passage or (0, len(body))
    matches = [
        (term, start + left, start + right)
        for term, left, right in terms_of(body[start:end], language)
        if term in words
    ]
    piece = _stretch(body, (start, end), _densest(matches, length), length)
    if sentence is not None and start <= sentence[0] < sentence[1] <= end:
        shown = _around(body, (start, end), sentence, matches=matches, length=length)
        most = _held(matches, piece)
        share = most / max(len(words), 1) if share is None else share
        if share < WORD_HIT or most <= _held(matches, shown):
            piece = shown
    return _excerpt(body, _trimmed(body, piece), matches=matches, sentence=sentence, length=length)


def _excerpt(body: str, piece: Range, *, matches: Sequence[Match], sentence: Range | None, length: int) -> Excerpt:
    first, last = piece
    text, shift = _flatten(body, first, last)
    before = "" if _begins_sentence(body, first) else ELLIPSIS
    after = "" if last >= len(body.rstrip()) else f" {ELLIPSIS}" if _STOP.search(text) else ELLIPSIS

    def placed(left: int, right: int) -> Range:
        return shift(left - first) + len(before), shift(right - 1 - first) + 1 + len(before)

    return Excerpt(
        before + text + after,
        tuple(placed(left, right) for _, left, right in matches if first <= left and right <= last),
        placed(*seen) if (seen := _seen(sentence, piece, length)) else None,
    )


def _seen(sentence: Range | None, piece: Range, length: int) -> Range | None:
    """Return the part of the sentence that lies in the piece; none when it is less than half of what could be shown."""
    if sentence is None:
        return None
    left, right = max(sentence[0], piece[0]), min(sentence[1], piece[1])
    return (left, right) if 2 * (right - left) >= min(sentence[1] - sentence[0], length) > 0 else None


def _held(matches: Sequence[Match], piece: Range) -> int:
    """Return how many different words stand in the piece."""
    return len({term for term, left, right in matches if piece[0] <= left and right <= piece[1]})


def _around(body: str, within: Range, sentence: Range, *, matches: Sequence[Match], length: int) -> Range:
    """Return the range that shows the sentence whole, with what follows; of a longer one, where the words are."""
    if sentence[1] - sentence[0] > length:
        inside = [match for match in matches if sentence[0] <= match[1] and match[2] <= sentence[1]]
        return _stretch(body, sentence, _densest(inside, length), length)
    start = within[0] if sentence[1] - within[0] <= length else sentence[0]
    return _stretch(body, (start, within[1]), (start, sentence[1]), length)


def _densest(matches: Sequence[Match], length: int) -> Range | None:
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
    if at and not body[at - 1].isspace() and body[at - 1] not in _UNSPACED_ENDS:
        return False  # within a word, as mostly
    near = body[max(0, at - NEAR) : at]
    before = near.rstrip()
    gap = near[len(before) :]
    if not before or gap.count("\n") > 1 or _UNSPACED_STOP.search(before):
        return True
    last_word, opening = before.split()[-1], body[at : at + 1].strip()
    return bool(gap and opening) and first_sentence(f"{last_word} {opening}") == last_word


def _word_start(body: str, lowest: int, highest: int) -> int:
    return next((at for at in range(lowest, highest + 1) if body[at - 1].isspace()), lowest)


def _flatten(body: str, first: int, last: int) -> tuple[str, Callable[[int], int]]:
    """Return body[first:last] with every run of white space as one space, and what tells where a character went."""
    piece = body[first:last]
    gaps = [gap.span() for gap in _GAP.finditer(piece)]

    def shift(at: int) -> int:
        return at - sum(min(at, end - 1) - start for start, end in gaps if start < at)

    return _SPACE.sub(" ", piece), shift
