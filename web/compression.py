"""Compression of what is worth it: text of some length, for clients that ask for gzip."""

import gzip
from http import HTTPStatus

from flask import Flask, Response, request

LEAST = 2_000  # bytes; a shorter answer fits into two packets anyway
LEVEL = 5  # of gzip: 20 kB of results in half a millisecond, to less than a third; higher levels gain a hundredth
WRITTEN = ("application/", "text/")  # kinds of answers that pages and endpoints write


def register(app: Flask) -> None:
    """Compress the answers of `app`."""
    app.after_request(_compressed)


def _compressed(answer: Response) -> Response:
    if answer.direct_passthrough or answer.content_encoding:  # a file from the disk, or one compressed already
        return answer
    if not (answer.mimetype or "").startswith(WRITTEN):
        return answer
    answer.vary.add("Accept-Encoding")
    content = answer.get_data()
    if answer.status_code == HTTPStatus.OK and len(content) >= LEAST and request.accept_encodings.quality("gzip"):
        answer.set_data(gzip.compress(content, LEVEL, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer
