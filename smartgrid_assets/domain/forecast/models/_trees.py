"""LightGBM, as the boosted models use it: one thread (zones are the fan-out), a fixed seed, its own text format."""

from __future__ import annotations

from typing import Any

import numpy as np

PARAMETERS = {
    "objective": "regression",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
}


def grown(rows: np.ndarray, target: np.ndarray, weight: np.ndarray, seed: int, rounds: int, **parameters: Any) -> Any:
    """Boosted trees of (N, P) rows with a known target and a weight. Source: Ke et al. 2017."""
    import lightgbm

    used = np.isfinite(target) & (weight > 0)
    data = lightgbm.Dataset(rows[used], target[used], weight=weight[used], free_raw_data=True)
    return lightgbm.train(PARAMETERS | {"seed": seed} | parameters, data, rounds)


def restored(text: str) -> Any:
    """The inverse of Booster.model_to_string."""
    import lightgbm

    return lightgbm.Booster(model_str=text)
