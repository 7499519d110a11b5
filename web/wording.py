"""What the pages say in words: dates, counts, why a result matched, which links are safe. Pure.

It is long and flat: small functions that say one thing each, and that all pages share.

Invariant: text that came from outside leaves here escaped or as plain `str`, which the templates escape.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import reduce
from typing import NamedTuple
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from flask_babel import gettext, lazy_gettext, ngettext
from markupsafe import Markup, escape

from archive.article import Article
from archive.story import StorySize
from index.lanes import Apart, Lane, Reason
from index.listing import Sort
from index.ranking import Mode
from index.search import Outline, SearchResponse
from index.snippet import Excerpt, Range
from web import units
from web.units import long_day


class Named(NamedTuple):
    """A way to search in one word, and what it does."""

    name: str
    hint: str


MODE_NAMES: dict[Mode, Named] = {
    "hybrid": Named(lazy_gettext("Both"), lazy_gettext("Your words and their meaning, weighed together.")),
    "keyword": Named(lazy_gettext("Words"), lazy_gettext("Only articles in which your words occur.")),
    "semantic": Named(lazy_gettext("Meaning"), lazy_gettext("Articles about the same thing, whatever their words.")),
}
LANE_NAMES = {
    "same_story": lazy_gettext("Same event elsewhere"),
    "background": lazy_gettext("What came before"),
    "follow_up": lazy_gettext("What came after"),
    "other": lazy_gettext("On the same subject"),
}
REASON_NAMES: dict[Lane, str] = {
    "same_story": lazy_gettext("Same event"),
    "background": lazy_gettext("Background"),
    "follow_up": lazy_gettext("Follow-up"),
    "other": lazy_gettext("On the same subject"),
}
UNIT_NAMES = {
    "day": Named(lazy_gettext("Day"), lazy_gettext("by the day")),
    "week": Named(lazy_gettext("Week"), lazy_gettext("by the week")),
    "month": Named(lazy_gettext("Month"), lazy_gettext("by the month")),
    "year": Named(lazy_gettext("Year"), lazy_gettext("by the year")),
    "decade": Named(lazy_gettext("Decade"), lazy_gettext("by the decade")),
}
NAMED_AUTHORS = 2  # of an article in a list
SORT_NAMES: dict[Sort, str] = {
    "relevance": lazy_gettext("Best match"),
    "newest": lazy_gettext("Newest"),
    "oldest": lazy_gettext("Oldest"),
}
LONG_HEADLINE, ENDLESS_HEADLINE = 110, 300  # characters: beyond, a headline is set smaller
DAYS_TOLD = 365  # beyond so many, years say enough
OPENING = 220  # characters of an article's beginning, beside its headline
WORDS_A_MINUTE, SIGNS_A_MINUTE = 230, 500  # that people read: of words, and of characters written without spaces
NAMED_OUTLETS = 3  # of a story in a list
MOST_REPEATED = 100  # characters of a query in headings and titles; the search box holds it whole

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")  # HTML, 13.1.4
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")  # Chinese and Japanese


def marked(snippet: Excerpt) -> Markup:
    """Return the snippet escaped, the query's words in <mark> and the sentence that is meant in <span class="sense">.

    A range that overlaps the one before it or lies outside is passed over; a mark that crosses the border of the
    sentence is closed there and opened again.
    """
    text, marks = snippet.text, _apart(snippet.highlights, len(snippet.text))
    if not (sense := _apart(filter(None, [snippet.sentence]), len(text))):
        return _marked(text, (0, len(text)), marks)
    start, end = sense[0]
    said = Markup('<span class="quiet">{} </span>').format(
        gettext("Nearest in meaning:")
    )  # for those who hear the page
    inside = Markup('<span class="sense">') + said + _marked(text, (start, end), marks) + Markup("</span>")
    return _marked(text, (0, start), marks) + inside + _marked(text, (end, len(text)), marks)


def _apart(ranges: Iterable[Range], length: int) -> list[Range]:
    """Return the ranges in order, without those that overlap or lie outside."""
    kept, at = [], 0
    for start, end in sorted(ranges):
        if at <= start < end <= length:
            kept.append((start, end))
            at = end
    return kept


def _marked(text: str, piece: Range, marks: Iterable[Range]) -> Markup:
    """Return one piece of the text escaped, what of the marks lies in it in <mark>."""
    at, last = piece
    pieces = [Markup()]
    for start, end in ((max(start, at), min(end, last)) for start, end in marks):
        if start < end:
            pieces += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
            at = end
    return Markup().join([*pieces, escape(text[at:last])])


def paragraphs(body: str) -> list[str]:
    """Return the paragraphs of a body."""
    return [piece.strip() for piece in re.split(r"\n\s*\n", body) if piece.strip()]


def headline_size(title: str) -> str:
    """Return how large a headline may be at the head of its page, as a class: some have thousands of letters."""
    return "usual" if len(title) <= LONG_HEADLINE else "long" if len(title) <= ENDLESS_HEADLINE else "endless"


def outside_link(url: str | None) -> str | None:
    """Return `url` when a browser may be sent there: absolute http or https. Else None."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def opening(body: str, most: int = OPENING) -> str:
    """Return the beginning of a body: its first paragraph, cut between words to about so many characters."""
    first = next(iter(paragraphs(body)), "")
    text = " ".join(first.split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(" ,;:.–—-") + "…"


def beginning(article: Article) -> str:
    """Return the beginning of an article, nothing where its headline says as much, as a flash's does."""
    first = opening(article.body)
    return "" if article.derived_title or repeats(article.title, first) else first


def repeats(title: str, text: str) -> bool:
    """Tell whether a text says no more than the headline above it, but for spaces and a last full stop."""
    return bool(text.strip()) and _bare(text) == _bare(title)


def _bare(text: str) -> str:
    return " ".join(text.split()).rstrip(" .").casefold()


def machine_time(moment: datetime) -> str:
    """Return a time for <time datetime>: a day alone when the source gave no hour."""
    moment = moment.astimezone(UTC)
    if moment.time().isoformat() == "00:00:00":  # a day without an hour is kept as its midnight
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat(timespec="minutes") + "Z"


def moment_text(moment: datetime) -> str:
    """Return when something was, with the hour and its zone where the source gave one."""
    moment = moment.astimezone(UTC)
    if moment.time().isoformat() == "00:00:00":  # a day without an hour is kept as its midnight
        return long_day(moment)
    return units.moment(moment)


def reading_minutes(body: str) -> int:
    """Return how many minutes people take to read a text, one at least."""
    unspaced = len(_UNSPACED.findall(body))
    return max(1, round((len(body.split()) / WORDS_A_MINUTE) + unspaced / SIGNS_A_MINUTE))


def byline(names: Sequence[str]) -> str:
    """Return names as one phrase: A, B and C."""
    return format_list([*names], locale=units.locale()) if names else ""


def in_a_row(phrases: Iterable[str | None]) -> str:
    """Return phrases one after the other, without those that are empty: A, B, C."""
    told = [phrase for phrase in phrases if phrase]
    if len(told) < 2:
        return "".join(told)
    between = gettext("%(first)s, %(rest)s")
    return reduce(lambda first, rest: str(between % {"first": first, "rest": rest}), told)


def telling_authors(article: Article) -> str:
    """Return who wrote an article, where that says more than its source does, the first by name; else nothing."""
    source = label(article.source or "").casefold()
    authors = [author for author in article.authors if author.casefold() != source]
    return _some_of(authors, NAMED_AUTHORS)


def named_outlets(outlets: Collection[str]) -> str:
    """Return the first outlets by name, and how many more there are."""
    return _some_of([label(outlet) for outlet in outlets], NAMED_OUTLETS)


def _some_of(names: Sequence[str], most: int) -> str:
    more = len(names) - most
    if more <= 0:
        return byline(names)
    return byline([*names[:most], ngettext("%(number)s more", "%(number)s more", more, number=units.number(more))])


def articles(number: int) -> str:
    """Return a number of articles: 1 article, 2,000 articles."""
    return str(ngettext("%(number)s article", "%(number)s articles", number, number=units.number(number)))


def outlets(number: int) -> str:
    """Return a number of outlets."""
    return str(ngettext("%(number)s outlet", "%(number)s outlets", number, number=units.number(number)))


def headlines(number: int) -> str:
    """Return a number of headlines."""
    return str(ngettext("%(number)s headline", "%(number)s headlines", number, number=units.number(number)))


def more_copies(number: int) -> str:
    """Return how many copies there are beside the article that is shown: +3 copies."""
    return str(ngettext("+%(number)s copy", "+%(number)s copies", number, number=units.number(number)))


def articles_from(number: int, from_outlets: int) -> str:
    """Return of how many articles and outlets a story is."""
    if not from_outlets:
        return articles(number)
    return str(gettext("%(articles)s from %(outlets)s", articles=articles(number), outlets=outlets(from_outlets)))


def story_line(story: StorySize) -> str:
    """Return how large a story is."""
    return articles_from(story.articles, story.outlets)


def articles_of_sources(number: int, sources: int) -> str:
    """Return what an archive holds: its articles, and of how many sources."""
    if not sources:
        return articles(number)
    told = ngettext("%(number)s source", "%(number)s sources", sources, number=units.number(sources))
    return str(gettext("%(articles)s from %(sources)s", articles=articles(number), sources=told))


def span_of(first: datetime | None, latest: datetime | None) -> str:
    """Return from when to when, in days; empty when that is not known."""
    if first is None or latest is None:
        return ""
    begin, end = first.date(), latest.date()
    if begin == end:
        return long_day(end)
    if (begin.year, begin.month) == (end.year, end.month):
        return str(gettext("%(day)s to %(last)s", day=begin.day, last=long_day(end)))
    day = units.day_and_month(begin) if begin.year == end.year else long_day(begin)
    return str(gettext("%(first)s to %(last)s", first=day, last=long_day(end)))


def span_of_years(first: date | None, last: date | None) -> str:
    """Return from which year to which; empty when that is not known."""
    if first is None or last is None:
        return ""
    if first.year == last.year:
        return units.year_name(last)
    return str(gettext("%(first)s to %(last)s", first=first.year, last=last.year))


def span_of_days(first: date, last: date) -> str:
    """Return from which day to which, as a year or two where the days between are many."""
    if (last - first).days > DAYS_TOLD and first.year != last.year:
        return span_of_years(first, last)
    if first == last:
        return long_day(last)
    return str(gettext("%(first)s to %(last)s", first=long_day(first), last=long_day(last)))


def code(text: str) -> Markup:
    """Return what is to be typed, as such."""
    return Markup("<code>{}</code>").format(text)


def reason(why: Reason) -> str:
    """Return why an article is shown beside another: what it is to it, who reported it, when, and what both name."""
    told = in_a_row(
        [
            str(REASON_NAMES[why.lane]),
            gettext("other outlet") if why.is_from_other_outlet else "",
            _time_between(why.apart) if why.apart else "",
        ]
    )
    return str(gettext("%(reason)s: %(names)s", reason=told, names=in_a_row(why.named))) if why.named else told


def _time_between(apart: Apart) -> str:
    count, is_later = abs(apart.number), apart.number > 0
    shown = {"num": count, "number": units.number(count)}
    if not count:
        return str(gettext("same day"))
    if apart.unit == "day":
        later = ngettext("%(number)s day later", "%(number)s days later", **shown)
        earlier = ngettext("%(number)s day earlier", "%(number)s days earlier", **shown)
    elif apart.unit == "month":
        later = ngettext("%(number)s month later", "%(number)s months later", **shown)
        earlier = ngettext("%(number)s month earlier", "%(number)s months earlier", **shown)
    else:
        later = ngettext("%(number)s year later", "%(number)s years later", **shown)
        earlier = ngettext("%(number)s year earlier", "%(number)s years earlier", **shown)
    return str(later if is_later else earlier)


def did_you_mean(query: str, url: str) -> Markup:
    """Return the question whether another query was meant, which leads to it."""
    link = Markup('<a href="{}">{}</a>').format(url, query)
    return filled(gettext("Did you mean %(query)s?", query="{query}"), query=link)


def home_link(site: str) -> Markup:
    """Return the site's name as the way to its front page."""
    return Markup('<a href="/">{}</a>').format(site)


def filled(message: str, **parts: Markup | str) -> Markup:
    """Return a message of which each {name} is filled with a part; text is escaped, markup stays."""
    return escape(message).format(**parts)


def found_line(response: SearchResponse | Outline) -> str:
    """Return how much was found, and no more than is known."""
    if not response.total:
        return str(gettext("No articles"))
    number = units.number(response.total)
    if response.complete:
        return articles(response.total)
    return str(ngettext("At least %(number)s article", "At least %(number)s articles", response.total, number=number))


def writable(value: object) -> object:
    """Return what a template writes, a space for each character that HTML forbids in text: it divides words as well."""
    if not isinstance(value, str) or not _UNWRITABLE.search(value):
        return value
    return type(value)(_UNWRITABLE.sub(" ", value))


def shortened(text: str, most: int = MOST_REPEATED) -> str:
    """Return a text as a heading may repeat it: what is longer is cut."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def label(value: str) -> str:
    """Return a source or section as people write it: many feeds send names_with_underscores."""
    return value.replace("_", " ").strip() or value


def section(value: str) -> str:
    """Return a section as it stands beside an article: feeds send the same name with and without a capital letter."""
    name = label(value)
    return name[:1].upper() + name[1:]


def language_name(tag: str) -> str:
    """Return a BCP 47 tag as people name the language; a tag that has no name is shown as it is."""
    try:
        named = Locale.parse(tag, sep="-").get_display_name(units.locale())
    except (ValueError, UnknownLocaleError):
        return tag
    return named or tag
