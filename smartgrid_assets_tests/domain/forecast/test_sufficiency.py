"""Enough to train on? Typed reasons, and the forecast obeys the blocking ones."""

from __future__ import annotations

import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import FitContext, ForecastModel, Needs
from smartgrid_assets.domain.forecast.sufficiency import Past, past_of, reasons_against

NEEDS = Needs(min_days=10, history_days=30, weather=True)


@pytest.mark.parametrize(
    ("past", "codes"),
    [
        (Past(30), []),
        (Past(9), ["too_few_days", "short_history"]),
        (Past(10), ["short_history"]),
        (Past(30, 0.31), ["much_doubted"]),
        (Past(30, 0.3), []),
        (Past(30, 0.0, False), ["no_weather"]),
    ],
)
def test_each_want_has_its_code_a_sentence_and_its_numbers(past: Past, codes: list[str]) -> None:
    found = reasons_against("boost", NEEDS, past)
    assert [reason.code for reason in found] == codes
    assert all(reason.sentence.endswith(".") for reason in found)
    assert [reason.code for reason in found if reason.is_blocking] == [code for code in codes if code == "too_few_days"]
    if codes[:1] == ["too_few_days"]:
        assert found[0].data == {"days": 9, "needed": 10} and "needs 10 days" in found[0].sentence


def frame(days: int, weight: float = 1.0, temperature: float | None = 5.0) -> pd.DataFrame:
    stamps = pd.date_range("2026-01-01", periods=24 * days, freq="h")
    return pd.DataFrame({
        "interval_start_utc": stamps, "interval_minutes": 60, "load_mw": 1.0, "local_time": stamps, "is_holiday": False, "weekday": 1,
        "weight": weight, "temperature_c": temperature, "irradiance_w_m2": 0.0, "wind_speed_m_s": 0.0,
    })  # fmt: skip


def test_counts_are_those_of_the_history() -> None:
    assert past_of(frame(3)) == Past(3, 0.0, True)
    assert past_of(frame(3, weight=0.2, temperature=float("nan"))) == Past(3, 1.0, False)


def test_a_model_is_not_fitted_for_a_zone_with_a_blocking_reason_and_says_so() -> None:
    model = ForecastModel("boost", lambda: pytest.fail("it must not be built"), NEEDS, "")
    fitted = fit_zones(model, {"north": frame(4)}, FitContext("UTC"))
    assert fitted.zones == {} and fitted.failed == {"north": "boost needs 10 days of history; 4 are known at the gate."}
