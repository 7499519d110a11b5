"""The Flask front end: pages, the JSON API and the commands. The only package that imports flask."""

import os

# Before anything imports numpy. A search multiplies small matrices by the dozen: shared out to a second thread, each
# gains nothing and leaves that thread spinning, half of all processor time. FAISS and OpenVINO bring their own threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from web.app import create_app

__all__ = ["create_app"]
