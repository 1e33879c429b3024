"""Inputs of an earlier forecast exchanged for today's, one cause after the other, and the models asked again each time.

Their forecasts are put together with the weights of today's aggregate, or with the model that was published where it was none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.chain.forecasting import forecasts_by, frames_of, stored_models
from smartgrid_assets.chain.scenario_paths import wall_minutes
from smartgrid_assets.chain.scoring import learners_of
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import CANDIDATES, DAY_AHEAD, future_of, history_of
from smartgrid_assets.domain.forecast.asof import WEATHER_COLUMNS
from smartgrid_assets.domain.forecast.changes import Stage, onto
from smartgrid_assets.domain.market_day import week_of

if TYPE_CHECKING:
    import pandas as pd

MEDIAN = "q50"
ONE_DAY = timedelta(days=1)


@dataclass
class Curves:
    """One zone's medians, MW at the day's intervals. then: what the gate a day earlier would have said; steps: after each further cause."""

    published: np.ndarray
    day_before: np.ndarray | None = None
    to_then: list[Stage] = field(default_factory=list)
    then: np.ndarray | None = None
    from_then: list[Stage] = field(default_factory=list)


class Mixer:
    """Today's way from candidates to one median a zone. zones: those published; problems: sentences for models that could not be asked."""

    def __init__(self, work: Work, published: pd.DataFrame) -> None:
        self.work, self.published = work, published
        self.tz = work.context.settings.timezone
        self.zones = [str(zone) for zone in sorted(published["zone"].unique())]
        self.minutes = int(published["interval_minutes"].iloc[0])
        self.candidates = day_rows(work, CANDIDATES, work.key)
        self.learners = learners_of(work, self.candidates)
        self.problems: set[str] = set()

    @cached_property
    def before(self) -> Work:
        """The day before, as work of its own."""
        return Work(self.work.context, self.work.con, self.work.key - ONE_DAY, {}, self.work.histories)

    def of_zone(self, zone: str) -> pd.DataFrame:
        """The published rows of one zone."""
        return self.published[self.published["zone"] == zone]

    def medians(self, candidates: pd.DataFrame) -> dict[str, pd.Series]:
        """Zone -> MW by interval_start_utc; a zone without a whole forecast is left out. candidates: of any one day."""
        return {zone: found for zone, rows in candidates.groupby("zone") if (found := self._median(str(zone), rows)) is not None}

    def _median(self, zone: str, candidates: pd.DataFrame) -> pd.Series | None:
        from smartgrid_assets.domain.forecast.aggregate import NAME
        from smartgrid_assets.domain.forecast.combined import combined

        source, learner = self._source(zone), self.learners.get(zone)
        if source == NAME and learner is not None and not isinstance(learner, str):
            found = combined(self.work.key, candidates, learner, self.tz)
        else:
            found = candidates[candidates["model"] == source]
        if isinstance(found, str) or found.empty or not np.isfinite(found[MEDIAN].to_numpy(float)).all():
            return None
        medians: pd.Series = found.set_index("interval_start_utc")[MEDIAN].sort_index()
        return medians

    def _source(self, zone: str) -> str:
        """The model, or the aggregate, that most of the zone's published intervals come from."""
        return str(self.of_zone(zone)["source_model"].mode().iloc[0]) if zone in self.zones else ""


def curves_of(work: Work, mixer: Mixer) -> dict[str, Curves]:
    """Each zone's curves, all at the intervals of the published day."""
    found = {zone: Curves(mixer.of_zone(zone)["load_mw"].to_numpy(float)) for zone in mixer.zones}
    stamps = {zone: mixer.of_zone(zone)["interval_start_utc"].reset_index(drop=True) for zone in mixer.zones}
    for zone, curve in _at_day(_yesterday(work, mixer), stamps, mixer.tz).items():
        found[zone].day_before = curve
    of_yesterday = mixer.medians(day_rows(work, CANDIDATES, work.key - ONE_DAY))
    for zone, curve in _at_day(of_yesterday, stamps, mixer.tz).items():
        found[zone].to_then.append(Stage("models", curve))
    for cause, is_then, medians in _asked_again(work, mixer):
        for zone, curve in _at_day(medians, stamps, mixer.tz).items():
            if is_then:
                found[zone].then = curve
            else:
                (found[zone].to_then if cause == "calendar" else found[zone].from_then).append(Stage(cause, curve))
    return found


