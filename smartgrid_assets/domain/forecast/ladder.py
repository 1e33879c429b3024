"""Never without a forecast: champion, then the other models by merit, then naives; each step down is flagged.

The step is taken interval by interval: a champion with a hole keeps its other intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from smartgrid_assets.domain.tables import QUANTILE_COLUMNS


def publish(candidates: Mapping[str, pd.DataFrame], champion: str, others: Sequence[str], reason: str = "") -> pd.DataFrame | None:
    """For each interval the first of champion and `others` that has it whole, with load_mw, source_model, is_fallback, fallback_reason.

    candidates: model -> interval_start_utc, q05 .. q95 and any other column. reason: why the champion may be missing.
    None where no model has any interval.
    """
    rungs = [champion, *(name for name in others if name != champion)]
    asked = len(
        np.unique(np.concatenate([np.empty(0, "datetime64[us]"), *(of["interval_start_utc"].to_numpy() for of in candidates.values())]))
    )
    whole: list[pd.DataFrame] = []
    for name in (name for name in rungs if name in candidates):
        if not whole or len(whole[0]) < asked:  # a first rung that has all intervals is all that is looked at
            whole += [rows.assign(source_model=name)] if len(rows := _whole(candidates[name])) else []
    if not whole:
        return None
    published = pd.concat(whole).drop_duplicates("interval_start_utc", keep="first")
    published = published.sort_values("interval_start_utc").reset_index(drop=True)
    is_fallback = published["source_model"] != champion
    missing = "for this zone and day" if is_fallback.all() else "for this interval"
    why = reason or f"{champion} has no forecast {missing}"
    return published.assign(load_mw=published["q50"], is_fallback=is_fallback, fallback_reason=np.where(is_fallback, why, ""))


def _whole(forecast: pd.DataFrame) -> pd.DataFrame:
    return forecast[np.isfinite(forecast[forecast.columns.intersection(QUANTILE_COLUMNS)].to_numpy(float)).all(axis=1)]
