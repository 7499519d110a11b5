"""How gunicorn serves Backfile: one process, several threads. `gunicorn wsgi:app` reads this by itself.

This file is loaded by gunicorn's own process, which lives on through reloads: it imports nothing of the program but
what writes its log.
"""

import mmap
import os
import re
import shutil
import signal
import tempfile
import time

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from archive.journal import formatter

bind = "127.0.0.1:8000"
workers = 1  # threads share one open index and one model; each further process adds a model and shares the mapped files
# These speak HTTP and wait; few of them work at once (web/crew.py). Enough for all that may be worked on or wait, and
# some to spare, so that who has to be refused, and who asks after our health, is answered at once.
threads = 48
limit_request_line = 8190  # bytes, the most gunicorn can be told: a query of some 1,300 Cyrillic letters fits
preload_app = False  # a process forked after FAISS or the model used OpenMP hangs
control_socket_disable = True  # nothing here uses it, and it is one more door
graceful_timeout = 30
timeout = 120
accesslog = None  # the program tells of each request itself (web/watching.py)

STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
NOTED = re.compile(r"[^'\"]*?(?=[:'\"]|$)")  # of why a request is invalid, what is not the request's own words


class logger_class(Logger):  # noqa: N801 -- the name under which gunicorn looks for it
    """gunicorn's own events in the form of the program's, without readers' addresses and what they asked for."""

    def setup(self, cfg: object) -> None:
        """Begin, or begin anew after a reload."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter(os.environ.get("BACKFILE_LOG") or "auto"))

    def warning(self, msg: str, *args: object, **kwargs: object) -> None:
        """Tell of what is odd; gunicorn names the address and the words of an invalid request."""
        said, _, why = msg.partition(" from ip=")
        if why:
            msg, args = "%s: %s", (said, NOTED.match(why.partition(": ")[2])[0])
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: str, *args: object, **kwargs: object) -> None:
        """Tell of what went wrong, of an address without its query."""
        super().exception(msg, *(str(each).partition("?")[0] for each in args), **kwargs)


class worker_class(ThreadWorker):  # noqa: N801 -- as above
    """gunicorn's threads, whose door is shut once they are to stop."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept, or accept no more. Left open, whoever still came would wait until the last answer is given."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()


def on_starting(server: object) -> None:
    """Make what all workers share: whether the server is on its way out, and the folder of their figures."""
    server.draining = mmap.mmap(-1, 1)
    # A folder of its own for each such process: one that replaces another (SIGUSR2) inherits its environment.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = server.figures = tempfile.mkdtemp(prefix="backfile-metrics-")


def when_ready(server: object) -> None:
    """Let a balancer see that this server is leaving before it leaves: /readyz says so for `BACKFILE_DRAIN` seconds."""
    stop = server.handle_term

    def drain_and_stop() -> None:
        server.draining[0] = 1
        until = time.monotonic() + float(os.environ.get("BACKFILE_DRAIN") or 0)
        while time.monotonic() < until and not _is_asked_again(server):
            time.sleep(0.05)
        stop()

    server.handle_term = drain_and_stop


def _is_asked_again(server: object) -> bool:
    """Tell whether another signal says that there is no time for that."""
    return not server.SIG_QUEUE.empty() and server.SIG_QUEUE.get_nowait() in STOP


def pre_fork(server: object, worker: object) -> None:
    """Let a worker know what is known here."""
    worker.draining = server.draining


def post_worker_init(worker: object) -> None:
    """Open index and model in the background, so that the first visitor does not wait for them."""
    from web.services import EXTENSION

    services = worker.app.callable.extensions[EXTENSION]
    services.is_leaving = lambda: not worker.alive or bool(worker.draining[0])
    services.begin_to_warm_up()


def child_exit(_: object, worker: object) -> None:
    """Leave what a worker had at work and waiting out of the figures: it is no more."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: object) -> None:
    """Leave nothing behind."""
    server.draining.close()
    shutil.rmtree(server.figures, ignore_errors=True)
