"""Numbers relative to own past and peers, against hand-made days."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.detect.relative import Z_LIMIT, relative_reference, relative_today

MONDAY = date(2026, 2, 2)


def fleet(energy: dict[str, list[float]], **columns) -> pd.DataFrame:
    """Daily energies per meter that end on MONDAY."""
    rows = [
        {
            "meter_id": m,
            "market_day": MONDAY - timedelta(days=len(kwh) - 1 - i),
            "energy_kwh": x,
            "class": "home",
            **columns,
        }
        for m, kwh in energy.items()
        for i, x in enumerate(kwh)
    ]
    return pd.DataFrame(rows)


def today(frame: pd.DataFrame) -> pd.DataFrame:
    con = duckdb.connect()
    con.register("profiles", frame)
    return relative_today(con, "profiles", MONDAY).set_index("meter_id")


def test_a_habit_without_variation_does_not_make_a_trifle_a_sensation():
    rows = today(fleet({"a": [10.0] * 28 + [10.5], "b": [10.0] * 28 + [100.0]}))
    assert rows.loc["a", "own_z_energy_kwh"] == pytest.approx(np.log(1.05) / 0.10, rel=0.01)
    assert rows.loc["b", "own_z_energy_kwh"] == pytest.approx(np.log(10) / 0.10, rel=0.01)


def test_a_limit_holds_what_is_absurd():
    assert today(fleet({"a": [10.0] * 28 + [1e9]})).loc["a", "own_z_energy_kwh"] == Z_LIMIT


def test_a_weekday_is_compared_with_weekdays_only():
    weekend_high = [50.0 if (MONDAY - timedelta(days=28 - i)).isoweekday() >= 6 else 10.0 for i in range(28)]
    assert today(fleet({"a": [*weekend_high, 10.0]})).loc["a", "own_z_energy_kwh"] == pytest.approx(0)


def test_a_holiday_is_compared_with_weekends():
    weekend_high = [50.0 if (MONDAY - timedelta(days=28 - i)).isoweekday() >= 6 else 10.0 for i in range(28)]
    frame = fleet({"a": [*weekend_high, 50.0]})
    frame["is_holiday"] = frame["market_day"] == MONDAY
    assert today(frame).loc["a", "own_z_energy_kwh"] == pytest.approx(0)


def test_what_all_peers_do_is_nobodys_peculiarity():
    cold = fleet({f"m{i}": [10.0 + i] * 28 + [20.0 + 2 * i] for i in range(12)})
    rows = today(cold)
    assert (rows["own_z_energy_kwh"] > 5).all()
    assert rows["peer_z_energy_kwh"].abs().max() < 0.1
    assert rows["peers_energy_kwh"].to_numpy() == pytest.approx(np.log(2), rel=0.01)


def test_peers_are_those_of_the_class_where_there_are_ten_and_all_where_there_are_fewer():
    homes = fleet({f"h{i}": [10.0] * 28 + [10.0] for i in range(20)})
    shops = fleet({f"s{i}": [10.0] * 28 + [20.0] for i in range(12)}).assign(**{"class": "shop"})
    mills = fleet({f"x{i}": [10.0] * 28 + [20.0] for i in range(3)}).assign(**{"class": "mill"})
    rows = today(pd.concat([homes, shops, mills]))
    assert rows.loc["s0", "peer_z_energy_kwh"] == pytest.approx(0)
    assert rows.loc["x0", "peer_z_energy_kwh"] > 5


def test_too_short_a_past_is_unknown_not_zero():
    rows = today(fleet({"young": [10.0] * 6 + [1.0], "old": [10.0] * 28 + [10.0]}))
    assert np.isnan(rows.loc["young", "own_z_energy_kwh"])
    assert rows["past_days"].to_dict() == {"young": 0, "old": 28}


def test_the_reference_measures_each_past_day_against_the_others_and_never_against_itself():
    weekdays = [i for i in range(28) if (MONDAY - timedelta(days=28 - i)).isoweekday() < 6]
    kwh = [10.0] * 28
    for i in weekdays[::2]:  # ten of the twenty: leaving a day out tips the median to the other value
        kwh[i] = 20.0
    con = duckdb.connect()
    con.register("profiles", fleet({"a": [*kwh, 99.0]}))
    rows = relative_reference(con, "profiles", MONDAY, seed=0)
    assert len(rows) == 28
    change = (rows["value_energy_kwh"] - rows["own_energy_kwh"])[~rows["rest_day"]]
    assert change.abs().to_numpy() == pytest.approx(np.log(2), rel=0.01)
