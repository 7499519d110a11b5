"""A newsroom on disk that real processes work on: its articles, its archive, and how `flask` is started for it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsroom import MeaningEmbedder

from web.services import Services
from web.settings import Settings

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
PATIENCE = 60.0  # seconds until a process that does not come to its point is given up
BATCH = 8  # passages embedded and kept at once: many small batches, so that a kill can land between any two
READY = "ready"  # what newsroom_wsgi logs when the program is loaded


@dataclass
class Newsroom:
    """Articles in files, an archive beside them, and processes that work on it."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "embedded.log"

    def write(self, name: str, numbers: range, *, edition: str = "first") -> None:
        """Write a file of articles; those of another edition are new versions of the same articles."""
        news = self.folder / "news"
        news.mkdir(exist_ok=True)
        rows = [record(number, edition) for number in numbers]
        (news / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    @property
    def hold(self) -> Path:
        """While this file is there, nothing is embedded."""
        return self.folder / "hold"

    def environment(self, *, pause: float = 0.0, most: int | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BACKFILE_", "FLASK_"))}
        return kept | {
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(TESTS))),
            "BACKFILE_DATA": str(self.data),
            "NEWSROOM_LOG": str(self.log),
            "NEWSROOM_PAUSE": str(pause),
            "NEWSROOM_HOLD": str(self.hold),
            "NEWSROOM_MOST": "" if most is None else str(most),
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", "newsroom_wsgi", *arguments]

    def ingest_command(self) -> list[str]:
        return self.command("ingest", str(self.folder / "news"), "--json")

    def start_ingest(self, *, pause: float = 0.0, most: int | None = None) -> "subprocess.Popen[str]":
        """Start an ingest; one that is to embed so many texts at `most` comes to no end by itself if there are more."""
        self.log.unlink(missing_ok=True)
        return subprocess.Popen(
            self.ingest_command(),
            env=self.environment(pause=pause, most=most),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def ingest(self) -> dict[str, object]:
        with self.start_ingest() as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        report = json.loads(out)
        assert isinstance(report, dict)
        return report

    def logged(self) -> list[str]:
        """Return the hashes of the texts that the last process embedded."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line != READY]

    def building(self) -> bool:
        return any((self.data / "index").glob("building-*"))

    @contextmanager
    def services(self) -> Iterator[Services]:
        services = Services(Settings(data=self.data), embedder=MeaningEmbedder())
        yield services
        services.close()


def record(number: int, edition: str) -> dict[str, str]:
    parts = [f"Paragraph {part} of report {number}, {edition} edition. " + "People talk of it. " * 15 for part in "abc"]
    return {"id": f"r{number}", "source": "The Ledger", "title": f"Report {number}", "body": "\n\n".join(parts)}


def wait_until(happens: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Return when it happens or the process ends, whichever is first."""
    deadline = time.monotonic() + PATIENCE
    while not happens() and process.poll() is None:
        assert time.monotonic() < deadline, "the process came to no end"
        time.sleep(0.001)


@contextmanager
def server(room: Newsroom, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve the room as operations do; give the address and the process, whose group it leads."""
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "newsroom_wsgi:app", "--config", str(ROOT / "gunicorn.conf.py"), "--bind", "127.0.0.1:0"]
    errors = room.folder / "server.log"
    with errors.open("w") as log:
        process = subprocess.Popen(
            [*command, *options],
            env=room.environment(),
            cwd=room.folder,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        listening = re.compile(r"Listening at: (http://[0-9.:]+)")
        wait_until(lambda: listening.search(errors.read_text()) is not None, process)
        found = listening.search(errors.read_text())
        assert found, errors.read_text()
        yield found[1], process
    finally:
        kill_group(process)


def listening(room: Newsroom) -> str:
    """Return what the server of this room has logged."""
    return (room.folder / "server.log").read_text()


def kill_group(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
