"""What candidates were worth, who is champion, what is published, and what that was worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.known import history_days
from smartgrid_assets.chain.rescue import ON_THE_SPOT
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import (
    ACCURACY,
    CANDIDATES,
    CHAMPION,
    DAY_AHEAD,
    MODEL,
    PROMOTIONS,
    SCORES,
    groups_of,
    history_of,
    learned_days,
    promoted_weeks,
    scored_days,
    tried_models,
    week_of_champion,
)
from smartgrid_assets.chain.zone_frames import by_zone, typed_empty
from smartgrid_assets.domain.forecast.zone_groups import EVERY, OTHERS, group_of, names_of
from smartgrid_assets.domain.market_day import days_between, week_of
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS, table

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.domain.forecast.aggregate import Aggregate

NAIVES = ("naive_2d", "naive_7d")
MASE_DAYS = 56
ZONES_AT_ONCE = 100
"""Candidates of so many zones' eight weeks are in memory at once: about 0.3 GB at half hours and eight models, once a process."""


def _rows(work: Work, path: str, name: str) -> pd.DataFrame:
    view = work.context.lake.view(work.con, path, [work.key], name)
    return work.con.execute(f"SELECT * EXCLUDE (day) FROM {view}").df()


def _actual(work: Work) -> pd.DataFrame:
    from smartgrid_assets.domain.derive.frames import latest_actual

    return latest_actual(work.con, work.context.lake.view(work.con, LOAD, [work.key], "load_of_day"))


def score_candidates(work: Work) -> pd.DataFrame:
    """Rows of forecasts/scores: zone, model, lead bucket, and when the load was known: a gate picks the score that it knew."""
    import pandas as pd

    from smartgrid_assets.domain.forecast.score import score_day

    candidates = _rows(work, CANDIDATES, "candidates_of_day")
    issued = pd.Timestamp(work.context.gate(work.key))
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for actual in _versions_of_actual(work):
        for (zone, model), forecast in candidates.groupby(["zone", "model"]):
            known = actual[actual["zone"] == zone]
            if len(known) and forecast["interval_start_utc"].isin(known["interval_start_utc"]).any():
                since = known["known_from_utc"].max()
                for row in score_day(forecast, known, issued):
                    rows[zone, model, row["lead_bucket"], since] = {"zone": zone, "model": model, "known_from_utc": since, **row}
    return framed(list(rows.values()), SCORES)


def _versions_of_actual(work: Work) -> list[pd.DataFrame]:
    """The load that came, as it was known from each moment on at which more of it came."""
    from smartgrid_assets.domain.derive.frames import latest_actual

    view = work.context.lake.view(work.con, LOAD, [work.key], "load_of_day")
    moments = work.con.execute(f"SELECT DISTINCT known_from_utc FROM {view} WHERE feeder = '*' ORDER BY 1").fetchall()
    return [latest_actual(work.con, view, as_of_utc=moment) for (moment,) in moments]


def crown(work: Work) -> pd.DataFrame:
    """Rows of forecasts/champion, one a zone group: whom a person promoted, else by the scores that the gate knew."""
    from dataclasses import asdict

    import pandas as pd

    from smartgrid_assets.domain.forecast.champion import WEEKS_REMEMBERED, champion_of_week

    context, con = work.context, work.con
    scores = context.lake.view(con, SCORES, days_between(*scored_days(context, work.key)), "recent_scores")
    told = con.execute(f"SELECT day, zone, model, pinball_mw, known_from_utc FROM {scores} WHERE lead_bucket = 'all'").df()
    models = context.lake.view(con, MODEL, [work.key], "models_of_week")
    fitted = [name for (name,) in con.execute(f"SELECT model FROM {models} WHERE status = 'fitted' ORDER BY model").fetchall()]
    weeks = [work.key - timedelta(weeks=back) for back in range(WEEKS_REMEMBERED, -1, -1)]
    gates = [(history_days(context, week)[1], context.gate(week)) for week in weeks]
    groups = groups_of(context)
    of_group = told["zone"].map(lambda zone: group_of(zone, groups))
    chosen = {name: champion_of_week(told[of_group == name], gates, fitted) for name in names_of(groups, told["zone"].unique())}
    crowned = [{"zone_group": name, **asdict(choice), "promoted_by": None} for name, choice in chosen.items()]
    crowned = [row | _promoted(work, fitted, row) for row in crowned]
    _mirror(work, crowned)
    return pd.DataFrame(crowned)[list(table(CHAMPION).column_names)]


