"""The curve put together from Prophet's parameters is the one that Prophet itself tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.forecast.models.prophet import ProphetForecaster
from smartgrid_assets_tests.domain.forecast.made_series import context, rows


@pytest.mark.parametrize("weather", ["none", "observed"])
@pytest.mark.parametrize("stored", [False, True])
def test_the_curve_is_that_of_prophets_own_predict(weather, stored):
    history = rows(date(2026, 2, 2), 60).assign(irradiance_w_m2=lambda f: np.maximum(0, f["temperature_c"] * 20))
    history["is_holiday"] = history["local_time"].dt.date == date(2026, 3, 9)
    made = ProphetForecaster()
    made.fit(history, replace(context(date(2026, 4, 3)), weather=weather))
    if stored:
        payload, made = made.dump(), ProphetForecaster()
        made.restore(payload)
    asked = rows(date(2026, 10, 20), 10, seed=3).assign(irradiance_w_m2=30.0)  # the hour that comes twice is in it
    asked.loc[4, "temperature_c"] = np.nan
    told = made.model.predict(made._rows(asked)).groupby("ds")["yhat"].mean().reindex(asked["local_time"]).to_numpy()
    assert asked["local_time"].duplicated().any() and made.uses_weather == (weather != "none")
    assert made._curve(made.model, asked) == pytest.approx(told, rel=1e-9)
    upside_down = made._curve(made.model, asked.iloc[::-1])
    assert upside_down[::-1] == pytest.approx(told, rel=1e-9) and np.ptp(told) > 1 and isinstance(asked, pd.DataFrame)
