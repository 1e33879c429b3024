"""A thief is named by the feeder that still delivers, a holiday is not; faults are one suspect each, or one a feeder."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.detect import level
from smartgrid_assets.domain.detect.kind import amount
from smartgrid_assets.domain.detect.level import levels
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.detect.suspects import COLUMNS, suspects
from smartgrid_assets.domain.tables import table

DAY, DAYS, FEEDERS, METERS = date(2026, 3, 14), LOOK_BACK_DAYS + 1, 5, 40
"""Of each feeder so many meters, M000 to M039 on F0 and so on."""


def place(seed: int = 1, days: int = DAYS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(profiles, true kWh by meter and day as a frame): homes of their own size, colder days that all share, noise of 15 %."""
    rng = np.random.default_rng(seed)
    span = [DAY - timedelta(days=days - 1 - n) for n in range(days)]
    count = FEEDERS * METERS
    size, cold = rng.uniform(5, 20, count), 1 + 0.2 * np.sin(np.arange(days) / 9)
    free = np.array([day.weekday() >= 5 for day in span])
    kwh = size[:, None] * cold * np.where(free, 1.2, 1.0) * np.exp(rng.normal(0, 0.15, (count, days)))
    rows = pd.DataFrame(
        {"meter_id": np.repeat([f"M{n:03d}" for n in range(count)], days), "day": span * count, "zone": "Z1",
         "feeder": np.repeat([f"F{n // METERS}" for n in range(count)], days), "class": "home", "energy_kwh": kwh.ravel(),
         "export_kwh": 0.0, "stuck_share": 0.05, "zero_share": 0.0, "missing_share": 0.0, "flagged_share": 0.0, "is_holiday": np.tile(free, count)}
    )  # fmt: skip
    return rows, rows[["meter_id", "feeder", "day", "energy_kwh"]].rename(columns={"energy_kwh": "true_kwh"})


def counted(rows: pd.DataFrame, meter: str, since: int, share: float) -> pd.DataFrame:
    """From `since` days ago on (0 = the newest day alone) the meter counts a share of what is drawn."""
    of = (rows["meter_id"] == meter) & (rows["day"] > DAY - timedelta(days=since + 1))
    return rows.assign(energy_kwh=rows["energy_kwh"].where(~of, rows["energy_kwh"] * share))


def found(rows: pd.DataFrame, true: pd.DataFrame, day: date = DAY, measured: bool = True) -> pd.DataFrame:
    """The suspects; each feeder measures what is truly drawn, 4 % of losses and 60 kWh of street light with noise of 1 kWh."""
    con = duckdb.connect()
    energy = rows["energy_kwh"]
    parts = {"night_share": 0.2, "evening_share": 0.3, "load_factor": 0.4, "negative_count": 0}
    profiles = rows.assign(peak_kw=energy / 10, min_kw=energy / 100, ramp_kw=energy / 50, **parts)
    con.register("given", profiles.assign(day=pd.to_datetime(profiles["day"])))
    con.execute("CREATE VIEW profiles AS SELECT * REPLACE (CAST(day AS DATE) AS day) FROM given")
    both = rows.merge(true, on=["meter_id", "feeder", "day"]).sort_values(["meter_id", "day"])
    sums = both.groupby(["zone", "feeder", "day"], as_index=False).agg(metered_kwh=("energy_kwh", "sum"), drawn=("true_kwh", "sum"))
    light = 60 + 5 * np.sin(np.arange(len(sums["day"].unique())) / 20) + np.random.default_rng(0).normal(0, 1, sums["day"].nunique())
    at = {of: light[n] for n, of in enumerate(sorted(sums["day"].unique()))}
    sums["measured_kwh"] = (
        sums["drawn"] + 0.04 * sums["metered_kwh"] + sums["day"].map(at) + np.random.default_rng(5).normal(0, 0.5, len(sums))
    )
    con.register("balance", sums.assign(meters=METERS, flow_kwh=sums["metered_kwh"], guessed_share=0.0)[: None if measured else 0])
    return suspects(con, "profiles", "balance", day)


