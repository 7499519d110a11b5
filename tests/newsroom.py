"""A small archive for the tests of the front end: real store, real keyword and vector indexes, a made-up embedder."""

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from flask import Flask

from archive.article import Article
from archive.identity import article_id
from index.embedder import Embedder
from index.engine import Vectors
from index.errors import ModelUnavailable
from index.pieces import Pieces
from index.related import RelatedResponse
from index.stories.telling import tell_stories
from web import create_app
from web.services import EXTENSION, Services
from web.settings import Settings

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "]]><!--<b>",
    "&lt;i&gt; \u202e\u0000 </title></style></script>",
)
MEANINGS = {"flood": "flood", "inundation": "flood", "deluge": "flood", "election": "election", "ballot": "election"}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class MeaningEmbedder:
    """A double that tells meanings apart by a word list: words of one meaning get one strong direction."""

    name = "meanings"
    sha256 = hashlib.sha256(b"meanings").hexdigest()
    dimension = 64
    max_tokens = 120
    seed = ""  # another one gives other directions

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each word stands."""
        return [match.span() for match in re.finditer(r"\S+", text)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the sum of the words' directions, of norm 1."""
        rows = np.array([self._sum(text) for text in texts], dtype=np.float32)
        unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def pieces(self, words: Sequence[str]) -> Pieces | None:
        """Return each word with a vector of its own."""
        return Pieces(np.arange(len(words)), self.embed(words), np.arange(len(words))) if words else None

    def _sum(self, text: str) -> list[float]:
        words = re.findall(r"\w+", text.lower()) or ["nothing"]
        directions = [_direction(MEANINGS.get(word, word), self.dimension, self.seed) for word in words]
        return [sum(parts) for parts in zip(*directions, strict=True)]


@cache
def _direction(meaning: str, dimension: int, seed: str) -> list[float]:
    chance = random.Random(seed + meaning)
    strength = 5 if meaning in MEANINGS else 1
    return [chance.gauss(0, strength) for _ in range(dimension)]


class QuickEmbedder:
    """A double for archives of real size: each word has a direction of its own, found once."""

    name = "quick"
    sha256 = hashlib.sha256(b"quick").hexdigest()
    dimension = 48
    max_tokens = 250

    def __init__(self) -> None:
        self._known: dict[str, Vectors] = {}

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each word stands."""
        return [match.span() for match in re.finditer(r"\S+", text)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the sum of the words' directions, of norm 1."""
        return np.stack([self._sum(text) for text in texts])

    def pieces(self, words: Sequence[str]) -> None:
        """Return none."""

    def _sum(self, text: str) -> Vectors:
        words = set(re.findall(r"\w+", text.lower())) or {"nothing"}
        total: Vectors = np.sum([self._direction(word) for word in sorted(words)], axis=0)
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _direction(self, word: str) -> Vectors:
        if word not in self._known:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            drawn = np.random.default_rng(seed).normal(size=self.dimension) * min(len(word), 8)
            self._known[word] = drawn.astype(np.float32)
        return self._known[word]


