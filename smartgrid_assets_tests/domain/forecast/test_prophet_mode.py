"""The mode that sums of products tell is the one that Stan looks for, and it is the better one of the two."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pytest
from prophet import Prophet
from scipy.optimize import minimize_scalar

from smartgrid_assets.domain.forecast.models._prophet_mode import ModeFinder, _columns, _noise
from smartgrid_assets_tests.domain.forecast.made_series import rows


def log_posterior(data: dict[str, Any], params: dict[str, np.ndarray]) -> float:
    """Of prophet.stan, without its constants."""
    k, m, delta, beta, noise = (params[name].ravel() for name in ("k", "m", "delta", "beta", "sigma_obs"))
    errors = np.asarray(data["y"], float) - _columns(data) @ np.concatenate([k, m, delta, beta])
    likelihood = -len(errors) * np.log(noise[0]) - errors @ errors / (2 * noise[0] ** 2)
    priors = (k[0] ** 2 + m[0] ** 2) / 50 + np.abs(delta).sum() / data["tau"] + noise[0] ** 2 / 0.5
    return float(likelihood - priors - (beta**2 / (2 * np.asarray(data["sigmas"], float) ** 2)).sum())


def prepared(tau: float) -> tuple[Prophet, dict[str, Any], dict[str, Any]]:
    """A model with a slope that changes, a season and a regressor, and what it hands its back end."""
    history = rows(date(2026, 1, 5), 70).assign(ds=lambda f: f["local_time"], warm=lambda f: f["temperature_c"])
    days = (history["ds"] - history["ds"].min()).dt.total_seconds() / 86400
    history["y"] = history["load_mw"] + 0.2 * np.maximum(days - 30, 0)
    model = Prophet(
        yearly_seasonality=False, weekly_seasonality=3, daily_seasonality=6, n_changepoints=10, changepoint_prior_scale=tau,
        uncertainty_samples=0,
    )  # fmt: skip
    model.add_regressor("warm")
    inputs = model.preprocess(history[["ds", "y", "warm"]])
    return model, asdict(inputs), asdict(model.calculate_initial_params(inputs.K))


@pytest.mark.parametrize("tau", [0.02, 0.5])
def test_it_is_stans_mode_or_a_better_one(tau):
    model, data, start = prepared(tau)
    stan, own = model.stan_backend.fit(dict(start), dict(data), seed=1), ModeFinder().fit(start, data)
    assert {name: part.shape for name, part in own.items()} == {name: stan[name].shape for name in own}
    assert -1e-6 < log_posterior(data, own) - log_posterior(data, stan) < 5  # Stan stops where its steps gain little
    curves = [_columns(data) @ np.concatenate([of[name].ravel() for name in ("k", "m", "delta", "beta")]) for of in (own, stan)]
    assert np.abs(curves[0] - curves[1]).max() < 0.2 * float(own["sigma_obs"].item())
    assert own["sigma_obs"].item() == pytest.approx(stan["sigma_obs"].item(), rel=0.01) and np.abs(own["delta"]).max() > 0.01


def test_no_step_away_from_it_is_better():
    _, data, start = prepared(0.05)
    own = ModeFinder().fit(start, data)
    best, rng = log_posterior(data, own), np.random.default_rng(2)
    for size in (1e-2, 1e-4):
        for _ in range(50):
            off = {name: part * (1 + size * rng.normal(size=part.shape)) for name, part in own.items()}
            assert log_posterior(data, off) < best
    nudged = own | {"delta": own["delta"] + 1e-3 * (own["delta"] == 0)}
    assert (own["delta"] == 0).any() and log_posterior(data, nudged) < best


def test_the_noise_is_the_one_with_the_least_loss():
    def loss(log_sigma: float) -> float:
        return 50 * log_sigma + 3.0 / (2 * np.exp(2 * log_sigma)) + 2 * np.exp(2 * log_sigma)

    assert _noise(3.0, 50) == pytest.approx(np.exp(2 * minimize_scalar(loss, tol=1e-12).x), rel=1e-6)


@pytest.mark.parametrize("other", [{"trend_indicator": 1}, {"s_m": [1.0]}])
def test_a_model_that_is_not_linear_is_refused(other):
    _, data, start = prepared(0.05)
    with pytest.raises(ValueError, match="only a linear trend and additive effects"):
        ModeFinder().fit(start, data | other)
