"""How what happens is written down: one line an event, as JSON for machines or as text for a person at a terminal.

Invariants: whatever an event holds, it is one line, in printable ASCII as JSON and in printable characters as text, so
that nobody can forge a line, colour a terminal or turn the writing around; and no line holds a password, a token or the
key of a saved search. This file imports nothing of the program: gunicorn's own process uses it, which must not keep an
old version of the program when it is told to load a new one.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

Form = Literal["auto", "json", "text"]

MOST_CHARACTERS = 20_000  # of one value, such as a traceback; what systemd's journal keeps of a line is twice that
FIELDS = "fields"  # what a caller passes in `extra`: a mapping of names to plain values, "event" the first of them
SECRETS = (
    (re.compile(r"(?<=://)[^/\s@\"']+@"), "…@"),  # user and password in an address
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]+"), r"\1 …"),
    (re.compile(r"(?<=/saved/)[^/\s?\"']+|(?<=/confirm/)[^/\s?\"']+|(?<=/stop/)[^/\s?\"']+"), "…"),
)


class JsonLines(logging.Formatter):
    """Writes an event as a JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = json.dumps({"time": _time(record), **event_of(record)}, default=str)
        return line.replace("\x7f", "\\u007f")  # the one control character that JSON leaves as it is


class TextLines(logging.Formatter):
    """Writes an event as a line to be read; the lines of a traceback follow, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event = event_of(record)
        told = event.pop("exception", None)
        name = event.pop("event")
        said = event.pop("message", name)
        head = " ".join(map(str, (_time(record), event.pop("level"), event.pop("logger"), said)))
        line = printable(" ".join([head, *(f"{name}={value}" for name, value in event.items())]))
        return "\n".join([line, *(f"    {printable(part)}" for part in str(told).splitlines())] if told else [line])


def event_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what an event says, without its time: nothing in it is a secret or of any length."""
    event: dict[str, object] = {"level": record.levelname.lower(), "logger": record.name, "process": record.process}
    fields = getattr(record, FIELDS, None)
    if isinstance(fields, Mapping):
        event |= {name: discreet(value) if isinstance(value, str) else value for name, value in fields.items()}
    else:
        event |= {"event": "message", "message": discreet(record.getMessage())}
    if record.exc_info and record.exc_info[0] is not None:
        event["exception"] = discreet("".join(traceback.format_exception(*record.exc_info)))
    return event


def discreet(text: str) -> str:
    """Return a text without what is secret in it, cut to a length that a line can have: the end tells most."""
    for secret, shown in SECRETS:
        text = secret.sub(shown, text)
    return text if len(text) <= MOST_CHARACTERS else "…" + text[-MOST_CHARACTERS:]


def printable(text: str) -> str:
    """Return a text with everything that is not printed, or moves what is, written as an escape."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def formatter(form: Form, stream: TextIO = sys.stderr) -> logging.Formatter:
    """Return what writes events in this form; "auto" is text on a terminal and JSON elsewhere."""
    is_text = form == "text" or (form == "auto" and stream.isatty())
    return TextLines() if is_text else JsonLines()


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
