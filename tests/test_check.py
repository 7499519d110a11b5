"""Checking: what is whole is passed, what is not is named with what to run."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from newsroom import CountingEmbedder, article

from archive.store import PublishedGeneration
from index import generation, vectors
from index.check import check
from index.generation import Manifest
from web.services import Services
from web.settings import Settings


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    """An archive of two generations."""
    services = Services(Settings(data=tmp_path), embedder=CountingEmbedder())
    for number in range(8):
        services.store.put(article(number))
        if number == 5:
            services.builder.update()
    services.builder.update()
    yield services
    services.close()


def problems(parts: Services) -> list[str]:
    return check(parts.generations, parts.store)


def folder(parts: Services, number: int) -> Path:
    return generation.path_of(parts.settings.data / "index", number)


def sql(parts: Services, statement: str) -> None:
    connection = apsw.Connection(str(parts.settings.data / "archive.sqlite3"))
    connection.execute(statement)
    connection.close()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.unlink()
    path.write_bytes(content)


def test_a_whole_archive_has_no_problems(parts: Services) -> None:
    assert problems(parts) == []


def test_an_empty_archive_has_no_problems(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=CountingEmbedder())
    assert problems(services) == []
    services.store.put(article(1))
    assert problems(services) == ["index: there is none yet: run `flask reindex`"]
    services.close()


def test_changes_that_are_not_indexed_yet_are_no_problem(parts: Services) -> None:
    parts.store.remove(article(1).id)
    parts.store.put(article(2, title="New words"))
    parts.store.put(article(30))
    assert problems(parts) == []


def lose_a_file(gen: Path) -> str:
    file = next(gen.rglob("*.toc"))
    file.unlink()
    return f"{file} is missing"


def flip_a_bit(gen: Path) -> str:
    file = next(gen.rglob("*.vectors.npy"))
    flip(file)
    return f"{file}: its SHA-256 differs"


def plant_a_file(gen: Path) -> str:
    file = gen / "keywords" / "planted"
    file.write_bytes(b"")
    return f"{file} is not in the manifest"


def lose_it(gen: Path) -> str:
    shutil.rmtree(gen)
    return f"{gen}: No such file"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("harm", [lose_a_file, flip_a_bit, plant_a_file, lose_it])
def test_damage_to_either_generation_is_named_with_its_file_and_the_command(
    parts: Services, harm: Callable[[Path], str], number: int
) -> None:
    named = harm(folder(parts, number))
    (problem,) = problems(parts)
    assert problem.startswith(f"index: {named}")
    assert problem.endswith("run `flask reindex`")
    parts.builder.rebuild()
    parts.builder.rebuild()
    assert problems(parts) == []


def test_a_damaged_text_and_a_damaged_vector_are_named(parts: Services) -> None:
    sql(parts, f"UPDATE version SET title = title || '!' WHERE article_id = '{article(3).id}'")
    sql(parts, "UPDATE embedding SET packed = zeroblob(length(packed)) WHERE embedding_id = 2")
    found = problems(parts)
    assert len(found) == 2
    assert article(3).id in found[0]
    assert "embedding 2" in found[1]


def republish(parts: Services, change: Callable[[Path], object]) -> None:
    """Publish, as generation 3, what is served with something changed in it, hashes and all."""
    current, previous = parts.store.pointer()
    assert current is not None
    source = folder(parts, current.number)
    manifest = generation.read_manifest(source, sha256=current.manifest_sha256)
    with generation.workspace(parts.settings.data / "index", base=source) as aside:
        change(aside)
        facts = {name: getattr(manifest, name) for name in Manifest.__dataclass_fields__ if name != "files"}
        sha256 = generation.seal(aside, Manifest(**facts), target=folder(parts, 3), known={})
    parts.store.publish(
        PublishedGeneration(number=3, seq=current.seq, manifest_sha256=sha256),
        previous=previous.number if previous else None,
    )


def without_keywords_of(parts: Services, *numbers: int) -> Callable[[Path], object]:
    gone = [article(number).id for number in numbers]
    return lambda aside: parts.keywords.update(aside / "keywords", removed=gone, added=[])


def without_vectors_of(parts: Services, *numbers: int) -> Callable[[Path], object]:
    gone = [article(number).id for number in numbers]
    dimension = CountingEmbedder.dimension
    return lambda aside: vectors.update(aside / "vectors", dimension=dimension, removed=gone, added=[])


def test_legs_that_hold_different_articles_are_told_apart(parts: Services) -> None:
    republish(parts, without_vectors_of(parts, 2))
    assert problems(parts) == [
        f"index: keywords and vectors differ in 1 articles ({article(2).id}): run `flask reindex`"
    ]


def test_an_article_that_is_in_the_archive_only_is_named(parts: Services) -> None:
    def lose(aside: Path) -> None:
        without_keywords_of(parts, 2, 3)(aside)
        without_vectors_of(parts, 2, 3)(aside)

    republish(parts, lose)
    named = ", ".join(sorted((article(2).id, article(3).id)))
    assert problems(parts) == [f"index: archive and index differ in 2 articles ({named}): run `flask reindex`"]


def test_of_many_articles_five_are_named(parts: Services) -> None:
    republish(parts, without_vectors_of(parts, *range(7)))
    (problem,) = problems(parts)
    named = sorted(article(number).id for number in range(7))[:5]
    assert f"in 7 articles ({', '.join(named)}, …)" in problem


def test_what_changed_while_the_index_was_built_is_not_held_against_it(parts: Services) -> None:
    parts.store.put(article(2, title="Changed meanwhile"))
    republish(parts, without_vectors_of(parts, 2))
    assert problems(parts) == []


def test_what_is_missing_from_the_generation_before_is_no_problem(parts: Services) -> None:
    assert len(parts.store.live_ids()) == 8
    current, previous = parts.store.pointer()
    assert current is not None
    assert previous is not None
    assert previous.seq < current.seq
    assert problems(parts) == []
