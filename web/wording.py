"""What the pages say in words: dates, counts, why a result matched, which links are safe. Pure.

Invariant: text that came from outside leaves here escaped or as plain `str`, which the templates escape.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from flask_babel import gettext, lazy_gettext
from markupsafe import Markup, escape

from index.listing import Sort
from index.ranking import Mode
from index.search import SearchResponse
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
SORT_NAMES: dict[Sort, str] = {"relevance": "Best match", "newest": "Newest", "oldest": "Oldest"}
RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi")
)  # languages
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
    inside = Markup('<span class="sense">') + _marked(text, (start, end), marks) + Markup("</span>")
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


def direction(language: str | None) -> str:
    """Return which way a language is written: ltr or rtl."""
    return "rtl" if (language or "").lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def reading_minutes(body: str) -> int:
    """Return how many minutes people take to read a text, one at least."""
    unspaced = len(_UNSPACED.findall(body))
    return max(1, round((len(body.split()) / WORDS_A_MINUTE) + unspaced / SIGNS_A_MINUTE))


def byline(authors: Sequence[str]) -> str:
    """Return the authors as one phrase: A, B and C."""
    if len(authors) < 2:
        return "".join(authors)
    return f"{', '.join(authors[:-1])} and {authors[-1]}"


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


def found_line(response: SearchResponse) -> str:
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
