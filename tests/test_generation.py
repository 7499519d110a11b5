"""Generations on a real disk: whole or not at all, and trusted only as published."""

import dataclasses
import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from index import generation
from index.errors import GenerationDamaged
from index.files import file_sha256
from index.generation import (
    FORMAT,
    MANIFEST,
    Manifest,
    path_of,
    read_manifest,
    retire,
    seal,
    stamp_of,
    stamps,
    unchanged,
    verify,
    verify_replaced,
    workspace,
)

MADE = Manifest(
    archive="an-archive",
    seq=7,
    model="meanings",
    model_sha256="c" * 64,
    chunking="sentences-1",
    dimension=4,
    keywords="whoosh",
    articles=2,
    passages=3,
)
FILES = {"keywords/terms.seg": b"terms", "keywords/_MAIN_1.toc": b"contents", "vectors/000001.faiss": b"vectors" * 100}


def build(root: Path, number: int, files: dict[str, bytes] = FILES, manifest: Manifest = MADE) -> tuple[Path, bytes]:
    """Make a generation of these files and return where it stands and its manifest's hash."""
    target = path_of(root, number)
    with workspace(root, base=None) as aside:
        for name, content in files.items():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (aside / name).write_bytes(content)
        sha256 = seal(aside, manifest, target=target, known={})
    return target, sha256


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


def contents(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in found}


# Sealing and verifying


def test_a_sealed_generation_is_verified_and_tells_what_it_is(root: Path) -> None:
    directory, sha256 = build(root, 7)
    assert directory == root / "gen-000007"
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    stamps = {name: stamp_of(directory / name) for name in FILES}
    assert verify(directory, sha256=sha256) == dataclasses.replace(MADE, files=hashes, stamps=stamps)
    assert read_manifest(directory, sha256=sha256).files == hashes
    assert contents(directory).items() >= FILES.items()
    assert sha256 == hashlib.sha256((directory / MANIFEST).read_bytes()).digest()
    assert [path.name for path in root.iterdir()] == ["gen-000007"]
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", sorted(FILES))
def test_one_altered_bit_of_any_file_is_damage(root: Path, name: str) -> None:
    directory, sha256 = build(root, 1)
    for place in range(0, len(FILES[name]), 97):
        altered = bytearray(FILES[name])
        altered[place] ^= 1
        (directory / name).write_bytes(altered)
        with pytest.raises(GenerationDamaged, match=rf"{name}: its SHA-256 differs .*run `flask reindex`"):
            verify(directory, sha256=sha256)
    (directory / name).write_bytes(FILES[name])
    verify(directory, sha256=sha256)


@pytest.mark.parametrize("content", [b"", b"vectors" * 99, b"vectors" * 101], ids=["empty", "shorter", "longer"])
def test_a_file_of_another_length_is_damage(root: Path, content: bytes) -> None:
    directory, sha256 = build(root, 1)
    (directory / "vectors/000001.faiss").write_bytes(content)
    with pytest.raises(GenerationDamaged, match=r"000001\.faiss: its SHA-256 differs"):
        verify(directory, sha256=sha256)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_damage(root: Path, name: str) -> None:
    directory, sha256 = build(root, 1)
    (directory / name).unlink()
    with pytest.raises(GenerationDamaged, match=rf"{name} is missing: run `flask reindex`"):
        verify(directory, sha256=sha256)


@pytest.mark.parametrize("name", ["extra", "keywords/extra.seg", "vectors/deep/er/000009.faiss", "keywords/.hidden"])
def test_a_file_nobody_published_is_damage(root: Path, name: str) -> None:
    directory, sha256 = build(root, 1)
    (directory / name).parent.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(GenerationDamaged, match=rf"{name} is not in the manifest: run `flask reindex`"):
        verify(directory, sha256=sha256)


@pytest.mark.parametrize("name", ["keywords/more", "keywords"])
def test_a_link_to_another_folder_is_damage(root: Path, name: str, tmp_path: Path) -> None:
    directory, sha256 = build(root, 1)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if (directory / name).exists():
        (directory / name).rename(elsewhere / "keywords")
        elsewhere /= "keywords"
    (directory / name).symlink_to(elsewhere)
    with pytest.raises(GenerationDamaged, match="run `flask reindex`"):
        verify(directory, sha256=sha256)


