"""XML from strangers: what its root is called, and its tree, without what makes XML dangerous.

A document type may declare entities that grow without end or fetch files, so a document that brings one with entities
in it is refused, nothing is loaded from anywhere, and depth and text stay within libxml2's own bounds.
"""

import re
from typing import TYPE_CHECKING

from archive.errors import SourceError
from archive.readers.charset import decoded

if TYPE_CHECKING:
    from lxml.etree import XMLParser, _Element

_PROLOG = re.compile(
    r"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?([\w.-]+)([^>]*)", re.DOTALL
)
_DECLARATION = re.compile(r"\A\s*<\?xml\s[^>]*\?>")
_ENTITY = re.compile(r"<!\s*(?:ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
DECLARES = "declares entities or elements of its own, as attacks do: save it without its DOCTYPE"


def root_of(start: str) -> tuple[str, str]:
    """Return the name of the root of a document that begins with `start` and its attributes, or empty texts."""
    root = _PROLOG.match(start)
    return (root[1], root[2]) if root else ("", "")


def declares_entities(text: str) -> bool:
    """Tell whether a document declares entities or elements of its own."""
    return _ENTITY.search(text) is not None


def parsed(raw: bytes) -> "_Element":
    """Return the root of a document, whatever encoding it says it is in.

    Raises SourceError when it is not well formed, or declares entities.
    """
    from lxml import etree

    text = _DECLARATION.sub(_line_ends, decoded(raw), count=1)
    if declares_entities(text):
        raise SourceError(DECLARES)
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), _parser(recover=False))
    except etree.XMLSyntaxError as error:
        raise SourceError(f"not well-formed XML: {error.msg}") from error


def _line_ends(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")  # so that lines keep their numbers


def mended(raw: bytes) -> "_Element":
    """Return the root of a document without a document type, of one that is not well formed what can be made out of it.

    Raises SourceError when that is nothing.
    """
    from lxml import etree

    try:
        root = etree.fromstring(raw, _parser(recover=True))
    except etree.XMLSyntaxError as error:
        raise SourceError(f"not XML: {error.msg}") from error
    if root is None:
        raise SourceError("not XML: no element in it")
    return root


def _parser(*, recover: bool) -> "XMLParser":
    from lxml import etree

    return etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
