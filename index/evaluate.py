"""Evaluation: how good the rankings are, on collections that people have judged, in the field's measures.

A collection is a folder in BEIR's layout (Thakur et al. 2021): `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`. It
gets an archive and an index of its own, kept in a work folder so that a second run embeds nothing again.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.article import Article
from archive.errors import SourceError
from archive.identity import content_hash
from archive.progress import Progress, silent
from archive.readers.fields import article_from
from archive.readers.normalise import has_words
from archive.store import Store
from index.build import Builder
from index.embedder import Embedder
from index.fusion import Method
from index.keywords import KeywordFormat
from index.query import Query, Term
from index.related import Related
from index.search import MODES, Mode, Search
from index.serving import Serving

RUN_DEPTH = 100  # results a query that are judged; R@100 looks no further
RELATED_DEPTH = 5  # a panel's worth; nDCG@5 is what TREC's background linking reports

Measures = Mapping[str, float]
Run = Mapping[str, Sequence[str]]  # query id -> document ids, best first
Qrels = Mapping[str, Mapping[str, int]]  # query id -> document id -> grade


@dataclass(frozen=True, slots=True)
class Parts:
    """What an evaluation builds its own index with."""

    embedder: Embedder
    keywords: KeywordFormat
    fusion: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """The measures of each mode on one collection."""

    collection: str
    queries: int
    modes: Mapping[Mode, Measures]


def evaluate(
    directory: Path,
    *,
    split: str,
    modes: Sequence[Mode] = MODES,
    parts: Parts,
    work: Path,
    progress: Progress = silent,
) -> EvaluationReport:
    """Measure nDCG@10, R@100 and RR of each mode on the judged queries of `directory`.

    Raises SourceError when the folder is not a collection or a line of it cannot be read.
    """
    name = directory.resolve().name
    documents = {
        _text(row, "_id", where): _document(row, collection=name, where=where)
        for where, row in _lines(directory / "corpus.jsonl")
    }
    queries = {
        _text(row, "_id", where): _text(row, "text", where) for where, row in _lines(directory / "queries.jsonl")
    }
    judgements = _qrels(directory / "qrels" / f"{split}.tsv")
    qrels = {query_id: grades for query_id, grades in judgements.items() if query_id in queries}
    judged = {query_id: queries[query_id] for query_id in sorted(qrels)}
    if not judged:
        raise SourceError(f"{directory}: no query of queries.jsonl is judged in qrels/{split}.tsv")
    names = {article.id: document_id for document_id, article in documents.items()}
    with _Index(documents.values(), parts=parts, work=work, progress=progress) as index:
        runs: dict[Mode, Run] = {mode: _run(index.search, judged, names, mode, progress) for mode in modes}
    measured = {mode: _measure(run, qrels, ["nDCG@10", "R@100", "RR"]) for mode, run in runs.items()}
    return EvaluationReport(collection=name, queries=len(judged), modes=measured)


def evaluate_related(
    file: Path, *, modes: Sequence[Mode] = MODES, parts: Parts, work: Path, progress: Progress = silent
) -> EvaluationReport:
    """Measure nDCG@5 of related articles: those of the same `cluster` in `file` (JSON Lines) are relevant.

    Raises SourceError when a line cannot be read or no article has a companion.
    """
    clusters: dict[str, str] = {}
    articles: list[Article] = []
    for where, row in _lines(file):
        article = _article(row, where)
        articles.append(article)
        if row.get("cluster") is not None:  # one of no cluster is there to be told apart from
            clusters[article.id] = str(row["cluster"])
    members: dict[str, list[str]] = {}
    for article_id, cluster in clusters.items():
        members.setdefault(cluster, []).append(article_id)
    qrels = {
        article_id: {other: 1 for other in members[cluster] if other != article_id}
        for article_id, cluster in clusters.items()
        if len(members[cluster]) > 1
    }
    if not qrels:
        raise SourceError(f"{file}: no two articles share a `cluster`: see docs/operations.md")
    with _Index(articles, parts=parts, work=work, progress=progress) as index:
        runs: dict[Mode, Run] = {mode: _related_run(index.related, qrels, mode, progress) for mode in modes}
    measured = {mode: _measure(run, qrels, ["nDCG@5"]) for mode, run in runs.items()}
    return EvaluationReport(collection=file.name, queries=len(qrels), modes=measured)


class _Index:
    """An archive and an index of their own, under `work`."""

    def __init__(self, articles: Iterable[Article], *, parts: Parts, work: Path, progress: Progress) -> None:
        wanted = {article.id: article for article in articles}
        self._store = _filled(work, wanted, progress)
        if not _holds(self._store, wanted):  # removals hold and old wordings undo no new ones: start afresh
            self._store.close()
            _clear(work)
            self._store = _filled(work, wanted, progress)
        builder = Builder(root=work / "index", store=self._store, embedder=parts.embedder, keywords=parts.keywords)
        builder.update(progress)
        self._serving = Serving(work / "index", self._store, formats={parts.keywords.name: parts.keywords})
        embedder: Callable[[], Embedder] = lambda: parts.embedder  # noqa: E731
        self.search = Search(store=self._store, serving=self._serving, embedder=embedder, fusion=parts.fusion)
        self.related = Related(store=self._store, serving=self._serving, embedder=embedder, fusion=parts.fusion)

    def __enter__(self) -> "_Index":
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.close()
        self._store.close()


def _filled(work: Path, wanted: Mapping[str, Article], progress: Progress) -> Store:
    store = Store(work / "archive.sqlite3")
    for done, article in enumerate(wanted.values(), start=1):
        store.put(article)
        progress("storing", done, len(wanted))
    for gone in set(store.live_ids()) - set(wanted):
        store.remove(gone, reason="no longer in the collection")
    return store


def _holds(store: Store, wanted: Mapping[str, Article]) -> bool:
    shown = store.live(list(wanted))
    return len(shown) == len(wanted) and all(
        content_hash(shown[article_id]) == content_hash(article) for article_id, article in wanted.items()
    )


def _clear(work: Path) -> None:
    for file in work.glob("archive.sqlite3*"):
        file.unlink()
    shutil.rmtree(work / "index", ignore_errors=True)


def _run(search: Search, queries: Mapping[str, str], names: Mapping[str, str], mode: Mode, progress: Progress) -> Run:
    run = {}
    for done, (query_id, text) in enumerate(queries.items(), start=1):
        ranking = search.rank(plain(text), mode=mode)
        run[query_id] = [names[item.hit.article_id] for item in ranking.fused[:RUN_DEPTH]]
        progress(f"searching, {mode}", done, len(queries))
    return run


def _related_run(related: Related, qrels: Qrels, mode: Mode, progress: Progress) -> Run:
    run = {}
    for done, article_id in enumerate(qrels, start=1):
        response = related.related(article_id, limit=RELATED_DEPTH, mode=mode)
        run[article_id] = [result.article.id for result in response.results]
        progress(f"relating, {mode}", done, len(qrels))
    return run


def plain(text: str) -> Query:
    """Return a query of nothing but words: judged queries are prose, their quotes and dashes are no operators."""
    return Query(text=text, wanted=tuple(Term(word) for word in text.split()))


def _measure(run: Run, qrels: Qrels, measures: Sequence[str]) -> Measures:
    import ir_measures

    judged = [ir_measures.Qrel(q, d, grade) for q, grades in qrels.items() for d, grade in grades.items()]
    # The order is ours: a place's score falls with the place, so that ties are not broken a second time.
    scored = [ir_measures.ScoredDoc(q, d, -place) for q, documents in run.items() for place, d in enumerate(documents)]
    wanted = [ir_measures.parse_measure(name) for name in measures]
    values = ir_measures.calc_aggregate(wanted, judged, scored)
    return {str(measure): round(values[measure], 4) for measure in wanted}


def _document(row: Mapping[str, object], *, collection: str, where: str) -> Article:
    """Return a corpus row as an article known by the collection's own id; a row without text has its title as body."""
    document_id = _text(row, "_id", where)
    texts = [str(text) for text in (row.get("text"), row.get("title")) if text is not None]
    body = next((text for text in texts if has_words(text)), document_id)
    return _article({"_id": document_id, "source": collection, "title": row.get("title"), "text": body}, where)


