"""The working parts of one installation, each constructed on first use and then kept.

Invariant: constructing `Services`, or importing this file, opens nothing and loads no library that embeds or searches.
`flask --help` stays quick, and a model is loaded after gunicorn's fork (before it, OpenMP hangs the workers).
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast, overload

from flask import current_app
from flask_babel import gettext
from werkzeug.exceptions import Gone, NotFound

from archive.errors import ArchiveError
from archive.identity import ID_LENGTH
from index.errors import SearchError
from index.memory import give_back
from web.buckets import Buckets
from web.crew import Crew, Places, Scores
from web.settings import Settings
from web.shared_buckets import SharedBuckets

if TYPE_CHECKING:
    from archive.alerts import Alerts
    from archive.article import Article
    from archive.asked import AskedSearches
    from archive.fetch import Fetcher
    from archive.follows import Follows
    from archive.ledger import Ledger
    from archive.models import NamedModel
    from archive.quarantine import Quarantine
    from archive.releases import Releases
    from archive.store import ArchiveStats, Store
    from archive.takedowns import Takedowns
    from archive.tokens import Tokens
    from archive.visits import Visits
    from index.browsing import Browsing
    from index.build import Builder
    from index.completion.suggest import Suggest
    from index.completion.values import FieldValues
    from index.embedder import Embedder
    from index.generations import Generations
    from index.keywords import KeywordFormat
    from index.milvus.server import Milvus
    from index.models import Model, Models
    from index.related import Related
    from index.search import Search
    from index.serving import Serving
    from index.spelling.respelling import Respelling
    from index.stories.reading import Stories, Told
    from web.noting import Noting
    from web.recent_pages import RecentPages

log = logging.getLogger(__name__)

MOST_EXPORTS = 8  # at once: each keeps one of gunicorn's threads
EXPORTS_OF_ONE = 2  # client
MOST_MEMBERS = 100  # of one group of copies in one answer
# Settings that say where things are kept, and so settle no answer.
UNTOLD = {"data", "ledger", "archive", "milvus", "milvus_token", "smtp_url"}
EXTENSION = "backfile"  # the key in `app.extensions`
STORY_ID = "<int(max=9223372036854775807):story_id>"  # in a route: what SQLite can count to
T = TypeVar("T")


def today_in_utc() -> date:
    """Return the day it is."""
    return datetime.now(UTC).date()


class once(Generic[T]):  # noqa: N801 -- a decorator, read as one, like functools.cached_property
    """A property computed once an object, under a lock of its own: a model and an index open side by side.

    functools.cached_property takes no lock since Python 3.12: two first requests would load two models.
    """

    def __init__(self, make: Callable[["Services"], T]) -> None:
        """Keep how the value is made."""
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the attribute under which the value is kept."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "once[T]": ...
    @overload
    def __get__(self, instance: "Services", owner: type) -> T: ...
    def __get__(self, instance: "Services | None", owner: type) -> "once[T] | T":
        """Return the kept value, making it on first use."""
        if instance is None:
            return self
        if self._name not in instance.made:  # looked at without the lock: what is ready never waits for a model to load
            with instance.locks.setdefault(self._name, threading.RLock()):
                if self._name not in instance.made:
                    instance.made[self._name] = self._make(instance)
        return cast(T, instance.made[self._name])


class Services:
    """Constructs the real parts from the settings. Safe to use from several threads.

    An `embedder` that is passed in is used instead of any that is named; `open_model` opens those that are named.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        embedder: "Embedder | None" = None,
        open_model: "Callable[[str], Embedder] | None" = None,
        today: Callable[[], date] = today_in_utc,
    ) -> None:
        """Remember the settings; nothing is opened yet."""
        self.settings = settings
        self.configuration = settings.model_dump_json(exclude=UNTOLD)  # written once: every tag goes by it
        self.today = today
        self._open_named = open_model or self._open_real
        self.made: dict[str, object] = {}
        self.locks: dict[str, threading.RLock] = {}
        self._counted: ArchiveStats | None = None
        self._must_rebuild = False
        self.is_warming = False
        self.is_leaving: Callable[[], bool] = lambda: False  # whoever stops this server says so
        self.scores = Scores()  # of who asks; the server that this is run by has a queue too, and shares them
        self._given = embedder

    def begin_to_warm_up(self) -> None:
        """Warm up in the background; until a first query is answered, `is_warming` says so."""
        self.is_warming = True
        threading.Thread(target=self.warm_up, name="warm-up", daemon=True).start()

    def warm_up(self) -> None:
        """Open what a first query needs, side by side, then read what later ones gain by.

        A request that comes meanwhile waits for the very same parts. What cannot be opened now is reported when a
        request asks for it.
        """
        try:
            with ThreadPoolExecutor(thread_name_prefix="warm-up") as together:
                parts = (lambda: self.serving.warm_up(), self._open_model, self._open_archive)
                for opened in [together.submit(part) for part in parts]:  # which hold the model until the index does
                    _admit(opened.result)
            _admit(self._answer)
        finally:
            self.is_warming = False
        give_back()
        _admit(self._rebuild)
        _admit(lambda: self.spelling.begin())
        _admit(lambda: self.suggest.begin())

    def _rebuild(self) -> None:
        """Make the index again where opening the archive had to delete it."""
        if self._must_rebuild:
            with self.alone():
                self.builder.rebuild()
            self._must_rebuild = False
            for part in ("builder", "embedder"):  # nothing else is built here, and the model may be another some day
                self.made.pop(part, None)

    def _open_model(self) -> "Model | None":
        """Open the model of what is served while that is verified, and return it for as long as nobody else has it."""
        named = self.named_model
        if named is None:
            return None
        model = self.models.of(named.sha256)
        model.warm()
        return model

    def _open_archive(self) -> None:
        self.search.prepare()

    def _answer(self) -> None:
        from index.search import SearchRequest

        self.search.search(SearchRequest(query="warm"))

    @property
    def named_model(self) -> "NamedModel | None":
        """The model that the archive goes by: that of the generation served, None where it is not known of any."""
        from archive.models import model_in_use

        return model_in_use(self.store)

    def model_name(self) -> str:
        """Return the name of the model of what is served, or where that is not known, what the settings call it."""
        named = self.named_model
        return named.name if named is not None else self.set_model

    @property
    def set_model(self) -> str:
        """The model that the settings name, for an archive that goes by none yet."""
        from index.embedder import BUNDLED

        return self.settings.model or BUNDLED

    def other_model(self) -> str | None:
        """Return the model that the settings name where the archive goes by another one."""
        named, wanted = self.named_model, self.settings.model
        if wanted is None or named is None or named.reference in (None, reference_of(wanted)):
            return None
        return wanted

    def open_model(self, reference: str) -> "Embedder":
        """Open a model by its name or folder. Raises ModelUnavailable when it cannot be opened."""
        return self._given or self._open_named(reference)

    def _open_real(self, reference: str) -> "Embedder":
        from index.embedder import open_embedder

        return open_embedder(reference, runtime=self.settings.embedder, cache=self.settings.data / "models")

    def _open_by_identity(self, sha256: str) -> "Embedder":
        """Open the model that a generation names by its hash."""
        builds = cast("Embedder | None", self.made.get("embedder"))
        if builds is not None and builds.sha256 == sha256:
            return builds
        return self.open_model(self.reference_for(sha256))

    def reference_for(self, sha256: str) -> str:
        """Return how the model of this identity is opened: as the archive remembers, else as the settings say."""
        from archive import models
        from index.embedder import BUNDLED, BUNDLED_SHA256

        known = models.reference_of(self.store, sha256) or (BUNDLED if sha256 == BUNDLED_SHA256 else None)
        return known or reference_of(self.set_model)

    def stats(self) -> "ArchiveStats":
        """Return how much there is, counted again when the archive has changed."""
        counted = self._counted
        if counted is None or counted.seq != self.store.last_seq():
            self._counted = counted = self.store.stats()
        return counted

    def close(self) -> None:
        """Close what was opened; the services are not used afterwards."""
        # the store last: the others use it
        for name in ("crew", "suggest", "spelling", "serving", "milvus", "noting", "buckets", "store"):
            if (part := self.made.pop(name, None)) is not None:
                cast("Crew | Suggest | Respelling | Serving | Milvus | Noting | SharedBuckets | Store", part).close()

    @once
    def recent_pages(self) -> "RecentPages":
        """Pages of results that were made lately."""
        from web.recent_pages import RecentPages

        return RecentPages()

    @once
    def crew(self) -> Crew:
        """The threads that work on requests."""
        from web.watched_crew import WatchedCrew

        return WatchedCrew(scores=self.scores)

    @once
    def ledger(self) -> "Ledger":
        """The ledger of takedowns."""
        from archive.ledger import Ledger

        return Ledger(self.settings.ledger or self.settings.data / "takedowns.jsonl")

    @once
    def store(self) -> "Store":
        """The archive, in which every takedown of the ledger holds: nobody reads from it before."""
        from archive.moving import is_unfinished
        from archive.store import open_store
        from archive.syncing import make_folder
        from web.restoring import hold_takedowns

        make_folder(self.settings.data)
        store = open_store(self.settings.archive or self.database_file, ledger=self.ledger)
        try:
            if is_unfinished(store):
                raise ArchiveError(
                    f"{store.database.name}: an archive was to be moved here, and not all of it is: run"
                    " `flask move-archive` again, with BACKFILE_ARCHIVE as it was"
                )
            self._must_rebuild = hold_takedowns(
                store, self.ledger, data=self.settings.data, begin=self.settings.ledger is not None
            )
        except BaseException:
            store.close()
            raise
        return store

    @once
    def takedowns(self) -> "Takedowns":
        """What was removed, and what of it was erased."""
        from archive.takedowns import Takedowns

        return Takedowns(self.store, self.ledger)

    @once
    def tokens(self) -> "Tokens":
        """Who may change the archive by a program."""
        from archive.tokens import Tokens

        return Tokens(self.store)

    @property
    def database_file(self) -> Path:
        """The file that keeps the articles, unless a setting says that a server does."""
        return self.settings.data / "archive.sqlite3"

    @property
    def lock(self) -> Path:
        """The lock of whoever changes the archive's index."""
        return self.settings.data / "archive.lock"

    def alone(self, lock: Path | None = None) -> AbstractContextManager[None]:
        """Return a context in which no other process, of whatever machine, changes the index, or holds `lock`.

        Entering it raises ArchiveBusy.
        """
        from archive.lock import alone

        return alone(lock or self.lock, self.store.database)

    @once
    def releases(self) -> "Releases":
        """What shows embargoed articles at their time."""
        from archive.releases import Releases

        return Releases(self.store)

    @once
    def quarantine(self) -> "Quarantine":
        """The inputs that could not be read."""
        from archive.quarantine import Quarantine

        return Quarantine(self.store, megabytes=self.settings.quarantine_mb)

    @once
    def alerts(self) -> "Alerts":
        """The saved searches, what fired, and the outbox."""
        from archive.alerts import Alerts

        return Alerts(self.store)

    @once
    def asked(self) -> "AskedSearches":
        """The searches that were asked lately."""
        from archive.asked import AskedSearches

        return AskedSearches(self.store)

    @once
    def noting(self) -> "Noting":
        """What notes them."""
        from web.noting import Noting

        return Noting(self.asked, today=self.today)

    @once
    def exports(self) -> Places:
        """Who takes a whole list along at the moment."""
        return Places(MOST_EXPORTS, of_one=EXPORTS_OF_ONE)

    @once
    def buckets(self) -> Buckets | SharedBuckets:
        """How often things may be done, counted together with the other processes, and hosts where there are some."""
        ours = Buckets(self.settings.data / "rates")
        return SharedBuckets(ours, self._opened_store) if self.settings.archive else ours

    def _opened_store(self) -> "Store | None":
        return cast("Store | None", self.made.get("store"))

    @once
    def fetcher(self) -> "Fetcher":
        """What asks addresses on the network."""
        from archive.fetch import Fetcher

        allowed = (self.settings.fetch_allow or "").replace(" ", "").split(",")
        return Fetcher(allow=[network for network in allowed if network], user_agent=self.settings.user_agent)

    @once
    def follows(self) -> "Follows":
        """What is followed on the network."""
        from archive.follows import Follows

        return Follows(self.store)

    @once
    def visits(self) -> "Visits":
        """What makes polite requests."""
        from archive.visits import Visits

        return Visits(self.fetcher, self.follows)

    @once
    def models(self) -> "Models":
        """The models of what is served. Loading one may take a second or two; whoever is served shares it."""
        from index.models import Models

        return Models(self._open_by_identity, given=self._given)

    @once
    def embedder(self) -> "Embedder":
        """What embeds what comes in: the model of the generation served, else the one that the settings name.

        Raises ModelUnavailable when it cannot be opened, and tries again the next time; and ModelMismatch when what
        stands in its place has other weights.
        """
        from index.models import of_identity

        named = self.named_model
        if self._given is not None or named is None or named.reference is None:
            return self.open_model(reference_of(self.set_model))
        return of_identity(self.open_model(named.reference), named.sha256)

    @once
    def measured_embedder(self) -> "Embedder":
        """What an evaluation embeds by, in an index of its own: the model that the settings name, if they name any."""
        wanted = self.settings.model
        return self.embedder if wanted is None else self.open_model(reference_of(wanted))

    @once
    def formats(self) -> "Mapping[str, KeywordFormat]":
        """The keyword libraries there are, by the name a generation remembers."""
        from web.keyword_formats import KeywordFormats

        return KeywordFormats()

    @property
    def keywords(self) -> "KeywordFormat":
        """The keyword library that is set, or suits the archive as large as it is."""
        from index.keywords.choice import choose

        return self.formats[choose(self.settings.keywords, articles=self.store.count_live())]

    @once
    def milvus(self) -> "Milvus":
        """The server that keeps an index for several machines, which a setting names."""
        from index.milvus.server import Milvus

        return Milvus(self.settings.milvus or "", self.settings.milvus_token or "")

    @once
    def generations(self) -> "Generations":
        """Where the generations of the index are kept."""
        from index.local_generations import LocalGenerations

        if self.settings.milvus is not None:
            from index.milvus.generations import MilvusGenerations

            return MilvusGenerations(self.milvus, self.store)
        root = self.settings.data / "index"
        return LocalGenerations(root, formats=self.formats, keywords=self.settings.keywords)

    @once
    def serving(self) -> "Serving":
        """The generation in service."""
        from index.serving import Serving

        return Serving(self.generations, self.store, models=self.models)

    @once
    def builder(self) -> "Builder":
        """What brings the index up to date. Opens the embedder."""
        named = self.named_model
        known = named.reference if named is not None else None
        return self.builder_of(self.embedder, reference=known or reference_of(self.set_model))

    def builder_of(self, embedder: "Embedder", *, reference: str) -> "Builder":
        """Return what builds the index by this embedder, which is opened by that reference.

        A copy of the bundled model is the bundled model, which stays when the copy goes.
        """
        from index.build import Builder
        from index.embedder import BUNDLED, BUNDLED_SHA256

        reference = BUNDLED if embedder.sha256 == BUNDLED_SHA256 else reference
        return Builder(self.generations, self.store, embedder, reference=reference)

    @once
    def search(self) -> "Search":
        """Hybrid search."""
        from index.search import Search

        return Search(
            store=self.store,
            serving=self.serving,
            embedder=self.models.embedder,
            fusion=self.settings.fusion,
            recency=self.settings.recency,
            speller=self.spelling.suggest,
            today=self.today,
        )

    @once
    def browsing(self) -> "Browsing":
        """What there is to look through, by day and by name."""
        from index.browsing import Browsing

        return Browsing(self.store, self.search.catalogue)

    @once
    def spelling(self) -> "Respelling":
        """Other spellings of a query."""
        from index.spelling.respelling import Respelling

        return Respelling(self.serving, in_headlines=lambda phrase: self.suggest.headlines_with(phrase))

    @once
    def suggest(self) -> "Suggest":
        """Completion of what is being typed."""
        from index.completion.suggest import Suggest

        return Suggest(self.store)

    @once
    def field_values(self) -> "FieldValues":
        """What filters can be given."""
        from index.completion.values import FieldValues

        return FieldValues(self.search.catalogue)

    @once
    def related(self) -> "Related":
        """Related articles."""
        from index.related import Related

        return Related(
            store=self.store, serving=self.serving, embedder=self.models.embedder, fusion=self.settings.fusion
        )

    @once
    def stories(self) -> "Stories":
        """Stories that have been told."""
        from index.stories.reading import Stories

        return Stories(self.store, self.serving)


