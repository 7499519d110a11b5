"""Bring files, folders and web addresses into the archive: read what is found, put each article.

Invariant: one bad input never stops the rest; each is named with its reason. A failing store does stop it: what cannot
be kept must not be reported as read.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

from archive.arrival import Outcome
from archive.article import Entry, Record, Rejection, Withdrawal
from archive.finding import File, find, is_address, shown, why_unreadable
from archive.language import with_language
from archive.progress import Progress, Stopped, silent
from archive.quarantine import Notes, Quarantine
from archive.readers import HEAD_BYTES
from archive.readers.isolated.child import Child, Children
from archive.readers.packed.budget import Budget
from archive.readers.records import own
from archive.readers.unpacker import Unpacker
from archive.store import Store

STAGE = "reading"  # the stage `ingest` reports
DIFFERS = "article {id} has other versions here, which stay: this record of it was not taken"
KEPT_REJECTIONS = 10_000  # beyond these, rejections are counted only, so that a huge bad file cannot fill the memory

KEPT_UNREAD_DATES = 3  # as examples

Take = Callable[[Entry], None]
Fetch = Callable[[str, Take], None]
"""`fetch(url, take)` has `take` what is at `url`, or the reason why there is nothing; see `archive.fetching`."""


@dataclass(slots=True)
class IngestReport:
    """What became of each input. `rejected` holds the first `KEPT_REJECTIONS`, `rejected_count` counts them all.

    `held` counts what may not be shown yet, `withdrawn` what its source took back, `passed_over` what lay in folders
    and archive files and is no article, such as the images of a crawl. `undated` counts what came in without a date
    because what is written there is none, or one of several; `unread_dates` has the first of these.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    withdrawn: int = 0
    passed_over: int = 0
    undated: int = 0
    unread_dates: list[str] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    stopped_by: int | None = None  # the signal that ended it before everything was read

    @property
    def came_in(self) -> int:
        """How many articles and withdrawals were read, whether they changed anything or not."""
        return self.added + self.updated + self.unchanged + self.held + self.withdrawn

    def reject(self, rejection: Rejection) -> None:
        """Count a rejection, and keep it while there is room, without the input itself."""
        self.rejected_count += 1
        if len(self.rejected) < KEPT_REJECTIONS:
            self.rejected.append(replace(rejection, raw=None))

    def note_unread(self, date: str) -> None:
        """Count an article without a date because of what is written there, and keep that if it is among the first."""
        self.undated += 1
        if len(self.unread_dates) < KEPT_UNREAD_DATES and date not in self.unread_dates:
            self.unread_dates.append(date)

    def add(self, other: "IngestReport") -> None:
        """Count what another report counts as well."""
        self.added += other.added
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.held += other.held
        self.withdrawn += other.withdrawn
        self.passed_over += other.passed_over
        self.undated += other.undated
        self.unread_dates = list(dict.fromkeys(self.unread_dates + other.unread_dates))[:KEPT_UNREAD_DATES]
        self.rejected_count += other.rejected_count
        self.rejected += other.rejected[: KEPT_REJECTIONS - len(self.rejected)]


def ingest(
    sources: Sequence[str | Path],
    store: Store,
    *,
    fetch: Fetch | None = None,
    children: Children | None = None,
    quarantine: Quarantine | None = None,
    progress: Progress = silent,
) -> IngestReport:
    """Read the articles of `sources` into `store`, each in a transaction of its own: files and folders, then addresses.

    Folders are walked in the order of their names, without what is hidden or is no article by its name. A folder that
    holds `corpus.jsonl` beside `queries.jsonl` or `qrels/` is a judged collection in BEIR layout: its articles are
    those of the corpus, and what else lies there (queries, judgements, notes) is passed over without a word.

    Of what cannot be read, as much as the report names is kept in `quarantine`; what cannot even be opened is not. What
    is kept of a file and is not wrong in it any more leaves.

    What may be hostile is read by one of `children`, which `fetch` may use in turn; without any, by one of its own.

    `progress` hears of the stage "reading" in bytes of the files as they lie on disk, packed or not. Raises what
    `store.put` raises, and nothing that an input can cause.
    """
    report = IngestReport()
    files = _files(sources, report)
    total = sum(file.size for file in files)
    done = 0
    progress(STAGE, done, total)
    held = quarantine.files() if quarantine else set()
    with (
        nullcontext(children) if children else Children() as readers,
        Notes(quarantine) as notes,
        _until_stopped(report),
    ):

        def bring_in(entry: Entry, size: int | None = None) -> None:
            if isinstance(entry, Rejection) and len(report.rejected) < KEPT_REJECTIONS:
                notes.add(entry, size)
            take(entry, store, report)

        with readers.one() as child:
            for file in files:
                before = len(report.rejected)
                for entry, position in entries_of(file, child, report):
                    if isinstance(entry, Record):
                        restore(entry, store, report)
                    else:
                        bring_in(entry, file.size)
                    progress(STAGE, min(done + position, total), total)
                origin = shown(file.path)
                if quarantine and origin in held and _is_read_whole(origin, report, since=before):
                    notes.flush()
                    quarantine.drop_mended(origin, but=notes.noted)
                done += file.size
                progress(STAGE, done, total)
        for url in filter(is_address, sources):
            (fetch or _not_fetched)(str(url), bring_in)
    return report


