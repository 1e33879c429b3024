"""Pictures as Plotly draws them: plain dicts, made from a panel's own rows. Colours are names (`@load`) that the page's script looks up for light or dark.

A day's axis counts hours since local midnight, so that a day of a clock change has its 23 or 25 hours, each tick with its wall time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.web.words import clock, local

TICK_HOURS = 3


def unit_of(values: Sequence[float | None]) -> tuple[str, float]:
    """Unit in which MW are drawn, and the factor to it.

    >>> unit_of([0.02, None, -0.4])
    ('kW', 1000.0)
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return ("kW", 1000.0) if largest < 1 else ("MW", 1.0) if largest < 10_000 else ("GW", 0.001)


def scaled(values: Sequence[float | None], factor: float) -> list[float | None]:
    """MW in that unit, to six digits that count: what is drawn, not what is computed with."""
    return [None if value is None else float(f"{value * factor:.6g}") for value in values]


def hours_of(day: MarketDay, stamps: Sequence[datetime]) -> list[float]:
    """Hours since local midnight."""
    return [(stamp - day.start_utc) / timedelta(hours=1) for stamp in stamps]


def day_axis(day: MarketDay, tz: str) -> dict[str, Any]:
    """The x axis of a market day: every third wall hour is named, on the hour that was skipped or repeated by its offset.

    >>> from smartgrid_assets.domain.market_day import market_day
    >>> from datetime import date
    >>> day_axis(market_day(date(2026, 10, 25), "Europe/Berlin"), "Europe/Berlin")["ticktext"][:4]
    ['00:00', '03:00', '06:00', '09:00']
    >>> day_axis(market_day(date(2026, 10, 25), "Europe/Berlin"), "Europe/Berlin")["tickvals"][:3]
    [0.0, 4.0, 7.0]
    """
    values, texts = [], []
    quarters = int((day.end_utc - day.start_utc) / timedelta(minutes=15))
    for n in range(quarters + 1):
        at = local(day.start_utc + timedelta(minutes=15 * n), tz)
        if at.minute == 0 and at.hour % TICK_HOURS == 0:
            values.append(n / 4)
            texts.append("24:00" if n == quarters else f"{at:%H:%M}")
    return {"title": {"text": f"local time, {tz}"}, "tickvals": values, "ticktext": texts, "range": [0, quarters / 4]}


def line(name: str, x: Sequence[Any], y: Sequence[float | None], colour: str, **more: Any) -> dict[str, Any]:
    """A line; gaps stay gaps."""
    style = {"color": colour, "width": more.pop("width", 2), "dash": more.pop("dash", "solid"), "shape": more.pop("shape", "linear")}
    return {
        "type": "scatter",
        "mode": more.pop("mode", "lines"),
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": style,
        "connectgaps": False,
    } | more


def band(name: str, x: Sequence[Any], low: Sequence[float | None], high: Sequence[float | None], colour: str) -> list[dict[str, Any]]:
    """An area between two lines, under one name."""
    quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": name}
    return [
        {"type": "scatter", "x": list(x), "y": list(low), "showlegend": False, "name": f"{name}, lower"} | quiet,
        {"type": "scatter", "x": list(x), "y": list(high), "fill": "tonexty", "fillcolor": colour, "name": name} | quiet,
    ]


def steps(day: MarketDay, rows: Sequence[dict[str, Any]], values: Sequence[float | None]) -> dict[str, Any]:
    """x, y and shape of a line of steps: each value from its interval's start to its end."""
    x = hours_of(day, [row["interval_start_utc"] for row in rows])
    end = [x[-1] + rows[-1]["interval_minutes"] / 60] if rows else []
    return {"x": x + end, "y": list(values) + list(values[-1:]), "shape": "hv"}


def walls(stamps: Sequence[datetime], tz: str) -> list[str]:
    """Wall times with offsets, for what is read under the pointer."""
    return [clock(stamp, tz) for stamp in stamps]


def chart(traces: list[dict[str, Any]], x: dict[str, Any], y: str, says: str, **layout: Any) -> dict[str, Any]:
    """A picture with its axes; says: what it shows, for those who do not see it."""
    traces = [{key: _as_text(value) if key in _NAMES else value for key, value in trace.items()} for trace in traces]
    return {"data": traces, "layout": {"xaxis": x, "yaxis": {"title": {"text": y}}} | layout, "says": says}


_NAMES = ("name", "x", "y", "text")


def _as_text(value: Any) -> Any:
    """Names as they are: Plotly reads text as a small HTML, in which a feeder's name could make a link."""
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return value.replace("&", "&amp;").replace("<", "&lt;") if isinstance(value, str) else value


def marked(at: Any, text: str) -> dict[str, Any]:
    """Layout of an upright mark with a word at it."""
    return {
        "shapes": [
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": "@muted", "dash": "dot", "width": 1}}
        ],
        "annotations": [{"x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "text": text, "font": {"size": 11}}],
    }
