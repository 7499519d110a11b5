"""From HTML as feeds hold it, whole, in pieces, escaped once or twice, to the plain text a reader of it would see.

Invariant: no element comes through, nor anything of a script or a style sheet, however often it was escaped. What is no
known element is text: "5 < 6" stays.
"""

import html
import re
from typing import TYPE_CHECKING, Any

from archive.readers.charset import C1, repaired
from archive.readers.normalise import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

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
BLOCKS = frozenset(_BLOCKS.split("|"))
HIDDEN = frozenset(_HIDDEN.split("|"))
# An element of HTML, the end of any element, a comment, a CDATA section.
_ELEMENT = re.compile(
    rf"<(?:/?(?:{_BLOCKS}|{_HIDDEN}|{_INLINE})(?:[\s/][^<>]*)?>|/[a-z][\w:-]*\s*>|!--|!\[CDATA\[)", re.IGNORECASE
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]{2,}|[ \t\r\n\f]")  # a single no-break space stays
# As HTML these would take in all that follows; programs that write XHTML mean them to be empty, and frames always are.
_EMPTY = re.compile(rf"<(?:{_HIDDEN})\b[^<>]*/>|</?iframe\b[^<>]*>", re.IGNORECASE)
_SCRIPT_TAG = re.compile(r"</?script\b[^<>]*>?", re.IGNORECASE)


def plain_text(text: str) -> str:
    """Return what a reader sees of `text`, its paragraphs, and lines that a break ends, separated by blank lines."""
    for _ in range(ESCAPED_TIMES):
        marked = _ELEMENT.search(text) is not None
        read = _seen(_CDATA.sub("", text)) if marked else html.unescape(text) if _REFERENCE.search(text) else text
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


def _seen(text: str) -> str:
    from lxml import etree  # imported here: commands that read no feed need not wait for it

    target: Any = _Text()  # what the stubs ask for here, lxml does not
    parser = etree.HTMLParser(target=target, remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    parser.feed(_EMPTY.sub("", text).replace("\0", ""))
    return str(parser.close())


class _Text:
    """Gathers what is seen of a document as lxml tells it: with a target it makes no tree, so depth costs nothing."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._hidden: list[str] = []  # the elements around this place whose content is not seen
        self._kept = 0  # elements around this place that keep their line ends

    def start(self, tag: str, _attributes: "Mapping[str, str]") -> None:
        if tag in HIDDEN:
            self._hidden.append(tag)
        elif tag in BLOCKS or tag == "br":
            self._pieces.append("\n\n")
        elif tag in ("td", "th"):
            self._pieces.append(" ")
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
        lines = "".join(self._pieces).split("\n")
        return re.sub(r"\n{3,}", "\n\n", "\n".join(_SPACES.sub(" ", line).strip() for line in lines)).strip()
