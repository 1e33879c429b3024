"""Can I trust it: are the data there and whole, did the night run, how good were the forecasts, and what is wrong right now?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from smartgrid_assets.domain.market_day import day_of
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.charts import chart, line, scaled, unit_of
from smartgrid_assets.web.dagster_runs import runs_of
from smartgrid_assets.web.few import hidden_zones
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown, power
from smartgrid_assets.web.screens.tomorrow import TOO_FEW
from smartgrid_assets.web.view import WHOLE, View, said
from smartgrid_assets.web.words import stamp

QUALITY, HELD, ACCURACY = "validated/data_quality", "validated/held_days", "forecasts/accuracy"
DAYS = 30
MOST_ZONES = 40
OLD = timedelta(days=3)


def _last(view: View, path: str, days: int = DAYS) -> list[date]:
    keys = view.reader.keys(path, last=view.asked_day or date.max)
    return [key for key in keys if key > keys[-1] - timedelta(days=days)] if keys else []


def incidents(view: View) -> Shown:
    """What is wrong, in words; empty on a good day."""
    rows: list[dict[str, Any]] = []

    def add(what: str, about: str, sentence: str) -> None:
        rows.append({"what": what, "about": about, "sentence": sentence})

    for row in view.rows("SELECT day, reason FROM held ORDER BY day DESC", held=(HELD, _last(view, HELD, 14))):
        add("day held back", f"{row['day']}", row["reason"])
    newest = _last(view, QUALITY)
    tomorrow = day_of(view.now, view.tz) + timedelta(days=1)
    if newest and view.now - view.gate(newest[-1]) > OLD and not view.asked_day:
        add(
            "readings are old",
            f"{newest[-1]}",
            f"The newest validated market day is {newest[-1]}; today is {tomorrow - timedelta(days=1)}.",
        )
    if view.now >= view.gate(tomorrow) and tomorrow not in view.days and not view.asked_day:
        add(
            "tomorrow is not issued",
            f"{tomorrow}",
            f"Its gate closed {stamp(view.gate(tomorrow), view.tz)}. Dagster shows what failed; `smartgrid night` makes it.",
        )
    if view.days:
        fallback = view.rows(
            "SELECT zone, any_value(fallback_reason) AS reason FROM ahead WHERE is_fallback GROUP BY zone ORDER BY zone",
            ahead=("forecasts/day_ahead", [view.day]),
        )
        for row in fallback:
            add("fallback forecast", f"{said(row['zone'])}, {view.day}", row["reason"])
        for row in view.rows("SELECT * FROM summary WHERE is_relaxed OR unserved_mwh > 0", summary=("dispatch/summary", [view.day])):
            add("plan is short", f"{view.day}", row["explanation"] or "Limits had to be broken to find any plan.")
    fields = (Field("what", "what"), Field("about", "about"), Field("sentence", "in words"))
    return Shown(fields, rows, None, "" if rows else "Nothing is known to be wrong.", tone="warn" if rows else "", is_open=True)


def completeness(view: View) -> Shown:
    """Share of expected readings that came, by zone and market day."""
    keys = _last(view, QUALITY)
    rows = view.rows(
        "SELECT day, zone, readings, affected, 1 - share AS complete FROM quality WHERE rule = 'missing' ORDER BY zone <> '*', zone, day",
        quality=(QUALITY, keys),
    )
    fields = (
        Field("day", "market day", form="day"),
        Field("zone", "zone"),
        Field("readings", "expected", unit="readings", form="number"),
        Field("affected", "missing", unit="readings", form="number"),
        Field("complete", "complete", form="share", digits=4),
    )
    if not rows:
        return Shown(fields, sentence="No day was validated yet.")
    worst = sorted(
        {row["zone"] for row in rows}, key=lambda zone: (zone != WHOLE, min(row["complete"] for row in rows if row["zone"] == zone))
    )[:MOST_ZONES]
    by = {(row["zone"], row["day"]): row["complete"] for row in rows}
    heat = {"type": "heatmap", "x": [f"{day}" for day in keys], "y": [said(zone) for zone in worst], "z": [[by.get((zone, day)) for day in keys] for zone in worst],
            "zmin": 0.8, "zmax": 1, "colorscale": "@complete", "colorbar": {"tickformat": ".0%", "title": {"text": "complete"}},
            "hovertemplate": "%{x}  %{y}: %{z:.2%}<extra></extra>", "xgap": 1, "ygap": 1}  # fmt: skip
    picture = chart([heat], {"title": {"text": "market day"}, "type": "category", "nticks": 12}, "", "Completeness by zone and day.",
                    yaxis={"type": "category", "autorange": "reversed", "automargin": True})  # fmt: skip
    low = min(rows, key=lambda row: row["complete"])
    return Shown(
        fields,
        rows[::-1],
        picture,
        f"Least complete: {said(low['zone'])} on {low['day']}, {low['complete']:.2%}.",
        f"validated up to {keys[-1]}",
    )


def rules(view: View) -> Shown:
    """What the rules found in the last thirty days."""
    rows = view.rows(
        """SELECT rule, sum(affected) AS affected, sum(readings) AS readings, sum(affected) / nullif(sum(readings), 0) AS share,
               count(DISTINCT day) FILTER (affected > 0) AS days
        FROM quality, (SELECT bool_or(zone = '*') AS has_whole FROM quality) WHERE (zone = '*') = has_whole GROUP BY rule ORDER BY affected DESC, rule""",
        quality=(QUALITY, _last(view, QUALITY)),
    )
    fields = (
        Field("rule", "rule"),
        Field("affected", "readings concerned", form="number"),
        Field("share", "of all", form="share", digits=5),
        Field("days", "on days", form="number"),
    )
    return Shown(fields, rows, is_open=True, most=12)


def accuracy(view: View) -> Shown:
    """Mean absolute error of what was published, and of the naives beside it, by day."""
    few = sorted(hidden_zones(view, view.day)) if view.days else []
    rows = view.rows(
        """SELECT day, forecast, avg(mae_mw) AS mae_mw, avg(coverage_90) AS coverage_90, avg(pinball_mw) AS pinball_mw FROM accuracy
        WHERE lead_bucket = 'all' AND (zone = $zone OR $zone = '*') AND NOT list_contains(CAST($few AS VARCHAR[]), zone)
        GROUP BY day, forecast ORDER BY day DESC, forecast""",
        {"zone": view.asked_zone or WHOLE, "few": few},
        accuracy=(ACCURACY, _last(view, ACCURACY)),
    )
    fields = (Field("day", "market day", form="day"), Field("forecast", "forecast"), power("mae_mw", "mean absolute error"),
              power("pinball_mw", "pinball loss"), Field("coverage_90", "inside the 90 % band", form="share"))  # fmt: skip
    if not rows:
        return Shown(fields, sentence=TOO_FEW if view.asked_zone in few else "No forecast day is known yet.")
    unit, factor = unit_of([row["mae_mw"] for row in rows])
    names = sorted({row["forecast"] for row in rows}, key=lambda name: (name != "published", name))
    colours = {"published": "@load"}
    traces = []
    for n, name in enumerate(names):
        of = [row for row in rows if row["forecast"] == name][::-1]
        traces.append(line(name, [f"{row['day']}" for row in of], scaled([row["mae_mw"] for row in of], factor), colours.get(name, f"@unit{n}"),
                           dash="solid" if name == "published" else "dot"))  # fmt: skip
    mean = {name: _mean([row["mae_mw"] for row in rows if row["forecast"] == name]) for name in names}
    published = mean.get("published")
    best = min((value for name, value in mean.items() if name != "published" and value), default=None)
    inside = _mean([row["coverage_90"] for row in rows if row["forecast"] == "published"])
    said_of = f"Skill over the best naive {1 - published / best:+.0%}, " if best and published is not None else ""
    sentence = f"{said_of}{inside:.0%} of intervals inside the 90 % band, mean over zones and days." if inside is not None else ""
    picture = chart(
        traces,
        {"title": {"text": "market day"}, "type": "date"},
        f"mean absolute error, {unit}",
        "Error of the forecast and of naives by day.",
    )
    return Shown(fields, rows, picture, sentence)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def deliveries(view: View) -> Shown:
    """Files of the last days, and what was refused; the inbox's quarantine."""
    rows = view.rows(
        """SELECT CAST(received_at AS DATE) AS received, format, count(*) AS files, sum(readings) AS readings, sum(rejected) AS rejected,
                  count(*) FILTER (verdict <> 'accepted') AS not_whole
        FROM deliveries GROUP BY ALL ORDER BY ALL DESC""",
        deliveries=("raw/deliveries", view.reader.keys("raw/deliveries")[-DAYS:]),
    )
    fields = (
        Field("received", "received", form="day"),
        Field("format", "format"),
        Field("files", "files", form="number"),
        Field("readings", "rows kept", form="number"),
        Field("rejected", "lines refused", form="number"),
        Field("not_whole", "files not whole", form="number"),
    )
    from smartgrid_assets.resources.inbox import Inbox, files_below

    inbox = Inbox(view.reader.context.settings.inbox)
    waiting, refused = len(inbox.waiting()), sum(not file.name.endswith(".reason.txt") for file in files_below(inbox.quarantine))
    sentence = (
        f"Inbox: {waiting} waiting, {refused} in quarantine{' (each with its reason beside it in inbox/quarantine)' if refused else ''}."
    )
    return Shown(fields, rows, None, sentence, tone="warn" if refused else "", most=15)


