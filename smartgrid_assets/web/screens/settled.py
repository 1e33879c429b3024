"""What settled days came to: the published plan against perfect foresight, and other ways to plan beside it."""

from __future__ import annotations

from datetime import date

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


def settlement(view: View) -> Shown:
    """Of days whose load is known: cost of the published commitment and of perfect foresight over the 48 hours solved, and the difference."""
    rows = view.rows(
        """SELECT s.day, s.solved_cost AS settled, p.solved_cost AS perfect, s.regret, s.is_distinguishable, s.error_percent, s.unserved_mwh, s.spilled_mwh
        FROM settled s JOIN settled p USING (day) WHERE s.plan = 'published' AND p.plan = 'perfect_foresight' ORDER BY s.day DESC""",
        settled=(SETTLEMENT, _settled_days(view)),
    )
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
    mean = f"{sum(known) / len(known):,.2f} a day on average over {len(known)} settled days" if known else "nothing that can be told"
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
    rows = view.rows(
        """SELECT t.plan, count(*) AS days, avg(t.regret) AS regret, avg(t.error_percent) AS error_percent, sum(t.unserved_mwh) AS unserved_mwh,
            count(*) FILTER (p.solved_cost - t.solved_cost > t.slack + p.slack) AS cheaper, count(*) FILTER (t.solved_cost - p.solved_cost > t.slack + p.slack) AS dearer
        FROM (SELECT *, greatest(solved_cost - bound, 0) AS slack FROM settled WHERE NOT is_relaxed) t
        JOIN (SELECT day, solved_cost, greatest(solved_cost - bound, 0) AS slack FROM settled WHERE plan = 'published' AND NOT is_relaxed) p USING (day) GROUP BY t.plan ORDER BY regret, t.plan""",
        settled=(SETTLEMENT, _settled_days(view)),
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
    rows = [row | {"plan": str(row["plan"]).replace("_", " ")} for row in rows]
    return Shown(fields, rows, sentence="" if rows else "No planned day is settled yet.")
