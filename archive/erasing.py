"""What erasing does in the archive's database: the texts of articles that were removed go, their ids and hashes stay.

What stays is what keeps an article away: its id and aliases, how many versions there were and when they came in, when
it was removed and why. All that a reader could see is blanked, with a hash that holds, so that `flask check` passes.

The SQL of it stands here, over the store's own transactions. SQLite overwrites what is deleted (`secure_delete`); the
write-ahead log is cut by `Store.flush`.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from archive.article import Article
from archive.byte_search import SHORTEST
from archive.database import Connection
from archive.identity import content_hash
from archive.packing import PASSAGE, pack_text, unguarded, unpack_text
from archive.store import Store

BATCH = 100  # articles blanked in one transaction
WINDOW = 32  # bytes of a text that are looked for together
OF_A_TEXT = 12  # such pieces of one text
OF_A_FIELD = 3

_FIELDS = "v.title, v.url, v.source, v.section, v.authors, v.note"


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of what can be read of an article, and of how many versions; 0 when none has any text left.

    `texts` are of headlines, texts and addresses, `packed` of texts as they are kept, and `names` of what is said of
    sources, sections, authors and in notes, which other articles may have in common.
    """

    texts: frozenset[bytes]
    packed: frozenset[bytes]
    names: frozenset[bytes]
    versions: int


def pieces_of(store: Store, article_id: str) -> Pieces:
    """Return pieces of everything that can be read in an article's versions, and of its packed texts."""
    of_texts: set[bytes] = set()
    of_packed: set[bytes] = set()
    of_names: set[bytes] = set()
    versions = 0
    rows = store.rows(
        f"SELECT {_FIELDS}, b.packed FROM version v JOIN body b USING (version_id) WHERE v.article_id = ?",
        (article_id,),
    )
    for *fields, packed in rows:
        texts, body = _written(fields), _body(packed)
        versions += bool(body or any(texts))
        for text in texts:
            (of_texts if text in fields[:2] else of_names).update(_cut(text, OF_A_FIELD))
        of_texts.update(_cut(body, OF_A_TEXT))
        if body:
            of_packed.update(_cut(packed[2:], OF_A_TEXT))  # of every packed text the first bytes are the same
    notes = store.rows("SELECT reason FROM change WHERE article_id = ? AND reason IS NOT NULL", (article_id,))
    of_names.update(piece for (note,) in notes for piece in _cut(note, OF_A_FIELD))
    return Pieces(frozenset(of_texts), frozenset(of_packed), frozenset(of_names), versions)


def held_elsewhere(
    store: Store, pieces: Collection[bytes], *, erased: Sequence[str]
) -> Iterator[tuple[str | None, list[bytes]]]:
    """Yield who has some of the pieces as words of their own, and those pieces.

    That is an article of which nothing is erased, or None: the reason of a takedown, or a saved search.
    """
    for article_id, texts in _others(store, erased) if pieces else ():
        if held := [piece for piece in pieces if any(piece in text for text in texts)]:
            yield article_id, held


def _others(store: Store, erased: Sequence[str]) -> Iterator[tuple[str | None, list[bytes]]]:
    of_these, ids = store.database.among("article_id", erased)
    for (text,) in store.rows(
        "SELECT reason FROM takedown WHERE reason IS NOT NULL"
        f" UNION SELECT reason FROM change WHERE reason IS NOT NULL AND NOT ({of_these})"
        " UNION SELECT name || ' ' || question FROM saved_search",
        (ids,),
    ):
        yield None, [_bytes(text)]
    gone = set(erased)
    rows = store.database.scan(
        f"SELECT v.article_id, {_FIELDS}, b.packed FROM version v JOIN body b USING (version_id)"
    )
    for article_id, *fields, packed in rows:
        if article_id not in gone:
            yield article_id, [*map(_bytes, [*_written(fields), _body(packed)]), packed]


