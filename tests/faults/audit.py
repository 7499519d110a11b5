"""What must be on the disk before it is counted on, compared with what a process was seen to do.

A promise is a line that `told` writes, or the end of a command. By then no file that matters has been written to since
it was synced, and no folder that matters has got a name since. A generation gets its name when all in it is synced. The
write-ahead log is begun anew only when what stood in it is in the database, synced.

Pure: it works on calls, wherever they come from, and looks at no disk.
"""

from collections.abc import Iterable
from pathlib import PurePath

from faults.tracing import SYNCS, WRITES, Call

DATABASE, LOG = "archive.sqlite3", "archive.sqlite3-wal"
PASSING = ("-shm", "-journal", ".lock", "LOCK")  # files that no reader needs after a crash


def problems(calls: Iterable[Call], *, folder: str, existing: Iterable[str], promises: str) -> list[str]:
    """Return what was promised before it was on the disk.

    What lies in `folder` is looked at; `existing` are the paths there before; `promises` is the file told of promises.
    """
    watched = _Watched(folder, existing)
    found: list[str] = []
    for call in calls:
        if call.failed:
            continue
        if call.name == "write" and call.paths[-1:] == (promises,):
            found += watched.unkept(f"{call.data.decode().strip()} is told")
        elif call.writes and all(PurePath(path).is_relative_to(folder) for path in call.paths):
            found += watched.follow(call)
    return [*found, *watched.unkept("the command ends")]


class _Watched:
    """Which files and which folders of a tree hold something that may not be on the disk."""

    def __init__(self, folder: str, existing: Iterable[str]) -> None:
        self._folder = folder
        self._existing = set(existing)
        self._written: set[str] = set()
        self._named: dict[str, set[str]] = {}  # by folder

    def follow(self, call: Call) -> list[str]:
        path = call.paths[-1]
        if call.name in SYNCS:
            self._written.discard(path)
            self._named.pop(path, None)
        elif call.name in WRITES or call.name in ("ftruncate", "fallocate"):
            early = self._begun_early(call)
            self._written.add(path)
            return early
        elif call.name.startswith("rename"):
            return self._rename(*call.paths)
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            self._forget(path)
        elif path not in self._existing:  # opened with O_CREAT, linked, or a folder that was made
            self._name(path)
        return []

    def unkept(self, when: str) -> list[str]:
        """Return what is not on the disk and matters."""
        files = [f"{when}, and {path} is not synced" for path in sorted(self._written) if self._matters(path)]
        names = [
            f"{when}, and {folder} is not synced since it got {PurePath(name).name}"
            for folder, made in sorted(self._named.items())
            for name in sorted(made)
            if self._matters(name)
        ]
        return files + names

    def _matters(self, path: str) -> bool:
        """Tell whether a reader after a crash needs this: not what is built aside, nor what the log still has."""
        name = PurePath(path).name
        is_aside = any(part.startswith("building-") or part.endswith(".tmp") for part in PurePath(path).parts)
        is_in_log = name == DATABASE and f"{path}-wal" in self._existing and path in self._written
        return not is_aside and not is_in_log and not name.endswith(PASSING)

    def _begun_early(self, call: Call) -> list[str]:
        path = call.paths[-1]
        begins = PurePath(path).name == LOG and call.name in ("pwrite64", "ftruncate") and call.last_number == 0
        database = str(PurePath(path).with_name(DATABASE))
        return [f"{path} is begun anew, and {database} is not synced"] if begins and database in self._written else []

    def _rename(self, old: str, new: str) -> list[str]:
        found = []
        if PurePath(new).name.startswith("gen-"):
            unsynced = [*self._written, *(folder for folder, made in self._named.items() if made)]
            found = [f"{new} gets its name, and {each} is not synced" for each in unsynced if _is_in(each, old)]
        self._forget(new)
        for each in [path for path in self._existing if _is_in(path, old)]:
            self._existing.discard(each)
            self._existing.add(new + each[len(old) :])
        self._written = {new + each[len(old) :] if _is_in(each, old) else each for each in self._written}
        self._named = {
            new + folder[len(old) :] if _is_in(folder, old) else folder: {
                new + each[len(old) :] if _is_in(each, old) else each for each in made if each != old
            }
            for folder, made in self._named.items()
        }
        self._name(new)
        return found

    def _name(self, path: str) -> None:
        self._existing.add(path)
        self._named.setdefault(str(PurePath(path).parent), set()).add(path)

    def _forget(self, path: str) -> None:
        self._existing.discard(path)
        self._written.discard(path)
        self._named.pop(path, None)
        self._named.get(str(PurePath(path).parent), set()).discard(path)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
