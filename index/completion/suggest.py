"""Suggestions while one types: frequent phrases of the archive's headlines, and titles.

What is in memory (`phrases.py`) is read from the store in the background, when first asked for and again whenever the
archive has changed; the old answers meanwhile. No request waits but the one that begins the first reading, and that one
briefly. Between two readings is a rest, so that a busy archive spends a small share of a processor on them.

Invariant: what is in memory only nominates. A title is offered as the store shows it now, and a phrase only when it
stands in at least three headlines that have not changed since: nothing removed or held back is offered at any moment.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice

from archive.errors import ArchiveError
from archive.store import Store
from index.analysis import fold, words
from index.completion.phrases import MIN_ARTICLES, Headlines, read_headlines
from index.completion.typed import (
    Shown,
    Typed,
    as_placed,
    form_in_text,
    phrase_candidates,
    read_typed,
    title_candidates,
)
from index.memory import give_back

log = logging.getLogger(__name__)

MAX_SUGGESTIONS = 8
MIN_TITLES = 3  # of those, places kept for titles where there are so many
SAMPLE = 8  # headlines, the newest, by which it is judged how a phrase is written
MAX_FORMS = 20_000  # phrases of which that is remembered, about 4 MB
LEADS = 3  # articles that show how a phrase is written whose headlines do not tell
LEAD_CHARS = 1_500  # of the beginning of each
FIRST_WAIT = 0.25  # seconds that the request which begins the first reading waits for it
PAUSE = 0.002  # seconds left to other threads between two pieces of the reading, which take about as long
REST = 20  # times as long as it took, from the end of one reading to the next: at most 5% of a processor


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion: `text` is all that would stand in the box.

    A phrase stands in `headlines` headlines; a title is that of the article `article_id`.
    """

    text: str
    headlines: int = 0
    article_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase that may be offered for the words typed from `start` on, and the newest articles that confirm it."""

    text: str
    start: int
    headlines: int
    newest: Sequence[str]


class Suggest:
    """Completes queries from the headlines of a store. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Nothing is read before it is first asked for."""
        self._store = store
        self._headlines: Headlines | None = None
        self._forms: dict[str, str] = {}  # phrases as the archive writes them
        self._changed: tuple[int, int, Set[str]] = (0, 0, frozenset())  # articles changed after one seq, until another
        self._lock = threading.Lock()
        self._reading: threading.Thread | None = None
        self._rested = 0.0  # when the next reading may begin, by time.monotonic()
        self._closing = threading.Event()

    @property
    def seq(self) -> int | None:
        """The last change of the archive that is in the headlines read, None as long as none are."""
        headlines = self._headlines
        return headlines.seq if headlines else None

    def begin(self) -> None:
        """Begin to read in the background, so that no request finds nothing read."""
        self._begin_reading()

    def close(self) -> None:
        """End the reading in the background, if there is one. Nothing is read afterwards."""
        self._closing.set()
        with self._lock:
            reading = self._reading
        if reading is not None:
            reading.join()

    def suggest(self, text: str, *, limit: int = MAX_SUGGESTIONS) -> list[Suggestion]:
        """Return up to `limit` completions of `text`: phrases, the most frequent first, then titles, newest first."""
        typed, headlines = read_typed(text), self._current()
        if typed is None or headlines is None:
            return []
        titles = list(self._titles(headlines, typed))
        phrases = list(self._phrases(headlines, typed))[: limit - min(len(titles), MIN_TITLES)]
        forms = self._written(phrases)
        offered = [
            Suggestion(typed.with_phrase(form, phrase.start), headlines=phrase.headlines)
            for phrase in phrases
            if (form := forms.get(phrase.text))
        ]
        return _different([*offered, *titles], text)[:limit]

    def headlines_with(self, phrase: str) -> int:
        """Return how many headlines hold `phrase`; 0 when it is no frequent phrase, or nothing is read yet."""
        headlines = self._current()
        return headlines.count(" ".join(words(phrase))) if headlines else 0

    def _phrases(self, headlines: Headlines, typed: Typed) -> Iterator[_Phrase]:
        """Yield the phrases that stand in enough headlines that have not changed since they were read."""
        changed = self._changed_since(headlines.seq)
        for candidate in phrase_candidates(headlines, typed):
            held = headlines.ids_of(candidate.articles)
            newest = list(islice((article_id for article_id in held if article_id not in changed), SAMPLE))
            if len(newest) >= MIN_ARTICLES:
                yield _Phrase(candidate.phrase, candidate.start, len(candidate.articles), newest)

    def _titles(self, headlines: Headlines, typed: Typed) -> Iterator[Suggestion]:
        """Yield the titles that the store shows and that hold what was typed, each wording once."""
        article_ids = list(headlines.ids_of(title_candidates(headlines, typed)))
        shown = Shown(self._store.titles(article_ids))
        seen: set[str] = set()
        for article_id in article_ids:
            if shown.matches(article_id, typed):
                title = shown.title(article_id)
                if fold(title) not in seen:
                    yield Suggestion(title, article_id=article_id)
                seen.add(fold(title))

    def _changed_since(self, seq: int) -> Set[str]:
        """Return the articles that changed after `seq`; what is known of them is only added to."""
        with self._lock:
            since, until, known = self._changed
            if since != seq:
                until, known = seq, set()
            changes = self._store.last_changes(after=until)
            if changes:
                until, known = max(changes.values()), known | changes.keys()
            self._changed = seq, until, known
            return known

    def _written(self, phrases: Sequence[_Phrase]) -> Mapping[str, str]:
        """Return the phrases as most headlines write them, or, where those do not tell, as their articles do."""
        known = self._forms
        if len(known) > MAX_FORMS:
            self._forms = known = {}  # another one: the old may be in use
        new = [phrase for phrase in phrases if phrase.text not in known]
        if not new:
            return known
        shown = Shown(self._store.titles(sorted({held for phrase in new for held in phrase.newest})))
        known.update((phrase.text, form) for phrase in new if (form := shown.form(phrase.text, phrase.newest)))
        untold = [phrase for phrase in new if phrase.text not in known]
        for phrase in untold:
            articles = [self._store.article(held) for held in phrase.newest[:LEADS]]
            leads = "\n".join(article.body[:LEAD_CHARS] for article in articles if article and article.status == "live")
            for title, found in islice(shown.places(phrase.text, phrase.newest), 1):
                known[phrase.text] = form_in_text(as_placed(title, found), leads)
        return known

    # Reading, in the background

    def _current(self) -> Headlines | None:
        known = self._headlines
        if known is None or known.seq != self._store.last_seq():
            begun = self._begin_reading()
            if known is None and begun is not None:
                begun.join(FIRST_WAIT)
        return self._headlines

    def _begin_reading(self) -> threading.Thread | None:
        """Start to read and return the thread that does, or None when one does, is resting, or all is over."""
        with self._lock:
            busy = self._reading is not None and self._reading.is_alive()
            if busy or self._closing.is_set() or time.monotonic() < self._rested:
                return None
            self._reading = threading.Thread(target=self._read, name="suggestions", daemon=True)
            self._reading.start()
            return self._reading

    def _read(self) -> None:
        began = time.monotonic()
        try:
            seq = self._store.last_seq()  # first: a change that comes in meanwhile is read again the next time
            headlines = read_headlines(self._store.headlines(), seq=seq, breathe=self._breathe)
        except _Closed:
            return
        except ArchiveError as error:
            log.warning("no suggestions: %s", error)
        else:
            self._headlines = headlines
            give_back()
        finally:  # whatever went wrong: it would go wrong again with every request
            ended = time.monotonic()
            self._rested = ended + REST * (ended - began)

    def _breathe(self) -> None:
        if self._closing.wait(PAUSE):
            raise _Closed


class _Closed(Exception):
    """The reading is to end at once."""


def _different(suggestions: Sequence[Suggestion], typed: str) -> list[Suggestion]:
    """Return the suggestions without repeats and without what stands in the box already."""
    by_text = {fold(suggestion.text): suggestion for suggestion in reversed(suggestions)}
    by_text.pop(fold(typed), None)
    return [suggestion for suggestion in suggestions if by_text.get(fold(suggestion.text)) is suggestion]
