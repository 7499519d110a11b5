"""Where units stand: postings read from disk, phrases and nears verified in the text, words expanded.

Invariants: only live articles are found; one thread at a time reads from disk; what was found is remembered, up to a
number of postings, with what it cost (`index.budget`). A phrase occurs as often as it begins, a near as often as a
shortest stretch of it ends. The work grows with the texts of the articles that hold all the words, and no faster.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial

import numpy as np

from index.analysis import STOP_TERMS, analyse, stem, words
from index.budget import current, measured, spend
from index.engine import Ints, Mask
from index.inflection import LANGUAGES, bare
from index.keywords.pairs import together
from index.keywords.places import Marks, clusters, counted, runs
from index.keywords.postings import NOWHERE, Matches, Postings, overlaid, united
from index.keywords.units import Beginning, Cluster, Forms, Run, Similar, Terms, Unit, no_forms
from index.keywords.vocabulary import Vocabulary
from index.query import FieldName

REMEMBERED = 1_000_000  # postings kept, 24 bytes each: those of two long questions about 100,000 articles
WORDS = 16_384  # whose forms are kept
FREQUENCIES = 16_384  # terms whose frequency is kept, 200 bytes each: nine in ten of an article's are among them


class Lookup:
    """Finds units and names in `Postings`. Safe to call from several threads."""

    def __init__(self, postings: Postings) -> None:
        """Take over `postings`: `close` closes them."""
        self._postings = postings
        self._remembered: OrderedDict[Unit | tuple[FieldName, str], tuple[Matches, int]] = OrderedDict()
        self._room = REMEMBERED
        self._vocabulary: Vocabulary | None = None
        self._reading = threading.RLock()
        self._frequency = lru_cache(FREQUENCIES)(postings.document_frequency)
        self._are_all_live = bool(postings.live.all())
        self._forms = lru_cache(WORDS)(self._find_forms)

    def matches(self, unit: Unit) -> Matches:
        """Return where the unit stands. Raises QueryRefused when it stands for too many words."""
        return self._remember(unit, lambda: self._find(unit))

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles whose `field` is the folded `name`."""

        def read() -> Matches:
            articles = self._postings.named(field, name)
            articles = articles[self._postings.live[articles]]
            return Matches(articles, np.zeros(len(articles)), np.ones(len(articles)))

        return self._remember((field, name), read).articles

    @cached_property
    def forms(self) -> Forms:
        """Tells the terms of a word where an article's language gives it others; `no_forms` where none does."""
        return self._forms if self._spoken else no_forms

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that live articles are in; "en" stands for all others."""
        others = self._postings.live.copy()
        for spoken in self._spoken.values():
            others &= ~spoken
        return frozenset(self._spoken).union({"en"} if others.any() else ())

    def pairs(self, pairs: Sequence[Run], articles: Ints) -> Sequence[Matches]:
        """Return, for each pair of words, how often they stand together in each of these articles (ascending)."""
        counts = [np.zeros((len(articles), 2)) for _ in pairs]
        with self._reading:
            for spoken, language in self._by_language(pairs, articles):
                groups, marked = _marking([terms for pair in pairs for terms in _in(language, pair)])
                marks_of = [(marked[at], marked[at + 1]) for at in range(0, len(marked), 2)]
                for some, marks in self._postings.texts(spoken, groups):
                    rows = np.searchsorted(articles, some)
                    for count, places in zip(counts, together(marks, marks_of), strict=True):
                        count[rows] = counted(marks, places)
        return [Matches(articles, count[:, 0], count[:, 1]) for count in counts]

    def _by_language(self, pairs: Sequence[Run], articles: Ints) -> Iterator[tuple[Ints, str | None]]:
        """Yield the articles of each language in which some pair has other forms, and then those of all others."""
        for language in sorted({language for pair in pairs for language, _ in pair.forms}):
            is_spoken = self._spoken[language][articles]
            if is_spoken.any():
                yield articles[is_spoken], language
            articles = articles[~is_spoken]
        if len(articles):
            yield articles, None

    def terms(self, unit: Unit) -> Iterable[str]:
        """Return the terms a text that holds the unit may hold."""
        match unit:
            case Run(terms, forms):
                return (*terms, *(term for _, found in forms for terms in found for term in terms))
            case Cluster(run):
                return self.terms(run)
            case Beginning(letters):
                return map(stem, self.vocabulary().beginning(letters))
            case Similar(word):
                return map(stem, (word, *self.vocabulary().similar(word)))

    def vocabulary(self) -> Vocabulary:
        """Return the archive's words, read when they are first asked for."""
        with self._reading:
            if self._vocabulary is None:
                self._vocabulary = Vocabulary(self._postings.words())
            return self._vocabulary

    def document_frequency(self, term: str) -> int:
        """Return, cheaply, about how many articles hold `term`."""
        with self._reading:
            return self._frequency(term)

    def close(self) -> None:
        """Release files and memory."""
        with self._reading:
            self._remembered.clear()
            self._frequency.cache_clear()
            self._forms.cache_clear()
            self._vocabulary = None
            self._postings.close()

    def _remember(self, key: Unit | tuple[FieldName, str], find: Callable[[], Matches]) -> Matches:
        with self._reading:
            if key not in self._remembered:
                with measured() as cost:
                    matches = find()
                if not len(matches.articles) and not cost.spent:
                    return NOWHERE  # found out in no time; of words that are nowhere there is no end
                self._remembered[key] = matches, cost.spent
                self._room -= _size(matches)
                while self._room < 0:
                    self._room += _size(self._remembered.popitem(last=False)[1][0])
                if (budget := current()) is not None:
                    budget.paid(key, cost.spent)
                return matches
            self._remembered.move_to_end(key)
            matches, words = self._remembered[key]
        if words and (budget := current()) is not None:
            budget.pay(key, words)
        return matches

    def _find(self, unit: Unit) -> Matches:
        match unit:
            case Run(()):
                return NOWHERE
            case Run((term,), ()):
                return self._living(self._postings.term(term))
            case Run(terms):
                return self._in_each_language(unit, runs) if len(terms) > 1 else self._in_each_language(unit, None)
            case Cluster(run, distance):
                return self._in_each_language(run, partial(clusters, width=len(run.terms) + distance))
            case Beginning(letters):
                return self._living(self._postings.words_of(self.vocabulary().beginning(letters)))
            case Similar(word):
                term = stem(word)
                others = [other for other in self.vocabulary().similar(word) if stem(other) != term]
                return united([self.matches(Run((term,))), self._living(self._postings.words_of(others))])

    def _in_each_language(self, run: Run, find: "Find | None") -> Matches:
        """Return where the run's terms stand, and in articles of a language in which they have more forms, those."""
        found = self._verified([(term,) for term in run.terms], find)
        for language, forms in run.forms:
            among = self._spoken[language]
            found = overlaid(found, among, self._verified(forms, find, among=among))
        return found

    def _verified(self, wanted: Sequence[Terms], find: "Find | None", *, among: Mask | None = None) -> Matches:
        """Return the articles that hold a term of each group, and in whose texts `find` finds a place for them."""
        groups, marked = _marking(wanted)
        holding = [united([self.matches(Run((term,))) for term in terms]) for terms in groups]
        if among is not None:
            holding = [matches.of(among[matches.articles]) for matches in holding]
        if find is None:
            return holding[0]
        spend(sum(len(matches.articles) for matches in holding) // 2)
        articles = _in_all([each.articles for each in holding], count=len(self._postings.live))
        looked_at, counts = [NOWHERE.articles], [np.zeros((0, 2))]
        cost = 0 if find is runs else len(marked)  # clusters look at the marks once for each
        for some, marks in self._postings.texts(articles, groups):
            spend(len(marks) * (5 + cost) // 5, is_near=cost > 0)
            looked_at.append(some)
            counts.append(counted(marks, find(marks, marked)))
        articles, frequencies = np.concatenate(looked_at), np.concatenate(counts)
        return Matches(articles, frequencies[:, 0], frequencies[:, 1]).of(frequencies.sum(axis=1) > 0)

    @cached_property
    def _spoken(self) -> Mapping[str, Mask]:
        """The languages whose words have other forms than the English ones, and which articles are written in each."""
        spoken: dict[str, Mask] = {}
        with self._reading:
            for language in sorted(LANGUAGES):
                mask = np.zeros(len(self._postings.live), np.bool_)
                mask[self._postings.named("language", language)] = True
                if (mask & self._postings.live).any():
                    spoken[language] = mask
        return spoken

    def _find_forms(self, word: str) -> Mapping[str, Terms]:
        own = analyse(word)[0]
        if own in STOP_TERMS:
            return {}
        found = {}
        with self._reading:
            for language, spoken in self._spoken.items():
                (asked,) = words(bare(language, word))
                terms = sorted({stem(form) for form in self.vocabulary().alike(language, asked)} - {own})
                there = [term for term in terms if spoken[self.matches(Run((term,))).articles].any()]
                if there:
                    found[language] = (own, *there)
        return found

    def _living(self, matches: Matches) -> Matches:
        return matches if self._are_all_live else matches.of(self._postings.live[matches.articles])


Find = Callable[[Marks, Sequence[int]], Ints]


def _in(language: str | None, run: Run) -> Sequence[Terms]:
    """Return what may stand in each place of a run in an article of this language."""
    return dict(run.forms).get(language or "", tuple((term,) for term in run.terms))


def _marking(wanted: Sequence[Terms]) -> tuple[Sequence[Terms], Sequence[int]]:
    """Return these groups of terms, those that share one as one, in order; and the mark of each that was given."""
    different = sorted(set(wanted))
    if any(len(terms) > 1 for terms in different):
        different = _apart(different)
    mark_of = {term: mark for mark, terms in enumerate(different, start=1) for term in terms}
    return different, [mark_of[terms[0]] for terms in wanted]


def _apart(groups: Sequence[Terms]) -> list[Terms]:
    """Return the groups, those that share a term as one, in order."""
    apart: list[set[str]] = []
    for terms in groups:
        sharing = [group for group in apart if not group.isdisjoint(terms)]
        apart = [*(group for group in apart if group not in sharing), set(terms).union(*sharing)]
    return sorted(tuple(sorted(group)) for group in apart)


def _in_all(lists: Sequence[Ints], *, count: int) -> Ints:
    """Return the articles (ascending) that are in each of these lists, of so many that there are."""
    found, *others = sorted(lists, key=len)
    for other in others:
        is_there = np.zeros(count, np.bool_)
        is_there[other] = True
        found = found[is_there[found]]
    return found


def _size(matches: Matches) -> int:
    return len(matches.articles) + 40  # a key and three arrays take as much as forty postings
