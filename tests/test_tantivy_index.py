"""What is particular to the index on Tantivy: what nominates, how segments come and go, what a failure leaves."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from archive.article import Article
from index.analysis import analyse
from index.errors import GenerationDamaged
from index.keywords import KeywordIndex, draft, folder
from index.keywords.folder import OwnPostings
from index.keywords.scoring import Bm25
from index.keywords.tantivy_index import TantivyFormat
from index.query import Phrase, Prefix, Query, Term

KURSK = Query(wanted=(Term("kursk"),))


def articles(count: int, *, start: int = 0, text: str = "kursk") -> Iterator[Article]:
    """Articles whose frequency of one word goes 1, 2, 3, 1, 2, 3…"""
    for number in range(start, start + count):
        yield Article(id=f"{number:05}", title="east", body=" ".join([text] * (number % 3 + 1)))


def update(directory: Path, added: Iterable[Article] = (), *, removed: Sequence[str] = ()) -> None:
    TantivyFormat().update(directory, removed=removed, added=added)


def sizes(directory: Path) -> list[int]:
    """Our segments' numbers of articles, removed ones included."""
    return sorted(len(segment) for segment in OwnPostings(directory)._segments)


def opened(directory: Path) -> KeywordIndex:
    return TantivyFormat().open(directory)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    TantivyFormat().create(tmp_path)
    return tmp_path


def test_what_is_nominated_has_the_scores_it_would_be_given_exactly(directory: Path) -> None:
    texts = ["kursk land", "kursk kursk east the", "land of the east", "kursk"]
    update(directory, [Article(id=str(n), title=text, body=text * 2) for n, text in enumerate(texts)])
    query = Query(wanted=(Term("kursk", 2.0), Term("land"), Term("the")))
    index = opened(directory)
    ranked = index.rank(query, depth=10)
    assert len(ranked.numbers) == 4
    assert ranked.scores == pytest.approx(index.evidence(query, ranked.numbers).scores, rel=1e-5)