def test_a_folder_in_a_files_place_is_damage(root: Path) -> None:
    directory, sha256 = build(root, 1)
    (directory / "keywords/terms.seg").unlink()
    (directory / "keywords/terms.seg").mkdir()
    with pytest.raises(GenerationDamaged, match=r"terms\.seg is missing"):
        verify(directory, sha256=sha256)


def test_a_file_that_cannot_be_read_is_damage(root: Path) -> None:
    directory, sha256 = build(root, 1)
    (directory / "keywords/terms.seg").unlink()
    (directory / "keywords/terms.seg").symlink_to("nowhere")
    with pytest.raises(GenerationDamaged, match=r"terms\.seg: No such file .*run `flask reindex`"):
        verify(directory, sha256=sha256)


def test_another_manifest_is_damage_even_when_its_files_agree(root: Path) -> None:
    directory, sha256 = build(root, 1)
    manifest = directory / MANIFEST
    facts = json.loads(manifest.read_text())
    (directory / "keywords/terms.seg").write_bytes(b"other")
    facts["files"]["keywords/terms.seg"] = hashlib.sha256(b"other").hexdigest()
    manifest.write_text(json.dumps(facts, indent=1, sort_keys=True))
    for read in (verify, read_manifest):
        with pytest.raises(GenerationDamaged, match=r"not the manifest that was published: run `flask reindex`"):
            read(directory, sha256=sha256)


@pytest.mark.parametrize("change", [{"seq": 8}, {"archive": "another"}, {"dimension": 5}], ids=str)
def test_whatever_the_manifest_says_is_in_its_hash(root: Path, change: dict[str, object]) -> None:
    _, sha256 = build(root, 1)
    _, other = build(root, 2, manifest=dataclasses.replace(MADE, **change))  # type: ignore[arg-type]
    assert sha256 != other


def test_the_same_files_give_the_same_manifest(root: Path) -> None:
    one, other = build(root, 1)[0], build(root, 2, dict(reversed(FILES.items())))[0]
    facts = [json.loads((directory / MANIFEST).read_bytes()) for directory in (one, other)]
    assert facts[0].pop("stamps") != facts[1].pop("stamps")
    assert facts[0] == facts[1]


def test_a_generation_that_is_not_there_is_damage(root: Path) -> None:
    with pytest.raises(GenerationDamaged, match=r"gen-000009: No such file.*: run `flask reindex`"):
        verify(path_of(root, 9), sha256=bytes(32))


def test_a_generation_of_another_format_is_not_read(root: Path) -> None:
    directory, sha256 = build(root, 1, manifest=dataclasses.replace(MADE, format=FORMAT + 1))
    with pytest.raises(GenerationDamaged, match=rf"format {FORMAT + 1}, not {FORMAT}: run `flask reindex`"):
        verify(directory, sha256=sha256)


# What need not be read again


