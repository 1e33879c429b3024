"""What to do: the plan by unit with storage, prices and reserve; what it costs, against yesterday and against what would have been best."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from smartgrid_assets.domain.market_day import ONE_DAY
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.charts import chart, day_axis, hours_of, line, scaled, steps, unit_of, walls
from smartgrid_assets.web.few import hidden_feeders
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown, cost, power
from smartgrid_assets.web.screens.settled import settlement, ways
from smartgrid_assets.web.screens.tomorrow import named, not_yet
from smartgrid_assets.web.view import FEEDERS, NotThere, View
from smartgrid_assets.web.words import number, stamp

PLAN, PRICES, SUMMARY, WHY = "dispatch/plan", "dispatch/prices", "dispatch/summary", "dispatch/why"
CALLS, REPLAN, REPLANS = "dispatch/flexibility_calls", "dispatch/replan", "dispatch/replan_summary"
MOST_UNITS = 14
STACKED = (
    "interval_start_utc",
    "interval_minutes",
    "unit",
    "kind",
    "zone",
    "committed",
    "power_mw",
    "reserve_mw",
    "charge_mw",
    "discharge_mw",
    "stored_mwh",
    "curtailed_mw",
)


def _prices(view: View) -> list[dict[str, Any]]:
    if not view.reader.keys(PLAN, view.day, view.day):
        raise NotThere(f"There is no plan of {view.day}; `smartgrid run --from {view.day} --to {view.day}` makes it.")
    if view.moment < view.gate(view.day):
        raise NotThere(
            f"At {stamp(view.moment, view.tz)} there was no plan of {view.day}: its gate closes {stamp(view.gate(view.day), view.tz)}."
        )
    return list(view.rows("SELECT * FROM prices ORDER BY interval_start_utc", prices=(PRICES, [view.day])))


def stack(view: View) -> Shown:
    """Power of every unit by interval; charging storage lies below zero."""
    prices = _prices(view)
    rows = _in_force(view)
    by_unit: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_unit.setdefault(row["unit"], []).append(row)
    moved = {name: sum(abs(row["power_mw"]) for row in of) for name, of in by_unit.items()}
    largest = sorted((name for name in moved if moved[name] > 0), key=lambda name: (-moved[name], name))
    shown = largest[:MOST_UNITS]
    stamps = [row["interval_start_utc"] for row in prices]
    unit, factor = unit_of([row["demand_mw"] for row in prices])
    traces = [_bars(view, name, by_unit[name], stamps, (unit, factor), n) for n, name in enumerate(shown)]
    if len(largest) > len(shown):
        rest = _summed([row for name, of in by_unit.items() if name not in shown for row in of])
        traces.append(_bars(view, f"{len(largest) - len(shown)} others", rest, stamps, (unit, factor), len(shown)))
    demand = steps(view.market_day, prices, scaled([row["demand_mw"] for row in prices], factor))
    traces.append(line("demand", colour="@load", hovertemplate=f"%{{y:.4~g}} {unit}<extra>demand</extra>", **demand))
    fields = (
        Field("interval_start_utc", "from", form="time"),
        Field("unit", "unit"),
        Field("kind", "kind"),
        Field("zone", "zone"),
        Field("committed", "runs", form="yes"),
        power("power_mw", "power"),
        power("reserve_mw", "reserve"),
        Field("stored_mwh", "stored", unit="MWh", form="number", digits=3),
        power("curtailed_mw", "curtailed"),
    )
    says = f"Planned power by unit on {view.day}, stacked, and the demand that it meets."
    picture = chart(traces, day_axis(view.market_day, view.tz), f"mean power, {unit}", says, barmode="relative", bargap=0)
    sentence, tone = _state(view)
    if made := _replans(view):
        told = f"From {walls([made[0]['from_utc']], view.tz)[0]} on this is the re-plan made {stamp(made[0]['recorded_at'], view.tz)}: {made[0]['why']}; demand and price are as the gate expected them."
        sentence, tone = f"{told} {sentence}", tone or "warn"
    return Shown(fields, rows, picture, sentence, f"planned for the gate, {stamp(view.gate(view.day), view.tz)}", tone)


def _in_force(view: View) -> list[dict[str, Any]]:
    """The schedule in force at the moment looked at: the gate's plan, and over it the re-plans, the newest last."""
    from smartgrid_assets.chain.replanning import in_force_sql

    order = "ORDER BY interval_start_utc, kind, unit"
    if not _replans(view):
        return list(view.rows(f"SELECT {', '.join(STACKED)} FROM plan {order}", plan=(PLAN, [view.day])))
    made_until = "(FROM made WHERE recorded_at <= ?)"
    moment = [view.as_of or datetime.max.replace(microsecond=0)]
    tables = {"plan": (PLAN, [view.day]), "made": (REPLAN, [view.day])}
    return list(view.rows(f"{in_force_sql(STACKED, 'plan', made_until)} {order}", moment, **tables))


