"""A detector that takes one day after the other and keeps what it needs as a small table: the door for a stream.

What it keeps is the profiles of the last four weeks, so that a day said by `update` is the day that a batch says (`detect_day`), to the last
digit. A stream hands over a day when it is over; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from smartgrid_assets.domain.detect.alarm import AlarmBudget
from smartgrid_assets.domain.detect.day import DEFAULT_BUDGET, detect_day
from smartgrid_assets.domain.detect.detector import Detector
from smartgrid_assets.domain.detect.relative import LOOK_BACK_DAYS
from smartgrid_assets.domain.errors import MisalignedError
from smartgrid_assets.domain.tables import table

COLUMNS = ", ".join(f"CAST({c.name} AS {c.type}) AS {c.name}" for c in table("features/meter_profile").columns)


class RollingDetector:
    """State: table `rolling_profiles` on a connection, LOOK_BACK_DAYS of features/meter_profile with `day`: 120 bytes a meter and day."""

    def __init__(self, con: Any, budget: AlarmBudget = DEFAULT_BUDGET, detectors: Sequence[Detector] | None = None) -> None:
        self.con, self.budget, self.detectors = con, budget, detectors
        self.newest: date | None = None

    def fit(self, profiles: str, newest: date) -> None:
        """Begin with the profiles (relation with `day`) of the four weeks that end with `newest`; what was kept before is gone."""
        first = newest - timedelta(days=LOOK_BACK_DAYS - 1)
        self.con.execute(
            f"CREATE OR REPLACE TABLE rolling_profiles AS SELECT {COLUMNS}, CAST(day AS DATE) AS day FROM {profiles} WHERE day BETWEEN '{first}' AND '{newest}'"
        )
        self.newest = newest

    def update(self, day: date, profiles: str) -> pd.DataFrame:
        """anomalies/meter_days of `day`, whose profiles (relation, no `day` needed) are then part of the past.

        Raises MisalignedError before `fit`, and where `day` is not younger than the newest.
        """
        if self.newest is None:
            raise MisalignedError("A rolling detector learns first: fit it on the four weeks before the first day.")
        if day <= self.newest:
            raise MisalignedError(f"{day} comes after {self.newest}: a rolling detector takes each day once, in order.")
        self.con.execute("DELETE FROM rolling_profiles WHERE day < ?", [day - timedelta(days=LOOK_BACK_DAYS)])
        self.con.execute(f"INSERT INTO rolling_profiles SELECT {COLUMNS}, DATE '{day}' AS day FROM {profiles}")
        self.newest = day
        return detect_day(self.con, "rolling_profiles", day, self.budget, self.detectors, seed=day.toordinal())

    def save(self, path: Path) -> None:
        """The state as one Parquet file."""
        self.con.execute("COPY (FROM rolling_profiles ORDER BY day, meter_id) TO ? (FORMAT parquet)", [str(path)])

    def load(self, path: Path) -> None:
        """The inverse of save."""
        self.con.execute("CREATE OR REPLACE TABLE rolling_profiles AS FROM read_parquet(?)", [str(path)])
        ((self.newest,),) = self.con.execute("SELECT max(day) FROM rolling_profiles").fetchall()
