"""A process that has loaded the whole program and forks for each command: a command then begins within moments.

Run as a script, it reads requests from standard input and answers on standard output, a JSON object a line:

    {"run": ["ingest", …], "environment": {…}, "output": "…", "waits": true}  →  {"pid": 7}
    {"end_of": 7}                                                             →  {"status": -9}

What `waits` has stopped itself and goes on at SIGCONT. The fork is safe as long as nothing has been computed here: no
thread has begun, neither of FAISS nor of the model.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Never

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
LIBRARIES = (
    "faiss",
    "whoosh.index",
    "whoosh.writing",
    "whoosh.qparser",
    "tantivy",
    "tqdm",
    "flask.cli",
    "newsroom_wsgi",
)
NOT_LOADED = ("index.torch_embedder", "index.openvino")  # heavy, and no command here uses them
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)


class Starter:
    """Starts commands quickly. Use it as a context."""

    def __init__(self) -> None:
        """Begin the process that forks, which takes some seconds."""
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}", "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask({})

    def __enter__(self) -> "Starter":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process; what it has started ends by itself."""
        self._process.communicate()

    def start(self, arguments: list[str], environment: dict[str, str], output: Path, *, waits: bool = False) -> int:
        """Begin `flask` with these arguments, and return its process's number; what it says goes into `output`."""
        request = {"run": arguments, "environment": environment, "output": str(output), "waits": waits}
        return int(self._ask(request)["pid"])

    def end_of(self, pid: int) -> int:
        """Wait for a command and return its exit status, negative when a signal ended it."""
        return int(self._ask({"end_of": pid})["status"])

    def _ask(self, request: dict[str, object]) -> dict[str, int]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer


def _load() -> None:
    for package in ("archive", "index", "web"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.startswith(NOT_LOADED) and not module.name.endswith("_main"):
                importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    from faults import scenarios

    scenarios.learn()


def _serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "run" in request:
            pid = os.fork()
            if not pid:
                _become(request)
            answer = {"pid": pid}
        elif "end_of" in request:
            answer = {"status": os.waitstatus_to_exitcode(os.waitpid(request["end_of"], 0)[1])}
        else:
            answer = {"ready": 1}
        print(json.dumps(answer), flush=True)


def _become(request: dict[str, object]) -> Never:
    """Be the command that is asked for."""
    output = os.open(str(request["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, theirs)
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[arg-type]
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)  # whoever may trace only its own children may trace this
    if request["waits"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    import newsroom_wsgi
    from flask.cli import cli

    from faults import told
    from web.services import EXTENSION

    newsroom_wsgi.app.extensions[EXTENSION] = newsroom_wsgi.services()
    told.install()
    cli.main(["--app", "newsroom_wsgi", *request["run"]], prog_name="flask")  # type: ignore[misc]
    raise AssertionError("a command ends its process")


if __name__ == "__main__":
    _load()
    _serve()
