"""How one text differs from another, as pages and endpoints tell it: in a line, in stretches, as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from flask_babel import gettext, ngettext

from archive.differences import Differences, Kind, Piece
from web import units
from web.payload import Json
from web.wording import in_a_row

KINDS: tuple[Kind, ...] = ("kept", "added", "cut", "changed")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sentences that follow each other and are all kept, cut, added or changed."""

    kind: Kind
    pieces: Sequence[Piece]


def stretches_of(differences: Differences | None) -> list[Stretch]:
    """Return the sentences, those of one kind that follow each other together."""
    pieces = differences.pieces if differences else ()
    return [Stretch(kind, list(run)) for kind, run in groupby(pieces, key=lambda piece: piece.kind)]


def counted(differences: Differences) -> list[str]:
    """Return how many sentences were added, cut and changed, each as a phrase; nothing of a text that is the same."""
    added, cut, changed = (differences.count(kind) for kind in KINDS[1:])
    told = (
        ngettext("%(number)s sentence added", "%(number)s sentences added", added, number=units.number(added))
        if added
        else "",
        ngettext("%(number)s sentence cut", "%(number)s sentences cut", cut, number=units.number(cut)) if cut else "",
        ngettext("%(number)s sentence changed", "%(number)s sentences changed", changed, number=units.number(changed))
        if changed
        else "",
    )
    return [phrase for phrase in told if phrase]


def summary_of(differences: Differences) -> str:
    """Say in one line how a copy differs."""
    return in_a_row(counted(differences)) or gettext("word for word the same")


def differences_object(found: Differences) -> Json:
    """Return every sentence of a comparison, and how many there are of each kind."""
    sentences = [{"kind": piece.kind, "before": piece.before, "after": piece.after} for piece in found.pieces]
    return {"complete": found.complete, **{kind: found.count(kind) for kind in KINDS}, "sentences": sentences}
