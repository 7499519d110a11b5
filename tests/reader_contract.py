"""One valid sample of every format, and what may become of it on the way: what every reader is tested with.

To add a format, add one line to `SAMPLES`: its module, and the smallest file of it that gives an entry, as bytes.
"""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, ModuleType

from archive.article import Article, Entry, Record, Rejection
from archive.readers.agencies import newsml1, newsml_g2, ninjs, nitf
from archive.readers.feeds import feed, json_feed, opml, sitemap
from archive.readers.pages import html
from archive.readers.records import json_list, jsonl, own, table
from archive.readers.texts import mail, text

PAGE = b"""<!doctype html><html lang="en"><head><title>Bridge reopens</title></head><body><article>
<h1>Bridge reopens</h1>
<p>The old bridge over the river reopened on Monday after two years of repairs, the council said.</p>
<p>Hundreds of people crossed it on foot in the first hour, among them the engineer who drew the plans.</p>
</article></body></html>"""


FEED = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>The Courier</title><link>https://courier.example/</link>
<item><title>Bridge reopens</title><link>https://courier.example/bridge</link><guid isPermaLink="false">17</guid>
<pubDate>Wed, 10 Aug 2016 09:30:00 GMT</pubDate>
<description>&lt;p&gt;The old bridge reopened.&lt;/p&gt;</description></item>
</channel></rss>"""


JSON_FEED = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "The Courier", "items": [
{"id": "17", "url": "https://courier.example/bridge", "title": "Bridge reopens",
 "content_text": "The old bridge reopened."}
]}"""

OPML = b"""<opml version="2.0"><head><title>Papers</title></head><body><outline text="Local">
<outline text="The Courier" type="rss" xmlUrl="https://courier.example/feed.xml"/></outline></body></opml>"""

SITEMAP = b"""<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://courier.example/bridge</loc><lastmod>2016-08-10</lastmod></url></urlset>"""

NEWSML_G2 = b"""<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/"
guid="urn:x:17" version="2">
<itemMeta><versionCreated>2016-08-10T09:30:00Z</versionCreated></itemMeta>
<contentMeta><headline>Bridge reopens</headline></contentMeta><contentSet><inlineXML><html>
<body><p>The old bridge reopened.</p></body></html></inlineXML></contentSet></newsItem>"""

NEWSML1 = b"""<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>courier.example</ProviderId>
<DateId>20160810</DateId><NewsItemId>17</NewsItemId><RevisionId PreviousRevision="0" Update="N">1</RevisionId>
</NewsIdentifier></Identification><NewsManagement><Status FormalName="Usable"/></NewsManagement><NewsComponent>
<NewsLines><HeadLine>Bridge reopens</HeadLine></NewsLines><ContentItem><DataContent><p>The old bridge reopened.</p>
</DataContent></ContentItem></NewsComponent></NewsItem></NewsML>"""

NITF = b"""<nitf><head><docdata><doc-id regsrc="Courier" id-string="17"/></docdata></head><body><body.head><hedline>
<hl1>Bridge reopens</hl1></hedline></body.head>
<body.content><p>The old bridge reopened.</p></body.content></body></nitf>"""

NINJS = b"""{
  "uri": "urn:newsml:courier.example:20160810:17",
  "versioncreated": "2016-08-10T09:30:00Z", "pubstatus": "usable",
  "headline": "Bridge reopens", "body_xhtml": "<p>The old bridge reopened.</p>"
}"""

OWN = b"""{"backfile": 1, "exported_at": "2026-11-29T15:38:59+00:00", "articles": 1}
{"backfile": "article", "id": "00000000000000a1", "status": "live", "version": 1, \
"versions": [{"version": 1, "row": 1, \
"ingested_at": "2026-11-29T15:38:59+00:00", "title": "Bridge reopens", "body": "The old bridge reopened."}], \
"changes": [{"seq": 1, "version": 1, "kind": "added", "at": "2026-11-29T15:38:59+00:00"}]}
"""


@dataclass(frozen=True)
class Sample:
    """A file of one format, whole and valid, and what the reader is to find in it at least once."""

    raw: bytes
    gives: type[Entry] = Article


SAMPLES: dict[ModuleType, Sample] = {
    feed: Sample(FEED),
    html: Sample(PAGE),
    json_feed: Sample(JSON_FEED),
    jsonl: Sample(b'{"title": "Bridge reopens", "body": "The old bridge reopened."}\n'),
    json_list: Sample(b'[\n  {\n    "title": "Bridge reopens",\n    "body": "The old bridge reopened."\n  }\n]'),
    mail: Sample(
        b"From: The Courier <a@b.example>\nSubject: Bridge\nMessage-ID: <1@b.example>\n\nThe old bridge reopened."
    ),
    opml: Sample(OPML, gives=Rejection),
    own: Sample(OWN, gives=Record),
    sitemap: Sample(SITEMAP, gives=Rejection),
    newsml1: Sample(NEWSML1),
    newsml_g2: Sample(NEWSML_G2),
    ninjs: Sample(NINJS),
    nitf: Sample(NITF),
    table: Sample(b"title,body\nBridge reopens,The old bridge reopened.\n"),
    text: Sample(b"Title: Bridge reopens\n\nThe old bridge reopened."),
}

TOKEN = 1_000_000  # bytes of a word without end
DEPTH = 20_000
CUTS = 12  # places at which a sample is cut off
NESTS = {
    "elements": b"<a>",
    "divisions": b"<div>",
    "lists": b"[",
    "objects": b'{"a":',
    "quotes": b'"',
    "comments": b"<!--",
}


def hostile(sample: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield inputs that no reader may stumble over, each with its name: some bare, some in the midst of `sample`."""
    chance = random.Random(7)
    half = len(sample) // 2
    yield "nothing", b""
    yield "blanks", b" \n" * 500
    yield "any bytes", chance.randbytes(5_000)
    yield "NULs", b"\0" * 5_000
    yield "NULs inside", b"\0".join(sample[place : place + 9] for place in range(0, len(sample), 9))
    yield "a byte changed here and there", bytes(byte if chance.random() > 0.02 else 255 - byte for byte in sample)
    for cut in range(1, CUTS):
        yield f"cut at {cut}/{CUTS}", sample[: len(sample) * cut // CUTS]
    yield "twice", sample + sample
    yield "a word without end", b"a" * TOKEN
    yield "a word without end inside", sample[:half] + b"a" * TOKEN + sample[half:]
    for name, opening in NESTS.items():
        yield f"{name} in {name}", opening * DEPTH
        yield f"{name} in {name} inside", sample[:half] + opening * DEPTH + sample[half:]


def prologues() -> Iterator[bytes]:
    """Yield beginnings in which a pattern that looks for a document's root could search without end."""
    for piece in (
        b" ",
        b"\n",
        b"<?x?> ",
        b"<!DOCTYPE a> ",
        b"<!DOCTYPE [",
        b"<?x ",
        b"<!--",
        b"<!-- --> ",
        b"a: b\n",
        b'{"a',
        b"<",
    ):
        for first in (b"", b"<?xml version='1.0'?>", b"x"):
            yield first + piece * 20_000 + b"x"


class TookTooLong(BaseException):
    """Not an Exception, so that no reader takes it for one of its library's."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TookTooLong when what is done inside takes more processor time than this, whatever others use."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
