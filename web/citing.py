"""An article as others cite it: in plain words, and for BibTeX, RIS and CSL-JSON. Pure.

What is not known is left out or said to be unknown, as style guides have it: without an author the headline comes
first, without a date it says so, and a headline that the source did not give stands in brackets. Invariant: what is
written can be read by the programs it is for, whatever an article holds: every value is on one line, and signs that
mean something are escaped.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from flask_babel import gettext

from archive.article import Article
from web.links import outside_link
from web.names import Name, names_of
from web.payload import Json
from web.units import long_day
from web.wording import byline, in_a_row, label

MOST_NAMED = 3  # authors in a plain citation; of more, the first and "et al.", as newspapers are cited
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")  # BibTeX's own names
_BIBTEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # an escaped brace counts as a brace all the same
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "$&#_%"},
}
_CONTROL = frozenset({"Cc", "Zl", "Zp"})
_IN_ADDRESS = re.compile(r"[\\{}\s<>\"]")  # what breaks a field that is taken as it is


@dataclass(frozen=True, slots=True)
class Citation:
    """What is cited: one version of an article, where this archive keeps it, and the day it was looked at."""

    article: Article
    site: str
    address: str  # in full, of this version here
    accessed: date

    @property
    def key(self) -> str:
        """The name it has in a bibliography: it goes by the id alone, so a correction does not change it."""
        return f"article-{self.article.id}"

    @property
    def names(self) -> list[Name]:
        """Who wrote it."""
        return names_of(self.article.authors)

    @property
    def title(self) -> str:
        """The headline on one line, in brackets when it is not the source's own."""
        title = _line(self.article.title)
        return f"[{title}]" if self.article.derived_title else title

    @property
    def source(self) -> str:
        """Where it was published, as people write that; empty when unknown."""
        return _line(label(self.article.source or ""))

    @property
    def url(self) -> str:
        """Where it was published on the web, else its address here."""
        return outside_link(self.article.url) or self.address

    @property
    def day(self) -> date | None:
        """The day it was published on, in UTC."""
        at = self.article.published_at
        return at.astimezone(UTC).date() if at else None


def plain(citation: Citation) -> str:
    """Return the citation in words, as newspaper articles are cited."""
    where = [part for part in (citation.source, long_day(citation.day) if citation.day else gettext("n.d.")) if part]
    kept = gettext(
        "Archived in %(site)s, version %(number)s, %(address)s; accessed %(day)s.",
        site=_line(citation.site),
        number=citation.article.version,
        address=citation.address,
        day=long_day(citation.accessed),
    )
    original = outside_link(citation.article.url)
    parts = [_authors(citation.names), _quoted(citation.title), _stopped(in_a_row(where))]
    return " ".join(part for part in (*parts, f"{original}." if original else "", kept) if part)


def _authors(names: Sequence[Name]) -> str:
    """Return the authors, the first as a list is sorted by it; empty when they are unknown."""
    if not names:
        return ""
    if len(names) > MOST_NAMED:
        told = gettext("%(name)s et al.", name=_line(names[0].inverted))
    else:
        told = byline([_line(names[0].inverted), *(_line(name.whole) for name in names[1:])])
    return _stopped(told)


