"""Never without a forecast: champion, then the other models by merit, then naives; each step down is flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd


def publish(candidates: Mapping[str, pd.DataFrame], champion: str, others: Sequence[str], reason: str = "") -> pd.DataFrame | None:
    """The first of champion and `others` that has a forecast for this zone, with load_mw, source_model, is_fallback, fallback_reason.

    candidates: model -> interval_start_utc, q05 .. q95. reason: why the champion may be missing. None where no model
    has any.
    """
    for model in [champion, *(name for name in others if name != champion)]:
        forecast = candidates.get(model)
        if forecast is not None and len(forecast):
            is_fallback = model != champion
            why = reason or f"{champion} has no forecast for this zone and day"
            return forecast.assign(
                load_mw=forecast["q50"], source_model=model, is_fallback=is_fallback, fallback_reason=why if is_fallback else ""
            )
    return None
