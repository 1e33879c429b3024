"""What a day's plan stands on: load by zone, fleet, state, what wind and sun offer, joint paths of the demand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.dispatch import ONE_DAY, STATE
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD, SCENARIOS, future_of, history_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from smartgrid_assets.domain.plan.fleet import Fleet

WEEK = timedelta(days=7)
REFERENCE_MARGIN = 1.3


def forecast_load(work: Work) -> pd.DataFrame:
    """The published median of the day, by zone."""
    view = work.context.lake.view(work.con, DAY_AHEAD, [work.key], "published_load")
    return _zones(work.con.execute(f"SELECT zone, interval_start_utc, interval_minutes, load_mw FROM {view} ORDER BY 1, 2").df())


def actual_load(work: Work) -> pd.DataFrame:
    """The load that came, by zone."""
    from smartgrid_assets.domain.derive.frames import latest_actual

    actual = latest_actual(work.con, work.context.lake.view(work.con, LOAD, [work.key], "load_that_came"))
    return _zones(actual[["zone", "interval_start_utc", "interval_minutes", "load_mw"]])


def _zones(load: pd.DataFrame) -> pd.DataFrame:
    """Without the whole, unless it is all there is: zones add up to it."""
    parts = load[load["zone"] != "*"]
    return parts if len(parts) else load


def naive_load(work: Work, load: pd.DataFrame) -> pd.DataFrame:
    """The market day's load as the load of a week before, as its gate knew it. load: any of the day, for its zones and intervals."""
    import pandas as pd

    return pd.concat([_week_before(work, work.key, str(zone), rows) for zone, rows in load.groupby("zone")], ignore_index=True)


def with_second_day(work: Work, load: pd.DataFrame) -> pd.DataFrame:
    """The day's load, then that of the day after as the gate can know it: a week before, at the same wall-clock time."""
    import pandas as pd

    after = [_week_before(work, work.key + ONE_DAY, str(zone), rows) for zone, rows in load.groupby("zone")]
    return pd.concat([load, *after], ignore_index=True)


def _week_before(work: Work, day: date, zone: str, like: pd.DataFrame) -> pd.DataFrame:
    """Load of a zone a week before `day`, laid on its intervals; where none is known, that of `like`, interval by interval."""
    import pandas as pd

    window, tz = work.context.market_day(day), work.context.settings.timezone
    history = history_of(work, work.key)
    minutes = int(like["interval_minutes"].iloc[0])
    starts = pd.DatetimeIndex(pd.date_range(window.start_utc, window.end_utc, freq=timedelta(minutes=minutes), inclusive="left")).as_unit(
        "us"
    )
    local = starts.tz_localize("UTC").tz_convert(tz).tz_localize(None)
    past = history[history["zone"] == zone].groupby("local_time")["load_mw"].mean()
    ahead = past.reindex(local - WEEK).to_numpy()
    if not pd.notna(ahead).any():
        values = like["load_mw"].to_numpy()
        ahead = [values[min(n, len(values) - 1)] for n in range(len(starts))]
    filled = pd.Series(ahead).interpolate(limit_direction="both").to_numpy()
    return pd.DataFrame({"zone": zone, "interval_start_utc": starts, "interval_minutes": minutes, "load_mw": filled})


def demand_paths(work: Work, starts: pd.DatetimeIndex, minutes: int) -> np.ndarray | None:
    """(n, intervals of the market day) MW: joint paths of the system's demand with losses; None where there are none.

    starts: of the plan's intervals, of `minutes` each; those after the market day have no paths.
    """
    window = work.context.market_day(work.key)
    view = work.context.lake.view(work.con, SCENARIOS, [work.key], "paths_to_plan")
    step = f"INTERVAL {int(minutes)} MINUTE"
    rows = work.con.execute(
        f"""SELECT path, time_bucket({step}, interval_start_utc, ?::TIMESTAMP) AS start_utc, sum(load_mw * interval_minutes) / {int(minutes)} AS mw
        FROM {view} GROUP BY ALL""",
        [window.start_utc],
    ).df()
    if rows.empty:
        return None
    of_day = starts[(starts >= window.start_utc) & (starts < window.end_utc)]
    grid = rows.pivot(index="path", columns="start_utc", values="mw").reindex(columns=of_day)
    return None if grid.isna().to_numpy().any() else grid.to_numpy(float) * work.context.settings.loss_factor


