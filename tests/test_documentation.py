"""Documentation is complete: what can be set, called or typed is written down, and what is written down is true.

The endpoints are compared with docs/api.md in test_api.py, the query language with its page in test_query.py.
"""

import re
import shlex
from pathlib import Path
from typing import Literal, get_args, get_origin

import click
import pytest
from flask import Flask

from archive.readers import READER_OF_SUFFIX
from archive.readers.fields import KNOWN
from archive.readers.texts.text import FIELD_OF_HEADER
from index.calibration import THRESHOLD
from web import commands
from web.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def all_commands() -> dict[str, click.Command]:
    app = Flask("bare")
    commands.register(app)
    return dict(app.cli.commands)


COMMANDS = all_commands()


def sections(text: str, heading: str) -> dict[str, str]:
    """Return what stands under each heading of this level, by the heading."""
    parts = re.split(rf"^{heading} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def section_of(command: str) -> str:
    found = [text for title, text in sections(OPERATIONS, "###").items() if re.match(rf"`flask {command}\b", title)]
    assert len(found) == 1, f"docs/operations.md has {len(found)} sections on `flask {command}`"
    return re.split(r"^## ", found[0], flags=re.MULTILINE)[0]


def examples(text: str) -> list[str]:
    """Return the `flask` command lines that stand in code, without what their output is sent to."""
    lines = re.findall(r"^    (?:.*&& )?(?:\.venv/bin/)?flask (.+)$", text, flags=re.MULTILINE)
    return [re.split(r" (?:>|&&|\|\||#)(?: |$)", line)[0] for line in lines]


# Settings


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table_with_its_default(name: str) -> None:
    row = re.search(rf"^\| `{PREFIX}{name.upper()}` \|(.+)\| `(.+)` \|$", OPERATIONS, flags=re.MULTILINE)
    assert row, f"{PREFIX}{name.upper()} is not in docs/operations.md"
    field = Settings.model_fields[name]
    assert row[2] == ("unset" if field.default is None else str(field.default))
    for choice in get_args(field.annotation) if get_origin(field.annotation) is Literal else ():
        assert f"`{choice}`" in row[1]


def test_every_setting_that_is_written_of_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for page in PAGES:
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", page.read_text(encoding="utf-8"))) <= known, page.name


def test_the_figures_shown_are_those_in_force() -> None:
    assert re.findall(r'"threshold": ([\d.]+)', OPERATIONS) == [str(THRESHOLD)]


# Commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section_with_all_its_options_and_an_example(name: str) -> None:
    text = section_of(name)
    command = COMMANDS[name]
    each = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    options = {option for one in each for given in one.params for option in given.opts if option.startswith("--")}
    assert [option for option in sorted(options) if not re.search(rf"`{option}[` ]", text)] == []
    assert [line for line in examples(text) if line.split()[0] == name]


def test_every_example_uses_only_what_there_is() -> None:
    lines = [line for page in PAGES for line in examples(page.read_text(encoding="utf-8"))]
    lines += [line for command in COMMANDS.values() for line in re.findall(r"^ +flask (.+)$", command.help or "", re.M)]
    assert len(lines) > 30
    for line in lines:
        words = shlex.split(re.split(r" (?:&&|#)", line)[0])
        if words[0] in ("run", "COMMAND"):
            continue
        command = COMMANDS[words[0]]
        command = command.commands[words[1]] if isinstance(command, click.Group) else command
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known | {"--help"}, line


def test_every_exit_status_is_explained() -> None:
    for status in (0, 1, 2):
        assert re.search(rf"^\| {status} \| \S", OPERATIONS, flags=re.MULTILINE)


# What can be ingested


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_field_name_is_documented(name: str) -> None:
    table = OPERATIONS.split("| field | names")[1].split("\n\n")[0]
    assert f"`{name}`" in table


@pytest.mark.parametrize("name", FIELD_OF_HEADER)
def test_every_header_line_is_documented(name: str) -> None:
    table = OPERATIONS.split("| header line |")[1].split("\n\n")[0]
    assert f"`{name}:`" in table.lower()


@pytest.mark.parametrize("suffix", [suffix for suffix in READER_OF_SUFFIX if suffix])
def test_every_file_name_ending_is_documented(suffix: str) -> None:
    assert f"`{suffix}`" in OPERATIONS.split("| kind | names")[1].split("\n\n")[0]


# Running and recovering


@pytest.mark.parametrize(
    "path",
    [
        "archive.sqlite3",
        "archive.lock",
        "takedowns.jsonl",
        "index/gen-N/",
        "index/building-*/",
        "models/",
        "evaluations/",
    ],
)
def test_every_file_under_data_is_explained(path: str) -> None:
    assert re.search(rf"^\| .*`{re.escape(path)}`.* \| \S.* \| \S.* \|$", OPERATIONS, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "accident",
    ["The index was deleted", "A generation is damaged", "An ingest was interrupted", "An article must go"],
)
def test_every_accident_has_commands_to_recover_by(accident: str) -> None:
    assert examples(sections(OPERATIONS, "###")[accident])


def test_the_page_warns_of_preloading_and_says_what_to_back_up() -> None:
    chapters = sections(OPERATIONS, "##")
    assert "Never use `--preload`" in chapters["Serve"]
    assert "one process with several threads" in chapters["Serve"]
    assert "VACUUM INTO" in sections(OPERATIONS, "###")["Back up"]


# Decisions, and the pages as a whole


def test_every_decision_says_what_was_what_was_chosen_and_what_it_costs() -> None:
    decisions = sections(DECISIONS, "###")
    assert len(decisions) >= 14
    assert [int(title.split(".")[0]) for title in decisions] == list(range(1, len(decisions) + 1))
    for title, text in decisions.items():
        parts = re.findall(r"^(\w+): \S.{10,}", text, flags=re.MULTILINE)
        assert parts == ["Context", "Choice", "Cost"], title


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", text):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_and_source_file_that_is_written_of_exists() -> None:
    for page in PAGES:
        named = re.findall(r"`((?:archive|index|web|docs|tests)/[\w/]+\.(?:py|md))`", page.read_text(encoding="utf-8"))
        assert [name for name in named if not (ROOT / name).exists()] == [], page.name
    said = "".join(
        file.read_text(encoding="utf-8") for room in ("archive", "index", "web") for file in (ROOT / room).rglob("*.py")
    )
    assert [name for name in set(re.findall(r"docs/\w[\w-]*\.md", said)) if not (ROOT / name).exists()] == []
