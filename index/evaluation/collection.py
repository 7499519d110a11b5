"""Judged collections as they lie on disk: folders in BEIR's layout (Thakur et al. 2021), and files of clusters.

Invariant: what cannot be read is named with its file and line and stops the reading; what can be read but says nothing
(a judgement of a query that is not there) is passed over and told in `notes`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive.article import Article
from archive.errors import SourceError
from archive.readers.fields import article_from
from archive.readers.lines import not_utf8
from archive.readers.normalise import clean, has_words
from index.evaluation.measures import Qrels

Line = tuple[str, dict[str, object]]  # its place, to name it by, and its object


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """Judged queries: their texts and grades, of the same query ids in order. `notes` says what was passed over."""

    queries: Mapping[str, str]
    qrels: Qrels
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What is searched and what is asked. `names` gives the collection's own id of each article.

    `clusters` has the labels of those articles that have one, companions or not.
    """

    name: str
    articles: Iterable[Article]
    names: Mapping[str, str]
    judged: Judgements
    clusters: Mapping[str, str] = field(default_factory=dict)


def read_collection(directory: Path, *, split: str) -> Collection:
    """Read a folder of `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

    Raises SourceError when it is not one, when a line of it cannot be read, or when no query is judged.
    """
    name = directory.resolve().name
    documents = {
        _id(row, where): _document(row, collection=name, where=where)
        for where, row in _lines(directory / "corpus.jsonl")
    }
    judged = read_judgements(directory, split=split, documents=documents)
    names = {article.id: document_id for document_id, article in documents.items()}
    return Collection(name=name, articles=documents.values(), names=names, judged=judged)


def read_judgements(directory: Path, *, split: str, documents: Mapping[str, object] | None = None) -> Judgements:
    """Read the queries of a collection and their grades.

    With `documents`, judgements of others are told: they count as answers that no ranking finds, as in TREC's tools.
    """
    queries = {_id(row, where): _query(row, where) for where, row in _lines(directory / "queries.jsonl")}
    qrels: dict[str, dict[str, int]] = {}
    unknown_queries = _Strangers("queries.jsonl", "passed over")
    unknown_documents = _Strangers("corpus.jsonl", "counted as never found")
    for where, query_id, document_id, grade in _grades(directory / "qrels" / f"{split}.tsv"):
        if query_id not in queries:
            unknown_queries.add(where, query_id)
            continue
        if documents is not None and document_id not in documents:
            unknown_documents.add(where, document_id)
        qrels.setdefault(query_id, {})[document_id] = grade
    if not qrels:
        raise SourceError(f"{directory}: no query of queries.jsonl is judged in qrels/{split}.tsv")
    judged = sorted(qrels)
    return Judgements(
        queries={query_id: queries[query_id] for query_id in judged},
        qrels={query_id: qrels[query_id] for query_id in judged},
        notes=tuple(found.told() for found in (unknown_queries, unknown_documents) if found.count),
    )


def judged_in_archive(directory: Path, *, split: str) -> Judgements:
    """Read the queries of a collection and the grades of an archive's own articles, by the archive's ids.

    Where there is a `corpus.jsonl`, each document is the article that this row becomes when it is ingested; without
    one, the judgements name articles by their ids.
    """
    judged = read_judgements(directory, split=split)
    if not (directory / "corpus.jsonl").exists():
        return judged
    ids = {_id(row, where): _article(row, where).id for where, row in _lines(directory / "corpus.jsonl")}
    qrels = {
        query_id: {ids.get(document, document): grade for document, grade in grades.items()}
        for query_id, grades in judged.qrels.items()
    }
    return replace(judged, qrels=qrels)


