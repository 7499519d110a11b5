"""Ways through an XML tree by local names: agencies use the same elements with and without namespaces, or with others.

Invariant: what is not there is an empty text or nothing, never an error; text comes out readable, with the characters
that a name such as `&eacute;` stands for, although no document type was read.
"""

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archive.readers.normalise import one_line

if TYPE_CHECKING:
    from lxml.etree import _Element

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def local_name(element: "_Element") -> str:
    """Return the name without its namespace; empty for what is no element, such as a comment."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def every(parent: "_Element", path: str) -> "Iterator[_Element]":
    """Yield the elements at `path` below `parent`, in document order: local names and slashes, `*` for any."""
    name, _, rest = path.partition("/")
    for child in parent:
        if local_name(child) == name or (name == "*" and local_name(child)):
            if rest:
                yield from every(child, rest)
            else:
                yield child


def first(parent: "_Element", path: str) -> "_Element | None":
    """Return the first element at `path`, or None."""
    return next(every(parent, path), None)


def descendants(parent: "_Element", *names: str) -> "Iterator[_Element]":
    """Yield every element below `parent` with one of these local names, in document order."""
    for element in parent.iter():
        if element is not parent and local_name(element) in names:
            yield element


def raw_text(element: "_Element") -> str:
    """Return all text in `element` as it stands, named characters read."""
    pieces = [element.text or ""]
    for inner in element.iterdescendants():
        tag: object = inner.tag
        own = inner.text or ""
        if isinstance(tag, str):
            pieces.append(own)
        elif own.startswith("&"):  # an entity that the document type, which is not read, would have explained
            pieces.append(html.unescape(own))
        pieces.append(inner.tail or "")
    return "".join(pieces)


def line(element: "_Element | None") -> str:
    """Return the text in `element` on one line."""
    return "" if element is None else one_line(raw_text(element))


def lines_at(parent: "_Element", path: str) -> list[str]:
    """Return the texts at `path`, each on one line, without empty ones."""
    return [text for element in every(parent, path) if (text := line(element))]


def attribute(parent: "_Element", path: str, name: str) -> str:
    """Return an attribute of the first element at `path` that has it, on one line."""
    return next((value for element in every(parent, path) if (value := one_line(element.get(name) or ""))), "")


def line_number(element: "_Element") -> int | None:
    """Return the line of the document on which the element begins."""
    number: object = element.sourceline
    return number if isinstance(number, int) else None


def bytes_of(element: "_Element") -> bytes:
    """Return the element as a document of its own."""
    from lxml import etree

    return etree.tostring(element, encoding="utf-8", with_tail=False)
