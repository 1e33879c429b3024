"""Would this day poison tomorrow? Then it is held back: its partition is not replaced, and a row says why.

Judged is the whole, not each zone: one small zone without readings is estimated, and must not stop the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits


@dataclass(frozen=True)
class Hold:
    """One reason for holding a day back; value and threshold are shares, 0 to 1."""

    check_name: str
    reason: str
    value: float
    threshold: float


def holds(con: DuckDBPyConnection, quality: str, limits: CheckLimits) -> list[Hold]:
    """What in validated/data_quality (relation `quality`) would poison tomorrow; empty on a day fit for use.

    A day of which nothing at all is expected is no day to hold: it has no rows.
    """
    asked = {
        "missing_share": (
            "missing",
            limits.hold_missing_share,
            "were not delivered; deliver them, and the day is tried again",
        ),
        "rejected_share": (
            "rejected",
            limits.hold_rejected_share,
            "were rejected; see validated.rejected_readings, and ask for a correction",
        ),
    }
    found = []
    for check_name, (rule, threshold, what) in asked.items():
        sql = f"SELECT share, affected, readings FROM {quality} WHERE zone = '*' AND rule = '{rule}'"
        for share, affected, readings in con.execute(sql).fetchall():
            if share > threshold:
                reason = f"{affected:,} of {readings:,} readings ({share:.0%}; allowed {threshold:.0%}) {what}."
                found.append(Hold(check_name, reason, float(share), threshold))
    return found
