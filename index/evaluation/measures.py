"""The field's measures of a run, query by query; the only file that calls ir_measures.

Invariant: every judged query counts, also one for which a run holds nothing: that is worth 0.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from index.engine import Floats

MEASURES = ("nDCG@10", "R@100", "RR")  # ir_measures' names; the first is the one queries are compared by
RELATED_MEASURES = ("nDCG@5", "P@5")  # the first is what TREC's background linking reports
DIGITS = 4  # of a mean: with a thousand queries the fourth digit is chance

Run = Mapping[str, Sequence[str]]  # query id -> document ids, best first
Qrels = Mapping[str, Mapping[str, int]]  # query id -> document id -> grade
Measures = Mapping[str, float]
Figures = Mapping[str, Floats]  # measure -> one value a judged query, in the order of their ids


def figures(run: Run, qrels: Qrels, measures: Sequence[str]) -> Figures:
    """Return each measure of each query in `qrels`, in the order of their ids."""
    import ir_measures

    judged = [ir_measures.Qrel(q, d, grade) for q, grades in qrels.items() for d, grade in grades.items()]
    # The order is ours: a place's score falls with the place, so that ties are not broken a second time.
    scored = [ir_measures.ScoredDoc(q, d, -place) for q, documents in run.items() for place, d in enumerate(documents)]
    wanted = {ir_measures.parse_measure(name): name for name in measures}
    places = {query_id: place for place, query_id in enumerate(sorted(qrels))}
    values = {name: np.zeros(len(places)) for name in measures}
    for metric in ir_measures.iter_calc(list(wanted), judged, scored):
        values[wanted[metric.measure]][places[metric.query_id]] = metric.value
    return values


def means(measured: Figures) -> Measures:
    """Return the mean of each measure over the queries."""
    return {name: round(float(values.mean()), DIGITS) for name, values in measured.items()}
