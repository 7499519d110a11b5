"""The archive: every SQL statement there is, over one database, but those of a few tables.

`archive.alerts`, `archive.questions`, `archive.takedowns`, `archive.erasing`, `archive.tokens`, `archive.models` and
`archive.asked` hold their own.

This file is long because it is the one place where SQL stands, and holds nothing else.

Invariants: a method that writes is one transaction, and what it has returned from is on the disk. Every version of an
article is kept. Each change of an article appends to the change log in the same transaction, so the log's numbers are
committed in order. Readers never wait for a writer. How values are packed into a column is `archive.packing`'s
business.

The statements are written in the SQL that every database of `archive.database` understands.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from heapq import nsmallest
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from archive.arrival import UNTIL_FURTHER_NOTICE, Arrival, Known, Outcome, decide
from archive.article import (
    Article,
    Change,
    ChangeKind,
    Edition,
    Listing,
    Logged,
    Passage,
    Record,
    Rejection,
    Status,
    Withdrawal,
)
from archive.database import BATCH, Bindings, Connection, Database, batches, listed, marks
from archive.errors import ArchiveDamaged, ArticleNotFound
from archive.identity import content_hash
from archive.ingest_run import MOST_RUNS, IngestRun
from archive.ledger import Ledger
from archive.packing import CRC, PASSAGE, guarded, pack_passages, pack_text, unguarded, unpack_passages, unpack_text
from archive.sqlite_database import NOT_AS_WRITTEN, RESTORE, SqliteDatabase
from archive.story import Event, Report, Story, StorySize, Telling
from archive.takedowns import IMPORTED, TAKEN_BACK, note_removed

log = logging.getLogger(__name__)

# What became of a record that was to be restored; differs: other versions stand here already.
Restored = Literal["added", "updated", "held", "unchanged", "withdrawn", "differs"]

# A row of `Store.filings`: article id, seq of its last change, whether it is shown, source, section, authors (JSON),
# language, published_at (ISO 8601), all as they are stored.
Filing = tuple[str, int, bool, str | None, str | None, str, str | None, str | None]

_VERSION_COLUMNS = (
    "v.article_id, v.title, b.packed, v.url, v.source, v.section, v.authors, v.language, v.published_at, v.updated_at,"
    " v.version, a.status, v.derived_title, v.embargoed_until, v.source_version, v.note, v.sha256"
)
# For a reader who knows which articles: as an expression it keeps SQLite from going through all that is shown.
_IS_LIVE = "a.status || '' = 'live'"
_FOREVER = UNTIL_FURTHER_NOTICE.isoformat()
_SHOWN = "FROM article a JOIN version v ON v.article_id = a.article_id AND v.version = a.version"
_LOG = "INSERT INTO change (article_id, version, kind, reason, at) VALUES (?, ?, ?, ?, ?)"
_WITH_BODY = "JOIN body b ON b.version_id = v.version_id"


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """One line of an article's history."""

    version: int
    title: str
    ingested_at: datetime
    updated_at: datetime | None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedGeneration:
    """What the archive remembers of a generation it published."""

    number: int
    seq: int
    manifest_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveStats:
    """How much there is. `articles` counts what is shown; times are of the shown articles that have one.

    `copies` counts the shown articles that have a copy among them.
    """

    articles: int
    removed: int
    versions: int
    passages: int
    embeddings: int
    copies: int
    sources: int
    earliest: datetime | None
    latest: datetime | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an archive has come: its last change, 0 where there is none, and when that was; and what goes by it."""

    seq: int
    at: datetime | None
    telling: Telling
    copies_seq: int
    published: PublishedGeneration | None


def open_store(where: Path | str, *, ledger: Ledger | None = None, noted: str | None = None) -> "Store":
    """Open the archive in a file of SQLite, or at the address of a PostgreSQL database. Raises ArchiveError.

    With `noted`, one that holds nothing yet has that key in `meta` from its first moment on.
    """
    if isinstance(where, Path):
        return Store(SqliteDatabase(where, noted=noted), ledger=ledger)
    from archive.postgres_database import PostgresDatabase  # which hardly any archive needs

    return Store(PostgresDatabase(where, noted=noted), ledger=ledger)


class Store:
    """An archive in a database: of SQLite at a path, made when it is not there. Safe to use from several threads."""

    def __init__(
        self,
        where: Path | Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ledger: Ledger | None = None,
    ) -> None:
        """Open the database and bring its schema up to date. Raises ArchiveDamaged when that is impossible.

        With a `ledger`, no article is removed without a line in it.
        """
        self.database: Database = SqliteDatabase(where) if isinstance(where, Path) else where
        self._ledger = ledger
        self._clock = clock
        try:
            self.uuid: str = self.one("SELECT value FROM meta WHERE key = 'uuid'")[0]
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Close every connection; the store is not used afterwards, but may be closed again."""
        self.database.close()

    def snapshot(self) -> AbstractContextManager[None]:
        """Let this thread read the archive as it is now, whatever is written meanwhile."""
        return self.database.snapshot()

    # For the modules that hold the statements of their own tables

    def transaction(self) -> AbstractContextManager[Connection]:
        """Return a context in which the one connection that writes is lent; an exception undoes what was done in it."""
        return self.database.transaction()

    def change(self, sql: str, bindings: Bindings = ()) -> int:
        """Run one statement that writes, alone, and return how many rows it changed."""
        with self.transaction() as connection:
            connection.execute(sql, bindings)
            return connection.changes()

    def rows(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement that only reads."""
        return self.database.rows(sql, bindings)

    def one(self, sql: str, bindings: Bindings = ()) -> Any:  # noqa: ANN401 a row of any shape
        """Return the first of them, None when there is none."""
        return next(self.rows(sql, bindings), None)

    # Articles

    def put(self, article: Article) -> Outcome:
        """Keep `article` as a new article or as the next version of a known one, and say which.

        It is known by its id or by one of its aliases. `archive.arrival` decides what becomes of it: nothing changes
        when any version has this very content (an old file that is read again does not undo a correction), or when the
        article was removed: a takedown holds whatever arrives later. "held" is what may not be shown yet.
        """
        now = self._clock()
        with self.transaction() as connection:
            article = replace(article, id=self._known_as(connection, article.id, article.aliases))
            digest = content_hash(article)
            known = self._known(connection, article.id, self._same_content(connection, article))
            arrival = decide(article, known, now=now)
            if arrival.outcome != "unchanged":
                self._arrive(connection, article, arrival, digest=digest)
            return arrival.outcome

    def _known_as(self, connection: Connection, article_id: str, aliases: Sequence[str]) -> str:
        """Return the id under which an article is kept, or is to be kept; what else it is called is noted."""
        kept, unheard = self._named(connection, article_id, aliases)
        self._note_names(connection, kept, unheard)
        return kept

    @staticmethod
    def _named(connection: Connection, article_id: str, aliases: Sequence[str]) -> tuple[str, list[str]]:
        """Return the id under which an article is kept, or is to be kept, and those of its names never heard of."""
        names = list(dict.fromkeys([article_id, *aliases]))
        asked, bindings = listed([(name,) for name in names])
        rows = dict(
            connection.execute(
                f"SELECT asked.column1, coalesce(a.article_id, l.article_id) FROM {asked} asked"
                " LEFT JOIN article a ON a.article_id = asked.column1 LEFT JOIN alias l ON l.alias = asked.column1",
                bindings,
            )
        )
        kept = next((rows[name] for name in names if rows[name]), article_id)
        return kept, [name for name in names if name != kept and rows[name] is None]

    @staticmethod
    def _note_names(connection: Connection, article_id: str, names: Sequence[str]) -> None:
        connection.executemany(
            "INSERT INTO alias (alias, article_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(name, article_id) for name in names],
        )

    @staticmethod
    def _same_content(connection: Connection, article: Article) -> Collection[bytes]:
        """Return the hashes of what says the same as `article`.

        A guess is nothing that a source says: no version differs from what arrives by the language alone, whether that
        was guessed otherwise, declared, or unknown to an archive from before guesses were made.
        """
        languages = {article.language}
        if article.language is None or article.language_guessed:
            kept = connection.execute("SELECT DISTINCT language FROM version WHERE article_id = ?", (article.id,))
            languages.update(language for (language,) in kept)
        return {content_hash(replace(article, language=language)) for language in languages}

    @staticmethod
    def _known(connection: Connection, article_id: str, same: Collection[bytes]) -> Known | None:
        versions = connection.execute(
            "SELECT a.status, v.embargoed_until, v.source_version, v.sha256 FROM article a"
            " JOIN version v ON v.article_id = a.article_id WHERE a.article_id = ? ORDER BY v.version",
            (article_id,),
        ).fetchall()
        if not versions:
            return None
        status, newest_embargo, _, newest_digest = versions[-1]
        return Known(
            status=status,
            was_shown=any(embargo is None for _, embargo, _, _ in versions),
            newest_embargo=_time(newest_embargo),
            source_version=max((number for _, _, number, _ in versions if number is not None), default=None),
            has_text=any(digest in same for *_, digest in versions),
            newest_has_text=newest_digest in same,
        )

    def _arrive(
        self,
        connection: Connection,
        article: Article,
        arrival: Arrival,
        *,
        digest: bytes,
        noted_reason: str | None = TAKEN_BACK,
    ) -> None:
        (newest,) = connection.execute(
            "SELECT coalesce(max(version), 0) FROM version WHERE article_id = ?", (article.id,)
        ).fetchone()
        if arrival.holds_all:
            connection.execute(
                "UPDATE version SET embargoed_until = ? WHERE article_id = ? AND embargoed_until IS NOT NULL",
                (_iso(UNTIL_FURTHER_NOTICE), article.id),
            )
        if arrival.keep:
            newest += 1
            self._insert_version(connection, article, version=newest, digest=digest)
        connection.execute(
            "UPDATE version SET embargoed_until = ? WHERE article_id = ? AND version = ?",
            (_iso(arrival.embargo), article.id, newest),
        )
        connection.execute(
            "INSERT INTO article (article_id, version, status, published_at) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (article_id) DO UPDATE SET status = excluded.status,"
            " version = CASE ?5 WHEN 1 THEN excluded.version ELSE article.version END,"
            " published_at = CASE ?5 WHEN 1 THEN excluded.published_at ELSE article.published_at END",
            (article.id, newest, arrival.status, _iso(article.published_at), int(arrival.show_newest)),
        )
        kind: ChangeKind = "updated" if arrival.outcome == "unchanged" else arrival.outcome
        self._log(connection, article.id, version=newest, kind=kind, reason=article.note)
        if arrival.status == "removed":
            note_removed(connection, self._ledger, article.id, reason=noted_reason)

    def withdraw(self, withdrawal: Withdrawal, *, noted_reason: str | None = TAKEN_BACK) -> bool:
        """Take away what a source takes back, for good or until it is usable, and say whether that changed anything.

        What is not known yet is noted as removed, so that it stays away when it arrives late. A hold is a version
        without words that is withheld: an older version does not undo it, and a later one takes its place. What the
        source says of it may quote the text, and goes with it: for good `noted_reason` is kept.
        """
        if not withdrawal.for_good:
            return self.put(_held(withdrawal)) == "held"
        with self.transaction() as connection:
            article_id = self._known_as(connection, withdrawal.id, withdrawal.aliases)
            gone = Article(
                id=article_id,
                title="",
                body="",
                source=withdrawal.source,
                status="removed",
                note=withdrawal.reason or None,
            )
            known = self._known(connection, article_id, {content_hash(gone)})
            if known is None:
                arrival = Arrival(outcome="held", keep=True, status="removed", show_newest=True)
                self._arrive(connection, gone, arrival, digest=content_hash(gone), noted_reason=noted_reason)
                return True
            if known.status == "removed":
                note_removed(connection, self._ledger, article_id, reason=noted_reason)  # unless it is noted
                return False
            if withdrawal.source_version is not None and withdrawal.source_version < (known.source_version or 0):
                return False
            self._remove(connection, article_id, reason=withdrawal.reason, noted_reason=noted_reason)
            return True

    def release(self) -> list[str]:
        """Show what was embargoed until now, and return the ids of those articles."""
        now = _iso(self._clock())
        with self.transaction() as connection:
            due = connection.execute(
                "SELECT due.article_id, count(open.version_id) FROM version due"
                " LEFT JOIN version open ON open.article_id = due.article_id AND open.embargoed_until IS NULL"
                " WHERE due.embargoed_until <= ? GROUP BY due.article_id",
                (now,),
            ).fetchall()
            connection.execute("UPDATE version SET embargoed_until = NULL WHERE embargoed_until <= ?", (now,))
            released = []
            for article_id, was_shown in due:
                shown = connection.execute(
                    "UPDATE article SET status = 'live', (version, published_at) ="
                    " (SELECT version, published_at FROM version v WHERE v.article_id = article.article_id"
                    " AND embargoed_until IS NULL ORDER BY version DESC LIMIT 1)"
                    " WHERE article_id = ?1 AND (status = 'embargoed' OR status = 'live' AND version <"
                    " (SELECT max(version) FROM version WHERE article_id = ?1 AND embargoed_until IS NULL))"
                    " RETURNING version",
                    (article_id,),
                ).fetchone()
                if shown is not None:
                    kind: ChangeKind = "updated" if was_shown else "added"
                    self._log(connection, str(article_id), version=shown[0], kind=kind)
                    released.append(str(article_id))
            return released

    def count_held(self) -> int:
        """Return of how many articles something may not be shown yet: for whoever runs the archive, and nobody else."""
        row = self.one(
            "SELECT count(*) FROM (SELECT article_id FROM article WHERE status = 'embargoed' UNION"
            " SELECT article_id FROM version JOIN article USING (article_id)"
            " WHERE embargoed_until IS NOT NULL AND status || '' <> 'removed') held"
        )
        return int(row[0])

    def next_release(self) -> datetime | None:
        """Return when something that is embargoed may be shown, None when nothing waits for its time."""
        row = self.one(
            "SELECT min(embargoed_until) FROM version WHERE embargoed_until < ?", (_iso(UNTIL_FURTHER_NOTICE),)
        )
        return _time(row[0])

    def _insert_version(
        self,
        connection: Connection,
        article: Article,
        *,
        version: int,
        digest: bytes,
        ingested_at: datetime | None = None,
        row: int | None = None,
    ) -> None:
        (row,) = connection.execute(
            "INSERT INTO version (version_id, article_id, version, url, source, section, title, authors, language,"
            " published_at, updated_at, derived_title, ingested_at, sha256, source_version, note) VALUES"
            " (coalesce(?, (SELECT coalesce(max(version_id), 0) + 1 FROM version)),?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
            " RETURNING version_id",
            (
                row,
                article.id,
                version,
                article.url,
                article.source,
                article.section,
                article.title,
                json.dumps(article.authors, ensure_ascii=False),
                article.language,
                _iso(article.published_at),
                _iso(article.updated_at),
                int(article.derived_title),
                _iso(ingested_at or datetime.now(UTC)),
                digest,
                article.source_version,
                article.note,
            ),
        ).fetchone()
        connection.execute("INSERT INTO body (version_id, packed) VALUES (?, ?)", (row, pack_text(article.body)))

    def _log(
        self, connection: Connection, article_id: str, *, version: int, kind: ChangeKind, reason: str | None = None
    ) -> None:
        connection.execute(_LOG, (article_id, version, kind, reason, _iso(datetime.now(UTC))))

    def remove(
        self, article_id: str, *, reason: str | None = None, note: Callable[[Connection, str], None] | None = None
    ) -> str:
        """Hide an article, known by any of its ids, from every reader at once, and return the id it is kept under.

        `note` writes in the same transaction who did it. Raises ArticleNotFound when there is none to hide.
        """
        with self.transaction() as connection:
            article_id, _ = self._named(connection, article_id, ())
            if note is not None:
                note(connection, article_id)
            self._remove(connection, article_id, reason=reason, noted_reason=reason)
        return article_id

    def _remove(self, connection: Connection, article_id: str, *, reason: str | None, noted_reason: str | None) -> None:
        row = connection.execute(
            "UPDATE article SET status = 'removed' WHERE article_id = ? AND status <> 'removed' RETURNING version",
            (article_id,),
        ).fetchone()
        if row is None:
            raise ArticleNotFound(article_id)
        self._log(connection, article_id, version=row[0], kind="removed", reason=reason)
        note_removed(connection, self._ledger, article_id, reason=noted_reason)

    def article(self, article_id: str) -> Article | None:
        """Return the shown version of an article, whatever its status, or None when there is no such article."""
        row = self.one(f"SELECT {_VERSION_COLUMNS} {_SHOWN} {_WITH_BODY} WHERE a.article_id = ?", (article_id,))
        return _article(row) if row else None

    def version(self, article_id: str, number: int) -> Article | None:
        """Return this version of an article that may be shown, or None when there is none of that number."""
        row = self.one(
            f"SELECT {_VERSION_COLUMNS} FROM article a JOIN version v ON v.article_id = a.article_id {_WITH_BODY}"
            f" WHERE a.article_id = ? AND v.version = ? AND v.embargoed_until IS NULL AND {_IS_LIVE}",
            (article_id, number),
        )
        return _article(row) if row else None

    def live(self, article_ids: Sequence[str]) -> dict[str, Article]:
        """Return those of the articles that may be shown, by id."""
        found: dict[str, Article] = {}
        for row in self._live_rows(f"SELECT {_VERSION_COLUMNS} {_SHOWN} {_WITH_BODY}", article_ids):
            try:
                found[row[0]] = _article(row)
            except ArchiveDamaged as error:
                log.error("%s: it is passed over", error)
        return found

    def _live_rows(self, select: str, article_ids: Sequence[str]) -> Iterator[Any]:
        """Yield the rows of `select`, from `article a`, of those of the articles that may be shown."""
        return self._article_rows(f"{select} WHERE {_IS_LIVE} AND", article_ids)

    def _article_rows(self, select: str, article_ids: Sequence[str]) -> Iterator[Any]:
        """Yield the rows of `select`, which ends in WHERE or AND, of these articles; what is damaged is passed over."""
        for batch in batches(article_ids):
            try:
                rows = list(self.rows(f"{select} a.article_id IN ({marks(batch)})", batch))
            except ArchiveDamaged:
                rows = [row for article_id in batch for row in self._readable(select, article_id)]
            yield from rows

    def _readable(self, select: str, article_id: str) -> list[Any]:
        try:
            return list(self.rows(f"{select} a.article_id = ?", (article_id,)))
        except ArchiveDamaged as error:
            log.error("article %s is passed over: %s", article_id, error)
            return []

    def shown(self, article_ids: Sequence[str]) -> dict[str, int]:
        """Return the version that is shown of those of the articles that may be, by id."""
        return dict(self._live_rows("SELECT a.article_id, a.version FROM article a", article_ids))

    def listings(self, article_ids: Sequence[str]) -> dict[str, Listing]:
        """Return the entries of those of the articles that may be shown, by id, without reading their texts."""
        rows = self._live_rows(
            f"SELECT v.article_id, v.source, v.section, v.authors, v.language, v.published_at {_SHOWN}", article_ids
        )
        return {
            article_id: Listing(
                id=article_id,
                source=source,
                section=section,
                authors=tuple(json.loads(authors)),
                language=language,
                published_at=_time(published_at),
            )
            for article_id, source, section, authors, language, published_at in rows
        }

    def filings(self, *, after: int) -> list[Filing]:
        """Return what every article changed since `after` is filed under, in the order of their ids."""
        fields = "a.status = 'live', v.source, v.section, v.authors, v.language, v.published_at"
        try:
            rows = list(
                self.rows(
                    f"SELECT a.article_id, c.seq, {fields}"
                    " FROM (SELECT article_id, max(seq) AS seq FROM change WHERE seq > ? GROUP BY article_id) c"
                    " JOIN article a ON a.article_id = c.article_id"
                    " JOIN version v ON v.article_id = a.article_id AND v.version = a.version",
                    (after,),
                )
            )
        except ArchiveDamaged:  # of some: the others are looked up by themselves
            changed = self.last_changes(after=after)
            found = self._article_rows(f"SELECT a.article_id, {fields} {_SHOWN} WHERE", list(changed))
            rows = [(article_id, changed[article_id], *row) for article_id, *row in found]
        return sorted(rows, key=itemgetter(0))  # in order already, as a rule: quicker than asking SQLite for it

    def count_live(self) -> int:
        """Return how many articles may be shown."""
        return int(self.one("SELECT count(*) FROM article WHERE status = 'live'")[0])

    def live_ids(self) -> list[str]:
        """Return the ids of every article that may be shown, in order."""
        return [row[0] for row in self.rows("SELECT article_id FROM article WHERE status = 'live' ORDER BY article_id")]

    def latest_ids(self, most: int) -> list[str]:
        """Return the ids of up to so many articles that may be shown, those published last first, undated ones last."""
        rows = self.rows(
            "SELECT article_id FROM article WHERE status = 'live'"
            " ORDER BY published_at DESC NULLS LAST, article_id LIMIT ?",
            (most,),
        )
        return [row[0] for row in rows]

    def published(self) -> dict[str, datetime | None]:
        """Return when each shown article was published, None where that is not known."""
        rows = self.rows("SELECT article_id, published_at FROM article WHERE status = 'live'")
        return {article_id: _time(at) for article_id, at in rows}

    def headlines(self) -> list[tuple[str, str, str | None]]:
        """Return (id, title, language) of every shown article, newest first; undated ones come last."""
        select, order = (
            f"SELECT a.article_id, v.title, v.language {_SHOWN}",
            "ORDER BY a.published_at DESC NULLS LAST, a.article_id",
        )
        try:
            return list(self.rows(f"{select} WHERE a.status = 'live' {order}"))
        except ArchiveDamaged:  # some of them
            ids = [row[0] for row in self.rows(f"SELECT article_id FROM article a WHERE status = 'live' {order}")]
            readable = {row[0]: row for row in self._live_rows(select, ids)}
            return [readable[article_id] for article_id in ids if article_id in readable]

    def titles(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of those of the articles that may be shown, by id."""
        return dict(self._live_rows(f"SELECT a.article_id, v.title {_SHOWN}", article_ids))

    def newest(self, limit: int) -> list[Article]:
        """Return the `limit` shown articles published last; undated ones are not among them."""
        rows = self.rows(
            "SELECT article_id FROM article WHERE status = 'live' AND published_at IS NOT NULL"
            " ORDER BY published_at DESC, article_id LIMIT ?",
            (limit,),
        )
        ids = [article_id for (article_id,) in rows]
        live = self.live(ids)
        return [live[article_id] for article_id in ids if article_id in live]

    def latest_arrivals(self, limit: int) -> list[tuple[str, datetime]]:
        """Return the `limit` shown articles that came in last, the latest first, and when each did."""
        rows = self.rows(
            "SELECT c.article_id, c.at FROM change c JOIN article a ON a.article_id = c.article_id"
            f" WHERE c.kind = 'added' AND {_IS_LIVE} ORDER BY c.seq DESC LIMIT ?",
            (limit,),
        )
        return [(article_id, datetime.fromisoformat(at)) for article_id, at in rows]

    def versions(self, article_id: str) -> list[VersionEntry]:
        """Return an article's history, oldest first, without what is embargoed; empty when there is no such article."""
        rows = self.rows(
            "SELECT version, title, ingested_at, updated_at, note FROM version"
            " WHERE article_id = ? AND embargoed_until IS NULL ORDER BY version",
            (article_id,),
        )
        return [
            VersionEntry(v, title, datetime.fromisoformat(at), _time(updated), note)
            for v, title, at, updated, note in rows
        ]

    def came_in(self, article_ids: Sequence[str]) -> dict[str, datetime]:
        """Return when the version that is shown of those of the articles that may be came in, by id."""
        rows = self._live_rows(f"SELECT a.article_id, v.ingested_at {_SHOWN}", article_ids)
        return {article_id: datetime.fromisoformat(at) for article_id, at in rows}

    def arrivals(self, *, after: int, limit: int) -> list[tuple[int, str, datetime]]:
        """Return the next shown articles in the order in which they first came in, `limit` of them.

        Each is its number, by which it stays where it is and which a gap may follow, its id, and when the version that
        is shown came in. `after` is the number of the last one before them.
        """
        rows = self.rows(
            "SELECT first.version_id, a.article_id, v.ingested_at FROM version first"
            f" JOIN article a ON a.article_id = first.article_id AND {_IS_LIVE}"
            " JOIN version v ON v.article_id = a.article_id AND v.version = a.version"
            " WHERE first.version_id > ? AND first.version = 1 ORDER BY first.version_id LIMIT ?",
            (after, limit),
        )
        return [(number, article_id, datetime.fromisoformat(at)) for number, article_id, at in rows]

    def arrival_spans(self, *, size: int) -> list[tuple[int, datetime]]:
        """Return which spans of `size` arrivals, counted from 0, hold a shown article, and when one last came in.

        A span n has the numbers of `arrivals` from n * size + 1 to (n + 1) * size.
        """
        rows = self.rows(
            "SELECT (first.version_id - 1) / ?1, max(v.ingested_at) FROM article a"
            " JOIN version first ON first.article_id = a.article_id AND first.version = 1"
            " JOIN version v ON v.article_id = a.article_id AND v.version = a.version"
            " WHERE a.status = 'live' GROUP BY 1 ORDER BY 1",
            (size,),
        )
        return [(span, datetime.fromisoformat(at)) for span, at in rows]

    def scan(self, words: Sequence[str], *, limit: int, among: int) -> list[tuple[str, float]]:
        """Return up to `limit` shown articles that hold any of the words, as (id, score), best first.

        For when there is no index: reads the body of each of the so many articles published last. The score counts the
        words that occur, a title's thrice. With no words, the newest articles.
        """
        if not words:
            return [(article.id, 0.0) for article in self.newest(limit)]
        wanted = [word.lower() for word in words[:BATCH]]
        rows = self._live_rows(f"SELECT a.article_id, v.title, b.packed {_SHOWN} {_WITH_BODY}", self.latest_ids(among))
        scores = ((_score(title, packed, wanted), article_id) for article_id, title, packed in rows)
        best = nsmallest(limit, ((-score, article_id) for score, article_id in scores if score))
        return [(article_id, float(-score)) for score, article_id in best]

    # Whole records, to take away and to bring back

    def resolve(self, name: str) -> str | None:
        """Return the id of the article that has `name` as another name, None when there is none."""
        row = self.one("SELECT article_id FROM alias WHERE alias = ?", (name,))
        return row[0] if row else None

    def count_records(self) -> int:
        """Return of how many articles `records` tells."""
        return int(self.one("SELECT count(*) FROM article")[0])

    def records(self, article_ids: Sequence[str] | None = None) -> Iterator[Record]:
        """Yield everything there is of these articles, or of all: in the order of their last changes.

        In that order they can be restored with the numbers their changes have.
        """
        where, ids = ("true", None) if article_ids is None else self.database.among("article_id", article_ids)
        rows = self.rows(
            "SELECT a.article_id, a.status, a.version, c.seq, c.version, c.kind, c.reason, c.at FROM"
            f" (SELECT article_id, max(seq) AS seq FROM change WHERE {where} GROUP BY article_id) newest"
            " JOIN change c ON c.article_id = newest.article_id JOIN article a ON a.article_id = newest.article_id"
            " ORDER BY newest.seq, c.seq",
            [] if article_ids is None else [ids],
        )
        for (article_id, status, version), changes in groupby(rows, itemgetter(0, 1, 2)):
            aliases = self.rows("SELECT alias FROM alias WHERE article_id = ? ORDER BY alias", (article_id,))
            yield Record(
                id=article_id,
                status=status,
                version=version,
                editions=tuple(self._editions(article_id, status, version)),
                changes=tuple(
                    Logged(
                        seq=seq,
                        version=number,
                        kind=kind,
                        reason=reason if status != "removed" or kind == "removed" else None,  # others quote the source
                        at=datetime.fromisoformat(at),
                    )
                    for *_, seq, number, kind, reason, at in changes
                ),
                aliases=tuple(alias for (alias,) in aliases),
            )

    def _editions(self, article_id: str, status: Status, version: int) -> Iterator[Edition]:
        columns = _VERSION_COLUMNS.replace("a.status", "'live'")
        for *row, ingested_at, number in self.rows(
            f"SELECT {columns}, v.ingested_at, v.version_id FROM version v {_WITH_BODY}"
            " WHERE v.article_id = ? ORDER BY v.version",
            (article_id,),
        ):
            article = replace(_article(row), embargoed_until=None)
            came_in, embargo = datetime.fromisoformat(ingested_at), _time(row[13])
            if status != "removed":
                yield Edition(article=article, ingested_at=came_in, embargoed_until=embargo, row=number)
            elif article.version == version:  # what was removed is told of, and nothing that it said
                bare = Article(id=article_id, title="", body="", source=article.source, version=version)
                yield Edition(article=bare, ingested_at=came_in, row=number)

    def restore(self, record: Record) -> Restored:
        """Keep a record as it was in the archive it comes from, and say what that changed.

        What is here stays: versions are added that follow those that are here, a removed article stays removed, and
        of other versions than those that are here nothing is kept ("differs"). What was removed there is removed here.
        Changes keep their numbers where those are free and whoever reads the log by its numbers misses nothing.
        """
        with self.transaction() as connection:
            article_id, unheard = self._named(connection, record.id, record.aliases)
            here = connection.execute("SELECT status FROM article WHERE article_id = ?", (article_id,)).fetchone()
            sums = connection.execute(
                "SELECT sha256 FROM version WHERE article_id = ? ORDER BY version", (article_id,)
            ).fetchall()
            editions = [replace(each, article=replace(each.article, id=article_id)) for each in record.editions]
            both = zip(sums, editions, strict=False)
            is_same = all(known == content_hash(edition.article) for (known,), edition in both)
            if here and here[0] != "removed" != record.status and not is_same:
                return "differs"
            self._note_names(connection, article_id, unheard)
            if here and here[0] == "removed":
                return "unchanged"
            if here and record.status == "removed":
                self._remove(connection, article_id, reason=record.changes[-1].reason, noted_reason=IMPORTED)
                return "withdrawn"
            if here and len(editions) <= len(sums):
                return "unchanged"
            self._restore(connection, replace(record, id=article_id, editions=tuple(editions)), known=len(sums))
        if record.status == "live":
            return "updated" if here else "added"
        return "held" if record.status == "embargoed" else "withdrawn"

    def _restore(self, connection: Connection, record: Record, *, known: int) -> None:
        """Write a record of which the first `known` versions are here."""
        new = record.editions[known:]
        rows = [edition.row for edition in new if edition.row is not None]
        taken, numbers = self.database.among("version_id", rows)
        is_free = not connection.execute(f"SELECT 1 FROM version WHERE {taken}", (numbers,)).fetchone()
        for edition in new:
            self._insert_version(
                connection,
                edition.article,
                version=edition.article.version,
                digest=content_hash(edition.article),
                ingested_at=edition.ingested_at,
                row=edition.row if is_free else None,
            )
        connection.executemany(
            "UPDATE version SET embargoed_until = ? WHERE article_id = ? AND version = ?",
            [(_iso(each.embargoed_until), record.id, each.article.version) for each in record.editions],
        )
        connection.execute(
            "INSERT INTO article (article_id, version, status, published_at)"
            " SELECT article_id, version, ?3, published_at FROM version WHERE article_id = ?1 AND version = ?2"
            " ON CONFLICT (article_id) DO UPDATE SET version = excluded.version, status = excluded.status,"
            " published_at = excluded.published_at",
            (record.id, record.version, record.status),
        )
        changes = [change for change in record.changes if change.version > known or not known]
        numbers = [change.seq for change in changes if change.seq is not None]
        keeps = not known and len(numbers) == len(changes) and self._may_have(connection, numbers)
        if keeps:
            connection.executemany(
                "INSERT INTO change (seq, article_id, version, kind, reason, at) VALUES (?, ?, ?, ?, ?, ?)",
                [(each.seq, record.id, each.version, each.kind, each.reason, _iso(each.at)) for each in changes],
            )
            self.database.number_on(connection, "change", "seq", after=numbers[-1])
        else:
            connection.executemany(
                _LOG, [(record.id, each.version, each.kind, each.reason, _iso(each.at)) for each in changes]
            )
        if record.status == "removed":
            note_removed(connection, self._ledger, record.id, reason=IMPORTED)

    def _may_have(self, connection: Connection, numbers: Sequence[int]) -> bool:
        """Tell whether these numbers are free and the last of them is the highest there is."""
        taken, asked = self.database.among("seq", numbers)
        is_free = not connection.execute(f"SELECT 1 FROM change WHERE {taken}", (asked,)).fetchone()
        return is_free and numbers[-1] > self.database.last_number("change", "seq")

    # The change log

    def last_seq(self) -> int:
        """Return the number of the last committed change, 0 when there is none."""
        return int(self.one("SELECT coalesce(max(seq), 0) FROM change")[0])

    def progress(self) -> Progress:
        """Return how far changes, stories, copies and the index that is served have come, of one moment."""
        seq, at, copies_seq, *others = self.one(
            "SELECT c.seq, c.at, m.value, t.seq, t.model_sha256, t.times, g.number, g.seq, g.manifest_sha256"
            " FROM telling t JOIN meta m ON m.key = 'copies' JOIN pointer p ON true"
            " LEFT JOIN generation g ON g.number = p.generation"
            " LEFT JOIN change c ON c.seq = (SELECT max(seq) FROM change)"
        )
        return Progress(
            seq=seq or 0,
            at=_time(at),
            telling=Telling(*others[:3]),
            copies_seq=int(copies_seq),
            published=_published(*others[3:]),
        )

    def changes(self, *, after: int, until: int) -> list[Change]:
        """Return the changes with `after < seq <= until`, in order."""
        rows = self.rows(
            "SELECT seq, article_id, version, kind, at FROM change WHERE seq > ? AND seq <= ? ORDER BY seq",
            (after, until),
        )
        return [
            Change(seq=seq, article_id=article_id, version=version, kind=kind, at=datetime.fromisoformat(at))
            for seq, article_id, version, kind, at in rows
        ]

    def last_changes(self, *, after: int, with_held: bool = True) -> dict[str, int]:
        """Return the articles changed since `after`, each with the seq of its last change.

        Without what was `held` they are the changes that readers may be told of.
        """
        kinds = "" if with_held else "AND kind <> 'held'"
        return dict(
            self.rows(
                f"SELECT article_id, max(seq) FROM change WHERE seq > ? {kinds}"
                " GROUP BY article_id ORDER BY article_id",
                (after,),
            )
        )

    def count_changes(self, *, after: int) -> int:
        """Return how many changes since `after` are for readers to see: of what is held nothing is told."""
        return int(self.one("SELECT count(*) FROM change WHERE seq > ? AND kind <> 'held'", (after,))[0])

    # Passages and embeddings

    def put_passages(self, passages: Sequence[Passage], *, chunking: str) -> None:
        """Keep how some versions of articles were cut: of each all passages, numbered from 0.

        Raises ValueError when that is not what they are.
        """
        cut: dict[tuple[str, int], list[Passage]] = {}
        for passage in sorted(passages, key=lambda passage: passage.ordinal):
            cut.setdefault((passage.article_id, passage.version), []).append(passage)
        rows = [(*version, chunking, _packed(pieces)) for version, pieces in cut.items()]
        with self.transaction() as connection:
            connection.execute("INSERT INTO chunking (name) VALUES (?) ON CONFLICT DO NOTHING", (chunking,))
            connection.executemany(
                "INSERT INTO passages (version_id, chunking_id, packed) VALUES"
                " ((SELECT version_id FROM version WHERE article_id = ? AND version = ?),"
                " (SELECT chunking_id FROM chunking WHERE name = ?), ?)"
                " ON CONFLICT (version_id, chunking_id) DO UPDATE SET packed = excluded.packed"
                " WHERE passages.packed <> excluded.packed",
                rows,
            )

    def passages(self, article: Article, *, chunking: str) -> list[Passage]:
        """Return the passages of this version of `article`, in order; empty when it has not been cut so."""
        return self.cut(((article.id, article.version),), chunking=chunking).get(article.id, [])

    def cut(self, versions: Iterable[tuple[str, int]], *, chunking: str) -> dict[str, list[Passage]]:
        """Return the passages of these versions (article id, version), by article id, as far as they were cut so.

        What is damaged counts as not cut.
        """
        found: dict[str, list[Passage]] = {}
        for batch in batches(list(versions)):
            asked, bindings = listed(batch)
            rows = self.rows(
                f"SELECT v.article_id, v.version, p.packed FROM {asked} asked"
                " JOIN version v ON v.article_id = asked.column1 AND v.version = asked.column2"
                " JOIN passages p ON p.version_id = v.version_id"
                " AND p.chunking_id = (SELECT chunking_id FROM chunking WHERE name = ?)",
                [*bindings, chunking],
            )
            for article_id, version, packed in rows:
                with suppress(ValueError):
                    found[article_id] = unpack_passages(unguarded(packed), article_id=article_id, version=version)
        return found

    def model_id(self, *, sha256: str, name: str) -> int:
        """Return this archive's number for the model with these weights, giving it one when it is new."""
        row = self.one("SELECT model_id FROM model WHERE sha256 = ?", (sha256,))
        if row is None:
            with self.transaction() as connection:
                connection.execute(
                    "INSERT INTO model (sha256, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (sha256, name)
                )
            row = self.one("SELECT model_id FROM model WHERE sha256 = ?", (sha256,))
        return int(row[0])

    def put_embeddings(self, model_id: int, vectors: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep embeddings, each a pair of text hash and vector (see `archive.packing`).

        A text that already has one keeps the one it has, unless that is damaged.
        """
        with self.transaction() as connection:
            for text_hash, vector in vectors:
                _put_embedding(connection, model_id, text_hash, vector)

    def embedded(self, model_id: int, text_hashes: Sequence[bytes]) -> set[bytes]:
        """Return those of the hashes whose text has an embedding by this model, without looking whether it is whole."""
        found: set[bytes] = set()
        for batch in batches(text_hashes):
            rows = self.rows(
                f"SELECT text_hash FROM embedded WHERE model_id = ? AND text_hash IN ({marks(batch)})",
                [model_id, *batch],
            )
            found.update(digest for (digest,) in rows)
        return found

    def embeddings(self, model_id: int, text_hashes: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the kept vectors of these texts, by text hash. One whose checksum does not hold is left out."""
        found: dict[bytes, bytes] = {}
        for batch in batches(text_hashes):
            rows = self.rows(
                "SELECT text_hash, packed FROM embedded JOIN embedding USING (embedding_id)"
                f" WHERE model_id = ? AND text_hash IN ({marks(batch)})",
                [model_id, *batch],
            )
            for text_hash, packed in rows:
                with suppress(ValueError):
                    found[text_hash] = unguarded(packed)
        return found

    # Copies

    def copies_seq(self) -> int:
        """Return the seq of the change up to which copies were looked for. It grows whenever the groups change."""
        return int(self.one("SELECT value FROM meta WHERE key = 'copies'")[0])

    def unsigned(self, article_ids: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the body of those of the articles that are shown and have no signature, by the row of their version.

        One that is damaged is passed over: `check` tells of it.
        """
        rows = self._live_rows(
            f"SELECT v.version_id, b.packed {_SHOWN} {_WITH_BODY}"
            " AND NOT EXISTS (SELECT 1 FROM signature s WHERE s.version_id = v.version_id)",
            article_ids,
        )
        for version_id, packed in rows:
            with suppress(ValueError):
                yield version_id, unpack_text(packed)

    def put_signatures(self, signatures: Sequence[tuple[int, bytes]]) -> None:
        """Keep signatures, by the row of their version; one that is there already stays."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO signature (version_id, packed) VALUES (?, ?) ON CONFLICT DO NOTHING", signatures
            )

    def signatures(self) -> tuple[list[str], bytes]:
        """Return the articles that are shown and have one, in order of arrival, and their signatures, end to end."""
        # Put together here: three tables read from end to end take a tenth of what looking each article up does.
        shown = dict(self.rows("SELECT article_id, version FROM article WHERE status || '' = 'live'"))
        ids, packed = [], bytearray()
        for article_id, version, signature in self.rows(
            "SELECT v.article_id, v.version, s.packed FROM signature s LEFT JOIN version v USING (version_id)"
            " ORDER BY s.version_id"
        ):
            if article_id is not None and shown.get(article_id) == version:
                ids.append(article_id)
                packed += signature
        return ids, bytes(packed)

    def signed(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield (id, body, signature) of every version that has a signature and is not damaged."""
        for article_id, packed, signature in self.database.scan(
            "SELECT v.article_id, b.packed, s.packed FROM signature s JOIN version v USING (version_id)"
            f" {_WITH_BODY} ORDER BY s.version_id"
        ):
            with suppress(ValueError):
                yield article_id, unpack_text(packed), signature

    def forget_copies(self) -> None:
        """Have copies looked for again, from the first change on."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM copy")
            connection.execute("DELETE FROM signature")
            connection.execute("UPDATE meta SET value = '0' WHERE key = 'copies'")

    def bodies(self, article_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield (id, body) of those of the articles that may be shown and are not damaged."""
        for article_id, packed in self._live_rows(f"SELECT a.article_id, b.packed {_SHOWN} {_WITH_BODY}", article_ids):
            with suppress(ValueError):
                yield article_id, unpack_text(packed)

    def put_copies(self, groups: Sequence[Sequence[str]], *, judged: Sequence[str], after: int, until: int) -> bool:
        """Keep what was found of the changes with `after < seq <= until`: these groups of articles.

        What was known of them before, and of all articles that were `judged`, is forgotten. Returns False, and keeps
        nothing, when another process has kept something since `after`.
        """
        with self.transaction() as connection:
            moved = connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'copies' AND value = ? RETURNING 1", (str(until), str(after))
            ).fetchall()
            if not moved:
                return False
            gone = dict.fromkeys([*judged, *(article_id for group in groups for article_id in group)])
            connection.executemany("DELETE FROM copy WHERE article_id = ?", ((article_id,) for article_id in gone))
            (highest,) = connection.execute("SELECT coalesce(max(group_id), 0) FROM copy").fetchone()
            rows = [(member, number) for number, group in enumerate(groups, highest + 1) for member in group]
            connection.executemany("INSERT INTO copy (article_id, group_id) VALUES (?, ?)", rows)
            return True

    def copy_groups(self) -> tuple[int, dict[str, int]]:
        """Return `copies_seq`, and the group of every article that has copies, shown or not."""
        rows = list(
            self.rows(
                "SELECT m.value, c.article_id, c.group_id FROM meta m LEFT JOIN copy c ON true WHERE m.key = 'copies'"
            )
        )
        return int(rows[0][0]), {article_id: group for _, article_id, group in rows if article_id is not None}

    def copies_of(self, article_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the whole group of those of the articles that have copies, by id: only what is shown.

        The likely origin comes first: what was published first, the undated last, then what came in first.
        """
        asked: dict[int, list[str]] = {}
        for batch in batches(article_ids):
            for article_id, group in self.rows(
                f"SELECT article_id, group_id FROM copy WHERE article_id IN ({marks(batch)})", batch
            ):
                asked.setdefault(group, []).append(article_id)
        members: dict[int, list[str]] = {}
        in_these, groups = self.database.among("c.group_id", list(asked))
        for group, article_id in self.rows(
            f"SELECT c.group_id, c.article_id FROM copy c JOIN article a ON a.article_id = c.article_id AND {_IS_LIVE}"
            " JOIN version v ON v.article_id = c.article_id AND v.version = 1"  # its row tells when the article came in
            f" WHERE {in_these} ORDER BY a.published_at IS NULL, a.published_at, v.version_id",
            (groups,),
        ):
            members.setdefault(group, []).append(article_id)
        return {
            article_id: group
            for number, group in members.items()
            for article_id in asked[number]
            if len(group) > 1 and article_id in group
        }

    # Stories

    def telling(self) -> Telling:
        """Return how far stories have been told."""
        return Telling(*self.one("SELECT seq, model_sha256, times FROM telling"))

    def next_story(self) -> int:
        """Return a number no story ever had."""
        return int(self.one("SELECT coalesce(max(story_id), 0) + 1 FROM story_log")[0])

    def tell(
        self, stories: Mapping[str, int | None], events: Sequence[Event], *, seq: int, model_sha256: str | None
    ) -> None:
        """Keep the story each of these articles is in, None for none, what happened, and how far that is told."""
        at = int(datetime.now(UTC).timestamp())
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO story_article (article_id, story_id) VALUES (?, ?) ON CONFLICT (article_id)"
                " DO UPDATE SET story_id = excluded.story_id WHERE story_article.story_id <> excluded.story_id",
                [(article_id, story) for article_id, story in stories.items() if story is not None],
            )
            connection.executemany(
                "DELETE FROM story_article WHERE article_id = ?",
                [(article_id,) for article_id, story in stories.items() if story is None],
            )
            connection.executemany(
                "INSERT INTO story_log (story_id, step, kind, other_id, articles, at) VALUES"
                " (?1, (SELECT coalesce(max(step), 0) + 1 FROM story_log WHERE story_id = ?1), ?2, ?3, ?4, ?5)",
                [(event.story, event.kind, event.other, event.articles, at) for event in events],
            )
            connection.execute("UPDATE telling SET seq = ?, model_sha256 = ?, times = times + 1", (seq, model_sha256))

    def stories_of(self, article_ids: Sequence[str]) -> dict[str, int]:
        """Return the story of those of the articles that are in one, shown or not."""
        return self._in_batches("SELECT article_id, story_id FROM story_article WHERE article_id IN", article_ids)

    def story_sizes(self, article_ids: Sequence[str]) -> dict[str, StorySize]:
        """Return how large the story is of those of the articles that are in one with two or more to show."""
        asked, ids = self.database.among("article_id", article_ids)
        rows = self.rows(
            f"WITH own AS (SELECT article_id, story_id FROM story_article WHERE {asked})"
            " SELECT own.article_id, counted.* FROM own JOIN (SELECT s.story_id, count(*) AS articles,"
            " count(DISTINCT v.source) AS sources FROM (SELECT DISTINCT story_id FROM own) told"
            " JOIN story_article s ON s.story_id = told.story_id JOIN article a ON a.article_id = s.article_id"
            " JOIN version v ON v.article_id = a.article_id AND v.version = a.version"
            f" WHERE {_IS_LIVE} GROUP BY s.story_id HAVING count(*) > 1) counted"
            " ON counted.story_id = own.story_id",
            (ids,),
        )
        return {article_id: StorySize(*size) for article_id, *size in rows}

    def articles_of(self, story_ids: Sequence[int]) -> dict[str, int]:
        """Return every article of these stories, shown or not, with its story."""
        return self._in_batches("SELECT article_id, story_id FROM story_article WHERE story_id IN", story_ids)

    def _in_batches(self, select: str, keys: Sequence[str] | Sequence[int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for batch in batches(keys):
            found.update(self.rows(f"{select} ({marks(batch)})", batch))
        return found

    def stories(self) -> list[Story]:
        """Return every story with two articles or more that may be shown, the one with the latest article first.

        Of equals the newer story comes first; one without a date comes last.
        """
        rows = self.rows(
            "SELECT s.story_id, count(*), min(a.published_at), max(a.published_at) FROM story_article s"
            f" JOIN article a ON a.article_id = s.article_id WHERE {_IS_LIVE}"
            " GROUP BY s.story_id HAVING count(*) > 1 ORDER BY 4 DESC NULLS LAST, 1 DESC"
        )
        return [Story(id_, articles, _time(first), _time(latest)) for id_, articles, first, latest in rows]

    def reports(self, story_ids: Sequence[int]) -> list[Report]:
        """Return the articles of these stories that may be shown, in the order of time; undated ones come last."""
        asked, ids = self.database.among("s.story_id", story_ids)
        rows = self.rows(
            "SELECT s.story_id, a.article_id, v.title, v.derived_title, v.url, v.source, v.language, a.published_at"
            " FROM story_article s JOIN article a ON a.article_id = s.article_id"
            " JOIN version v ON v.article_id = a.article_id AND v.version = a.version"
            f" WHERE {asked} AND {_IS_LIVE} ORDER BY a.published_at IS NULL, a.published_at, a.article_id",
            (ids,),
        )
        return [
            Report(story, id_, title, bool(derived), url, source, language, _time(published_at))
            for story, id_, title, derived, url, source, language, published_at in rows
        ]

    def story_events(self, story_id: int) -> list[tuple[Event, datetime]]:
        """Return what happened to a story and when, first things first; nothing of one that never was."""
        rows = self.rows(
            "SELECT kind, other_id, articles, at FROM story_log WHERE story_id = ? ORDER BY step", (story_id,)
        )
        return [
            (Event(story_id, kind, other, articles), datetime.fromtimestamp(at, UTC))
            for kind, other, articles, at in rows
        ]

    # Runs of an ingest

    def begin_run(self) -> int:
        """Note that an ingest begins, and return the number of this run. Of runs long past the note is dropped."""
        with self.transaction() as connection:
            (run_id,) = connection.execute(
                "INSERT INTO ingest_run (started_at) VALUES (?) RETURNING run_id", (_iso(datetime.now(UTC)),)
            ).fetchone()
            connection.execute("DELETE FROM ingest_run WHERE run_id <= ?", (run_id - MOST_RUNS,))
        return int(run_id)

    def end_run(self, run_id: int, run: IngestRun) -> None:
        """Note what a run has done; its beginning stays as it was noted."""
        rejections = [{"source": each.source, "reason": each.reason, "line": each.line} for each in run.rejections]
        with self.transaction() as connection:
            connection.execute(
                "UPDATE ingest_run SET seconds = ?, added = ?, updated = ?, unchanged = ?, rejected = ?, rejections = ?"
                " WHERE run_id = ?",
                (run.seconds, run.added, run.updated, run.unchanged, run.rejected, json.dumps(rejections), run_id),
            )

    def last_run(self) -> IngestRun | None:
        """Return what the last ingest did, None when there was none."""
        row = self.one(
            "SELECT started_at, seconds, added, updated, unchanged, rejected, rejections FROM ingest_run"
            " ORDER BY run_id DESC LIMIT 1"
        )
        if row is None:
            return None
        return IngestRun(
            started_at=datetime.fromisoformat(row[0]),
            seconds=row[1],
            added=row[2],
            updated=row[3],
            unchanged=row[4],
            rejected=row[5],
            rejections=tuple(Rejection(**rejection) for rejection in json.loads(row[6])),
        )

    # Generations

    def pointer(self) -> tuple[PublishedGeneration | None, PublishedGeneration | None]:
        """Return the generation that is served and the one before it, either of which may not exist."""
        row = self.one(
            "SELECT c.number, c.seq, c.manifest_sha256, p.number, p.seq, p.manifest_sha256 FROM pointer"
            " LEFT JOIN generation c ON c.number = pointer.generation"
            " LEFT JOIN generation p ON p.number = pointer.previous"
        )
        return _published(*row[:3]), _published(*row[3:])

    def next_generation(self) -> int:
        """Return a number no published generation has."""
        return int(self.one("SELECT coalesce(max(number), 0) + 1 FROM generation")[0])

    def publish(self, generation: PublishedGeneration, *, previous: int | None, model_id: int | None = None) -> None:
        """Serve `generation`, made by this model, from now on, and fall back to that numbered `previous`, if any."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO generation (number, seq, manifest_sha256, published_at, model_id) VALUES (?, ?, ?, ?, ?)",
                (
                    *(generation.number, generation.seq, generation.manifest_sha256),
                    *(_iso(datetime.now(UTC)), model_id),
                ),
            )
            connection.execute("UPDATE pointer SET generation = ?, previous = ?", (generation.number, previous))

    def roll_back(self, *, to: int) -> bool:
        """Serve the previous generation, if it has this number, and fall back to the one served until now."""
        return bool(
            self.change("UPDATE pointer SET generation = previous, previous = generation WHERE previous = ?", (to,))
        )

    def published_at(self, number: int) -> datetime:
        """Return when a generation was published."""
        return datetime.fromisoformat(self.one("SELECT published_at FROM generation WHERE number = ?", (number,))[0])

    def give_up_previous(self) -> None:
        """Fall back to no earlier generation from now on."""
        with self.transaction() as connection:
            connection.execute("UPDATE pointer SET previous = NULL")

    # The whole

    def note_backup(self, folder: Path, *, at: datetime) -> None:
        """Remember that a backup was made in `folder`."""
        self.change(
            "INSERT INTO meta (key, value) VALUES ('backup', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (json.dumps({"folder": str(folder), "at": _iso(at)}),),
        )

    def last_backup(self) -> tuple[Path, datetime] | None:
        """Return in which folder the last backup was made, and when; None when there was none."""
        row = self.one("SELECT value FROM meta WHERE key = 'backup'")
        if row is None:
            return None
        said = json.loads(row[0])
        return Path(said["folder"]), datetime.fromisoformat(said["at"])

    def stats(self) -> ArchiveStats:
        """Count what there is."""
        seq = self.last_seq()  # first: counts that say they are older than they are get counted again
        row = self.one(
            "SELECT (SELECT count(*) FROM article WHERE status = 'live'),"
            " (SELECT count(*) FROM article WHERE status = 'removed'),"
            " (SELECT count(*) FROM version WHERE embargoed_until IS NULL),"
            f" (SELECT coalesce(sum((length(packed) - {CRC.size}) / {PASSAGE.size}), 0) FROM passages),"
            " (SELECT count(*) FROM embedded),"
            f" (SELECT count(DISTINCT v.source) {_SHOWN} WHERE a.status = 'live'),"
            " (SELECT min(published_at) FROM article WHERE status = 'live'),"
            " (SELECT max(published_at) FROM article WHERE status = 'live'),"
            " (SELECT coalesce(sum(members), 0) FROM (SELECT count(*) AS members FROM copy"
            " JOIN article USING (article_id) WHERE status = 'live' GROUP BY group_id) groups WHERE members > 1)"
        )
        return ArchiveStats(
            articles=row[0],
            removed=row[1],
            versions=row[2],
            passages=row[3],
            embeddings=row[4],
            sources=row[5],
            earliest=_time(row[6]),
            latest=_time(row[7]),
            copies=row[8],
            seq=seq,
        )

    def check(self) -> list[str]:
        """Return what is wrong with the database, one line each; empty when everything holds.

        SQLite's own check misses most flipped bits, so every version and every vector is hashed again.
        """
        problems: list[str] = []
        parts = (self._check_versions, self._check_passages, self._check_embeddings, self._check_shown)
        for part in (*self.database.checks(), *parts):
            try:
                for problem in part():
                    problems.append(problem)  # at once: what was found before an error counts too
            except ArchiveDamaged as error:
                if not any(NOT_AS_WRITTEN in each for each in problems):  # by a page that is named already
                    problems.append(f"{self.database.name}: {error.__cause__ or error}: {RESTORE}")
        return problems

    def _check_versions(self) -> Iterator[str]:
        columns = _VERSION_COLUMNS.replace("a.status", "'live'")
        for (version_id,) in self.database.scan("SELECT version_id FROM version"):
            with suppress(ArchiveDamaged):  # one at a time: a row that cannot even be read must not hide the others
                row = self.one(f"SELECT {columns} FROM version v {_WITH_BODY} WHERE v.version_id = ?", (version_id,))
                if row is not None and _article(row):
                    continue
            yield f"{self._name_of(version_id)}: the text differs from its hash: {RESTORE}"

    def _name_of(self, version_id: int) -> str:
        """Return of which article a version is, by its row or, where that cannot be read, by an index."""
        where = "SELECT article_id, version FROM version WHERE version_id = ?"
        for look in (partial(self.one, where, (version_id,)), partial(self.database.version_by_index, version_id)):
            with suppress(ArchiveDamaged):
                if found := look():
                    return f"article {found[0]} version {found[1]}"
        return f"row {version_id} of the versions"

    def _check_passages(self) -> Iterator[str]:
        for version_id, packed in self.database.scan("SELECT version_id, packed FROM passages"):
            try:
                unguarded(packed)
            except ValueError as error:
                yield f"passages of row {version_id} of the versions: {error}: run `flask reindex`"

    def _check_embeddings(self) -> Iterator[str]:
        for embedding_id, packed in self.database.scan("SELECT embedding_id, packed FROM embedding"):
            try:
                unguarded(packed)
            except ValueError as error:
                yield f"embedding {embedding_id}: {error}: run `flask reindex`"

    def _check_shown(self) -> Iterator[str]:
        missing = self.one(
            "SELECT count(*) FROM article a WHERE NOT EXISTS"
            " (SELECT 1 FROM change c WHERE c.article_id = a.article_id AND c.version = a.version)"
        )[0]
        if missing:
            yield f"{missing} articles have no entry in the change log"
        for row in self.rows(
            f"SELECT a.article_id {_SHOWN} WHERE a.status <> 'removed'"
            " AND (a.published_at IS DISTINCT FROM v.published_at OR a.version <>"
            " (SELECT max(version) FROM version newest WHERE newest.article_id = a.article_id"
            " AND (newest.embargoed_until IS NULL OR a.status = 'embargoed')))"
        ):
            yield f"article {row[0]}: what is shown is not its newest version: restore it from a backup"


def _put_embedding(connection: Connection, model_id: int, text_hash: bytes, vector: bytes) -> None:
    row = connection.execute(
        "SELECT embedding_id, packed FROM embedded JOIN embedding USING (embedding_id)"
        " WHERE model_id = ? AND text_hash = ?",
        (model_id, text_hash),
    ).fetchone()
    if row is None:
        kept = "INSERT INTO embedding (packed) VALUES (?) RETURNING embedding_id"
        (embedding_id,) = connection.execute(kept, (guarded(vector),)).fetchone()
        connection.execute("INSERT INTO embedded VALUES (?, ?, ?)", (model_id, text_hash, embedding_id))
        return
    try:
        unguarded(row[1])
    except ValueError:
        connection.execute("UPDATE embedding SET packed = ? WHERE embedding_id = ?", (guarded(vector), row[0]))


def _held(hold: Withdrawal) -> Article:
    """Return the version that a hold makes of an article."""
    return Article(
        id=hold.id,
        title="",
        body="",
        source=hold.source,
        updated_at=hold.updated_at,
        status="embargoed",
        source_version=hold.source_version,
        note=hold.reason,
        aliases=hold.aliases,
    )


def _article(row: Sequence[Any]) -> Article:
    try:
        authors, published_at, updated_at = tuple(json.loads(row[6])), _time(row[8]), _time(row[9])
        body = unpack_text(row[2])
    except (ValueError, TypeError) as error:
        raise ArchiveDamaged(f"article {row[0]} cannot be read: {error}: run `flask check`") from error
    article = Article(
        id=row[0],
        title=row[1],
        body=body,
        url=row[3],
        source=row[4],
        section=row[5],
        authors=authors,
        language=row[7],
        published_at=published_at,
        updated_at=updated_at,
        version=row[10],
        status=row[11],
        derived_title=bool(row[12]),
        embargoed_until=None if row[13] is None or row[13] >= _FOREVER else _time(row[13]),
        source_version=row[14],
        note=row[15],
    )
    if content_hash(article) != row[16]:
        raise ArchiveDamaged(f"article {row[0]} version {row[10]} differs from its hash: run `flask check`")
    return article


def _published(number: int | None, seq: int, manifest_sha256: bytes) -> PublishedGeneration | None:
    if number is None:
        return None
    return PublishedGeneration(number=number, seq=seq, manifest_sha256=manifest_sha256)


def _iso(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _score(title: str, packed: bytes, words: Sequence[str]) -> int:
    """Return how many of the words (lower case) occur, those of the title thrice; a damaged body holds none."""
    try:
        body = unpack_text(packed).lower()
    except ValueError:
        body = ""
    title = title.lower()
    return sum(3 * (word in title) + (word in body) for word in words)


def _packed(passages: Sequence[Passage]) -> bytes:
    if [passage.ordinal for passage in passages] != list(range(len(passages))):
        raise ValueError(f"article {passages[0].article_id}: not all passages of a version, numbered from 0")
    return guarded(pack_passages((passage.start, passage.end, passage.text_hash) for passage in passages))
