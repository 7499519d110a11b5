"""A reader for the child process that does what its input says: crash, hang, fill the memory, or be an article."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archive.article import Article, Rejection
from archive.identity import article_id
from archive.readers import Reader
from archive.readers import detect as real_detect


def detect(head: bytes, name: str) -> Reader:
    """Return the one reader there is."""
    del head, name
    return read


def detect_or_die(head: bytes, name: str) -> Reader:
    """Return the reader that takes the file, unless the file says to crash or to hang."""
    if b"(crash)" in head:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"(hang)" in head:
        time.sleep(600)
    return real_detect(head, name)


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:  # noqa: C901 -- a list
    """Do what `stream` says; anything else is an article."""
    text = stream.read().decode()
    match text:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "abort":
            os.abort()
        case "exit":
            os._exit(7)
        case "hang":
            time.sleep(600)
        case "loop":
            while True:
                pass
        case "fill":
            filled = [bytes(1 << 24) for _ in range(10_000)]
            assert filled
        case "half":
            yield article("half")
            os.abort()
        case "print":
            print("\0\0\0\2{}", flush=True)
            os.write(1, b"\0\0\0\2{}")
        case "lie":
            os.write(3, b"\0\0\0\2{}")
        case "flood":
            os.write(3, b"\xff\xff\xff\xff")
        case "raise":
            raise RuntimeError("a bug")
    yield article("; ".join(forbidden()) if text == "escape" else text)


def article(text: str) -> Article:
    """Return an article of this text."""
    return Article(
        id=article_id(url=None, source=None, source_id=None, text=text), title=text, body=text, note=f"{len(text)}"
    )


def forbidden() -> Iterator[str]:
    """Try what the process may not do and yield what it could do nevertheless."""
    for name, attempt in (
        ("read", lambda: Path("/etc/passwd").read_text()),
        ("wrote", lambda: Path("/tmp/backfile-escaped").write_text("x")),
        ("ran", lambda: subprocess.run(["/bin/true"], check=False)),
        ("forked", lambda: os.fork() or os._exit(0)),
        ("connected", lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
        ("looked up", lambda: socket.getaddrinfo("localhost", 80)),
    ):
        with contextlib.suppress(OSError):
            attempt()
            yield name
    if os.environ.keys() - {"LC_ALL", "PYTHONPATH", "LC_CTYPE"}:
        yield f"saw {sorted(os.environ)}"
    if "torch" in sys.modules:
        yield "loaded what it does not need"