def counted_hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that are read for their hash from now on, as they are."""
    read: list[str] = []

    def noting(path: Path) -> str:
        read.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(generation, "file_sha256", noting)
    return read


def test_a_file_that_nobody_touched_since_it_was_hashed_is_not_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, sha256 = build(root, 1)
    read = counted_hashes(monkeypatch)
    manifest = verify(directory, sha256=sha256)
    assert sorted(read) == sorted(Path(name).name for name in FILES)
    assert stamps(directory, manifest) == manifest.known
    read.clear()
    assert verify(directory, sha256=sha256, known=manifest.known) == manifest
    assert read == []
    for path in directory.rglob("*.seg"):
        path.write_bytes(path.read_bytes())
    verify(directory, sha256=sha256, known=manifest.known)
    assert read == ["terms.seg"]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_was_touched_is_read_and_found_out(root: Path, name: str) -> None:
    directory, sha256 = build(root, 1)
    known = read_manifest(directory, sha256=sha256).known
    (directory / name).write_bytes(FILES[name].swapcase())
    with pytest.raises(GenerationDamaged, match=rf"{name}: its SHA-256 differs"):
        verify(directory, sha256=sha256, known=known)


def test_another_file_of_the_same_size_and_time_is_read_and_found_out(root: Path) -> None:
    directory, sha256 = build(root, 1)
    known = read_manifest(directory, sha256=sha256).known
    file = directory / "keywords/terms.seg"
    status = file.stat()
    file.rename(root / "elsewhere")
    file.write_bytes(b"sword")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(GenerationDamaged, match=r"terms\.seg: its SHA-256 differs"):
        verify(directory, sha256=sha256, known=known)


def lost_by_the_disk(path: Path) -> None:
    """Alter a file as a bad disk would, leaving its stamp as it was."""
    status = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_new_files_were_made_from_is_read_whatever_its_stamp(root: Path) -> None:
    base, sha256 = build(root, 1)
    manifest = verify(base, sha256=sha256)
    for name in FILES:
        lost_by_the_disk(base / name)
        assert verify(base, sha256=sha256, known=manifest.known) == manifest  # its stamp tells nothing
        with workspace(root, base=base) as aside:
            verify_replaced(aside, base, manifest)
            (aside / name).unlink()  # merged into another
            with pytest.raises(GenerationDamaged, match=rf"{name}: its SHA-256 differs"):
                verify_replaced(aside, base, manifest)
        lost_by_the_disk(base / name)
    verify(base, sha256=sha256)


# Building upon another generation


def test_unchanged_files_are_shared_with_the_base_and_the_rest_is_not(root: Path) -> None:
    nested = {**FILES, "keywords/deep/part": b"part"}
    base, sha256 = build(root, 1, nested)
    manifest = verify(base, sha256=sha256)
    with workspace(root, base=base) as aside:
        assert contents(aside) == nested
        assert all((aside / name).samefile(base / name) for name in nested)
        (aside / "keywords/terms.new").write_bytes(b"others")
        (aside / "keywords/terms.new").replace(aside / "keywords/terms.seg")
        (aside / "keywords/_MAIN_1.toc").unlink()
        (aside / "keywords/_MAIN_2.toc").write_bytes(b"contents 2")
        known = unchanged(aside, base, manifest)
        assert set(known) == {"vectors/000001.faiss", "keywords/deep/part"}
        made = seal(aside, MADE, target=path_of(root, 2), known=known)
    assert set(verify(path_of(root, 2), sha256=made).files) == {
        "keywords/_MAIN_2.toc",
        "keywords/deep/part",
        "keywords/terms.seg",
        "vectors/000001.faiss",
    }
    assert (path_of(root, 2) / "vectors/000001.faiss").samefile(base / "vectors/000001.faiss")
    assert verify(base, sha256=sha256) == manifest


def test_a_hash_that_is_known_is_taken_without_a_second_reading(root: Path) -> None:
    with workspace(root, base=None) as aside:
        (aside / "vectors/000001.faiss").write_bytes(b"vectors")
        known = {"vectors/000001.faiss": "from the base"}
        sha256 = seal(aside, MADE, target=path_of(root, 1), known=known)
    assert read_manifest(path_of(root, 1), sha256=sha256).files == known


def test_a_copy_with_the_same_content_is_read_again(root: Path) -> None:
    base, sha256 = build(root, 1)
    with workspace(root, base=base) as aside:
        (aside / "keywords/terms.seg").unlink()
        (aside / "keywords/terms.seg").write_bytes(FILES["keywords/terms.seg"])
        assert "keywords/terms.seg" not in unchanged(aside, base, verify(base, sha256=sha256))


def test_locks_are_neither_linked_nor_published(root: Path) -> None:
    base, sha256 = build(root, 1, {**FILES, "keywords/MAIN_WRITELOCK": b"", "vectors/.tantivy-writer.lock": b""})
    assert set(verify(base, sha256=sha256).files) == set(FILES)
    assert set(contents(base)) == {*FILES, MANIFEST}
    for lock in ("keywords/MAIN_WRITELOCK", "keywords/.tantivy-meta.lock"):  # as a reader leaves it
        (base / lock).touch()
    verify(base, sha256=sha256)
    with workspace(root, base=base) as aside:
        assert set(contents(aside)) == set(FILES)


# Durability


class Disk:
    """Records each fsync with what was synced, and still does it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.synced: list[tuple[Path, bytes | None]] = []
        self.after_rename: list[Path] = []
        self._target, self._fsync = target, os.fsync
        monkeypatch.setattr(os, "fsync", self._record)

    def _record(self, descriptor: int) -> None:
        self._fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if self._target.exists():
            self.after_rename.append(path)
        else:
            self.synced.append((path, path.read_bytes() if path.is_file() else None))