def _stopped(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _quoted(title: str) -> str:
    return str(gettext("“%(title)s”", title=title if title.endswith(("?", "!", ".", "…")) else f"{title}."))


def bibtex(citation: Citation) -> str:
    """Return an entry for BibTeX and biblatex, in Unicode, which both read today."""
    article, day = citation.article, citation.day
    fields = {
        "author": " and ".join(map(_bibtex_name, citation.names)),
        "title": f"{{{_escaped(citation.title)}}}",  # in braces of its own: capitals stay
        "journal": _escaped(citation.source),
        "entrysubtype": "newspaper" if citation.source else "",
        "year": str(day.year) if day else "",
        "date": day.isoformat() if day else "",
        "url": _IN_ADDRESS.sub(_percent, citation.url),
        "urldate": citation.accessed.isoformat(),
        "langid": _escaped(article.language or ""),
        "note": _escaped(_kept_in(citation)),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    if day:
        lines.append(f"  month = {MONTHS[day.month - 1]}")
    entry = ",\n".join([f"@{'article' if citation.source else 'misc'}{{{citation.key}", *lines])
    return f"{entry}\n}}\n"


def _bibtex_name(name: Name) -> str:
    """Return a name that BibTeX does not take apart otherwise: a body stands in braces, "and" and all."""
    if not name.is_person:
        return f"{{{_escaped(name.family)}}}"
    family = " ".join(part for part in (name.particle, name.family) if part)
    return ", ".join(_escaped(part) for part in (family, name.suffix, name.given) if part)


def _escaped(text: str) -> str:
    return "".join(_BIBTEX.get(sign, sign) for sign in _line(text))


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def ris(citation: Citation) -> str:
    """Return a record in RIS: a tag, two spaces, a hyphen and a space on each line, which CR and LF end."""
    return "".join(f"{tag}  - {value}\r\n" for tag, value in _ris_lines(citation))


def _ris_lines(citation: Citation) -> Iterator[tuple[str, str]]:
    day = citation.day
    yield "TY", "NEWS"
    for name in citation.names:
        yield "AU", _line(name.inverted)
    yield "TI", citation.title
    if citation.source:
        yield "T2", citation.source
    if citation.article.section:
        yield "SE", _line(label(citation.article.section))
    if day:
        yield "PY", f"{day.year:04}"
        yield "DA", f"{day:%Y/%m/%d}/"
    if citation.article.language:
        yield "LA", _line(citation.article.language)
    yield "UR", _line(citation.url)
    yield "Y2", f"{citation.accessed:%Y/%m/%d}/"
    yield "DP", _line(citation.site)
    yield "ID", citation.key
    yield "N1", _line(_kept_in(citation))
    yield "ER", ""


def csl(citation: Citation) -> list[Json]:
    """Return a list of one item in CSL-JSON, the form that Zotero, pandoc and citeproc read."""
    article, day = citation.article, citation.day
    item: Json = {
        "id": citation.key,
        "type": "article-newspaper",
        "title": citation.title,
        "author": [_csl_name(name) for name in citation.names],
        "container-title": citation.source,
        "section": _line(label(article.section or "")),
        "issued": _csl_date(day) if day else None,
        "accessed": _csl_date(citation.accessed),
        "language": article.language,
        "URL": citation.url,
        "archive": _line(citation.site),
        "archive_location": citation.address,
        "version": str(article.version),
        "note": _line(_kept_in(citation)),
    }
    return [{name: value for name, value in item.items() if value}]


def csl_json(citation: Citation) -> str:
    """Return the same, written."""
    return json.dumps(csl(citation), ensure_ascii=False, indent=2) + "\n"


def _csl_name(name: Name) -> Json:
    if not name.is_person:
        return {"literal": _line(name.family)}
    parts = {
        "family": name.family,
        "given": name.given,
        "non-dropping-particle": name.particle,
        "suffix": name.suffix,
    }
    return {part: _line(value) for part, value in parts.items() if value}


def _csl_date(day: date) -> Json:
    return {"date-parts": [[day.year, day.month, day.day]]}


def _kept_in(citation: Citation) -> str:
    return f"Archived in {citation.site}, version {citation.article.version}, {citation.address}"


def _line(text: str) -> str:
    """Return a text on one line, without signs that control something."""
    return " ".join("".join(" " if unicodedata.category(sign) in _CONTROL else sign for sign in text).split())


@dataclass(frozen=True, slots=True)
class Format:
    """A form in which a citation can be had."""

    name: str
    media_type: str
    write: Callable[[Citation], str]


FORMATS = {
    "bib": Format("BibTeX", "application/x-bibtex; charset=utf-8", bibtex),
    "ris": Format("RIS", "application/x-research-info-systems; charset=utf-8", ris),
    "json": Format("CSL-JSON", "application/vnd.citationstyles.csl+json", csl_json),
}  # by the ending of the file's name
