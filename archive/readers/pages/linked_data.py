"""What a page's JSON-LD says about the article in it (https://schema.org/NewsArticle), broken as it often is.

Invariant: only what describes this page is taken, never what describes the articles it links to; what is too large or
too deep is passed over.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from archive.readers.markup import plain_line
from archive.readers.pages.page_address import key

MAX_BLOCKS = 50  # a page has one to five
MAX_BLOCK_CHARS = 1_000_000  # a long live blog with all its posts
MAX_NODES = 2_000  # lists of related articles stay below 100
MAX_DEPTH = 6  # of lists and graphs inside each other; articles lie at 1 to 3
MAX_NAMES = 50  # authors of one article

# Under these an article can be the subject; under others (itemListElement, hasPart) stand those it leads to.
_HOLDERS = ("@graph", "mainEntity", "mainEntityOfPage")
_ARTICLE_TYPE = re.compile(r"(?:.*[/:#])?(?:\w*Article|\w*BlogPosting|Report|Review\w*)", re.IGNORECASE)
_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?://)?\s*(?:-->|\]\]>)\s*;?\s*$"
)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)
_BAD_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9A-Fa-f]{4})|(.|$))', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One entry of a live blog. The date is as it was written; the body may hold markup."""

    headline: str
    published: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedArticle:
    """What is said about the article, cleaned; what is not said is empty. Dates are as they were written."""

    headline: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    updated: str = ""
    section: str = ""
    language: str = ""
    publisher: str = ""
    urls: tuple[str, ...] = ()
    body: str = ""  # may hold markup
    updates: tuple[Update, ...] = ()
    is_free: bool = True


_Node = Mapping[str, object]


def linked_article(blocks: Iterable[str], *, keys: Sequence[str], titles: Sequence[str]) -> LinkedArticle:
    """Return what the blocks say about the page's own article.

    It is the one whose address is among `keys` (see `page_address.key`), or whose headline is one of
    `titles`, or the only one that is said to be the page's.
    """
    nodes: list[_Node] = []
    named: dict[str, _Node] = {}
    for block in list(blocks)[:MAX_BLOCKS]:
        for node in _nodes(parsed(block)):
            nodes.append(node)
            if isinstance(name := node.get("@id"), str) and len(node) > len(named.get(name, ())):
                named[name] = node
    articles = [node for node in nodes if _is_article(node)]
    own = _own(articles, set(keys), {_folded(title) for title in titles})
    merged: dict[str, object] = {}
    for node in own:
        for name, value in node.items():
            if value not in (None, "", [], {}):
                merged.setdefault(name, value)
    return _described(merged, named, urls=tuple(url for node in own for url in addresses(node)))


def parsed(block: str) -> list[object]:
    """Return the values a block holds, none where it cannot be understood."""
    if len(block) > MAX_BLOCK_CHARS:
        return []
    text = _WRAPPING.sub("", block).strip().strip(";").replace("\0", "")
    candidates = [text]
    if "&quot;" in text and '"' not in text:
        candidates = [text := html.unescape(text)]
    mended = _TRAILING_COMMA.sub(lambda match: match[1] or "", text)
    candidates += [mended, _BAD_ESCAPE.sub(lambda match: match[0] if match[1] else match[2], mended)]
    for candidate in candidates:
        values = _values(candidate)
        if values:
            return values
    return []


def _values(text: str) -> list[object]:
    """Return the JSON values at the start of `text`: some sites write several without a list around them."""
    decoder = json.JSONDecoder(strict=False)  # line breaks and tabs inside strings are common
    values: list[object] = []
    position = 0
    while position < len(text) and len(values) < MAX_BLOCKS:
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return values
        values.append(value)
        while position < len(text) and text[position] in " \t\r\n,;":
            position += 1
    return values