def _replans(view: View) -> list[dict[str, Any]]:
    """Re-plans of the day up to the moment looked at, the newest first."""
    rows = view.rows("SELECT * FROM made ORDER BY recorded_at DESC", made=(REPLANS, [view.day]))
    return [row for row in rows if view.as_of is None or row["recorded_at"] <= view.moment]


def _state(view: View) -> tuple[str, Any]:
    """What is to be known of the plan as a whole, and how loudly."""
    found = view.rows("SELECT * FROM summary WHERE plan = 'published'", summary=(SUMMARY, [view.day]))
    if not found:
        return "The plan's summary is missing: `smartgrid status` says what is due.", "warn"
    row, said_of = found[0], []
    if row["is_relaxed"]:
        said_of.append("RELAXED: limits had to be broken to find any plan.")
    if row["unserved_mwh"] > 0:
        said_of.append(f"{number(row['unserved_mwh'], 3)} MWh are not served.")
    if row["status"] == "time limit":
        said_of.append(
            f"The solver ran out of time; it is within {row['gap']:.2%} of the best."
            if row["gap"] is not None
            else "The solver ran out of time."
        )
    loud = bool(said_of)
    if row["explanation"]:
        said_of.append(row["explanation"])
    if row["fleet_source"] == "reference":
        said_of.append("No fleet was delivered: this plans a built-in reference fleet.")
    if row["state_source"] == "initial":
        said_of.append("Yesterday's plan was not there: units start from their initial state.")
    return " ".join(said_of) or "All demand is met within all limits.", "bad" if loud else "warn" if said_of else ""


def _bars(view: View, name: str, rows: Sequence[dict[str, Any]], stamps: list[Any], unit: tuple[str, float], n: int) -> dict[str, Any]:
    by = {row["interval_start_utc"]: row for row in rows}
    minutes = rows[0]["interval_minutes"] if rows else 60
    return {
        "type": "bar", "name": name, "x": [hour + minutes / 120 for hour in hours_of(view.market_day, stamps)], "width": minutes / 60,
        "y": scaled([by[stamp]["power_mw"] if stamp in by else None for stamp in stamps], unit[1]), "marker": {"color": f"@unit{n % 15}"},
        "text": walls(stamps, view.tz), "textposition": "none", "hovertemplate": f"%{{text}}  %{{y:.4~g}} {unit[0]}<extra>%{{fullData.name}}</extra>",
    }  # fmt: skip


def _summed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    total: dict[Any, dict[str, Any]] = {}
    for row in rows:
        one = total.setdefault(row["interval_start_utc"], {**row, "power_mw": 0.0})
        one["power_mw"] += row["power_mw"]
    return list(total.values())


def prices(view: View) -> Shown:
    """Marginal price, reserve required and held, and what is short."""
    rows = _prices(view)
    unit, factor = unit_of([row["reserve_held_mw"] for row in rows] + [row["reserve_required_mw"] for row in rows])
    required, held = (
        steps(view.market_day, rows, scaled([row[name] for row in rows], factor)) for name in ("reserve_required_mw", "reserve_held_mw")
    )
    price = steps(view.market_day, rows, [row["price_per_mwh"] for row in rows])
    read: dict[str, Any] = {"text": walls([row["interval_start_utc"] for row in rows], view.tz)}
    traces = [
        line("price", colour="@forecast", hovertemplate="%{text}  %{y:.2f} a MWh<extra>price</extra>", **price, **read),
        line("reserve required", colour="@bad", dash="dash", yaxis="y2", width=1.5, **required, **read),
        line("reserve held", colour="@second", yaxis="y2", width=1.5, **held, **read),
    ]
    fields = (
        Field("interval_start_utc", "from", form="time"),
        power("demand_mw", "demand"),
        Field("price_per_mwh", "price", unit="a MWh, the fleet's currency", form="number"),
        power("reserve_required_mw", "reserve required"),
        power("reserve_held_mw", "reserve held"),
        power("unserved_mw", "not served"),
        power("spilled_mw", "spilled"),
    )
    short = [row for row in rows if row["reserve_held_mw"] < row["reserve_required_mw"] - 1e-6]
    sentence = f"Reserve is short in {len(short)} of {len(rows)} intervals." if short else ""
    picture = chart(traces, day_axis(view.market_day, view.tz), "price a MWh, the fleet's currency", f"Marginal price and reserve on {view.day}.",
                    yaxis2={"title": {"text": f"reserve, {unit}"}, "overlaying": "y", "side": "right", "showgrid": False, "rangemode": "tozero", "tickmode": "auto"})  # fmt: skip
    return Shown(fields, rows, picture, sentence, tone="warn" if short else "")


