"""What the engine of a shared index keeps of articles from one question to the next."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from index.milvus import kept
from index.milvus.kept import END, Codes, Fetched, Kept


def fetched(codes: Codes, article_id: str, *body: str) -> Fetched:
    return codes.fetched(article_id, published=0, names=(), title=["the", "flood"], body=body)


def test_one_word_is_one_number_in_all_articles_and_each_text_has_an_end() -> None:
    codes = Codes()
    one, other = fetched(codes, "a", "flood", "council"), fetched(codes, "b", "council")
    the, flood, council = (codes.number(word) for word in ("the", "flood", "council"))
    assert one.places.tolist() == [the, flood, END, flood, council, END]
    assert other.places.tolist() == [the, flood, END, council, END]
    assert (one.title_end, one.title_length, one.body_length) == (2, 1, 2)  # a stop word does not score
    assert codes.of_term("flood", below=len(codes)) == [flood]


def test_of_words_met_later_a_question_knows_nothing() -> None:
    codes = Codes()
    fetched(codes, "a", "floods")
    size = len(codes)
    fetched(codes, "b", "flooding")
    assert len(codes.of_term("flood", below=len(codes))) == 3
    assert len(codes.of_term("flood", below=size)) == 2


def test_what_was_asked_for_last_is_kept_and_no_more_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_PLACES", 12)
    memory = Kept()
    codes, _ = memory.known([])
    memory.keep(codes, [fetched(codes, "a", "flood"), fetched(codes, "b", "comet")])
    memory.known(["a"])
    memory.keep(codes, [fetched(codes, "c", "council")])
    assert [*memory.known(["a", "b", "c"])[1]] == ["a", "c"]


def test_where_too_many_words_were_met_it_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_WORDS", 3)
    memory = Kept()
    before, _ = memory.known([])
    memory.keep(before, [fetched(before, "a", "council")])
    after, found = memory.known(["a"])
    assert (len(after), found) == (1, {})
    memory.keep(before, [fetched(before, "b", "council")])  # by a question that was at work meanwhile
    assert memory.known(["b"]) == (after, {})


def test_threads_that_meet_the_same_words_give_them_one_number() -> None:
    codes = Codes()
    texts = [[f"word{number}" for number in range(start, start + 200)] for start in range(0, 400, 50)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda text: fetched(codes, "a", *text), texts))
    for text, one in zip(texts, made, strict=True):
        assert one.places[3:-1].tolist() == [codes.number(word) for word in text]
    numbers = np.unique(np.concatenate([one.places for one in made]))
    assert numbers.tolist() == [*range(len(codes))]
