"""What a query asks of one article, worked out on the article itself, without an index. Pure.

It says what every clause means; which words of an article stand for one that is asked for is a matter of the article's
language (`index.inflection`). `tests/test_keywords_contract.py` holds each keyword index to it, and whoever has an
article but no index that holds it (the store's own engine, a change that came in since) asks here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from archive.article import Article
from index.analysis import STOP_TERMS, analyse, fold, spans, stem, words
from index.inflection import bare, language_of, stem_in
from index.query import AllOf, AnyOf, Clause, FieldValue, Fuzzy, Near, Not, Phrase, Prefix, Published, Query, Term

WORDS_REMEMBERED = 10_000  # typed words, some 200 bytes each


def holds(query: Query, article: Article) -> bool:
    """Return whether `article` keeps to every required clause of `query` and to no excluded one."""
    return _binds(query, _Texts(article))


def holds_all(query: Query, article: Article) -> bool:
    """Return whether `article` also holds every wanted clause: stop words aside when there is anything else."""
    texts = _Texts(article)
    return _binds(query, texts) and all(_holds(clause, texts) for clause in telling(query))


def share_held(query: Query, article: Article) -> float:
    """Return the share, 0..1, of what the query wants and of its phrases that the article holds; 0.0 of nothing."""
    texts = _Texts(article)
    clauses = (*telling(query), *query.required)
    return sum(_holds(clause, texts) for clause in clauses) / len(clauses) if clauses else 0.0


def telling(query: Query) -> tuple[Clause, ...]:
    """Return the wanted clauses of `query` with each word on its own, without stop words unless all are.

    "U.S.-China" is two words, and holds where both occur; as a clause that binds it means the two side by side.
    """
    skipped = STOP_TERMS if any(map(_tells, (*query.wanted, *query.required))) else frozenset[str]()
    apart = (_apart(clause, skipped) for clause in query.wanted)
    return tuple(clause for clause in apart if clause is not None)


@lru_cache(maxsize=WORDS_REMEMBERED)
def parts(text: str) -> Sequence[tuple[str, str]]:
    """Return the words of what was typed as one, usually one, each as its term and as it was typed."""
    return tuple((term, text[start:end]) for term, start, end in spans(text))


def only_word(text: str) -> str:
    """Return the one word that `text` is, folded; an empty string when it holds none or several."""
    found = words(text)
    return found[0] if len(found) == 1 else ""


def one_edit_apart(one: str, other: str) -> bool:
    """Return whether putting in, leaving out, replacing or exchanging letters once makes one word the other."""
    if len(one) > len(other):
        one, other = other, one
    if one == other or len(other) > len(one) + 1:
        return False
    at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    exchanged = one[at + 1 : at + 2] + one[at] + one[at + 2 :]
    return one[at + 1 :] == other[at + 1 :] or exchanged == other[at:]


@dataclass(frozen=True, slots=True)
class Meant:
    """The words that are asked for, as terms, and what of a text in some language stands for them."""

    terms: Sequence[str]  # of two words that count as one, both times that of the first
    by_term: Mapping[str, str]
    by_stem: Mapping[str, str]
    language: str | None

    @staticmethod
    def of(asked: str, language: str | None) -> "Meant":
        """Return what the words of `asked` are in a text of this language: one of `index.inflection`, or None."""
        terms = analyse(asked)
        if language is None:
            return Meant(terms, {}, {}, None)
        by_term: dict[str, str] = {}
        by_stem: dict[str, str] = {}
        for term, word in zip(terms, words(bare(language, asked)), strict=True):
            if term in STOP_TERMS:
                by_term[term] = term
            else:
                first = by_stem.setdefault(stem_in(language, word), by_term.get(term, term))
                by_term.setdefault(term, first)
        return Meant([by_term[term] for term in terms], by_term, by_stem, language)

    def said(self, term: str, word: str) -> str:
        """Return which of the terms a word of the text stands for, given its own term: its own if for none."""
        if self.language is None:
            return term
        return self.by_term.get(term) or self.by_stem.get(stem_in(self.language, word), term)


class _Texts:
    """An article whose texts are analysed when they are first asked for, once."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self.language = language_of(article.language)
        self._title, self._body = bare(self.language, article.title), bare(self.language, article.body)

    @cached_property
    def title(self) -> Sequence[str]:
        return analyse(self._title)

    @cached_property
    def body(self) -> Sequence[str]:
        return analyse(self._body)

    def meant(self, asked: str) -> Meant:
        """Return what the words of `asked` are in these texts."""
        return Meant.of(asked, self.language)

    def said(self, wanted: Meant) -> Iterator[Sequence[str]]:
        """Yield the terms of title and body, words that stand for wanted ones as these."""
        for text, terms in ((self._title, self.title), (self._body, self.body)):
            if self.language is None:
                yield terms
            else:
                yield [wanted.said(term, word) for term, word in zip(terms, words(text), strict=True)]

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(words(self._title)).union(words(self._body))


