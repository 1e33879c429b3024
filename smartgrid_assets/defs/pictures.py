"""Small pictures for metadata: a curve as SVG inside Markdown, a kilobyte or two; no plotting library is loaded for it."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 320, 60, 4
MOST_POINTS = 120


def curve(values: Sequence[float], title: str) -> str:
    """Markdown of a line through `values`, its title naming the lowest and the highest; empty for fewer than two."""
    if len(values) < 2:
        return ""
    step = -(-len(values) // MOST_POINTS)
    shown = [max(values[n : n + step]) for n in range(0, len(values), step)]
    low, high = min(shown), max(shown)
    reach = (high - low) or 1.0
    points = " ".join(
        f"{MARGIN + n * (WIDTH - 2 * MARGIN) / max(1, len(shown) - 1):.1f},{HEIGHT - MARGIN - (v - low) / reach * (HEIGHT - 2 * MARGIN):.1f}"
        for n, v in enumerate(shown)
    )
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<polyline points="{points}" fill="none" stroke="#2f6fde" stroke-width="1.5"/></svg>'
    )
    image = base64.b64encode(drawn.encode()).decode()
    return f"**{title}**: {low:.4g} to {high:.4g}\n\n![{title}](data:image/svg+xml;base64,{image})"


CELL, LABEL = 11, 110
COLOURS = ((0.995, "#2e7d32"), (0.95, "#9ccc65"), (0.8, "#fdd835"), (0.5, "#fb8c00"), (0.0, "#c62828"))
EMPTY = "#eeeeee"
MOST_NAMES = 24


def heat_map(rows: Mapping[str, Sequence[float | None]], title: str) -> str:
    """Markdown of a grid, a row a name and a cell a value: green at 1, red towards 0, grey where there is none. The first rows only."""
    shown = dict(list(rows.items())[:MOST_NAMES])
    width = LABEL + CELL * max(len(values) for values in shown.values())
    names, squares = [], dict[str, str]()  # a path a colour: a square each would make four times the text
    for y, (name, values) in enumerate(shown.items()):
        names.append(f'<text x="0" y="{y * CELL + 9}">{escape(name)}</text>')
        for x, value in enumerate(values):
            colour = EMPTY if value is None else next(colour for least, colour in COLOURS if value >= least or least == 0)
            squares[colour] = squares.get(colour, "") + f"M{LABEL + x * CELL} {y * CELL}h10v10h-10z"
    paths = "".join(f'<path d="{path}" fill="{colour}"/>' for colour, path in squares.items())
    height = CELL * len(shown)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="9">'
    drawn = head + "".join(names) + paths + "</svg>"
    return f"**{title}**\n\n![{title}](data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()})"


def markdown_table(rows: Sequence[dict[str, Any]]) -> str:
    """A Markdown table of rows that share their columns; empty where there is none."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
