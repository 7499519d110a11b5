"""The process that reads what may be hostile: asked by `child`, through its standard input and output.

A request is two frames, what is known of an input (JSON) and its bytes. The answer is a frame an entry, or where the
content type of an answer from the network is known, one with all that is in it (see `wire`), and an
empty one as the end. A frame is its length, four bytes with the highest first, and so many bytes. An empty frame at the
very beginning says that everything is loaded.

Invariant: from the first input on, this process writes no file, opens none but those of Python and of this program,
and asks nothing on the network.
"""

import io
import json
import os
import pkgutil
import resource
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from archive.article import Entry, Rejection
from archive.errors import SourceError
from archive.readers import HEAD_BYTES, Reader
from archive.readers.isolated import wire
from archive.readers.isolated.web_content import WebContent, content_of
from archive.readers.pages import html

LENGTH = struct.Struct(">I")
OUT_OF_MEMORY = 3  # exit status
MOST_FILES = 32  # that are open at a time: modules that are loaded when they are needed
ZONES = "/usr/share/zoneinfo"
FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "os.remove", "os.rename",
             "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "ctypes.")  # fmt: skip


def main(detect: str, memory: str) -> None:
    """Answer requests until there are none. `detect` names the function that finds readers, `memory` is in bytes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    find: Callable[[bytes, str], Reader] = pkgutil.resolve_name(detect)
    limit(int(memory))
    _answer(answers, b"")
    requests = sys.stdin.buffer
    while (request := _frame(requests)) is not None:
        told = json.loads(request)
        raw = _frame(requests) or b""
        _limit_time(told["seconds"])
        for found in _found(find, raw, told):
            _answer(answers, wire.to_json(found))
        _answer(answers, b"")


def limit(memory: int) -> None:
    """Give up what reading needs none of. There is no way back."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    folders = {os.path.realpath(folder) for folder in (*sys.path, sys.prefix, sys.base_prefix, ZONES) if folder}
    allowed = tuple(folder + os.sep for folder in folders)

    def watch(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = given
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if writes or not (isinstance(path, str) and os.path.realpath(path).startswith(allowed)):
                raise PermissionError(f"{path} is not for reading here")
        elif event.startswith(FORBIDDEN):
            raise PermissionError(f"{event} is nothing that reading needs")

    sys.addaudithook(watch)


def _limit_time(seconds: float) -> None:
    """Let an input compute for so long: whoever asked may be gone, and nobody else would end this process."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, most))


def _found(
    find: Callable[[bytes, str], Reader], raw: bytes, told: dict[str, str | None]
) -> Iterator[Entry | WebContent]:
    """Yield what is in `raw`. Memory that is not there ends the process: it is not itself any more."""
    origin = told["origin"] or ""
    try:
        if told["content_type"] is not None:
            yield content_of(raw, url=origin, content_type=told["content_type"], find=find)
        elif (reader := find(raw[:HEAD_BYTES], told["name"] or "")) == html.read:
            yield html.page(raw, url=told["url"], charset=told["charset"], origin=origin)
        else:
            yield from reader(io.BytesIO(raw), origin)
    except MemoryError:
        raise
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error))
    except Exception as error:  # readers raise nothing for what bytes are; should one do, it costs this input alone
        yield Rejection(source=origin, reason=f"cannot be taken apart ({type(error).__name__}: {error})"[:300])


def _frame(stream: BinaryIO) -> bytes | None:
    """Return the next frame, None at the end."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])


def _answer(stream: BinaryIO, frame: bytes) -> None:
    stream.write(LENGTH.pack(len(frame)) + frame)
    stream.flush()  # what is found before a crash is found


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # at once: nothing that would need memory
