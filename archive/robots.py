"""What a site's robots.txt lets us fetch (RFC 9309). Pure.

A parser of our own: Python's `urllib.robotparser` takes the first rule that matches where the standard takes the
longest, knows no `*` and `$`, ends a group at a blank line, and finds a robot's name inside other names. Here a pattern
is looked for piece by piece from the left, so no file, however it is written, makes matching slow.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote_to_bytes, urlsplit

MOST_BYTES = 500 * 1024  # of the file that are read: the least that RFC 9309 asks for
MOST_DELAY = 30.0  # seconds between two requests that a site can ask for

_TOKEN = re.compile(r"[a-z_-]+", re.IGNORECASE)
_Rule = tuple[str, bool]  # a pattern, and whether it allows


@dataclass(frozen=True, slots=True)
class Robots:
    """What one robot may fetch of one site, and the seconds between two requests."""

    rules: tuple[_Rule, ...] = ()
    delay: float = 0.0

    def allows(self, url: str) -> bool:
        """Tell whether `url` may be fetched: the longest pattern decides, and of two as long the one that allows."""
        parts = urlsplit(url)
        path = _uniform(f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        decisive = max(
            ((len(pattern), allowed) for pattern, allowed in self.rules if _matches(pattern, path)),
            default=(0, True),
        )
        return path == "/robots.txt" or decisive[1]


ALL = Robots()
NOTHING = Robots(rules=(("/", False),))


def product_token(user_agent: str) -> str:
    """Return the name by which a robots.txt calls who says `user_agent` of itself."""
    token = _TOKEN.match(user_agent)
    return token[0].lower() if token else "*"


def meant(status: int, body: bytes, *, token: str) -> Robots:
    """Return what an answer to `/robots.txt` means: without a file all is allowed, of a site in trouble nothing is."""
    if 200 <= status < 300:
        return parsed(body, token=token)
    return NOTHING if status >= 500 or status == 429 else ALL


def parsed(body: bytes, *, token: str) -> Robots:
    """Return what the file says to the robot called `token`, or where it does not name it, to all."""
    rules: dict[str, list[_Rule]] = {}
    delays: dict[str, float] = {}
    agents: list[str] = []
    last: Literal["agent", "rule"] = "rule"
    for line in body[:MOST_BYTES].decode("utf-8-sig", "replace").splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in ("user-agent", "useragent"):
            agents = [*(agents if last == "agent" else []), product_token(value)]
            rules.update({agent: rules.get(agent, []) for agent in agents})
            last = "agent"
        elif name in ("allow", "disallow"):
            last = "rule"
            if value:
                for agent in agents:
                    rules[agent].append((_uniform(value), name == "allow"))
        elif name == "crawl-delay":
            last = "rule"
            delays.update({agent: _seconds(value) for agent in agents})
    own = token if token in rules else "*"
    return Robots(rules=tuple(rules.get(own, ())), delay=delays.get(own, 0.0))


def _seconds(text: str) -> float:
    number = re.match(r"\d{1,9}(?:\.\d{1,9})?", text)
    return min(float(number[0]), MOST_DELAY) if number else 0.0


def _uniform(path: str) -> str:
    """Return a path or pattern in the one spelling that is compared: escaped in the same places, in the same way."""
    kept = re.sub("%(2[af]|24|3f)", lambda found: f"%25{found[1].upper()}", path, flags=re.IGNORECASE)
    return quote(unquote_to_bytes(kept), safe="/?=&*$:@!'(),;+~%")


def _matches(pattern: str, path: str) -> bool:
    """Tell whether a pattern, in which `*` is anything and a last `$` the end, fits the beginning of `path`."""
    is_whole = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    last = rest.pop() if is_whole and rest else None
    for piece in rest:
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= place
    return not is_whole or place == len(path)
