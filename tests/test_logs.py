"""Where the events of a process go: to standard error, a line each, whoever tells of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import logging, sys, warnings
from web import create_app
from web.settings import Settings
create_app(Settings(data={data!r}, log={form!r}))
logging.getLogger("index.serving").info("opened")
logging.getLogger("web.services").warning("not warmed up: %s", "two\\nlines")
logging.getLogger("somebody.else").info("chatter")
logging.getLogger("somebody.else").error("trouble")
logging.getLogger("werkzeug").error('198.51.100.7 - - [29/Nov/2026 10:00:00] "GET /search?q=zebra HTTP/1.1" 200 -')
warnings.warn("an old way", DeprecationWarning)
print("result")
"""


def run(tmp_path: Path, form: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKFILE_")}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", SCRIPT.format(data=str(tmp_path), form=form)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_every_event_is_an_object_on_standard_error_and_results_are_not_among_them(tmp_path: Path) -> None:
    ran = run(tmp_path, "auto")
    assert ran.stdout == "result\n"
    events = [json.loads(line) for line in ran.stderr.splitlines()]
    told = [(event["level"], event["logger"], event["message"]) for event in events if event["logger"] != "py.warnings"]
    assert told == [
        ("info", "index.serving", "opened"),
        ("warning", "web.services", "not warmed up: two\nlines"),
        ("error", "somebody.else", "trouble"),
    ]
    assert any("an old way" in event["message"] for event in events if event["logger"] == "py.warnings")
    assert "zebra" not in ran.stderr
    assert "198.51.100.7" not in ran.stderr


def test_as_text_a_line_is_still_a_line(tmp_path: Path) -> None:
    lines = run(tmp_path, "text").stderr.splitlines()
    (warning,) = [line for line in lines if "not warmed up" in line]
    assert warning.endswith("warning web.services not warmed up: two\\nlines process=" + warning.rpartition("=")[2])
