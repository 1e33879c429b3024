"""What a percent of forecast error costs, from the settled days of a year; and for MLflow, what each way to plan came to week by week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.dispatch import ERRORS, ONE_DAY, SETTLEMENT, VALUE, WEEK, YEAR
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    import pandas as pd


def value_rows(work: Work) -> pd.DataFrame:
    """Rows of dispatch/forecast_value of the week; its settled ways to plan are put into MLflow."""
    from smartgrid_assets.domain.plan.forecast_value import forecast_value

    lake, con = work.context.lake, work.con
    first, last = work.key + WEEK - YEAR, work.key + WEEK - ONE_DAY
    settled, errors = (
        con.execute(f"FROM {lake.view(con, path, lake.keys(path, first, last), name)} ORDER BY day, plan").df()
        for path, name in ((SETTLEMENT, "settled_days"), (ERRORS, "errors_of_days"))
    )
    rows = forecast_value(settled, errors, work.key.toordinal())[[c.name for c in table(VALUE).columns]]
    work.context.tracking.record_plan_weeks(_weeks(work, rows))
    return rows


def headline(rows: pd.DataFrame) -> dict[str, Any]:
    """For the asset's page."""
    from smartgrid_assets.domain.plan.forecast_value import ALL, WHOLE

    whole = rows[(rows["zone"] == WHOLE) & (rows["season"] == ALL)]
    return {name: whole[name].iloc[0].item() for name in ("days", "error_percent", "cost_per_percent")} if len(whole) else {}


def _weeks(work: Work, value: pd.DataFrame) -> pd.DataFrame:
    """model (a way to plan, or forecast value), week and a column a metric, of all weeks that are there."""
    import pandas as pd

    lake, con = work.context.lake, work.con
    settled = lake.view(con, SETTLEMENT, lake.keys(SETTLEMENT), "settled_ever")
    ways = con.execute(
        f"""SELECT plan AS model, date_trunc('week', day)::DATE AS week, avg(regret) AS regret_a_day, sum(unserved_mwh) AS unserved_mwh,
            avg(error_percent) AS error_percent, avg(solved_cost) AS cost_of_48_h, count(*)::DOUBLE AS days FROM {settled} GROUP BY ALL"""
    ).df()
    others = lake.view(con, VALUE, [week for week in lake.keys(VALUE) if week != work.key], "values_of_weeks")
    known = pd.concat([con.execute(f"FROM {others}").df(), value.assign(week=pd.Timestamp(work.key))], ignore_index=True)
    known = known[(known["zone"] == "*") & (known["season"] == "all")].assign(
        model="forecast value", days=lambda rows: rows["days"].astype(float)
    )
    both = pd.concat([ways, known[["model", "week", "cost_per_percent", "low", "high", "days"]]], ignore_index=True)
    return both.assign(week=pd.to_datetime(both["week"]).dt.date).astype(
        {name: float for name in both.columns if name not in ("model", "week")}
    )