class OtherName(LookupError):
    """An article that is asked for by another of its names."""

    def __init__(self, article_id: str) -> None:
        """Keep the id under which it is shown."""
        super().__init__(f"This article is {article_id} here.")
        self.article_id = article_id


class StoryMerged(LookupError):
    """A story that has gone into another one, which took over its articles."""

    def __init__(self, into: int) -> None:
        """Keep the number of the story that goes on."""
        super().__init__(f"This story has become part of story {into}.")
        self.into = into


def reference_of(model: str) -> str:
    """Return how a model is named for good: a folder by its whole path, from wherever a process is started."""
    return str(Path(model).resolve()) if Path(model).is_dir() else model


def _admit(opening: Callable[[], object]) -> None:
    """Open something, or say in the log why that was not possible."""
    try:
        opening()
    except (ArchiveError, SearchError) as error:
        log.warning("not warmed up: %s", error)


def services() -> Services:
    """Return the parts of the application that is handling this request."""
    return cast(Services, current_app.extensions[EXTENSION])


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """A part of the group of copies that an article is one of, in its order; `total` counts the whole."""

    origin: "Article"  # the likely one, whether this part holds it or not
    articles: "Sequence[Article]"
    total: int


def copies_of(
    parts: Services, article_id: str, *, start: int = 0, most: int | None = None, also: Sequence[str] = ()
) -> CopyGroup | None:
    """Return the group of copies that an article is one of, the likely origin first; None where it has none.

    Of a larger group up to `most` (by default `MOST_MEMBERS`), from the place `start` on, and those of `also`.
    """
    ids = parts.store.copies_of([article_id]).get(article_id, [])
    wanted = list(dict.fromkeys([*ids[start : start + (most or MOST_MEMBERS)], *also]))
    articles = parts.store.live([ids[0], *wanted]) if ids else {}
    if len(ids) < 2 or ids[0] not in articles:  # withdrawn a moment ago
        return None
    return CopyGroup(articles[ids[0]], [articles[each] for each in wanted if each in articles], len(ids))


def shown_article(parts: Services, article_id: str) -> "Article":
    """Return an article that may be shown.

    Raises NotFound for one never heard of, Gone for one withdrawn, OtherName for one that is shown under another id.
    """
    kept = parts.store.resolve(article_id) or article_id
    article = parts.store.article(kept)
    if article is None or article.status == "embargoed":  # that an article is coming is not to be told either
        raise NotFound(gettext("There is no article %(id)s in this archive.", id=article_id[:ID_LENGTH]))
    if article.status == "removed":
        raise Gone(gettext("This article was withdrawn."))
    if kept != article_id:
        raise OtherName(kept)
    return article


def shown_story(parts: Services, story_id: int) -> "Told":
    """Return a story that may be shown. Raises StoryMerged for one that went into another, NotFound for any other."""
    told = parts.stories.story(story_id)
    if told is not None:
        return told
    if (into := parts.stories.merged_into(story_id)) is not None:
        raise StoryMerged(into)
    raise NotFound(gettext("There is no such story in this archive."))
