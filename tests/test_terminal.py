"""How commands speak: progress on standard error, failures in one line, bugs never hidden."""

import errno
import io
import sys
from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ArchiveBusy, ArticleNotFound, SourceError
from index.errors import GenerationDamaged, ModelUnavailable
from web.settings import SettingsError
from web.terminal import SECONDS_BETWEEN_LINES, Failure, Interval, Reporter, Text, clear_errors, clear_settings, span


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """A terminal that remembers what was written."""

    def isatty(self) -> bool:
        return True


def lines(reports: Sequence[tuple[float, str, int, int | None]]) -> list[str]:
    """Return the plain lines for reports of (second, stage, done, total)."""
    clock, written, real = Clock(), io.StringIO(), sys.stderr
    sys.stderr = written
    try:
        with Reporter(clock) as progress:
            for second, stage, done, total in reports:
                clock.now = 100.0 + second
                progress(stage, done, total)
    finally:
        sys.stderr = real
    return written.getvalue().splitlines()


# Without a terminal


def test_a_quick_stage_is_one_line_when_it_is_done() -> None:
    assert lines([(0, "embedding", 0, 40), (1, "embedding", 20, 40), (2, "embedding", 40, 40)]) == [
        "embedding: 40 of 40 (100%), 0:00:02 taken"
    ]


def test_a_long_stage_says_every_ten_seconds_how_long_it_will_take() -> None:
    reports = [(second, "embedding", second * 25, 1_000) for second in range(0, 41, 2)]
    assert lines(reports) == [
        "embedding: 250 of 1,000 (25%), about 0:00:30 left",
        "embedding: 500 of 1,000 (50%), about 0:00:20 left",
        "embedding: 750 of 1,000 (75%), about 0:00:10 left",
        "embedding: 1,000 of 1,000 (100%), 0:00:40 taken",
    ]


def test_reading_counts_bytes_and_says_so() -> None:
    assert lines([(0, "reading", 5_000, 5_000)]) == ["reading: 5,000 of 5,000 bytes (100%), 0:00:00 taken"]


def test_each_stage_has_a_clock_of_its_own() -> None:
    told = lines([(0, "chunking", 0, 2), (30, "chunking", 2, 2), (30, "embedding", 0, 9), (33, "embedding", 9, 9)])
    assert told == ["chunking: 2 of 2 (100%), 0:00:30 taken", "embedding: 9 of 9 (100%), 0:00:03 taken"]


def test_nothing_is_said_of_what_is_empty_or_of_unknown_size() -> None:
    assert lines([(0, "reading", 0, 0), (20, "reading", 0, 0), (20, "x", 1, None), (40, "x", 2, None)]) == []


@given(st.lists(st.tuples(st.floats(0, 15), st.integers(0, 30)), max_size=40))
def test_there_is_at_most_one_line_in_ten_seconds_and_one_at_the_end(steps: list[tuple[float, int]]) -> None:
    total = sum(done for _, done in steps)
    reports, second, done = [], 0.0, 0
    for wait, more in steps:
        second, done = second + wait, done + more
        reports.append((second, "embedding", done, total))
    told = lines([(0, "embedding", 0, total), *reports])
    assert len(told) <= second // SECONDS_BETWEEN_LINES + 1
    assert bool(told and f"{total:,} of {total:,}" in told[-1]) == (total > 0)


# On a terminal


def screen_of(*reports: tuple[str, int, int | None]) -> str:
    screen, real = Screen(), sys.stderr
    sys.stderr = screen
    try:
        with Reporter() as progress:
            for stage, done, total in reports:
                progress(stage, done, total)
    finally:
        sys.stderr = real
    return screen.getvalue()


def test_a_terminal_shows_a_bar_for_each_stage() -> None:
    shown = screen_of(("chunking", 0, 2), ("chunking", 2, 2), ("embedding", 0, 4), ("embedding", 4, 4))
    assert "chunking: 100%" in shown
    assert "2/2" in shown
    assert "embedding: 100%" in shown
    assert "4/4" in shown


def test_a_bar_counts_each_step_once() -> None:
    assert "3/4" in screen_of(("embedding", 0, 4), ("embedding", 1, 4), ("embedding", 3, 4))


def test_bytes_are_shown_in_units_people_read() -> None:
    assert "5.00M/5.00M" in screen_of(("reading", 0, 5_000_000), ("reading", 5_000_000, 5_000_000))


def fail_at_work() -> None:
    with Reporter() as progress:
        progress("embedding", 1, 4)
        raise ValueError("broken")


def test_a_bar_ends_its_line_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(ValueError, match="broken"):
        fail_at_work()
    assert screen.getvalue().endswith("\n")


# Failures


@pytest.mark.parametrize(
    "error", [SourceError("a"), ArticleNotFound("a"), ArchiveBusy("a"), GenerationDamaged("a"), ModelUnavailable("a")]
)
def test_what_cannot_be_done_is_one_line_and_status_one(error: Exception) -> None:
    with pytest.raises(Failure) as failed, clear_errors():
        raise error
    assert (failed.value.message, failed.value.exit_code) == (str(error), 1)
    assert "\n" not in failed.value.message


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/data"), "/srv/data: permission denied"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_the_disk_will_not_do_names_the_file(error: OSError, line: str) -> None:
    with pytest.raises(Failure) as failed, clear_errors():
        raise error
    assert failed.value.message == line


@pytest.mark.parametrize("error", [BrokenPipeError(errno.EPIPE, "Broken pipe"), KeyError("a fault of ours")])
def test_what_is_no_failure_of_the_archive_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)), clear_errors():
        raise error


@click.command()
@click.argument("word", type=Text())
def speak(word: str) -> None:
    with clear_settings():
        if word == "bad":
            raise SettingsError("BACKFILE_PAGE_SIZE='0' cannot be used")
    click.echo(word)


def test_text_is_taken_as_it_is_and_bytes_that_are_none_are_wrong_usage() -> None:
    assert CliRunner().invoke(speak, ["Łódź 新聞"]).output == "Łódź 新聞\n"
    refused = CliRunner().invoke(speak, ["caf\udce9"])
    assert refused.exit_code == 2
    assert "must be UTF-8" in refused.stderr


def test_a_bad_setting_ends_a_command_and_is_an_error_elsewhere() -> None:
    ended = CliRunner().invoke(speak, ["bad"])
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", "Error: BACKFILE_PAGE_SIZE='0' cannot be used\n")
    with pytest.raises(SettingsError), clear_settings():
        raise SettingsError("a server has no terminal to speak to")


@pytest.mark.parametrize(("given", "seconds"), [("90s", 90), ("5m", 300), ("1h", 3600), ("7d", 7 * 24 * 3600)])
def test_an_interval_is_a_number_and_a_unit(given: str, seconds: int) -> None:
    interval = Interval(least=60, most=7 * 24 * 3600)
    assert interval.convert(given, None, None) == seconds
    assert span(seconds) == given


@pytest.mark.parametrize("given", ["5", "m", "59s", "8d", "1.5h", "-5m", "5M", "999999s", "٥m"])
def test_what_is_no_interval_or_beyond_the_bounds_is_refused(given: str) -> None:
    with pytest.raises(click.BadParameter, match="of 1m to 7d"):
        Interval(least=60, most=7 * 24 * 3600).convert(given, None, None)