def storage(view: View) -> Shown:
    """Level of each storage at the end of each interval."""
    _prices(view)
    rows = sorted((row for row in _in_force(view) if row["kind"] == "storage"), key=lambda row: (row["unit"], row["interval_start_utc"]))
    fields = (
        Field("unit", "storage"),
        Field("zone", "zone"),
        Field("interval_start_utc", "from", form="time"),
        power("charge_mw", "taken"),
        power("discharge_mw", "given"),
        Field("stored_mwh", "level at its end", unit="MWh", form="number", digits=3),
    )
    unit, factor = unit_of([row["stored_mwh"] for row in rows])
    traces = []
    for n, name in enumerate(dict.fromkeys(row["unit"] for row in rows)):
        of = [row for row in rows if row["unit"] == name]
        ends = [
            hour + row["interval_minutes"] / 60
            for hour, row in zip(hours_of(view.market_day, [row["interval_start_utc"] for row in of]), of, strict=True)
        ]
        traces.append(
            line(name, ends, scaled([row["stored_mwh"] for row in of], factor), f"@unit{n % 15}", mode="lines+markers", marker={"size": 4})
        )
    says = f"Storage levels on {view.day}."
    picture = chart(traces, day_axis(view.market_day, view.tz), f"stored, {unit}h", says, showlegend=True) if rows else None
    return Shown(fields, rows, picture, "" if rows else "The fleet has no storage.")


def costs(view: View) -> Shown:
    """What the plan costs by part, beside yesterday's; of settled days also what it came to, and what perfect foresight would have cost."""
    _prices(view)
    keys = [day for day in (view.day, view.day - ONE_DAY) if view.reader.keys(SUMMARY, day, day)]
    rows = view.rows("SELECT * FROM summary WHERE plan = 'published' ORDER BY day DESC", summary=(SUMMARY, keys))
    parts = ("energy", "no_load", "startup", "shutdown", "unserved", "spilled", "reserve_shortfall")
    fields = (
        Field("day", "market day", form="day"),
        Field("status", "status"),
        Field("gap", "gap", form="share", digits=4),
        cost("cost_total", "total"),
        *(cost(f"cost_{part}", part.replace("_", " ").replace("startup", "start-ups").replace("shutdown", "shutdowns")) for part in parts),
        Field("solver", "solver"),
    )
    sentence = ""
    if len(rows) == 2:
        today, before = rows
        moved = sorted(((today[f"cost_{part}"] - before[f"cost_{part}"], part) for part in parts), key=lambda one: -abs(one[0]))
        by = ", ".join(f"{part.replace('_', ' ')} {value:+,.2f}" for value, part in moved[:3] if abs(value) >= 0.005)
        sentence = f"{today['cost_total'] - before['cost_total']:+,.2f} against yesterday{': ' + by if by else ''} (the fleet's currency)."
    return Shown(fields, rows, None, sentence, is_open=True)


def why(view: View) -> Shown:
    """What binds each unit over which hours, and what one MWh more of it would be worth; the most first, but for sun and wind: more is always welcome."""
    _prices(view)
    rows = view.rows(
        """SELECT min(interval_start_utc) AS interval_start_utc, max(interval_start_utc + to_minutes(interval_minutes)) AS until_utc, unit, zone, kind, binds,
            avg(power_mw) AS power_mw, avg(worth_per_mwh) AS worth_per_mwh, arg_max(sentence, abs(coalesce(worth_per_mwh, 0))) AS sentence
        FROM (SELECT *, row_number() OVER (PARTITION BY unit ORDER BY interval_start_utc) - row_number() OVER (PARTITION BY unit, binds ORDER BY interval_start_utc) AS run FROM why)
        GROUP BY unit, zone, kind, binds, run
        ORDER BY binds = 'all used', abs(coalesce(sum(worth_per_mwh * interval_minutes), 0)) DESC, unit, interval_start_utc""",
        why=(WHY, [view.day]),
    )
    fields = (
        Field("unit", "unit"),
        Field("interval_start_utc", "from", form="time"),
        Field("until_utc", "until", form="time"),
        Field("binds", "what binds"),
        power("power_mw", "mean power"),
        Field("worth_per_mwh", "mean worth", unit="a MWh, the fleet's currency", form="number"),
        Field("sentence", "in words, at its dearest"),
    )
    return Shown(fields, rows, sentence=rows[0]["sentence"] if rows and rows[0]["worth_per_mwh"] else "No unit's limit costs anything.")


