"""Inputs of an earlier forecast exchanged for today's, one cause after the other, and the models asked again each time.

Their forecasts are put together with the weights of today's aggregate, or with the model that was published where it was none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.chain.forecasting import forecasts_by, stored_models, with_eve
from smartgrid_assets.chain.scenario_paths import wall_minutes
from smartgrid_assets.chain.scoring import learners_of
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import CANDIDATES, DAY_AHEAD, future_of, history_of
from smartgrid_assets.chain.zone_frames import by_zone, fitted_frames
from smartgrid_assets.domain.forecast.changes import Stage, onto
from smartgrid_assets.domain.market_day import week_of
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

MEDIAN = "q50"
ONE_DAY = timedelta(days=1)


@dataclass
class Curves:
    """One zone's medians, MW at the day's intervals. to_then: the stages up to what the gate a day earlier would have said; from_then: after it."""

    published: np.ndarray
    day_before: np.ndarray | None = None
    to_then: list[Stage] = field(default_factory=list)
    from_then: list[Stage] = field(default_factory=list)

    @property
    def then(self) -> np.ndarray | None:
        """What the gate a day earlier would have said: of its own weather of the day; None where it could not."""
        return next((stage.curve for stage in self.to_then if stage.cause == "weather"), None)


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
        self.before = Work(work.context, work.con, work.key - ONE_DAY, {}, work.histories)
        self._ahead: dict[tuple[date, date], tuple[pd.DataFrame, str]] = {}

    def ahead(self, day: date, gate_of: date) -> tuple[pd.DataFrame, str]:
        """What the gate of `gate_of` saw of a day ahead, and which weather it has; read once."""
        if (day, gate_of) not in self._ahead:
            self._ahead[day, gate_of] = future_of(self.work, day, self.minutes, self.zones, known_utc=self.work.context.gate(gate_of))
        return self._ahead[day, gate_of]

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


def curves_of(mixer: Mixer) -> dict[str, Curves]:
    """Each zone's curves, all at the intervals of the published day."""
    found = {zone: Curves(mixer.of_zone(zone)["load_mw"].to_numpy(float)) for zone in mixer.zones}
    stamps = {zone: mixer.of_zone(zone)["interval_start_utc"].reset_index(drop=True) for zone in mixer.zones}
    for zone, curve in _at_day(_yesterday(mixer), stamps, mixer.tz).items():
        found[zone].day_before = curve
    for cause, is_from_then, medians in _stages(mixer):
        for zone, curve in _at_day(medians, stamps, mixer.tz).items():
            if is_from_then and found[zone].then is None:
                continue  # there is nothing that this exchange alone would have changed: the rest is the models'
            (found[zone].from_then if is_from_then else found[zone].to_then).append(Stage(cause, curve))
    return found


def _stages(mixer: Mixer) -> Iterator[tuple[str, bool, dict[str, pd.Series]]]:
    """(cause, comes after what the gate before would have said?, medians) after each exchange.

    Only the weights are exchanged where the gate before knew no load or had no models.
    """
    work, before = mixer.work, mixer.before
    day, eve = work.key, before.key
    yield "models", False, mixer.medians(day_rows(work, CANDIDATES, eve))
    models, known_then, known_now = stored_models(before), history_of(before, eve), history_of(work, day)
    if known_then.empty or not models:
        return
    (of_day, kind_then), (of_eve, kind_before) = mixer.ahead(day, eve), mixer.ahead(eve, eve)
    their_eve, _ = mixer.ahead(eve - ONE_DAY, eve)
    like_eve = _weather_of(of_eve, their_eve, mixer.tz), _weather_of(of_day, of_eve, mixer.tz)
    yield "calendar", False, _ask(mixer, models, known_then, *like_eve, kind_before)
    yield "weather", False, _ask(mixer, models, known_then, of_eve, of_day, kind_then)
    (of_eve_now, _), (of_day_now, kind_now) = mixer.ahead(eve, day), mixer.ahead(day, day)
    yield "weather", True, _ask(mixer, models, known_then, of_eve_now, of_day_now, kind_now)
    corrected, newer = _corrected(work, known_then, known_now)
    if corrected:
        yield "newer_load", True, _ask(mixer, models, newer, of_eve_now, of_day_now, kind_now)
    is_same_week = week_of(eve) == week_of(day)
    last = mixer.medians(mixer.candidates) if is_same_week else _ask(mixer, models, known_now, of_eve_now, of_day_now, kind_now)
    yield "correction" if corrected else "newer_load", True, last


def _ask(mixer: Mixer, models: list[Any], known: pd.DataFrame, eve: pd.DataFrame, day: pd.DataFrame, weather: str) -> dict[str, pd.Series]:
    """Zone -> the day's medians, of these inputs."""
    histories = {zone: of for zone, of in fitted_frames(with_eve(known, eve)).items() if zone in mixer.zones}
    rows, problems = forecasts_by(mixer.work, models, histories, by_zone(day), weather)
    mixer.problems.update(problems)
    return mixer.medians(rows)


def _weather_of(rows: pd.DataFrame, other: pd.DataFrame, tz: str) -> pd.DataFrame:
    """The rows with the weather of another day, at the same wall clock."""
    found = rows.copy()
    for zone, part in rows.groupby("zone"):
        of = other[other["zone"] == zone]
        wall, wall_of_day = (wall_minutes(frame["interval_start_utc"], tz) for frame in (of, part))
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


def _yesterday(mixer: Mixer) -> dict[str, pd.Series]:
    """Zone -> what was published for the day before, MW by interval_start_utc."""
    rows = day_rows(mixer.work, DAY_AHEAD, mixer.before.key)
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