@contextmanager
def _until_stopped(report: IngestReport) -> Iterator[None]:
    """Count what was done when whoever is told of the progress ends the work."""
    try:
        yield
    except Stopped as stopped:
        report.stopped_by = stopped.signal


def _not_fetched(url: str, take: Take) -> None:
    take(Rejection(source=url, reason="nothing is fetched here: save the page and give the file"))


def _is_read_whole(origin: str, report: IngestReport, *, since: int) -> bool:
    """Tell whether a file was read to its end, so that all that is wrong in it is among the rejections `since` then."""
    failed = any(each.source == origin and each.line is None for each in report.rejected[since:])
    return not failed and len(report.rejected) < KEPT_REJECTIONS


def restore(record: Record, store: Store, report: IngestReport) -> None:
    """Restore what a file that the operator named holds: it is believed, so only what `entries_of` finds comes here."""
    match store.restore(record):
        case "differs":
            report.reject(Rejection(source=record.origin, line=record.line, reason=DIFFERS.format(id=record.id)))
        case "withdrawn":
            report.withdrawn += 1
        case outcome:
            _count(outcome, report)


def take(entry: Entry, store: Store, report: IngestReport) -> None:
    """Bring in one entry, and count in the report what became of it."""
    if isinstance(entry, Record):  # no reader of what comes from elsewhere finds one; should one do, it is refused
        report.reject(Rejection(source=entry.origin, line=entry.line, reason=own.NOT_BELIEVED))
        return
    if isinstance(entry, Rejection):
        report.reject(entry)
        return
    if isinstance(entry, Withdrawal):
        if not store.withdraw(entry):
            report.unchanged += 1
        elif entry.for_good:
            report.withdrawn += 1
        else:
            report.held += 1
        return
    if entry.unread_date:
        report.note_unread(entry.unread_date)
    _count(store.put(with_language(entry)), report)


def _count(outcome: Outcome, report: IngestReport) -> None:
    match outcome:
        case "added":
            report.added += 1
        case "held":
            report.held += 1
        case "updated":
            report.updated += 1
        case "unchanged":
            report.unchanged += 1


def entries_of(file: File, child: Child, report: IngestReport) -> Iterator[tuple[Entry, int]]:
    """Yield what the file holds, each with the bytes of it read so far.

    Raises nothing: what fails is a rejection, and what cannot be opened is one in the report alone.

    What the caller does with an entry happens outside this function, so no failure of the store is taken for one of
    the file.
    """
    origin = shown(file.path)
    position = 0
    try:
        with io.BufferedReader(io.FileIO(file.path), HEAD_BYTES) as packed:
            unpacker = Unpacker(child, Budget(packed.tell))
            named = cast(BinaryIO, packed)
            for entry in unpacker.entries(named, name=file.path.name, origin=origin, is_named=True):
                position = packed.tell()
                yield entry, position
            report.passed_over += unpacker.passed_over
    except OSError as error:
        report.reject(Rejection(source=origin, reason=why_unreadable(error)))


def _files(sources: Sequence[str | Path], report: IngestReport) -> list[File]:
    """Return the files that are to be read; the report has what else there is."""
    files: list[File] = []
    for found in find(sources):
        if found is None:
            report.passed_over += 1
        elif isinstance(found, Rejection):
            report.reject(found)
        else:
            files.append(found)
    return files
