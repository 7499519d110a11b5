"""Compression of what is worth it: text of some length, for clients that ask for gzip."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from flask import Flask, Response, request

LEAST = 2_000  # bytes; a shorter answer fits into two packets anyway
LEVEL = 5  # of gzip: 20 kB of results in half a millisecond, to less than a third; higher levels gain a hundredth
GZIP = 16  # added to the window's size: gzip's header and trailer (zlib's manual, deflateInit2)
WRITTEN = ("application/", "text/")  # kinds of answers that pages and endpoints write


def register(app: Flask) -> None:
    """Compress the answers of `app`."""
    app.after_request(_compressed)


def _compressed(answer: Response) -> Response:
    is_file = answer.direct_passthrough  # which is sent as it lies on the disk
    if is_file or answer.content_encoding or not (answer.mimetype or "").startswith(WRITTEN):
        return answer
    answer.vary.add("Accept-Encoding")
    if answer.status_code != HTTPStatus.OK or not request.accept_encodings.quality("gzip"):
        return answer
    if answer.is_streamed:
        answer.response = _piecewise(answer.iter_encoded())
    elif len(content := answer.get_data()) >= LEAST:
        answer.set_data(gzip.compress(content, LEVEL, mtime=0))
    else:
        return answer
    answer.headers["Content-Encoding"] = "gzip"
    return answer


def _piecewise(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `pieces` compressed as they come, so that none waits for the last."""
    packer = zlib.compressobj(LEVEL, wbits=zlib.MAX_WBITS + GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
