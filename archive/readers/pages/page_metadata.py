"""What a page's tags say about its article: JSON-LD first, then meta tags and microdata.

Invariant: a date is taken only where the page states it; one of several that may belong to other articles is none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from archive.readers.dates import stated_date
from archive.readers.fields import language_tag
from archive.readers.markup import plain_line
from archive.readers.normalise import one_line
from archive.readers.pages.headline import Headings, folded, headline
from archive.readers.pages.linked_data import LinkedArticle, Update, linked_article
from archive.readers.pages.page_address import host_words, key, own_address, resolved

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# In order of trust; names are compared in lower case with a tag's property, name, itemprop or http-equiv.
TITLE_TAGS = ("og:title", "twitter:title", "parsely-title", "sailthru.title", "dc.title", "dcterms.title", "title")
PUBLISHED_TAGS = (
    "article:published_time",
    "article:published",
    "datepublished",
    "parsely-pub-date",
    "pubdate",
    "publish-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date",
    "date",
)
UPDATED_TAGS = ("article:modified_time", "article:modified", "datemodified", "og:updated_time", "dcterms.modified")
SECTION_TAGS = ("article:section", "articlesection", "parsely-section")
LANGUAGE_TAGS = ("content-language", "inlanguage", "og:locale", "dc.language")
SITE_TAGS = (
    "og:site_name",
    "application-name",
    "apple-mobile-web-app-title",
    "publisher",
    "dc.publisher",
    "twitter:app:name:iphone",
    "twitter:app:name:googleplay",
)
AUTHOR_TAGS = ("author", "article:author", "parsely-author", "sailthru.author", "byl", "dc.creator", "dcterms.creator")
MAX_HEADINGS = 50
MAX_AUTHOR_CHARS = 100  # longer ones are descriptions of people
MAX_BYLINE = 2_000  # characters looked at
MAX_NAME_WORDS = 4  # of an outlet that is followed by a tagline
MAX_SECTION_CHARS = 60  # longer ones are lists of all that a page is filed under

_ADDRESS = re.compile(r"https?:|www\.|[@/]", re.IGNORECASE)
_BETWEEN_TAGLINES = re.compile(r"\s*\|\s*|\s+[-–—]\s+")
_GREETING = re.compile(
    r"(?:home(?:page)?|start(?:seite)?|welcome|willkommen|latest|breaking|top|live|local|world|daily|your|the|to|online|news"
    r"|headlines|nachrichten|aktuelle?|noticias|actualités?|attualità|notizie|nieuws|\s)+",
    re.IGNORECASE,
)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_NOT_A_NAME = re.compile(r"https?:|www\.|@|/|\d{3}", re.IGNORECASE)
_BY = re.compile(r"(?:written\s+)?by\s*:?\s+(?=\S)|(?:von|par|por|di|door|av|af|автор)\s*:\s*", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(r"\s*[;|]\s*|\s*,?\s+(?:and|und|et|&)\s+", re.IGNORECASE)
_LIST_COMMA = re.compile(r",(?=\S)|;")
_ROLE = re.compile(
    r"admin(?:istrator)?|user|guest|root|(?:.*\s)?(?:writer|reporter|correspondent|editor(?:-at-large)?)", re.IGNORECASE
)
_COMMA = re.compile(r"\s*,\s+(?!(?:jr|sr|ph\.?d|m\.?d|esq|ii|iii|iv)\b)", re.IGNORECASE)
_FULL_STOP = re.compile(r"(?<=\w{4})\.$")  # not that of "Jr." or "Ph.D."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMetadata:
    """What is said, cleaned: empty or None where nothing is. `body` may hold markup."""

    title: str
    authors: tuple[str, ...]
    url: str | None
    source: str | None
    section: str | None
    language: str | None
    published_at: str | None
    updated_at: str | None
    body: str
    updates: tuple[Update, ...]  # of a live blog
    is_free: bool
    says_article: bool  # some tag calls the page an article


def described(page: "HtmlElement", *, url: str | None) -> PageMetadata:
    """Return what the page says about itself; `url` is where it was fetched from, if it was."""
    titles = [plain_line(text) for text in _tags(page, TITLE_TAGS)]
    claimed = _claimed_addresses(page, url)
    marked, visible = _headings(page)
    blocks = [script.text or "" for script in page.iter("script") if "ld+json" in (script.get("type") or "").lower()]
    keys = [found for address in (*claimed, url or "") if (found := key(address))]
    linked = linked_article(blocks, keys=keys, titles=[*titles, *marked, *visible])
    address = own_address([*claimed, *linked.urls], fetched=url)
    sites = [plain_line(text) for text in _tags(page, SITE_TAGS)]
    named = [linked.publisher, *sites, host_words(address) if address else ""]
    window = page.find(".//title")
    claims = [linked.headline, *titles]
    headings = Headings(
        claims=claims,
        window=one_line(window.text_content()) if window is not None else "",
        marked=marked,
        visible=visible,
        sites=named,
    )
    published = _first_date([linked.published]) or _published(page)
    updated = _first_date([linked.updated, *_tags(page, UPDATED_TAGS)])
    return PageMetadata(
        title=headline(headings),
        authors=_authors(linked, page, named),
        url=address,
        source=_source(linked, sites, address),
        section=_section(linked, page, named),
        language=_language(page, linked),
        published_at=published,
        updated_at=updated if not published or (updated and updated >= published) else None,
        body=linked.body,
        updates=linked.updates,
        is_free=linked.is_free,
        says_article=bool(linked.headline or published) or "article" in _tags(page, ("og:type",)),
    )


def _claimed_addresses(page: "HtmlElement", url: str | None) -> list[str]:
    """Return the addresses the page gives for itself, absolute where that can be said, in order of trust."""
    bases = [tag.get("href") or "" for tag in page.iter("base")]
    base = resolved(bases[0], base=url) if bases else url
    links = [
        tag.get("href") or "" for tag in page.iter("link") if "canonical" in (tag.get("rel") or "").lower().split()
    ]
    claims = [*links, *_tags(page, ("og:url",))]
    return [address for claim in claims if claim.strip() and (address := resolved(claim, base=base))]


def _headings(page: "HtmlElement") -> tuple[list[str], list[str]]:
    """Return the headings that are marked as the headline, and the main ones."""
    marked: list[str] = []
    visible: list[str] = []
    for element in page.iter():
        if not isinstance(element.tag, str) or element.tag == "meta" or len(visible) + len(marked) >= MAX_HEADINGS:
            continue
        if "headline" in (element.get("itemprop") or "").split():
            marked.append(one_line(element.text_content()))
        elif element.tag == "h1" and not _is_logo(element):
            visible.append(one_line(element.text_content()))
    return [text for text in marked if text], [text for text in visible if text]


def _is_logo(heading: "HtmlElement") -> bool:
    """Tell whether a heading is one link to the front page: the site's name."""
    text = folded(heading.text_content())
    links = [*heading.iter("a"), *heading.iterancestors("a")]
    return any(folded(link.text_content()) == text and _leads_home(link.get("href") or "") for link in links)


