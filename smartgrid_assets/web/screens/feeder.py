"""One feeder: how near its flow comes to its limit, hour by hour, and what must give way."""

from __future__ import annotations

from typing import Any

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.charts import chart, day_axis, hours_of, line, scaled, unit_of, walls
from smartgrid_assets.web.few import hidden_feeders
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown, power
from smartgrid_assets.web.screens.tomorrow import TOO_FEW
from smartgrid_assets.web.view import FEEDERS, NotThere, View, said


def _known(view: View) -> dict[str, Any]:
    """The feeder's row of the day. Raises NotThere."""
    found = view.rows("SELECT * FROM feeders WHERE zone = ? AND feeder = ?", [view.asked_zone, view.feeder], feeders=(FEEDERS, [view.day]))
    if not found:
        raise NotThere(f"There is no limit of feeder {view.feeder!r} in zone {view.asked_zone!r} on {view.day}.")
    return found[0]


def heading(view: View) -> str:
    """Which feeder, and which day."""
    zone, feeder = _known(view)["zone"], _known(view)["feeder"]
    return f"{'The whole zone' if feeder == '*' else f'Feeder {feeder}'}, {said(zone)}, {view.day:%A %d %B %Y}"


def near(view: View) -> Shown:
    """Median and 95 % of the flow against the limit."""
    if (_known(view)["zone"], view.feeder) in hidden_feeders(view, view.day):
        return Shown(sentence=TOO_FEW)
    rows = view.rows(
        "SELECT * FROM headroom WHERE zone = ? AND feeder = ? ORDER BY interval_start_utc",
        [view.asked_zone, view.feeder],
        headroom=("forecasts/headroom", [view.day]),
    )
    unit, factor = unit_of([row[name] for row in rows for name in ("rating_mw", "high_mw")])
    stamps = [row["interval_start_utc"] for row in rows]
    x = hours_of(view.market_day, stamps)
    read = {"text": walls(stamps, view.tz), "hovertemplate": f"%{{text}}  %{{y:.4~g}} {unit}<extra>%{{fullData.name}}</extra>"}
    traces = [
        line("limit", x, scaled([row["rating_mw"] for row in rows], factor), "@bad", dash="dash", **read),
        line("95 % of the flow, either direction", x, scaled([row["high_mw"] for row in rows], factor), "@second", **read),
        line("median load", x, scaled([row["load_mw"] for row in rows], factor), "@forecast", **read),
    ]
    fields = (
        Field("interval_start_utc", "from", form="time"),
        power("load_mw", "median"),
        power("high_mw", "flow at 95 %"),
        power("rating_mw", "limit"),
        Field("probability_above", "probability above", form="share", digits=3),
        Field("probability_near", "probability over 90 %", form="share", digits=3),
        power("flexible_mw", "must give way"),
    )
    says = f"Feeder {said(view.feeder)} on {view.day}: its flow and its limit."
    picture = chart(
        traces,
        day_axis(view.market_day, view.tz),
        f"mean power, {unit}",
        says,
        yaxis={"title": {"text": f"mean power, {unit}"}, "rangemode": "tozero"},
    )
    hours = sum(row["probability_near"] * row["interval_minutes"] / 60 for row in rows)
    return Shown(fields, rows, picture, f"Expected hours above nine tenths of the limit: {hours:.1f}.")


SCREEN = Screen(
    "feeder",
    "Feeder",
    "When does it get tight?",
    Role.VIEWER,
    ("day", "zone", "feeder"),
    (Panel("near", "Flow and limit", near, says="flow of the feeder against its limit by interval"),),
    heading=heading,
    in_menu=False,
)