def test_no_segment_takes_in_more_articles_than_its_numbers_can_name(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (draft, folder):
        monkeypatch.setattr(place, "MOST_ARTICLES", 70)
    update(directory, articles(20, text="land"))
    update(directory, articles(60, start=20))
    assert sizes(directory) == [20, 60]


def test_lengths_are_rounded_for_nominating_and_exact_for_judging(directory: Path) -> None:
    update(directory, [Article(id="a", title="", body="kursk " + "land " * 1_000), Article(id="b", title="", body="")])
    index = opened(directory)
    ranked = index.rank(KURSK, depth=1)
    exact = index.evidence(KURSK, ranked.numbers).scores
    assert ranked.scores != pytest.approx(exact, rel=1e-5)
    assert ranked.scores == pytest.approx(exact, rel=0.1)


def test_once_all_scores_are_worked_out_they_rank(directory: Path) -> None:
    update(directory, articles(60))
    index = opened(directory)
    near = index.rank(KURSK, depth=20)
    index.prepare(KURSK)
    ranked = index.rank(KURSK, depth=20)
    assert ranked.scores.tolist() == index.evidence(KURSK, ranked.numbers).scores.tolist()
    assert ranked.scores.tolist() == sorted(index.evidence(KURSK, np.arange(60)).scores, reverse=True)[:20]
    assert ranked.scores.tolist() != near.scores.tolist()


def test_where_too_many_are_gone_nothing_is_nominated(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update(directory, articles(60))
    update(directory, removed=["00000"])
    exact = opened(directory).evidence(KURSK, np.arange(59)).scores
    near = opened(directory).rank(KURSK, depth=59)
    assert not np.array_equal(np.sort(near.scores), np.sort(exact))
    update(directory, removed=["00001", "00002", "00003"])
    exact = opened(directory).evidence(KURSK, np.arange(56)).scores
    assert np.array_equal(np.sort(opened(directory).rank(KURSK, depth=56).scores), np.sort(exact))


def test_parameters_of_ones_own_are_ranked_by_exactly(directory: Path) -> None:
    update(directory, articles(9))
    other = TantivyFormat(Bm25(b=0.1)).open(directory)
    ranked = other.rank(KURSK, depth=9)
    assert ranked.scores.tolist() == other.evidence(KURSK, ranked.numbers).scores.tolist()


def test_what_a_failed_update_left_with_tantivy_is_not_found(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: folder.Update) -> None:
        raise OSError(28, "No space left on device")

    update(directory, articles(3))
    with monkeypatch.context() as patch:
        patch.setattr(folder.Update, "publish", fail)
        with pytest.raises(OSError, match="No space"):
            update(directory, articles(40, start=3))
    assert len(list(directory.glob("*.articles"))) == 1
    assert opened(directory).rank(KURSK, depth=50).numbers.tolist() == [2, 1, 0]
    update(directory, articles(1, start=3))
    assert sorted(opened(directory).rank(KURSK, depth=50).numbers.tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("lost", ["*.fieldnorm", "meta.json"])
def test_a_file_that_cannot_be_read_is_told_as_a_failure_of_the_disk(directory: Path, lost: str) -> None:
    update(directory, articles(3))
    for path in directory.glob(lost):
        path.unlink()
    with pytest.raises(OSError, match=r"FileDoesNotExist|does not exist|NotFound"):
        update(directory, articles(2, start=3), removed=["00000"])


def test_small_segments_are_merged_and_large_ones_left(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MERGE_ARTICLES", 16)
    update(directory, articles(40))
    for number in range(12):
        update(directory, articles(1, start=100 + number))
        assert sum(sizes(directory)) == 41 + number
        assert len(sizes(directory)) <= 6
    assert sizes(directory)[-1] == 40
    update(directory, articles(60, start=200))  # more than are there: the small ones are merged, the large one is not
    assert sizes(directory) == [40, 72]


def test_a_long_build_is_cut_into_segments(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MOST_PLACES", 50)
    monkeypatch.setattr(folder, "MERGE_ARTICLES", 0)
    update(directory, articles(40))
    assert len(sizes(directory)) > 3
    phrase = Query(required=(Phrase("kursk kursk kursk"),))
    index = opened(directory)
    assert np.flatnonzero(index.select(phrase)).tolist() == list(range(2, 40, 3))
    assert index.explain(phrase, ["00005"])["00005"][0].body == 1


def test_a_segment_that_is_mostly_removed_is_rewritten_without_what_is_gone(directory: Path) -> None:
    update(directory, articles(10, text="secret"))
    update(directory, removed=[f"{number:05}" for number in range(6)])
    assert sizes(directory) == [4]
    update(directory, removed=[f"{number:05}" for number in range(10)])
    assert sizes(directory) == []
    assert not any(b"secret" in file.read_bytes() for file in directory.iterdir())


def test_a_merged_segment_is_what_one_made_at_once_would_be(tmp_path: Path) -> None:
    texts = ["Kursk and the land", "drones, droning", "the drone’s", "kursk " * 300, "", "習近平 " * 3]
    made = [
        Article(id=str(n), title=text[:9], body=text, source="BBC", authors=(f"A{n % 2}",))
        for n, text in enumerate(texts)
    ]
    together, apart = tmp_path / "together", tmp_path / "apart"
    for directory in (together, apart):
        directory.mkdir()
        TantivyFormat().create(directory)
    update(together, made)
    for one in made:
        update(apart, [one])
    first, second = opened(together), opened(apart)
    queries = [
        Query(wanted=(clause,)) for clause in (Term("kursk"), Prefix("dron"), Phrase("the land"), Phrase("近平"))
    ]
    for query in queries:
        assert (
            first.evidence(query, np.arange(6)).scores.tolist() == second.evidence(query, np.arange(6)).scores.tolist()
        )
    assert first.words() == second.words()
    assert sum(sizes(apart)) == 6


def test_a_word_that_stands_often_is_counted_exactly(directory: Path) -> None:
    update(
        directory, [Article(id="a", title="kursk " * 3, body="kursk " * 70_000), Article(id="b", title="", body="x")]
    )
    (part,) = opened(directory).explain(KURSK, ["a"])["a"]
    assert (part.title, part.body) == (3, 70_000)


def test_common_and_rare_words_are_found_alike(directory: Path) -> None:
    made = [
        Article(id=f"{n:04}", title="", body=f"all {'third ' * (n % 3 == 0)}{'rare' * (n in (0, 777, 999))} only{n}")
        for n in range(1_000)
    ]
    update(directory, made)
    index = opened(directory)
    found = {
        word: np.flatnonzero(index.holding(Query(wanted=(Term(word),)))).tolist() for word in ("all", "third", "rare")
    }
    assert len(analyse("all third")) == 2
    assert found == {"all": list(range(1_000)), "third": list(range(0, 1_000, 3)), "rare": [0, 777, 999]}
    assert np.flatnonzero(index.holding(Query(wanted=(Term("only999"),)))).tolist() == [999]


def test_a_file_that_was_cut_off_is_found_out_when_it_is_opened(directory: Path) -> None:
    update(directory, articles(30))
    (file,) = directory.glob("*.articles")
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(GenerationDamaged, match="flask reindex"):
        opened(directory)


def test_reading_and_writing_leave_no_lock_behind(directory: Path) -> None:
    update(directory, articles(3))
    opened(directory)
    assert {file.suffix for file in directory.iterdir()} >= {".articles", ".json", ".idx"}
    assert not [file.name for file in directory.iterdir() if "lock" in file.name]


def test_removals_alone_leave_the_segments_as_they_are(directory: Path) -> None:
    update(directory, articles(30))
    (before,) = directory.glob("*.articles")
    number = before.stat().st_ino
    update(directory, removed=["00003"])
    (after,) = directory.glob("*.articles")
    assert after.stat().st_ino == number
    assert b"00003" not in opened(directory).ids.tolist()
