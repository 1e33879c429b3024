"""How complete, how late and how believable was the day, by zone?

Counted are the customers of a zone; where it has none, its witnesses. A meter that the register expects and that sent
nothing counts as missing even where it has no estimate: half a zone's meters must not look like a whole one.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.rule import all_rules
from smartgrid_assets.domain.check.swapped import NAME as SWAPPED
from smartgrid_assets.domain.check.verdicts import NAME as VERDICT
from smartgrid_assets.domain.market_day import MarketDay


def measure_quality(con: DuckDBPyConnection, day: MarketDay, lines: str, readings: str, late: str, into: str, limits: CheckLimits) -> None:
    """Make the table of validated/data_quality under the name `into`, from the newest version of the day.

    late: relation of series and hours_late.

    Rules: each rule's name; missing (not delivered), estimated (by us), late (received later than limits.late_hours),
    rejected (readings that some rule rejected), repeated (identical copies), rejected_lines.
    """
    _choose_counted(con)
    _expect(con, day, readings)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        WITH affected AS ({_affected_sql(readings)}),
        lateness AS (SELECT z.zone, l.hours_late, count(*)::BIGINT AS n
                     FROM {late} l JOIN chk_counted z USING (series) GROUP BY ALL),
        by_zone AS (SELECT z.zone, a.rule, count(*) AS affected
                    FROM affected a JOIN chk_counted z ON z.series = a.series GROUP BY ALL
                    UNION ALL SELECT zone, 'late', sum(n)::BIGINT FROM lateness WHERE hours_late > {limits.late_hours} GROUP BY zone),
        late AS ({_MEDIAN_LATENESS}),
        rules AS (SELECT unnest({_names()}) AS rule)
        SELECT e.zone, r.rule, e.readings, coalesce(b.affected, 0) AS affected,
            coalesce(coalesce(b.affected, 0) / nullif(e.readings, 0), 0)::DOUBLE AS share,
            CASE r.rule WHEN 'late' THEN l.hours END AS hours_late_median
        FROM chk_expected e CROSS JOIN rules r
        LEFT JOIN by_zone b ON b.zone = e.zone AND b.rule = r.rule
        LEFT JOIN late l ON l.zone = e.zone
        UNION ALL
        SELECT '*', 'rejected_lines', (SELECT coalesce(max(readings), 0) FROM chk_expected WHERE zone = '*'), count(*),
            CASE WHEN count(*) = 0 THEN 0 ELSE count(*) / (count(*) + (SELECT count(*) FROM chk_rows)) END, NULL
        FROM {lines}""")


# A day has few distinct delays (files x intervals), so the median is read off their counts: far cheaper than off the readings.
_MEDIAN_LATENESS = """
    SELECT zone, (min(hours_late) FILTER (upto >= (total + 1) // 2) + min(hours_late) FILTER (upto >= total // 2 + 1)) / 2 AS hours
    FROM (SELECT zone, hours_late, sum(n) OVER (PARTITION BY zone ORDER BY hours_late) AS upto, sum(n) OVER (PARTITION BY zone) AS total
          FROM lateness)
    GROUP BY zone"""


def _choose_counted(con: DuckDBPyConnection) -> None:
    """chk_counted: zone (and * for the whole) and series that speak for it."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_counted AS
        WITH present AS (SELECT * FROM chk_series SEMI JOIN (
            SELECT series FROM chk_touched UNION SELECT series FROM chk_all_silent) USING (series)),
        doubled AS (SELECT zone, series, role FROM present WHERE zone <> '*' UNION ALL SELECT '*', series, role FROM present)
        SELECT zone, series FROM doubled
        QUALIFY role = 'customer' OR NOT bool_or(role = 'customer') OVER (PARTITION BY zone)""")


def _expect(con: DuckDBPyConnection, day: MarketDay, readings: str) -> None:
    """chk_expected: readings expected in each zone: the intervals that are there, and those of silent meters without any."""
    hours = day.hours
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_there AS
        SELECT s.series, count(*) AS readings, max(r.interval_minutes) AS minutes
        FROM {readings} r JOIN chk_series s ON s.meter_id = r.meter_id AND s.channel = r.channel GROUP BY ALL""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_absent AS
        SELECT q.series, ({hours} * 60 / (SELECT coalesce(quantile_disc(minutes, 0.5), 30) FROM chk_there))::BIGINT AS readings
        FROM chk_all_silent q JOIN chk_series s USING (series) WHERE NOT s.made_up""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_expected AS
        SELECT z.zone, sum(e.readings)::BIGINT AS readings
        FROM (SELECT series, readings FROM chk_there UNION ALL SELECT series, readings FROM chk_absent) e
        JOIN chk_counted z USING (series) GROUP BY ALL""")


def _affected_sql(readings: str) -> str:
    """SELECT rule, series: one row a reading that a rule concerns."""
    return f"""
        SELECT rule, series FROM (SELECT DISTINCT rule, series, start_utc FROM chk_all_findings)
        UNION ALL SELECT 'rejected', series FROM (
            SELECT DISTINCT series, start_utc FROM chk_all_findings WHERE action = 'reject')
        UNION ALL SELECT 'repeated', series FROM chk_all_repeated
        UNION ALL SELECT CASE kind WHEN 1 THEN 'estimated' ELSE 'missing' END, series
            FROM (SELECT meter_id, channel, unnest(CASE WHEN delivered_kwh IS NOT NULL THEN [1]
                      WHEN quality = 'estimated' THEN [1, 2] ELSE [2] END) AS kind
                  FROM {readings} WHERE quality IN ('estimated', 'missing'))
            JOIN chk_series USING (meter_id, channel)
        UNION ALL SELECT 'missing', series FROM (SELECT series, unnest(range(readings)) FROM chk_absent)"""


def _names() -> str:
    return repr([*sorted([*all_rules(), SWAPPED, VERDICT]), "missing", "estimated", "late", "rejected", "repeated"])
