"""The application over the made-up embedder, for tests that need real processes: `flask --app newsroom_wsgi ingest …`.

The data lie where `BACKFILE_DATA` says. `NEWSROOM_LOG` names a file that is told, line by line, when the process is
ready and the SHA-256 of every text it embeds; `NEWSROOM_PAUSE` slows each text by so many seconds; nothing is embedded
while the file `NEWSROOM_HOLD` is there; what would embed more than `NEWSROOM_MOST` texts waits to be killed. Models are
the newsroom's, by their names, the watched one for `bundled`; with `NEWSROOM_EMBEDDER=quick` the quick double embeds
whatever is named.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from newsroom import MODELS, MeaningEmbedder, open_made_up
from processes import BATCH, READY

from index import embeddings
from index.engine import Vectors
from web import create_app, logs
from web.services import Services
from web.settings import load_settings


def _log(lines: Sequence[str]) -> None:
    if path := os.environ.get("NEWSROOM_LOG"):
        with open(path, "a", encoding="ascii") as log:  # noqa: PTH123 one write, appended whole
            log.write("".join(f"{line}\n" for line in lines))


class WatchedEmbedder(MeaningEmbedder):
    """Says what it embeds, before it does."""

    def __init__(self) -> None:
        """Begin with nothing embedded."""
        super().__init__()
        self._begun = 0
        self._most = float(os.environ.get("NEWSROOM_MOST") or "inf")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return what the made-up embedder returns, slowly."""
        _log([hashlib.sha256(text.encode()).hexdigest() for text in texts])
        self._begun += len(texts)
        time.sleep(float(os.environ.get("NEWSROOM_PAUSE", "0")) * len(texts))
        while self._begun > self._most or Path(os.environ.get("NEWSROOM_HOLD", "")).is_file():
            time.sleep(0.001)
        return super().embed(texts)


embeddings.BATCH_PASSAGES = BATCH
MODELS["bundled"] = WatchedEmbedder


def services() -> Services:
    """Return the parts of an application as the environment asks for them."""
    given = os.environ.get("NEWSROOM_EMBEDDER")
    return Services(load_settings(), embedder=MODELS[given]() if given else None, open_model=open_made_up)


logs.configure("auto")
app = create_app(services=services())
_log([READY])