def test_every_file_and_folder_is_synced_whole_before_the_rename_and_the_root_after(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**FILES, "keywords/deep/er/part": b"part"}
    with workspace(root, base=None) as aside:
        for name, content in files.items():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (aside / name).write_bytes(content)
        disk = Disk(monkeypatch, path_of(root, 1))
        seal(aside, MADE, target=path_of(root, 1), known={})
        synced = {str(path.relative_to(aside)): content for path, content in disk.synced}
    folders = {".", "keywords", "keywords/deep", "keywords/deep/er", "vectors"}
    assert synced == {**contents(path_of(root, 1)), **dict.fromkeys(folders)}
    assert disk.after_rename == [root]
    order = [str(path.relative_to(aside)) for path, _ in disk.synced]
    assert max(order.index(name) for name in contents(path_of(root, 1))) < min(order.index(name) for name in folders)


def test_files_of_the_base_are_on_the_disk_already(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, sha256 = build(root, 1)
    with workspace(root, base=base) as aside:
        (aside / "vectors/000002.faiss").write_bytes(b"more")
        known = unchanged(aside, base, verify(base, sha256=sha256))
        disk = Disk(monkeypatch, path_of(root, 2))
        seal(aside, MADE, target=path_of(root, 2), known=known)
        synced = {str(path.relative_to(aside)) for path, _ in disk.synced}
    assert synced == {MANIFEST, "vectors/000002.faiss", ".", "keywords", "vectors"}


def test_a_disk_that_fails_to_sync_leaves_no_generation(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        build(root, 1)
    assert list(root.iterdir()) == []


# What interrupted builds leave behind


def test_a_build_that_fails_leaves_nothing(root: Path) -> None:
    base, sha256 = build(root, 1)

    def interrupted() -> None:
        with workspace(root, base=base) as aside:
            (aside / "keywords/half").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in root.iterdir()] == ["gen-000001"]
    verify(base, sha256=sha256)


def test_a_generation_left_by_a_build_that_was_never_published_is_replaced(root: Path) -> None:
    left, _ = build(root, 2, {"keywords/old": b"old", "keywords/terms.seg": b"old"})
    directory, sha256 = build(root, 2)
    assert directory == left
    assert set(verify(directory, sha256=sha256).files) == set(FILES)


def test_only_the_named_generations_stay(root: Path) -> None:
    made = {number: build(root, number) for number in (1, 2, 3, 4)}
    (root / "building-x1y2").mkdir()
    (root / "building-x1y2" / "half").write_bytes(b"half")
    (root / "notes").mkdir()
    (root / "notes" / "kept by hand").touch()
    retire(root, keep=[2, 4])
    assert sorted(path.name for path in root.iterdir()) == ["gen-000002", "gen-000004", "notes"]
    for number in (2, 4):
        verify(made[number][0], sha256=made[number][1])


def test_a_generation_outlives_the_base_whose_files_it_shares(root: Path) -> None:
    base, first = build(root, 1)
    with workspace(root, base=base) as aside:
        known = unchanged(aside, base, verify(base, sha256=first))
        second = seal(aside, MADE, target=path_of(root, 2), known=known)
    retire(root, keep=[2])
    assert set(verify(path_of(root, 2), sha256=second).files) == set(FILES)


def test_numbers_past_six_digits_have_a_place_of_their_own(root: Path) -> None:
    assert path_of(root, 1_234_567).name == "gen-1234567"
    assert generation.path_of(root, 1).name == "gen-000001"