def _promoted(work: Work, fitted: list[str], chosen: dict[str, Any]) -> dict[str, Any]:
    """What a person's newest decision, for the group or for all zones, changes of the row that the scores chose."""
    weeks = promoted_weeks(work.context, work.key)
    if not weeks:
        return {}
    view = work.context.lake.view(work.con, PROMOTIONS, weeks, "promotions_known")
    newest = f"SELECT model, who, why FROM {view} WHERE zone_group IN (?, ?) ORDER BY given_at DESC, promotion_id LIMIT 1"
    model, who, why = (work.con.execute(newest, [chosen["zone_group"], EVERY]).fetchall() or [("", "", "")])[0]
    if not model or model not in fitted:
        return {"why": f"{model}, promoted by {who}, could not be fitted; {chosen['why']}"} if model else {}
    runner_up = chosen["model"] if chosen["model"] != model else chosen["runner_up"]
    return {"model": model, "runner_up": runner_up, "margin": None, "promoted_by": who, "why": f"promoted by {who}: {why}"}


def _mirror(work: Work, crowned: list[dict[str, Any]]) -> None:
    """MLflow's aliases follow the newest week of the champions' table; a replay of older weeks leaves them alone."""
    if any(week > work.key for week in work.context.lake.keys(CHAMPION)):
        return
    runs = dict(work.con.execute("SELECT model, run_id FROM models_of_week WHERE run_id <> ''").fetchall())
    for row in crowned:
        if row["model"] in runs:
            work.context.tracking.register_champion(row["zone_group"], runs[row["model"]], runs.get(row["runner_up"]))
    weeks = weekly_scores(work)
    for group, rows in weeks.groupby("zone_group"):
        work.context.tracking.record_weeks(str(group), rows.drop(columns="zone_group"))


def weekly_scores(work: Work) -> pd.DataFrame:
    """A row a zone group, model and week with the means over its scored days and zones, as the load is known now; columns as MLflow
    shows them. All zones together are the group `all`."""
    import pandas as pd

    scores = work.context.lake.view(work.con, SCORES, work.context.lake.keys(SCORES), "all_scores")
    groups = groups_of(work.context)
    work.con.register("zone_groups", pd.DataFrame({"zone": list(groups), "zone_group": list(groups.values())}, dtype="string"))
    return work.con.execute(
        f"""WITH newest AS (SELECT * FROM {scores} WHERE lead_bucket = 'all'
            QUALIFY row_number() OVER (PARTITION BY day, zone, model ORDER BY known_from_utc DESC) = 1),
        beside AS (SELECT s.*, nullif(n.pinball_mw, 0) AS naive_mw FROM newest s
            LEFT JOIN newest n ON n.day = s.day AND n.zone = s.zone AND n.model = '{NAIVES[1]}'),
        grouped AS (SELECT *, '{EVERY}' AS zone_group FROM beside UNION ALL
            SELECT b.*, coalesce(g.zone_group, '{OTHERS}') FROM beside b LEFT JOIN zone_groups g USING (zone) WHERE ?)
        SELECT zone_group, model, CAST(date_trunc('week', day) AS DATE) AS week, count(DISTINCT day) AS days, avg(mae_mw) AS mae_mw, avg(rmse_mw) AS rmse_mw,
            avg(pinball_mw) AS pinball_mw, avg(coverage_90) AS coverage_90, avg(pinball_mw / naive_mw) AS pinball_to_naive_7d
        FROM grouped GROUP BY ALL ORDER BY ALL""",
        [bool(groups)],
    ).df()


