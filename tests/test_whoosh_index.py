"""What is particular to the index on Whoosh: what it reads below the library's surface, how segments come and go."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from whoosh.index import open_dir

from archive.article import Article
from index.errors import GenerationDamaged
from index.keywords import whoosh_index
from index.keywords.whoosh_index import WhooshFormat, _WhooshPostings
from index.query import Phrase, Query, Term

KURSK = Query(wanted=(Term("kursk"),))


def articles(count: int, *, start: int = 0, text: str = "kursk") -> Iterator[Article]:
    """Articles whose frequency of one word goes 1, 2, 3, 1, 2, 3…"""
    for number in range(start, start + count):
        yield Article(id=f"{number:05}", title="east", body=" ".join([text] * (number % 3 + 1)))


def sizes(directory: Path) -> list[int]:
    """The segments' numbers of articles, removed ones included."""
    readers = open_dir(str(directory), readonly=True).reader().leaf_readers()
    counts = sorted(count for reader, _ in readers if (count := reader.doc_count_all()))
    for reader, _ in readers:
        reader.close()
    return counts


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    WhooshFormat().create(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", [1, 7, 4096])
def test_postings_read_by_blocks_are_those_of_the_public_matcher(
    directory: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(whoosh_index, "BLOCK", block)
    WhooshFormat().update(directory, removed=[], added=articles(50))
    WhooshFormat().update(directory, removed=["00003", "00007"], added=articles(4, start=50))
    postings = _WhooshPostings(directory)
    fields = [("body", "kursk"), ("title", "east"), ("word", "east"), ("body", "no")]
    for field, term in fields:
        numbers, frequencies = postings.read(field, term)
        live = [(n, f) for n, f in zip(numbers.tolist(), frequencies.tolist(), strict=True) if postings.live[n]]
        assert live == list(public_postings(directory, field, term))
    postings.close()


def public_postings(directory: Path, field: str, term: str) -> Iterator[tuple[int, float]]:
    reader = open_dir(str(directory), readonly=True).reader()
    if (field, term) in reader:
        matcher = reader.postings(field, term)
        while matcher.is_active():
            yield matcher.id(), matcher.weight()
            matcher.next()
    reader.close()


def test_terms_read_from_their_file_are_those_of_the_public_reader(directory: Path) -> None:
    texts = ["", "kursk Łódź", "kursk 習 zzz", "east"]
    added = [Article(id=str(n), title=text, body="zzz", source=text or None) for n, text in enumerate(texts)]
    WhooshFormat().update(directory, removed=[], added=added)
    (segment, _), *others = open_dir(str(directory), readonly=True).reader().leaf_readers()
    assert not others
    for field in ("author", "source", "title", "word", "zone"):
        infos = [(term, segment.term_info(field, term)) for term in segment.lexicon(field)] if field != "zone" else []
        expected = [(term, info.doc_frequency(), info.min_id(), info.max_id()) for term, info in infos]
        assert list(whoosh_index._terms_of(segment, field)) == expected
    segment.close()


def test_texts_are_read_across_segments(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "MERGE_ARTICLES", 0)
    for start in range(0, 12, 4):
        WhooshFormat().update(directory, removed=[], added=articles(4, start=start, text="east of kursk"))
    assert sizes(directory) == [4, 4, 4]
    index = WhooshFormat().open(directory)
    phrase = Query(required=(Phrase("kursk east"),))
    assert index.ids[index.select(phrase)].tolist() == [f"{number:05}".encode() for number in range(12) if number % 3]
    assert {id_: parts[0].body for id_, parts in index.explain(phrase, ["00004", "00008"]).items()} == {
        "00004": 1,
        "00008": 2,
    }
    index.close()


def test_a_text_that_was_cut_off_is_found_out_when_it_is_opened(directory: Path) -> None:
    WhooshFormat().update(directory, removed=[], added=articles(30))
    (file,) = directory.glob("*.terms.col")
    file.write_bytes(file.read_bytes()[:100] + file.read_bytes()[-40:])
    with pytest.raises(GenerationDamaged, match="flask reindex"):
        WhooshFormat().open(directory)


def test_of_equal_scores_the_first_ids_are_kept(directory: Path) -> None:
    WhooshFormat().update(directory, removed=[], added=[Article(id=id_, title="", body="kursk") for id_ in "dbca"])
    index = WhooshFormat().open(directory)
    assert index.rank(KURSK, depth=3).numbers.tolist() == [0, 1, 2]
    index.close()


def test_a_long_build_is_cut_into_segments(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "SEGMENT_CHARACTERS", 100)
    monkeypatch.setattr(whoosh_index, "MERGE_ARTICLES", 0)
    WhooshFormat().update(directory, removed=[], added=articles(40))
    assert len(sizes(directory)) > 3
    index = WhooshFormat().open(directory)
    assert len(index.rank(KURSK, depth=100).numbers) == 40
    index.close()


def test_small_segments_are_merged_and_large_ones_left(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_index, "MERGE_ARTICLES", 16)
    WhooshFormat().update(directory, removed=[], added=articles(40))
    for number in range(12):
        WhooshFormat().update(directory, removed=[], added=articles(1, start=100 + number))
        assert sum(sizes(directory)) == 41 + number
        assert len(sizes(directory)) <= 6
    assert sizes(directory)[-1] == 40


def test_a_segment_that_is_mostly_removed_is_rewritten_without_what_is_gone(directory: Path) -> None:
    WhooshFormat().update(directory, removed=[], added=articles(10, text="secret"))
    WhooshFormat().update(directory, removed=[f"{number:05}" for number in range(6)], added=[])
    assert sizes(directory) == [4]
    WhooshFormat().update(directory, removed=[f"{number:05}" for number in range(10)], added=[])
    assert sizes(directory) == []
    assert not any(b"secret" in file.read_bytes() for file in directory.iterdir())


def test_nothing_but_the_index_is_left_in_the_directory(directory: Path) -> None:
    WhooshFormat().update(directory, removed=[], added=articles(3))
    suffixes = {file.suffix for file in directory.iterdir()}
    assert suffixes == {".toc", ".trm", ".pst", ".col"}
    assert all(file.is_file() for file in directory.iterdir())


def test_an_index_that_is_forgotten_closes_its_files(directory: Path) -> None:
    WhooshFormat().update(directory, removed=[], added=articles(3))
    WhooshFormat().open(directory)  # a file left open would be a warning, and a warning an error
