"""Prophet fitted by its own back end, Stan, and from sums of products: seconds a fit, and what the forecasts are worth, in one run.

python -m benchmarks.prophet_mode [--sets bdg2,pjm,victoria] [--weather none]

On the spans that settings are chosen on. Both are the same model and priors; seconds are of the clock, for Stan runs in a process of its own.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from datetime import date
from typing import Any

from benchmarks.load_sets import SETS
from smartgrid_assets.chain.backtest import Protocol, replay
from smartgrid_assets.chain.judged import judged
from smartgrid_assets.domain.forecast.models.prophet import MODEL, ProphetForecaster

SPENT: dict[str, list[float]] = {}


class _Timed(ProphetForecaster):
    name = MODEL.name

    def fit(self, *given: Any) -> None:
        """The same, and how long it took."""
        began = time.perf_counter()
        super().fit(*given)
        SPENT.setdefault(self.name, []).append(time.perf_counter() - began)


class _ByStan(_Timed):
    name = "prophet_by_stan"
    back_end = None


def main() -> None:
    """Print a line a set: seconds and errors by Stan, and the ratios of ours to them."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sets", default="bdg2,pjm,victoria")
    parser.add_argument("--weather", default="none")
    args = parser.parse_args()
    models = {made.name: replace(MODEL, name=made.name, build=made) for made in (_Timed, _ByStan)}
    for name in args.sets.split(","):
        chosen = SETS[name]
        series, (first, last) = chosen.series(), chosen.tuned_on[0]
        asked = Protocol(date.fromisoformat(first), date.fromisoformat(last), chosen.timezone, chosen.country, chosen.subdivision,
                         args.weather, warm_up=0, models=("naive_7d",))  # fmt: skip
        SPENT.clear()
        made = replay(series, asked, 1, models)
        rows = {row["model"]: row for row in judged(series, made, asked).rows if row["zone"] == "ALL"}
        ours, stan = rows[_Timed.name], rows[_ByStan.name]
        seconds = {which: sum(spent) / len(spent) for which, spent in SPENT.items()}
        print(
            f"{name:10} {len(SPENT[_ByStan.name])} fits, by Stan {seconds[_ByStan.name]:.2f} s each, nMAE {stan['nmae']:.4f}, pinball {stan['pinball']:.5g}; "
            f"ours over it: seconds {seconds[_Timed.name] / seconds[_ByStan.name]:.3f}, nMAE {ours['nmae'] / stan['nmae']:.4f}, "
            f"pinball {ours['pinball'] / stan['pinball']:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