def replans(view: View) -> Shown:
    """The rest of the day planned anew: when, why, what it costs, what was short. Prices and what binds are those of the gate's plan."""
    starts = [row["interval_start_utc"] for row in _prices(view)]
    rows = _replans(view)
    fields = (
        Field("recorded_at", "made", form="moment"),
        Field("from_utc", "from", form="time"),
        Field("why", "why"),
        Field("status", "status"),
        cost("cost_total", "rest of the day"),
        Field("unserved_mwh", "not served", unit="MWh", form="number", digits=4),
        Field("explanation", "in words"),
    )
    said = (
        f"The plan was made anew {'once' if len(rows) == 1 else f'{len(rows)} times'}; the newest from {walls([rows[0]['from_utc']], view.tz)[0]}: {rows[0]['why']}."
        if rows
        else ""
    )
    return Shown(
        fields,
        rows,
        sentence=said or "The plan of the gate is in force.",
        tone="warn" if rows else "",
        extra={} if view.as_of else {"moments": [(f"{at.isoformat()}Z", text) for at, text in _left(view, starts)]},
    )


def _left(view: View, starts: Sequence[datetime]) -> list[tuple[datetime, str]]:
    """Intervals from which on the day can be planned anew: those that have not begun."""
    left = [start for start in starts if start >= view.now]
    return list(zip(left, walls(left, view.tz), strict=True))


def flexible(view: View) -> Shown:
    """Where load must give way for the flow to stay within the limit with 95 %: the calls on flexible customers, interval by interval."""
    if not view.is_forecast:
        return Shown(sentence=not_yet(view), tone="warn")
    few = hidden_feeders(view, view.day)
    # Only of feeders whose customers are counted: of others it is not known whether they are few.
    rows = view.rows(
        "SELECT * FROM calls SEMI JOIN feeders USING (zone, feeder) ORDER BY call_kw DESC, zone, feeder, interval_start_utc",
        calls=(CALLS, [view.day]),
        feeders=(FEEDERS, [view.day]),
    )
    rows = [row | {"name": named(row["feeder"])} for row in rows if (row["zone"], row["feeder"]) not in few]
    fields = (
        Field("name", "feeder", link=lambda row, view: view.url("feeder", zone=row["zone"], feeder=row["feeder"])),
        Field("zone", "zone"),
        Field("interval_start_utc", "from", form="time"),
        Field("call_kw", "must give way", unit="kW", form="number", digits=1),
        Field("direction", "direction"),
        Field("price_per_mwh", "worth to the plan", unit="a MWh, the fleet's currency", form="number"),
        Field("sentence", "in words"),
    )
    return Shown(
        fields,
        rows,
        sentence=rows[0]["sentence"] if rows else "No feeder needs flexible customers to give way.",
        is_open=bool(rows),
        tone="warn" if rows else "",
    )


SCREEN = Screen(
    "plan",
    "What to do",
    "Which units run, what does it cost, and what is short?",
    Role.OPERATOR,
    ("day", "as_of"),
    (
        Panel("stack", "Plan by unit", stack, says="power, reserve and storage of each unit by interval"),
        Panel("prices", "Price and reserve", prices, is_half=True, says="marginal price, reserve, shortfalls by interval"),
        Panel("storage", "Storage", storage, is_half=True, says="level of each storage"),
        Panel("costs", "Cost", costs, says="cost by part, today and yesterday"),
        Panel("why", "What binds and why", why, says="what binds each unit, when, and what it is worth"),
        Panel("replans", "Re-plans of the day", replans, says="the rest of the day planned anew, and why", form="_replan.html"),
        Panel("flexible", "Calls on flexible customers", flexible, says="feeders whose flow must be lowered, when and by how much"),
        Panel("settlement", "What forecast error cost", settlement, says="settled days against perfect foresight"),
        Panel("ways", "Other ways to plan", ways, says="ways to meet uncertainty, settled on the same days"),
    ),
    heading=lambda view: f"Plan of {view.day:%A %d %B %Y}",
)
