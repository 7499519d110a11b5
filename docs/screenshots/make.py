"""The pictures beside this file: every page over the sample articles, with the real model, in a real browser.

    make screenshots
    python docs/screenshots/make.py --data data     # a data folder that holds the samples already

A new page needs a line in `PICTURES`. Colours are reduced to a palette, which makes the files small.
"""

import argparse
import base64
import logging
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browsing import ARGUMENTS, CHROMIUM  # noqa: E402 the folders have to be known first

from web import create_app  # noqa: E402
from web.services import Services  # noqa: E402
from web.settings import Settings  # noqa: E402

WIDTHS = {"desk": 1440, "phone": 360}  # CSS pixels
HEIGHTS = {"desk": 900, "phone": 780}
COLOURS = 256  # of a palette
MOST = 150 * 1024  # bytes of a picture
LOST = "/search?q=submarine+crew+trapped+under+the+sea"
CORRECTED = (
    "7c930e1645abc8bd"  # of the samples, 'Russian nuclear submarine lies on bottom of Barents Sea with crew trapped'
)
CAVE = "/search?q=soccer+kids+trapped+underground+in+southeast+Asia"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page to be taken; `click` is followed or opened first."""

    name: str
    path: str
    click: str = ""
    themes: tuple[str, ...] = ("light",)


PICTURES = [
    Picture("home", "/", themes=("light", "dark")),
    Picture("results", LOST, themes=("light", "dark")),
    Picture("why", CAVE, click=".why summary"),
    Picture("filtered", "/search?section=world&from=2000-01-01&sort=newest"),
    Picture("no-match", "/search?q=xyzzy+plugh"),
    Picture("article", CAVE, click=".hit h2 a", themes=("light", "dark")),
    Picture("changes", f"/articles/{CORRECTED}/versions/2/changes"),
    Picture("browse", "/browse", themes=("light", "dark")),
    Picture("month", "/browse/2004/12"),
    Picture("status", "/status"),
    Picture("syntax", "/search/syntax"),
    Picture("embed", "/embed"),
    Picture("api", "/api/docs"),
    Picture("stories", "/stories"),
    Picture("story", "/stories", click=".hit:nth-child(2) h2 a"),
]


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a data folder with the samples in it; made anew without")
    with samples(parser.parse_args().data) as data, served(data) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for device in WIDTHS:
            for theme in ("light", "dark"):
                take(browser, address, device, theme)
        browser.close()


@contextmanager
def samples(data: Path | None) -> Iterator[Path]:
    """Give a data folder that holds the sample articles, one of them corrected: a copy of `data`, where there is one."""
    with tempfile.TemporaryDirectory() as folder:
        if data is not None:
            shutil.copytree(data, folder, dirs_exist_ok=True)
            yield Path(folder)
            return
        environment = os.environ | {"BACKFILE_DATA": folder}
        subprocess.run([sys.executable, "-m", "flask", "ingest", "seeds"], cwd=ROOT, env=environment, check=True)
        yield Path(folder)


@contextmanager
def served(data: Path) -> Iterator[str]:
    """Serve the archive on this machine, and give its address."""
    services = Services(Settings(data=data))
    correct(services)
    services.warm_up()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(services=services), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    services.close()


def correct(services: Services) -> None:
    """Have a source correct one of its articles."""
    first = services.store.article(CORRECTED)
    assert first is not None
    beginning, rest = first.body.split(". ", 1)
    later = replace(first, title=f"{first.title}, navy says", body=f"{beginning}, the navy said. {rest}")
    services.store.put(later)
    services.builder.update()


def file_name(picture: Picture, device: str, theme: str) -> str:
    """Return the name of a picture's file."""
    return f"{picture.name}-{device}{'-dark' if theme == 'dark' else ''}.png"


def take(browser: Browser, address: str, device: str, theme: str) -> None:
    """Take the pictures of one device and theme."""
    size = {"width": WIDTHS[device], "height": HEIGHTS[device]}
    context = browser.new_context(
        base_url=address,
        viewport=size,  # type: ignore[arg-type]
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page, workbench = context.new_page(), context.new_page()
    for picture in PICTURES:
        if theme not in picture.themes:
            continue
        page.goto(picture.path)
        if picture.click:
            page.locator(picture.click).first.click()
            page.wait_for_load_state()
        taken = png(pixels(workbench, page.screenshot()))
        name = file_name(picture, device, theme)
        print(f"{name}: {len(taken):,} bytes{'' if len(taken) <= MOST else ', TOO LARGE'}", flush=True)
        (HERE / name).write_bytes(taken)
    context.close()


PIXELS = """async picture => {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), each => each.charCodeAt(0))]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const drawing = canvas.getContext("2d");
  drawing.drawImage(bitmap, 0, 0);
  const bytes = drawing.getImageData(0, 0, bitmap.width, bitmap.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [bitmap.width, bitmap.height, btoa(text)];
}"""


def pixels(workbench: Page, picture: bytes) -> np.ndarray:
    """Return a picture as rows of red, green and blue; the browser reads it."""
    width, height, text = workbench.evaluate(PIXELS, base64.b64encode(picture).decode())
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height, width, 4)[:, :, :3]


def png(picture: np.ndarray) -> bytes:
    """Return a picture as a PNG file of a palette: its commonest colours, and for others the nearest."""
    height, width, _ = picture.shape
    colours = picture.reshape(-1, 3).astype(np.int32) @ (65536, 256, 1)
    shades, which, counts = np.unique(colours, return_inverse=True, return_counts=True)
    parts = shades[:, None] >> (16, 8, 0) & 255
    palette = parts[np.argsort(-counts, kind="stable")[:COLOURS]]
    distances = [((parts - each) ** 2).sum(axis=1) for each in palette]
    nearest = np.argmin(distances, axis=0).astype(np.uint8)
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each begins with its filter: none
    rows[:, 1:] = nearest[which].reshape(height, width)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in (
            (b"IHDR", struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette.astype(np.uint8).tobytes()),
            (b"IDAT", zlib.compress(rows.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


if __name__ == "__main__":
    main()