def _article(fields: Mapping[str, object], where: str) -> Article:
    try:
        return article_from(fields)
    except SourceError as error:
        raise SourceError(f"{where}: {error}") from error


def _text(row: Mapping[str, object], name: str, where: str) -> str:
    if row.get(name) is None:
        raise SourceError(f"{where}: no `{name}`: each line of a collection has one")
    return str(row[name])


def _lines(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield each line's place, to name it by, and its object."""
    wanted = "a collection has corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv"
    for where, line in _text_lines(path, wanted=wanted):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{where}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise SourceError(f"{where}: not a JSON object")
        yield where, row


def _text_lines(path: Path, *, wanted: str) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}:{number}", line.rstrip("\n")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}: {wanted}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8: {error}") from error


def _qrels(path: Path) -> Qrels:
    """Read judgements; the first line is a heading unless it ends in a grade."""
    qrels: dict[str, dict[str, int]] = {}
    for number, (where, line) in enumerate(_text_lines(path, wanted="--split names a file of qrels/")):
        try:
            query_id, document_id, grade = line.split("\t")
            qrels.setdefault(query_id, {})[document_id] = int(grade)
        except ValueError as error:
            if number:
                raise SourceError(f"{where}: three columns are wanted (query-id, corpus-id, score): {error}") from error
    return qrels
