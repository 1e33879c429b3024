"""At which moments did our knowledge of a day change, and what was known at each?

Only gates look back, so moments are formed at gate granularity: all that became known between two gates is one
version, known from the last moment among them. A day whose files trickle in for a morning has one version, not hundreds;
at no gate does this show.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from smartgrid_assets.domain.market_day import day_of, days_between, gate_utc

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS, VERSIONS, VISIBLE = "derive_rows", "derive_versions", "derive_visible"


def form_versions(con: DuckDBPyConnection, tz: str, gate: time, readings: str, earlier: str, weather: str) -> None:
    """Make three relations.

    derive_rows: readings and superseded ones, each known in [known_from_utc, known_until_utc).
    derive_versions: version_utc. derive_visible: known_from_utc, known_until_utc, version_utc: rows of that span
    belong to that version. Observed weather that comes later than the load makes a version, too.
    """
    columns = "meter_id, channel, interval_start_utc, interval_minutes, energy_kwh, quality, known_from_utc"
    con.execute(f"""CREATE OR REPLACE TEMP VIEW {ROWS} AS
        SELECT {columns}, TIMESTAMP 'infinity' AS known_until_utc FROM {readings}
        UNION ALL SELECT {columns}, known_until_utc FROM {earlier}""")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE derive_spans AS
        SELECT DISTINCT known_from_utc, known_until_utc FROM {ROWS}""")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE derive_moments AS
        SELECT known_from_utc AS moment FROM derive_spans UNION SELECT available_at FROM {weather}""")
    first, last = con.execute("SELECT min(moment), max(moment) FROM derive_moments").fetchone() or (None, None)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE derive_gates AS SELECT unnest(CAST(? AS TIMESTAMP[])) AS gate",
        [_gates(first, last, tz, gate)],
    )
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {VERSIONS} AS
        SELECT max(moment) AS version_utc FROM derive_moments ASOF JOIN derive_gates ON moment <= gate GROUP BY gate""")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {VISIBLE} AS
        SELECT * FROM derive_spans JOIN {VERSIONS} ON known_from_utc <= version_utc AND version_utc < known_until_utc""")


def _gates(first: datetime | None, last: datetime | None, tz: str, gate: time) -> list[datetime]:
    """All gates that lie around two moments."""
    if first is None or last is None:
        return []
    return [gate_utc(day, tz, gate) for day in days_between(day_of(first, tz), day_of(last, tz) + timedelta(days=2))]
