"""Calibration: from what the legs found out about an article to the probability that it is relevant. Pure.

A cosine of .4 is the right answer to one question and noise for the next, so nothing is cut off by a score. Two
logistic regressions (Cox 1958; for retrieval Cooper, Gey & Dabney, SIGIR 1992) say together how probable an article is:

    gate      whether the archive holds anything on the question: how good the best article is, how near the nearest
              hundredth of the whole archive comes to it, how many of its words the archive does not know
    article   how much evidence the article itself shows, how far it stays behind the best, and the gate

Evidence is the cosine and the square of the share of the words held: of three words one is held by chance, all three
hardly. None of it grows with the archive: no ranks, no number of results, no raw BM25. `benchmarks/calibration.py` fits
the constants on judged queries and shows what they do; docs/quality.md has the figures.

Invariants: an article's probability never falls when its own cosine, coverage or keyword score rises; articles that are
not the best can come and go without changing that of any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from index.engine import Candidates, Floats, Mask

Mode = Literal["hybrid", "keyword", "semantic"]

THRESHOLD = 0.04  # what is less probable is not shown: chosen to lose at most 3 in 100 judged queries their best answer
COVERAGE_WORTH = 0.35  # cosine that holding all words is worth; .2 to .5 do as well
MOST_EVIDENCE: dict[Mode, float] = {"hybrid": 1.0 + COVERAGE_WORTH, "keyword": 1.0, "semantic": 1.0}

WORD_LETTERS = 3  # from which a token of Latin letters is a word; shorter ones stand in any table by chance
EXACT_TERMS = 2  # words up to which an article that holds them all is always shown: an exact search
EXACT_SHARE = 0.4  # of the highest keyword score, from which more words are what an article is about


@dataclass(frozen=True, slots=True)
class Model:
    """The constants of one mode, on the log-odds scale; `benchmarks/calibration.py` prints them."""

    gate: tuple[float, float, float, float]  # at rest; for the best evidence; for `nearest`; for unfamiliar words
    article: tuple[float, float, float, float]  # at rest; for evidence; for what it is behind the best; for the gate


MODELS: dict[Mode, Model] = {
    "hybrid": Model(gate=(-8.86, 7.80, 20.48, -4.22), article=(-2.69, 3.89, 4.49, 1.42)),
    "keyword": Model(gate=(-0.82, 4.69, 0.00, -5.89), article=(-0.32, 2.58, 7.86, 2.73)),
    "semantic": Model(gate=(-7.75, 6.44, 21.35, -5.48), article=(-4.31, 6.61, 5.64, 0.86)),
}


def probabilities(candidates: Candidates, *, mode: Mode) -> Floats:
    """Return for each candidate, shape (n,), the probability that it is relevant to the query, by what `mode` sees.

    The candidates are those of a whole query: each is judged beside the best of them.
    """
    return probabilities_by(MODELS[mode], candidates, mode=mode)


def probabilities_by(model: Model, candidates: Candidates, *, mode: Mode) -> Floats:
    """Return what `probabilities` does, by the constants of `model`."""
    shown = evidence(candidates, mode=mode)
    return _probable(model, shown, best=shown.max(initial=0.0), candidates=candidates)


def probabilities_beside(best: float, candidates: Candidates, *, mode: Mode) -> Floats:
    """Return for each of some articles what `probabilities` would were it a candidate of a query of this best evidence.

    Which other articles it is asked about together with changes nothing.
    """
    shown = evidence(candidates, mode=mode)
    return _probable(MODELS[mode], shown, best=np.maximum(shown, best), candidates=candidates)


def highest_probabilities(candidates: Candidates, *, mode: Mode) -> Floats:
    """Return for each of some articles the probability that it does not exceed, whatever the best of the query is.

    A better best opens the gate and leaves the article further behind: somewhere between what the article itself shows
    and all there can be, the two are in balance, and there it is highest.
    """
    model = MODELS[mode]
    shown = evidence(candidates, mode=mode)
    _, _, for_behind, for_gate = model.article
    steepness = for_gate * model.gate[1]  # of the gate, were it shut
    at_balance = np.log(steepness / for_behind - 1.0) if steepness > for_behind else -np.inf
    balance = (at_balance - _gate(model, np.float64(0.0), candidates)) / model.gate[1]
    best = np.clip(balance, shown, np.maximum(shown, MOST_EVIDENCE[mode]))
    return _probable(model, shown, best=best, candidates=candidates)


def probability_beyond(candidates: Candidates, *, mode: Mode) -> float:
    """Return the probability that no article beyond the candidates exceeds, were the best of those one of them."""
    if candidates.beyond is None:
        return 0.0
    coverage, cosine = candidates.beyond
    weights = {
        "hybrid": max(cosine, 0.0) + COVERAGE_WORTH * coverage**2,
        "keyword": coverage if candidates.ceiling > 0.0 else 0.0,
        "semantic": max(cosine, 0.0),
    }
    beyond = weights[mode]
    best = evidence(candidates, mode=mode).max(initial=beyond)
    return float(_probable(MODELS[mode], np.array([beyond]), best=best, candidates=candidates)[0])


def _probable(model: Model, shown: Floats, *, best: Floats | np.float64, candidates: Candidates) -> Floats:
    """Return the probability of articles of this evidence beside a best one, or each beside one of its own."""
    rest, for_evidence, for_behind, for_gate = model.article
    opened = -np.logaddexp(0.0, -_gate(model, best, candidates))  # the logarithm of the gate's probability
    log_odds = rest + for_evidence * shown + for_behind * (shown - best) + for_gate * opened
    probability: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return probability


def gate(model: Model, candidates: Candidates, *, mode: Mode) -> float:
    """Return the log-odds that the archive holds an answer, by the constants of `model`."""
    return float(_gate(model, evidence(candidates, mode=mode).max(initial=0.0), candidates))


def _gate(model: Model, best: Floats | np.float64, candidates: Candidates) -> Floats | np.float64:
    rest, for_best, for_nearest, for_strange = model.gate
    nearest, strange = _gate_signs(candidates)
    return rest + for_best * best + for_nearest * nearest + for_strange * strange


def gate_signs(candidates: Candidates, *, mode: Mode) -> tuple[float, float, float]:
    """Return what the gate goes by: the best evidence, what is near in the whole archive, the strangeness of the words.

    Strangeness is squared: a name the archive does not know is common in a question, none but unknown words is noise.
    """
    return float(evidence(candidates, mode=mode).max(initial=0.0)), *_gate_signs(candidates)


def _gate_signs(candidates: Candidates) -> tuple[float, float]:
    return candidates.nearest or 0.0, (1.0 - candidates.familiar) ** 2


def evidence(candidates: Candidates, *, mode: Mode) -> Floats:
    """Return what speaks for each candidate, shape (n,), 0 or more; an article without a passage has the cosine 0."""
    cosine = np.maximum(np.nan_to_num(candidates.semantic, nan=0.0), 0.0)
    match mode:
        case "hybrid":
            return cosine + COVERAGE_WORTH * candidates.coverage**2
        case "keyword":
            return _share_of_ceiling(candidates)
        case "semantic":
            return cosine


def familiar(terms: Mapping[str, int]) -> float:
    """Return which share of a query's terms are words of the archive, given how many articles hold each; 1.0 of none.

    Figures and tokens such as "q5" are never familiar: a large archive holds them by chance.
    """
    known = sum(holding > 0 and _is_word(term) for term, holding in terms.items())
    return known / len(terms) if terms else 1.0


def exact(candidates: Candidates) -> Mask:
    """Return which candidates are shown however improbable: they hold all that was asked for, and not by chance.

    Whoever types a word or two expects every article that holds them. A long article holds three common words, or the
    digits "7 3 9", without being about them: there the words have to be frequent in it, and words.
    """
    about = (_share_of_ceiling(candidates) >= EXACT_SHARE) & (candidates.familiar > 0.0)
    return candidates.holds_all & (about | (candidates.terms <= EXACT_TERMS))


def _is_word(term: str) -> bool:
    letters = [character for character in term if character.isalpha()]
    return len(letters) >= WORD_LETTERS or not all(map(str.isascii, letters))


def _share_of_ceiling(candidates: Candidates) -> Floats:
    """Return each candidate's share of the highest keyword score there could be, 0..1."""
    if candidates.ceiling <= 0.0:
        return np.zeros(len(candidates))
    share: Floats = np.clip(candidates.keyword / candidates.ceiling, 0.0, 1.0)
    return share
