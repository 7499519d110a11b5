"""The keyword index on Tantivy 0.27; the only file that imports it.

Tantivy nominates: for a query of plain words it finds the best articles without looking at the others, by the BM25 it
computes over one field, `text`, in which a title's terms stand twice; stop words are left out, as they are from an
article's length. It rounds lengths, and its averages still count removed articles, so what it nominates is near to the
order of `index.keywords.scoring` and not always the same. Everything else that is asked of an index, and everything
exact, is answered by our own segments (`index.keywords.segment`), which hold postings and texts: Tantivy gives no
access to its own. An article is known to both by a *serial*, a number given to it when it is added and never again.

What is on disk: Tantivy's files; our segments, `*.articles`; `*.gone`, the numbers of a segment's removed articles;
and `segments.json`, which names the segments and is replaced at the end of an update. What Tantivy holds beyond it
comes from an update that failed, and is not looked at.

Not used: Tantivy's query parser; its stored fields; positions. It never calls fsync: whoever asks for an `update` does.
"""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tantivy

from archive.article import Article
from index.analysis import STOP_TERMS, stem, words
from index.engine import Floats, Ints
from index.errors import GenerationDamaged
from index.keywords import KeywordIndex, folder
from index.keywords.folder import OwnPostings
from index.keywords.intake import first_of_each_id, texts_of
from index.keywords.scoring import K1, Bm25, RankedPostings

HEAP_BYTES = 64_000_000  # of Tantivy's one writing thread: what it gathers before it writes a segment
GONE_SHARE = 0.05  # of the articles: when more are gone, Tantivy's averages are too far off to nominate by

_OF_AN_EMPTY_INDEX = ("meta.json", ".managed.json")
_SEARCHED = tantivy.Occur.Should


class TantivyFormat:
    """Keeps a keyword index in a directory with Tantivy and segments of our own."""

    name = "tantivy"

    def __init__(self, ranking: Bm25 | None = None) -> None:
        """`ranking` is what indexes are opened with; Tantivy nominates for the usual one alone."""
        self._ranking = ranking or Bm25()

    def create(self, directory: Path) -> None:
        """Make an empty index in the existing, empty `directory`."""
        with _aside() as aside:
            tantivy.Index(_schema(), path=str(aside))
            for name in _OF_AN_EMPTY_INDEX:
                shutil.copyfile(aside / name, directory / name)
        folder.create(directory)

    def update(self, directory: Path, *, removed: Sequence[str], added: Iterable[Article]) -> None:
        """Remove the ids in `removed`, then add the articles, as new segments; unchanged files stay as they are.

        An added article replaces the one of its id that is there; of two added with the same id the first is kept.
        """
        update = folder.Update(directory)
        try:
            with _writer(directory) as writer:
                with _disk_errors():
                    writer.delete_documents_by_query(_from_serial(update.first_serial))
                stems = _Stems()
                for article in first_of_each_id(added):
                    title, body = map(words, texts_of(article))
                    serial = update.add(article, title=title, body=body)
                    document = _document(serial, [stems[word] for word in (*title, *title, *body)])
                    with _disk_errors():
                        writer.add_document(document)
                # not delete_documents_by_term, which takes the number for one of another type and finds nothing
                serials = update.remove(removed)
                with _disk_errors():
                    writer.delete_documents_by_query(tantivy.Query.term_set_query(_schema(), "serial", serials))
                update.write()
            update.publish()
        except BaseException:
            update.undo()
            raise
        finally:
            _unlock(directory)

    def open(self, directory: Path) -> KeywordIndex:
        """Open for reading. Raises GenerationDamaged when it cannot be opened."""
        try:
            postings = OwnPostings(directory)
            nominator = _Nominator(directory, postings)
        except Exception as error:  # a damaged file may lead to anything
            raise GenerationDamaged(
                f"the keyword index in {directory} cannot be opened ({error!r}); run: flask reindex"
            ) from error
        is_near = self._ranking == Bm25() and nominator.gone_share <= GONE_SHARE
        return RankedPostings(postings, self._ranking, nominator if is_near else None)


