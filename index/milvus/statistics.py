"""What a shared index knows of its archive as a whole: how many articles hold each word, and what passages are like.

They are kept beside the archive as parts, one for each update: what came in, and what went out with the articles that
were changed or removed. The statistics of a generation are the sum of its collection's parts. Pure.

    JSON, one line      what is not an array, and the length of each array
    words, terms        as UTF-8, one a line, in order; then how many articles hold each, int32
    sum                 of all vectors, float64
    sample              some of the embeddings, as the archive packs them
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archive.packing import embedding_type
from index.analysis import STOP_TERMS, stem
from index.engine import Floats, Vector
from index.keywords.word_counts import WordCounts, counted

SAMPLED = 4096  # embeddings kept of a part: enough to tell a quantile of cosines to within .01


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one article: folded, not stemmed."""

    title: Sequence[str]
    body: Sequence[str]
    language: str  # of `index.inflection`, or "en"


@dataclass(kw_only=True)
class Part:
    """What one update adds to the statistics; what it takes away is a part as well, to be subtracted."""

    words: Counter[str] = field(default_factory=Counter)
    terms: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    articles: int = 0
    title_length: int = 0  # in terms, stop words not counted
    body_length: int = 0
    passages: int = 0
    summed: int = 0  # vectors in `total`: of those that went out nothing is taken off
    total: Floats = field(default_factory=lambda: np.zeros(0))  # the sum of all vectors; empty without any
    sample: bytes = b""  # packed embeddings, one after the other

    def add(self, article: Words) -> None:
        """Count an article."""
        distinct = {*article.title, *article.body}
        stems = {word: stem(word) for word in distinct}
        self.words.update(distinct)
        self.terms.update(set(stems.values()))
        self.languages[article.language] += 1
        self.articles += 1
        self.title_length += sum(stems[word] not in STOP_TERMS for word in article.title)
        self.body_length += sum(stems[word] not in STOP_TERMS for word in article.body)

    def include(self, other: "Part") -> None:
        """Count all that is counted in another part."""
        for mine, theirs in (
            (self.words, other.words),
            (self.terms, other.terms),
            (self.languages, other.languages),
        ):
            mine.update(theirs)
        self.articles += other.articles
        self.title_length += other.title_length
        self.body_length += other.body_length
        self.passages += other.passages
        self.summed += other.summed
        self.total = (
            other.total if not len(self.total) else self.total + other.total if len(other.total) else self.total
        )
        self.sample += other.sample

    def without(self, other: "Part") -> "Part":
        """Return what is left when everything counted in `other` has gone; of its vectors nothing is known."""
        return Part(
            words=_difference(self.words, other.words),
            terms=_difference(self.terms, other.terms),
            languages=_difference(self.languages, other.languages),
            articles=self.articles - other.articles,
            title_length=self.title_length - other.title_length,
            body_length=self.body_length - other.body_length,
            passages=self.passages - other.passages,
            summed=self.summed,
            total=self.total,
            sample=self.sample,
        )

    def packed(self) -> bytes:
        """Return the part as bytes."""
        said = {
            "languages": self.languages,
            **{name: getattr(self, name) for name in _NUMBERS},
            "arrays": {},
        }
        pieces = []
        for name, counts in (("words", self.words), ("terms", self.terms)):
            ordered = sorted(counts)
            lines = "\n".join(ordered).encode()
            numbers = np.array([counts[word] for word in ordered], "<i4").tobytes()
            said["arrays"][name] = [len(lines), len(numbers)]
            pieces += [lines, numbers]
        said["arrays"]["total"] = 8 * len(self.total)
        head = json.dumps(said).encode()
        return zlib.compress(b"\n".join([head, b"".join([*pieces, self.total.astype("<f8").tobytes(), self.sample])]))


_NUMBERS = ("articles", "title_length", "body_length", "passages", "summed")


def _difference(one: Counter[str], other: Counter[str]) -> Counter[str]:
    left = Counter(one)
    left.subtract(other)
    return Counter({word: count for word, count in left.items() if count})


def unpacked(packed: bytes) -> Part:
    """Return a part that was packed. Raises ValueError when it is damaged."""
    try:
        head, _, rest = zlib.decompress(packed).partition(b"\n")
    except zlib.error as error:
        raise ValueError(f"damaged statistics: {error}") from error
    said = json.loads(head)
    counts, at = {}, 0
    for name in ("words", "terms"):
        lines, numbers = said["arrays"][name]
        words = rest[at : at + lines].decode().split("\n") if lines else []
        held = np.frombuffer(rest, "<i4", len(words), at + lines).tolist()
        counts[name] = Counter(dict(zip(words, held, strict=True)))
        at += lines + numbers
    size = said["arrays"]["total"]
    return Part(
        words=counts["words"],
        terms=counts["terms"],
        languages=Counter(said["languages"]),
        total=np.frombuffer(rest, "<f8", size // 8, at),
        sample=rest[at + size :],
        **{name: said[name] for name in _NUMBERS},
    )


class Statistics:
    """The sum of parts. Safe to use from several threads."""

    def __init__(self, parts: Iterable[Part], *, dimension: int) -> None:
        """Add the parts up."""
        words: Counter[str] = Counter()
        terms: Counter[str] = Counter()
        languages: Counter[str] = Counter()
        self.articles = self.title_length = self.body_length = self.passages = 0
        total, summed, samples, weights = np.zeros(dimension), 0, [], []
        for part in parts:
            words.update(part.words)
            terms.update(part.terms)
            languages.update(part.languages)
            self.articles += part.articles
            self.title_length += part.title_length
            self.body_length += part.body_length
            self.passages += part.passages
            if len(part.total):
                total += part.total
                summed += part.summed
                sample = np.frombuffer(part.sample, embedding_type(dimension))
                samples.append(sample)
                weights.append(np.full(len(sample), part.summed / max(1, len(sample))))
        self.words = WordCounts([counted(_present(words))])
        self.terms = WordCounts([counted(_present(terms))])
        self.languages = frozenset(language for language, count in languages.items() if count > 0)
        self.mean: Vector = (total / max(1, summed)).astype(np.float32)
        self._sample = np.concatenate([np.empty(0, embedding_type(dimension)), *samples])
        self._weights = np.concatenate([np.empty(0), *weights])

    def holding(self, term: str) -> int:
        """Return how many articles hold a term."""
        return min(self.terms.get(term, 0), self.articles)

    def quantile(self, vector: Vector, share: float) -> float:
        """Return the cosine with `vector` that so large a share of all passages stays under; 0.0 without any."""
        if not len(self._sample):
            return 0.0
        cosines = self._unpacked @ vector
        if (self._weights == self._weights[0]).all():
            return float(np.quantile(cosines, share))
        order = np.argsort(cosines)
        passed = np.cumsum(self._weights[order])
        return float(cosines[order[np.searchsorted(passed, share * passed[-1])]])

    @cached_property
    def _unpacked(self) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._sample["steps"] * self._sample["scale"][:, None]
        return vectors


def _present(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {word: count for word, count in counts.items() if count > 0}
