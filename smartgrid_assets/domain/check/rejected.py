"""Which readings were rejected, and why, in sentences a person can act on?

A rejected reading is listed once a rule; so is each reading that another one contradicts. Lines that no reader
understood stand beside them, under `line_` and what was wrong, so that their rules are never taken for ours.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection


def start_findings(con: DuckDBPyConnection) -> None:
    """Make the empty tables that collect what the newest version of each series says."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_all_findings
        (series INTEGER, start_utc TIMESTAMP, rule VARCHAR, action VARCHAR, reason VARCHAR)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_rejected
        (series INTEGER, start_utc TIMESTAMP, rule VARCHAR, reason VARCHAR, source INTEGER, ordinal BIGINT)""")
    for name, columns in (("chk_all_silent", ""), ("chk_all_late", ", hours_late DOUBLE"), ("chk_all_repeated", "")):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (series INTEGER{columns})")


LATENESS = """
    SELECT series, epoch(received_at - (start_utc + to_minutes(minutes))) / 3600 AS hours_late FROM chk_winners WHERE kwh IS NOT NULL"""
"""SELECT series, hours_late: of each reading that this version takes."""


def keep_findings(con: DuckDBPyConnection, touched: str, is_first: bool, is_only: bool) -> None:
    """Replace what was collected of the series in relation `touched` by what this version says of them.

    is_only: no other version comes, so what is long is left where it is (see `lateness_of`).
    """
    for collected in () if is_first else ("chk_all_findings", "chk_rejected", "chk_all_silent", "chk_all_late", "chk_all_repeated"):
        con.execute(f"DELETE FROM {collected} c USING {touched} t WHERE t.series = c.series")
    con.execute("INSERT INTO chk_all_findings FROM chk_findings")
    con.execute("""
        INSERT INTO chk_rejected
        SELECT f.series, f.start_utc, f.rule, f.reason, w.source, w.ordinal
        FROM chk_findings f JOIN chk_winners w ON w.series = f.series AND w.start_utc = f.start_utc
        WHERE f.action = 'reject'""")
    con.execute("""
        INSERT INTO chk_rejected
        SELECT l.series, l.start_utc, 'duplicate', f.reason, l.source, l.ordinal
        FROM chk_losers l JOIN chk_findings f ON f.series = l.series AND f.start_utc = l.start_utc AND f.rule = 'duplicate'
        WHERE NOT l.is_repetition""")
    con.execute("INSERT INTO chk_all_silent SELECT s.series FROM chk_silent s ANTI JOIN chk_grids g USING (series)")
    if not is_only:
        con.execute(f"INSERT INTO chk_all_late {LATENESS}")
    con.execute("INSERT INTO chk_all_repeated SELECT series FROM chk_losers WHERE is_repetition")


def lateness_of(is_only: bool) -> str:
    """Relation of series and hours_late of the newest version of each series."""
    return f"({LATENESS})" if is_only else "chk_all_late"


def list_rejected(con: DuckDBPyConnection, readings: str, lines: str, into: str) -> None:
    """Make the table of validated/rejected_readings under the name `into`."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        SELECT r.source_hash, r.ordinal, x.rule, x.reason, r.meter_id, r.channel, r.interval_start_utc, r.value, r.uom,
            f.file_name
        FROM {readings} r
        JOIN chk_sources f ON f.source_hash = r.source_hash
        JOIN chk_rejected x ON x.source = f.source AND x.ordinal = r.ordinal
        UNION ALL
        SELECT source_hash, ordinal, 'line_' || rule, reason, NULL, NULL, NULL, NULL, NULL, file_name FROM {lines}""")