def copies_of(store: Store, article_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the shown copies of articles, removed ones too, by id, as far as copies have been looked for."""
    asked, ids = store.database.among("mine.article_id", article_ids)
    rows = store.rows(
        "SELECT mine.article_id, other.article_id FROM copy mine"
        " JOIN copy other ON other.group_id = mine.group_id AND other.article_id <> mine.article_id"
        " JOIN article a ON a.article_id = other.article_id AND a.status || '' = 'live'"
        f" WHERE {asked} ORDER BY 1, 2",
        (ids,),
    )
    copies: dict[str, list[str]] = {}
    for article_id, other in rows:
        copies.setdefault(article_id, []).append(other)
    return copies


def blank(store: Store, article_ids: Sequence[str]) -> None:
    """Erase all that can be read of these articles, and what was made of it. Whatever is blank stays so."""
    with store.transaction() as connection:  # first, for what tells which they are goes with the articles
        _forget_embeddings(connection, _own_hashes(store, article_ids))
    remaining = iter(article_ids)
    while batch := list(islice(remaining, BATCH)):
        with store.transaction() as connection:
            for article_id in batch:
                _blank(connection, article_id)
    with store.transaction() as connection:  # the reasons of rejections quote what was rejected
        connection.execute("UPDATE ingest_run SET rejections = '[]' WHERE rejections <> '[]'")


def _blank(connection: Connection, article_id: str) -> None:
    versions: list[tuple[int, int | None]] = connection.execute(
        "SELECT version_id, source_version FROM version WHERE article_id = ?", (article_id,)
    ).fetchall()
    for version_id, source_version in versions:
        nothing = Article(id=article_id, title="", body="", source_version=source_version)
        connection.execute(
            "UPDATE version SET title = '', url = NULL, source = NULL, section = NULL, authors = '[]', language = NULL,"
            " published_at = NULL, updated_at = NULL, derived_title = 0, note = NULL, sha256 = ? WHERE version_id = ?",
            (content_hash(nothing), version_id),
        )
        connection.execute("UPDATE body SET packed = ? WHERE version_id = ?", (pack_text(""), version_id))
        for table in ("passages", "signature"):
            connection.execute(f"DELETE FROM {table} WHERE version_id = ?", (version_id,))
    connection.execute("UPDATE article SET published_at = NULL WHERE article_id = ?", (article_id,))
    # Here a reason may be a note of the source; the operator's own stands in the takedown too, and stays there.
    connection.execute("UPDATE change SET reason = NULL WHERE article_id = ?", (article_id,))


def _own_hashes(store: Store, article_ids: Sequence[str]) -> set[bytes]:
    """Return the hashes of passages that only these articles have."""
    erased = set(article_ids)
    own: set[bytes] = set()
    shared: set[bytes] = set()
    for article_id, packed in store.database.scan(
        "SELECT v.article_id, p.packed FROM passages p JOIN version v USING (version_id)"
    ):
        (own if article_id in erased else shared).update(_hashes(packed))
    return own - shared


def _hashes(packed: bytes) -> list[bytes]:
    try:
        return [text_hash for _, _, text_hash in PASSAGE.iter_unpack(unguarded(packed))]
    except ValueError:  # damaged, so nothing goes by it
        return []


def _forget_embeddings(connection: Connection, text_hashes: Collection[bytes]) -> None:
    for text_hash in text_hashes:
        rows = connection.execute(
            "DELETE FROM embedded WHERE model_id IN (SELECT model_id FROM model) AND text_hash = ?"
            " RETURNING embedding_id",
            (text_hash,),
        ).fetchall()
        connection.executemany("DELETE FROM embedding WHERE embedding_id = ?", rows)


def _written(fields: Sequence[str | None]) -> list[str]:
    """Return what can be read in the `_FIELDS` of a version; each author by itself."""
    title, url, source, section, authors, note = fields
    try:
        names = [str(name) for name in json.loads(authors or "[]")]
    except ValueError:
        names = []
    return [text for text in (title, url, source, section, note, *names) if isinstance(text, str)]


def _body(packed: object) -> str:
    try:
        return unpack_text(packed)
    except ValueError:
        return ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _cut(given: str | bytes, most: int) -> Iterator[bytes]:
    """Yield pieces of a text, far apart; none of one that is too short to be told from others."""
    text = _bytes(given) if isinstance(given, str) else given
    if len(text) < SHORTEST:
        return
    last = max(0, len(text) - WINDOW)
    for place in range(most):
        start = last * place // max(1, most - 1)
        yield text[start : start + WINDOW]
