"""Tomorrow: what will zones draw, how sure is it, what changed since the last forecast, and where does the network get tight?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from smartgrid_assets.domain.market_day import ONE_DAY
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.charts import band, chart, day_axis, hours_of, line, marked, scaled, unit_of, walls
from smartgrid_assets.web.curves import curve_of, zones_of
from smartgrid_assets.web.few import hidden_feeders, hidden_zones
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown, power
from smartgrid_assets.web.view import FEEDERS, WHOLE, View, said
from smartgrid_assets.web.words import number, stamp

WEEK = timedelta(days=7)
TIGHTEST = 10
TOO_FEW = "Fewer customers than SMARTGRID_MINIMUM_GROUP stand behind this sum; analysts may see it."


def load(view: View) -> Shown:
    """The day's curve: median and bands as published, what came, the same weekday a week before, and what an earlier gate would have said."""
    rows = curve_of(view, view.day)
    if view.zone in hidden_zones(view, view.day):
        return Shown(sentence=TOO_FEW)
    has_week = view.day - WEEK in view.days and view.zone not in hidden_zones(view, view.day - WEEK)
    before = {row["interval_start_utc"]: row["actual_mw"] for row in curve_of(view, view.day - WEEK)} if has_week else {}
    earlier = _gate_before(view)
    for row in rows:
        row["week_before_mw"] = before.get(_same_wall_clock(row["interval_start_utc"], view))
        row["gate_before_mw"] = earlier.get(row["interval_start_utc"])
    fields = (
        Field("interval_start_utc", "from", form="time"),
        power("forecast_mw", "forecast"),
        power("low_mw", "5 %"),
        power("high_mw", "95 %"),
        power("actual_mw", "came"),
        power("gate_before_mw", "a gate earlier"),
        power("week_before_mw", "a week before"),
        power("planned_mw", "planned generation"),
        power("headroom_mw", "headroom at 95 %"),
    )
    made = f"issued at gate closure, {stamp(view.gate(view.day), view.tz)}" if view.is_forecast else ""
    sentence = _sentence(rows) if view.is_forecast else not_yet(view)
    return Shown(fields, rows, _load_chart(view, rows), sentence, made, "" if view.is_forecast else "warn")


def not_yet(view: View) -> str:
    """Of a moment before the day's gate."""
    return f"At {stamp(view.moment, view.tz)} this day was not forecast yet: its gate closes {stamp(view.gate(view.day), view.tz)}."