def _leads_home(link: str) -> bool:
    try:
        path = urlsplit(link.strip()).path
    except ValueError:
        return False
    return bool(link.strip()) and re.fullmatch(r"/?(?:(?:index|default|main|home)\.\w{2,5})?", path) is not None


def _tags(page: "HtmlElement", names: Sequence[str]) -> list[str]:
    """Return the non-empty contents of the page's meta tags with these names, in the order of `names`."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for tag in page.iter("meta"):
        content = (tag.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = (tag.get(attribute) or "").strip().lower()
            if content and name in found:
                found[name].append(content)
    return [content for name in names for content in found[name]]


def _source(linked: LinkedArticle, sites: Sequence[str], address: str | None) -> str | None:
    """Return the outlet's name, else its host. A publisher not called like the site is a company or an agency."""
    host = (urlsplit(address or "").hostname or "").removeprefix("www.")
    names = [name for name in sites if name and not _ADDRESS.match(name)]
    publisher = linked.publisher
    if publisher and not _ADDRESS.match(publisher):
        known = [folded(name) for name in (*sites, host) if name]
        alike = any(folded(publisher) in name or name in folded(publisher) for name in known)
        names.insert(0 if alike else len(names), publisher)
    return _without_tagline(names[0], host) if names else host or None


def _without_tagline(name: str, host: str) -> str:
    """Return an outlet's name without what it says of itself: "The Jerusalem Post | JPost.com" is the first part.

    It stays whole where the first part is no name, or another is more like the host.
    """
    first, *others = _BETWEEN_TAGLINES.split(name)
    if not folded(first) or len(first.split()) > MAX_NAME_WORDS or _GREETING.fullmatch(first):
        return name
    site = folded(host)
    hosted = [part for part in others if not _HOST.fullmatch(part) and (own := folded(part)) and site.startswith(own)]
    return name if hosted and not site.startswith(folded(first)) else first


