"""The style sheet: every colour stands out from what it may lie on, in each theme; nothing is asked of others."""

import re
from pathlib import Path

import pytest

SHEET = (Path(__file__).resolve().parent.parent / "static" / "backfile.css").read_text(encoding="utf-8")
# What each colour is for. A new variable has to be put into one of these.
GROUNDS = {"paper", "raised"}
MARKED = {"mark", "added-ground"}  # grounds of single words
TEXT = {"ink", "soft", "accent"}
DRAWN = {"bar", "sense", "added", "strong-rule"}  # lines and shapes that say something
DECORATION = {"rule"}
# The grounds of a calendar's days, and what is written on each.
LEVELS = {"nothing": "ink", "level-1": "ink", "level-2": "ink", "level-3": "ink"}
LEVELS |= {"level-4": "on-level", "level-5": "on-level"}
THEMES = {  # by the media each is for
    "light": "",
    "dark": "(prefers-color-scheme: dark)",
    "light, more contrast": "(prefers-contrast: more)",
    "dark, more contrast": "(prefers-contrast: more) and (prefers-color-scheme: dark)",
    "print": "print",
}
BENEATH = {  # a theme changes what it names and takes the rest from those before it
    "light": ["light"],
    "dark": ["light", "dark"],
    "light, more contrast": ["light", "light, more contrast"],
    "dark, more contrast": ["light", "dark", "light, more contrast", "dark, more contrast"],
    "print": ["light", "dark", "print"],
}


def block(theme: str) -> str:
    """Return what finds the variables of a theme in the sheet."""
    media = THEMES[theme]
    begin, end = (rf"^@media {re.escape(media)} \{{\n  :root ", "^  ") if media else ("^:root ", "^")
    return rf"(?ms){begin}\{{(.*?){end}\}}"


def colours(theme: str) -> dict[str, str]:
    """Return every colour of a theme by its name."""
    named: dict[str, str] = {}
    for each in BENEATH[theme]:
        found = re.search(block(each), SHEET)
        assert found, each
        named |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6}|#[0-9a-f]{3});", found[1]))
    return named


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_stands_out_from_every_ground(theme: str) -> None:
    named = colours(theme)
    assert set(named) == GROUNDS | MARKED | TEXT | DRAWN | DECORATION | LEVELS.keys() | {"on-level"}
    least = 7 if "more contrast" in theme else 4.5  # WCAG 2.2, 1.4.6 and 1.4.3
    text = [(word, ground) for word in TEXT for ground in GROUNDS]
    text += [("ink", ground) for ground in MARKED] + [("paper", "ink"), ("paper", "accent")]
    text += [(word, ground) for ground, word in LEVELS.items()]
    found = {(word, ground): contrast(named[word], named[ground]) for word, ground in text}
    assert {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < least} == {}
    drawn = {(line, ground): contrast(named[line], named[ground]) for line in DRAWN for ground in ("paper",)}
    assert {pair: round(ratio, 2) for pair, ratio in drawn.items() if ratio < 3} == {}  # 1.4.11


def test_no_colour_is_written_outside_the_themes() -> None:
    rest = SHEET
    for theme in THEMES:
        rest = re.sub(block(theme), "", rest)
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[^{}]*[;}])|\b(?:rgb|hsl|oklch)a?\(", rest) == []


def test_start_and_end_are_said_instead_of_left_and_right() -> None:
    assert re.findall(r"(?:^|[;{\s])[\w-]*-?(?:left|right)\b[\w-]*\s*:|: (?:left|right)\b", SHEET, re.MULTILINE) == []


def test_nothing_is_asked_of_others_and_no_font_is_loaded() -> None:
    for word in ("url(", "@import", "@font-face"):
        assert word not in SHEET
