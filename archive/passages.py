"""Chunking: cut a body into passages an embedding model can read whole. Pure.

Invariants: passages cover every sentence of the body in order; each begins and ends at a sentence's edge (a sentence
longer than a passage is cut between words, a word longer than one between tokens); the headline and the passage
together never exceed the model's limit, so nothing is silently cut off. Offsets are characters of the body.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

import sentencex

from archive.article import TEXT_HASH_BYTES, Article, Passage
from archive.errors import ArchiveError

Range = tuple[int, int]
TokenSpans = Callable[[str], Sequence[Range]]  # text -> each token's (start, end) in characters

OVERLAP_TOKENS = 32  # a passage begins with up to this much of the one before, so a thought is not cut in two
MAX_TITLE_TOKENS = 64  # of a longer headline, its first words stand before each passage
METHOD = "sentences-1"  # change it when this file cuts differently: articles are then cut anew


def chunking(model_sha256: str, max_tokens: int) -> str:
    """Name this way of cutting for this model's tokens; passages cut otherwise are not mixed with these."""
    return f"{METHOD}/{model_sha256[:12]}/{max_tokens}+{OVERLAP_TOKENS}"


def cut(article: Article, *, token_spans: TokenSpans, max_tokens: int) -> list[Passage]:
    """Cut the body of `article` into passages of at most `max_tokens` tokens, the headline's included.

    Raises ArchiveError when the headline alone takes that many.
    """
    context = title_context(article, token_spans)
    room = max_tokens - len(token_spans(context))
    if room < 1:
        raise ArchiveError(f"article {article.id}: a model that reads {max_tokens} tokens has no room for its passages")
    tokens = token_spans(article.body)
    ranges = _pack(_sentences(article, tokens, room), tokens, room)
    # A word cut in two may have more tokens than it had whole, so the limit is held against what will be embedded.
    while room > 1 and (longest := _longest(article.body, ranges, context, token_spans)) > max_tokens:
        room = max(room - (longest - max_tokens), 1)
        ranges = _pack(_sentences(article, tokens, room), tokens, room)
    return [
        Passage(
            article_id=article.id,
            version=article.version,
            ordinal=ordinal,
            start=start,
            end=end,
            text_hash=_text_hash(embedding_text(context, article.body[start:end])),
        )
        for ordinal, (start, end) in enumerate(ranges)
    ]


def title_context(article: Article, token_spans: TokenSpans) -> str:
    """Return the headline as it is embedded before each passage: empty when it was made from the body itself."""
    if article.derived_title:
        return ""
    spans = token_spans(article.title)
    if len(spans) <= MAX_TITLE_TOKENS:
        return article.title
    return article.title[: spans[MAX_TITLE_TOKENS][0]].rsplit(maxsplit=1)[0].strip()


def embedding_text(context: str, passage_text: str) -> str:
    """Return exactly the text that is embedded for a passage whose headline is `context`."""
    return f"{context}\n{passage_text}" if context else passage_text


def _text_hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:TEXT_HASH_BYTES]


def _longest(body: str, ranges: Sequence[Range], context: str, token_spans: TokenSpans) -> int:
    return max((len(token_spans(embedding_text(context, body[start:end]))) for start, end in ranges), default=0)


def sentences(body: str, language: str | None) -> list[Range]:
    """Return where each sentence of `body` stands, without the space around it."""
    found: list[Range] = []
    for boundary in sentencex.get_sentence_boundaries(language or "en", body):
        start, text = boundary["start_index"], boundary["text"]
        trimmed = (start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
        if trimmed[0] < trimmed[1]:
            found.append(trimmed)
    return found


def _sentences(article: Article, tokens: Sequence[Range], room: int) -> list[Range]:
    """Return the body's sentences, none longer than `room` tokens."""
    found: list[Range] = []
    for sentence in sentences(article.body, article.language):
        found += _split_long(article.body, sentence, tokens, room)
    return found


def _split_long(body: str, sentence: Range, tokens: Sequence[Range], room: int) -> list[Range]:
    pieces: list[Range] = []
    start, end = sentence
    while _count(tokens, (start, end)) > room:
        last = bisect_left(tokens, (start, 0)) + room  # the first token that does not fit
        if tokens[last][0] == start:  # one character of more tokens than there is room for
            last = bisect_left(tokens, (start + 1, 0))
        if last == len(tokens) or tokens[last][0] >= end:
            break
        cut_at = tokens[last][0]
        space = max(body.rfind(" ", start, cut_at), body.rfind("\n", start, cut_at))
        cut_at = space if space > start else cut_at
        pieces.append((start, start + len(body[start:cut_at].rstrip())))
        start = next(place for place in range(cut_at, end) if not body[place].isspace())
    return [*pieces, (start, end)]


def _count(tokens: Sequence[Range], span: Range) -> int:
    return bisect_right(tokens, (span[1] - 1, span[1] + 1_000_000)) - bisect_left(tokens, (span[0], 0))


def _pack(sentences: Sequence[Range], tokens: Sequence[Range], room: int) -> list[Range]:
    """Join sentences into passages of about equal size, as few as `room` allows."""
    counts = [_count(tokens, sentence) for sentence in sentences]
    share = max(room - OVERLAP_TOKENS, 1)
    wanted = -(-sum(counts) // share)
    target = -(-sum(counts) // wanted) + OVERLAP_TOKENS if wanted else room
    firsts = [0] if sentences else []
    ends: list[int] = []
    size = 0
    for number, count in enumerate(counts):
        if size and (size + count > room or size >= target):
            ends.append(number)
            first, size = _overlap(counts, firsts[-1] + 1, number, room - count)
            firsts.append(first)
        size += count
    ends += [len(sentences)] if sentences else []
    return [(sentences[first][0], sentences[end - 1][1]) for first, end in zip(firsts, ends, strict=True)]


def _overlap(counts: Sequence[int], lowest: int, number: int, room: int) -> tuple[int, int]:
    """Return where the passage whose first new sentence is `number` begins, and the tokens it repeats."""
    first, size = number, 0
    while first > lowest and size + counts[first - 1] <= min(OVERLAP_TOKENS, room):
        first -= 1
        size += counts[first]
    return first, size
