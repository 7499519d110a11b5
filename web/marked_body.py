"""An article's text with what a search looked for marked in it, and ways from one match to the next. Pure.

Marks that stand near each other are one place. Each place can be linked to; its first mark leads on to the next one, so
that a reader goes from match to match without a script, by pointer or by key.

Invariant: the text of the paragraphs is the text of the body, sign for sign, whatever is marked in it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask_babel import gettext
from markupsafe import Markup, escape

from index.snippet import Range

APART = 300  # characters between two marks from which they are two places: about three lines
_BLANK = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class MarkedBody:
    """The paragraphs of a body as HTML, how many places in it match, and whether a sentence is marked."""

    paragraphs: Sequence[Markup]
    places: int = 0
    has_sentence: bool = False


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    begins: int  # the number of the place that begins with it, 0 of any other mark


def marked_body(body: str, marks: Sequence[Range] = (), sentence: Range | None = None) -> MarkedBody:
    """Return a body with these ranges of it, in order and apart, and this sentence marked."""
    placed = list(_placed(marks))
    places = max((mark.begins for mark in placed), default=0)
    return MarkedBody(
        [_paragraph(body, piece, placed, places, sentence) for piece in _paragraphs(body)], places, sentence is not None
    )


def _placed(marks: Sequence[Range]) -> Iterator[_Mark]:
    number, last = 0, None
    for start, end in marks:
        begins = last is None or start - last > APART
        number += begins
        yield _Mark(start, end, number if begins else 0)
        last = end


def _paragraphs(body: str) -> Iterator[Range]:
    """Yield where each paragraph stands, without the white space around it."""
    starts = [0, *(gap.end() for gap in _BLANK.finditer(body))]
    ends = [*(gap.start() for gap in _BLANK.finditer(body)), len(body)]
    for start, end in zip(starts, ends, strict=True):
        text = body[start:end]
        if text.strip():
            first = start + len(text) - len(text.lstrip())
            yield first, first + len(text.strip())


def _paragraph(body: str, piece: Range, marks: Sequence[_Mark], places: int, sentence: Range | None) -> Markup:
    start, end = piece
    if sentence is None or sentence[1] <= start or end <= sentence[0]:
        return _marked(body, piece, marks, places)
    first, last = max(start, sentence[0]), min(end, sentence[1])
    opening = Markup('<span class="sense" id="sense">') if first == sentence[0] else Markup('<span class="sense">')
    inside = opening + _marked(body, (first, last), marks, places) + Markup("</span>")
    return _marked(body, (start, first), marks, places) + inside + _marked(body, (last, end), marks, places)


def _marked(body: str, piece: Range, marks: Sequence[_Mark], places: int) -> Markup:
    """Return one piece of the body escaped; a mark that goes beyond it is closed at its end."""
    at, last = piece
    pieces = [Markup()]
    for mark in marks:
        start, end = max(mark.start, at), min(mark.end, last)
        if start < end:
            pieces += [
                escape(body[at:start]),
                _mark(body[start:end], mark.begins if start == mark.start else 0, places),
            ]
            at = end
    return Markup().join([*pieces, escape(body[at:last])])


def _mark(text: str, begins: int, places: int) -> Markup:
    if not begins:
        return Markup("<mark>{}</mark>").format(text)
    if begins == places:
        target, title = "matches", gettext("The last match: back to the beginning")
    else:
        target, title = f"match-{begins + 1}", gettext("Next match, %(next)s of %(all)s", next=begins + 1, all=places)
    return Markup('<mark id="match-{}"><a href="#{}" title="{}">{}</a></mark>').format(begins, target, title, text)
