"""What settled days came to: the published plan against perfect foresight, and other ways to plan beside it."""

from __future__ import annotations

from datetime import date
from typing import Any

from smartgrid_assets.domain.market_day import ONE_DAY
from smartgrid_assets.web.charts import chart, line
from smartgrid_assets.web.panel import Field, Shown, cost
from smartgrid_assets.web.view import View

SETTLEMENT, VALUE = "dispatch/settlement", "dispatch/forecast_value"
SETTLED_DAYS = 30


def _settled_days(view: View) -> list[date]:
    """The last settled days whose load was known then: the gate of two days later is the first that knows it."""
    days = view.reader.keys(SETTLEMENT, last=view.day)
    return [day for day in days if view.as_of is None or view.gate(day + 2 * ONE_DAY) <= view.moment][-SETTLED_DAYS:]


def _settled(view: View) -> dict[date, dict[str, dict[str, Any]]]:
    """By day, the newest first, and plan: what it was settled at."""
    rows = view.rows(
        """SELECT day, plan, solved_cost, bound, regret, is_distinguishable, is_relaxed, error_percent, unserved_mwh, spilled_mwh
        FROM settled ORDER BY day DESC, plan""",
        settled=(SETTLEMENT, _settled_days(view)),
    )
    found: dict[date, dict[str, dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["day"], {})[row["plan"]] = row
    return found


def settlement(view: View) -> Shown:
    """Of days whose load is known: cost of the published commitment and of perfect foresight over the 48 hours solved, and the difference."""
    rows = [
        by["published"] | {"settled": by["published"]["solved_cost"], "perfect": by["perfect_foresight"]["solved_cost"]}
        for by in _settled(view).values()
        if "published" in by and "perfect_foresight" in by
    ]
    fields = (
        Field("day", "market day", form="day"),
        cost("settled", "came to (48 h)"),
        cost("perfect", "perfect foresight (48 h)"),
        cost("regret", "difference"),
        Field("is_distinguishable", "more than the gaps", form="yes"),
        Field("error_percent", "forecast error", unit="%", form="number"),
        Field("unserved_mwh", "not served", unit="MWh", form="number", digits=4),
        Field("spilled_mwh", "spilled", unit="MWh", form="number", digits=4),
    )
    if not rows:
        return Shown(fields, sentence="No planned day is settled yet.")
    x = [f"{row['day']}" for row in rows]
    traces = [
        line("came to", x, [row["settled"] for row in rows], "@load"),
        line("perfect foresight", x, [row["perfect"] for row in rows], "@forecast", dash="dash"),
    ]
    says = "Cost of settled days over the 48 hours solved, and with perfect foresight."
    picture = chart(traces, {"title": {"text": "market day"}, "type": "date"}, "cost of 48 h, the fleet's currency", says)
    known = [row["regret"] for row in rows if row["regret"] is not None]
    mean = f"{_mean(known):,.2f} a day on average over {len(known)} settled days" if known else "nothing that can be told"
    return Shown(fields, rows, picture, f"What the gate could not know cost {mean} (the fleet's currency).{_value_of_error(view)}")


def _value_of_error(view: View) -> str:
    """One sentence of dispatch/forecast_value; nothing where too little is settled."""
    weeks = [week for week in view.reader.keys(VALUE, last=view.day) if view.as_of is None or view.gate(week + 8 * ONE_DAY) <= view.moment]
    found = view.rows("SELECT * FROM value WHERE zone = '*' AND season = 'all'", value=(VALUE, weeks[-1:]))
    if not found:
        return ""
    row = found[0]
    between = "" if row["low"] is None else f" ({row['low']:,.2f} to {row['high']:,.2f})"
    doubt = "" if row["is_distinguishable"] else "; that is within the plans' optimality gaps"
    return f" One percent of forecast error costs {row['cost_per_percent']:,.2f} a day{between}, by {row['days']} days{doubt}."


def ways(view: View) -> Shown:
    """Ways to plan, settled on the same days: mean cost over perfect foresight, unserved energy, and days clearly cheaper or dearer than as published."""
    by_plan: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for by in _settled(view).values():
        kept = {plan: row for plan, row in by.items() if not row["is_relaxed"]}
        for plan, row in kept.items():
            if "published" in kept:
                by_plan.setdefault(plan, []).append((row, kept["published"]))
    rows = sorted(
        (_way(plan, days) for plan, days in by_plan.items()), key=lambda row: (row["regret"] is None, row["regret"] or 0.0, row["plan"])
    )
    fields = (
        Field("plan", "planned with"),
        Field("days", "days", form="number", digits=0),
        cost("regret", "over perfect foresight, a day"),
        Field("error_percent", "error of its load", unit="%", form="number"),
        Field("unserved_mwh", "not served", unit="MWh", form="number", digits=4),
        Field("cheaper", "days clearly cheaper than published", form="number", digits=0),
        Field("dearer", "days clearly dearer", form="number", digits=0),
    )
    return Shown(fields, rows, sentence="" if rows else "No planned day is settled yet.")


def _way(plan: str, days: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """A way to plan over its days, each beside the published plan: clearly cheaper or dearer is more than both gaps together."""
    costed = [pair for pair in days if all(row[name] is not None for row in pair for name in ("solved_cost", "bound"))]
    beyond = [this["solved_cost"] - published["solved_cost"] for this, published in costed]
    doubt = [sum(max(row["solved_cost"] - row["bound"], 0.0) for row in pair) for pair in costed]
    return {
        "plan": plan.replace("_", " "),
        "days": len(days),
        "regret": _mean([this["regret"] for this, _ in days]),
        "error_percent": _mean([this["error_percent"] for this, _ in days]),
        "unserved_mwh": sum(this["unserved_mwh"] for this, _ in days),
        "cheaper": sum(more < -gap for more, gap in zip(beyond, doubt, strict=True)),
        "dearer": sum(more > gap for more, gap in zip(beyond, doubt, strict=True)),
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
