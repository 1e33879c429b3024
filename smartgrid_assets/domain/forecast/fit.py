"""A model fitted for the zones of a group: each on what the gate knew of it, or its reason why not; what all have in common first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pandas as pd

from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.forecast import asof
from smartgrid_assets.domain.forecast.forecaster import Common, FitContext, FittedModel, Forecaster, ForecastModel, one_thread
from smartgrid_assets.domain.forecast.sufficiency import blocking_sentence


def fit_zones(model: ForecastModel, histories: Mapping[str, pd.DataFrame], context: FitContext, n_jobs: int = 1) -> FittedModel:
    """Fit a model for each zone; a zone that cannot be fitted is recorded with its reason, not raised.

    Fans out through joblib: a cluster's backend takes the same call by name (joblib.parallel_config).
    """
    from joblib import Parallel, delayed

    zones, common = sorted(histories), None
    fitted = FittedModel(model.name, context, eve=model.needs.eve)
    if model.common is not None:
        common = _common(model, histories, context)
        if isinstance(common, str):
            return replace(fitted, failed=dict.fromkeys(zones, common))
        fitted.common = common
    jobs = 1 if common else min(n_jobs, len(zones)) or 1  # what is in common is large, and learned by now
    results = Parallel(n_jobs=jobs)(delayed(_fit_zone)(model, histories[zone], context, common) for zone in zones)
    for zone, result in zip(zones, results, strict=True):
        if isinstance(result, str):
            fitted.failed[zone] = result
        else:
            fitted.zones[zone] = result
    return fitted


class _Pasts(Mapping[str, pd.DataFrame]):
    """What may be learned of each zone that has enough, made when it is asked for: all of them at once would double the memory."""

    def __init__(self, model: ForecastModel, histories: Mapping[str, pd.DataFrame], context: FitContext) -> None:
        self.model, self.histories, self.context = model, histories, context
        self.zones = [zone for zone in sorted(histories) if not isinstance(self._of(zone), str)]

    def _of(self, zone: str) -> pd.DataFrame | str:
        return _past(self.model, self.histories[zone], self.context)

    def __getitem__(self, zone: str) -> pd.DataFrame:
        past = self._of(zone)
        if isinstance(past, str):
            raise KeyError(zone)
        return past

    def __iter__(self) -> Iterator[str]:
        return iter(self.zones)

    def __len__(self) -> int:
        return len(self.zones)


def _common(model: ForecastModel, histories: Mapping[str, pd.DataFrame], context: FitContext) -> Common | str | None:
    """What all zones have in common; None where no zone has enough history; a sentence where it cannot be learned."""
    assert model.common is not None
    common, pasts = model.common(), _Pasts(model, histories, context)
    with one_thread():
        return (_attempted(model, "these zones'", lambda: common.fit(pasts, context)) or common) if len(pasts) else None


def _fit_zone(model: ForecastModel, history: pd.DataFrame, context: FitContext, common: Common | None) -> Forecaster | str:
    with one_thread():
        past = _past(model, history, context)
        if isinstance(past, str):
            return past
        forecaster = model.build() if common is None else model.build(common)
        return _attempted(model, "this zone's", lambda: forecaster.fit(past, context)) or forecaster


def _attempted(model: ForecastModel, whose: str, fit: Callable[[], None]) -> str:
    """Empty, or why the fit failed."""
    try:
        fit()
    except ForecastError as error:
        return str(error)
    except Exception as error:  # a library's failure on one zone's data must not cost the other zones their forecast
        return f"{model.name} failed on {whose} data: {type(error).__name__}: {error}"
    return ""


def _past(model: ForecastModel, history: pd.DataFrame, context: FitContext) -> pd.DataFrame | str:
    """What the model may learn of a zone, or why that is not enough."""
    known = asof.known_at_gate(history, context.gate_utc, context.tz)
    if blocking := blocking_sentence(model.name, model.needs, known):
        return blocking
    since = known["local_time"].iloc[-1] - pd.Timedelta(days=model.needs.history_days)
    return known[known["local_time"] > since].reset_index(drop=True)
