"""Asking: every judged query to the real search or panel, in each setting, and what is kept of the answers.

Invariant: rankings are judged whole. What the cut-off would hide is told beside them and takes nothing out of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from archive.progress import Progress
from archive.readers.normalise import has_words
from index.evaluation.collection import Collection
from index.evaluation.measures import Run
from index.evaluation.workbench import Workbench
from index.fusion import Method
from index.listing import worth_showing
from index.query import Query, Term
from index.ranking import MODES, Mode
from index.search import Search

RUN_DEPTH = 100  # results a query that are judged; R@100 looks no further
RELATED_DEPTH = 5  # a panel's worth; nDCG@5 looks no further

Setting = Literal["hybrid", "keyword", "semantic", "sum", "rrf"]  # a mode, or the hybrid one by this fusion
SETTINGS: tuple[Setting, ...] = get_args(Setting)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query was answered: document ids, best first, the first `RUN_DEPTH` of them.

    `best_shown` says whether the cut-off leaves the best-placed relevant document, at whatever depth that stands, None
    when none was found; `shown` is how many documents it leaves. Both are None where nothing is cut off.
    """

    documents: Sequence[str]
    best_shown: bool | None = None
    shown: int | None = None


Answers = Mapping[str, Answer]  # by query id


class Ask(Protocol):
    """How every judged query is asked, in one setting."""

    def __call__(self, bench: Workbench, collection: Collection, *, setting: Setting, progress: Progress) -> Answers:
        """Return the answer to each."""


def mode_of(setting: Setting) -> Mode:
    """Return the mode a setting searches in."""
    return next((mode for mode in MODES if mode == setting), "hybrid")


def fusion_of(setting: Setting) -> Method | None:
    """Return how a setting merges the legs, None where it does as the installation does."""
    return next((method for method in get_args(Method) if method == setting), None)


def ask(bench: Workbench, collection: Collection, *, setting: Setting, progress: Progress) -> Answers:
    """Ask every judged query in one setting."""
    search, mode = bench.search(fusion_of(setting)), mode_of(setting)
    answers = {}
    for done, (query_id, text) in enumerate(collection.judged.queries.items(), start=1):
        relevant = {d for d, grade in collection.judged.qrels[query_id].items() if grade > 0}
        answers[query_id] = _answer(search, text, mode, collection.names, relevant)
        progress(f"searching, {setting}", done, len(collection.judged.queries))
    return answers


def ask_related(bench: Workbench, collection: Collection, *, setting: Setting, progress: Progress) -> Answers:
    """Ask for the articles related to each that has companions, in one setting."""
    related, mode = bench.related(fusion_of(setting)), mode_of(setting)
    answers = {}
    for done, article_id in enumerate(collection.judged.qrels, start=1):
        response = related.related(article_id, limit=RELATED_DEPTH, mode=mode)
        answers[article_id] = Answer([result.article.id for result in response.results])
        progress(f"relating, {setting}", done, len(collection.judged.qrels))
    return answers


def run_of(answers: Answers) -> Run:
    """Return the documents alone."""
    return {query_id: answer.documents for query_id, answer in answers.items()}


def plain(text: str) -> Query:
    """Return a query of nothing but words: judged queries are prose, their quotes and dashes are no operators."""
    return Query(text=text, wanted=tuple(Term(word) for word in text.split()))


def _answer(search: Search, text: str, mode: Mode, names: Mapping[str, str], relevant: set[str]) -> Answer:
    if not has_words(text):  # nothing is asked: the search would list everything there is
        return Answer([])
    ranking = search.rank(plain(text), mode=mode)
    documents = [names[article_id] for article_id in ranking.ids]
    shown = worth_showing(ranking)[ranking.fusion.order]
    place = next((place for place, document in enumerate(documents) if document in relevant), None)
    return Answer(
        documents[:RUN_DEPTH],
        best_shown=None if place is None else bool(shown[place]),
        shown=int(shown.sum()),
    )
