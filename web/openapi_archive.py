"""What can be asked without a search: versions and citations of an article, what is browsed, the state. Pure."""

from collections.abc import Mapping

from index.browsing import SORTINGS
from index.contents import ORDERS
from index.coverage import UNITS
from web.browse_reading import ARTICLES, NAMES
from web.browse_urls import DEFAULT_SORTING, NAMES_URLS
from web.citing import FORMATS
from web.openapi_operations import choice, file_of, json_of, operation, paging, parameter
from web.params import MAX_FILTER_CHARS, MAX_VERSION
from web.payload import Json


def archive_paths(examples: Mapping[str, str]) -> dict[str, Json]:
    """Return what a GET does, by path. `examples` are values that this archive has."""
    state = [choice("by", "Coverage by the day or by the week.", UNITS)]
    return {
        **_versions(examples),
        **_browsing(examples),
        "/api/status": operation("status", "The state of the installation", state, json_of("Status")),
    }


def _versions(examples: Mapping[str, str]) -> dict[str, Json]:
    article = parameter("id", "The article's id.", {"type": "string"}, place="path", example=examples["article"])
    number: Json = {"type": "integer", "minimum": 1, "maximum": MAX_VERSION}
    version = parameter("number", "The version's number.", number, place="path", example="1")
    against = parameter("against", "The version to compare with; else the one before.", number, example="1")
    one = "/api/articles/{id}/versions/{number}"
    read = {
        one: operation("version", "One version of an article", [article, version], json_of("Version")),
        f"{one}/changes": operation("changes", "What changed in it", [article, version, against], json_of("Changes")),
    }
    for form, made in FORMATS.items():
        content = file_of(made.media_type.partition(";")[0])
        read[f"/articles/{{id}}/cite.{form}"] = operation(
            f"cite-{made.name}", f"The citation of an article: {made.name}", [article], content
        )
    return read


def _browsing(examples: Mapping[str, str]) -> dict[str, Json]:
    parts = zip(("year", "month", "day"), examples["day"].split("-"), strict=True)
    year, month, day = (
        parameter(name, f"The {name}, in digits.", {"type": "integer", "minimum": 1}, place="path", example=value)
        for name, value in parts
    )
    pages = paging(ARTICLES)[:2]
    order = choice("sort", "The order.", ORDERS)
    read = {
        "/api/browse": operation("browse", "The archive as a whole, by years", [], json_of("Overview")),
        "/api/browse/{year}": operation("year", "A year", [year], json_of("Year")),
        "/api/browse/{year}/{month}": operation("month", "A month", [year, month], json_of("Month")),
        "/api/browse/{year}/{month}/{day}": operation(
            "day", "The articles of a day", [year, month, day, order, *pages], json_of("Day")
        ),
        "/api/browse/undated": operation("undated", "The articles of unknown date", pages, json_of("Undated")),
    }
    letter: Json = {"type": "string", "pattern": "^(.?|other)$"}
    is_there = r"[^\s\u001c-\u001f\u0085]"  # Python strips more than the white space of JSON Schema's expressions
    one: Json = {"type": "string", "maxLength": MAX_FILTER_CHARS, "pattern": is_there}
    for kind, path in NAMES_URLS.items():
        text: Json = {"type": "string", "maxLength": MAX_FILTER_CHARS}
        asked = [
            parameter("letter", "Only names that begin with this letter, or other.", letter),
            parameter("q", "Only names that hold this text.", text),
            choice("sort", "The order.", SORTINGS, default=DEFAULT_SORTING[kind]),
            *paging(NAMES)[:2],
        ]
        every = path.rpartition("/")[2]
        read[f"/api{path}"] = operation(every, f"All {every}", asked, json_of("Names"))
        name = parameter("name", f"Which {kind}.", one, example=examples[kind], required=True)
        read[f"/api/browse/{kind}"] = operation(kind, f"What there is of one {kind}", [name], json_of("Profile"))
    return read
