"""The matching sentence: for any passage it is a whole sentence of it, and the one that means the query."""

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.article import Article
from archive.passages import cut, embedding_text, title_context
from index.analysis import analyse, scoring_terms
from index.embedder import Embedder
from index.engine import Vector, Vectors
from index.pieces import Pieces
from index.sentences import MIN_WORDS, Place, SentenceFinder
from index.snippet import Range

SEEDS = Path(__file__).parent.parent / "seeds"
DIMENSION = 64
MEANINGS = {"inundation": "flood", "deluge": "flood"}
STORY = (
    "The mayor spoke first about the new bridge. Then an inundation of the lower town was described by Hallam. "
    "She thanked the many volunteers at length. A comet was seen over the bay."
)
DROWNED = "Then an inundation of the lower town was described by Hallam."


def directions(words: list[str]) -> Vectors:
    """Return a row of norm 1 for each word: the same for words of one meaning, else pointing anywhere."""
    chances = [random.Random(MEANINGS.get(word.lower(), word.lower())) for word in words]
    rows = np.array([[chance.gauss() for _ in range(DIMENSION)] for chance in chances], dtype=np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def vector_of(text: str) -> Vector:
    total = directions(re.findall(r"\w+", text)).sum(axis=0)
    unit: Vector = total / np.linalg.norm(total)
    return unit


def pieces_of(words: Sequence[str]) -> Pieces | None:
    """Return each word as a piece of weight 1: words of one meaning have one vector."""
    return Pieces(np.arange(len(words)), directions(list(words)), np.arange(len(words))) if words else None


def finder(query: str) -> SentenceFinder:
    return SentenceFinder(query, vector=vector_of(query), words=analyse(query), pieces=pieces_of)


def by_words(query: str) -> SentenceFinder:
    return SentenceFinder(query, vector=None, words=analyse(query), pieces=pieces_of)


def found(by: SentenceFinder, body: str, passage: Range | None = None, **language: str) -> str | None:
    place = by.find(body, passage or (0, len(body)), **language)
    return body[slice(*place)] if place else None


# By meaning


def test_the_sentence_that_means_the_query_is_found_without_one_of_its_words() -> None:
    assert found(finder("flood"), STORY) == DROWNED
    assert found(finder("deluge"), STORY) == DROWNED


def test_a_place_is_in_characters_of_the_body_and_only_the_passage_is_looked_at() -> None:
    body = f"A flood came that very year. {STORY} The flood went down again later."
    start = body.index("The mayor")
    assert found(finder("flood"), body, (start, start + len(STORY))) == DROWNED


def test_one_finder_serves_any_number_of_passages() -> None:
    by = finder("deluge")
    assert [found(by, text) for text in (STORY, "A comet was seen at night.", STORY)][::2] == [DROWNED, DROWNED]


def test_of_equal_sentences_the_first_is_taken() -> None:
    body = "The flood came at night. The flood came at night."
    assert finder("flood").find(body, (0, len(body))) == (0, 24)


def test_a_piece_of_little_weight_decides_nothing() -> None:
    """The query is "lo comet"; "lo" is as light as a frequent word is in a table of pieces."""

    def weighed(words: Sequence[str]) -> Pieces | None:
        pieces = pieces_of(words)
        assert pieces is not None
        light = np.array([0.01 if word.lower() == "lo" else 1.0 for word in words])
        return Pieces(pieces.words, (pieces.kinds * light[:, None]).astype(np.float32), pieces.rows)

    body = "Lo lo lo lo lo. We saw one comet."
    vector = vector_of("comet")
    assert found(SentenceFinder("lo comet", vector=vector, words=(), pieces=weighed), body) == "We saw one comet."
    vector = vector_of("lo comet")
    light = SentenceFinder("lo lo lo comet", vector=vector, words=(), pieces=weighed)
    plain = SentenceFinder("lo lo lo comet", vector=vector, words=(), pieces=pieces_of)
    assert (found(light, body), found(plain, body)) == ("We saw one comet.", "Lo lo lo lo lo.")


def test_stop_words_are_not_looked_up_unless_a_text_has_no_others() -> None:
    looked_up: list[str] = []

    def reading(words: Sequence[str]) -> Pieces | None:
        looked_up.extend(words)
        return pieces_of(words)

    by = SentenceFinder("the flood of the town", vector=vector_of("flood"), words=(), pieces=reading)
    assert looked_up == ["flood", "town"]
    assert found(by, "It was over by then. The Flood came to them.") == "The Flood came to them."
    assert looked_up[2:] == ["Flood", "came"]
    found(by, "It was over by then.")
    assert looked_up[4:] == ["It", "was", "over", "by", "then"]


def test_a_sentence_with_a_word_for_each_of_the_querys_beats_one_that_repeats_one() -> None:
    nothing: Vector = np.zeros(DIMENSION, dtype=np.float32)  # the mean says nothing: likeness alone decides
    by = SentenceFinder("comet over town", vector=nothing, words=(), pieces=pieces_of)
    body = "Comet comet comet comet. They saw a comet above town. Nothing else came up."
    assert found(by, body) == "They saw a comet above town."


def test_a_sentence_far_from_the_querys_pieces_is_found_by_the_querys_own_vector() -> None:
    by = SentenceFinder("zzz", vector=vector_of("flood"), words=(), pieces=pieces_of)
    assert found(by, STORY) == DROWNED


def test_a_sentence_is_judged_by_its_own_words_and_not_by_those_behind_it() -> None:
    by = SentenceFinder("zzz", vector=vector_of("flood"), words=(), pieces=pieces_of)
    body = f"A flood came then. Comet {'comet ' * 12}comet. The flood of all the letters in that week."
    assert found(by, body) == "A flood came then."


def test_a_text_of_which_the_model_reads_nothing_has_no_sentence_that_means_it() -> None:
    def unread(words: Sequence[str]) -> Pieces | None:
        none = np.empty(0, np.int64)
        return pieces_of(words) if words == ["flood"] else Pieces(none, np.empty((0, DIMENSION), np.float32), none)

    by = SentenceFinder("flood", vector=vector_of("flood"), words=(), pieces=unread)
    assert found(by, STORY) is None


# By words


def test_without_a_vector_the_sentence_with_most_different_words_is_found() -> None:
    body = (
        "The bridge, the bridge, the bridge! Bridges over the river were closed. Rivers rose near the bridge at dawn."
    )
    assert found(by_words("river bridge"), body) == "Bridges over the river were closed."


def test_without_a_vector_no_pieces_are_looked_up() -> None:
    def never(words: Sequence[str]) -> Pieces | None:
        raise AssertionError(words)

    by = SentenceFinder("volunteers", vector=None, words=analyse("volunteers"), pieces=never)
    assert found(by, STORY) == "She thanked the many volunteers at length."


@pytest.mark.parametrize("pieces", [None, lambda _: None])
def test_without_a_table_of_pieces_words_decide(pieces: object) -> None:
    vector = vector_of("flood")
    by = SentenceFinder("flood", vector=vector, words=analyse("volunteers"), pieces=pieces)  # type: ignore[arg-type]
    assert found(by, STORY) == "She thanked the many volunteers at length."


def test_where_no_sentence_holds_a_word_there_is_none() -> None:
    assert by_words("flood").find(STORY, (0, len(STORY))) is None
    assert SentenceFinder("", vector=None, words=(), pieces=None).find(STORY, (0, len(STORY))) is None


@pytest.mark.parametrize("body", ["", "  \n\n "])
def test_a_passage_of_nothing_has_no_sentence(body: str) -> None:
    assert finder("flood").find(body, (0, len(body))) is None
    assert by_words("flood").find(body, (0, len(body))) is None


# What a sentence is


def test_a_sentence_of_a_word_or_two_is_passed_over_unless_all_are_so_short() -> None:
    assert found(by_words("flood"), "Flood? A flood of letters came.") == "A flood of letters came."
    assert found(by_words("flood"), "Why not? A flood!") == "A flood!"


def test_sentences_end_as_they_do_in_the_language() -> None:
    german = "Die Flut kam am 14. Juli in der Nacht. Dann ging sie wieder."
    assert found(by_words("Flut Juli"), german, language="de") == "Die Flut kam am 14. Juli in der Nacht."
    japanese = "水が引いた村の朝。学校は月曜に始まる。"
    assert found(by_words("学校"), japanese, language="ja") == "学校は月曜に始まる。"
    assert found(by_words("学校"), japanese, language='en" onload="x') == "学校は月曜に始まる。"


PARTS = st.sampled_from(
    ["flood", "Inundation", "comet", "the", "He said", "no", ". ", "? ", "\n\n", " ", "  ", "。", "水"]
)


@given(parts=st.lists(PARTS, max_size=60), cut_at=st.tuples(st.integers(0, 300), st.integers(0, 300)))
@settings(max_examples=300, deadline=None)
def test_what_is_found_is_a_whole_sentence_of_the_passage(parts: list[str], cut_at: tuple[int, int]) -> None:
    body = "".join(parts)
    start, end = sorted(min(place, len(body)) for place in cut_at)
    sentences = [text for text in sentences_of(body[start:end]) if text]
    telling = [text for text in sentences if len(analyse(text)) >= MIN_WORDS] or sentences
    meant, worded = finder("flood comet").find(body, (start, end)), by_words("flood comet").find(body, (start, end))
    for place in filter(None, (meant, worded)):
        assert start <= place[0] < place[1] <= end
        assert body[slice(*place)] in telling
    held = [len({"flood", "comet"} & set(analyse(text))) for text in telling]
    assert (worded is not None) == any(held)
    assert worded is None or telling.index(body[slice(*worded)]) == held.index(max(held))


def test_passages_looked_at_together_have_the_sentences_each_has_alone() -> None:
    bodies = [STORY, "", "A comet came. Then the flood came to the town.", "   ", "No flood. " * 3, STORY[30:]]
    places = [Place(body, (len(body) // 8, len(body)), None) for body in bodies]
    for by in (finder("flood comet"), by_words("flood comet")):
        alone = [by.find(place.body, place.passage) for place in places]
        assert by.find_each(places) == alone
        assert alone[1] is None
        assert alone[2] is not None
        assert by.find_each([]) == []


# With the real model


@pytest.mark.model
def test_on_judged_pairs_most_sentences_found_are_those_the_model_would_pick(real_embedder: Embedder) -> None:
    """The truth is the model run over every sentence of the best passage; words alone agree with it far less often."""
    agreed = worded = pairs = 0
    for query, article in judged()[::2]:
        vector = real_embedder.embed([query])[0]
        passage = best_passage(real_embedder, article, vector)
        sentences = [s for s in sentences_of(article.body[slice(*passage)]) if len(analyse(s)) >= MIN_WORDS]
        if len(sentences) < 3:
            continue
        truth = sentences[int(np.argmax(real_embedder.embed(sentences) @ vector))]
        words = scoring_terms(analyse(query))
        meant = SentenceFinder(query, vector=vector, words=words, pieces=real_embedder.pieces)
        agreed += found(meant, article.body, passage) == truth
        worded += found(SentenceFinder(query, vector=None, words=words, pieces=None), article.body, passage) == truth
        pairs += 1
    assert pairs > 50
    assert agreed / pairs > 0.6
    assert agreed / pairs > worded / pairs + 0.15


def judged() -> list[tuple[str, Article]]:
    rows = [json.loads(line) for line in (SEEDS / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    articles = {row["_id"]: Article(id=f"{n:016x}", title=row["title"], body=row["text"]) for n, row in enumerate(rows)}
    queries = [json.loads(line) for line in (SEEDS / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = {row["_id"]: row["text"] for row in queries}
    lines = (SEEDS / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    judgements = [line.split("\t") for line in lines]
    return [(texts[query], articles[document]) for query, document, grade in judgements if int(grade) > 0]


def sentences_of(text: str) -> list[str]:
    return [boundary["text"].strip() for boundary in sentencex.get_sentence_boundaries("en", text)]


def best_passage(embedder: Embedder, article: Article, vector: Vector) -> Range:
    passages = cut(article, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens)
    context = title_context(article, embedder.token_spans)
    texts = [embedding_text(context, article.body[passage.start : passage.end]) for passage in passages]
    best = passages[int(np.argmax(embedder.embed(texts) @ vector))]
    return best.start, best.end