def _load_chart(view: View, rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("forecast_mw", "low_mw", "lower_mw", "upper_mw", "high_mw", "actual_mw", "week_before_mw", "gate_before_mw")
    unit, factor = unit_of([row[name] for row in rows for name in names])
    y = {name: scaled([row[name] for row in rows], factor) for name in names}
    stamps = [row["interval_start_utc"] for row in rows]
    x = hours_of(view.market_day, stamps)
    read = {"text": walls(stamps, view.tz), "hovertemplate": f"%{{text}}  %{{y:.4~g}} {unit}<extra>%{{fullData.name}}</extra>"}
    traces = band("90 % band", x, y["low_mw"], y["high_mw"], "@band") + band("60 % band", x, y["lower_mw"], y["upper_mw"], "@band2")
    traces.append(line("forecast", x, y["forecast_mw"], "@forecast", **read))
    for name, title, colour, dash in (
        ("week_before_mw", "a week before", "@muted", "dot"),
        ("gate_before_mw", "a gate earlier", "@second", "dash"),
    ):
        if any(value is not None for value in y[name]):
            traces.append(line(title, x, y[name], colour, dash=dash, width=1.5, **read))
    if any(value is not None for value in y["actual_mw"]):
        traces.append(line("came", x, y["actual_mw"], "@load", width=2.5, **read))
    now = hours_of(view.market_day, [view.moment])[0]
    mark = marked(now, "now" if view.as_of is None else "as of") if 0 <= now <= view.market_day.hours else {}
    says = f"Load of {said(view.zone)} on {view.day}: forecast with its bands, and what came."
    return chart(traces, day_axis(view.market_day, view.tz), f"mean power, {unit}", says, **mark)


def _sentence(rows: list[dict[str, Any]]) -> str:
    known = [row for row in rows if row["forecast_mw"] is not None]
    if not known:
        return "No forecast is there."
    peak = max(known, key=lambda row: row["forecast_mw"])
    unit, factor = unit_of([row["high_mw"] for row in known])
    energy = sum(row["forecast_mw"] * row["interval_minutes"] / 60 for row in known)
    text = (
        f"Peak {number(peak['forecast_mw'] * factor, 1)} {unit} ({number(peak['low_mw'] * factor, 1)} to {number(peak['high_mw'] * factor, 1)} with 90 %), "
        f"energy {number(energy * factor, 1)} {unit}h."
    )
    if any(row["is_fallback"] for row in known):
        text += " This is a fallback, not the aggregate of the models."
    return text


def _same_wall_clock(moment: datetime, view: View) -> datetime:
    """The moment a week before on the same wall clock."""
    from smartgrid_assets.domain.market_day import local_to_utc, utc_to_local

    return local_to_utc(utc_to_local(moment, view.tz) - WEEK, view.tz)


def _gate_before(view: View) -> dict[datetime, float]:
    """What the gate a day earlier would have said of the day, MW by interval; of the whole the sum of its zones."""
    if view.moment < view.gate(view.day - ONE_DAY):
        return {}
    rows = view.rows(
        "SELECT interval_start_utc, sum(from_mw) AS mw FROM changes WHERE against = 'gate_before' AND (zone = $zone OR $zone = '*') GROUP BY ALL",
        {"zone": view.zone},
        changes=("forecasts/changes", [view.day]),
    )
    return {row["interval_start_utc"]: row["mw"] for row in rows}


def zones(view: View) -> Shown:
    """Each zone's peak, energy and what they are against the week before."""
    rows = zones_of(view)
    if not view.is_forecast:
        return Shown(sentence=not_yet(view), tone="warn")
    week = view.day - WEEK
    few_then = hidden_zones(view, week) if week in view.days else frozenset()
    before = {row["zone"]: row["energy_mwh"] for row in zones_of(view, week) if row["zone"] not in few_then} if week in view.days else {}
    for row in rows:
        row["name"] = said(row["zone"])
        row["against_week"] = row["energy_mwh"] / before[row["zone"]] - 1 if row["energy_mwh"] and before.get(row["zone"]) else None
    fields = (
        Field("name", "zone", link=lambda row, view: view.url(zone=row["zone"])),
        power("peak_mw", "peak"),
        Field("peak_utc", "at", form="time"),
        power("peak_low_mw", "5 %"),
        power("peak_high_mw", "95 %"),
        Field("energy_mwh", "energy", unit="MWh", form="number", digits=2),
        Field("against_week", "against a week before", form="share"),
        power("headroom_mw", "least headroom"),
        Field("is_fallback", "fallback", form="yes"),
        Field("alarms", "meters under alarm", form="number"),
    )
    few = hidden_zones(view, view.day)
    shown = [row for row in rows if row["zone"] not in few]
    hidden = len(rows) - len(shown)
    fallback = [said(row["zone"]) for row in shown if row["is_fallback"]]
    sentence = (
        f"Fallback in {', '.join(fallback[:5])}{' and more' if len(fallback) > 5 else ''}: forecasts.day_ahead says why."
        if fallback
        else ""
    )
    return Shown(
        fields, shown, None, sentence + (f" {hidden} zone(s) not shown. {TOO_FEW}" if hidden else ""), tone="warn" if fallback else ""
    )


def changes(view: View) -> Shown:
    """Why the forecast is another than that of the day before, and than a gate earlier: by cause, in words."""
    if not view.is_forecast:
        return Shown(sentence=not_yet(view), tone="warn")
    rows = view.rows(
        """SELECT c.zone, against, avg(from_mw) AS from_mw, avg(calendar_mw) AS calendar_mw, avg(weather_mw) AS weather_mw,
                  avg(newer_load_mw) AS newer_load_mw, avg(correction_mw) AS correction_mw, avg(models_mw) AS models_mw, avg(c.load_mw) AS load_mw,
                  any_value(sentence) AS sentence
           FROM changes c LEFT JOIN reasons USING (zone) GROUP BY ALL ORDER BY c.zone, against""",
        changes=("forecasts/changes", [view.day]),
        reasons=("forecasts/reasons", [view.day]),
    )
    shown = {row["zone"] for row in zones_of(view)} - hidden_zones(view, view.day)
    rows = [row | {"against": {"day_before": "day before", "gate_before": "a gate earlier"}.get(row["against"], row["against"])} for row in rows
            if row["zone"] in shown and view.zone in (WHOLE, row["zone"])]  # fmt: skip
    fields = (
        Field("zone", "zone"),
        Field("against", "against"),
        power("from_mw", "was"),
        power("calendar_mw", "calendar"),
        power("weather_mw", "weather"),
        power("newer_load_mw", "newer load"),
        power("correction_mw", "corrections"),
        power("models_mw", "models"),
        power("load_mw", "is"),
    )
    said_of = {row["zone"]: row["sentence"] for row in rows if row["sentence"]}
    sentence = " ".join(f"{zone}: {text}" for zone, text in list(said_of.items())[:4])
    return Shown(fields, rows, None, sentence or "Reasons are worked out for the newest day of a run.")


def feeders(view: View) -> Shown:
    """The feeders that come nearest to their limits, the tightest first."""
    if not view.is_forecast:
        return Shown(sentence=not_yet(view), tone="warn")
    few = hidden_feeders(view, view.day)
    found = view.rows(
        "SELECT * FROM feeders WHERE zone = $zone OR $zone = '*' ORDER BY headroom_mw / rating_mw, zone, feeder",
        {"zone": view.zone},
        feeders=(FEEDERS, [view.day]),
    )
    rows = [
        row | {"used": row["high_mw"] / row["rating_mw"] if row["rating_mw"] else None, "name": named(row["feeder"])}
        for row in found
        if (row["zone"], row["feeder"]) not in few
    ]
    fields = (
        Field("name", "feeder", link=lambda row, view: view.url("feeder", zone=row["zone"], feeder=row["feeder"])),
        Field("zone", "zone"),
        power("rating_mw", "limit"),
        power("high_mw", "flow at 95 %"),
        Field("used", "of the limit", form="share"),
        power("headroom_mw", "headroom"),
        Field("tightest_utc", "tightest", form="time"),
        Field("probability_above", "probability above", form="share", digits=3),
        Field("hours_near", "expected hours over 90 %", unit="h", form="number", digits=1),
        power("flexible_mw", "must give way"),
    )
    over = [row for row in rows if row["headroom_mw"] < 0]
    sentence = f"{len(over)} of {len(rows)} come above their limit with 5 % or more." if over else ""
    shown = rows[:TIGHTEST]
    bars = {"type": "bar", "orientation": "h", "name": "flow at 95 %", "x": [row["used"] for row in shown], "y": [f"{row['name']} ({said(row['zone'])})" for row in shown],
            "marker": {"color": ["@bad" if row["headroom_mw"] < 0 else "@warn" if row["used"] > 0.9 else "@forecast" for row in shown]},
            "hovertemplate": "%{y}: %{x:.0%} of the limit<extra></extra>"}  # fmt: skip
    axis = {"title": {"text": "95 % of the flow, share of the limit"}, "tickformat": ".0%", "rangemode": "tozero"}
    says = "The ten feeders that come nearest to their limits, as shares of the limit."
    picture = (
        chart([bars], axis, "", says, yaxis={"autorange": "reversed", "automargin": True, "type": "category"}, showlegend=False)
        if shown
        else None
    )
    return Shown(
        fields,
        rows,
        picture,
        sentence or ("" if rows else "No feeder has a rating in the register of meters."),
        tone="warn" if over else "",
    )


def named(feeder: str) -> str:
    """A feeder in words; * stands for the zone's own limit."""
    return "the zone's own limit" if feeder == WHOLE else feeder


def weather(view: View) -> Shown:
    """The weather forecast that the gate knew, and what was observed."""
    if not view.is_forecast:
        return Shown(sentence=not_yet(view), tone="warn")
    rows = view.rows(
        """SELECT interval_start_utc, avg(forecast_c) AS forecast_c, avg(observed_c) AS observed_c, avg(forecast_w_m2) AS forecast_w_m2,
                  avg(forecast_m_s) AS forecast_m_s, max(issued_at) AS issued_at
           FROM weather WHERE zone = $zone OR zone = '*' OR $zone = '*' GROUP BY ALL ORDER BY ALL""",
        {"zone": view.zone},
        weather=("operator/weather", [view.day]),
    )
    if view.as_of:
        rows = [row | {"observed_c": row["observed_c"] if row["interval_start_utc"] < view.moment else None} for row in rows]
    fields = (
        Field("interval_start_utc", "from", form="time"),
        Field("forecast_c", "forecast", unit="°C", form="number", digits=1),
        Field("observed_c", "observed", unit="°C", form="number", digits=1),
        Field("forecast_w_m2", "irradiance forecast", unit="W/m²", form="number", digits=0),
        Field("forecast_m_s", "wind forecast", unit="m/s", form="number", digits=1),
    )
    issued = [row["issued_at"] for row in rows if row["issued_at"]]
    if not rows:
        return Shown(
            fields, sentence="No weather was delivered for this day: the forecast knows the calendar and past load only.", tone="warn"
        )
    x = hours_of(view.market_day, [row["interval_start_utc"] for row in rows])
    read = {
        "text": walls([row["interval_start_utc"] for row in rows], view.tz),
        "hovertemplate": "%{text}  %{y:.1f} °C<extra>%{fullData.name}</extra>",
    }
    traces = [line(title, x, [row[name] for row in rows], colour, **read) for name, title, colour in
              (("forecast_c", "forecast at the gate", "@forecast"), ("observed_c", "observed", "@load"))
              if any(row[name] is not None for row in rows)]  # fmt: skip
    picture = chart(
        traces, day_axis(view.market_day, view.tz), "air temperature, °C", f"Air temperature of {said(view.zone)}: forecast and observed."
    )
    return Shown(fields, rows, picture, "" if issued else "The gate knew no weather forecast of this day.",
                 f"weather forecast issued {stamp(max(issued), view.tz)}" if issued else "", "" if issued else "warn")  # fmt: skip


SCREEN = Screen(
    "tomorrow",
    "Tomorrow",
    "What will the zones draw, and how sure is it?",
    Role.VIEWER,
    ("day", "zone", "as_of"),
    (
        Panel("load", "Load", load, says="forecast with its bands, what came, mean power by interval"),
        Panel("zones", "Zones", zones, says="a row a zone: peak, energy, headroom"),
        Panel("feeders", "Nearest to their limits", feeders, is_half=True, says="feeders by headroom, the tightest first"),
        Panel("weather", "Weather", weather, is_half=True, says="weather forecast known at the gate, and observed"),
        Panel("changes", "What changed", changes, says="the forecast against the day before and against a gate earlier, by cause"),
    ),
    heading=lambda view: f"{said(view.zone)[0].upper()}{said(view.zone)[1:]}, {view.day:%A %d %B %Y}",
)
