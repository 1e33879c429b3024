"""The waves are those of weighted least squares."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from statsmodels.regression.linear_model import WLS

from smartgrid_assets.domain.forecast.models.harmonic import Harmonic
from smartgrid_assets_tests.domain.forecast.made_series import context, rows


@pytest.mark.parametrize("days", [60, 760])
def test_the_waves_are_those_of_statsmodels(days):
    history = rows(date(2024, 1, 8), days).assign(weight=lambda f: np.where(f.index % 7 == 0, 0.2, 1.0))
    made = Harmonic()
    made.fit(history, context(date(2026, 4, 3)))
    columns = made._rows(history)
    told = WLS(history["load_mw"].to_numpy(float), columns, weights=history["weight"].to_numpy(float)).fit().params
    assert columns @ made.waves == pytest.approx(columns @ told, rel=1e-8) and made.has_year is (days == 760)
