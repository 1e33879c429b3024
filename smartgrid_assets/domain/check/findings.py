"""What did the rules find? One pass over all of them, into one table.

chk_findings: series, start_utc, rule, action, reason. A finding is a row; a reading may have several.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.rule import RuleInput, all_rules
from smartgrid_assets.domain.market_day import MarketDay


def apply_rules(con: DuckDBPyConnection, day: MarketDay, limits: CheckLimits) -> None:
    """Make chk_findings from chk_winners, chk_losers, chk_missing and chk_grids."""
    _open_views(con)
    given = RuleInput("chk_rule_readings", "chk_rule_series", "chk_rule_missing", "chk_rule_losers", day, limits)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_findings
        (series INTEGER, start_utc TIMESTAMP, rule VARCHAR, action VARCHAR, reason VARCHAR)""")
    each = " UNION ALL ".join(
        f"SELECT meter_id, channel, interval_start_utc, '{rule.name}' AS rule, '{rule.action}' AS action, reason FROM ({rule.sql(given)})"
        for rule in all_rules().values()
    )
    con.execute(f"""
        INSERT INTO chk_findings
        SELECT s.series, f.interval_start_utc, f.rule, f.action, f.reason
        FROM ({each}) f JOIN chk_series s ON s.meter_id = f.meter_id AND s.channel = f.channel""")


def _open_views(con: DuckDBPyConnection) -> None:
    """Show rules the names of meters, where the tables beneath have numbers."""
    # One small table to join with, no outer join above it, and single columns to choose series by: a rule that doubts a
    # few series then reads only those.
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_rule_series AS
        SELECT s.series, s.meter_id, s.channel, s.role, s.class, s.rating_kw, g.step_minutes, g.grid_s, g.shapes, g.highest_kw,
            g.repeats, g.zeros, g.highest_kw / s.rating_kw AS rating_multiple,
            (g.repeats + 1) * g.step_minutes AS repeat_minutes, g.zeros * g.step_minutes AS zero_minutes
        FROM chk_series s LEFT JOIN chk_grids g USING (series)""")
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
        CREATE OR REPLACE TEMP VIEW chk_rule_losers AS
        SELECT s.meter_id, s.channel, l.start_utc AS interval_start_utc, l.kwh AS energy_kwh, l.winner_kwh
        FROM chk_losers l JOIN chk_series s USING (series) WHERE NOT l.is_repetition""")
