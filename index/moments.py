"""Times as the indexes keep them: whole microseconds since 1970, in one 64-bit integer."""

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNDATED = -(2**63)  # the moment of an article that has no date
DAY = 24 * 60 * 60 * 1_000_000  # microseconds


def moment(at: datetime) -> int:
    """Return an aware time as microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def at(moment: int) -> datetime:
    """Return the time that so many microseconds since 1970 are."""
    return EPOCH + timedelta(microseconds=moment)


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
