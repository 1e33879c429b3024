"""When and on which market day is each cell? Joins cells to their resolved start times.

`placed` is SQL rather than a table: the cells are joined once more where they are kept, and never copied for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
"""What comes later than this after its market day is history loaded in bulk (DESIGN 4); a day is history whole or not at all."""


@dataclass(frozen=True)
class Placed:
    """sql: the cells with length (minutes), start_utc, wall, skipped, day and available_at. notes: clock-change rules applied.

    long_series: relation of the series whose values are a day or more apart, and how many days; None where there are none.
    """

    sql: str
    values: dict[str, Any]
    notes: list[str]
    long_series: str | None = None

    def without_long(self) -> Placed:
        """The cells of all other series."""
        return replace(self, sql=f"SELECT c.* FROM ({self.sql}) c ANTI JOIN {self.long_series} USING (meter, channel)", long_series=None)


_AVAILABLE = """CASE WHEN $received::TIMESTAMP - day_end_utc > $live::INTERVAL THEN day_end_utc + to_seconds($delay_seconds)
    ELSE $received::TIMESTAMP END"""
"""SQL: when a reading could first have been used, from `day_end_utc`, the end of its market day."""
_DAY_END = "timezone('UTC', timezone($tz, (day + 1)::TIMESTAMP))"


def _available_values(job: Job, delay_hours: float | None) -> dict[str, Any]:
    """The values that _AVAILABLE names, and the market's time zone. delay_hours: of the source; None for the lake's setting."""
    delay = delay_hours if delay_hours is not None else job.context.source_delay_hours
    return {"tz": job.context.tz, "received": job.source.received_at, "live": LIVE, "delay_seconds": delay * 3600}


def date_starts(job: Job, table: str, starts: str) -> None:
    """Make `table`: start_utc, day, available_at of the distinct starts; for formats whose stamps need no resolving.

    starts: SELECT start_utc.
    """
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH days AS (SELECT start_utc, timezone($tz, timezone('UTC', start_utc))::DATE AS day FROM (SELECT DISTINCT start_utc FROM ({starts})))
        SELECT start_utc, day, {_AVAILABLE} AS available_at FROM (SELECT *, {_DAY_END} AS day_end_utc FROM days)""",
        _available_values(job, None),
    )


def place(job: Job, cells: Cells, mapping: Mapping, tag: str, may_be_long: bool = False) -> Placed:
    """Resolve the start times of cells.

    may_be_long: daily and billing reads are welcome too.
    Raises DeliveryError where stamps cannot be read or the file holds no intervals.
    """
    name = f"{job.prefix}_{tag}"
    run(
        job.con,
        f"CREATE OR REPLACE TEMP TABLE {name}_texts AS SELECT DISTINCT stamp, minutes FROM ({cells.sql})",
        cells.values,
    )
    label_stamps(job.con, f"{name}_labels", f"SELECT stamp FROM {name}_texts", mapping.time, job.head.name)
    key = _make_pairs(job, cells, name, may_be_long)
    start_times(job.con, f"{name}_starts", f"{name}_pairs", f"{name}_labels", mapping.time, job.context.tz)
    _moments(job, name, mapping)
    keyed = f"SELECT c.*, {key.sql} AS key FROM ({cells.sql}) c {key.join}"
    late, notes = _passes(job, name, keyed, cells)
    sql = f"""SELECT c.*, s.minutes AS length, s.start_utc, s.wall, s.skipped, s.day, s.available_at
        FROM ({keyed}) c {f"LEFT JOIN {late} late USING (ordinal)" if late else ""}
        JOIN {name}_moments s ON s.stamp = c.stamp{key.match} AND s.pass = {"coalesce(late.pass, 1)" if late else "1"}"""
    return Placed(sql, cells.values, notes, _long_series(job, cells, name) if may_be_long else None)


@dataclass(frozen=True)
class _Key:
    """What beside its stamp decides when a cell is: nothing, or its length (as text, or as inferred for its series)."""

    sql: str = "''"
    join: str = ""
    match: str = ""


def _make_pairs(job: Job, cells: Cells, name: str, may_be_long: bool) -> _Key:
    """Make the table of distinct stamp, key and minutes (0 where there is no length)."""
    pairs, lengths = f"CREATE OR REPLACE TEMP TABLE {name}_pairs AS SELECT DISTINCT", f"{name}_lengths"
    if cells.has_minutes_column:
        given = "TRY_CAST(minutes AS SMALLINT)"
        sensible = f"CASE WHEN {given} IN ({', '.join(map(str, SENSIBLE))}) THEN {given} ELSE 0 END"
        lengths_said = job.con.execute(f"SELECT DISTINCT {sensible} FROM {name}_texts LIMIT 2").fetchall()
        if len(lengths_said) == 1:  # as in nearly every file; one text fewer to join by
            job.con.execute(f"{pairs} stamp, '' AS key, {lengths_said[0][0]} AS minutes FROM {name}_texts")
            return _Key()
        job.con.execute(f"{pairs} stamp, coalesce(minutes, '') AS key, {sensible} AS minutes FROM {name}_texts")
        return _Key("coalesce(c.minutes, '')", match=" AND s.key = c.key")
    common = cells.minutes
    if common is None:
        common = infer_lengths(job.con, lengths, cells, f"{name}_labels")
        _refuse_long_steps(job, lengths, may_be_long)
    if common is not None:
        job.con.execute(f"{pairs} stamp, '' AS key, {int(common) if common < DAY_MINUTES else 0} AS minutes FROM {name}_texts")
        return _Key()
    key = _Key(
        "coalesce(n.minutes, 0)::VARCHAR",
        f"LEFT JOIN {lengths} n ON " + " AND ".join(f"c.{column} IS NOT DISTINCT FROM n.{column}" for column in cells.series),
        " AND s.key = c.key",
    )
    keyed = f"SELECT c.stamp, coalesce(n.minutes, 0) AS length FROM ({cells.sql}) c {key.join}"
    short = f"CASE WHEN length < {DAY_MINUTES} THEN length ELSE 0 END"
    run(
        job.con, f"{pairs} stamp, length::VARCHAR AS key, {short} AS minutes FROM ({keyed})",
        cells.values,
    )  # fmt: skip
    return key


