"""How events are written: one line each, whatever is in them, and nothing secret."""

import json
import logging
import sys
import unicodedata
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.journal import FIELDS, MOST_CHARACTERS, JsonLines, TextLines, formatter

HOSTILE = (
    'plain\n{"level": "critical", "event": "forged"}',
    "a\r\nb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",  # everything that anything takes for the end of a line
    "\x1b[2J\x1b[31mred\x9b31m",
    "\u202egnp.exe\u202c\u2066x\u2069\u200f",
    "\x00\x07\x08\x7f",
    "lone \ud800 surrogate",
    '"quote" \\ back',
)


def record(
    message: str, fields: Mapping[str, object] | None = None, error: Exception | None = None
) -> logging.LogRecord:
    raised = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("web.test", logging.WARNING, __file__, 1, "%s", (message,), raised)
    if fields is not None:
        setattr(made, FIELDS, fields)
    return made


def failed(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def test_an_event_is_an_object_with_its_time_level_logger_and_process() -> None:
    told = json.loads(JsonLines().format(record("the index is gone")))
    assert told["time"].endswith("Z")
    assert (told["level"], told["logger"], told["event"]) == ("warning", "web.test", "message")
    assert told["message"] == "the index is gone"
    assert isinstance(told["process"], int)


def test_fields_stand_beside_each_other_and_a_traceback_in_the_same_line() -> None:
    line = JsonLines().format(record("x", {"event": "request", "status": 500, "ms": 1.5}, failed("of no use")))
    told = json.loads(line)
    assert (told["event"], told["status"], told["ms"]) == ("request", 500, 1.5)
    assert told["exception"].startswith("Traceback")
    assert "ValueError: of no use" in told["exception"]
    assert "\n" not in line
    assert "message" not in told


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_forges_a_line_or_moves_a_terminal_and_json_keeps_it_as_it_was(hostile: str) -> None:
    for made in (
        record(hostile),
        record("x", {"event": "request", "path": hostile}),
        record("x", None, failed(hostile)),
    ):
        line = JsonLines().format(made)
        assert line.isascii()
        assert line.isprintable()
        assert len(line.splitlines()) == 1
    assert json.loads(JsonLines().format(record(hostile)))["message"] == hostile
    for made in (record(hostile), record("x", {"event": "request", "path": hostile})):
        assert TextLines().format(made).isprintable()
    head, *rest = TextLines().format(record("x", None, failed(hostile))).split("\n")
    assert head.isprintable()
    assert all(line.startswith("    ") and line.isprintable() for line in rest), (
        "what follows cannot be taken for an event"
    )


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_one_line(text: str) -> None:
    line = JsonLines().format(record(text, {"event": text, text: text}))
    assert len(line.splitlines()) == 1
    assert all(unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in line)


@pytest.mark.parametrize(
    ("told", "secret"),
    [
        ("cannot log in to smtps://desk:hunter2@mail.example:465/", "hunter2"),
        ("GET https://user:hunter2@feeds.example/rss failed", "hunter2"),
        ("Authorization: Bearer bft_abcDEF123~xyz", "bft_abcDEF123"),
        ("POST /saved/V3ryS3cretK3y/pause", "V3ryS3cretK3y"),
        ("https://archive.example/alerts/confirm/V3ryS3cretK3y?x=1", "V3ryS3cretK3y"),
        ("/alerts/stop/V3ryS3cretK3y", "V3ryS3cretK3y"),
    ],
)
def test_what_opens_something_is_left_out_wherever_it_stands(told: str, secret: str) -> None:
    for form in (JsonLines(), TextLines()):
        for made in (record(told), record("x", {"event": "e", "path": told}), record("x", None, failed(told))):
            assert secret not in form.format(made)


def test_a_value_has_a_bounded_length_and_its_end_is_kept() -> None:
    told = json.loads(JsonLines().format(record("begin" + "x" * 100_000 + "end")))["message"]
    assert len(told) == MOST_CHARACTERS + 1
    assert told.endswith("end")


def test_the_form_is_text_on_a_terminal_alone_unless_one_is_chosen() -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    assert isinstance(formatter("auto", Terminal()), TextLines)  # type: ignore[arg-type]
    assert isinstance(formatter("json", Terminal()), JsonLines)  # type: ignore[arg-type]
    assert isinstance(formatter("text", sys.stderr), TextLines)
