"""Lanes and reasons: true to the dates, alike from both sides, in words a reader would use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsroom import UNDATED, article

from archive.article import Article
from index.lanes import SAME_STORY_COSINE, SAME_STORY_DAYS, lane_of, reason_of

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)


def at(days: float) -> Article:
    return article(1, published_at=NOON + timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "cosine", "lane"),
    [
        (0, 0.9, "same_story"),
        (SAME_STORY_DAYS, SAME_STORY_COSINE, "same_story"),
        (-SAME_STORY_DAYS, 0.9, "same_story"),
        (SAME_STORY_DAYS + 0.01, 0.9, "follow_up"),
        (-SAME_STORY_DAYS - 0.01, 0.9, "background"),
        (1, SAME_STORY_COSINE - 0.01, "follow_up"),
        (-1, None, "background"),
        (0, 0.1, "other"),
        (0, None, "other"),
    ],
)
def test_the_lane_goes_by_time_and_likeness(days: float, cosine: float | None, lane: str) -> None:
    assert lane_of(at(0), at(days), cosine=cosine) == lane


@given(days=st.floats(-5000, 5000), cosine=st.none() | st.floats(-1, 1))
def test_lanes_mirror_each_other(days: float, cosine: float | None) -> None:
    there, back = lane_of(at(0), at(days), cosine=cosine), lane_of(at(days), at(0), cosine=cosine)
    mirror = {"background": "follow_up", "follow_up": "background"}
    assert back == mirror.get(there, there)


def test_what_has_no_date_is_in_no_lane_of_time() -> None:
    assert lane_of(UNDATED, at(0), cosine=0.9) == lane_of(at(0), UNDATED, cosine=0.9) == "other"


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (0, "same day"),
        (0.4, "same day"),
        (1, "1 day later"),
        (-2, "2 days earlier"),
        (59, "59 days later"),
        (60, "2 months later"),
        (-400, "13 months earlier"),
        (800, "2 years later"),
        (-7305, "20 years earlier"),
    ],
)
def test_times_apart_are_told_in_the_unit_a_reader_would_use(days: float, told: str) -> None:
    assert str(reason_of(at(0), at(days), lane="other", shared=[])) == f"On the same subject, {told}"


def test_a_reason_in_words_puts_names_first() -> None:
    this, other = replace(at(0), source="The Ledger"), replace(at(1), source="Radio Nine")
    assert str(reason_of(this, other, lane="same_story", shared=["flood", "MILLBROOK", "dam", "Ostwick"])) == (
        "Same event, other outlet, 1 day later: Millbrook, Ostwick, flood"
    )
    undated = replace(other, published_at=None, source=None)
    assert str(reason_of(this, undated, lane="other", shared=["dam"])) == "On the same subject: dam"
    assert str(reason_of(at(0), at(-30), lane="background", shared=[])) == "Background, 30 days earlier"
    assert str(reason_of(at(0), at(30), lane="follow_up", shared=["FBI"])) == "Follow-up, 30 days later: FBI"
