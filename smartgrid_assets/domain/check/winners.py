"""Which of several readings of one interval counts?

The newest version (the source's own version time, else the receipt), and within it a value before none, then the later
receipt, measured before substituted, and at last file and place: nothing depends on the order of arrival. A reading
that contradicts the winner within one file or one version time is listed as rejected; a repetition is only counted.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

_ORDER = "version_at DESC, (kwh IS NULL), received_at DESC, quality, source, ordinal"
_COLUMNS = "series, start_utc, minutes, value, kwh, quality, source, ordinal, received_at"
EVERY_ROW = "chk_rows"
"""The relation of all rows of the day: where none repeats another, all of them win."""


def choose_winners(con: DuckDBPyConnection, visible: str) -> None:
    """Make chk_winners (one row a series and start, in that order) and chk_losers from the visible rows."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_contested AS
        SELECT v.*, row_number() OVER (PARTITION BY v.series, v.start_utc ORDER BY {_ORDER}) AS place
        FROM {visible} v SEMI JOIN chk_first f ON f.series = v.series AND f.start_utc = v.start_utc""")
    winners = visible
    if visible != EVERY_ROW or con.execute("SELECT 1 FROM chk_first LIMIT 1").fetchall():
        winners = "chk_won"
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE {winners} AS
            SELECT {_COLUMNS} FROM {visible} v ANTI JOIN chk_first f ON f.series = v.series AND f.start_utc = v.start_utc
            UNION ALL SELECT {_COLUMNS} FROM chk_contested WHERE place = 1 ORDER BY series, start_utc""")
    con.execute(f"CREATE OR REPLACE TEMP VIEW chk_winners AS SELECT {_COLUMNS} FROM {winners}")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_losers AS
        SELECT l.series, l.start_utc, l.kwh, w.kwh AS winner_kwh, l.source, l.ordinal, l.kwh = w.kwh AS is_repetition
        FROM chk_contested l
        JOIN chk_contested w ON w.series = l.series AND w.start_utc = l.start_utc AND w.place = 1
        WHERE l.place > 1 AND l.kwh IS NOT NULL AND w.kwh IS NOT NULL
            AND (l.source = w.source OR l.version_at = w.version_at)""")
