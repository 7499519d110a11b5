"""The headline of a page: what stands over the article, without the name of the site. Pure.

Search engines and social networks are told other headlines than readers, so a heading on the page goes before what its
tags say, as long as they agree that it is this article's: pages have headings of other things too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

AGREEMENT = 0.5  # of the words of the shorter of two headlines: so many in common, and they head the same article
MIN_WORDS = 2  # of a heading that no tag confirms: a single word is a section or a menu
MAX_SITE_WORDS = 4  # of a window title's last part, where the site is named nowhere else: "… - The New York Times"
MAX_SECTION_WORDS = 2  # of a part before the site's name and after the same sign: "… | World News | The Courier"
MAX_HEADLINE_CHARS = 400  # the longest of real headlines are under 250; longer ones are texts in a heading's place

_SEPARATOR = re.compile(r"\s+(?:[-–—|·•»«›:<>*/~]|::|--)\s+|\s*[|»]\s*|\s:\s")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """What a page offers as its headline, cleaned: in its tags, in order of trust, and on the page itself."""

    claims: Sequence[str]
    window: str  # the title of the window, which names the site as well
    marked: Sequence[str]  # on the page, and marked up as the headline
    visible: Sequence[str]  # the page's main headings
    sites: Sequence[str]  # the names of the site


def headline(headings: Headings) -> str:
    """Return the headline, empty where there is none. It is never the name of the site alone."""
    sites = {folded(site) for site in headings.sites} - {""}
    told = [*headings.claims, headings.window]
    claims = [claim for text in told if _can_be_one(claim := without_site(text, sites)) and folded(claim) not in sites]
    shown = [text for text in (*headings.marked, *headings.visible) if _can_be_one(text) and folded(text) not in sites]
    for claim in claims:
        for text in shown:
            if folded(text) == folded(claim):
                return text
    agreeing = [(agreement, text) for text in shown if (agreement := _agreement(text, claims)) >= AGREEMENT]
    if agreeing:
        return max(agreeing, key=lambda pair: pair[0])[1]
    alone = list(dict.fromkeys(headings.marked)) or list(dict.fromkeys(headings.visible))
    if len(alone) == 1 and alone[0] in shown and len(_words(alone[0])) >= MIN_WORDS:
        return alone[0]
    if any(headings.claims) or not claims:
        return claims[0] if claims else ""
    return without_site(claims[0], {folded(last) for last in _SEPARATOR.split(claims[0])[1:][-1:] if _is_short(last)})


def without_site(text: str, sites: set[str]) -> str:
    """Return `text` without the site's name, and the sections that stand before it, at its end or its beginning.

    `sites` are folded names. A part of the headline is the site's name when it is one of them, or nearly.
    """
    cuts = list(_SEPARATOR.finditer(text))
    starts = [0, *(cut.end() for cut in cuts)]
    ends = [*(cut.start() for cut in cuts), len(text)]
    parts = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    last = next((at for at in range(len(parts) - 1, 0, -1) if _names(parts[at], sites)), None)
    if last is not None:
        sign = cuts[last - 1][0]
        while last > 1 and cuts[last - 2][0] == sign and len(parts[last - 1].split()) <= MAX_SECTION_WORDS:
            last -= 1
        return text[: ends[last - 1]].strip()
    if len(parts) > 1 and _names(parts[0], sites):
        return text[starts[1] :].strip()
    return text.strip()


def folded(text: str) -> str:
    """Return the letters and digits of `text` alone, for comparing names and headlines."""
    return "".join(filter(str.isalnum, text.casefold()))


def _names(part: str, sites: set[str]) -> bool:
    name = folded(part)
    return any(name == site or (len(name) >= 3 and (site.startswith(name) or name.startswith(site))) for site in sites)


def _is_short(text: str) -> bool:
    return len(text.split()) <= MAX_SITE_WORDS


def _can_be_one(text: str) -> bool:
    return bool(folded(text)) and len(text) <= MAX_HEADLINE_CHARS


def _agreement(text: str, claims: Sequence[str]) -> float:
    words = _words(text)
    return max((_shared(words, _words(claim)) for claim in claims), default=0.0)


def _shared(one: set[str], other: set[str]) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller >= MIN_WORDS else 0.0


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
