"""Feeds and sitemaps as programs write them, made into XML that a strict parser takes. Pure.

Invariant: what is well formed and has no document type comes out meaning the same. No declaration is kept, so nothing
can be defined or fetched; entities that are HTML's, or short and declared, become the characters they stand for.
"""

import html
import re

from archive.errors import SourceError

MAX_DECLARED = 16  # characters of what an entity may stand for: names are at least as long as a fifth of that

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>", re.IGNORECASE)
_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^\[>]*", re.IGNORECASE)
_SUBSET_END = re.compile(r"\]\s*>")
_DECLARED = re.compile(
    rf"""<!ENTITY\s+([\w.-]+)\s+(?:"([^"<%]{{0,{MAX_DECLARED}}})"|'([^'<%]{{0,{MAX_DECLARED}}})')\s*>"""
)
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_AMPERSAND = re.compile(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[\w.-]{1,40});)?")
_OF_XML = {"amp", "lt", "gt", "quot", "apos"}


def repaired_xml(text: str) -> str:
    """Return `text`, which begins with its XML declaration or later, without declarations and with every `&` in order.

    Raises SourceError where the document type has no end.
    """
    text = _XML_DECLARATION.sub("", _NOT_XML.sub("", text))
    text, declared = _without_doctype(text)

    def character(found: re.Match[str]) -> str:
        return _reference(found[1] or "", declared)

    parts = _CDATA.split(text)  # the pieces with odd numbers are CDATA sections
    return "".join(part if number % 2 else _AMPERSAND.sub(character, part) for number, part in enumerate(parts))


def _without_doctype(text: str) -> tuple[str, dict[str, str]]:
    """Return `text` without its document type, and the short entities that this declared."""
    root = _FIRST_ELEMENT.search(text)
    doctype = _DOCTYPE.search(text, 0, root.start()) if root else None
    if not doctype:
        return text, {}
    if not text.startswith("[", doctype.end()):
        return text[: doctype.start()] + text[doctype.end() + 1 :], {}
    end = _SUBSET_END.search(text, doctype.end())
    if not end:
        raise SourceError("its DOCTYPE has no end: save it without")
    declared = {name: double or single for name, double, single in _DECLARED.findall(text, doctype.end(), end.start())}
    return text[: doctype.start()] + text[end.end() :], declared


def _reference(name: str, declared: dict[str, str]) -> str:
    """Return what stands for `&name;` in XML without declarations."""
    if name in _OF_XML:
        return f"&{name};"
    if name.startswith("#"):
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return f"&{name};" if code <= 0x10FFFF and not _NOT_XML.match(chr(code)) else ""
    if name in declared:
        return html.escape(html.unescape(declared[name]), quote=True)
    meant = html.entities.html5.get(f"{name};")  # type: ignore[attr-defined]
    if meant:
        return html.escape(meant)
    return f"&amp;{name};" if name else "&amp;"
