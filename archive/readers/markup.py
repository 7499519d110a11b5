"""From marked-up text to the plain text a reader of it would see: HTML as feeds and agencies hold it, whole, in pieces,
escaped once or twice, as a string; XHTML and NITF as elements of a tree.

Invariant: no element comes through, nor anything of a script or a style sheet, however often it was escaped. What is no
known element is text: "5 < 6" stays. Paragraphs, list entries, headings and table rows are paragraphs; a line break in
the source means nothing.
"""

import html
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from archive.readers.charset import C1, repaired
from archive.readers.elements import local_name
from archive.readers.normalise import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

ESCAPED_TIMES = 5  # as often as a text is read again for markup that was escaped in it

# Elements whose ends separate paragraphs; all others stand within a line.
_BLOCKS = (
    "address|article|aside|blockquote|body|caption|center|dd|details|dialog|dir|div|dl|dt|fieldset|figure|footer"
    "|form|h1|h2|h3|h4|h5|h6|header|hr|html|legend|li|main|menu|nav|ol|optgroup|option|p|pre|section|summary|table|tbody"
    "|tfoot|thead|tr|ul"
)
# Elements whose content nobody sees where the element does what it is for, or that is no part of the text.
_HIDDEN = (
    "audio|button|canvas|figcaption|head|math|noembed|noframes|noscript|plaintext|script|select|style|svg|template|textarea"
    "|title|video|xmp"
)
_INLINE = (
    "a|abbr|acronym|applet|area|b|base|bdi|bdo|big|blink|br|cite|code|col|colgroup|command|data|datagrid|datalist"
    "|del|dfn|em|embed|event-source|font|frame|frameset|i|iframe|img|input|ins|kbd|keygen|label|link|map|mark"
    "|marquee|menuitem|meta|meter|multicol|nextid|nobr|object|output|param|picture|progress|q|rb|rp|rt|ruby|s"
    "|samp|slot|small|source|spacer|span|strike|strong|sub|sup|td|th|time|track|tt|u|var|wbr"
)
BLOCKS = frozenset(
    (*_BLOCKS.split("|"), *("abstract", "block", "body.content", "body.end", "body.head", "bq", "fn", "hl1", "hl2"),
     "nitf-table")
)  # fmt: skip
HIDDEN = frozenset((*_HIDDEN.split("|"), "media", "note"))  # of NITF: pictures with captions, notes to editors
CELLS = frozenset({"td", "th"})
# An element of HTML, the end of any element, a comment, a CDATA section.
_ELEMENT = re.compile(
    rf"<(?:/?(?:{_BLOCKS}|{_HIDDEN}|{_INLINE})(?:[\s/][^<>]*)?>|/[a-z][\w:-]*\s*>|!--|!\[CDATA\[)", re.IGNORECASE
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]{2,}|[ \t\r\n\f]")  # a single no-break space stays
# As HTML these would take in all that follows; programs that write XHTML mean them to be empty, and frames always are.
_EMPTY = re.compile(rf"<(?:{_HIDDEN})\b[^<>]*/>|</?iframe\b[^<>]*>", re.IGNORECASE)
_UNREADABLE = re.compile("[\0\ud800-\udfff]")  # what ends a text for lxml, or its work
_SCRIPT_TAG = re.compile(r"</?script\b[^<>]*>?", re.IGNORECASE)
_CONTENT = re.compile(r"<body\.content\b[^<>]*>", re.IGNORECASE)
_CELL = "\x1f"  # a control character, which no text holds once it is cleaned
BETWEEN_CELLS = " · "  # of a table's row
LONG_CELL = 80  # characters: with more in one, a row is columns of text, as newsletters lay it out, not data
_UNSEEN_STYLE = re.compile(r"(?:^|;)\s*display\s*:\s*none\b", re.IGNORECASE)
# What WordPress and its kin put into a text: buttons to share it with, and what else there is to read.
_UNSEEN_CLASS = re.compile(
    r"(?:^|\s)(?:sharedaddy|sd-sharing\S*|jp-relatedposts|addtoany\S*|(?:social-|post-)?shar(?:e|ing)(?:-(?:bar|buttons?|icons?|links?))?)"
    r"(?:\s|$)",
    re.IGNORECASE,
)


class Habits(NamedTuple):
    """Where those who send texts differ: what a line break stands for, and what holds nothing to read."""

    line_end: str
    hidden: frozenset[str]


IN_FEEDS = Habits("\n\n", HIDDEN)  # a break ends a paragraph as a rule; a figure may hold a table or a quotation
IN_AGENCIES = Habits("\n", HIDDEN | {"figure", "form", "iframe", "object"})  # a figure is a picture with its credit


