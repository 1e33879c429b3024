"""Real loads and homes, read in place: nothing real may be rejected, and what is validated equals the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from smartgrid_assets.domain.market_day import days_between, market_day
from smartgrid_assets_tests.domain.check.town import check, meter, readings


def rows_of(sql: str) -> list[tuple]:
    return duckdb.connect(config={"threads": 1}).execute(sql).fetchall()


def test_fourteen_days_of_victoria_are_674_half_hours_each_equal_to_the_file(shared_data: Path) -> None:
    file = shared_data / "load_vic_elec" / "vic_electricity.csv.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent; set SMARTGRID_SHARED_DATA to the folder of real data.")
    whole = rows_of(
        f"SELECT Time::TIMESTAMP, Demand FROM read_csv('{file}') WHERE Time BETWEEN '2014-03-30' AND '2014-04-16' ORDER BY Time"
    )
    found, given = [], []
    for day in days_between(date(2014, 4, 1), date(2014, 4, 14)):
        window = market_day(day, "Australia/Melbourne")
        values = [demand for moment, demand in whole if window.start_utc <= moment < window.end_utc]
        checked = check(readings("VIC", values, window, uom="MW"), [meter("VIC", role="zone")], day=window, tz="Australia/Melbourne")
        assert checked.rejected.empty and set(checked.readings["flags"]) == {""}
        found += (checked.readings["energy_kwh"] / 500).tolist()
        given += values
    assert len(found) == 674 and found == pytest.approx(given, rel=1e-12)


def test_twelve_pjm_zones_keep_all_25_hours_of_the_autumn_clock_change(shared_data: Path) -> None:
    file = shared_data / "load_pjm_hourly" / "est_hourly.csv.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent; set SMARTGRID_SHARED_DATA to the folder of real data.")
    window = market_day(date(2017, 11, 5), "America/New_York")
    wide = f"SELECT Datetime, TRY_CAST(COLUMNS(* EXCLUDE Datetime) AS DOUBLE) FROM read_csv('{file}')"
    long = f"UNPIVOT ({wide}) ON * EXCLUDE Datetime INTO NAME zone VALUE mw"
    rows = rows_of(f"SELECT zone, mw FROM ({long}) WHERE (Datetime - INTERVAL 1 HOUR)::DATE = '{window.day}' ORDER BY zone, Datetime")
    zones = sorted({zone for zone, _ in rows})
    raw = [
        r for z in zones for r in readings(z, [mw for name, mw in rows if name == z], window, interval_minutes=60, uom="MW", source_hash=z)
    ]
    checked = check(raw, [meter(z, role="zone") for z in zones], day=window, tz="America/New_York")
    assert checked.rejected.empty and len(checked.readings) == 25 * len(zones) == len(rows)
    assert (checked.readings["energy_kwh"] / 1000).tolist() == pytest.approx([mw for _, mw in rows])


def test_fifteen_days_of_seventeen_homes_lose_no_reading(shared_data: Path) -> None:
    folder = shared_data / "meters_citylearn2022"
    if not folder.exists():
        pytest.skip(f"{folder} is absent; set SMARTGRID_SHARED_DATA to the folder of real data.")
    homes = {
        f"home{n}": [v for (v,) in rows_of(f"SELECT non_shiftable_load FROM read_csv('{folder}/Building_{n}.csv.gz')")]
        for n in range(1, 18)
    }
    for nth in range(15):
        window = market_day(days_between(date(2016, 8, 1), date(2016, 8, 15))[nth], "America/Los_Angeles")
        raw = [
            r
            for name, v in homes.items()
            for r in readings(name, v[1 + 24 * nth : 25 + 24 * nth], window, interval_minutes=60, source_hash=name)
        ]
        checked = check(raw, [meter(name, made_up=True) for name in homes], day=window, tz="America/Los_Angeles")
        assert checked.rejected.empty and len(checked.readings) == 17 * 24
        assert (checked.readings["quality"] == "measured").all()
        assert sorted(checked.readings["energy_kwh"]) == sorted(r["value"] for r in raw)
