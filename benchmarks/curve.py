"""The cost curve as a picture: one panel a cost, its lines over the number of articles, both axes logarithmic.

Invariant: the same figures make the same bytes. Plain SVG, readable on a light and on a dark page, each line named
where it ends, so that colour alone tells nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 380, 250  # of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 62, 84, 34, 42  # around what is drawn; names of lines stand to the right
COLOURS = ("#0b6e99", "#c2571a", "#5b8c2a", "#8a4fb3", "#777777")
INK = "#666666"  # readable on white and on black
NAME_HEIGHT = 13  # two names are at least so far apart
COLUMNS = 2
BESIDE = 0.01  # powers of ten: 100,043 articles stand at 100,000

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """One cost: lines by name, each a list of (articles, value)."""

    name: str
    unit: str
    lines: dict[str, list[Point]]


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis from `low` to `high`, drawn from pixel `start` to pixel `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Return the powers of ten on it."""
        return [10.0**power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]


def drawing(panels: Sequence[Panel]) -> str:
    """Return the picture."""
    rows = -(-len(panels) // COLUMNS)
    size = f'width="{COLUMNS * WIDTH}" height="{rows * HEIGHT}" viewBox="0 0 {COLUMNS * WIDTH} {rows * HEIGHT}"'
    places = [(number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT) for number in range(len(panels))]
    drawn = [
        f'<g transform="translate({x} {y})">\n{panel_drawing(panel)}\n</g>'
        for (x, y), panel in zip(places, panels, strict=True)
    ]
    title = "<title>The cost curve: what an archive costs by the number of its articles</title>"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif" font-size="11">'
    return "\n".join([opening, title, *drawn, "</svg>", ""])


def panel_drawing(panel: Panel) -> str:
    """Return one panel: its name, axes, lines, and their names."""
    points = [point for line in panel.lines.values() for point in line if point[1] > 0]
    if not points:
        return label(LEFT, TOP, f"{panel.name}: not measured", anchor="start")
    across = axis([x for x, _ in points], start=LEFT, end=WIDTH - RIGHT)
    upwards = axis([y for _, y in points], start=HEIGHT - BOTTOM, end=TOP)
    parts = [label(LEFT, TOP - 16, f"{panel.name}, {panel.unit}", anchor="start", weight="bold")]
    for tick in across.ticks():
        x = across.at(tick)
        parts += [rule(x, HEIGHT - BOTTOM, x, TOP), label(x, HEIGHT - BOTTOM + 15, short(tick))]
    for tick in upwards.ticks():
        y = upwards.at(tick)
        parts += [rule(LEFT, y, WIDTH - RIGHT, y), label(LEFT - 6, y + 4, short(tick), anchor="end")]
    parts.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "articles"))
    lines = {name: [(across.at(x), upwards.at(y)) for x, y in line if y > 0] for name, line in panel.lines.items()}
    lines = {name: line for name, line in lines.items() if line}
    places = apart({name: line[-1][1] for name, line in lines.items()})
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x},{y}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in line]
        parts.append(label(WIDTH - RIGHT + 8, places[name] + 4, name, anchor="start", colour=colour))
    return "\n".join(parts)


def axis(values: Sequence[float], *, start: float, end: float) -> Axis:
    """Return an axis from the power of ten below the least value to the one above the greatest, or just beside them."""
    low, high = math.floor(math.log10(min(values)) + BESIDE), math.ceil(math.log10(max(values)) - BESIDE)
    return Axis(10.0**low, 10.0 ** max(high, low + 1), start, end)


def apart(heights: dict[str, float]) -> dict[str, float]:
    """Return heights at which names can stand without covering each other, in their order."""
    placed: dict[str, float] = {}
    lowest = -math.inf
    for name in sorted(heights, key=lambda name: heights[name]):
        placed[name] = lowest = max(heights[name], lowest + NAME_HEIGHT)
    return placed


def short(value: float) -> str:
    """Return a power of ten as it stands on an axis."""
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def label(x: float, y: float, text: str, *, anchor: str = "middle", weight: str = "normal", colour: str = INK) -> str:
    """Return a text."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">{escape(text)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a faint line of the grid."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{INK}" stroke-opacity="0.25"/>'
