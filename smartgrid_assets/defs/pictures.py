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
MOST_BYTES = 10_000
"""Of one map: it stands in every page of a check that Dagster keeps."""


def heat_map(rows: Mapping[str, Sequence[float | None]], title: str) -> str:
    """Markdown of a grid, a row a name and a cell a value: green at 1, red towards 0, grey where there is none.

    Of many rows the first (the whole) and the worst are drawn, as many as MOST_BYTES hold; the title says so.
    """
    for most in (MOST_NAMES, MOST_NAMES // 2, MOST_NAMES // 4):
        shown = _worst(rows, most)
        said = title if len(shown) == len(rows) else f"{title}; the worst {len(shown)} of {len(rows)}"
        image = base64.b64encode(_grid(shown).encode()).decode()
        if len(image) < MOST_BYTES - 2 * len(said) - 100:
            break
    return f"**{said}**\n\n![{said}](data:image/svg+xml;base64,{image})"


def _worst(rows: Mapping[str, Sequence[float | None]], most: int) -> dict[str, Sequence[float | None]]:
    """The first row and those with the lowest sum of values, in their order; all where they are no more than `most`."""
    if len(rows) <= most:
        return dict(rows)
    others = sorted(list(rows)[1:], key=lambda name: sum(1.0 if value is None else value for value in rows[name]))
    kept = {next(iter(rows)), *others[: most - 1]}
    return {name: values for name, values in rows.items() if name in kept}


def _grid(shown: Mapping[str, Sequence[float | None]]) -> str:
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
    return head + "".join(names) + paths + "</svg>"


def markdown_table(rows: Sequence[dict[str, Any]]) -> str:
    """A Markdown table of rows that share their columns; empty where there is none."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