def _section(linked: LinkedArticle, page: "HtmlElement", sites: Sequence[str]) -> str | None:
    """Return the section: of several the first, and none that is the site's own name."""
    known = {folded(site) for site in sites}
    for text in (linked.section, *map(plain_line, _tags(page, SECTION_TAGS))):
        first = _LIST_COMMA.split(text)[0] if len(text) <= MAX_SECTION_CHARS else text.split(",")[0]
        if (
            folded(first)
            and folded(first) not in known
            and len(first) <= MAX_SECTION_CHARS
            and not _HOST.fullmatch(first)
        ):
            return first.strip()
    return None


def _authors(linked: LinkedArticle, page: "HtmlElement", sites: Sequence[str]) -> tuple[str, ...]:
    """Return the people, or where none are named the organizations, that the page says wrote it."""
    for bylines in (linked.authors, _tags(page, AUTHOR_TAGS)):
        names = people(bylines)
        persons = [name for name in names if folded(name) not in {folded(site) for site in sites}]
        if names:
            return tuple(persons or names)
    return ()


def people(bylines: Iterable[str]) -> list[str]:
    """Return the names in these bylines, each once, without what are no names: addresses, handles, descriptions."""
    lists = [_BETWEEN_NAMES.split(_BY.sub("", plain_line(byline[:MAX_BYLINE]), count=1)) for byline in bylines]
    parts = [part for parts in lists for each in parts for part in _between_commas(each)]
    names = [name for part in parts if (name := _FULL_STOP.sub("", part.strip(" ,:-–—")))]
    return list(dict.fromkeys(name for name in names if _can_be_a_name(name)))


def _can_be_a_name(text: str) -> bool:
    return len(text) <= MAX_AUTHOR_CHARS and not _NOT_A_NAME.search(text) and not _ROLE.fullmatch(text)


def _between_commas(byline: str) -> list[str]:
    parts = _COMMA.split(byline)
    return parts if all(" " in part for part in parts) else [byline]  # "Doe, Jane" is one name


def _language(page: "HtmlElement", linked: LinkedArticle) -> str | None:
    root = page.getroottree().getroot()
    candidates = [linked.language, root.get("lang") or "", *_tags(page, LANGUAGE_TAGS)]
    return next((tag for candidate in candidates if (tag := language_tag(candidate))), None)


def _published(page: "HtmlElement") -> str | None:
    """Return the date the page states for itself, or None when it states none, or several without saying which."""
    stated = _first_date(_tags(page, PUBLISHED_TAGS))
    if stated:
        return stated
    marked, times = set(), set()
    for element in page.iter():
        own = element.get("datetime") or element.get("content") or ""
        if element.get("itemprop") == "datePublished" or (element.tag == "time" and element.get("pubdate") is not None):
            marked.add(_date(own))
        elif element.tag == "time":
            times.add(_date(own))
    # Several different dates are those of related articles, comments or events: none of them is surely this page's.
    for candidates in (marked - {None}, times - {None}):
        if candidates:
            return candidates.pop() if len(candidates) == 1 else None
    return None


def _first_date(candidates: Iterable[str]) -> str | None:
    return next((date for candidate in candidates if (date := _date(candidate))), None)


def _date(text: str) -> str | None:
    moment = stated_date(text)
    return moment.isoformat() if moment else None
