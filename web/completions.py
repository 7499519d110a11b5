"""Completion for our own search box: what browsers get as suggestions, and operators, their values, and a tip beside.

The signs at the end of what is typed decide: the value of a filter or a date is completed by what the archive holds,
plain words by phrases and titles of its headlines, the beginning of an operator's name by its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from flask import Blueprint, Flask, Response, url_for
from flask_babel import gettext

from archive.article import Listing
from index.completion.operators import AtEnd, at_end, is_name_begun, names_begun
from index.completion.suggest import MAX_SUGGESTIONS, Suggestion
from index.completion.values import FILED, written
from index.facets import FacetValue
from index.language.clauses import DATE_OPERATORS
from web.api import written as as_json
from web.services import Services, services
from web.suggestions import origin, suggestions, typed_so_far
from web.syntax import MEANINGS
from web.wording import articles, headlines, label, language_name

blueprint = Blueprint("completions", __name__)


def register(app: Flask) -> None:
    """Add the route to `app`."""
    app.register_blueprint(blueprint)


@dataclass(frozen=True, slots=True)
class Completion:
    """One line to choose: `text` is all that would stand in the box, `label` what is shown, `note` a remark.

    `count` is how many articles, or headlines of a phrase, it is about, None where that is not counted.
    """

    kind: Literal["operator", "value", "phrase", "title"]
    text: str
    label: str
    note: str
    count: int | None = None
    url: str | None = None


@blueprint.get("/api/completions")
def completions() -> Response:
    """Complete what is being typed, and explain the operator it ends with."""
    typed, parts = typed_so_far(), services()
    operator = at_end(typed)
    values = _values(parts, operator) if operator and operator.name else []
    if operator and not values and operator.may_be_over:
        operator = None
    found = [_filled(operator, value) for value in values] if operator and values else _plain(parts, typed)
    answer = as_json(
        {
            "query": typed,
            "completions": [asdict(completion) for completion in found if completion],
            "tip": {"sign": operator.sign, "meaning": str(MEANINGS[operator.sign])} if operator else None,
        }
    )
    answer.headers["Cache-Control"] = "no-cache"  # a title that is withdrawn is not to live on in a cache
    return answer


def _plain(parts: Services, typed: str) -> list[Completion]:
    """Return phrases, titles and names of operators that begin with the last words."""
    names = names_begun(typed)
    suggested, listings = suggestions(parts, typed, limit=MAX_SUGGESTIONS - len(names))
    found = [_suggested(item, listings) for item in suggested]
    at = 0 if is_name_begun(typed) else len(found)
    return [*found[:at], *map(_named, names), *found[at:]]


def _values(parts: Services, operator: AtEnd) -> Sequence[FacetValue]:
    if operator.name in DATE_OPERATORS:
        return parts.field_values.dates(operator.name, operator.typed, limit=MAX_SUGGESTIONS)
    if operator.name in FILED:
        return parts.field_values.beginning(operator.name, operator.typed, limit=MAX_SUGGESTIONS)
    return []


def _filled(operator: AtEnd, value: FacetValue) -> Completion | None:
    """Return the text with the operator's value written out, None where the language cannot say it."""
    text = written(operator.name, value.value or "")
    if text is None or not value.value:
        return None
    shown = language_name(value.value) if operator.name == "language" else label(value.value)
    note = articles(value.count) if value.count else ""
    completed = f"{operator.before}{text.partition(':')[2]} "
    return Completion("value", completed, shown, note, value.count or None)


def _named(text: str) -> Completion:
    sign = text.split()[-1].lstrip("-(")
    return Completion("operator", text, sign, str(MEANINGS[sign]))


def _suggested(item: Suggestion, listings: Mapping[str, Listing]) -> Completion:
    if item.article_id:
        note = origin(listings.get(item.article_id)) or gettext("Article")
        address = url_for("pages.article", article_id=item.article_id)
        return Completion("title", item.text, item.text, note, url=address)
    note = headlines(item.headlines)
    return Completion("phrase", item.text, item.text, note, item.headlines)