def publish_day(work: Work) -> pd.DataFrame:
    """Rows of forecasts/day_ahead: for each zone what a person promoted, else the aggregate of the models, else the champion's, else the
    next best; flagged from the champion on."""
    import pandas as pd

    from smartgrid_assets.domain.forecast.aggregate import NAME as AGGREGATE
    from smartgrid_assets.domain.forecast.ladder import publish
    from smartgrid_assets.domain.forecast.profile import NAME as PROFILE

    candidates = _rows(work, CANDIDATES, "candidates_of_day")
    champions, last_rungs = _champions(work, candidates["zone"].unique()), (*ON_THE_SPOT, PROFILE)
    by_name = sorted(set(candidates["model"]) - {*last_rungs})
    aggregates, frames = aggregate_day(work, candidates), []
    this_week = {*tried_models(work.context, week_of(work.key)).values()} - {""}
    for zone, of_zone in candidates.groupby("zone"):
        found = aggregates.get(str(zone))
        champion, runner_up, why, promoted_by = champions[str(zone)]
        first = champion if promoted_by is not None else AGGREGATE
        by_model: dict[str, pd.DataFrame] = {AGGREGATE: found} if isinstance(found, pd.DataFrame) else {}
        if first not in by_model:  # the aggregate is whole where it is: nobody looks at the rungs below it
            by_model |= dict(iter(of_zone.groupby("model")))
        rungs = [name for name in dict.fromkeys([AGGREGATE, champion, runner_up, *by_name, *last_rungs]) if name]
        reason = found if isinstance(found, str) and first == AGGREGATE else ""
        if reason and champion in NAIVES:
            reason = f"{reason}; {why}"
        if (published := publish(by_model, first, rungs, reason)) is not None:
            frames.append(_flagged(published.assign(zone=zone), {*of_zone["run_id"]}, this_week))
    if not frames:
        return framed([], DAY_AHEAD)
    rows = pd.concat(frames, ignore_index=True)
    rows["lead_hours"] = (rows["interval_start_utc"] - rows["issued_at"]) / pd.Timedelta(hours=1)
    return rows[list(table(DAY_AHEAD).column_names)]


def _champions(work: Work, zones: Iterable[Any]) -> dict[str, tuple[str, str, str, str | None]]:
    """Zone -> its group's champion, runner-up, why, and who promoted it; empty names where no week has one."""
    week = week_of_champion(work.context, work.key)
    view = work.context.lake.view(work.con, CHAMPION, [week] if week else [], "champion_of_week")
    rows = work.con.execute(f"SELECT zone_group, model, runner_up, why, promoted_by FROM {view}").fetchall()
    found = {group: tuple(told) for group, *told in rows}
    groups = groups_of(work.context)
    of_all = found.get(EVERY, ("", "", "", None))  # a week from before the zones were parted
    return {str(zone): found.get(group_of(str(zone), groups), of_all) for zone in zones}


def _flagged(published: pd.DataFrame, runs: set[str], this_week: set[str]) -> pd.DataFrame:
    """Flagged as well where none of the week's models spoke. runs: those that the zone's candidates come from, "" of those made on the spot."""
    if runs & this_week:
        return published
    stood_in = (
        "no fitted model could be used" if runs == {""} else "no model could be fitted for this week, those of the week before stand in"
    )
    told = [reason for reason in published["fallback_reason"].unique() if reason]
    return published.assign(is_fallback=True, fallback_reason="; ".join([stood_in, *told]))


def aggregate_day(work: Work, candidates: pd.DataFrame) -> dict[str, pd.DataFrame | str]:
    """Each zone's aggregate of the day, with the columns of its candidates; or the sentence why it has none."""
    from smartgrid_assets.domain.forecast.combined import combined

    learners, tz = learners_of(work, candidates), work.context.settings.timezone
    return {
        str(zone): learner if isinstance(learner := learners[str(zone)], str) else combined(work.key, of_zone, learner, tz)
        for zone, of_zone in candidates.groupby("zone")
    }


