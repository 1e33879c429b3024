"""One day after the other says what a batch says, across a restart too."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pandas as pd
import pytest

from smartgrid_assets.domain.detect.day import detect_day
from smartgrid_assets.domain.detect.relative import LOOK_BACK_DAYS
from smartgrid_assets.domain.detect.rolling import RollingDetector
from smartgrid_assets.domain.errors import MisalignedError
from smartgrid_assets_tests.domain.detect.town import FIRST_DAY, loads_kw, profiles

DAYS = 34


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    load = loads_kw(seed=2, meters=60, days=DAYS)
    load[7, 30:] *= 0.1
    con.register("whole", profiles(load).rename(columns={"market_day": "day"}))
    return con


def of_day(con: duckdb.DuckDBPyConnection, day) -> str:
    con.execute(f"CREATE OR REPLACE TEMP TABLE arriving AS SELECT * EXCLUDE (day) FROM whole WHERE day = DATE '{day}'")
    return "arriving"


def test_day_by_day_is_the_batch_and_so_it_is_after_a_restart(con, tmp_path):
    rolling = RollingDetector(con)
    begin = FIRST_DAY + timedelta(days=LOOK_BACK_DAYS)
    rolling.fit("whole", begin - timedelta(days=1))
    alarmed = set()
    for n in range(DAYS - LOOK_BACK_DAYS):
        day = begin + timedelta(days=n)
        if n == 3:
            rolling.save(tmp_path / "state.parquet")
            con.execute("DROP TABLE rolling_profiles")
            rolling = RollingDetector(con)
            rolling.load(tmp_path / "state.parquet")
        told = rolling.update(day, of_day(con, day))
        pd.testing.assert_frame_equal(told, detect_day(con, "whole", day, seed=day.toordinal()))
        alarmed |= set(told.loc[told["is_alarm"].astype(bool), "meter_id"])
    assert alarmed == {"M00007"}
    ((days,),) = con.execute("SELECT count(DISTINCT day) FROM rolling_profiles").fetchall()
    assert days == LOOK_BACK_DAYS + 1  # it keeps no more than it needs


def test_a_day_is_taken_once_in_order_after_fit(con):
    rolling = RollingDetector(con)
    with pytest.raises(MisalignedError, match="learns first"):
        rolling.update(FIRST_DAY, "whole")
    rolling.fit("whole", FIRST_DAY + timedelta(days=20))
    with pytest.raises(MisalignedError, match="takes each day once"):
        rolling.update(FIRST_DAY + timedelta(days=20), of_day(con, FIRST_DAY))
