"""For notebooks: tables, what was forecast, the model that forecast it, and the problem that a plan solves.

    from smartgrid_assets import client
    load = client.sql("SELECT * FROM features.load WHERE zone = 'north' AND day >= '2026-10-01'")
    published = client.forecasts("north", "2026-10-01", "2026-10-31")
    again = client.load_forecaster("north", "2026-10-15").forecast("2026-10-15")
    problem = client.plan_problem("2026-10-15")

Read from the home of the settings (SMARTGRID_HOME), with what each day's gate knew; nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.errors import ForecastError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.chain.context import Context
    from smartgrid_assets.domain.forecast.forecaster import FittedModel
    from smartgrid_assets.domain.plan.problem import DispatchProblem

__all__ = ["ZoneForecaster", "forecasts", "load_forecaster", "plan_problem", "sql"]


@dataclass(frozen=True)
class ZoneForecaster:
    """A fitted model of one zone. week: Monday of the week that it was fitted for; run_id: its MLflow run; fitted: all of its zones."""

    zone: str
    model: str
    week: date
    run_id: str
    fitted: FittedModel
    context: Context

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """interval_start_utc and q05 .. q95, MW, of each row of `future`; columns as in domain/forecast/forecaster.py. Raises ForecastError."""
        return self.fitted.predict(self.zone, history, future)

    def frames(self, day: str | date) -> tuple[pd.DataFrame, pd.DataFrame]:
        """History and future of a market day as its gate knew them: what `predict` takes.

        Raises ForecastError where no load was known, or none of the weather that the model was fitted with.
        """
        from smartgrid_assets.chain.forecasting import frames_of
        from smartgrid_assets.chain.known import history
        from smartgrid_assets.chain.step import Work
        from smartgrid_assets.chain.zone_frames import of_zone

        key = _date(day)
        if history(self.context, key) is None:
            raise ForecastError(f"The gate of {key} knew no load; smartgrid status shows which days are there.")
        with self.context.lake.connect() as con:
            known, future, weather = frames_of(Work(self.context, con, key, {}))
        if self.fitted.context.weather not in ("none", weather):
            raise ForecastError(f"{self.model} was fitted with weather, and the gate of {key} knew no weather forecast of the day.")
        return of_zone(known, self.zone), of_zone(future, self.zone)

    def forecast(self, day: str | date) -> pd.DataFrame:
        """The day's quantiles, MW: those of forecasts/candidates, to the last digit, where the day is of the model's week."""
        return self.predict(*self.frames(day))


def sql(query: str, *parameters: Any) -> pd.DataFrame:
    """Rows of one SELECT over the lake (docs/data.md); `?` in it stand for the parameters. Raises SettingsError with DuckDB's sentence."""
    from smartgrid_assets.home import open_lake, selected
    from smartgrid_assets.settings import settings

    with selected(open_lake(settings()), query, parameters) as relation:
        frame: pd.DataFrame = relation.df()
    return frame


def plan_problem(day: str | date) -> DispatchProblem:
    """What the plan of a market day has to solve, with the day after it: published median load, fleet, state of the day before, settings.

    Raises ForecastError where nothing was published for the day.
    """
    from smartgrid_assets.chain.plan_inputs import forecast_load
    from smartgrid_assets.chain.planning import RESERVE_OF, day_problem
    from smartgrid_assets.chain.step import Work
    from smartgrid_assets.home import chain_context

    context, key = chain_context(), _date(day)
    with context.lake.connect() as con:
        work = Work(context, con, key, {})
        load = forecast_load(work)
        if load.empty:
            raise ForecastError(f"Nothing was published for {key}; smartgrid status shows which days are there.")
        return day_problem(work, load, RESERVE_OF.get(context.settings.commitment, "none")).problem


def load_forecaster(zone: str, as_of: str | date, model: str = "") -> ZoneForecaster:
    """The model of a zone that was in force on market day `as_of`: the champion of its group that week, or `model`.

    Raises SettingsError or ForecastError with a sentence where there is none.
    """
    from smartgrid_assets.chain.forecasting import stored_model, stored_models
    from smartgrid_assets.chain.step import Work
    from smartgrid_assets.chain.steps.forecast import CHAMPION, groups_of, week_of_champion
    from smartgrid_assets.domain.forecast.zone_groups import EVERY, group_of
    from smartgrid_assets.domain.market_day import week_of
    from smartgrid_assets.home import chain_context

    context, day = chain_context(), _date(as_of)
    with context.lake.connect() as con:
        work = Work(context, con, day, {})
        stored = {row.model: row for row in stored_models(work)}
        week = week_of_champion(context, day)
        view = context.lake.view(con, CHAMPION, [week] if week else [])
        crowned = dict(con.execute(f"SELECT zone_group, model FROM {view}").fetchall())
        name = model or str(crowned.get(group_of(zone, groups_of(context)), crowned.get(EVERY, "")))
        if name not in stored:
            known = ", ".join(stored) or "none"
            raise SettingsError(f"Week of {week_of(day)}: no fitted model {name or 'and no champion'}; there are: {known}.")
        fitted = stored_model(work, stored[name])
    if not fitted.may_forecast(zone):
        raise ForecastError(fitted.failed.get(zone, f"{name} has no zone {zone}; it has {', '.join(fitted.zones)}."))
    return ZoneForecaster(zone, name, _date(stored[name].week), stored[name].run_id, fitted, context)


def forecasts(
    zone: str | None = None, first: str | date | None = None, last: str | date | None = None, model: str | None = None
) -> pd.DataFrame:
    """What was published of these market days (default: all), beside the load that came (actual_mw, NaN while unknown).

    model: forecasts of that model instead. One row a zone and interval: day, zone, interval_start_utc, q05 .. q95, of what was
    published source_model and is_fallback, and actual_mw.
    """
    from smartgrid_assets.chain.steps.derive import LOAD
    from smartgrid_assets.chain.steps.forecast import CANDIDATES, DAY_AHEAD
    from smartgrid_assets.domain.derive.frames import latest_actual
    from smartgrid_assets.home import chain_context

    lake = chain_context().lake
    path = CANDIDATES if model else DAY_AHEAD
    days = lake.keys(path, _date(first) if first else date.min, _date(last) if last else date.max)
    only, more = ("model = ?", "") if model else ("? IS NULL", ", source_model, is_fallback")
    with lake.connect() as con:
        told = con.execute(
            f"""SELECT day, zone, interval_start_utc, COLUMNS('^q[0-9]{{2}}$'){more} FROM {lake.view(con, path, days, "told")}
            WHERE {only} AND (? IS NULL OR zone = ?) ORDER BY day, zone, interval_start_utc""",
            [model, zone, zone],
        ).df()
        came = latest_actual(con, lake.view(con, LOAD, days, "came")).rename(columns={"load_mw": "actual_mw"})
    return told.merge(came[["zone", "interval_start_utc", "actual_mw"]], on=["zone", "interval_start_utc"], how="left")


def _date(given: Any) -> date:
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError:
        raise SettingsError(f"{given!r} is no day; write it as 2026-10-31.") from None
