"""The log of this process: where events go and in which form; `archive/journal.py` writes the lines.

Invariant: only a process of its own, a server or a command, changes how Python logs; an application that a test or
another program makes leaves that to whoever runs it.
"""

import logging
import sys

from archive.journal import Form, formatter

OURS = ("archive", "index", "web")  # whose events are told from "info" on; of libraries, warnings


def configure(form: Form) -> None:
    """Write the events of this process to standard error, in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.getLogger("werkzeug").addFilter(_is_no_request)


def _is_no_request(record: logging.LogRecord) -> bool:
    """Pass what `flask run` says over but for its line a request, which has the reader's address and the query."""
    return " - - [" not in str(record.msg)
