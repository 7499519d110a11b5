"""What an archive owes its ledger when it is opened: takedowns hold in a backup that was restored, too.

Invariant: what the ledger says was removed is removed before anybody reads from the archive; and what it says was
erased is erased again before, unless another process is at work, which has done so or will be told to.
"""

import logging
from contextlib import nullcontext
from pathlib import Path

from archive.errors import ArchiveError
from archive.ledger import Ledger
from archive.lock import alone, is_held
from archive.quarantine import Quarantine
from archive.store import Store
from archive.takedowns import Takedowns

log = logging.getLogger(__name__)


def hold_takedowns(store: Store, ledger: Ledger, *, data: Path, begin: bool) -> bool:
    """Do again what the ledger says was done, and return whether the index had to be deleted for that.

    With `begin`, a ledger that is not there is begun, and where the archive is not new that is said: it may be lost.
    """
    if begin and ledger.begin(changes=store.last_seq()) and (late := ledger.read().began_late):
        log.warning("%s", late)  # this once; `flask takedowns` and `flask check` say it from now on
    takedowns = Takedowns(store, ledger)
    followed = takedowns.follow()
    for problem in followed.problems:
        log.warning("%s", problem)
    if followed.removed:
        log.warning("%d articles removed again: the ledger of takedowns knows of them", followed.removed)
    if not followed.to_erase:
        return False
    return _erase(takedowns, store, followed.to_erase, data=data)


def _erase(takedowns: Takedowns, store: Store, article_ids: list[str], *, data: Path) -> bool:
    from archive.shared_index import SharedIndex
    from index import generation
    from index.erasing import Eraser

    # Whose erasing was begun here is not in the index any more; all that was missing is the note that it is done.
    keeps_index = takedowns.unfinished().issuperset(article_ids)

    def drop_index() -> None:
        if not keeps_index:
            generation.clear(data / "index", keep=None)
            SharedIndex(store).retire(keep=(), collections=())  # its collections go when it is made again

    purge = Quarantine(store, megabytes=0).purge  # it takes nothing in here
    eraser = Eraser(data=data, store=store, takedowns=takedowns, renew_index=drop_index, forget=purge)
    lock = data / "archive.lock"
    try:
        with nullcontext() if is_held(lock) else alone(lock, store.database):
            erased = eraser.erase(article_ids)
    except (ArchiveError, OSError) as error:  # they are shown nowhere, so the rest may go on
        log.error("%d articles are hidden, but not erased again: %s: run `flask erase`", len(article_ids), error)
        return False
    if keeps_index:
        log.warning("%d articles erased, which was interrupted before it was noted; %d files searched",
                    len(erased.versions), erased.search.files)  # fmt: skip
    else:
        log.warning(
            "%d articles erased again, of which a backup had brought back the texts; %d files searched."
            " The index went with them: `flask reindex` makes it again, and a server does so by itself",
            len(erased.versions),
            erased.search.files,
        )
    if not erased.search.verified:
        log.warning("of some no words were left to search for: see for yourself that no other file there has them")
    return not keeps_index