def test_a_meter_that_counts_a_third_is_named_by_its_feeder_with_the_day_and_what_is_lost():
    rows, true = place()
    told = found(counted(rows, "M007", 6, 0.35), true)
    assert tuple(told.columns) == COLUMNS == tuple(column.name for column in table("anomalies/suspects").columns)
    (thief,) = told[told["is_witnessed"]].to_dict("records")
    assert (thief["meter_id"], thief["feeder"], thief["kind"]) == ("M007", "F0", "bypass")
    assert abs((thief["since"] - (DAY - timedelta(days=6))).days) <= 1 and thief["change"] == pytest.approx(-0.65, abs=0.12)
    assert thief["witness"] == pytest.approx(1.0, abs=0.25) and thief["witness_sigmas"] > 5
    drawn = true[(true["meter_id"] == "M007") & (true["day"] > DAY - timedelta(days=7))]["true_kwh"].mean()
    assert thief["lost_kwh_week"] == pytest.approx(7 * 0.65 * drawn, rel=0.3)
    assert "its feeder still delivers" in thief["reason"] and "M007" not in thief["reason"] and "e+0" not in thief["reason"]
    assert (amount(2661.3), amount(99.4), amount(0.01954)) == ("2,661", "99.4", "0.0195")


def test_who_is_away_draws_less_and_the_feeder_says_so():
    rows, _ = place()
    away = counted(rows, "M007", 6, 0.1)
    told = found(away, away[["meter_id", "feeder", "day", "energy_kwh"]].rename(columns={"energy_kwh": "true_kwh"}))
    (one,) = told[told["meter_id"] == "M007"].to_dict("records")
    assert one["kind"] == "vacancy" and not one["is_witnessed"] and abs(one["witness"]) < 0.2
    assert "its feeder delivers less, too" in one["reason"] and not told["is_witnessed"].any()


def test_two_thieves_and_a_holiday_on_one_feeder_are_told_apart():
    rows, true = place(seed=2)
    gone = rows["meter_id"].eq("M030") & (rows["day"] > DAY - timedelta(days=9))
    rows = rows.assign(energy_kwh=rows["energy_kwh"].where(~gone, rows["energy_kwh"] * 0.1))
    true = true.assign(true_kwh=true["true_kwh"].where(~gone, true["true_kwh"] * 0.1))
    told = found(counted(counted(rows, "M003", 12, 0.4), "M011", 5, 0.3), true)
    assert set(told.loc[told["is_witnessed"], "meter_id"]) == {"M003", "M011"}
    assert told.set_index("meter_id").loc["M030", "kind"] == "vacancy"


def test_two_thirds_that_are_left_are_a_lost_phase_and_more_use_is_a_new_device():
    rows, true = place(seed=3)
    told = found(counted(counted(rows, "M007", 15, 0.66), "M050", 8, 2.5), true).set_index("meter_id")
    assert told.loc["M007", "kind"] == "lost_phase" and told.loc["M050", "kind"] == "new_device" and told.loc["M050", "lost_kwh_week"] == 0


def test_where_nobody_measures_a_fall_of_a_few_days_is_a_holiday_and_one_of_weeks_a_case():
    rows, true = place(seed=4)
    told = found(counted(counted(rows, "M007", 7, 0.3), "M050", 26, 0.3), true, measured=False).set_index("meter_id")
    assert told.loc["M007", "kind"] == "vacancy" and told.loc["M050", "kind"] == "bypass"
    assert np.isnan(told.loc["M050", "witness"]) and not told["is_witnessed"].any()
    back = rows["meter_id"].eq("M050") & (rows["day"] > DAY - timedelta(days=3))
    returned = counted(rows, "M050", 26, 0.1).assign(energy_kwh=lambda f: f["energy_kwh"].where(~back, rows["energy_kwh"]))
    again = found(returned, true, measured=False).set_index("meter_id")
    assert "M050" not in again.index or again.loc["M050", "kind"] not in ("bypass", "lost_phase")


def test_a_feeder_that_loses_energy_which_no_meter_explains_is_a_suspect_itself():
    rows, true = place(seed=5)
    tapped = true["feeder"].eq("F2") & (true["day"] > DAY - timedelta(days=10)) & true["meter_id"].eq("M080")
    told = found(rows, true.assign(true_kwh=true["true_kwh"].where(~tapped, true["true_kwh"] + 40)))
    (one,) = told[told["kind"] == "feeder_loss"].to_dict("records")
    assert (one["meter_id"], one["zone"], one["feeder"]) == ("", "Z1", "F2") and one["lost_kwh_week"] == pytest.approx(280, rel=0.2)
    assert abs((one["since"] - (DAY - timedelta(days=9))).days) <= 2 and "no meter of it explains" in one["reason"]