class CountingEmbedder(MeaningEmbedder):
    """The same, which remembers every text it embedded, batch by batch; `fails_after` batches it breaks down."""

    def __init__(self, *, fails_after: int | None = None) -> None:
        self.batches: list[list[str]] = []
        self.fails_after = fails_after

    def pieces(self, words: Sequence[str]) -> None:
        """Return none: they would be embedded as well."""

    @property
    def texts(self) -> list[str]:
        """Return every text embedded so far."""
        return [text for batch in self.batches for text in batch]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed, or raise when it is time to."""
        if self.fails_after is not None and len(self.batches) >= self.fails_after:
            raise RuntimeError("the machine was switched off")
        self.batches.append(list(texts))
        return super().embed(texts)


class OtherEmbedder(CountingEmbedder):
    """Another model: the same texts, other vectors, and passages cut shorter."""

    name = "other"
    sha256 = hashlib.sha256(b"other").hexdigest()
    dimension = 32
    max_tokens = 60


class TwinEmbedder(MeaningEmbedder):
    """Another model with vectors as long: what is mixed up gives no error, only other scores."""

    name = "twin"
    sha256 = hashlib.sha256(b"twin").hexdigest()
    seed = "twin of "


MODELS: dict[str, Callable[[], Embedder]] = {
    "bundled": MeaningEmbedder,
    "other": OtherEmbedder,
    "quick": QuickEmbedder,
    "twin": TwinEmbedder,
}


def open_made_up(reference: str) -> Embedder:
    """Open a made-up model by its name."""
    try:
        return MODELS[reference]()
    except KeyError:
        raise ModelUnavailable(f"there is no model {reference}") from None


def article(number: int, **changes: object) -> Article:
    """Return a made-up article; those of one ten are of one story."""
    story = ("The flood reaches Millbrook", "The council election in Ostwick", "A comet over the bay")[number // 10 % 3]
    url = f"https://outlet{number % 3}.example/{number}"
    fields: dict[str, object] = {
        "id": article_id(url=url, source=None, source_id=None, text=""),
        "url": url,
        "title": f"{story}, report {number}",
        "body": f"Report {number} begins here. {story}; people talk.\n\n"
        "It was seen by Mary Hallam, who wrote it down & sent it in.",
        "source": ("The Ledger", "Harbour News", "Radio Nine")[number % 3],
        "section": ("Weather", "Politics", "Science")[number // 10 % 3],
        "authors": ("Ada Quill", "Ben Marsh")[: number % 3],
        "language": "en",
        "published_at": datetime(2001 + number // 10, 3, 1, tzinfo=UTC) + timedelta(days=number % 10),
    }
    return Article(**{**fields, **changes})  # type: ignore[arg-type]


UNDATED = article(90, title="A letter without a date", published_at=None, source=None, section=None, authors=())
WITHDRAWN = article(91, title="Withdrawn words")
EMBARGOED = article(92, title="Tomorrow's words", status="embargoed")
CORRECTED = article(93, title="First wording")
GERMAN = article(94, title="Hochwasser an der Elbe", body="Das Wasser steigt.", language="de")
NASTY = [
    article(
        200 + n,
        title=f"Nasty {text}",
        body=f"nasty {text} body",
        source=f"Src {text}",
        section=text,
        authors=(text, f"By {text}"),
        language='en" onload="x',
        published_at=datetime(2020 - 20 * min(n, 1), 1, 1 + n, tzinfo=UTC),  # only the first is on the front page
    )
    for n, text in enumerate(HOSTILE)
]
NASTY.append(
    article(299, title="Nasty link", body="nasty link", url="javascript:alert(document.domain)", published_at=None)
)
ORDINARY = [article(number) for number in range(30)]


def withdraw_when_related_is_asked_for(services: Services, article_id: str) -> None:
    """Have an article withdrawn after it was looked up and before what is related to it is."""
    related = services.related

    class Withdrawing:
        def related(self, *asked: str, limit: int) -> RelatedResponse:
            services.store.remove(article_id)
            return related.related(*asked, limit=limit)

    services.made["related"] = Withdrawing()


def open_newsroom(folder: Path, *, nasty: Sequence[Article] = NASTY, **settings: object) -> Services:
    """Return the services of an archive under `folder` that holds all of the above, indexed."""
    services = Services(Settings(data=folder, **settings), open_model=open_made_up)  # type: ignore[arg-type]
    for kept in (*ORDINARY, *nasty, UNDATED, WITHDRAWN, EMBARGOED, CORRECTED, GERMAN):
        services.store.put(kept)
    services.store.put(article(93, title="Second wording", updated_at=datetime(2011, 1, 2, tzinfo=UTC)))
    services.builder.update()
    tell(services)
    services.store.remove(WITHDRAWN.id)
    services.made["opened"] = services._open_model()  # held, as by a server that is warm
    return services


def services_of(app: Flask) -> Services:
    """Return the parts that an application works with."""
    services = app.extensions[EXTENSION]
    assert isinstance(services, Services)
    return services


def tell(services: Services) -> None:
    """Tell the stories of what is in the index, by an engine that nobody else uses."""
    published, _ = services.store.pointer()
    assert published is not None
    engine = services.generations.open(published)
    tell_stories(services.store, engine)
    engine.close()


@contextmanager
def application(folder: Path, *, nasty: Sequence[Article] = NASTY, **settings: object) -> Iterator[Flask]:
    """Open the application over `open_newsroom`, and close what it opened."""
    services = open_newsroom(folder, nasty=nasty, **settings)
    yield create_app(services=services)
    services.close()