def _asked_again(work: Work, mixer: Mixer) -> Iterator[tuple[str, bool, dict[str, pd.Series]]]:
    """(cause, is it the gate before?, medians of the day) after each exchange; nothing where the gate before knew no load or had no models."""
    before = mixer.before
    models = stored_models(before) if work.context.lake.footer("forecasts/model", week_of(before.key)) else []
    known_then, known_now = history_of(before, before.key), history_of(work, work.key)
    if known_then.empty or not models:
        return
    then, kind_then = _ahead(work, mixer, gate_of=before.key)
    _, future_before, kind_before = frames_of(before)
    eve_before, _ = future_of(work, before.key - ONE_DAY, mixer.minutes, mixer.zones, gate_of=before.key)
    for cause, known, (eve, day), weather in (
        ("calendar", known_then, (_weather_of(then[0], eve_before), _weather_of(then[1], future_before)), kind_before),
        ("weather", known_then, then, kind_then),
    ):
        yield cause, cause == "weather", mixer.medians(_ask(mixer, models, known, eve, day, weather))
    now, kind_now = _ahead(work, mixer, gate_of=work.key)
    yield "weather", False, mixer.medians(_ask(mixer, models, known_then, *now, kind_now))
    corrected, newer = _corrected(work, known_then, known_now)
    if corrected:
        yield "newer_load", False, mixer.medians(_ask(mixer, models, newer, *now, kind_now))
    is_same_week = week_of(before.key) == week_of(work.key)
    last = mixer.candidates if is_same_week else _ask(mixer, models, known_now, *now, kind_now)
    yield "correction" if corrected else "newer_load", False, mixer.medians(last)


def _ahead(work: Work, mixer: Mixer, gate_of: date) -> tuple[tuple[pd.DataFrame, pd.DataFrame], str]:
    """The eve and the day as the gate of `gate_of` saw them ahead, and which weather the day had."""
    eve, _ = future_of(work, work.key - ONE_DAY, mixer.minutes, mixer.zones, gate_of=gate_of)
    day, weather = future_of(work, work.key, mixer.minutes, mixer.zones, gate_of=gate_of)
    return (eve, day), weather


def _ask(mixer: Mixer, models: list[Any], known: pd.DataFrame, eve: pd.DataFrame, day: pd.DataFrame, weather: str) -> pd.DataFrame:
    import pandas as pd

    history = pd.concat([known, eve.assign(load_mw=float("nan"), weight=0.0)], ignore_index=True)
    rows, problems = forecasts_by(mixer.work, models, history, day, weather)
    mixer.problems.update(problems)
    return rows


def _weather_of(rows: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The rows with the weather of another day, at the same wall clock."""
    found = rows.copy()
    for zone, part in rows.groupby("zone"):
        of = other[other["zone"] == zone]
        wall, wall_of_day = (frame["local_time"].dt.hour.to_numpy() * 60 + frame["local_time"].dt.minute.to_numpy() for frame in (of, part))
        for name in WEATHER_COLUMNS:
            found.loc[part.index, name] = onto(of[name].to_numpy(float), wall, wall_of_day)
    return found


def _corrected(work: Work, then: pd.DataFrame, now: pd.DataFrame) -> tuple[bool, pd.DataFrame]:
    """Was load that the gate before knew corrected since? And that load with only the newer days put to it."""
    import pandas as pd

    until, first = work.context.load_known_until(work.key - ONE_DAY), now["interval_start_utc"].min()
    old = now["interval_start_utc"] < until
    columns = ["zone", "interval_start_utc", "load_mw", "weight"]
    seen = then[then["interval_start_utc"] >= first][columns].reset_index(drop=True)
    newer = pd.concat([then, now[~old]], ignore_index=True).sort_values(["zone", "interval_start_utc"], ignore_index=True)
    return not seen.equals(now[old][columns].reset_index(drop=True)), newer


def _yesterday(work: Work, mixer: Mixer) -> dict[str, pd.Series]:
    """Zone -> what was published for the day before, MW by interval_start_utc."""
    rows = day_rows(work, DAY_AHEAD, work.key - ONE_DAY)
    return {
        zone: part.set_index("interval_start_utc")["load_mw"].sort_index() for zone, part in rows.groupby("zone") if zone in mixer.zones
    }


def _at_day(medians: dict[str, pd.Series], stamps: dict[str, pd.Series], tz: str) -> dict[str, np.ndarray]:
    """Zone -> (S,) MW at the wall clock of the published intervals; at the very intervals where they are the same."""
    found = {}
    for zone, series in medians.items():
        if zone not in stamps:
            continue
        if series.index.isin(stamps[zone]).all() and len(series) == len(stamps[zone]):
            found[zone] = series.to_numpy(float)
            continue
        walls = [wall_minutes(of, tz) for of in (series.index.to_series().reset_index(drop=True), stamps[zone])]
        found[zone] = onto(series.to_numpy(float), *walls)
    return found


def day_rows(work: Work, path: str, day: date) -> pd.DataFrame:
    """A day's partition, by zone and interval; no rows where it is missing."""
    view = work.context.lake.view(work.con, path, [day], "compared_" + path.rpartition("/")[2])
    return work.con.execute(f"SELECT * EXCLUDE (day) FROM {view} ORDER BY zone, interval_start_utc").df()
