"""mbox files: messages one after the other, each below a line that begins with "From "."""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from archive.readers.lines import MAX_LINE_BYTES
from archive.readers.packed.budget import Budget
from archive.readers.packed.member import Broken, Found, Member
from archive.readers.texts.mail import MAX_MAIL_BYTES

_START = re.compile(rb"From [^\n]{1,200}\d{4}[^\n]{0,40}\r?\n[A-Za-z][A-Za-z0-9-]*:")
_QUOTED = re.compile(rb">+From ")


def matches(head: bytes) -> bool:
    """Tell whether the file begins with such a line, and a message's header below it."""
    return _START.match(head) is not None


def members(stream: BinaryIO, _budget: Budget) -> Iterator[Found]:
    """Yield the messages, counted from 1."""
    number = 0
    message: bytearray | None = None  # None: too large
    was_blank = True
    while line := stream.readline(MAX_LINE_BYTES):
        if was_blank and line.startswith(b"From "):
            if number:
                yield _member(message, number)
            number, message = number + 1, bytearray()
        elif message is not None:
            message += line[1:] if _QUOTED.match(line) else line
            if len(message) > MAX_MAIL_BYTES:
                message = None
        was_blank = not line.strip()
    yield _member(message, number)


def _member(message: bytearray | None, number: int) -> Found:
    name = f"message {number}"
    if message is None:
        return Broken(name=name, reason=f"larger than {MAX_MAIL_BYTES // 1_000_000} MB")
    return Member(name=f"{name}.eml", stream=io.BytesIO(message))