def read_clusters(file: Path) -> Collection:
    """Read articles as JSON Lines, of which those with the same `cluster` are relevant to each other.

    Raises SourceError when a line cannot be read or no article has a companion.
    """
    clusters: dict[str, str] = {}
    articles: list[Article] = []
    for where, row in _lines(file, wanted="--related names a file of articles"):
        article = _article(row, where)
        articles.append(article)
        if row.get("cluster") is not None:  # one of no cluster is there to be told apart from
            clusters[article.id] = str(row["cluster"])
    members: dict[str, list[str]] = {}
    for article_id, cluster in clusters.items():
        members.setdefault(cluster, []).append(article_id)
    qrels = {
        article_id: {other: 1 for other in members[cluster] if other != article_id}
        for article_id, cluster in sorted(clusters.items())
        if len(members[cluster]) > 1
    }
    if not qrels:
        raise SourceError(f"{file}: no two articles share a `cluster`: see docs/operations.md")
    titles = {article.id: article.title for article in articles if article.id in qrels}
    return Collection(
        name=file.name,
        articles=articles,
        names={article.id: article.id for article in articles},
        judged=Judgements(queries={query_id: titles[query_id] for query_id in qrels}, qrels=qrels),
        clusters=clusters,
    )


class _Strangers:
    """Judgements that name what is not there: the first of them, and how many."""

    def __init__(self, file: str, consequence: str) -> None:
        self._file = file
        self._consequence = consequence
        self._first = ""
        self.count = 0

    def add(self, where: str, name: str) -> None:
        """Count a judgement of `name`."""
        self._first = self._first or f"{where}: {name!r} is not in {self._file}"
        self.count += 1

    def told(self) -> str:
        """Return one line on them."""
        return f"{self._first}; {self.count} such judgement{'s' if self.count > 1 else ''} {self._consequence}"


def text_lines(path: Path, *, wanted: str) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, with its place. Raises SourceError; `wanted` says what should be there."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    reason = not_utf8(raw[error.start], error.start + 1)
                    raise SourceError(f"{path}:{number}: {reason}") from error
                if line.strip():
                    yield f"{path}:{number}", line.rstrip("\r\n")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}: {wanted}") from error


def _lines(
    path: Path, *, wanted: str = "a collection has corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv"
) -> Iterator[Line]:
    for where, line in text_lines(path, wanted=wanted):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{where}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise SourceError(f"{where}: not a JSON object")
        yield where, row


def _grades(path: Path) -> Iterator[tuple[str, str, str, int]]:
    """Yield (place, query id, document id, grade); the first line is a heading unless it ends in a grade."""
    for number, (where, line) in enumerate(text_lines(path, wanted="--split names a file of qrels/")):
        try:
            query_id, document_id, grade = line.split("\t")
            yield where, query_id, document_id, int(grade)
        except ValueError as error:
            if number:
                raise SourceError(f"{where}: three columns are wanted (query-id, corpus-id, score): {error}") from error


def _document(row: Mapping[str, object], *, collection: str, where: str) -> Article:
    """Return a corpus row as an article known by the collection's own id; a row without text has its title as body."""
    document_id = _id(row, where)
    texts = [str(text) for text in (row.get("text"), row.get("title")) if text is not None]
    body = next((text for text in texts if has_words(text)), document_id)
    return _article({"_id": document_id, "source": collection, "title": row.get("title"), "text": body}, where)


def _article(fields: Mapping[str, object], where: str) -> Article:
    try:
        return article_from(fields)
    except SourceError as error:
        raise SourceError(f"{where}: {error}") from error


def _id(row: Mapping[str, object], where: str) -> str:
    name = _text(row, "_id", where)
    try:
        name.encode()
    except UnicodeEncodeError as error:  # half a character, written as an escape
        raise SourceError(f"{where}: `_id` cannot be written down: {error}") from error
    return name


def _query(row: Mapping[str, object], where: str) -> str:
    return clean(_text(row, "text", where))


def _text(row: Mapping[str, object], name: str, where: str) -> str:
    if row.get(name) is None:
        raise SourceError(f"{where}: no `{name}`: each line of a collection has one")
    return str(row[name])
