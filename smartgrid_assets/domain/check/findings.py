"""What did the rules find? One pass over all of them, into one table.

chk_findings: series, start_utc, rule, action, reason. A finding is a row; a reading may have several.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.rule import Rule, RuleInput, all_rules
from smartgrid_assets.domain.market_day import MarketDay


def apply_rules(con: DuckDBPyConnection, day: MarketDay, limits: CheckLimits) -> list[tuple[Rule, str]]:
    """Make chk_findings from chk_winners, chk_losers, chk_missing and chk_grids.

    Returns rules that may have something to say of days before, with their SQL.
    """
    _open_views(con, limits)
    given = RuleInput(
        readings="chk_rule_readings",
        series="chk_rule_series",
        missing="chk_rule_missing",
        losers="chk_rule_losers",
        counted="chk_rule_counted",
        periods="chk_rule_periods",
        events="chk_rule_events",
        shifts="chk_rule_shifts",
        found="chk_rule_found",
        day=day,
        limits=limits,
    )
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_findings
        (series INTEGER, start_utc TIMESTAMP, rule VARCHAR, action VARCHAR, reason VARCHAR)""")
    con.execute("""
        CREATE OR REPLACE TEMP VIEW chk_rule_found AS
        SELECT s.meter_id, s.channel, f.start_utc AS interval_start_utc, f.rule FROM chk_findings f JOIN chk_series s USING (series)""")
    due = _with_suspects(con, limits)
    each = " UNION ALL ".join(
        f"SELECT meter_id, channel, interval_start_utc, '{rule.name}' AS rule, '{rule.action}' AS action, reason FROM ({rule.sql(given)})"
        for rule in due
    )
    if each:
        con.execute(f"""
            INSERT INTO chk_findings
            SELECT s.series, f.interval_start_utc, f.rule, f.action, f.reason
            FROM ({each}) f JOIN chk_series s ON s.meter_id = f.meter_id AND s.channel = f.channel""")
    return [(rule, rule.before(given)) for rule in due if rule.before]


def _with_suspects(con: DuckDBPyConnection, limits: CheckLimits) -> list[Rule]:
    """The rules that may have something to say of this day."""
    rules = list(all_rules().values())
    asked = ", ".join(f"bool_or({rule.when(limits)})" for rule in rules)
    found = con.execute(f"SELECT {asked} FROM chk_rule_series").fetchall()[0]
    return [rule for rule, is_due in zip(rules, found, strict=True) if is_due]


def _open_views(con: DuckDBPyConnection, limits: CheckLimits) -> None:
    """Show rules the names of meters, where the tables beneath have numbers."""
    dust = limits.dust_kwh
    # One small table to join with, no outer join above it, and single columns to choose series by: a rule that doubts a
    # few series then reads only those.
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_rule_series AS
        SELECT s.series, s.meter_id, s.channel, s.side, s.role, s.class, s.rating_kw, s.made_up, s.status, g.step_minutes, g.grid_s, g.shapes, g.highest_kw,
            g.repeats, g.zeros, g.highest_kw / s.rating_kw AS rating_multiple,
            (g.repeats + 1) * g.step_minutes + coalesce(CASE WHEN h.before_kwh > {dust} THEN h.run_before_minutes END, 0) AS repeat_minutes,
            g.zeros * g.step_minutes + coalesce(CASE WHEN abs(h.before_kwh) <= {dust} THEN h.run_before_minutes END, 0) AS zero_minutes,
            repeat_minutes >= {60 * limits.run_hours}
                OR coalesce(g.last_kwh > {dust} AND g.tail_minutes >= {60 * limits.run_end_hours}, false) AS may_be_stuck,
            g.energy_kwh AS day_kwh, g.tail_minutes, h.usual_day_kwh, h.lowest_day_kwh, h.highest_day_kwh, h.highest_before_kw,
            coalesce(h.full_days, 0) AS full_days, g.delivered / nullif(g.slots, 0) AS day_share,
            g.energy_kwh / nullif(h.usual_day_kwh * day_share, 0) AS usual_multiple,
            g.lowest_kw, series IN (SELECT series FROM chk_missing) AS has_gaps, series IN (SELECT series FROM chk_losers) AS has_doubles,
            series IN (SELECT series FROM chk_counted) AS has_counts, series IN (SELECT series FROM chk_shifts) AS has_shift,
            series IN (SELECT series FROM chk_rule_events) AS has_event,
            h.usual_repeats, h.usual_day_kwh * g.step_minutes / 1440 AS usual_kwh, h.before_minutes, g.step_minutes <> h.before_minutes AS changed_length, h.before_kwh, h.run_before_minutes
        FROM chk_series s LEFT JOIN chk_grids g USING (series) LEFT JOIN chk_history h USING (series)""")
    con.execute("""
        CREATE OR REPLACE TEMP VIEW chk_rule_readings AS
        SELECT s.*, w.start_utc AS interval_start_utc, w.minutes AS interval_minutes, w.value,
            w.kwh AS energy_kwh, w.kwh * 60 / nullif(w.minutes, 0) AS power_kw, w.received_at
        FROM chk_winners w JOIN chk_rule_series s USING (series)""")
    con.execute("""
        CREATE OR REPLACE TEMP VIEW chk_rule_missing AS
        SELECT s.meter_id, s.channel, m.start_utc AS interval_start_utc, m.step_minutes AS interval_minutes
        FROM chk_missing m JOIN chk_series s USING (series)""")
    con.execute("""
        CREATE OR REPLACE TEMP VIEW chk_rule_shifts AS
        SELECT s.meter_id, s.channel, x.* FROM chk_shifts x JOIN chk_series s USING (series)""")
    con.execute("""
        CREATE OR REPLACE TEMP VIEW chk_rule_losers AS
        SELECT s.meter_id, s.channel, l.start_utc AS interval_start_utc, l.kwh AS energy_kwh, l.winner_kwh
        FROM chk_losers l JOIN chk_series s USING (series) WHERE NOT l.is_repetition""")