def _long_series(job: Job, cells: Cells, name: str) -> str | None:
    """Make the table of long series, where there are any: the columns of the series and days."""
    series, long = ", ".join(cells.series), f"{name}_long"
    if cells.has_minutes_column:
        # the few texts first: nearly every file says minutes below a day's, and its cells are not gone through for it
        if not job.con.execute(f"SELECT 1 FROM {name}_texts WHERE TRY_CAST(minutes AS INTEGER) >= {DAY_MINUTES} LIMIT 1").fetchall():
            return None
        given = "mode(TRY_CAST(minutes AS INTEGER))"
        found = f"SELECT {series}, {given} // {DAY_MINUTES} AS days FROM ({cells.sql}) GROUP BY ALL HAVING {given} >= {DAY_MINUTES}"
    elif cells.minutes is None:
        found = f"SELECT {series}, round(minutes / {DAY_MINUTES})::INTEGER AS days FROM {name}_lengths WHERE minutes >= {DAY_MINUTES}"
    else:
        return None
    run(job.con, f"CREATE OR REPLACE TEMP TABLE {long} AS {found}", cells.values)
    return long if job.con.execute(f"SELECT 1 FROM {long} LIMIT 1").fetchall() else None


def _refuse_long_steps(job: Job, lengths: str, may_be_long: bool) -> None:
    row = job.con.execute(f"SELECT count(*), count(*) FILTER (minutes >= {DAY_MINUTES}), mode(minutes) FROM {lengths}").fetchone()
    assert row is not None
    series, long, common = row
    if series and series == long and not may_be_long:
        raise DeliveryError(
            f"{job.head.name}: not interval data: one value in {common / DAY_MINUTES:.0f} day(s). Deliver intervals of at most 12 hours."
        )
    if series and common == 0:
        raise DeliveryError(f"{job.head.name}: how long an interval is cannot be told from the stamps. Say interval_minutes in a mapping.")


def _moments(job: Job, name: str, mapping: Mapping) -> None:
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {name}_moments AS
        WITH passes AS (
            SELECT stamp, key, minutes, wall, skipped, second_utc IS NOT NULL AS repeated, 1 AS pass,
                   first_utc AS start_utc
            FROM {name}_starts
            UNION ALL
            SELECT stamp, key, minutes, wall, skipped, true, 2, second_utc FROM {name}_starts WHERE second_utc IS NOT NULL
        ), days AS (
            SELECT *, coalesce(timezone($tz, timezone('UTC', start_utc)), wall)::DATE AS day FROM passes
        ), ends AS (SELECT *, {_DAY_END} AS day_end_utc FROM days)
        SELECT * EXCLUDE (day_end_utc), {_AVAILABLE} AS available_at FROM ends""",
        _available_values(job, mapping.delay_hours),
    )


def _passes(job: Job, name: str, keyed: str, cells: Cells) -> tuple[str | None, list[str]]:
    """Which cells are the second pass of a repeated hour; None where no hour is repeated."""
    repeated = job.con.execute(f"SELECT count(*) FROM {name}_moments WHERE repeated").fetchone()
    notes = _skipped_note(job, name)
    if not repeated or not repeated[0]:
        return None, notes
    keys = ", ".join(cells.series)
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {name}_late AS
        WITH days AS (
            SELECT c.ordinal, c.line, c.stamp, {", ".join(f"c.{column}" for column in cells.series)}, s.wall,
                   s.repeated, s.wall::DATE AS wall_day
            FROM ({keyed}) c JOIN {name}_moments s ON s.stamp = c.stamp AND s.key = c.key AND s.pass = 1
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
        cells.values,
    )
    return f"{name}_late", notes + _repeated_note(job, name)


def _repeated_note(job: Job, name: str) -> list[str]:
    row = job.con.execute(
        f"SELECT count(*) FILTER (times > 1), count(*) FILTER (times = 1), list(DISTINCT wall_day ORDER BY wall_day) FROM {name}_late"
    ).fetchone()
    assert row is not None
    twice, once, days = row
    return [
        f"Clock change, {_listed(days)}: of the repeated hour {twice} reading(s) came with their pair, "
        f"the first taken as the first pass and the second as the second; {once} came once and are taken as the first pass."
    ]  # fmt: skip


def _skipped_note(job: Job, name: str) -> list[str]:
    row = job.con.execute(f"SELECT list(DISTINCT wall::DATE ORDER BY wall::DATE) FROM {name}_moments WHERE skipped").fetchone()
    days = row[0] if row else None
    return [f"Clock change, {_listed(days)}: stamps inside the hour that the clocks skip; these lines are rejected."] if days else []


def _listed(days: list[Any]) -> str:
    shown = ", ".join(str(day) for day in days[:4])
    return shown if len(days) <= 4 else f"{shown} and {len(days) - 4} more days"
