"""What the pages say in words: dates, counts, why a result matched, which links are safe. Pure.

Invariant: text that came from outside leaves here escaped or as plain `str`, which the templates escape.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from babel.dates import format_skeleton
from flask_babel import get_locale, gettext, lazy_gettext, ngettext
from markupsafe import Markup, escape

from archive.article import Article
from archive.story import StorySize
from index.listing import Sort
from index.ranking import Mode
from index.search import Outline, SearchResponse
from index.snippet import Excerpt, Range


class Named(NamedTuple):
    """A way to search in one word, and what it does."""

    name: str
    hint: str


MODE_NAMES: dict[Mode, Named] = {
    "hybrid": Named("Both", "Your words and their meaning, weighed together"),
    "keyword": Named("Words", "Only articles in which your words occur"),
    "semantic": Named("Meaning", "Articles about the same thing, whatever their words"),
}
LANE_NAMES = {
    "same_story": lazy_gettext("Same event elsewhere"),
    "background": lazy_gettext("What came before"),
    "follow_up": lazy_gettext("What came after"),
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
SORT_NAMES: dict[Sort, str] = {"relevance": "Best match", "newest": "Newest", "oldest": "Oldest"}
LONG_HEADLINE, ENDLESS_HEADLINE = 110, 300  # characters: beyond, a headline is set smaller
DAYS_TOLD = 365  # beyond so many, years say enough
OPENING = 220  # characters of an article's beginning, beside its headline
WORDS_A_MINUTE, SIGNS_A_MINUTE = 230, 500  # that people read: of words, and of characters written without spaces
NAMED_OUTLETS = 3  # of a story in a list
LANGUAGE_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

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


def long_day(moment: datetime | date) -> str:
    """Return a day as a newspaper writes it, such as 7 March 2016."""
    return f"{moment.day} {moment:%B} {moment.year}"


def brief(day: date, skeleton: str) -> str:
    """Return the parts of a day that `skeleton` names (Unicode TR 35), such as yMMM, as short as the language does."""
    locale = str(get_locale() or "en")
    return format_skeleton(skeleton, day, locale="en_GB" if locale == "en" else locale)  # days stand before months here


def opening(body: str, most: int = OPENING) -> str:
    """Return the beginning of a body: its first paragraph, cut between words to about so many characters."""
    first = next(iter(paragraphs(body)), "")
    text = " ".join(first.split())
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(" ,;:.–—-") + "…"


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
    told: str = gettext("%(day)s, %(time)s UTC", day=long_day(moment), time=f"{moment:%H:%M}")
    return told


def reading_minutes(body: str) -> int:
    """Return how many minutes people take to read a text, one at least."""
    unspaced = len(_UNSPACED.findall(body))
    return max(1, round((len(body.split()) / WORDS_A_MINUTE) + unspaced / SIGNS_A_MINUTE))


def byline(authors: Sequence[str]) -> str:
    """Return the authors as one phrase: A, B and C."""
    if len(authors) < 2:
        return "".join(authors)
    return f"{', '.join(authors[:-1])} and {authors[-1]}"


def telling_authors(article: Article) -> str:
    """Return who wrote an article, where that says more than its source does, the first by name; else nothing."""
    source = label(article.source or "").casefold()
    authors = [author for author in article.authors if author.casefold() != source]
    more = len(authors) - NAMED_AUTHORS
    if more <= 0:
        return byline(authors)
    return byline([*authors[:NAMED_AUTHORS], ngettext("%(num)d more", "%(num)d more", more)])


def story_line(story: StorySize) -> str:
    """Return of how many articles and outlets a story is."""
    articles: str = ngettext("%(num)d article", "%(num)d articles", story.articles)
    if not story.outlets:
        return articles
    outlets = ngettext("%(num)d outlet", "%(num)d outlets", story.outlets)
    both: str = gettext("%(articles)s from %(outlets)s", articles=articles, outlets=outlets)
    return both


def count_of(number: int, singular: str, plural: str = "") -> str:
    """Return the number with its noun: 1 article, 2,000 articles. The plural is given where it does not end in s."""
    return f"{number:,} {singular}" if number == 1 else f"{number:,} {plural or singular + 's'}"


def named_outlets(outlets: Collection[str]) -> str:
    """Return the first outlets by name, and how many more there are."""
    named, more = [label(outlet) for outlet in list(outlets)[:NAMED_OUTLETS]], len(outlets) - NAMED_OUTLETS
    return byline([*named, f"{more} more"]) if more > 0 else byline(named)


def span_of(first: datetime | None, latest: datetime | None) -> str:
    """Return from when to when, in days; empty when that is not known."""
    if first is None or latest is None:
        return ""
    if first.date() == latest.date():
        return long_day(first)
    if first.year != latest.year:
        return f"{long_day(first)} to {long_day(latest)}"
    begin = f"{first.day}" if first.month == latest.month else f"{first.day} {first:%B}"
    return f"{begin} to {long_day(latest)}"


def span_of_days(first: date, last: date) -> str:
    """Return from which day to which, as a year or two where the days between are many."""
    if (last - first).days > DAYS_TOLD and first.year != last.year:
        return str(gettext("%(first)s to %(last)s", first=first.year, last=last.year))
    if first == last:
        return long_day(last)
    return str(gettext("%(first)s to %(last)s", first=long_day(first), last=long_day(last)))


def code(text: str) -> Markup:
    """Return what is to be typed, as such."""
    return Markup("<code>{}</code>").format(text)


def found_line(response: SearchResponse | Outline) -> str:
    """Return how much was found, and no more than is known."""
    if not response.total:
        return "No articles"
    counted = count_of(response.total, "article")
    return counted if response.complete else f"At least {counted}"


def label(value: str) -> str:
    """Return a source or section as people write it: many feeds send names_with_underscores."""
    return value.replace("_", " ").strip() or value


def language_name(tag: str) -> str:
    """Return a BCP 47 tag as people name the language; a tag that has no name here is shown as it is."""
    language, _, rest = tag.partition("-")
    name = LANGUAGE_NAMES.get(language.lower())
    return tag if name is None else f"{name} ({rest})" if rest else name
