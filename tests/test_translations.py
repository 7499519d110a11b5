"""The catalogues of messages: up to date with the sources, complete, and safe to fill and to show."""

import io
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from web.languages import LOCALES

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "web" / "translations"
TRANSLATED = [language for language in LOCALES if language != "en"]
PLACEHOLDER = re.compile(r"%\((\w+)\)s|\{(\w*)\}")
FORMS = {"de": 2, "ar": 6}
SAID_IN_WORDS = {"ar": 3}  # the first forms, of none, one and two: the word alone says how many

pytestmark = pytest.mark.parametrize("language", TRANSLATED)


@cache
def catalogue(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What is to be translated: the messages of the sources as they are now."""
    made = tmp_path_factory.mktemp("messages") / "messages.pot"
    options = ["-F", str(ROOT / "pyproject.toml"), "-k", "lazy_gettext", "--add-location=file", "-o", str(made)]
    CommandLineInterface().run(["pybabel", "-q", "extract", *options, str(ROOT)])
    with made.open("rb") as file:
        return read_po(file)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def forms(message: Message) -> list[tuple[str, str]]:
    """Return each translation of a message beside what it translates: of several forms, the plural."""
    if isinstance(message.id, tuple):
        return [(message.id[1], form) for form in message.string]
    return [(message.id, str(message.string))]


def placeholders(text: str) -> set[str]:
    return {match[0] for match in PLACEHOLDER.finditer(text)}


def test_a_catalogue_has_the_messages_of_the_sources_and_no_others(language: str, sources: Catalog) -> None:
    wanted, there = {message.id for message in sources if message.id}, {message.id for message in messages(language)}
    assert (wanted - there, there - wanted) == (set(), set()), "make translations"
    assert not catalogue(language).obsolete


def test_every_message_is_translated_in_all_forms_its_language_has(language: str) -> None:
    assert catalogue(language).num_plurals == FORMS[language]
    for message in messages(language):
        assert not message.fuzzy, message.id
        assert all(form.strip() for _, form in forms(message)), message.id
        assert len(forms(message)) == (FORMS[language] if isinstance(message.id, tuple) else 1)


def test_a_translation_is_filled_with_what_the_message_is(language: str) -> None:
    for message in messages(language):
        for number, (said, form) in enumerate(forms(message)):
            may_be_left_out = (
                {"%(number)s"} if isinstance(message.id, tuple) and number < SAID_IN_WORDS.get(language, 0) else set()
            )
            assert placeholders(said) - may_be_left_out <= placeholders(form) <= placeholders(said), (said, form)
            assert form.count("%") == len(re.findall(r"%\(\w+\)s", form)), form


def test_no_message_holds_markup(language: str) -> None:
    for message in messages(language):
        for said, form in forms(message):
            assert not re.search(r"[<>]|&\w+;", said + form), said


def test_a_translation_begins_and_ends_as_its_message_does(language: str) -> None:
    for message in messages(language):
        for said, form in forms(message):
            assert (said[:1].isspace(), said[-1:].isspace()) == (form[:1].isspace(), form[-1:].isspace()), said
            assert (said[-1:] == ":") == (form[-1:] == ":"), said


def test_what_is_compiled_is_what_is_written(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    kept = TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo"
    assert kept.read_bytes() == compiled.getvalue(), "make translations"


def test_the_plural_forms_are_chosen_by_the_rule_of_unicode(language: str) -> None:
    rule, told = LOCALES[language].plural_form, {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 4, "other": 5}
    if language == "de":
        told = {"one": 0, "other": 1}
    from gettext import c2py

    chosen = c2py(catalogue(language).plural_expr)
    assert [chosen(number) for number in range(205)] == [told[rule(number)] for number in range(205)]
