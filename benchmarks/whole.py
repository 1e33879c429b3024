"""Joint paths on real series: how good is the whole that zones add up to, and do paths go together as loads do?

python -m benchmarks.whole [--sets pjm,citylearn,town] [--spans judged|tuned] [--models ...] [--jobs 2]

Of the whole: the forecast made of its own series, the sum of the zones' medians, and the sum over joint paths; MAE and pinball loss as shares of
the mean load, coverage. Of paths: energy score beside paths with the same bands drawn for each interval and zone alone; and the correlation
of one hour's score with the next, of the paths and of what came.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.load_sets import SETS, SHARED, LoadSet
from smartgrid_assets.chain.backtest import AGGREGATE, Protocol, aggregated, replay
from smartgrid_assets.domain.forecast.quantiles import QUANTILES
from smartgrid_assets.domain.forecast.scenarios import energy_score, normal_scores, paths
from smartgrid_assets.domain.forecast.score import mae, mean_pinball
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

WHOLE = "SUM"
DAYS_KEPT = 56
MODELS = "naive_2d,naive_7d,same_weekday_mean,additive,additive_kalman,boosted_additive,quantile_regression"


def main() -> None:
    """Print a table a set."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sets", default="pjm,citylearn,town")
    parser.add_argument("--spans", choices=["judged", "tuned"], default="judged")
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    for name in args.sets.split(","):
        chosen = SETS[name]
        for span in chosen.judged_on if args.spans == "judged" else chosen.tuned_on:
            told = _days(chosen, span, tuple(args.models.split(",")), args.jobs)
            print(f"\n{name}, {span[0]} .. {span[1]}, {told[0]['zones']} zones")
            _print(pd.DataFrame(told))


def _days(chosen: LoadSet, span: tuple[str, str], models: tuple[str, ...], jobs: int) -> list[dict[str, Any]]:
    """Measures of each day of the span."""
    series = _series(chosen)
    asked = Protocol(*map(date.fromisoformat, span), chosen.timezone, chosen.country, models=(*models, AGGREGATE))
    grid = {}
    for made in aggregated(series, replay(series, asked, jobs), asked):
        load = series[series["zone"] == made.zone].set_index("interval_start_utc")["load_mw"]
        for (day, model), forecast in made.forecasts.items():
            if model == AGGREGATE:
                came = load.reindex(forecast["interval_start_utc"]).to_numpy(float)
                grid[made.zone, day] = forecast[list(QUANTILE_COLUMNS)].to_numpy(float), came
    zones = sorted({zone for zone, _ in grid} - {WHOLE})
    days = sorted({day for _, day in grid if all((zone, day) in grid for zone in [*zones, WHOLE])})
    minutes = int(series["interval_minutes"].iloc[-1])
    return [_day(grid, zones, day, days, minutes) for day in days if asked.first <= day <= asked.last]


def _series(chosen: LoadSet) -> pd.DataFrame:
    """The zones, and their sum where all of them are known."""
    made = chosen.make(SHARED)
    made = made[made["zone"] != WHOLE]
    size = made.groupby("interval_start_utc")["load_mw"].agg(["sum", "count"])
    whole = size["sum"].where(size["count"] == made["zone"].nunique()).rename("load_mw").reset_index().assign(zone=WHOLE)
    return chosen.series(pd.concat([made, whole])[["zone", "interval_start_utc", "load_mw"]])


def _day(grid: dict[Any, Any], zones: list[str], day: date, days: list[date], minutes: int) -> dict[str, Any]:
    quantiles = np.stack([grid[zone, day][0] for zone in zones])
    came = np.stack([grid[zone, day][1] for zone in zones])
    slots = came.shape[1]
    before = [
        of for of in days if day - timedelta(days=DAYS_KEPT + 1) <= of <= day - timedelta(days=2) and len(grid[WHOLE, of][1]) == slots
    ]
    past = np.array([[normal_scores(grid[zone, of][1], grid[zone, of][0]) for zone in zones] for of in before])
    drawn = paths(quantiles, past.reshape(len(before), len(zones), slots), minutes, day.toordinal())
    alone = np.random.default_rng(day.toordinal()).permuted(drawn, axis=0)
    whole, direct = came.sum(axis=0), grid[WHOLE, day][0]
    size = np.abs(whole).mean()
    summed = np.quantile(drawn.sum(axis=1), QUANTILES, axis=0).T
    found: dict[str, Any] = {"zones": len(zones), "energy ratio to alone": energy_score(drawn, came) / energy_score(alone, came)}
    for name, told in (("own series", direct), ("sum of medians", quantiles.sum(axis=0)), ("paths", summed)):
        low, median, high = (told[:, QUANTILES.index(level)] for level in (0.1, 0.5, 0.9))
        found[f"{name} nmae"] = mae(whole, median) / size
        found[f"{name} pinball"] = mean_pinball(whole, told) / size
        found[f"{name} 80 %"] = ((whole >= low) & (whole <= high)).mean()
    hour = 60 // minutes
    scores = np.array([normal_scores(load, told) for load, told in zip(came, quantiles, strict=True)])
    told = np.array([normal_scores(path, quantiles[k]) for k in range(len(zones)) for path in drawn[:20, k]])
    return found | {"came": _memory(scores, hour), "drawn": _memory(told, hour)}


def _memory(scores: np.ndarray, lag: int) -> float:
    """Mean product of scores an hour apart over their mean square."""
    now, then = scores[:, lag:], scores[:, :-lag]
    known = np.isfinite(now) & np.isfinite(then)
    return float((now[known] * then[known]).mean() / (0.5 * (now[known] ** 2 + then[known] ** 2)).mean())


def _print(days: pd.DataFrame) -> None:
    means = days.mean(numeric_only=True)
    for name in ("own series", "sum of medians", "paths"):
        print(
            f"  whole by {name:15} nMAE {means[f'{name} nmae']:.4f}  pinball {means[f'{name} pinball']:.5f}  80 % band {means[f'{name} 80 %']:.3f}"
        )
    rng = np.random.default_rng(0)
    for measure in ("nmae", "pinball"):
        ours, theirs = days[f"paths {measure}"].to_numpy(), days[f"own series {measure}"].to_numpy()
        drawn = rng.integers(0, len(days), (2000, len(days)))
        low, high = np.quantile(ours[drawn].mean(axis=1) / theirs[drawn].mean(axis=1), [0.025, 0.975])
        print(f"  {measure}: paths over own series {ours.mean() / theirs.mean():.3f} ({low:.3f} .. {high:.3f})")
    print(f"  energy score over that of paths drawn alone {means['energy ratio to alone']:.3f}")
    print(f"  an hour's score with the next: came {means['came']:.2f}, drawn {means['drawn']:.2f}", flush=True)


if __name__ == "__main__":
    main()