class _Stems(dict[str, str]):
    """The terms of words already met; of a stop word nothing."""

    def __missing__(self, word: str) -> str:
        term = stem(word)
        made = self[word] = "" if term in STOP_TERMS else term
        return made


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="terms", index_option="freq")
    builder.add_unsigned_field("serial", indexed=True, fast=True)
    return builder.build()


def _document(serial: int, terms: Sequence[str]) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("text", " ".join(terms))
    document.add_unsigned("serial", serial)
    return document


def _from_serial(first: int) -> tantivy.Query:
    return tantivy.Query.range_query(_schema(), "serial", tantivy.FieldType.Unsigned, lower_bound=first)


@contextlib.contextmanager
def _writer(directory: Path) -> Iterator[tantivy.IndexWriter]:
    """Give a writer whose work is committed and its segments merged at the end, or undone when anything fails."""
    with _disk_errors():
        index = _opened(directory)
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        index.register_tokenizer("terms", spaces)
        writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
    try:
        yield writer
        with _disk_errors():
            writer.commit()
            writer.wait_merging_threads()
    except BaseException:
        with contextlib.suppress(Exception):
            writer.rollback()
        raise


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    """Tell a failure of the disk as one: Tantivy makes a ValueError of each."""
    try:
        yield
    except ValueError as error:
        raise OSError(str(error)) from error


def _opened(directory: Path) -> tantivy.Index:
    """Return Tantivy's index, without the thread that watches its folder for whatever is written there."""
    index = tantivy.Index.open(str(directory))
    index.config_reader(reload_policy="manual")
    return index


@contextlib.contextmanager
def _aside() -> Iterator[Path]:
    """Give a folder for Tantivy to open an index in, which is deleted afterwards.

    Opening starts a thread that makes a lock file in the folder, a moment later or not at all: nothing that must stay
    as it is can be opened where it lies.
    """
    with TemporaryDirectory(prefix="backfile-tantivy-", ignore_cleanup_errors=True) as aside:
        yield Path(aside)


def _unlock(directory: Path) -> None:
    """Leave no lock file behind: a folder linked to this one would share the lock."""
    for lock in directory.glob(".*.lock"):
        lock.unlink(missing_ok=True)


def _gone_share(directory: Path) -> float:
    """Return the share of removed articles among those that Tantivy's segments hold."""
    segments = json.loads((directory / "meta.json").read_text())["segments"]
    gone = sum(segment["deletes"]["num_deleted_docs"] for segment in segments if segment["deletes"])
    return float(gone / (sum(segment["max_doc"] for segment in segments) or 1))


class _Nominator:
    """Finds the best articles for plain words with Tantivy's searcher. Safe to call from several threads."""

    def __init__(self, directory: Path, postings: OwnPostings) -> None:
        """Open what Tantivy holds of the articles of `postings`."""
        with _aside() as aside:
            for file in directory.iterdir():
                (aside / file.name).symlink_to(file.resolve())
            index = _opened(aside)
            self._searcher = index.searcher()  # holds every file open
        self._schema = index.schema
        self.gone_share = _gone_share(directory)
        self._articles = np.full(int(postings.serials.max(initial=-1)) + 2, -1, np.int64)  # by serial
        live = np.flatnonzero(postings.live)
        self._articles[postings.serials[live]] = live

    def best(self, terms: Mapping[str, float], *, depth: int) -> tuple[Ints, Floats]:
        """Return the best `depth` articles for these weighted terms, best first, and their scores."""
        hits = self._searcher.search(self._query(terms), limit=depth, count=False).hits
        serials = np.array(self._searcher.fast_field_values("serial", [address for _, address in hits]), np.int64)
        articles = self._articles.take(serials, mode="clip")
        scores = np.array([score for score, _ in hits], np.float64) / (K1 + 1)  # a factor that it has and we have not
        known = articles >= 0
        return (articles, scores) if known.all() else (articles[known], scores[known])

    def _query(self, terms: Mapping[str, float]) -> tantivy.Query:
        one = tantivy.Query.term_query
        return tantivy.Query.boolean_query(
            [
                (_SEARCHED, found if weight == 1.0 else tantivy.Query.boost_query(found, weight))
                for term, weight in terms.items()
                if (found := one(self._schema, "text", term, "freq"))
            ]
        )
