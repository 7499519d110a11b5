"""Made-up stories and their copies: every story has words of its own, so only copies share any."""

import random
from datetime import UTC, datetime, timedelta

from archive.article import Article
from archive.store import Store

FIRST = datetime(2019, 3, 1, 9, tzinfo=UTC)
SENTENCES = 16
WORDS = 12  # of a sentence


def story(name: str, *, since: int = 0, until: int = SENTENCES) -> str:
    """Return the sentences from `since` to `until` of the story of this name; beyond those all papers have, its own."""
    chance = random.Random(name)
    sentences = [
        " ".join("".join(chance.choices("abcdeilmnorst", k=7)) for _ in range(WORDS)).capitalize() + "."
        for _ in range(SENTENCES)
    ]
    return " ".join(sentences[since:until])


def report(number: int, body: str, *, hours: float | None = None, **fields: object) -> Article:
    """Return an article of id `number`, published so many hours after the first moment, undated where None."""
    published_at = None if hours is None else FIRST + timedelta(hours=hours)
    return Article(
        id=f"{number:016x}",
        title=f"Headline {number}",
        body=body,
        published_at=published_at,
        **fields,  # type: ignore[arg-type]
    )


def name(number: int) -> str:
    """Return the id of the article of this number."""
    return f"{number:016x}"


def grouped(store: Store) -> set[tuple[int, ...]]:
    """Return the groups of shown articles by their numbers, the likely origin first."""
    groups = store.copies_of(store.live_ids()).values()
    return {tuple(int(article_id, 16) for article_id in group) for group in groups}
