"""Which searches are noted, where the operator wants that: what is asked for, not each letter that is typed."""

from flask import request

from index.search import SearchRequest
from web import params
from web.saved import question_of
from web.services import Services

LONGEST = 500  # characters of a search that is kept: who pastes a text searches for something of their own


def note_search(parts: Services, wanted: SearchRequest) -> None:
    """Note the first page of a search that somebody asks for, if the operator wants that."""
    if parts.settings.query_log == "off" or not params.is_first_page(wanted):
        return
    if request.path == "/search" and request.headers.get("Sec-Fetch-Dest") == "empty":  # results as one types
        return
    question = question_of(wanted)
    if question and len(question) <= LONGEST:
        parts.noting.note(question)