def runs(view: View) -> Shown:
    """Dagster's last runs, as Dagster itself tells them."""
    settings = view.reader.context.settings
    rows, trouble = runs_of(settings.dagster_url)
    fields = (
        Field("started", "started", form="moment"),
        Field("step", "step", link=lambda row, view: row["url"]),
        Field("status", "status"),
        Field("seconds", "took", unit="s", form="number", digits=0),
    )
    failed = sum(row["status"] == "FAILURE" for row in rows)
    sentence = trouble or (f"{failed} of the last {len(rows)} runs failed." if failed else "")
    return Shown(
        fields,
        rows,
        None,
        sentence,
        tone="warn" if failed or trouble else "",
        most=15,
        extra={"links": [("Dagster", settings.dagster_url), ("MLflow", settings.mlflow_url)]},
    )


SCREEN = Screen(
    "trust",
    "Can I trust it",
    "Are the data whole, did the night run, how good were we?",
    Role.VIEWER,
    ("day", "zone"),
    (
        Panel("incidents", "Open incidents", incidents, says="what is wrong, in words"),
        Panel("completeness", "Completeness", completeness, is_half=True, says="share of readings that came by zone and day"),
        Panel("accuracy", "Accuracy", accuracy, is_half=True, says="errors of what was published and of naives by day"),
        Panel("rules", "What the rules found", rules, is_half=True, says="readings concerned by rule, thirty days"),
        Panel("deliveries", "Deliveries", deliveries, is_half=True, says="files received, lines refused, quarantine", needs=Role.OPERATOR),
        Panel("runs", "Runs", runs, says="Dagster's last runs", needs=Role.OPERATOR),
    ),
    heading=lambda view: f"State of the chain{f', as of {view.asked_day}' if view.asked_day else ''}",
)
