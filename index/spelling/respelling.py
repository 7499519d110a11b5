"""The speller in service: it follows the generation that is served.

A generation's words are read and laid out in the background, when they are first asked for and again when another
generation is served; meanwhile those of an earlier one are asked.

Invariants: nobody waits for the words but who begins the first reading by a question; `begin` spares a server's readers
even that. What is suggested can be found: each word is looked up in the generation served now, so a word that went with
its article is not suggested.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from archive.errors import ArchiveError
from index.analysis import scoring_terms, words
from index.errors import SearchError
from index.function_words import without_function_words
from index.memory import give_back
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
        self._reading: threading.Thread | None = None

    @property
    def generation(self) -> int | None:
        """The generation whose words suggestions go by, None as long as none are read."""
        return self._generation

    def begin(self) -> None:
        """Begin to read the words in the background, so that no question has to wait for them."""
        with self._serving.engine() as (engine, _):
            self._begin_reading(engine.generation)

    def suggest(self, query_text: str) -> str | None:
        """Return the whole query corrected, or None when there is nothing to correct, or nothing is read yet."""
        speller = self._current()
        suggestion = speller.suggest(query_text) if speller else None
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
        """Wait for what is being read."""
        with self._lock:
            reading = self._reading
        if reading is not None:
            reading.join()

    def _current(self) -> Speller | None:
        """Return the speller there is, and see to it that a later question finds that of the generation served now."""
        with self._serving.engine() as (engine, _):
            generation = engine.generation
        if self._speller is None or generation != self._generation:
            begun = self._begin_reading(generation)
            if self._speller is None and begun is not None:
                begun.join()
        return self._speller

    def _begin_reading(self, generation: int | None) -> threading.Thread | None:
        """Start to read and return the thread that does, or None when one does, or nothing is to be read."""
        with self._lock:
            busy = self._reading is not None and self._reading.is_alive()
            if busy or (self._speller is not None and generation == self._generation):
                return None
            self._reading = threading.Thread(target=self._read, name="speller", daemon=True)
            self._reading.start()
            return self._reading

    def _read(self) -> None:
        try:
            with self._serving.engine() as (engine, _):
                speller = Speller(engine.words(), together=self._count, in_headlines=self._in_headlines)
                self._speller, self._generation = speller, engine.generation
            give_back()
        except (ArchiveError, SearchError) as error:
            log.warning("spelling goes by the words of an earlier generation: %s", error)

    def _count(self, together: Sequence[str]) -> int:
        """Return how many articles hold all of these words."""
        with self._serving.engine() as (engine, _):
            query = Query(text=" ".join(together), wanted=tuple(Term(word) for word in together))
            return engine.count_holding(without_function_words(query, engine.languages))
