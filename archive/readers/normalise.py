"""One form for text from anywhere: what a body and a title look like once they are inside. Pure.

Invariant: what comes out is NFC, has no control characters but tab and newline, no lone surrogates, and in a body
paragraphs are separated by exactly one blank line. Words are never changed; bidirectional marks are left alone.
"""

import re
import unicodedata
from itertools import pairwise

MAX_DERIVED_TITLE = 100  # characters, the ellipsis included
ELLIPSIS = "…"
WRAP_WIDTH = 80  # characters: lines of wire copy and typewritten text are at most this long
LONG_LINES = 0.1  # share of longer lines that hard-wrapped text may still hold (tables, recognition errors)
FULL_LINE = 0.85  # a wrapped line plus the next line's first word would pass this share of the usual width

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_STARTS_PARAGRAPH = re.compile(r"\s|[-–—*•·]\s|\d{1,3}[.)]\s")  # an indented line, or the next item of a list
_SENTENCE_END = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")
_SENTENCE_BREAK = re.compile(r"([.!?…]+[\"'”’»)\]]*)\s+(?=[^a-z\s])|([。！？]+[」』”’）]*)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“'‘])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|Rev|Hon|Gen|Col|Lt|Maj|Capt|Sgt|Sen|Rep|Gov|Pres"
    r"|St|Mt|Ft|Jr|Sr|No|vs|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$"
)


def clean(text: str) -> str:
    """Return `text` in NFC with newlines as line ends and without what no reader can see or no database should hold."""
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", _SURROGATES.sub("\ufffd", text))


def one_line(text: str) -> str:
    """Return `text` cleaned, every run of white space one space: a title, a name, a section."""
    return " ".join(clean(text).split())


def has_words(text: str) -> bool:
    """Tell whether there is anything to read or to search for: one letter or digit is enough."""
    return any(character.isalnum() for character in text)


def body_text(text: str) -> str:
    """Return `text` cleaned and with its paragraphs separated by one blank line.

    Hard-wrapped text is unwrapped, an indented line or a list item starting a new paragraph. Text without a blank
    line has a paragraph a line. Elsewhere single newlines (lists, addresses, verse) stay.
    """
    blocks = [block for block in _BLANK_LINES.split(clean(text)) if block.strip()]
    if _is_hard_wrapped(blocks):
        paragraphs = [paragraph for block in blocks for paragraph in _unwrapped(block)]
    elif len(blocks) == 1:
        paragraphs = [line.strip() for line in blocks[0].split("\n")]
    else:
        paragraphs = ["\n".join(line.rstrip() for line in block.split("\n")).strip() for block in blocks]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _is_hard_wrapped(blocks: list[str]) -> bool:
    """Tell whether newlines in these blocks stand where a line was full rather than where a sentence ended."""
    pairs = [pair for block in blocks for pair in _continued_lines(block)]
    lengths = sorted(len(line.rstrip()) for block in blocks for line in block.split("\n") if line.strip())
    width = lengths[-1 - int(LONG_LINES * len(lengths))] if lengths else 0
    if not pairs or width > WRAP_WIDTH:
        return False
    if 2 * sum(_SENTENCE_END.search(line) is not None for line, _ in pairs) >= len(pairs):
        return False
    if len(blocks) == 1:
        return True
    # Where blank lines mark the paragraphs already, short lines may be a list: only full ones say they were wrapped.
    full = sum(len(line) + 1 + len(following.split(None, 1)[0]) > FULL_LINE * width for line, following in pairs)
    return 2 * full > len(pairs)


def _continued_lines(block: str) -> list[tuple[str, str]]:
    """Return each line that the next line may continue, with that next line."""
    lines = [line.rstrip() for line in block.split("\n") if line.strip()]
    return [(line, after) for line, after in pairwise(lines) if not _STARTS_PARAGRAPH.match(after)]


def _unwrapped(block: str) -> list[str]:
    paragraphs: list[list[str]] = []
    for line in block.split("\n"):
        if not paragraphs or _STARTS_PARAGRAPH.match(line):
            paragraphs.append([])
        paragraphs[-1].append(line.strip())
    return [_joined(lines) for lines in paragraphs]


def _joined(lines: list[str]) -> str:
    # A hyphen at a line's end stays, without a space: whether it belongs to the word ("vice-president") is unknown.
    return re.sub(r"(?<=\w-)\n(?=\w)", "", "\n".join(lines)).replace("\n", " ").strip()


def derived_title(body: str) -> str:
    """Return the first sentence of a normalised body, at most `MAX_DERIVED_TITLE` characters, cut at a word."""
    sentence = first_sentence(body.split("\n\n", 1)[0][: 4 * MAX_DERIVED_TITLE])
    if len(sentence) <= MAX_DERIVED_TITLE:
        return sentence
    room = MAX_DERIVED_TITLE - len(ELLIPSIS)
    cut = sentence[: room + 1].rsplit(" ", 1)[0]
    return cut[:room].rstrip(" ,;:–—-") + ELLIPSIS


def first_sentence(paragraph: str) -> str:
    """Return, on one line, the paragraph up to the first full stop that ends no abbreviation and no initial."""
    line = " ".join(paragraph.split())
    for stop in _SENTENCE_BREAK.finditer(line):
        end = stop.end(1) if stop[1] else stop.end(2)
        if has_words(line[:end]) and not _ABBREVIATION.search(line[max(0, end - 12) : end]):
            return line[:end]
    return line