def has_markup(text: str) -> bool:
    """Tell whether there is an element of HTML in `text`."""
    return _ELEMENT.search(text) is not None


def plain_text(text: str, habits: Habits = IN_FEEDS) -> str:
    """Return what a reader sees of `text`, its paragraphs separated by blank lines."""
    for _ in range(ESCAPED_TIMES):
        marked = has_markup(text)
        if marked:
            read = _seen(_CDATA.sub("", text), habits)
        else:
            read = html.unescape(text) if _REFERENCE.search(text) else text
        if read == text:
            break
        text = read
        if marked:  # markup that was escaped in markup is meant to be read: "the <p> element"
            break
    return _SCRIPT_TAG.sub("", repaired(text.translate(C1))).strip()


def plain_line(text: str) -> str:
    """Return what a reader sees of `text` on one line, and nothing of any markup: a headline, a name."""
    for _ in range(ESCAPED_TIMES):
        read = plain_text(text)
        if read == text:
            break
        text = read
    return one_line(text)


def element_text(root: "_Element") -> str:
    """Return what a reader sees of an agency's `root`, a blank line between its paragraphs."""
    seen = _Text(IN_AGENCIES)
    pending = [(root, False)]  # a stack, as depth is a guest's; the second says that an element's end is meant
    while pending:
        element, ends = pending.pop()
        name = local_name(element).lower()
        if name and not ends:
            seen.start(name, {})
            seen.data(element.text or "")
            pending.append((element, True))
            pending += [(child, False) for child in reversed(element)]
            continue
        if name:
            seen.end(name)
        elif (element.text or "").startswith("&"):  # an entity that a document type would have explained
            seen.data(html.unescape(element.text or ""))
        if element is not root:
            seen.data(element.tail or "")
    return seen.close()


def _seen(text: str, habits: Habits) -> str:
    from lxml import etree  # imported here: commands that read no feed need not wait for it

    target: Any = _Text(habits)  # what the stubs ask for here, lxml does not
    parser = etree.HTMLParser(target=target, remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    parser.feed(_UNREADABLE.sub("", _EMPTY.sub("", _content(text))))
    return str(parser.close())


def _content(text: str) -> str:
    """Return of an article in NITF its text, which its headline and other things stand before."""
    opening = _CONTENT.search(text)
    if not opening:
        return text
    end = text.rfind("</body.content", opening.end())
    return text[opening.end() : end if end > 0 else len(text)]


class _Text:
    """Gathers what is seen of a document as lxml tells it: with a target it makes no tree, so depth costs nothing."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._pieces: list[str] = []
        self._hidden: list[str] = []  # the elements around this place whose content is not seen
        self._kept = 0  # elements around this place that keep their line ends

    def start(self, tag: str, attributes: "Mapping[str, str]") -> None:
        # Inside an element that is not seen, others of its name are counted, to find its end.
        if tag in self._habits.hidden or self._hidden[-1:] == [tag] or _is_unseen(tag, attributes):
            self._hidden.append(tag)
        elif tag in BLOCKS:
            self._pieces.append("\n\n")
        elif tag == "br":
            self._pieces.append(self._habits.line_end)
        elif tag in CELLS:
            self._pieces.append(_CELL)
        self._kept += tag == "pre"

    def end(self, tag: str) -> None:
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()
        elif tag in BLOCKS:
            self._pieces.append("\n\n")
        self._kept -= tag == "pre" and self._kept > 0

    def data(self, text: str) -> None:
        if not self._hidden:
            self._pieces.append(text if self._kept else _SPACES.sub(" ", text))

    def close(self) -> str:
        lines = "\n".join(map(_tidied, "".join(self._pieces).split("\n")))
        return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _is_unseen(tag: str, attributes: "Mapping[str, str]") -> bool:
    """Tell whether an element is hidden from readers, or says that it holds no part of the text."""
    return tag not in ("html", "body") and (
        "hidden" in attributes
        or _UNSEEN_STYLE.search(attributes.get("style", "")) is not None
        or _UNSEEN_CLASS.search(attributes.get("class", "")) is not None
    )


def _tidied(line: str) -> str:
    """Return a line without spaces too many, and of a table's row its cells."""
    cells = [cell for part in line.split(_CELL) if (cell := _SPACES.sub(" ", part).strip())]
    return ("\n\n" if any(len(cell) > LONG_CELL for cell in cells) else BETWEEN_CELLS).join(cells)
