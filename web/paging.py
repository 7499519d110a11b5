"""Links between the numbered pages of one list. Pure."""

from collections.abc import Sequence
from math import ceil
from urllib.parse import urlencode

Links = dict[str, str | None]


def numbered_links(
    path: str, asked: Sequence[tuple[str, str]] = (), *, number: int, size: int, total: int, default_size: int
) -> Links:
    """Return the URLs of this page of a list of `total`, the next and the previous one; None where there is none.

    `asked` are the other parameters; `default_size` is what a URL means that says no size.
    """

    def at(page: int) -> str:
        pairs = [*asked]
        if page > 1:
            pairs.append(("page", str(page)))
        if size != default_size:
            pairs.append(("page_size", str(size)))
        return f"{path}?{urlencode(pairs)}" if pairs else path

    last = max(1, ceil(total / size))
    return {
        "self": at(number),
        "next": at(number + 1) if number < last else None,
        "prev": at(min(number - 1, last)) if number > 1 else None,
    }
