"""What the published schemas of the agency formats say of an item: those IPTC gives out, unchanged, in `schemas/`.

They decide where there is little else to go by: an item with a text of its own is read whatever its agency adds to the
format, but one that has a headline at most must be what its format says it is.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from lxml.etree import XMLSchema, _Element

SCHEMAS = Path(__file__).parent / "schemas"
# The newest of each generation: what was valid in an older version of it still is. Two of IPTC's drafts add `advices`.
NINJS = {
    1: ("ninjs-schema_1.6.json", "ninjs-schema-dev_0.2_v1.5.json"),
    2: ("ninjs-schema_2.2.json", "ninjs-schema-dev_0.1_v2.1.json"),
    3: ("ninjs-schema_3.1.json",),
}
LISTS_OF_2 = frozenset({"standard", "headlines", "bodies", "descriptions", "infosources", "subjects", "genres"})
MAX_MESSAGE = 200  # characters
GEOJSON = "https://geojson.org/schema/GeoJSON.json"
NEWSML_G2 = "NewsML-G2_2.35-spec-All-Power.xsd"
MAX_DEPTH = (
    12  # lists and objects within each other; a real item has 8, and each costs the validator more than the last
)


def ninjs_fault(item: Mapping[str, object]) -> str | None:
    """Return what is wrong with a ninjs item, or None when it is valid in one of the generations."""
    from jsonschema.exceptions import best_match

    if _depth(item) > MAX_DEPTH:
        return f"lists and objects nested more than {MAX_DEPTH} deep"
    own = _generation(item)
    faults = []
    for generation, validators in _ninjs_validators().items():
        for validator in validators:
            errors = list(validator.iter_errors(item))
            if not errors:
                return None
            if generation == own:
                faults.append(errors)
    error = best_match(min(faults, key=len))
    place = ".".join(str(step) for step in error.absolute_path)
    return f"{place}: {_message(error)}" if place else _message(error)


def _generation(item: Mapping[str, object]) -> int:
    """Return which generation an item says it is of, else which its properties are of."""
    standard = item.get("standard", item.get("$standard"))
    said = str(standard.get("version", "")) if isinstance(standard, Mapping) else ""
    if said[:1] in ("1", "2", "3"):
        return int(said[0])
    if any(name != name.lower() for name in item):
        return 3
    return 2 if LISTS_OF_2.intersection(item) or isinstance(item.get("associations"), list) else 1


def _message(error: "ValidationError") -> str:
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        unknown = re.findall(r"'([^']*)'", re.split(r" do(?:es)? not match ", error.message)[0])
        return f"{', '.join(unknown)[:100]}: no property that ninjs has"
    return str(error.message if len(error.message) <= MAX_MESSAGE else f"{error.message[:MAX_MESSAGE]}…")


def newsml_g2_fault(item: "_Element") -> str | None:
    """Return what is wrong with a NewsML-G2 item, or None when it is valid."""
    schema = _newsml_g2_schema()
    schema.validate(item)
    # An element of another standard, such as rights in ODRL, is valid, though its schema is not at hand to say so.
    log: Any = schema.error_log  # its stubs do not know that it can be walked
    errors = (error for error in log if "strict wildcard" not in error.message)
    error = next(errors, None)
    if error is None:
        return None
    message = str(error.message)
    return message.replace("{http://iptc.org/std/nar/2006-10-01/}", "")[:300]


def _depth(value: object) -> int:
    """Return how deep lists and objects are nested, stopping where it is too deep."""
    deepest = 0
    pending = [(value, 0)]
    while pending and deepest <= MAX_DEPTH:
        inner, depth = pending.pop()
        if isinstance(inner, Mapping | list):
            deepest = max(deepest, depth + 1)
            parts = inner.values() if isinstance(inner, Mapping) else inner
            pending += [(part, depth + 1) for part in parts]
    return deepest


@cache
def _ninjs_validators() -> dict[int, list[Any]]:
    from jsonschema.validators import validator_for
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    geojson = Resource.from_contents(_json("GeoJSON-schema.json"), default_specification=DRAFT202012)
    registry = Registry().with_resource(GEOJSON, geojson)
    schemas = {generation: [_json(name) for name in names] for generation, names in NINJS.items()}
    return {
        generation: [validator_for(schema)(schema, registry=registry) for schema in those]
        for generation, those in schemas.items()
    }


def _json(name: str) -> "dict[str, Any]":
    schema: dict[str, Any] = json.loads((SCHEMAS / "ninjs" / name).read_text(encoding="utf-8"))
    return schema


@cache
def _newsml_g2_schema() -> "XMLSchema":
    from lxml import etree

    # Our own files: what they import lies beside them, and nothing is fetched.
    return etree.XMLSchema(etree.parse(SCHEMAS / "newsml-g2" / NEWSML_G2, etree.XMLParser(no_network=True)))
