"""Probability of relevance: laws it keeps for any candidates, and the shapes it has to tell apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.calibration import (
    EXACT_SHARE,
    EXACT_TERMS,
    MODELS,
    MOST_EVIDENCE,
    THRESHOLD,
    Mode,
    evidence,
    exact,
    familiar,
    gate,
    highest_probabilities,
    probabilities,
    probabilities_beside,
    probability_beyond,
)
from index.engine import Candidates, as_ids, unscored

MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")
CEILING = 20.0
Row = tuple[float, float, float]  # cosine, coverage, share of the ceiling

cosines = st.floats(-1, 1) | st.just(float("nan"))
shares = st.floats(0, 1)
rows = st.lists(st.tuples(cosines, shares, shares), min_size=1, max_size=12)
modes = st.sampled_from(MODES)


def found(*rows: Row, nearest: float | None = 0.35, familiar_share: float = 1.0, terms: int = 3) -> Candidates:
    cosine, coverage, share = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return replace(
        unscored(as_ids(f"{number:016x}" for number in range(len(rows))), np.arange(len(rows))),
        keyword=share * CEILING,
        coverage=coverage,
        holds_all=coverage == 1.0,
        semantic=cosine,
        ceiling=CEILING,
        nearest=nearest,
        terms=terms,
        familiar=familiar_share,
    )


queries = st.builds(
    lambda rows, nearest, share, terms: found(*rows, nearest=nearest, familiar_share=share, terms=terms),
    rows,
    st.none() | st.floats(-1, 1),
    shares,
    st.integers(1, 512),
)


@given(queries, modes)
def test_every_candidate_has_a_probability(candidates: Candidates, mode: Mode) -> None:
    values = probabilities(candidates, mode=mode)
    assert values.shape == (len(candidates),)
    assert np.all((values >= 0) & (values <= 1))


@given(queries, modes, st.data(), st.sampled_from(["semantic", "coverage", "keyword"]), st.floats(0, 1))
def test_more_evidence_never_makes_an_article_less_probable(
    candidates: Candidates, mode: Mode, data: st.DataObject, column: str, more: float
) -> None:
    row = data.draw(st.integers(0, len(candidates) - 1))
    values = getattr(candidates, column).copy()
    values[row] = np.nan_to_num(values[row], nan=-1.0) + more * (CEILING if column == "keyword" else 1.0)
    better = replace(candidates, **{column: values})
    assert probabilities(better, mode=mode)[row] >= probabilities(candidates, mode=mode)[row] - 1e-12


@given(queries, modes, st.data())
def test_articles_that_are_not_the_best_come_and_go_without_changing_the_others(
    candidates: Candidates, mode: Mode, data: st.DataObject
) -> None:
    whole = probabilities(candidates, mode=mode)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole))))
    keep[int(whole.argmax())] = True
    assert probabilities(candidates.kept(np.flatnonzero(keep)), mode=mode) == pytest.approx(whole[keep], abs=1e-12)


@given(queries, modes, st.floats(0, 1), st.floats(0, 1))
def test_one_beyond_bounds_whatever_was_left_out(
    candidates: Candidates, mode: Mode, coverage: float, cosine: float
) -> None:
    limited = replace(candidates, beyond=(coverage, cosine))
    bound = probability_beyond(limited, mode=mode)
    left_out = replace(
        candidates,
        numbers=np.arange(len(candidates) + 1),
        coverage=np.append(candidates.coverage, coverage * 0.9),
        keyword=np.append(candidates.keyword, coverage * CEILING * 0.8),
        semantic=np.append(candidates.semantic, cosine - 0.05),
    )
    assert probabilities(left_out, mode=mode)[-1] <= bound + 1e-12


@given(queries, modes)
def test_where_nothing_was_left_out_nothing_beyond_is_probable(candidates: Candidates, mode: Mode) -> None:
    assert probability_beyond(candidates, mode=mode) == 0.0


@pytest.mark.parametrize("mode", MODES)
def test_nothing_found_has_no_probabilities(mode: Mode) -> None:
    assert probabilities(found(), mode=mode).shape == (0,)
    assert exact(found()).shape == (0,)


@given(rows, modes)
def test_an_article_without_a_passage_is_as_one_that_is_not_near_at_all(some: list[Row], mode: Mode) -> None:
    far = [(0.0 if np.isnan(cosine) else cosine, coverage, share) for cosine, coverage, share in some]
    assert probabilities(found(*some), mode=mode) == pytest.approx(probabilities(found(*far), mode=mode))


def test_without_words_meaning_decides_and_without_meaning_words() -> None:
    near, told = (0.7, 0.0, 0.0), (float("nan"), 1.0, 0.8)
    assert probabilities(found(near, told), mode="semantic").argmax() == 0
    assert probabilities(found(near, told), mode="keyword").argmax() == 1
    assert probabilities(found(told, nearest=None, familiar_share=1.0), mode="keyword")[0] > THRESHOLD


def test_words_and_meaning_together_say_more_than_meaning_alone() -> None:
    none, half, every = (probabilities(found((0.5, coverage, 0.0)), mode="hybrid")[0] for coverage in (0.0, 0.5, 1.0))
    assert none < half < every
    assert every / half > half / none  # some of the words are held by chance, all of them hardly


@pytest.mark.parametrize("mode", MODES)
def test_a_query_whose_words_tell_nothing_is_judged_without_them(mode: Mode) -> None:
    untold = replace(found((0.3, 0.0, 0.0), (0.2, 0.0, 0.0)), ceiling=0.0)
    assert np.isfinite(probabilities(untold, mode=mode)).all()
    assert not exact(untold).any()


# What follows are shapes as they were measured, rounded.

GIBBERISH = [
    pytest.param(
        found((0.43, 0.0, 0.0), nearest=0.27, familiar_share=0.0), id="random letters, tables of figures are near"
    ),
    pytest.param(
        found((0.33, 0.0, 0.0), nearest=0.22, familiar_share=0.0), id="letters from the keyboard's middle row"
    ),
    pytest.param(
        found((0.46, 0.17, 0.1), nearest=0.31, familiar_share=0.0), id="tokens of one or two signs, some of them held"
    ),
    pytest.param(found((0.44, 0.05, 0.03), nearest=0.26, familiar_share=0.2), id="a real word among made-up ones"),
    pytest.param(found((0.24, 0.2, 0.1), nearest=0.12), id="a Roman emperor, in an archive of 171 articles"),
]
ABSENT = [
    pytest.param(found((0.38, 0.3, 0.2), (0.3, 0.4, 0.2), nearest=0.16), id="a cake, in an archive of politics"),
    pytest.param(found((0.46, 0.1, 0.05), nearest=0.17, familiar_share=0.67), id="a birdhouse, in the same"),
    pytest.param(found((0.31, 0.8, 0.3), nearest=0.12), id="a game, most of its words in a long article"),
]


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
@pytest.mark.parametrize("shape", GIBBERISH)
def test_nothing_is_shown_for_gibberish(shape: Candidates, mode: Mode) -> None:
    assert probabilities(shape, mode=mode).max() < THRESHOLD


@pytest.mark.parametrize("shape", ABSENT)
def test_nothing_is_shown_for_what_the_archive_does_not_hold(shape: Candidates) -> None:
    assert probabilities(shape, mode="hybrid").max() < THRESHOLD


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(found((0.8, 1.0, 0.8), nearest=0.3), id="a headline"),
        pytest.param(found((0.5, 1.0, 0.75), nearest=0.22), id="three words on a commodity"),
        pytest.param(
            found((0.44, 0.05, 0.0), nearest=0.33, familiar_share=0.7), id="a paraphrase without a word in common"
        ),
        pytest.param(found((0.55, 0.2, 0.1), nearest=0.45), id="a long question, in an archive of its field"),
        pytest.param(found((0.37, 0.4, 0.2), nearest=0.3, familiar_share=0.8), id="a claim with unusual words"),
    ],
)
def test_the_best_article_is_shown_for_what_the_archive_holds(shape: Candidates) -> None:
    assert probabilities(shape, mode="hybrid").max() >= THRESHOLD


def test_the_same_cosine_is_an_answer_where_the_archive_is_about_the_question_and_noise_where_it_is_not() -> None:
    shape = (0.42, 0.2, 0.1)
    assert probabilities(found(shape, nearest=0.35), mode="hybrid")[0] >= THRESHOLD
    assert probabilities(found(shape, nearest=0.15), mode="hybrid")[0] < THRESHOLD


def test_words_the_archive_does_not_know_close_the_gate() -> None:
    levels = [
        gate(MODELS["hybrid"], found((0.4, 0.1, 0.1), familiar_share=share), mode="hybrid") for share in (1, 0.5, 0)
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] - levels[1] < levels[1] - levels[2]  # one strange name is common; nothing but strange words is not


def test_an_article_far_behind_the_best_is_less_probable_than_the_same_alone() -> None:
    alone = probabilities(found((0.5, 0.3, 0.2)), mode="hybrid")[0]
    behind = probabilities(found((0.5, 0.3, 0.2), (0.85, 1.0, 0.8)), mode="hybrid")[0]
    assert behind < alone / 2


HOLDS = (0.1, 1.0, 0.1)  # every word, once, in a long article


@pytest.mark.parametrize(
    ("candidates", "is_exact"),
    [
        pytest.param(found(HOLDS, terms=1), True, id="one word"),
        pytest.param(found(HOLDS, terms=EXACT_TERMS), True, id="two words"),
        pytest.param(found(HOLDS, terms=EXACT_TERMS + 1), False, id="three words strewn over it"),
        pytest.param(found((0.1, 1.0, EXACT_SHARE), terms=EXACT_TERMS + 1), True, id="three words it is about"),
        pytest.param(found((0.1, 1.0, 0.8), terms=5, familiar_share=0.0), False, id="five digits"),
        pytest.param(found(HOLDS, terms=1, familiar_share=0.0), True, id="one number"),
        pytest.param(found((0.9, 0.99, 0.9), terms=1), False, id="not every word"),
    ],
)
def test_an_exact_search_is_answered_whatever_the_probability(candidates: Candidates, is_exact: bool) -> None:
    assert exact(candidates).tolist() == [is_exact]


@pytest.mark.parametrize(
    ("terms", "share"),
    [
        pytest.param({}, 1.0, id="no words to be strange"),
        pytest.param({"budget": 9, "senate": 4}, 1.0, id="words of the archive"),
        pytest.param({"budget": 9, "florbit": 0}, 0.5, id="a word it does not hold"),
        pytest.param({"7": 90, "q5": 3, "zx": 8, "1987": 40}, 0.0, id="figures and short tokens that it holds"),
        pytest.param({"\u4eac": 3, "\u0438\u0437": 2}, 1.0, id="short words of other scripts"),
        pytest.param({"state of the union": 5, "climat*": 7}, 1.0, id="a phrase, the beginning of a word"),
    ],
)
def test_what_is_familiar_is_a_word_that_the_archive_holds(terms: dict[str, int], share: float) -> None:
    assert familiar(terms) == share


# Of some articles alone


@given(queries, modes, st.floats(0, 1))
def test_no_best_of_a_query_makes_an_article_more_probable_than_it_can_be(
    candidates: Candidates, mode: Mode, share: float
) -> None:
    beside = probabilities_beside(share * MOST_EVIDENCE[mode], candidates, mode=mode)
    assert np.all(beside <= highest_probabilities(candidates, mode=mode) + 1e-12)


@given(queries, modes)
def test_what_an_article_can_be_is_reached_for_some_best(candidates: Candidates, mode: Mode) -> None:
    tried = [probabilities_beside(best, candidates, mode=mode) for best in np.linspace(0, 1.35, 400)]
    assert np.all(highest_probabilities(candidates, mode=mode) <= np.max(tried, axis=0) + 1e-3)


@given(queries, modes, st.data())
def test_an_article_alone_is_as_probable_as_among_the_candidates(
    candidates: Candidates, mode: Mode, data: st.DataObject
) -> None:
    whole = probabilities(candidates, mode=mode)
    row = data.draw(st.integers(0, len(candidates) - 1))
    alone = candidates.kept(np.array([row]))
    best = float(evidence(candidates, mode=mode).max())
    assert probabilities_beside(best, alone, mode=mode)[0] == pytest.approx(whole[row], abs=1e-12)
