"""Which words a reader may be about to write: what was typed in, candidates from the headlines out. Pure.

Only the last stretch of plain words is completed, and none within a group or behind NOT; operators, filters and what
stands in quotation marks are kept as they were typed. The last word typed is the beginning of a word, the earlier ones
are whole.

Invariant: a candidate is nominated by what is in memory; `Shown` is what the store shows now, and confirms it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.analysis import Word, is_stop_word, surface, words, words_of
from index.completion.phrases import MAX_WORDS, MIN_ARTICLES, Headlines, Numbers
from index.language.clauses import DATE_OPERATORS, FIELDS
from index.language.lexer import Lexer, straight

MAX_TYPED_WORDS = 12  # in a longer text there is nothing to complete
MIN_INSIDE = 3  # letters typed before phrases are looked for that hold them further in
INSIDE = 0.5  # of its frequency is what such a phrase counts, beside those that begin with what was typed
MIN_TITLE_BYTES = 3  # typed, in UTF-8: three Latin letters or one Chinese character; fewer begin too many words
MAX_TITLE_CHARS = 200  # a longer title does not fit into the box
CONSIDERED = 12  # phrases, and titles, that are nominated
MIN_SENTENCE_CASE = 0.3  # of a headline's longer words begin small, unless it is written With Capitals Throughout
LONGER_WORD = 5  # letters; shorter ones begin small in any style

_LEXER = Lexer(fields=FIELDS, dates=DATE_OPERATORS)
_OPERATOR = re.compile(r"-.*|[^\W\d_]+:.*|.*[*~()].*|OR|AND|NOT|\|{1,2}")  # what stands between spaces and is no word
_PLAIN = re.compile(r"[\w\s'’&.-]+")  # between the words of a phrase; anything else is left out when it is offered


@dataclass(frozen=True, slots=True)
class Typed:
    """What a reader has typed: plain words, the last of them unfinished, and what stands around them."""

    before: str  # operators, filters and what they hold
    text: str  # the plain words
    words: tuple[Word, ...]  # the finished ones
    prefix: str  # the unfinished one, folded; empty when there is none
    prefix_start: int
    after: str  # closes what is open

    def joined(self, start: int = 0) -> str:
        """Return the words from `start` on as phrases are looked up: folded, a space between."""
        return " ".join([*(word.folded for word in self.words[start:]), self.prefix])

    def with_phrase(self, phrase: str, start: int) -> str:
        """Return the whole text with `phrase` for the words from `start` on."""
        place = self.words[start].start if start < len(self.words) else self.prefix_start
        return f"{self.before}{self.text[:place]}{phrase}{self.after}"


def read_typed(text: str) -> Typed | None:
    """Return what there is to complete in `text`, or None when that is nothing."""
    plain = straight(text)
    if plain.count('"') % 2:
        start = plain.rindex('"') + 1
        before, after = plain[: start - 1], '"'
        if before and not before[-1].isspace():  # the value of a filter, or an excluded phrase
            return None
    else:
        start, after = _plain_from(plain), ""
        before = plain[:start]
    if _in_group(before) or before.split()[-1:] == ["NOT"]:
        return None
    words = words_of(text[start:])
    if not words or len(words) > MAX_TYPED_WORDS:
        return None
    finished = words[-1].end < len(text) - start
    return Typed(
        before=text[:start],
        text=text[start:],
        words=tuple(words if finished else words[:-1]),
        prefix="" if finished else words[-1].folded,
        prefix_start=words[-1].start,
        after=after,
    )


def _in_group(text: str) -> bool:
    """Return whether a group is open where `text` ends."""
    kinds = [token.kind for token in _LEXER.tokens(text)]
    return kinds.count("open") > kinds.count("close")


def _plain_from(text: str) -> int:
    """Return where the last stretch of plain words begins; the end of `text` when it ends with something else."""
    start = 0
    for item in re.finditer(r'\S*"[^"]*"\S*|\S+', text):
        if '"' in item[0] or _OPERATOR.fullmatch(item[0]):
            start = item.end()
    return start


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may be offered for the words typed from `start` on, and the articles whose headlines hold all."""

    phrase: str
    start: int
    articles: Numbers


def phrase_candidates(headlines: Headlines, typed: Typed) -> list[Candidate]:
    """Return phrases that go on as was typed, the most frequent first.

    They go on from as many of the words as possible; the words before those stand beside them in the same headlines.
    """
    for start in range(max(0, len(typed.words) - MAX_WORDS + 1), len(typed.words) + bool(typed.prefix)):
        if found := _going_on(headlines, typed, start):
            return found[:CONSIDERED]
    return []


