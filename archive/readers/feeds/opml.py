"""OPML (http://opml.org/spec2.opml): the list of feeds that a feed reader exports. It holds no articles itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from archive.article import Rejection
from archive.errors import SourceError
from archive.readers.charset import decoded
from archive.readers.feeds.feed_entry import web_address
from archive.readers.feeds.xml_repair import repaired_xml
from archive.readers.markup import plain_line
from archive.readers.xml import mended, root_of

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_OPML_BYTES = 5_000_000  # 5 MB: ten thousand feeds are 2 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A feed that a list names: its address, what the list calls it, and the folder it stands in."""

    url: str
    title: str | None = None
    category: str | None = None


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file is OPML by its root."""
    return root_of(start)[0].lower() == "opml"


def read(stream: BinaryIO, origin: str) -> Iterator[Rejection]:
    """Yield the reason why no article is in a list of feeds, and how to get those of its feeds."""
    try:
        yield no_article(subscriptions(stream.read(MAX_OPML_BYTES + 1)), origin)
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error))


def no_article(listed: Sequence[Subscription], origin: str) -> Rejection:
    """Return why no article is in a list of feeds, and how to get those of its feeds."""
    reason = f"a list of {len(listed):,} feeds (OPML), which holds no texts: `flask follow --opml` with this file"
    return Rejection(source=origin, reason=f"{reason} follows them")


def subscriptions(raw: bytes) -> list[Subscription]:
    """Return the feeds that the OPML file `raw` lists, each once. Raises SourceError when it is none."""
    if len(raw) > MAX_OPML_BYTES:
        raise SourceError(f"a list of feeds larger than {MAX_OPML_BYTES // 1_000_000} MB: split it")
    text = decoded(raw).lstrip()
    if not matches(raw, text):
        raise SourceError("not a list of feeds: OPML begins with <opml>")
    found: dict[str, Subscription] = {}
    for outline in mended(repaired_xml(text).encode("utf-8", "replace")).iter("{*}outline"):
        said = _attributes(outline)
        if (url := web_address(said.get("xmlurl"), base=None)) and url not in found:
            title = said.get("title") or said.get("text")
            folder = outline.getparent()
            above = _attributes(folder) if folder is not None else {}
            category = above.get("title") or above.get("text") or (said.get("category") or "").split(",")[0].strip("/ ")
            found[url] = Subscription(url=url, title=_line(title), category=_line(category))
    return list(found.values())


def _attributes(element: "_Element") -> dict[str, str]:
    """Return an element's attributes by their names in small letters: programs write xmlUrl in every way."""
    return {str(name).lower(): str(value) for name, value in element.items()}


def _line(text: str | None) -> str | None:
    return plain_line(text or "") or None