def day_fleet(work: Work, load: pd.DataFrame) -> tuple[Fleet, str, str]:
    """The delivered fleet (for a zone that delivered none, a reference fleet scaled to the highest load known), its source, and a note."""
    from smartgrid_assets.domain.plan.fleet import Fleet, fleet_from_rows, reference_fleet

    rows = (
        work.con.execute(f"SELECT unit, kind, zone, spec FROM {work.context.delivered.fleet(work.con)} ORDER BY unit")
        .df()
        .to_dict("records")
    )
    delivered = fleet_from_rows(rows) if rows else Fleet()
    served = {row["zone"] for row in rows}
    lacking = [] if "*" in served else sorted(set(load["zone"]) - served)
    history = history_of(work, work.key)
    fleets = [delivered]
    for zone in lacking:
        peak = max(float(load.loc[load["zone"] == zone, "load_mw"].max()), float(history.loc[history["zone"] == zone, "load_mw"].max()))
        fleets.append(reference_fleet(zone, max(peak, 1e-3) * work.context.settings.loss_factor, REFERENCE_MARGIN))
    fleet = Fleet(*(tuple(unit for f in fleets for unit in getattr(f, kind)) for kind in ("thermal", "storage", "renewable")))
    note = (
        f"No fleet was delivered for {', '.join(lacking)}: a built-in reference fleet of {REFERENCE_MARGIN} times the highest load stands in."
        if lacking
        else ""
    )
    return fleet, "reference" if lacking and not rows else "delivered and reference" if lacking else "delivered", note


def available_mw(
    work: Work, fleet: Fleet, starts: pd.DatetimeIndex, minutes: int, came: bool = False, known_utc: datetime | None = None
) -> tuple[dict[str, list[float]], str]:
    """Available power of each renewable, MW, from the weather forecast known at known_utc (the gate; none of it where there was none); and a note.

    came: of the market day, from the weather that was observed, where it was.
    """
    import pandas as pd

    from smartgrid_assets.domain.plan.availability import solar_mw, wind_mw

    if not fleet.renewable:
        return {}, ""
    zones = sorted({unit.zone for unit in fleet.renewable})
    days = [future_of(work, day, minutes, zones, known_utc or work.context.gate(work.key)) for day in (work.key, work.key + ONE_DAY)]
    weather = pd.concat([frame for frame, _ in days]).set_index(["zone", "interval_start_utc"])[["irradiance_w_m2", "wind_speed_m_s"]]
    if came:
        weather = _observed(work, minutes).reindex(weather.index).combine_first(weather)
    available = {}
    for unit in fleet.renewable:
        of_zone = weather.loc[unit.zone].reindex(starts)
        power = (
            solar_mw(unit.p_max_mw, of_zone["irradiance_w_m2"].to_numpy(float))
            if unit.source == "solar"
            else wind_mw(unit.p_max_mw, of_zone["wind_speed_m_s"].to_numpy(float))
        )
        available[unit.name] = power.tolist()
    return available, "" if days[0][1] == "forecast" else "The gate knew no weather forecast: wind and sun are planned as nothing."


def _observed(work: Work, minutes: int) -> pd.DataFrame:
    """Sun and wind of the market day as observed, by zone and interval of the plan."""
    view = work.context.lake.view(work.con, LOAD, [work.key], "weather_that_came")
    return (
        work.con.execute(
            f"""SELECT zone, time_bucket(INTERVAL {int(minutes)} MINUTE, interval_start_utc, ?::TIMESTAMP) AS interval_start_utc,
            avg(irradiance_w_m2) AS irradiance_w_m2, avg(wind_speed_m_s) AS wind_speed_m_s
            FROM (FROM {view} WHERE feeder = '*'
                  QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc ORDER BY known_from_utc DESC) = 1) GROUP BY ALL""",
            [work.context.market_day(work.key).start_utc],
        )
        .df()
        .set_index(["zone", "interval_start_utc"])
    )


def state_before(work: Work) -> dict[str, dict[str, Any]]:
    """Unit -> its state at the end of the day before, as Fleet.with_state takes it; none where that day was not planned."""
    view = work.context.lake.view(work.con, STATE, [work.key - ONE_DAY], "state_before")
    rows = work.con.execute(f"SELECT unit, status_hours, power_mw, stored_mwh FROM {view}").df().to_dict("records")
    return {row.pop("unit"): row for row in rows}
