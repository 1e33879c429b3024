"""Zones that no stored model can forecast: naives made on the spot, or, of a zone of less than a day, the profile of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from smartgrid_assets.chain.step import Work
from smartgrid_assets.domain.errors import ForecastError
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

MINUTES_A_DAY = 1440
ON_THE_SPOT = ("naive_holiday", "naive_7d", "naive_2d")


def rescued(
    work: Work, made: pd.DataFrame, histories: Mapping[str, pd.DataFrame], futures: Mapping[str, pd.DataFrame]
) -> tuple[list[pd.DataFrame], list[str]]:
    """Candidates (zone, model, interval_start_utc, quantiles, run_id "", weather none) of zones without any in `made`, and sentences."""
    from smartgrid_assets.domain.forecast.profile import NAME

    frames, sentences = [], []
    for zone in sorted(histories.keys() - set(made["zone"])):
        found = _as_the_others(zone, made, histories, futures) if _is_newborn(histories[zone]) else {}
        found = found or _on_the_spot(work, zone, histories[zone], futures[zone])
        frames += [forecast.assign(zone=zone, model=model, run_id="", weather="none") for model, forecast in found.items()]
        how = "the profile of the other zones stands in" if NAME in found else f"made on the spot: {', '.join(found)}"
        sentences.append(f"zone {zone}: no fitted model could be used; {how if found else 'nothing stands in for it'}.")
    return frames, sentences


def _is_newborn(history: pd.DataFrame) -> bool:
    """Is less than a day of its load known?"""
    known = np.isfinite(history["load_mw"].to_numpy(float))
    return float(history["interval_minutes"].to_numpy(float)[known].sum()) < MINUTES_A_DAY


def _on_the_spot(work: Work, zone: str, history: pd.DataFrame, future: pd.DataFrame) -> dict[str, pd.DataFrame]:
    from smartgrid_assets.chain.fitting import fit_context
    from smartgrid_assets.domain.forecast.fit import fit_zones
    from smartgrid_assets.domain.forecast.forecaster import models

    context, known, found = fit_context(work.context, work.key, "none"), models(), {}
    for name in ON_THE_SPOT:
        try:
            found[name] = fit_zones(known[name], {zone: history}, context).predict(zone, history, future)
        except ForecastError:
            continue  # the next one asks for less
    return found


def _as_the_others(
    zone: str, made: pd.DataFrame, histories: Mapping[str, pd.DataFrame], futures: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    import pandas as pd

    from smartgrid_assets.domain.forecast.profile import NAME, profile

    if made.empty:
        return {}
    stamps = futures[zone]["interval_start_utc"]
    told = [
        part.groupby("interval_start_utc")[list(QUANTILE_COLUMNS)].mean().reindex(stamps).to_numpy(float)
        for _, part in made.groupby("zone")
    ]
    others = pd.concat([histories[str(other)][["interval_start_utc", "load_mw"]] for other in made["zone"].unique()])
    whole = [values for values in told if np.isfinite(values).all()]
    found = profile(histories[zone], others, np.array(whole), futures[zone])
    return {} if found is None else {NAME: found}
