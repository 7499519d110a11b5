"""How like each other two articles are: by their meaning, by the words that tell them from the rest, and by their time.

An article's vector is the mean of its passages', the lead weighing more: news says first what happened. Its words are
its most telling terms, weighed by tf-idf (Spärck Jones, "A statistical interpretation of term specificity", 1972).
Meaning finds what is told in other words, words keep apart what happened to other people in another place: on labelled
events, and beside what people judged, the two together are better than either (docs/quality.md). Pure.

Invariants: likeness is symmetrical, 1 of an article with itself, and depends on nothing but the two articles.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.engine import Floats, Ints, Vector, Vectors

LEAD_WEIGHT = 2.0  # the first passage counts as this many
MEAN_PASSAGES = 32  # of an article's vector: news says within the first 5,000 words what it is about
TELLING_TERMS = 50  # terms of an article that are compared or looked up
WORDS = 0.5  # what words count for beside meaning: from .25 to 1 labelled events are told apart as well

HALVING_DAYS = 7.0  # apart, two articles are half as near in time as on one day


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is compared of an article."""

    vector: Vector  # its mean vector, of norm 1; zeros where it has none
    terms: NDArray[np.int64]  # its most telling terms, by number, ascending
    weights: Floats  # of these terms, of norm 1
    moment: float | None  # when it was published, in days since 1970; None when that is not known


def portrait(vector: Vector, terms: Mapping[int, float], *, moment: float | None) -> Portrait:
    """Return the portrait of an article with these terms, by number, and their weights."""
    numbers = np.fromiter(terms.keys(), np.int64)
    weights = np.fromiter(terms.values(), np.float64)
    order = np.argsort(numbers)
    return Portrait(vector, numbers[order], weights[order] / (float(np.linalg.norm(weights)) or 1.0), moment)


def likeness(one: Portrait, other: Portrait) -> float:
    """Return how like each other two articles are, whenever they were published: 1 of the same text."""
    return (in_meaning(one, other) + WORDS * in_words(one, other)) / (1 + WORDS)


def in_meaning(one: Portrait, other: Portrait) -> float:
    """Return the cosine of the mean vectors of two articles."""
    return float(one.vector @ other.vector)


def in_words(one: Portrait, other: Portrait) -> float:
    """Return the cosine of the telling terms of two articles: 0 to 1."""
    _, here, there = np.intersect1d(one.terms, other.terms, assume_unique=True, return_indices=True)
    return float(one.weights[here] @ other.weights[there])


def nearness(days: Floats, *, unknown: float = 0.0) -> Floats:
    """Return how near in time articles are that are so many days apart, before or after: 1 to 0, never cut off.

    A hyperbola: the first days part two reports, and of what happened long ago a month more or less says little.
    `unknown` is what is returned for what is not known (nan).
    """
    near: Floats = np.where(np.isnan(days), unknown, HALVING_DAYS / (HALVING_DAYS + np.abs(days)))
    return near


def mean_vectors(vectors: Vectors, counts: Ints) -> Vectors:
    """Return the mean vector of each article, of norm 1: `vectors` are their passages', `counts` how many each has.

    Of an article of no passage it is zeros.
    """
    means = np.zeros((len(counts), vectors.shape[1]), np.float32)
    there = np.flatnonzero(counts)
    starts = (np.cumsum(counts) - counts)[there]
    if len(there):
        weighed = vectors.copy()
        weighed[starts] *= LEAD_WEIGHT
        sums = np.add.reduceat(weighed, starts, axis=0)
        means[there] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return means
