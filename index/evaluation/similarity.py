"""Articles whose likeness people have judged pair by pair, and how well ours goes with theirs.

The measure is Pearson's correlation over all pairs, as Lee, Pincombe & Welsh report it ("An empirical evaluation of
models of text document similarity", CogSci 2005). Its interval is a bootstrap over the articles, not over the pairs:
two pairs that share an article are not independent (Snijders & Borgatti, "Non-parametric standard errors and tests
for network statistics", Connections 1999).

Invariant: only what stands above the diagonal counts, and each pair once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archive.article import Article
from archive.errors import SourceError
from archive.readers.fields import article_from
from index.engine import Floats
from index.evaluation.chance import Chance, Interval
from index.evaluation.collection import text_lines
from index.evaluation.measures import DIGITS
from index.evaluation.report import EvaluationReport

MEASURE = "Pearson"


@dataclass(frozen=True, slots=True)
class Rated:
    """Articles that were compared by people, the likeness of each two, and articles that settle what words tell."""

    name: str
    articles: Sequence[Article]
    likeness: Floats  # shape (n, n); what stands above the diagonal counts
    background: Sequence[Article]


def read_similarities(file: Path, matrix: Path, *, background: Path | None = None) -> Rated:
    """Read articles (JSON Lines, or a text a line), and a square of numbers in their order.

    Raises SourceError when a line cannot be read or the two do not go together.
    """
    likeness = _square(matrix)
    articles = _articles(file)
    if len(articles) != len(likeness):
        raise SourceError(f"{matrix}: {len(likeness)} rows for the {len(articles)} articles of {file}")
    return Rated(file.name, articles, likeness, _articles(background) if background else ())


def _articles(file: Path) -> list[Article]:
    articles = []
    for where, line in text_lines(file, wanted="articles, one a line"):
        try:
            fields = json.loads(line) if line.startswith("{") else {"source": file.name, "id": where, "text": line}
            articles.append(article_from(fields))
        except (ValueError, RecursionError, SourceError) as error:
            raise SourceError(f"{where}: {error}") from error
    return articles


def _square(matrix: Path) -> Floats:
    rows = []
    for where, line in text_lines(matrix, wanted="a square of numbers"):
        try:
            rows.append([float(number) for number in line.replace(",", " ").split()])
        except ValueError as error:
            raise SourceError(f"{where}: not a row of numbers: {error}") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows):
            raise SourceError(f"{matrix}: row {number} has {len(row)} numbers, of {len(rows)} rows")
    square = np.array(rows, np.float64).reshape(len(rows), len(rows))
    if len(rows) < 3 or not np.isfinite(square).all() or np.ptp(square[np.triu_indices(len(rows), 1)]) == 0:
        raise SourceError(f"{matrix}: no likeness of three articles or more that differs from pair to pair")
    return square


def report_on(rated: Rated, found: Mapping[str, Floats], chance: Chance) -> EvaluationReport:
    """Return how well each square of `found`, by its name, goes with what people said."""
    return EvaluationReport(
        collection=rated.name,
        queries=len(rated.articles),
        documents=len(rated.articles) + len(rated.background),
        modes={name: {MEASURE: round(pearson(square, rated.likeness), DIGITS)} for name, square in found.items()},
        intervals={name: {MEASURE: pearson_interval(square, rated.likeness, chance)} for name, square in found.items()},
        chance=chance,
        cutoff={},
        comparison=None,
        texts={article.id: article.title for article in rated.articles},
        rows=[],
        runs={},
        notes=(),
    )


def pearson(one: Floats, other: Floats) -> float:
    """Return the correlation of what stands above the diagonals of two squares; 0.0 where one does not vary."""
    above = np.triu_indices(len(one), 1)
    return _correlation(one[above], other[above])


def pearson_interval(one: Floats, other: Floats, chance: Chance) -> Interval:
    """Return the percentile bootstrap interval of their correlation, articles being drawn with replacement."""
    random = np.random.default_rng(chance.seed)
    above = np.triu_indices(len(one), 1)
    drawn = []
    for _ in range(chance.resamples):
        rows = random.integers(len(one), size=len(one))
        first, second = rows[above[0]], rows[above[1]]
        pairs = first != second  # an article drawn twice says nothing by being like itself
        first, second = np.minimum(first, second)[pairs], np.maximum(first, second)[pairs]
        drawn.append(_correlation(one[first, second], other[first, second]))
    edge = (1 - chance.confidence) / 2
    low, high = np.quantile(drawn, [edge, 1 - edge]).tolist()
    return round(low, DIGITS), round(high, DIGITS)


def _correlation(one: Floats, other: Floats) -> float:
    if not len(one):
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms else 0.0
