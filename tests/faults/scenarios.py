"""What is done to an archive while the machine fails: how it stood before, the command, and how it stands when done.

An article is a number here, and what is shown of it an edition: "first", "second", or None where it is not shown.
"""

import json
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from newsroom import MeaningEmbedder, QuickEmbedder, open_made_up
from processes import Newsroom

from archive.identity import article_id
from archive.ingest import ingest
from web.services import Services
from web.settings import Settings

ARTICLES = 20  # that there are, at most
SOURCE = "The Ledger"
EDITIONS = ("first", "second")
OLDER_EXPORT = b"an older export"
LETTERS = "abcdeilmnorstu"
Shown = Mapping[int, str | None]


def id_of(number: int) -> str:
    return article_id(url=None, source=SOURCE, source_id=f"r{number}", text="")


def title_of(number: int, edition: str) -> str:
    return f"Report {number}, {edition} edition"


def word_of(number: int, edition: str) -> str:
    """Return a word that stands in this edition of this article and nowhere else."""
    return "q" + "".join(random.Random(f"{number} {edition}").choices(LETTERS, k=11)) + "x"


def text_of(number: int, edition: str) -> str:
    chance = random.Random(f"text of {number} {edition}")
    paragraphs = [" ".join("".join(chance.choices(LETTERS, k=8)) for _ in range(9)) for _ in "ab"]
    return f"It was {word_of(number, edition)}. {paragraphs[0]}.\n\nThen {paragraphs[1]}, the {edition} time."


def learn() -> None:
    """Have the doubles of the model remember what they work out of these texts' words."""
    for embedder in (MeaningEmbedder(), QuickEmbedder()):
        embedder.embed([text_of(number, edition) for number in range(ARTICLES) for edition in EDITIONS])


class Room(Newsroom):
    """An archive, the articles that come to it, its ledger and an export, in one folder that is watched."""

    keywords = "auto"

    @property
    def ledger(self) -> Path:
        return self.folder / "kept" / "takedowns.jsonl"

    @property
    def exported(self) -> Path:
        return self.folder / "exported" / "archive.jsonl"

    def bring(self, name: str, shown: Shown) -> None:
        """Write a file of these articles."""
        (self.folder / "news").mkdir(exist_ok=True)
        rows = [
            {"id": f"r{number}", "source": SOURCE, "title": title_of(number, edition), "body": text_of(number, edition),
             "language": "en"}
            for number, edition in shown.items() if edition
        ]  # fmt: skip
        (self.folder / "news" / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def environment(self, *, pause: float = 0.0, most: int | None = None) -> dict[str, str]:
        return super().environment(pause=pause, most=most) | {
            "NEWSROOM_LOG": "",
            "BACKFILE_KEYWORDS": self.keywords,
            "BACKFILE_LEDGER": str(self.ledger),
        }

    @contextmanager
    def services(self) -> Iterator[Services]:
        settings = Settings(data=self.data, ledger=self.ledger, keywords=self.keywords)  # type: ignore[arg-type]
        services = Services(settings, open_model=open_made_up)
        try:
            yield services
        finally:
            services.close()


@dataclass(frozen=True)
class Scenario:
    """A command on an archive. `asked` are its arguments, where `{}` is the folder of the room.

    `after` says what has changed of `before` once it is done. `then` are the commands that an operator gives next where
    giving the same command again is not enough.
    """

    name: str
    asked: Sequence[str]
    before: Shown = field(default_factory=dict)
    after: Shown = field(default_factory=dict)
    removed: Sequence[int] = ()
    keywords: str = "auto"
    then: Sequence[Sequence[str]] = ()

    @property
    def done(self) -> Shown:
        """What is shown of every article in the end."""
        return {**self.before, **self.after}

    def arguments(self, room: Room) -> list[str]:
        return [each.replace("{}", str(room.folder)) for each in self.asked]

    def room(self, folder: Path) -> Room:
        """Return the room in a folder, for the command to be given in."""
        room = Room(folder)
        room.keywords = self.keywords
        return room

    def prepare(self, folder: Path) -> None:
        """Make the archive as it stands before the command, in two generations, and what the command takes in."""
        room = Room(folder)
        room.keywords = self.keywords
        room.ledger.parent.mkdir()
        room.exported.parent.mkdir()
        room.exported.write_bytes(OLDER_EXPORT)
        if self.before:
            self._fill(room)
        room.bring("news.jsonl", self.after if any(self.after.values()) else self.before)

    def _fill(self, room: Room) -> None:
        corrected = [number for number, edition in self.before.items() if edition == "second"]
        first = dict.fromkeys(self.before, "first")
        for name, shown in (("old.jsonl", first), ("corrections.jsonl", dict.fromkeys(corrected, "second"))):
            room.bring(name, shown)
            with room.services() as services:
                ingest([room.folder / "news"], services.store)
                for number in self.removed if name == "corrections.jsonl" else ():
                    services.store.remove(id_of(number), reason="court order")
                services.builder.update()
        shutil.rmtree(room.folder / "news")


OLD: Shown = {**dict.fromkeys(range(10), "first"), 10: "second", 11: "second"}
NEW: Shown = {12: "first", 0: "second", 13: "first", 1: "second", 14: "first", 15: "first"}
HIDDEN: Shown = {2: None, 10: None}
CHANGE = ("reindex", "--model", "quick", "--most-loss", "1", "--yes")
INGEST = ("ingest", "{}/news", "--json")

SCENARIOS = {
    each.name: each
    for each in (
        Scenario("ingest into nothing", INGEST, after=dict.fromkeys(range(8), "first")),
        Scenario("ingest and publish", INGEST, before=OLD, after=NEW),
        Scenario("ingest and publish by Tantivy", INGEST, before=OLD, after=NEW, keywords="tantivy"),
        Scenario(
            "remove",
            ("remove", *map(id_of, HIDDEN), "--reason", "court order"),
            before=OLD,
            after=HIDDEN,
            then=[("ingest", "{}/news")],  # what was removed already is not removed again; the index follows here
        ),
        Scenario("erase", ("erase",), before={**OLD, **HIDDEN}, removed=tuple(HIDDEN)),
        Scenario("reindex", ("reindex",), before=OLD),
        Scenario("change the model", CHANGE, before=OLD),
        Scenario("export", ("export", "-o", "{}/exported/archive.jsonl"), before=OLD),
    )
}
