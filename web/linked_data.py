"""What the pages tell machines about themselves: schema.org in JSON-LD. Pure.

Invariant: it says nothing that the page and the endpoint do not say, and holds nothing that could end the <script> it
stands in.
"""

import json
from datetime import datetime

from markupsafe import Markup

from archive.article import Article
from web.links import outside_link
from web.names import Name, names_of
from web.payload import Json, instant
from web.wording import label

SCHEMA = "https://schema.org"
MOST_DESCRIBED = 200  # characters of a description: more is cut off by those who show it
_ESCAPED = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def news_article(article: Article, *, page: str, site: str, home: str) -> Json:
    """Return an article as a NewsArticle, shown at `page` (an address in full) as part of the `site` at `home`."""
    told: Json = {
        "@context": SCHEMA,
        "@type": "NewsArticle",
        "identifier": article.id,
        "headline": article.title,
        "description": description(article),
        "datePublished": _time(article.published_at),
        "dateModified": _time(article.updated_at),
        "author": [_author(name) for name in names_of(article.authors)],
        "publisher": {"@type": "Organization", "name": label(article.source)} if article.source else None,
        "url": page,
        "isBasedOn": outside_link(article.url),
        "inLanguage": article.language,
        "articleSection": label(article.section) if article.section else None,
        "version": article.version,
        "isPartOf": {"@type": "WebSite", "name": site, "url": home},
    }
    return {name: value for name, value in told.items() if value}


def website(*, site: str, home: str, search: str) -> Json:
    """Return the site as a WebSite that can be searched at `search`."""
    return {
        "@context": SCHEMA,
        "@type": "WebSite",
        "name": site,
        "url": home,
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": f"{search}?q={{search_term_string}}"},
            "query-input": "required name=search_term_string",
        },
    }


def description(article: Article) -> str:
    """Return the beginning of an article on one line, whole words."""
    text = " ".join(article.body[: 4 * MOST_DESCRIBED].split())
    if len(text) <= MOST_DESCRIBED:
        return text
    cut = text[:MOST_DESCRIBED]
    return (cut.rpartition(" ")[0] or cut).rstrip(",;:-\u2013\u2014") + "…"


def in_script(value: Json) -> Markup:
    """Return JSON that may stand in a <script>: no sign in it means anything to HTML, or ends a line in JavaScript."""
    return Markup(json.dumps(value, ensure_ascii=False).translate(_ESCAPED))  # noqa: S704 escaped in its own way


def _author(name: Name) -> Json:
    return {"@type": "Person" if name.is_person else "Organization", "name": name.whole}


def _time(moment: datetime | None) -> str | None:
    """Return a time as the endpoint writes it; a day alone when the source gave no hour."""
    written = instant(moment)
    return written.removesuffix("T00:00:00Z") if written else None
