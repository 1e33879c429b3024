"""One meter: its days, how they were read, and its cases. Whoever looks is written down."""

from __future__ import annotations

from datetime import timedelta

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.charts import chart, line
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown, kwh
from smartgrid_assets.web.screens.cases import CASES, FIELDS
from smartgrid_assets.web.view import NotThere, View

PROFILE, METER_DAYS = "features/meter_profile", "validated/meter_days"
WEEKS = timedelta(weeks=8)


def days(view: View) -> Shown:
    """Energy of each market day, and how much of it was read as it came."""
    newest = view.reader.keys(PROFILE, last=view.asked_day) if view.asked_day else view.reader.keys(PROFILE)
    if not newest:
        raise NotThere("There are no daily profiles of meters yet; `smartgrid run` makes features/meter_profile.")
    span = [day for day in newest if day > newest[-1] - WEEKS]
    rows = view.rows("SELECT * FROM profiles WHERE meter_id = ? ORDER BY day", [view.meter], profiles=(PROFILE, span))
    if not rows:
        raise NotThere(f"There is no such meter with readings from {span[0]} to {span[-1]}.")
    fields = (
        Field("day", "market day", form="day"),
        kwh("energy_kwh", "energy"),
        Field("night_share", "00:00 to 05:00", form="share"),
        Field("peak_kw", "peak", unit="kW", form="number", digits=2),
        Field("missing_share", "missing", form="share"),
        Field("flagged_share", "flagged", form="share"),
    )
    x = [f"{row['day']}" for row in rows]
    bars = {"type": "bar", "name": "energy", "x": x, "y": [row["energy_kwh"] for row in rows],
            "marker": {"color": "@forecast"}, "hovertemplate": "%{x}  %{y:.1f} kWh<extra></extra>"}  # fmt: skip
    peak = line(
        "peak",
        x,
        [row["peak_kw"] for row in rows],
        "@second",
        yaxis="y2",
        width=1.5,
        hovertemplate="%{x}  %{y:.1f} kW<extra></extra>",
    )
    picture = chart([bars, peak], {"title": {"text": "market day"}, "type": "date"}, "kWh a day", "Energy and peak of the meter by day.",
                    yaxis2={"title": {"text": "peak, kW"}, "overlaying": "y", "side": "right", "showgrid": False, "rangemode": "tozero", "tickmode": "auto"})  # fmt: skip
    return Shown(fields, rows[::-1], picture)


def cases(view: View) -> Shown:
    """Its cases, the newest day's."""
    keys = view.reader.keys(CASES)[-1:]
    rows = view.rows("SELECT *, meter_id AS about FROM cases WHERE meter_id = ? ORDER BY raised DESC", [view.meter], cases=(CASES, keys))
    return Shown(FIELDS, rows, sentence="" if rows else "It has no case.", is_open=True)


SCREEN = Screen(
    "meter",
    "Meter",
    "What did this meter count?",
    Role.ANALYST,
    ("meter", "day"),
    (
        Panel("days", "Day by day", days, says="energy, peak and quality of eight weeks"),
        Panel("cases", "Its cases", cases, says="cases of the newest day"),
    ),
    heading=lambda view: f"Meter {view.meter}",
    seen=lambda view: "*meter",
    in_menu=False,
)
