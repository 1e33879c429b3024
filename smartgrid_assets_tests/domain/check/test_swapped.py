"""Day and month exchanged: set aside before it can replace a true value."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets_tests.domain.check.town import BERLIN, UNEVEN, check, meter, readings

MAY = market_day(date(2026, 5, 3), BERLIN)
MARCH = date(2026, 3, 5)
LATER = {"source_hash": "b", "file_name": "b.csv", "received_at": MAY.end_utc + timedelta(days=2)}
UTC_CLOCK = datetime(2026, 5, 3)  # 5 March 00:00 UTC, exchanged
MARKET_CLOCK = datetime(2026, 5, 2, 22)  # 5 March 00:00 in Berlin, exchanged


@pytest.mark.parametrize("start", [pytest.param(UTC_CLOCK, id="in UTC"), pytest.param(MARKET_CLOCK, id="on the market's clock")])
def test_exchanged_stamps_are_set_aside_and_the_true_values_stand(start: datetime) -> None:
    wrong = readings(values=[9.9] * 40, day=MAY, start_utc=start, **LATER)
    checked = check(readings(day=MAY) + wrong, [meter()], day=MAY, main_days={"b": [MARCH]})
    assert checked.readings["energy_kwh"].tolist() == UNEVEN[:48] and checked.earlier.empty
    assert set(checked.readings["flags"]) == {""}
    assert set(checked.rejected["rule"]) == {"day_month_swap"} and len(checked.rejected) == 40
    assert "the file is of 2026-03-05" in checked.rejected["reason"].iloc[0] and checked.rejected["file_name"].iloc[0] == "b.csv"
    assert checked.share("day_month_swap") == checked.share("rejected") == 40 / 48


@pytest.mark.parametrize(
    "main_days",
    [
        pytest.param([MARCH, MAY.day], id="a file of both days"),
        pytest.param([date(2026, 5, 6)], id="a correction sent with another day"),
        pytest.param(None, id="nothing is known of the file"),
    ],
)
def test_corrections_still_correct(main_days: list[date] | None) -> None:
    corrected = [value + 1 for value in UNEVEN[:40]]
    checked = check(readings(day=MAY) + readings(values=corrected, day=MAY, **LATER), [meter()], day=MAY, main_days={"b": main_days})  # type: ignore[dict-item]
    assert checked.readings["energy_kwh"].tolist() == corrected + UNEVEN[40:48] and checked.rejected.empty


def test_a_meter_of_which_only_exchanged_stamps_came_has_no_day() -> None:
    wrong = readings(meter="m2", values=[9.9] * 40, day=MAY, start_utc=UTC_CLOCK, **LATER)
    checked = check(readings(day=MAY) + wrong, [meter()], day=MAY, main_days={"b": [MARCH]})
    assert set(checked.readings["meter_id"]) == {"m1"} and len(checked.rejected) == 40
