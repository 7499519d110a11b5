"""Static files: an address carries the hash of its file's content, so that a reader keeps the file and asks no more.

They are read and compressed once a process. Modules that import each other name the hashes too, so that the hash of
one changes with all that it imports. Invariant: only the address that names the content is kept for good; one without
a hash, as other sites write it, or with an older one gets the file as it is now and is asked about each time.
"""

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask, Response, redirect, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

FOLDER = Path(__file__).resolve().parent.parent / "static"
ENDPOINT = "static"  # of Flask's own route, which this one takes the place of
VERSION = "v"  # the parameter of the address
DIGITS = 12  # of the hash
FOR_GOOD = "public, max-age=31536000, immutable"  # a year, the longest that RFC 9111 allows for
ASK_EACH_TIME = "no-cache"
IMPORTED = re.compile(r"""((?:\bfrom|\bimport)\s*\(?\s*")(\./[\w./-]+\.js)(?=")""")  # from "./x.js", import("./x.js")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    content: bytes
    compressed: bytes
    mimetype: str
    version: str


def register(app: Flask) -> None:
    """Serve the files below /static/, and write their versions into every address that `url_for` makes."""
    app.add_url_rule("/static/<path:filename>", endpoint=ENDPOINT, view_func=_serve)
    app.add_url_rule("/favicon.ico", endpoint="favicon", view_func=_icon)
    app.url_defaults(_name_the_version)


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Return every static file by its path below the folder, read once a process."""
    return read_files(FOLDER)


def read_files(folder: Path) -> Mapping[str, StaticFile]:
    """Return every file below `folder` by its path, modules with the versions of what they import.

    Raises RecursionError where modules import each other in a circle: neither could name the other's hash.
    """
    contents = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    files: dict[str, StaticFile] = {}

    def made(name: str) -> StaticFile:
        if name not in files:
            content = contents[name]
            if name.endswith(".js"):
                content = IMPORTED.sub(lambda found: found[0] + versioned(name, found[2]), content.decode()).encode()
            files[name] = _file(name, content)
        return files[name]

    def versioned(importer: str, address: str) -> str:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(importer), address))
        return f"?{VERSION}={made(name).version}" if name in contents else ""

    for name in contents:
        made(name)
    return files


def _file(name: str, content: bytes) -> StaticFile:
    return StaticFile(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        mimetype=mimetypes.guess_type(name)[0] or "text/plain",
        version=hashlib.sha256(content).hexdigest()[:DIGITS],
    )


def _name_the_version(endpoint: str, values: dict[str, object]) -> None:
    if endpoint == ENDPOINT and (file := static_files().get(str(values.get("filename")))):
        values.setdefault(VERSION, file.version)


def _icon() -> BaseResponse:
    """Lead to the icon from where browsers look for one that read no page, as they do for a feed."""
    return redirect(url_for(ENDPOINT, filename="favicon.svg"))


def _serve(filename: str) -> Response:
    file = static_files().get(filename)
    if file is None:
        raise NotFound
    answer = Response(file.content, mimetype=file.mimetype)
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") and len(file.compressed) < len(file.content):
        answer.set_data(file.compressed)
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = FOR_GOOD if request.args.get(VERSION) == file.version else ASK_EACH_TIME
    answer.set_etag(file.version, weak=True)
    answer.make_conditional(request)
    return answer
