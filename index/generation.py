"""Generations: immutable, checksummed directories that hold one state of the index.

    gen-000007/
        manifest.json     what it was made from, the SHA-256 of every other file, and its stamp
        keywords/         the keyword engine's own files
        vectors/          see index/vectors

Invariants: a directory named gen-N is complete and never changes. It is made in a directory of another name, every
file and directory of it is synced, and a rename gives it its name; only then may the archive's pointer name it. The
archive remembers the manifest's own SHA-256, so a generation is trusted through a chain that starts in the database.
Nothing in a generation is opened before its hashes have been verified: a Whoosh index holds pickles, and a FAISS file
is parsed by C++. A file is not read again for its hash while its stamp (inode, size, time of its last change) says that
nobody has touched it since it was: who builds upon a generation, and who has served the one before, reads what is new.
What a disk loses of itself leaves the stamp as it was: so a process that starts to serve, and `flask check`, read all.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from archive.syncing import make_folder, sync
from index.errors import GenerationDamaged
from index.files import file_sha256

FORMAT = 4  # of this layout; another number is rebuilt, not read
MANIFEST = "manifest.json"
HASHING_THREADS = 4  # that read and hash files side by side

Stamp = tuple[int, int, int]  # of a file: inode, size in bytes, time of its last change in nanoseconds


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a generation is. `seq` is the last change of the archive it holds.

    `gone` counts the articles that updates have changed or removed since the index was last made from the store alone:
    of each there may be something left in the files. `stamps` are those of `files` when they were sealed. `collection`
    is what holds it where a server does.
    """

    archive: str
    seq: int
    model: str
    model_sha256: str
    chunking: str
    dimension: int
    keywords: str
    articles: int
    passages: int
    gone: int = 0
    collection: str | None = None
    format: int = FORMAT
    files: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)

    @property
    def known(self) -> dict[Stamp, str]:
        """The hashes of the files, by the stamps they had when the generation was sealed."""
        return {stamp: self.files[name] for name, stamp in self.stamps.items()}


def path_of(root: Path, number: int) -> Path:
    """Return where generation `number` stands."""
    return root / f"gen-{number:06d}"


@contextmanager
def workspace(root: Path, *, base: Path | None) -> Iterator[Path]:
    """Yield a directory to build the next generation in: empty, or with hard links to every file of `base`.

    It is deleted afterwards unless `seal` has renamed it. What is linked must be replaced there, never written to.
    """
    make_folder(root)
    aside = Path(tempfile.mkdtemp(prefix="building-", dir=root))
    try:
        for name in ("keywords", "vectors"):
            (aside / name).mkdir()
        if base is not None:
            for name in _files(base):
                if name != MANIFEST and not _is_lock(name):
                    (aside / name).parent.mkdir(parents=True, exist_ok=True)
                    os.link(base / name, aside / name)
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def seal(aside: Path, manifest: Manifest, *, target: Path, known: dict[str, str]) -> bytes:
    """Write the manifest, sync everything, rename `aside` to `target`; return the manifest's SHA-256.

    `known` gives the hashes of files that were linked from a verified generation, which need no second reading.
    """
    for name in [name for name in _files(aside) if _is_lock(name)]:
        (aside / name).unlink()
    files = {name: known.get(name) or file_sha256(aside / name) for name in _files(aside)}
    stamps = {name: stamp_of(aside / name) for name in files}
    text = json.dumps({**asdict(manifest), "files": files, "stamps": stamps}, indent=1, sort_keys=True).encode()
    (aside / MANIFEST).write_bytes(text)
    for name in (MANIFEST, *(name for name in files if name not in known)):
        sync(aside / name)
    for directory in (path for path in aside.rglob("*") if path.is_dir()):
        sync(directory)
    sync(aside)
    if target.exists():  # left by a build that was stopped between its rename and its publication
        shutil.rmtree(target)
    aside.rename(target)
    sync(target.parent)
    return hashlib.sha256(text).digest()


