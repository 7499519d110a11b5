"""What two generations are asked to be told apart: searches of readers, judged queries, and words of the archive's own.

Invariant: where readers' searches are not kept and nobody has judged any, there is something to ask all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from archive.errors import SourceError
from archive.store import Store
from index.engine import Engine
from index.evaluation import known_items
from index.evaluation.collection import judged_in_archive
from index.search import SearchRequest

Kind = Literal["recent", "saved", "judged", "sample"]
SAMPLED = 100  # articles that the archive's own words ask for
SAMPLE_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One search. `grades` are of articles, by id, where somebody has judged, or where it was made from an article.

    A judged query is prose: its quotes and dashes are no operators.
    """

    kind: Kind
    request: SearchRequest
    name: str  # as it is told
    grades: Mapping[str, int] = field(default_factory=dict)


def readers(kind: Literal["recent", "saved"], requests: Iterable[tuple[str, SearchRequest]]) -> list[Question]:
    """Return the questions that readers ask, each given with its name."""
    return [Question(kind=kind, request=request, name=name) for name, request in requests]


def judged(directory: Path, store: Store, *, split: str) -> tuple[list[Question], list[str]]:
    """Return the judged queries of a folder in BEIR's layout, and what is to be noted of them.

    Raises SourceError when it cannot be read, or when none of the judged documents is an article of the archive.
    """
    found = judged_in_archive(directory, split=split)
    wanted = sorted({article for grades in found.qrels.values() for article in grades})
    missing = len(wanted) - len(store.listings(wanted))
    if missing == len(wanted):
        raise SourceError(f"{directory}: none of the judged documents is an article of this archive")
    notes = [
        *found.notes,
        *([f"{missing} of {len(wanted)} judged documents are not in this archive"] if missing else []),
    ]
    return [
        Question(kind="judged", request=SearchRequest(query=text), name=text, grades=found.qrels[query_id])
        for query_id, text in found.queries.items()
    ], notes


def sampled(store: Store, engine: Engine, *, count: int = SAMPLED) -> list[Question]:
    """Return questions of the words that tell an article best from the others, each of which asks for that article."""
    try:
        drawn = known_items.draw(store, articles=known_items.MAX_ARTICLES, queries=count, seed=SAMPLE_SEED)
    except SourceError:  # an archive so small, or of so few words, that nothing can be asked
        return []
    questions = []
    for article_id in drawn.headlines:
        article = drawn.articles[article_id]
        terms = engine.telling_terms(article.body, limit=known_items.QUERY_WORDS, language=article.language)
        words = " ".join(word for word, _ in terms)
        questions.append(
            Question(kind="sample", request=SearchRequest(query=words), name=words, grades={article_id: 1})
        )
    return questions
