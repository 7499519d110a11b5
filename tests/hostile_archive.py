"""An archive of which every field is a script that wants to run: `payloads/xss.json`, one article each and more.

Each payload calls `pwned()`, or asks another host for something. They come in by readers, as whoever writes them would
send them, and once more past the readers, addresses and languages too. The text of each has the words of `WORDS` around
and inside the payload, so that a search for those puts marks into the middle of it.

With `BACKFILE_TEST_PAYLOADS=all` tests read the page of every article and every query, some minutes, instead of a part.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import newsroom
from newsroom import MeaningEmbedder, article

from archive.grouping import find_copies
from archive.ingest import ingest
from web.services import Services
from web.settings import Settings

FAMILIES: dict[str, list[str]] = json.loads((Path(__file__).parent / "payloads" / "xss.json").read_text("utf-8"))
ALL = os.environ.get("BACKFILE_TEST_PAYLOADS") == "all"
EVERY = 1 if ALL else 10  # of the pages that differ in their article alone, which one is read
PAYLOADS = [payload for family in FAMILIES.values() for payload in family]
WORDS = "hostile OR pwned OR script OR img OR onerror OR svg OR javascript OR onload OR onfocus OR style"
IN_FEED = FAMILIES["tags"] + FAMILIES["data blocks"] + FAMILIES["svg and math"]
CORRECTED = FAMILIES["attributes"]  # come in twice, with a note
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
WIRES = 60  # articles that are copies of each other, in pairs


def open_archive(folder: Path) -> Services:
    """Return the services of an archive that holds all of this, indexed, with stories, copies and a saved search."""
    services = Services(
        Settings(
            data=folder / "data", robots="allow", smtp_url="smtp://mail.example", mail_from="a@example.org",
            site_name="Backfile \"><script>pwned()</script>",
        ),
        embedder=MeaningEmbedder(),
    )  # fmt: skip
    inputs = folder / "inputs"
    inputs.mkdir()
    (inputs / "all.jsonl").write_text(_lines(_record(number, each) for number, each in enumerate(PAYLOADS)), "utf-8")
    (inputs / "notes.jsonl").write_text(_lines(_item(number, each) for number, each in enumerate(CORRECTED)), "utf-8")
    (inputs / "feed.xml").write_text(_feed(), "utf-8", errors="replace")
    report = ingest([inputs], services.store, quarantine=services.quarantine)
    assert report.added > len(PAYLOADS)
    for number, payload in enumerate(PAYLOADS):
        services.store.put(smuggled(number, payload))
    for number in range(10):
        services.store.put(newsroom.ORDINARY[number])
    find_copies(services.store)
    services.builder.update()
    newsroom.tell(services)
    services.store.remove(newsroom.ORDINARY[9].id, reason=PAYLOADS[0])
    return services


def _lines(records: Iterable[dict[str, object]]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


def _record(number: int, payload: str) -> dict[str, object]:
    return {
        "id": f"{number} {payload}",
        "url": payload if number % 3 == 0 else f"https://news.example/{number}/{payload}",
        "title": f"Hostile {number} {payload}",
        "body": f"Hostile report {number}: {payload} pwned.\n\n{payload}\n\nA flood {payload} in Millbrook.",
        "source": f"Outlet {payload}",
        "section": payload,
        "authors": [payload, f"By {payload}"],
        "language": payload,
        "published_at": (FIRST + timedelta(hours=number)).isoformat(),
    }


def _item(number: int, payload: str) -> dict[str, object]:
    """Return a correction as agencies write it, ninjs, with what it corrects."""
    return {
        "uri": f"https://agency.example/{number}",
        "type": "text",
        "pubstatus": "usable",
        "version": "2",
        "ednote": f"CORRECTS {payload}",
        "headline": f"Hostile note {number} {payload}",
        "byline": payload,
        "language": "en",
        "versioncreated": (FIRST + timedelta(days=400, hours=number)).isoformat(),
        "body_text": f"Hostile correction {number} {payload}.",
    }


def _feed() -> str:
    """Return a feed with the payloads as titles and names, escaped once, and twice in what is HTML."""
    entries = "".join(
        f"<entry><id>urn:x:{number}</id><title type='html'>{escape(escape(f'Hostile entry {number} {each}'))}</title>"
        f"<link href='https://feed.example/{number}?x={quote(each, errors='replace')}'/>"
        f"<author><name>{escape(each)}</name></author><updated>2022-01-01T00:00:00Z</updated>"
        f"<content type='html'>{escape(f'<p>Hostile words {number} of a feed. {escape(each)}</p>{each}')}</content>"
        "</entry>"
        for number, each in enumerate(map(_for_xml, IN_FEED))
    )
    return f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'


def _for_xml(payload: str) -> str:
    return "".join(sign for sign in payload if sign >= " " or sign in "\t\n")


def smuggled(number: int, payload: str) -> newsroom.Article:
    """Return an article that no reader would have made, with a note; of the first, each second is a copy of another."""
    said = "x" if number < WIRES else payload
    return replace(
        article(1000 + number),
        title=f"Smuggled {number} {payload}",
        body=f"Hostile flood. {said} " + " ".join(f"word{number // 2}x{n}" for n in range(60)),
        url=payload,
        source=payload,
        section=payload,
        authors=(payload,),
        language=payload,
        note=payload,
        published_at=FIRST + timedelta(days=200, hours=number),
    )
