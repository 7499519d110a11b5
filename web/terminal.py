"""What the commands share: how they are made and how they speak.

They speak in a progress bar on a terminal, plain lines elsewhere, and in one line on standard error of a problem.
Invariant: results go to standard output, everything else to standard error, so that `--json` can be piped anywhere.
"""

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Never, ParamSpec, TypeVar

import click
from flask.cli import with_appcontext

from archive.errors import ArchiveError
from archive.progress import Stopped
from index.errors import SearchError
from index.ranking import MODES
from web.payload import Json
from web.settings import SettingsError
from web.stopping import check

if TYPE_CHECKING:
    from tqdm import tqdm

P = ParamSpec("P")
R = TypeVar("R")

SECONDS_BETWEEN_LINES = 10.0  # without a terminal: enough to see that it lives, few enough for a log
BYTES_STAGE = "reading"  # the one stage that counts bytes
SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}  # in each unit of an interval
STOPPED = 128  # and the signal's number: the exit status of what a signal has ended, as shells have it
UNITS = {
    "embedding": "passage",
    "searching": "query",
    "alerts": "saved search",
    "moving": "row",
}  # the others count articles


class Failure(click.ClickException):
    """Ends a command with exit status 1 and one line on standard error."""

    exit_code = 1


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what the archive, the index or the disk cannot do into one line and exit status 1."""
    try:
        yield
    except (ArchiveError, SearchError) as error:
        raise Failure(str(error)) from error
    except Stopped as stopped:
        click.echo("stopped", err=True)
        raise SystemExit(STOPPED + stopped.signal) from None
    except BrokenPipeError:
        raise  # `flask search … | head` has seen enough; click ends quietly
    except OSError as error:
        raise Failure(disk_problem(error)) from error


def disk_problem(error: OSError) -> str:
    """Say what the system would not do, and to which file."""
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


@contextmanager
def clear_settings() -> Iterator[None]:
    """Under `flask`, end the process when a setting cannot be used, with its line alone and exit status 2.

    A command would do so by itself, but `flask --help` shows a traceback for any exception and goes on.
    """
    try:
        yield
    except SettingsError as error:
        if click.get_current_context(silent=True) is None:
            raise
        error.show()
        raise SystemExit(error.exit_code) from None


class Text(click.ParamType[str]):
    """An argument or option that is text: a terminal of another encoding can hand over bytes that are none."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value`, or fail with exit status 2."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("this is not text in the terminal's encoding: it must be UTF-8", param, ctx)
        return value


class Interval(click.ParamType[int]):
    """So many seconds, minutes, hours or days, such as 5m."""

    name = "interval"

    def __init__(self, *, least: int, most: int) -> None:
        """Take the fewest and the most seconds."""
        self._least, self._most = least, most

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds, or fail with exit status 2."""
        found = re.fullmatch(r"([0-9]{1,5})([smhd])", value)
        seconds = int(found[1]) * SECONDS[found[2]] if found else 0
        if not self._least <= seconds <= self._most:
            bounds = f"{span(self._least)} to {span(self._most)}"
            self.fail(f"this is an interval such as 30m, 1h or 24h, of {bounds}", param, ctx)
        return seconds


def span(seconds: int) -> str:
    """Return so many seconds as an interval is written: in the largest unit of which they are a whole number."""
    unit = next(unit for unit in reversed(SECONDS) if seconds % SECONDS[unit] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


TEXT = Text()
MODE = click.Choice(MODES)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output, for scripts.")


def command(function: Callable[P, R]) -> click.Command:
    """Make a command that runs with the application's services and reports failures in one line."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with clear_errors():
            return function(*args, **kwargs)

    run.__name__ = function.__name__
    run.__doc__ = function.__doc__
    run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    # A query may begin with a minus: what is no option of ours is an argument, and one too many is refused.
    settings = {"ignore_unknown_options": True}
    name = function.__name__.replace("_", "-")
    return click.command(name, context_settings=settings)(with_appcontext(run))


def write_json(value: Json) -> None:
    """Write one value to standard output, to be read by a person too."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


class Reporter:
    """Shows progress on standard error. Use it as a context; it is called with stage, done and total."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock that spaces plain lines."""
        self._clock = clock
        self._stage = ""
        self._done = 0
        self._bar: tqdm[Never] | None = None
        self._started = 0.0
        self._said = 0.0
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> "Reporter":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._close()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` is done, with the time that is left. Raises Stopped when this is to end."""
        check()
        if stage != self._stage:
            self._begin(stage, total)
        if self._bar is not None:
            self._bar.update(done - self._done)
        elif total and done > self._done and (done == total or self._clock() - self._said >= SECONDS_BETWEEN_LINES):
            self._said = self._clock()
            click.echo(f"{stage}: {_line(stage, done, total, self._clock() - self._started)}", err=True)
        self._done = done

    def _begin(self, stage: str, total: int | None) -> None:
        self._close()
        self._stage, self._done = stage, 0
        self._started = self._said = self._clock()
        if self._is_terminal:
            from tqdm import tqdm  # a server shows no bar

            in_bytes = stage == BYTES_STAGE
            columns, rows = shutil.get_terminal_size()  # 80 by 24 where the terminal does not say: tqdm draws nothing
            self._bar = tqdm(
                total=total,
                desc=stage,
                unit="B" if in_bytes else " " + UNITS.get(stage.partition(",")[0], "article"),
                unit_scale=in_bytes,
                ncols=columns,
                nrows=rows,
            )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _line(stage: str, done: int, total: int, elapsed: float) -> str:
    share = f"{done:,} of {total:,}{' bytes' if stage == BYTES_STAGE else ''} ({done / total:.0%})"
    if done in (0, total):
        return f"{share}, {timedelta(seconds=round(elapsed))} taken"
    return f"{share}, about {timedelta(seconds=round(elapsed * (total - done) / done))} left"
