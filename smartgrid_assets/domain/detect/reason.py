"""Why is a meter's day strange, in words with numbers?

The three features on which own past and peers agree most, whatever the detector: a reason is what a person can check at the meter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.features import FEATURES, Feature
from smartgrid_assets.domain.detect.relative import MIN_PAST_DAYS, feature_columns

FEATURES_NAMED = 3
LEAST_DEVIATION = 2.0
NOTHING = "nothing stands out"


def reasons(today: pd.DataFrame, deviation: np.ndarray, rows: np.ndarray) -> list[str]:
    """One sentence for each of the row numbers `rows` of a relative frame; deviation as from alarm.deviations()."""
    by_name = {f.name: f for f in FEATURES}
    features = [by_name[c.removeprefix("own_z_")] for c in feature_columns(today, "own_z_")]
    said = []
    for row, day in zip(rows, today.iloc[rows].to_dict("records"), strict=True):
        order = np.argsort(-deviation[row], kind="stable")[:FEATURES_NAMED]
        parts = [_words(features[i], day) for i in order if deviation[row, i] >= LEAST_DEVIATION]
        said.append("; ".join([*_youth(day), *(parts or [NOTHING])]))
    return said


def _youth(day: dict[str, Any]) -> list[str]:
    if day["past_days"] >= MIN_PAST_DAYS:
        return []
    return [f"too young to have a past of its own (under {MIN_PAST_DAYS} days), compared with peers only"]


def _words(feature: Feature, day: dict[str, Any]) -> str:
    """One feature: the value, the meter's own median, what peers did. Own or peers may be unknown."""
    value = float(feature.unscaled(day[f"value_{feature.name}"]))
    own_scaled, peers_change = day[f"own_{feature.name}"], day[f"peers_{feature.name}"]
    if np.isnan(own_scaled):
        side = "above" if day[f"peer_z_{feature.name}"] > 0 else "below"
        return f"{feature.words} {_amount(feature, value)}, far {side} its peers"
    own = float(feature.unscaled(own_scaled))
    kind = "weekend and holiday" if day["rest_day"] else "weekday"
    text = f"{feature.words} {_against(feature, value, own, f'its own {kind} median')}"
    if np.isnan(peers_change):
        return text
    return f"{text}, peers {_peers(feature, own_scaled, peers_change)}"


def _against(feature: Feature, value: float, own: float, whose: str) -> str:
    if feature.scale != "ratio" or own <= feature.small or value < 0 or value > 10 * own:
        return f"{_amount(feature, value)}, {whose} {_amount(feature, own)}"
    percent = abs(value / own - 1) * 100
    return f"{percent:.0f} % {'below' if value < own else 'above'} {whose} ({_amount(feature, value)} against {_amount(feature, own)})"


def _amount(feature: Feature, value: float) -> str:
    if feature.scale == "share":
        return f"{value * 100:.0f} %"
    return f"{value:.0f}" if feature.scale == "count" else f"{value:.3g} {feature.unit}"


def _peers(feature: Feature, own_scaled: float, change: float) -> str:
    """The peers' median change: in percent of a value like the meter's own; for shares in points, for counts as such."""
    if feature.scale == "share":
        return f"{change * 100:+.0f} points"
    own, moved = float(feature.unscaled(own_scaled)), float(feature.unscaled(own_scaled + change))
    if feature.scale == "count":
        return f"{moved - own:+.0f}"
    return f"{(moved / own - 1) * 100:+.0f} %" if own > feature.small else f"{moved - own:+.2g} {feature.unit}"
