"""Plain text out of the markup that bodies come in: HTML, XHTML and NITF share most of their names.

Invariant: paragraphs, list entries, headings and table rows are paragraphs; what is no text (scripts, pictures with
their captions, notes to editors) is left out; a line break in the source means nothing, `<br>` does.
"""

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archive.readers.elements import descendants, local_name, raw_text
from archive.readers.normalise import clean, has_words

if TYPE_CHECKING:
    from lxml.etree import _Element

BLOCKS = frozenset((
    "abstract", "address", "article", "aside", "block", "blockquote", "body", "body.content", "body.end",
    "body.head", "bq", "caption", "dd", "details", "div", "dl", "dt", "fn", "footer", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hl1", "hl2", "hr", "html", "legend", "li", "main", "nitf-table", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"
))  # fmt: skip
LEFT_OUT = frozenset((
    "audio", "button", "canvas", "figure", "form", "head", "iframe", "media", "noscript", "note", "object",
    "script", "style", "svg", "template", "video"
))  # fmt: skip
CELLS = frozenset({"td", "th"})

# Control characters that no text holds once it is cleaned.
_PARAGRAPH, _LINE = "\x02", "\x03"
_TAG = re.compile(
    r"</?(?:a|article|b|body|br|div|em|h[1-6]|html|i|li|ol|p|section|span|strong|sub|sup|table|ul)(?:\s[^>]*)?/?>",
    re.IGNORECASE,
)
_DECLARATION = re.compile(r"\s*<\?xml.*?\?>", re.DOTALL)


def looks_like_markup(text: str) -> bool:
    """Tell whether there are tags in `text`."""
    return _TAG.search(text) is not None


def markup_text(text: str) -> str:
    """Return the text in a piece of HTML or XHTML, whole page or fragment, a blank line between its paragraphs."""
    from lxml import html as lxml_html

    text = _DECLARATION.sub("", clean(text), count=1)
    if not has_words(text):
        return ""
    if not looks_like_markup(text):  # without a tag in it a blank line is all that can part paragraphs
        paragraphs = (" ".join(html.unescape(each).split()) for each in re.split(r"\n\s*\n", text))
        return "\n\n".join(each for each in paragraphs if each)
    parser = lxml_html.HTMLParser(encoding="utf-8")
    page = lxml_html.document_fromstring(text.encode(), parser=parser)
    contents = list(descendants(page, "body.content"))  # NITF
    return "\n\n".join(filter(None, map(element_text, contents))) if contents else element_text(page)


def element_text(root: "_Element") -> str:
    """Return the text in `root`, a blank line between its paragraphs."""
    paragraphs = []
    for paragraph in "".join(_pieces(root)).split(_PARAGRAPH):
        lines = (" ".join(each.split()) for each in paragraph.split(_LINE))
        paragraphs.append("\n".join(each for each in lines if each))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _pieces(root: "_Element") -> Iterator[str]:
    """Yield the text in pieces, with marks where paragraphs and lines end; by a stack, as depth is a guest's."""
    pending: list[_Element | str] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            yield node
            continue
        name = local_name(node).lower()
        if not name:
            text = node.text or ""
            yield html.unescape(text) if text.startswith("&") else ""
        elif name == "br":
            yield _LINE
        elif name == "pre":
            yield f"{_PARAGRAPH}{raw_text(node).replace(chr(10), _LINE)}{_PARAGRAPH}"
        elif name == "tr" and len(cells := _cells(node)) > 1:
            yield f"{_PARAGRAPH}{' | '.join(cells)}{_PARAGRAPH}"
        elif name not in LEFT_OUT:
            mark = _PARAGRAPH if name in BLOCKS else " " if name in CELLS else ""
            yield f"{mark}{node.text or ''}"
            pending.append(mark)
            for child in reversed(node):
                pending += [child.tail or "", child]


def _cells(row: "_Element") -> list[str]:
    texts = [" ".join(raw_text(cell).split()) for cell in row if local_name(cell).lower() in CELLS]
    return [text for text in texts if text]
