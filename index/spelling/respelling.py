"""The speller in service: it follows the generation that is served.

Invariants: nobody waits for a generation's words while those of an earlier one are there. What is suggested can be
found: each word is looked up in the generation served now, so a word that went with its article is not suggested.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from archive.errors import ArchiveError
from index.analysis import scoring_terms, words
from index.errors import SearchError
from index.query import Query, Term
from index.serving import Serving
from index.spelling.speller import Speller, plain_words

log = logging.getLogger(__name__)

FOUND_WHOLE = 4  # words up to which a suggestion must find an article that holds them all


class Respelling:
    """Corrects queries by the words of the archive as it is served. Safe to use from several threads."""

    def __init__(self, serving: Serving, *, in_headlines: Callable[[str], int]) -> None:
        """Nothing is loaded yet; `in_headlines` counts the headlines that hold a phrase."""
        self._serving = serving
        self._in_headlines = in_headlines
        self._lock = threading.Lock()
        self._speller: Speller | None = None
        self._generation: int | None = None
        self._loading: threading.Thread | None = None

    def suggest(self, query_text: str) -> str | None:
        """Return the whole query corrected, or None when there is nothing to correct."""
        suggestion = self._current().suggest(query_text)
        if suggestion is None:
            return None
        meant = [word.folded for word in plain_words(suggestion)]
        new = set(meant) - set(words(query_text))
        if not all(self._count((word,)) for word in new):
            return None
        telling = scoring_terms(meant)
        is_found = len(telling) > FOUND_WHOLE or bool(self._count(telling))
        return suggestion if is_found else None

    def close(self) -> None:
        """Wait for what is being loaded."""
        with self._lock:
            loading = self._loading
        if loading is not None:
            loading.join()

    def _current(self) -> Speller:
        """Return the speller there is, and see to it that the next question finds that of the generation served now."""
        with self._serving.engine() as (engine, _):
            generation = engine.generation
        with self._lock:
            speller = self._speller or self._load()
            if generation != self._generation and (self._loading is None or not self._loading.is_alive()):
                self._loading = threading.Thread(target=self._reload, name="speller", daemon=True)
                self._loading.start()
            return speller

    def _reload(self) -> None:
        try:
            self._load()
        except (ArchiveError, SearchError) as error:
            log.warning("spelling goes by the words of an earlier generation: %s", error)

    def _load(self) -> Speller:
        with self._serving.engine() as (engine, _):
            speller = Speller(engine.words(), together=self._count, in_headlines=self._in_headlines)
            self._speller, self._generation = speller, engine.generation
            return speller

    def _count(self, together: Sequence[str]) -> int:
        """Return how many articles hold all of these words."""
        with self._serving.engine() as (engine, _):
            return engine.count_holding(Query(text=" ".join(together), wanted=tuple(Term(word) for word in together)))
