"""Which address is a page's own: what it claims is believed only within the site it came from.

An address decides which article a page is a version of. A page fetched from one site may not claim another site's:
it would replace what that site published. A partner's copy keeps its own address; its text tells that it is a copy.
"""

import importlib
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from archive.identity import canonical_url
from archive.readers.fields import is_web_address

MAX_URL_CHARS = 2_048  # what browsers and search engines take; longer ones are no addresses of articles

_VARIANTS = ("www.", "m.", "mobile.", "amp.")  # hosts under which sites serve the same pages again


def own_address(claims: Iterable[str], *, fetched: str | None) -> str | None:
    """Return the first believable of the addresses a page claims, else where it was fetched from.

    Claims may be relative to `fetched`. The front page is nobody's address: some sites name it on all their pages.
    """
    for claim in claims:
        address = resolved(claim, base=fetched) if claim.strip() else None
        if address and not _is_front(address) and (fetched is None or same_site(address, fetched)):
            return address
    return resolved(fetched or "", base=None)


def resolved(link: str, *, base: str | None) -> str | None:
    """Return the absolute http or https address of `link`, without its fragment, or None where it has none."""
    try:
        address = urljoin(base or "", "".join(link.split())).partition("#")[0]
    except ValueError:
        return None
    return address if len(address) <= MAX_URL_CHARS and is_web_address(address) else None


def same_site(one: str, other: str) -> bool:
    """Tell whether two addresses lie under the same registered name, as the Public Suffix List cuts them."""
    return _registered(one) == _registered(other)


def key(address: str) -> str:
    """Return what two spellings of a page's address have in common, or nothing for what is none."""
    try:
        parts = urlsplit(canonical_url(address))
    except ValueError:
        return ""
    host = parts.netloc
    for variant in _VARIANTS:
        host = host.removeprefix(variant)
    return f"{host}{parts.path.rstrip('/')}?{parts.query}"


def host_words(address: str) -> str:
    """Return the registered name without its ending: "theguardian" of www.theguardian.com."""
    return _registered(address).partition(".")[0]


def _is_front(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.path.strip("/") and not parts.query


def _registered(address: str) -> str:
    host = (urlsplit(address).hostname or "").rstrip(".")
    # Imported here: it reads the whole list, which commands that read no page need not wait for.
    get_fld = importlib.import_module("tld").get_fld
    known = get_fld(f"https://{host}", fail_silently=True, search_private=True) if "." in host else None
    if known or ":" in host or host.replace(".", "").isdigit():
        return str(known or host)
    return ".".join(host.split(".")[-2:])  # the list's own rule for endings it does not know