def _going_on(headlines: Headlines, typed: Typed, start: int) -> list[Candidate]:
    joined = typed.joined(start)
    rows = headlines.phrases_with(joined)
    rows = rows[np.argsort(-headlines.phrases.counts[rows], kind="stable")][: 2 * CONSIDERED]
    texts = {int(row): headlines.phrases.texts[row] for row in rows}
    ranked = sorted(texts, key=lambda row: _rank(texts[row], joined, int(headlines.phrases.counts[row])))
    earlier = [word.folded for word in typed.words[:start] if not is_stop_word(word.folded)]
    beside = np.zeros(len(headlines.ids), bool)
    beside[headlines.holding(earlier, "") if earlier else slice(None)] = True
    found = []
    for row in ranked:
        articles = headlines.phrases.articles_of(row)
        articles = articles[beside[articles]]
        fits = texts[row].startswith(joined) or (len(joined) >= MIN_INSIDE and not earlier)
        if fits and texts[row] != joined and len(articles) >= MIN_ARTICLES:
            found.append(Candidate(texts[row], start, articles))
    return found


def _rank(phrase: str, joined: str, count: int) -> tuple[float, str]:
    """Return what sorts phrases: the more frequent first, and the longer, which says more of what is sought."""
    return -count * (phrase.count(" ") + 1) * (1 if phrase.startswith(joined) else INSIDE), phrase


def title_candidates(headlines: Headlines, typed: Typed) -> Numbers:
    """Return the articles whose titles hold what was typed, newest first; none beside operators."""
    if typed.before or len(typed.joined().encode()) < MIN_TITLE_BYTES:
        return np.empty(0, np.int32)
    return headlines.holding([word.folded for word in typed.words], typed.prefix)[:CONSIDERED]


class Shown:
    """Titles as the store shows them now, by article id."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        """Take the titles; an article that is not among them is not shown."""
        self._titles = titles

    def matches(self, article_id: str, typed: Typed) -> bool:
        """Return whether an article is shown whose title holds what was typed and fits into the box."""
        title = self._titles.get(article_id, "")
        folded = words(title)
        begun = not typed.prefix or any(word.startswith(typed.prefix) for word in folded)
        whole = all(word.folded in folded for word in typed.words)
        return bool(folded) and begun and whole and len(title) <= MAX_TITLE_CHARS

    def title(self, article_id: str) -> str:
        """Return the title of an article that is shown, on one line."""
        return " ".join(self._titles[article_id].split())

    def places(self, phrase: str, article_ids: Sequence[str]) -> Iterator[tuple[str, list[Word]]]:
        """Yield each shown title that holds `phrase`, and the words of it there."""
        wanted = phrase.split(" ")
        for article_id in article_ids:
            title = self._titles.get(article_id, "")
            found = words_of(title)
            for at in range(len(found) - len(wanted) + 1):
                if [word.folded for word in found[at : at + len(wanted)]] == wanted:
                    yield title, found[at : at + len(wanted)]
                    break

    def form(self, phrase: str, article_ids: Sequence[str]) -> str | None:
        """Return `phrase` as most headlines write it, of those that tell: None when there are none.

        A headline in capitals, or With Capitals Throughout, does not tell; nor does the beginning of one.
        """
        places = self.places(phrase, article_ids)
        told = [as_placed(title, words) for title, words in places if words[0].start and _is_sentence(title)]
        bare = [form for form in told if surface(form) == form]  # "Moody's" is never without, "Trump's" mostly is
        return Counter(bare or told).most_common(1)[0][0] if told else None


def _is_sentence(title: str) -> bool:
    longer = [word for word in title.split()[1:] if len(word) >= LONGER_WORD]
    return sum(word[0].islower() for word in longer) > MIN_SENTENCE_CASE * len(longer)


def as_placed(title: str, words: Sequence[Word]) -> str:
    """Return the phrase that `words` of `title` are, without signs between them that part it."""
    whole = title[words[0].start : words[-1].end]
    if _PLAIN.fullmatch(whole):
        return " ".join(whole.split())
    return " ".join(title[word.start : word.end] for word in words)


def form_in_text(phrase: str, text: str) -> str:
    """Return a phrase, whose capitals do not tell, with each word as `text` writes it within its sentences."""
    return " ".join(_word_in_text(word, text) for word in phrase.split())


def _word_in_text(word: str, text: str) -> str:
    within = rf"(?<=[^\W_],\s|.[^\W_]\s){re.escape(word)}(?!\w)"  # not where a sentence begins
    forms: Counter[str] = Counter(re.findall(within, text, re.IGNORECASE))
    if forms:
        return forms.most_common(1)[0][0]
    return word.capitalize() if word.isupper() and "." not in word else word
