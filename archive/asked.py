"""Searches that were asked lately, to try another model on: the SQL of their table.

A search can say much about who asks it. So nothing is kept unless the operator wants it; what is kept is what was
asked and on which days, nothing of who, from where, or at what hour; and the oldest make room for the newest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote_plus

from archive.store import Store

MOST_KEPT = 1_000  # different searches


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, as parameters of an address, on which days it was asked first and last, and how often in all."""

    question: str
    first_on: date
    last_on: date
    times: int


class AskedSearches:
    """The searches that were asked lately. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Keep them in this archive."""
        self._store = store

    def note(self, questions: Mapping[str, int], *, on: date) -> None:
        """Note that each was asked so often on that day. Of too many those asked longest ago are forgotten."""
        with self._store.transaction() as connection:
            for question, times in questions.items():
                connection.execute(
                    "UPDATE asked SET times = times + ?3, last_on = CASE WHEN last_on < ?2 THEN ?2 ELSE last_on END"
                    " WHERE question = ?1",
                    (question, on.isoformat(), times),
                )
                if not connection.changes():
                    connection.execute(
                        "INSERT INTO asked (question, first_on, last_on, times) VALUES (?1, ?2, ?2, ?3)",
                        (question, on.isoformat(), times),
                    )
            connection.execute(
                "DELETE FROM asked WHERE question IN"
                " (SELECT question FROM asked ORDER BY last_on DESC, times DESC, question LIMIT ? OFFSET ?)",
                (MOST_KEPT + len(questions), MOST_KEPT),
            )

    def latest(self, limit: int = MOST_KEPT) -> list[Asked]:
        """Return them, those asked last first, of one day the most frequent first."""
        rows = self._store.rows(
            "SELECT question, first_on, last_on, times FROM asked ORDER BY last_on DESC, times DESC, question LIMIT ?",
            (limit,),
        )
        return [Asked(row[0], date.fromisoformat(row[1]), date.fromisoformat(row[2]), row[3]) for row in rows]

    def forget(self) -> int:
        """Forget all of them, and return how many there were."""
        return self._store.change("DELETE FROM asked")

    def forget_holding(self, pieces: Collection[bytes]) -> int:
        """Forget those that hold any of these pieces of a text, and return how many."""
        said = {asked.question: unquote_plus(asked.question).encode() for asked in self.latest()}
        found = [question for question, text in said.items() if any(piece in text for piece in pieces)]
        with self._store.transaction() as connection:
            connection.executemany("DELETE FROM asked WHERE question = ?", [(question,) for question in found])
        return len(found)
