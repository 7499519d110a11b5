"""What a command has promised, told outside of the archive in the moment that the promise is given.

`install` has `FAULTS_TOLD` name a file to which a line of JSON is written when a call that writes has returned: from
then on the caller counts on it. `FAULTS_SEEDED` names a fault that is built into the program, see `seeded`.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from archive.article import Article
from archive.store import PublishedGeneration, Store
from archive.takedowns import Takedowns

TOLD, SEEDED = "FAULTS_TOLD", "FAULTS_SEEDED"


def install() -> None:
    """Tell from now on what is promised, and build in the fault that is asked for."""
    if fault := os.environ.get(SEEDED):
        from faults import seeded

        seeded.FAULTS[fault]()
    if path := os.environ.get(TOLD):
        _tell_to(path)


def _tell_to(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def after(method: Callable[..., Any], lines: Callable[..., list[tuple[str, str]]]) -> Callable[..., Any]:
        def telling(self: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 as what it stands for
            returned = method(self, *args, **kwargs)
            for did, what in lines(returned, *args):
                os.write(descriptor, json.dumps({"did": did, "what": what}).encode() + b"\n")
            return returned

        return telling

    def put(_: object, article: Article) -> list[tuple[str, str]]:
        return [("put", article.title)]

    def removed(article_id: str, *_: object) -> list[tuple[str, str]]:
        return [("removed", article_id)]

    def published(_: object, generation: PublishedGeneration) -> list[tuple[str, str]]:
        return [("published", str(generation.number))]

    def erased(_: object, article_ids: list[str], *__: object) -> list[tuple[str, str]]:
        return [("erased", article_id) for article_id in article_ids]

    Store.put = after(Store.put, put)  # type: ignore[method-assign]
    Store.remove = after(Store.remove, removed)  # type: ignore[method-assign]
    Store.publish = after(Store.publish, published)  # type: ignore[method-assign]
    Takedowns.note_erased = after(Takedowns.note_erased, erased)  # type: ignore[method-assign]
