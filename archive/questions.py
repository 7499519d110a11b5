"""How often a mail address was asked whether it wants alerts: the SQL of these two tables, within others' transactions.

Invariant: an address is known by a hash alone, whatever its letters' case, and what is kept here outlives the channel
and the saved search it was asked for.
"""

import hashlib

from archive.database import Connection
from archive.store import Store

MOST_QUESTIONS = 3  # to one address, of those it has not said yes to
DAYS = 30  # that a question counts


def may_ask(connection: Connection, address: str, *, now: int) -> bool:
    """Return whether an address may be asked once more."""
    ((asked, refused),) = connection.execute(
        "SELECT (SELECT count(*) FROM mail_question WHERE address_hash = ?1 AND asked_at > ?2),"
        " EXISTS (SELECT 1 FROM mail_refusal WHERE address_hash = ?1)",
        (_hash(address), now - DAYS * 24 * 60 * 60),
    )
    return asked < MOST_QUESTIONS and not refused


def note_asked(connection: Connection, address: str, *, now: int) -> None:
    """Note that an address is being asked, and forget of all what counts no more."""
    connection.execute("DELETE FROM mail_question WHERE asked_at <= ?", (now - DAYS * 24 * 60 * 60,))
    connection.execute("INSERT INTO mail_question (address_hash, asked_at) VALUES (?, ?)", (_hash(address), now))


def note_yes(connection: Connection, address: str) -> None:
    """Note that an address has said yes to a question: its owner is no stranger, so that one does not count."""
    connection.execute("DELETE FROM mail_refusal WHERE address_hash = ?", (_hash(address),))
    connection.execute(
        "DELETE FROM mail_question WHERE question_id ="
        " (SELECT question_id FROM mail_question WHERE address_hash = ? ORDER BY asked_at, question_id LIMIT 1)",
        (_hash(address),),
    )


def note_refused(connection: Connection, address: str, *, now: int) -> None:
    """Note that an address is not to be asked again."""
    connection.execute("INSERT INTO mail_refusal VALUES (?, ?) ON CONFLICT DO NOTHING", (_hash(address), now))


def has_refused(store: Store, address: str) -> bool:
    """Return whether an address is not to be asked again."""
    return store.one("SELECT 1 FROM mail_refusal WHERE address_hash = ?", (_hash(address),)) is not None


def _hash(address: str) -> bytes:
    return hashlib.sha256(address.casefold().encode("utf-8", "replace")).digest()