def unchanged(aside: Path, base: Path, manifest: Manifest) -> dict[str, str]:
    """Return the hashes of those files in `aside` that are still the very files of the verified `base`."""
    return {
        name: digest
        for name, digest in manifest.files.items()
        if (aside / name).exists() and (aside / name).samefile(base / name)
    }


def read_manifest(directory: Path, *, sha256: bytes) -> Manifest:
    """Return the manifest of the generation in `directory`. Raises GenerationDamaged when it is another."""
    try:
        text = (directory / MANIFEST).read_bytes()
    except OSError as error:
        raise GenerationDamaged(f"{directory}: {error.strerror or error}: run `flask reindex`") from error
    if hashlib.sha256(text).digest() != sha256:
        raise GenerationDamaged(f"{directory / MANIFEST}: not the manifest that was published: run `flask reindex`")
    facts = json.loads(text)
    if facts.get("format") != FORMAT:
        raise GenerationDamaged(f"{directory}: format {facts.get('format')}, not {FORMAT}: run `flask reindex`")
    return Manifest(**{**facts, "stamps": {name: tuple(stamp) for name, stamp in facts["stamps"].items()}})


def verify(directory: Path, *, sha256: bytes, known: Mapping[Stamp, str] | None = None) -> Manifest:
    """Return the manifest once every file has its published hash and nothing else lies there, locks of readers aside.

    Files whose stamp is among the `known` hashes are not read. Raises GenerationDamaged naming the first file that is
    missing, altered or not listed.
    """
    manifest = read_manifest(directory, sha256=sha256)
    try:
        present = {name for name in _files(directory) if name != MANIFEST and not _is_lock(name)}
    except OSError as error:  # deleted while it was looked through
        raise GenerationDamaged(f"{directory}: {error.strerror}: run `flask reindex`") from error
    for name in sorted(present ^ set(manifest.files)):
        what = "is not in the manifest" if name in present else "is missing"
        raise GenerationDamaged(f"{directory / name} {what}: run `flask reindex`")
    _compare(directory, manifest, manifest.files, known=known or {})
    return manifest


def verify_replaced(aside: Path, base: Path, manifest: Manifest) -> None:
    """Read those files of `base` that are not in `aside` any more: new ones were made from them.

    Raises GenerationDamaged when one is not what was published: then what was made from it cannot be trusted either.
    """
    replaced = manifest.files.keys() - unchanged(aside, base, manifest).keys()
    _compare(base, manifest, replaced, known={})


def _compare(directory: Path, manifest: Manifest, names: Collection[str], *, known: Mapping[Stamp, str]) -> None:
    def differs(name: str) -> str | None:
        try:
            found = known.get(stamp_of(directory / name)) or file_sha256(directory / name)
        except OSError as error:
            return str(error.strerror)
        return None if found == manifest.files[name] else "its SHA-256 differs from the manifest"

    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        for name, problem in zip(names, pool.map(differs, names), strict=True):
            if problem:
                raise GenerationDamaged(f"{directory / name}: {problem}: run `flask reindex`")


def stamps(directory: Path, manifest: Manifest) -> dict[Stamp, str]:
    """Return the hashes of the files of a generation that has just been verified, by their stamps."""
    return {stamp_of(directory / name): digest for name, digest in manifest.files.items()}


def stamp_of(path: Path) -> Stamp:
    """Return what tells whether a file has been touched. Raises OSError when there is none."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def retire(root: Path, *, keep: Iterable[int]) -> None:
    """Delete every generation but these, and what interrupted builds left behind."""
    kept = {path_of(root, number) for number in keep}
    for path in root.iterdir() if root.is_dir() else ():
        if path not in kept and path.name.startswith(("gen-", "building-")):
            shutil.rmtree(path, ignore_errors=True)


def clear(root: Path, *, keep: int | None) -> None:
    """Delete all there is but this generation. Raises OSError when something cannot be deleted."""
    for path in root.iterdir() if root.is_dir() else ():
        if keep is not None and path == path_of(root, keep):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _files(directory: Path) -> list[str]:
    found = (path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(str(path.relative_to(directory)) for path in found)


def _is_lock(name: str) -> bool:
    return name.upper().endswith("LOCK")  # a hard-linked lock file would be the same lock
