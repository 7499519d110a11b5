"""What makes two inputs the same article: canonical URLs, public ids, content hashes. Pure.

Invariant: the same article, read again from the same place, gets the same id, on any machine and in any release.
"""

import hashlib
import json
import re
import string
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from archive.article import Article

ID_LENGTH = 16  # hex digits: 64 bits, a chance of 3e-8 that any two of a million articles collide

# Query parameters that say how a reader arrived, not which article it is.
TRACKING_PREFIXES = ("utm_", "mc_", "pk_", "ns_")
TRACKING_NAMES = frozenset({"fbclid", "gclid", "dclid", "msclkid", "igshid", "yclid", "_ga", "cmpid", "ocid"})
DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical_url(url: str) -> str:
    """Return `url` in the one form that decides identity (RFC 3986, section 6.2).

    Scheme and host are lower-cased, the default port, the fragment and tracking parameters go, percent-encoding is
    made uniform, and http becomes https so that a site's change of scheme does not double its archive.

    Raises ValueError when `url` is not an absolute http or https URL.
    """
    parts = urlsplit(url.strip())
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"not an http or https URL: {url[:200]!r}")
    host = parts.hostname.lower().rstrip(".")
    if ":" in host:  # IPv6 addresses lose their brackets in .hostname
        host = f"[{host}]"
    if parts.port and parts.port != DEFAULT_PORTS[scheme]:
        host = f"{host}:{parts.port}"
    path = _PERCENT.sub(_uniform_escape, quote(parts.path or "/", safe="/:@!$&'()*+,;=~%", errors="replace"))
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _is_tracking(k)]
    return urlunsplit(("https", host, path, urlencode(query), ""))


_PERCENT = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")


def _uniform_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _is_tracking(name: str) -> bool:
    lowered = name.lower()
    return lowered in TRACKING_NAMES or lowered.startswith(TRACKING_PREFIXES)


def article_id(*, url: str | None, source: str | None, source_id: str | None, text: str) -> str:
    """Return the public id: from the URL when there is one, else from the source's own id, else from the text.

    What else the article is known by makes further ids of the same kind, its aliases: of an article with a URL and an
    own id, for instance, the id that the own id alone would make (`alias`).

    An own id means nothing without the source it is unique in, so without one the text decides: two outlets that both
    call an article "1" never overwrite each other. `text` is the title and the body together. The first character of
    what is hashed names the kind, so an id made from a URL never equals one made from a text by accident.
    """
    if url is not None:
        return _id(f"u:{canonical_url(url)}")
    if source is not None and source_id is not None:
        return alias(source=source, source_id=source_id)
    return _id(f"t:{text}")


def alias(*, source: str, source_id: str) -> str:
    """Return the id of what `source` calls `source_id`."""
    return _id(f"s:{source}\n{source_id}")


def guid_id(guid: str) -> str:
    """Return the id of what an agency names by a globally unique name: NewsML-G2's guid, ninjs' uri."""
    return _id(f"g:{guid}")


def _id(basis: str) -> str:
    return hashlib.sha256(basis.encode("utf-8", "surrogatepass")).hexdigest()[:ID_LENGTH]


def content_hash(article: Article) -> bytes:
    """Return the SHA-256 (32 bytes) of everything a reader of `article` can see.

    Two versions are the same exactly when their hashes are; the store keeps it beside each row, which is how a
    flipped bit is found.
    """
    fields: list[object] = [
        article.title,
        article.body,
        article.url,
        article.source,
        article.section,
        list(article.authors),
        article.language,
        article.published_at.isoformat() if article.published_at else None,
        article.updated_at.isoformat() if article.updated_at else None,
        article.derived_title,
    ]
    if article.note is not None or article.source_version is not None:  # archives from before they were kept stay valid
        fields += [article.note, article.source_version]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=True).encode("ascii")).digest()