def test_meters_that_stand_still_are_one_suspect_each_and_a_feeder_full_of_them_is_one():
    rows, true = place(seed=6)
    late = rows["day"] > DAY - timedelta(days=2)
    still = rows.assign(stuck_share=rows["stuck_share"].where(~(late & rows["meter_id"].isin(["M001", "M041"])), 0.9))
    told = found(still, true)
    assert set(told.loc[told["kind"] == "stuck", "meter_id"]) == {"M001", "M041"}
    silent = rows.assign(missing_share=rows["missing_share"].where(~(late & rows["feeder"].eq("F3") & rows["meter_id"].lt("M135")), 1.0))
    (one,) = found(silent, true).query("kind == 'data_fault'").to_dict("records")
    assert (one["meter_id"], one["feeder"]) == ("", "F3") and one["reason"].startswith("15 of 40 meters of feeder F3")


@pytest.mark.parametrize("seed", range(10, 16))
def test_an_honest_place_names_nobody(seed):
    rows, true = place(seed)
    told = found(rows, true)
    assert not told["kind"].isin(["bypass", "lost_phase", "feeder_loss"]).any()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda rows: rows[rows["day"] > DAY - timedelta(days=3)], id="three days"),
        pytest.param(lambda rows: rows[rows["meter_id"] == "M001"], id="one meter"),
        pytest.param(lambda rows: rows.assign(energy_kwh=0.0), id="all zeros"),
        pytest.param(lambda rows: rows.assign(energy_kwh=np.nan), id="nothing known"),
        pytest.param(lambda rows: rows[:0], id="nothing"),
    ],
)
def test_too_little_to_compare_names_nobody_and_raises_nothing(spoil):
    rows, true = place()
    assert found(spoil(rows), true).empty


def test_nothing_after_the_day_is_read():
    rows, true = place(seed=7, days=DAYS + 5)
    day = DAY - timedelta(days=5)
    spoilt = counted(rows, "M007", 4, 0.1)
    pd.testing.assert_frame_equal(found(rows, true, day), found(spoilt, true, day))


def test_what_all_do_is_nobodys_doing():
    rows, _ = place(seed=8)
    con = duckdb.connect()
    late = rows["day"] > DAY - timedelta(days=10)
    parts = dict.fromkeys(("night_share", "evening_share", "load_factor", "negative_count", "peak_kw", "min_kw", "ramp_kw"), 0.1)
    con.register("profiles", rows.assign(energy_kwh=rows["energy_kwh"].where(~late, rows["energy_kwh"] * 1.8), **parts))
    told = levels(con, "profiles", DAY)
    assert len(told) == FEEDERS * METERS and abs(told["change"].median()) < 0.03 and told["p_value"].min() > 1e-4


def test_the_order_in_which_rows_come_does_not_show_in_the_last_digit():
    rows, true = place(seed=9)
    rows = counted(counted(rows, "M003", 12, 0.4), "M050", 8, 2.5)
    first = found(rows, true)
    for seed in range(3):
        pd.testing.assert_frame_equal(found(rows.sample(frac=1, random_state=seed), true), first, check_exact=True)


def test_a_fleet_that_is_taken_by_parts_is_the_same_fleet(monkeypatch):
    rows, true = place()
    whole = found(counted(rows, "M007", 6, 0.35), true)
    monkeypatch.setattr(level, "METERS_A_QUERY", 37)
    pd.testing.assert_frame_equal(found(counted(rows, "M007", 6, 0.35), true), whole)


def test_of_a_large_class_some_meters_say_how_it_moved_and_a_class_of_few_goes_by_all(monkeypatch):
    rows, true = place()
    rows = rows.assign(**{"class": np.where(rows["meter_id"].isin(["M001", "M002"]), "shop", "home")})
    monkeypatch.setattr(level, "PEERS", 60)
    told = found(counted(rows, "M007", 6, 0.35), true)
    (thief,) = told[told["is_witnessed"]].to_dict("records")
    assert thief["meter_id"] == "M007" and thief["change"] == pytest.approx(-0.65, abs=0.12)
    con = duckdb.connect()
    con.register("given", rows.assign(day=pd.to_datetime(rows["day"])))
    con.execute("CREATE VIEW profiles AS SELECT * REPLACE (CAST(day AS DATE) AS day) FROM given")
    level.draw_peers(con, "profiles", DAY)
    assert con.execute("SELECT count(*) FROM level_drawn").fetchall() == [(62,)]
    level.peers_of(con, "profiles", DAY, level.ENERGY, "drawn")
    assert con.execute("SELECT DISTINCT class FROM drawn ORDER BY 1 NULLS LAST").fetchall() == [
        ("home",),
        (None,),
    ]  # two shops are no peers
    level.meter_days(con, "profiles", DAY, level.ENERGY, "shops", "SELECT 'M001' AS meter_id", "drawn")
    assert con.execute("SELECT count(*), count(expected) FROM shops").fetchall() == [(DAYS, DAYS)]
