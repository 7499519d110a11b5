"""How gunicorn serves Backfile: one process, several threads. `gunicorn wsgi:app` reads this by itself."""

import threading

bind = "127.0.0.1:8000"
workers = 1  # threads share one open index and one model; more processes would each hold their own
threads = 8
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
