"""Reading what may be hostile in a process of its own, which can be killed: `child_main`.

Pages and XML go through parsers written in C, and through code that was made for pages as they should be. One input
that crashes them, never ends or fills the memory costs that process and the input itself; the next is read by another.

Invariant: whatever an input does, `read` returns in time, and this process runs no code that came with it: bytes go
there, JSON that is checked in every detail comes back (`wire`).
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

from archive.article import Entry, Rejection
from archive.errors import ArchiveError, SourceError
from archive.readers.isolated import child_main, wire
from archive.readers.isolated.child_main import LENGTH, OUT_OF_MEMORY
from archive.readers.isolated.web_content import WebContent

T = TypeVar("T")

SECONDS = 30.0  # for the largest inputs: trafilatura takes 4 ms for a page, 10 s for the worst of 10 MB
SECONDS_ALWAYS = 10.0  # for the smallest, on a machine that has other things to do
SECONDS_A_MEGABYTE = 2.0
START_SECONDS = 120.0
MEMORY_BYTES = 1 << 30  # of addresses: 0.4 GB are taken before the first page
MAX_ANSWER_BYTES = 128_000_000  # of one input: all that is said of it
MOST_INPUTS = 2_000  # then a new process begins: libraries keep what they should not
READ_BYTES = PIPE_BYTES = 1 << 20
PROJECT = Path(__file__).resolve().parents[3]


class _Failed(Exception):
    """The process did not answer as it should; says why."""


class Child:
    """The process, begun when it is first needed. Use it as a context."""

    def __init__(
        self,
        *,
        detect: str = "archive.readers:detect",
        folders: Sequence[Path] = (),
        memory: int = MEMORY_BYTES,
        seconds: float = SECONDS,
    ) -> None:
        """`detect` names the function that finds the readers, found in the project or in one of `folders`."""
        self._detect = detect
        self._folders = (PROJECT, *folders)
        self._memory = memory
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._inputs = 0

    def __enter__(self) -> "Child":
        """Begin nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process, whatever it does. The next input begins another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()
            self._process = None

    def read(
        self, raw: bytes, *, name: str, origin: str, url: str | None = None, charset: str | None = None
    ) -> list[Entry]:
        """Return what is in `raw`, and a rejection where reading it failed.

        `name` hints at the format, `origin` is named in rejections, `url` is where a page was found, `charset` what its
        server said of its text. Raises ArchiveError when no process can be started.
        """
        parse = partial(wire.entry_from, origin=origin)
        found: list[Entry] = []
        try:
            for entry in self._answers(raw, parse, name=name, origin=origin, url=url, charset=charset):
                found.append(entry)  # one by one: what was found before a crash is found
        except SourceError as error:
            found.append(Rejection(source=origin, reason=str(error)))
        return found

    def content(self, raw: bytes, *, url: str, content_type: str) -> WebContent:
        """Return what an answer from the network holds: see `web_content`.

        Raises SourceError when no reader takes it or reading it failed, ArchiveError as `read` does.
        """
        parse = partial(wire.content_from, origin=url)
        answers = list(self._answers(raw, parse, origin=url, content_type=content_type))
        found = answers[0] if len(answers) == 1 else Rejection(source=url, reason="its reader gave no one answer")
        if isinstance(found, Rejection):
            raise SourceError(found.reason)
        return found

    def _answers(
        self,
        raw: bytes,
        parse: Callable[[bytes], T],
        *,
        origin: str,
        name: str | None = None,
        url: str | None = None,
        charset: str | None = None,
        content_type: str | None = None,
    ) -> Iterator[T]:
        """Yield what `parse` makes of each answer. Raises SourceError when reading failed."""
        process = self._running()
        seconds = min(self._seconds, SECONDS_ALWAYS + SECONDS_A_MEGABYTE * len(raw) / 1_000_000)
        deadline = time.monotonic() + seconds
        told = {"name": name, "origin": origin, "url": url, "charset": charset, "content_type": content_type}
        size = 0
        try:
            self._send(process, json.dumps({**told, "seconds": seconds}).encode(), deadline)
            self._send(process, raw, deadline)
            while answer := self._frame(process, deadline, most=MAX_ANSWER_BYTES - size):
                size += len(answer)
                yield parse(answer)
        except TimeoutError as error:
            raise self._ended(f"takes more than {seconds:.0f} seconds to read") from error
        except _Failed as error:
            raise self._ended(self._why(process)) from error
        except ValueError as error:  # of what is checked, and of what is no JSON
            raise self._ended(f"its reader answered what makes no sense ({error})") from error

    # The process

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._inputs >= MOST_INPUTS:
            self.close()
        if self._process is None:
            self._process = self._started()
            self._inputs = 0
        self._inputs += 1
        return self._process

    def _started(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(  # noqa: S603 -- this program's own
            [sys.executable, "-s", "-B", "-P", "-m", child_main.__name__, self._detect, str(self._memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONPATH": os.pathsep.join(map(str, self._folders)), "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        self._process = process
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(_descriptor(pipe), False)
            with suppress(OSError):  # what the system allows: a page goes over at once, and not in pieces of 64 kB
                fcntl.fcntl(_descriptor(pipe), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            self._frame(process, time.monotonic() + START_SECONDS, most=0)
        except (_Failed, TimeoutError, ValueError) as error:
            self.close()
            raise ArchiveError(
                "the process that reads pages and XML does not start: is there memory enough?"
            ) from error
        return process

    def _ended(self, reason: str) -> SourceError:
        self.close()
        return SourceError(reason)

    def _why(self, process: "subprocess.Popen[bytes]") -> str:
        """Say why the process is gone."""
        try:
            status = process.wait(1)
        except subprocess.TimeoutExpired:
            return "its reader closed its answer before the end"
        if status == -signal.SIGXCPU:
            return "computes for too long"
        if status < 0:
            return f"makes its reader crash ({signal.Signals(-status).name})"
        if status == OUT_OF_MEMORY:
            return f"needs more than {self._memory >> 20} MB of memory to be read"
        return f"makes its reader fail (exit status {status})"

    # Frames, in time

    def _send(self, process: "subprocess.Popen[bytes]", frame: bytes, deadline: float) -> None:
        pipe = _descriptor(process.stdin)
        left = memoryview(LENGTH.pack(len(frame)) + frame)
        while left:
            _wait(pipe, select.POLLOUT, deadline)
            try:
                left = left[os.write(pipe, left) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise _Failed from error

    def _frame(self, process: "subprocess.Popen[bytes]", deadline: float, *, most: int) -> bytes:
        length = LENGTH.unpack(self._received(process, LENGTH.size, deadline))[0]
        if length > most:
            raise ValueError("too much")
        return self._received(process, length, deadline)

    def _received(self, process: "subprocess.Popen[bytes]", size: int, deadline: float) -> bytes:
        pipe = _descriptor(process.stdout)
        received = bytearray()
        while len(received) < size:
            _wait(pipe, select.POLLIN, deadline)
            piece = os.read(pipe, min(READ_BYTES, size - len(received)))
            if not piece:
                raise _Failed
            received += piece
        return bytes(received)


class Children:
    """A process for each thread that reads at the same time as others, so that none waits for what hangs another.

    Use it as a context.
    """

    def __init__(self, begin: Callable[[], Child] = Child) -> None:
        """Begin nothing yet; `begin` makes each child when it is first needed."""
        self._begin = begin
        self._all: list[Child] = []
        self._idle: list[Child] = []

    def __enter__(self) -> "Children":
        """Begin nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them all."""
        for child in self._all:
            child.close()

    @contextmanager
    def one(self) -> Iterator[Child]:
        """Lend a child that nobody else uses meanwhile."""
        try:
            child = self._idle.pop()  # at once, or not at all: no two threads get the same
        except IndexError:
            child = self._begin()
            self._all.append(child)
        try:
            yield child
        finally:
            self._idle.append(child)


def _descriptor(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise _Failed
    return pipe.fileno()


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Return when there is something to read or room to write. Raises TimeoutError at the deadline."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
