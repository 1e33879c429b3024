"""What would a changed rule do? An overlay's days against those of the lake beneath, by rule and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.chain.steps.check import READINGS, REJECTED

if TYPE_CHECKING:
    from smartgrid_assets.resources.lake import Lake


@dataclass(frozen=True)
class Effect:
    """Of one rule on one day: readings that it rejects only in the trial, and only in the lake."""

    day: date
    rule: str
    newly_rejected: int
    no_longer: int


@dataclass(frozen=True)
class Estimated:
    """Of one day: intervals whose value or quality differs, and their energy, kWh, in the lake and in the trial."""

    day: date
    intervals: int
    lake_kwh: float
    trial_kwh: float


def effects_of(lake: Lake, trial: Lake, days: Sequence[date]) -> tuple[list[date], list[Effect], list[Estimated]]:
    """(days made in the trial, effects by rule and day, days with other values); of those among `days`."""
    made = [day for day in days if Path(trial.file(READINGS, day)).exists()]
    with trial.connect() as con:
        rules = con.execute(f"""
            WITH old AS (SELECT day, source_hash, ordinal, rule FROM ({lake.select(REJECTED, made)})),
            new AS (SELECT day, source_hash, ordinal, rule FROM ({trial.select(REJECTED, made)}))
            SELECT coalesce(n.day, o.day) AS day, coalesce(n.rule, o.rule) AS rule, count(*) FILTER (o.day IS NULL), count(*) FILTER (n.day IS NULL)
            FROM old o FULL JOIN new n ON n.day = o.day AND n.source_hash = o.source_hash AND n.ordinal = o.ordinal AND n.rule = o.rule
            WHERE o.day IS NULL OR n.day IS NULL GROUP BY ALL ORDER BY ALL""").fetchall()
        values = con.execute(f"""
            SELECT day, count(*), coalesce(sum(o.energy_kwh), 0), coalesce(sum(n.energy_kwh), 0)
            FROM ({lake.select(READINGS, made)}) o FULL JOIN ({trial.select(READINGS, made)}) n USING (day, meter_id, channel, interval_start_utc)
            WHERE (o.energy_kwh, o.quality) IS DISTINCT FROM (n.energy_kwh, n.quality) GROUP BY day ORDER BY day""").fetchall()
    return made, [Effect(*row) for row in rules], [Estimated(*row) for row in values]
