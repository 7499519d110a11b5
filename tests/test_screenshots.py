"""The pictures of the documentation: all that are listed are there, small, and nothing else."""

import runpy
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
MADE = runpy.run_path(str(FOLDER / "make.py"))


def test_every_picture_of_the_list_is_there_as_large_as_it_should_be_and_small() -> None:
    for picture in MADE["PICTURES"]:
        for device, width in MADE["WIDTHS"].items():
            for theme in picture.themes:
                file = FOLDER / MADE["file_name"](picture, device, theme)
                head = file.read_bytes()[:24]
                assert head[:8] == b"\x89PNG\r\n\x1a\n"
                assert struct.unpack(">2I", head[16:24]) == (width, MADE["HEIGHTS"][device])
                assert file.stat().st_size <= MADE["MOST"], file.name


def test_no_picture_is_there_that_nobody_lists() -> None:
    listed = {
        MADE["file_name"](picture, device, theme)
        for picture in MADE["PICTURES"]
        for device in MADE["WIDTHS"]
        for theme in picture.themes
    }
    assert {file.name for file in FOLDER.glob("*.png")} == listed
