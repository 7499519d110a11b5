"""How gunicorn serves Backfile: one process, several threads. `gunicorn wsgi:app` reads this by itself."""

import threading

bind = "127.0.0.1:8000"
workers = 1  # threads share one open index and one model; each further process adds a model and shares the mapped files
# These speak HTTP and wait; few of them work at once (web/crew.py). Enough for all that may be worked on or wait, and
# some to spare, so that who has to be refused, and who asks after our health, is answered at once.
threads = 48
limit_request_line = 8190  # bytes, the most gunicorn can be told: a query of some 1,300 Cyrillic letters fits
worker_class = "gthread"
preload_app = False  # a process forked after FAISS or the model used OpenMP hangs
control_socket_disable = True  # nothing here uses it, and it is one more door
graceful_timeout = 30
timeout = 120
accesslog = None


def post_worker_init(worker: object) -> None:
    """Open index and model in the background, so that the first visitor does not wait for them."""
    from web.services import EXTENSION

    services = worker.app.callable.extensions[EXTENSION]  # type: ignore[attr-defined]
    threading.Thread(target=services.warm_up, name="warm-up", daemon=True).start()
