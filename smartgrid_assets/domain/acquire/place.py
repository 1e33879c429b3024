"""When and on which market day is each cell? Joins cells to their resolved start times.

`placed` is SQL rather than a table: the cells are joined once more where they are kept, and never copied for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.lengths import DAY_MINUTES, SENSIBLE, infer_lengths
from smartgrid_assets.domain.acquire.sql import run
from smartgrid_assets.domain.acquire.stamps import label_stamps, start_times
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.cells import Cells
    from smartgrid_assets.domain.acquire.delivery import Job
    from smartgrid_assets.domain.acquire.mapping import Mapping

LIVE = timedelta(days=7)
"""What comes later than this after its interval is history loaded in bulk (DESIGN 4)."""


@dataclass(frozen=True)
class Placed:
    """sql: the cells with length (minutes), start_utc, wall, skipped, day and available_at. notes: clock-change rules applied."""

    sql: str
    values: dict[str, Any]
    notes: list[str]


def place(job: Job, cells: Cells, mapping: Mapping, tag: str) -> Placed:
    """Resolve the start times of cells. Raises DeliveryError where stamps cannot be read or the file holds no intervals."""
    name = f"{job.prefix}_{tag}"
    label_stamps(job.con, f"{name}_labels", f"SELECT stamp FROM ({cells.sql})", mapping.time, job.head.name, cells.values)
    sized, values = _sized(job, cells, mapping, name)
    pairs = f"SELECT DISTINCT stamp, length AS minutes FROM ({sized})"
    pairs_table = f"{name}_pairs"
    run(job.con, f"CREATE OR REPLACE TEMP TABLE {pairs_table} AS {pairs}", values)
    start_times(job.con, f"{name}_starts", f"SELECT * FROM {pairs_table}", f"{name}_labels", mapping.time, job.context.tz)
    _moments(job, name, mapping)
    late, notes = _passes(job, name, sized, values, cells.series)
    sql = f"""SELECT c.*, s.start_utc, s.wall, s.skipped, s.day, s.available_at
        FROM ({sized}) c {f"LEFT JOIN {late} late USING (ordinal)" if late else ""}
        JOIN {name}_moments s ON s.stamp = c.stamp AND s.minutes = c.length AND s.pass = {"coalesce(late.pass, 1)" if late else "1"}"""
    return Placed(sql, values, notes)


def _sized(job: Job, cells: Cells, mapping: Mapping, name: str) -> tuple[str, dict[str, Any]]:
    """SQL of the cells with `length`: of the column, of the mapping, or the most common step; 0 where there is none."""
    if cells.has_minutes_column:
        length = f"TRY_CAST(c.minutes AS SMALLINT) IN ({', '.join(map(str, SENSIBLE))})"
        return f"SELECT c.*, CASE WHEN {length} THEN c.minutes::SMALLINT ELSE 0 END AS length FROM ({cells.sql}) c", cells.values
    if cells.minutes is not None:
        return f"SELECT c.*, {int(cells.minutes)} AS length FROM ({cells.sql}) c", cells.values
    common = infer_lengths(job.con, f"{name}_lengths", cells, f"{name}_labels")
    _refuse_long_steps(job, f"{name}_lengths")
    if common is not None:
        return f"SELECT c.*, {common} AS length FROM ({cells.sql}) c", cells.values
    same = " AND ".join(f"c.{column} IS NOT DISTINCT FROM n.{column}" for column in cells.series)
    short = f"CASE WHEN n.minutes < {DAY_MINUTES} THEN n.minutes ELSE 0 END"
    return f"SELECT c.*, coalesce({short}, 0) AS length FROM ({cells.sql}) c LEFT JOIN {name}_lengths n ON {same}", cells.values


def _refuse_long_steps(job: Job, lengths: str) -> None:
    row = job.con.execute(f"SELECT count(*), count(*) FILTER (minutes >= {DAY_MINUTES}), mode(minutes) FROM {lengths}").fetchone()
    assert row is not None
    series, long, common = row
    if series and series == long:
        raise DeliveryError(
            f"{job.head.name}: not interval data: one value in {common / DAY_MINUTES:.0f} day(s), so these are daily or billing reads. "
            "Deliver intervals of at most 12 hours."
        )
    if series and common == 0:
        raise DeliveryError(f"{job.head.name}: how long an interval is cannot be told from the stamps. Say interval_minutes in a mapping.")


def _moments(job: Job, name: str, mapping: Mapping) -> None:
    delay = mapping.delay_hours if mapping.delay_hours is not None else job.context.source_delay_hours
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {name}_moments AS
        WITH passes AS (
            SELECT stamp, minutes, wall, skipped, second_utc IS NOT NULL AS repeated, 1 AS pass, first_utc AS start_utc FROM {name}_starts
            UNION ALL
            SELECT stamp, minutes, wall, skipped, true, 2, second_utc FROM {name}_starts WHERE second_utc IS NOT NULL
        ), days AS (
            SELECT *, coalesce(timezone($tz, timezone('UTC', start_utc)), wall)::DATE AS day FROM passes
        )
        SELECT *, CASE WHEN $received::TIMESTAMP - (start_utc + to_minutes(minutes)) > $live::INTERVAL
                       THEN timezone('UTC', timezone($tz, (day + 1)::TIMESTAMP)) + to_seconds($delay_seconds)
                       ELSE $received::TIMESTAMP END AS available_at
        FROM days""",
        {"tz": job.context.tz, "received": job.source.received_at, "live": LIVE, "delay_seconds": delay * 3600},
    )