def _nodes(values: list[object]) -> Iterator[_Node]:
    """Yield the objects that can be the page's subject or be named by it, in the order of the page."""
    pending = [(value, 0) for value in reversed(values)]
    for _ in range(MAX_NODES):
        if not pending:
            return
        value, depth = pending.pop()
        inside: list[object] = []
        if isinstance(value, list):
            inside = value[:MAX_NODES]
        elif _is_node(value):
            yield value
            inside = [value[name] for name in _HOLDERS if name in value]
        if depth < MAX_DEPTH:
            pending += [(each, depth + 1) for each in reversed(inside)]


def _is_node(value: object) -> TypeGuard[_Node]:
    return isinstance(value, dict)


def _is_article(node: _Node) -> bool:
    types = node.get("@type")
    listed = types if isinstance(types, list) else [types]
    return any(isinstance(each, str) and _ARTICLE_TYPE.fullmatch(each.strip()) for each in listed)


def _own(articles: list[_Node], keys: set[str], titles: set[str]) -> list[_Node]:
    by_address = [node for node in articles if any(key(url) in keys for url in addresses(node))]
    if by_address:
        return by_address
    by_title = [node for node in articles if _folded(_text(node.get("headline") or node.get("name"))) in titles - {""}]
    if by_title:
        return by_title
    return articles if len(articles) == 1 else []


def addresses(node: _Node) -> list[str]:
    """Return the addresses the node gives for itself."""
    found: list[str] = []
    for name in ("url", "mainEntityOfPage", "@id"):
        value = node.get(name)
        inside = [value.get("@id"), value.get("url")] if _is_node(value) else [value]
        found += [each for each in inside if isinstance(each, str)]
    return found


def _folded(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _described(node: _Node, named: Mapping[str, _Node], *, urls: tuple[str, ...]) -> LinkedArticle:
    publisher = next(iter(_names(node.get("publisher") or node.get("sourceOrganization"), named)), "")
    body = node.get("articleBody")
    return LinkedArticle(
        headline=_text(node.get("headline")) or _text(node.get("name")),
        authors=tuple(_names(node.get("author") or node.get("creator"), named)),
        published=_text(node.get("datePublished")),
        updated=_text(node.get("dateModified")),
        section=_text(node.get("articleSection")),
        language=_language(node.get("inLanguage")),
        publisher=publisher,
        urls=urls,
        body=body if isinstance(body, str) else "",
        updates=tuple(_updates(node.get("liveBlogUpdate"))),
        is_free=str(node.get("isAccessibleForFree", True)).strip().casefold()
        not in ("false", "http://schema.org/false"),
    )


def _updates(value: object) -> Iterator[Update]:
    for each in value[:MAX_NODES] if isinstance(value, list) else [value]:
        if _is_node(each) and isinstance(body := each.get("articleBody"), str):
            yield Update(headline=_text(each.get("headline")), published=_text(each.get("datePublished")), body=body)


def _text(value: object) -> str:
    """Return the text of a value: of a list the first that is one, of an object its `@value`."""
    if isinstance(value, list):
        return next((text for each in value[:MAX_NAMES] if not isinstance(each, list) and (text := _text(each))), "")
    if _is_node(value):
        value = value.get("@value")
    return plain_line(value) if isinstance(value, str) else ""


def _language(value: object) -> str:
    if _is_node(value):
        value = value.get("alternateName") or value.get("name")
    return _text(value)


def _names(value: object, named: Mapping[str, _Node]) -> list[str]:
    """Return the names of people or organizations, given as texts, objects, references or lists of these."""
    names: list[str] = []
    for each in value[:MAX_NAMES] if isinstance(value, list) else [value]:
        if isinstance(each, str):
            names.append(plain_line(each))
        elif _is_node(each):
            node = each if "name" in each else named.get(str(each.get("@id")), {})
            names += [plain_line(name) for name in _listed(node.get("name")) if isinstance(name, str)]
    return [name for name in names if name]


def _listed(value: object) -> list[object]:
    return value[:MAX_NAMES] if isinstance(value, list) else [value]