def _tells(clause: Clause) -> bool:
    match clause:
        case Term(text):
            return any(term not in STOP_TERMS for term, _ in parts(text))
        case Phrase(text) | Near(text):
            terms = analyse(text)
            return len(terms) > 1 or not STOP_TERMS.issuperset(terms)
        case Prefix() | Fuzzy():
            return True
        case AnyOf(clauses) | AllOf(clauses):
            return any(map(_tells, clauses))
        case FieldValue() | Published() | Not():
            return False


def _apart(clause: Clause, skipped: frozenset[str]) -> Clause | None:
    """Return the clause with its words apart and without those to be skipped; None when nothing else was in it."""
    match clause:
        case Term(text, weight):
            kept_words = [
                clause if word == text else Term(word, weight) for term, word in parts(text) if term not in skipped
            ]
            if not kept_words:
                return None if parts(text) else clause
            return kept_words[0] if len(kept_words) == 1 else AllOf(tuple(kept_words))
        case AnyOf(clauses) | AllOf(clauses) if clauses:
            kept = tuple(part for inner in clauses if (part := _apart(inner, skipped)) is not None)
            return type(clause)(kept) if kept else None
        case _:
            return clause


def _binds(query: Query, texts: _Texts) -> bool:
    return all(_holds(clause, texts) for clause in query.required) and not any(
        _holds(clause, texts) for clause in query.excluded
    )


def _holds(clause: Clause, texts: _Texts) -> bool:
    match clause:
        case AnyOf(clauses):
            return any(_holds(inner, texts) for inner in clauses)
        case AllOf(clauses):
            return all(_holds(inner, texts) for inner in clauses)
        case Not(inner):
            return not _holds(inner, texts)
        case FieldValue() | Published():
            return _described(clause, texts)
        case _:
            return _says(clause, texts)


def _says(clause: Term | Prefix | Fuzzy | Phrase | Near, texts: _Texts) -> bool:
    match clause:
        case Term(text) | Phrase(text):
            wanted = texts.meant(text)
            return any(_side_by_side(terms, wanted.terms) for terms in texts.said(wanted))
        case Near(text, distance):
            wanted = texts.meant(text)
            return any(_close(terms, wanted.terms, distance) for terms in texts.said(wanted))
        case Prefix(text):
            beginning = only_word(text)
            return bool(beginning) and any(word.startswith(beginning) for word in texts.words)
        case Fuzzy(text):
            typed = only_word(text)
            is_there = stem(typed) in texts.title or stem(typed) in texts.body
            return bool(typed) and (is_there or any(one_edit_apart(typed, word) for word in texts.words))


def _side_by_side(terms: Sequence[str], wanted: Sequence[str]) -> bool:
    width = len(wanted)
    return width > 0 and any(terms[start : start + width] == wanted for start in range(len(terms) - width + 1))


def _close(terms: Sequence[str], wanted: Sequence[str], distance: int) -> bool:
    needed, width = Counter(wanted), len(wanted) + distance
    starts = (start for start, term in enumerate(terms) if term in needed)
    return any(not needed - Counter(terms[start : start + width]) for start in starts)


def _described(clause: FieldValue | Published, texts: _Texts) -> bool:
    article = texts.article
    match clause:
        case FieldValue("title", value):
            wanted = texts.meant(value)
            return _side_by_side(next(texts.said(wanted)), wanted.terms)
        case FieldValue("language", value):
            return fold(value) in _languages(article)
        case FieldValue(field, value):
            return fold(value) in {fold(known) for known in _values(article, field)}
        case Published(start, end):
            at = article.published_at
            return at is not None and (start is None or start <= at) and (end is None or at < end)


def _languages(article: Article) -> Iterator[str]:
    """Yield the article's language and, when that names a region or script, the language itself: en-GB is en too."""
    if article.language is not None:
        language = fold(article.language)
        yield from (language, language.partition("-")[0])


def _values(article: Article, field: str) -> Iterable[str]:
    if field == "author":
        return article.authors
    value = article.source if field == "source" else article.section
    return () if value is None else (value,)