def _passes(job: Job, name: str, sized: str, values: dict[str, Any], series: tuple[str, ...]) -> tuple[str | None, list[str]]:
    """Which cells are the second pass of a repeated hour; None where no hour is repeated."""
    repeated = job.con.execute(f"SELECT count(*) FROM {name}_moments WHERE repeated").fetchone()
    notes = _skipped_note(job, name)
    if not repeated or not repeated[0]:
        return None, notes
    keys = ", ".join(series)
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {name}_late AS
        WITH days AS (
            SELECT c.ordinal, c.line, c.stamp, {", ".join(f"c.{column}" for column in series)}, s.wall, s.repeated, s.wall::DATE AS wall_day
            FROM ({sized}) c JOIN {name}_moments s ON s.stamp = c.stamp AND s.minutes = c.length AND s.pass = 1
            WHERE s.wall::DATE IN (SELECT wall::DATE FROM {name}_moments WHERE repeated)
        ), directed AS (
            SELECT *, coalesce(corr(epoch(wall), line) OVER (PARTITION BY {keys}, wall_day) < -0.5, false) AS backwards FROM days
        ), numbered AS (
            SELECT ordinal, stamp, wall_day, backwards, row_number() OVER (PARTITION BY {keys}, wall ORDER BY ordinal) AS n,
                   count(*) OVER (PARTITION BY {keys}, wall) AS times
            FROM directed WHERE repeated
        )
        SELECT ordinal, wall_day, times, CASE WHEN times = 1 THEN 1 WHEN backwards THEN if(n = times, 1, 2) ELSE if(n = 1, 1, 2) END AS pass
        FROM numbered""",
        values,
    )
    return f"{name}_late", notes + _repeated_note(job, name)


def _repeated_note(job: Job, name: str) -> list[str]:
    row = job.con.execute(
        f"SELECT count(*) FILTER (times > 1), count(*) FILTER (times = 1), list(DISTINCT wall_day ORDER BY wall_day) FROM {name}_late"
    ).fetchone()
    assert row is not None
    twice, once, days = row
    return [
        f"Clock change, {_listed(days)}: of the repeated hour {twice} reading(s) came with their pair, the first taken as the first pass and "
        f"the second as the second; {once} came once and are taken as the first pass."
    ]  # fmt: skip


def _skipped_note(job: Job, name: str) -> list[str]:
    row = job.con.execute(f"SELECT list(DISTINCT wall::DATE ORDER BY wall::DATE) FROM {name}_moments WHERE skipped").fetchone()
    days = row[0] if row else None
    return [f"Clock change, {_listed(days)}: stamps inside the hour that the clocks skip; these lines are rejected."] if days else []


def _listed(days: list[Any]) -> str:
    shown = ", ".join(str(day) for day in days[:4])
    return shown if len(days) <= 4 else f"{shown} and {len(days) - 4} more days"
