"""What does one percent of forecast error cost? Read off settled days, on which several loads were planned for in the same way.

Each day gives, for every forecast planned with the same reserve, a pair: the error of its load in percent, and by how much its plan
came dearer than the one for the load that came. The value is the slope of the line through the origin, by least squares; of zones, one slope each
in one fit without negative slopes. The interval resamples whole days.
Source: Hobbs et al. 1999 (value of load forecasts in unit commitment); Efron & Tibshirani 1993, ch. 9 (pairs resampled).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

WHOLE, ALL = "*", "all"
COMPARED, AGAINST = ("fixed_reserve", "naive_forecast"), "known_load"
"""Plans of the same reserve: of two forecasts, and of the load that came."""
RESAMPLES, LEAST_DAYS = 500, 5
SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring",
           6: "summer", 7: "summer", 8: "summer", 9: "autumn", 10: "autumn", 11: "autumn"}  # fmt: skip


def forecast_value(settled: pd.DataFrame, errors: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A row a zone and season, as dispatch/forecast_value; none where no day can be compared.

    settled: day, plan, solved_cost, bound, is_relaxed. errors: day, plan, zone, error_percent.
    """
    pairs = _pairs(settled)
    wide = errors.pivot_table(index=["day", "plan"], columns="zone", values="error_percent")
    pairs = pairs.join(wide, on=["day", "plan"]).dropna(subset=[WHOLE] if WHOLE in wide else [])
    if pairs.empty or WHOLE not in wide:
        return pd.DataFrame(columns=_COLUMNS)
    seasons = pd.to_datetime(pairs["day"]).dt.month.map(SEASONS)
    parts = [(ALL, pairs), *((str(name), part) for name, part in pairs.groupby(seasons))]
    zones = [str(name) for name in wide.columns if name != WHOLE]
    rows = [row for season, part in parts for names in ([WHOLE], zones) for row in _slopes(part, names, season, seed)]
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = ["zone", "season", "days", "error_percent", "cost_per_percent", "low", "high", "is_distinguishable"]


def _pairs(settled: pd.DataFrame) -> pd.DataFrame:
    """day, plan, dearer (than known_load's plan), slack (both gaps, money), of days on which neither had to break limits."""
    kept = settled[~settled["is_relaxed"].astype(bool)].assign(slack=lambda rows: (rows["solved_cost"] - rows["bound"]).clip(lower=0.0))
    known = kept[kept["plan"] == AGAINST].set_index("day")[["solved_cost", "slack"]]
    both = kept[kept["plan"].isin(COMPARED)].join(known, on="day", rsuffix="_known").dropna(subset=["solved_cost_known"])
    return both.assign(dearer=both["solved_cost"] - both["solved_cost_known"], slack=(both["slack"] + both["slack_known"]).fillna(np.inf))[
        ["day", "plan", "dearer", "slack"]
    ]


def _slopes(pairs: pd.DataFrame, zones: list[str], season: str, seed: int) -> list[list[object]]:
    """Rows of `zones` together; none where there are fewer days than zones."""
    known = pairs.dropna(subset=zones)
    days = known["day"].nunique()
    if not zones or days < max(len(zones), 1):
        return []
    x, y, slack = known[zones].to_numpy(float), known["dearer"].to_numpy(float), known["slack"].to_numpy(float)
    slopes = _fit(x, y)
    low, high = _interval(known["day"].to_numpy(), x, y, seed) if days >= LEAST_DAYS else (np.full(len(zones), np.nan),) * 2
    size = (x**2).sum(axis=0)
    blurred = (np.abs(x) * slack[:, None]).sum(axis=0) / np.where(size > 0, size, np.inf)
    own = known.loc[known["plan"] == COMPARED[0], zones].mean() if (known["plan"] == COMPARED[0]).any() else known[zones].mean()
    return [
        [zone, season, days, float(own[zone]), float(slopes[n]), _or_none(low[n]), _or_none(high[n]), bool(abs(slopes[n]) > blurred[n])]
        for n, zone in enumerate(zones)
    ]


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slopes through the origin; of several columns, none below nothing."""
    if x.shape[1] == 1:
        size = float((x**2).sum())
        return np.array([float((x[:, 0] * y).sum()) / size if size > 0 else 0.0])
    from scipy.optimize import nnls

    return np.asarray(nnls(x, y)[0])


def _interval(days: np.ndarray, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """2.5 % and 97.5 % points of the slopes over days drawn with replacement."""
    rng = np.random.default_rng(seed)
    _, owner = np.unique(days, return_inverse=True)
    rows_of = [np.flatnonzero(owner == n) for n in range(owner.max() + 1)]
    drawn = (np.concatenate([rows_of[n] for n in rng.integers(len(rows_of), size=len(rows_of))]) for _ in range(RESAMPLES))
    found = np.array([_fit(x[rows], y[rows]) for rows in drawn])
    return np.quantile(found, 0.025, axis=0), np.quantile(found, 0.975, axis=0)