def learners_of(work: Work, candidates: pd.DataFrame) -> dict[str, Aggregate | str]:
    """Each zone's weights and band for the day; or the sentence why it has none.

    They are learned anew from the candidates of the last eight weeks that the gate knew, so that a replay gives the same.
    Memory: ZONES_AT_ONCE. Many zones fan out through joblib, as forecasting.forecasts_by does.
    """
    import pandas as pd
    from joblib import Parallel, delayed

    first, last = learned_days(work.key)
    past = work.context.lake.view(work.con, CANDIDATES, work.context.lake.keys(CANDIDATES, first, last), "past_candidates")
    all_load, tz = load_known(work, first, last), work.context.settings.timezone
    load, nothing = by_zone(all_load), all_load.iloc[:0]
    models = {str(zone): names.unique() for zone, names in candidates.groupby("zone")["model"]}
    zones = sorted(models)
    some = [zones[begin : begin + ZONES_AT_ONCE] for begin in range(0, len(zones), ZONES_AT_ONCE)]

    names = [str(name) for (name,) in work.con.execute(f"SELECT DISTINCT model FROM {past} ORDER BY model").fetchall()]

    def told(of: list[str]) -> dict[str, pd.DataFrame]:
        """Past candidates by zone; names go as numbers, for millions of strings cost more than the rest."""
        numbers = "list_position($zones, zone) AS zone, list_position($models, model)::SMALLINT AS model"
        query = f"SELECT day, {numbers}, interval_start_utc, {', '.join(QUANTILE_COLUMNS)} FROM {past} WHERE list_contains($zones, zone)"
        rows = work.con.execute(query, {"zones": of, "models": names}).df()
        rows["model"] = pd.Categorical.from_codes(rows["model"] - 1, names)
        return {of[int(number) - 1]: part for number, part in by_zone(rows).items()}

    jobs, found = max(1, min(work.context.settings.model_jobs, len(some))), {}
    with Parallel(n_jobs=jobs) as pool:
        for begin in range(0, len(some), jobs):  # read here, as many as there are processes: a connection is one process's
            tasks = [
                delayed(_learned_of_some)(work.key, {z: models[z] for z in of}, told(of), {z: load.get(z, nothing) for z in of}, tz)
                for of in some[begin : begin + jobs]
            ]
            for part in pool(tasks):
                found.update(part)
    return found


def _learned_of_some(
    day: date, models: Mapping[str, Sequence[str]], told: Mapping[str, pd.DataFrame], load: Mapping[str, pd.DataFrame], tz: str
) -> dict[str, Aggregate | str]:
    """combined.learned for each of some zones. told: their past candidates; load: their known load."""
    from smartgrid_assets.domain.forecast.combined import learned

    return {
        zone: learned(day, names, told.get(zone), load[zone].set_index("interval_start_utc")["load_mw"], tz)
        for zone, names in models.items()
    }


def load_known(work: Work, first: date, last: date) -> pd.DataFrame:
    """Load of days `first` to `last` as the gate of the day being made knew it, a row a zone and interval."""
    from smartgrid_assets.domain.derive.frames import history_frame

    context = work.context
    view = context.lake.view(work.con, LOAD, context.lake.keys(LOAD, first, last), "load_to_learn_from")
    return history_frame(work.con, view, None, context.gate(work.key), context.load_known_until(work.key))


def score_published(work: Work) -> pd.DataFrame:
    """Rows of forecasts/accuracy: what was published, and the feasible naives beside it, zone by zone."""
    import pandas as pd

    from smartgrid_assets.domain.forecast.score import mase_scale, score_day

    published, candidates, actual = _rows(work, DAY_AHEAD, "published_of_day"), _rows(work, CANDIDATES, "candidates_of_day"), _actual(work)
    history = history_of(work, work.key)
    issued, rows = pd.Timestamp(work.context.gate(work.key)), []
    for zone in sorted(set(published["zone"])):
        known = actual[actual["zone"] == zone]
        past = history[history["zone"] == zone]
        scale = mase_scale(past[past["local_time"] > past["local_time"].max() - pd.Timedelta(days=MASE_DAYS)]) if len(past) else None
        beside = {model: part for model, part in candidates[candidates["zone"] == zone].groupby("model") if model in NAIVES}
        for name, forecast in {"published": published[published["zone"] == zone], **beside}.items():
            if forecast["interval_start_utc"].isin(known["interval_start_utc"]).any():
                # day_ahead has a load_mw of its own, the median: the load that came is meant here
                scored = score_day(forecast[["interval_start_utc", *QUANTILE_COLUMNS]], known, issued)
                rows += [{"zone": zone, "forecast": name, "mase": row["mae_mw"] / scale if scale else None, **row} for row in scored]
    return framed(rows, ACCURACY)


def framed(rows: list[dict[str, Any]], path: str) -> pd.DataFrame:
    """Rows in the table's columns; typed where there are none."""
    import pandas as pd

    columns = list(table(path).column_names)
    return pd.DataFrame(rows, columns=columns) if rows else typed_empty(columns)
