"""The languages the pages speak, and which of them answers a request.

A reader's browser says which languages its reader knows; the first of those there are is spoken, else English. An
installation can settle on one instead (`BACKFILE_LANGUAGE`). Nothing is kept: no cookie, nothing in an address.

Invariant: what programs read under /api is in English, whoever asks; an answer that could have been in another language
says so in `Vary`.
"""

from babel import Locale
from flask import Flask, Response, has_request_context, request
from flask_babel import Babel, Domain, get_locale
from werkzeug.datastructures import LanguageAccept

from web.services import services
from web.units import ENGLISH

LOCALES = {"en": ENGLISH, "de": Locale("de"), "ar": Locale("ar")}
COMPLETIONS = "/api/completions"  # what the search box of these pages shows: for people, though it is JSON
FOR_PROGRAMS = ("/api/", "/static/", "/healthz", "/readyz", "/metrics")  # beginnings of addresses


def register(app: Flask) -> None:
    """Make `app` speak its readers' languages, and say which one it spoke."""
    Babel(app, default_locale=str(ENGLISH), locale_selector=_chosen).domain_instance = _Catalogues()
    app.after_request(_told)
    app.context_processor(lambda: {"language_is_chosen": services().settings.language == "auto"})


class _Catalogues(Domain):  # type: ignore[misc]  # Flask-Babel has no type hints
    """Flask-Babel's catalogues, found without writing out the locale's name for each of a page's hundreds of texts."""

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[Locale, object] = {}

    def get_translations(self) -> object:
        """Return the catalogue of this request's language."""
        language = get_locale()
        found = self._of.get(language)
        if found is None:
            found = self._of[language] = super().get_translations()
        return found


def _chosen() -> Locale:
    """Return the language of the answer to this request; English of what a command prints."""
    if not has_request_context() or _is_for_programs():
        return ENGLISH
    fixed = services().settings.language
    return LOCALES[best(request.accept_languages) if fixed == "auto" else fixed]


def best(liked: LanguageAccept) -> str:
    """Return the language that a reader likes best of those there are, whatever its country."""
    for tag, quality in liked:  # the best liked first
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in LOCALES:
            return language
    return "en"


def _is_for_programs() -> bool:
    return request.path.startswith(FOR_PROGRAMS) and request.path != COMPLETIONS


def _told(answer: Response) -> Response:
    if _is_for_programs():
        return answer
    if services().settings.language == "auto":
        answer.vary.add("Accept-Language")
    if answer.mimetype == "text/html":
        answer.content_language.add((get_locale() or ENGLISH).language)
    return answer
