"""What did a person decide of a reading? A verdict wins over every rule, and over earlier verdicts.

accept: the delivered value stands, what rules say of it stays as a mark. reject: it is estimated anew. replace: a value given
by the person takes its place. withdraw: as if none had been given. A verdict counts from when it was given, so
no forecast issued before moves.
Source: editing, the third letter of VEE (Edison Electric Institute, Uniform Business Practices).
"""

from __future__ import annotations

from datetime import datetime, time

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.delivered import date_gates

NAME, VERSION = "verdict", 1
ACTIONS = ("accept", "reject", "replace", "withdraw")


def load_verdicts(con: DuckDBPyConnection, relation: str, tz: str, gate: time) -> list[tuple[datetime, datetime]]:
    """Make chk_verdicts from rows of validated/verdicts; (gate, newest verdict before it) of each gate that saw one."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_verdicts AS
        SELECT s.series, v.verdict_id, v.action, v.value_kwh, v.first_utc, v.last_utc, v.given_at AS known_at, NULL::TIMESTAMP AS gate_utc,
            'Meter ' || s.meter_id || ', ' || s.channel || ': ' || CASE v.action WHEN 'accept' THEN 'accepted' WHEN 'reject' THEN 'rejected'
                ELSE 'replaced by ' || v.value_kwh || ' kWh' END || ' by ' || v.who || ': ' || v.why AS reason
        FROM {relation} v JOIN chk_series s ON s.meter_id = v.meter_id AND s.channel = v.channel""")
    return date_gates(con, "chk_verdicts", tz, gate)


def apply_verdicts(con: DuckDBPyConnection, at: datetime) -> None:
    """Change chk_findings by the verdicts known at `at`. chk_ruled: intervals and the verdict that counts for each."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_ruled AS
        WITH given AS (FROM chk_verdicts WHERE known_at <= TIMESTAMP '{at}'),
        intervals AS (SELECT series, start_utc, true AS is_there FROM chk_winners SEMI JOIN given USING (series) WHERE kwh IS NOT NULL
                      UNION ALL SELECT series, start_utc, false FROM chk_missing SEMI JOIN given USING (series))
        SELECT i.*, v.action, v.value_kwh, v.reason
        FROM intervals i JOIN given v ON v.series = i.series AND i.start_utc BETWEEN v.first_utc AND v.last_utc
        QUALIFY row_number() OVER (PARTITION BY i.series, i.start_utc ORDER BY v.known_at DESC, v.verdict_id DESC) = 1""")
    con.execute("""
        UPDATE chk_findings SET action = 'flag' FROM chk_ruled r
        WHERE r.series = chk_findings.series AND r.start_utc = chk_findings.start_utc AND r.action = 'accept'""")
    con.execute(f"""
        INSERT INTO chk_findings
        SELECT series, start_utc, '{NAME}', CASE WHEN action <> 'accept' AND is_there THEN 'reject' ELSE 'flag' END, reason
        FROM chk_ruled WHERE action <> 'withdraw'""")


def put_replacements(con: DuckDBPyConnection) -> None:
    """Put the values that persons gave into chk_repaired."""
    con.execute("""
        UPDATE chk_repaired SET energy_kwh = r.value_kwh, quality = 'substituted', method = 'verdict' FROM chk_ruled r
        WHERE r.series = chk_repaired.series AND r.start_utc = chk_repaired.start_utc AND r.action = 'replace'""")
