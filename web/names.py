"""Who wrote an article, from bylines as papers print them: persons with the parts of their names, and bodies. Pure.

"By JANE DOE and John Roe, Staff Writers" names two persons; "Reuters" is nobody's family name. What is not surely a
person is left whole: a name that is cut wrongly is worse in a list of references than one that is not cut.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_BY = re.compile(
    r"^(?:(?:written|reported|story|text|analysis|opinion|commentary) )?by[:\s]+"
    r"|^(?:analysis|opinion|commentary)[:\s]+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*;\s*|\s*,?\s+(?:and|&|with)\s+|\s*\|\s*", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s*")
_CAPITAL = re.compile(r"\b(Mc)?([^\W\d_])([^\W\d_]*)")
_AGENCY = re.compile(r"reuters|bloomberg|xinhua|kyodo|tass|ansa|efe|[A-Z]{2,5}")  # of one word
_SUFFIX = re.compile(r"(?:jr|sr)\.?|ii|iii|iv|esq\.?|ph\.?d\.?|m\.?d\.?", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}")
_PARTICLES = frozenset(
    (
        *("af", "al", "ap", "av", "bin", "bint", "d'", "da", "das", "de", "dei", "del", "della", "den", "der", "des"),
        *("di", "do", "dos", "du", "el", "ibn", "la", "las", "le", "los", "te", "ten", "ter", "van", "vom", "von", "y"),
        *("z", "zu", "zum", "zur"),
    )
)
_ROLE = re.compile(
    r"\b(?:staff|writers?|reporters?|correspondents?|editors?|editor-at-large|columnists?|contributors?|contributing"
    r"|special to|for the|photographs?|photographers?|analysts?|producers?|critics?|freelancers?)\b",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"\b(?:agency|agence|agencies|associated|association|board|broadcasting|bulletin|bureau|center|centre|channel"
    r"|chronicle|college|committee|company|corporation|council|courier|daily|department|desk|dispatch|editorial|express"
    r"|foundation|gazette|group|guardian|herald|inc|institute|international|journal|ltd|magazine|media|ministry|network"
    r"|news|newsroom|newswire|office|online|party|post|press|presse|project|radio|review|service|services|society|staff"
    r"|standard|team|telegraph|television|times|today|tribune|tv|union|university|weekly|wire|world|\.com|\.org)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A person, or with no `given` name a body or whoever is known by one name, whole in `family`.

    `particle` is what stands before a family name in small letters (van, de la); `suffix` is Jr. and the like.
    """

    family: str
    given: str = ""
    particle: str = ""
    suffix: str = ""

    @property
    def is_person(self) -> bool:
        """Return whether the name has parts."""
        return bool(self.given)

    @property
    def whole(self) -> str:
        """Return the name as it is said."""
        said = " ".join(part for part in (self.given, self.particle, self.family) if part)
        return f"{said}, {self.suffix}" if self.suffix else said

    @property
    def inverted(self) -> str:
        """Return the name as a list is sorted by it: Doe, Jane; van Gogh, Vincent; King, Martin Luther, Jr."""
        family = " ".join(part for part in (self.particle, self.family) if part)
        return ", ".join(part for part in (family, self.given, self.suffix) if part)


def names_of(authors: Iterable[str]) -> list[Name]:
    """Return everybody that these bylines name, each once, in their order."""
    return list(dict.fromkeys(name for author in authors for name in _names(author)))


def without_by(author: str) -> str:
    """Return a byline without the word that begins it: the page says "By" itself."""
    return _BY.sub("", author.strip()).removeprefix("the ") or author


def _names(author: str) -> Iterator[Name]:
    for piece in _BETWEEN.split(without_by(author)):
        yield from _listed([part for part in _COMMA.split(piece) if part])


def _listed(parts: Sequence[str]) -> Iterator[Name]:
    """Yield who is named between two commas or more: a person, what that person is, or the next one."""
    if _is_inverted(parts):
        yield Name(family=_calm(parts[0]), given=_calm(parts[1]), suffix=" ".join(parts[2:]))
        return
    met: list[Name] = []
    for part in parts:
        if _SUFFIX.fullmatch(part) and met and met[-1].is_person:
            last = met.pop()
            met.append(Name(last.family, last.given, last.particle, part))
        elif met and (_ROLE.search(part) or (_is_employer(part) and met[-1].is_person)):
            continue  # what somebody is, or for whom: not who
        elif met and len(part.split()) < 2 and met[-1].is_person:
            yield Name(", ".join(parts))  # Garcia Marquez, Gabriel? Jane Doe, London? Nobody knows
            return
        else:
            met.append(Name(_calm(part)) if _is_body(part) else _person(_calm(part)))
    yield from met


def _is_inverted(parts: Sequence[str]) -> bool:
    """Return whether it is one name with the family's first: Doe, Jane."""
    if not 2 <= len(parts) <= 3 or (len(parts) == 3 and not _SUFFIX.fullmatch(parts[2])):
        return False
    family, given = parts[0].split(), parts[1].split()
    is_short = [word for word in family if word.lower() not in _PARTICLES][1:] == [] and len(given) <= 2
    return is_short and not (_ROLE.search(parts[1]) or _SUFFIX.fullmatch(parts[1]) or _any_body(parts[:2]))


def _any_body(parts: Iterable[str]) -> bool:
    return any(_BODY.search(part) or part.isupper() for part in parts)


def _is_body(part: str) -> bool:
    return bool(_BODY.search(part) or _ROLE.search(part)) or part.startswith("The ") or len(part.split()) < 2


def _is_employer(part: str) -> bool:
    return bool(_BODY.search(part) or _AGENCY.fullmatch(part if part.isupper() else part.lower()))


def _person(text: str) -> Name:
    """Return a name of two words or more in its parts."""
    words = text.split()
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    return Name(words[-1], " ".join(words[:start]), " ".join(words[start:-1]), suffix)


def _calm(text: str) -> str:
    """Return a name that shouts as people write it; initials and words of one name, such as AFP, stay."""
    if not text.isupper() or len(text.split()) < 2:
        return text
    return " ".join(word if _INITIALS.fullmatch(word) else _CAPITAL.sub(_capital, word) for word in text.split())


def _capital(match: re.Match[str]) -> str:
    whole = match[0]
    if whole.startswith("MC") and len(whole) > 3:
        return f"Mc{whole[2]}{whole[3:].lower()}"
    return whole[0] + whole[1:].lower()
