"""What each model is worth to the aggregate: its errors when the model is left out, over those with all of them; above 1 it is missed.

python -m benchmarks.worth [--sets bdg2,ausgrid] [--weather none] [--spans tuned|judged] [--jobs 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date

import pandas as pd

from benchmarks.load_sets import SETS
from smartgrid_assets.chain.backtest import AGGREGATE, Protocol, ZoneReplay, aggregated, replay
from smartgrid_assets.chain.judged import judged

ALL = "all"


def worth(series: pd.DataFrame, asked: Protocol, replays: Sequence[ZoneReplay]) -> pd.DataFrame:
    """A row `all` and one a model: nMAE and pinball loss (MW) of the aggregate without it, means over zones; replays: of plug-ins only."""
    models = sorted({model for made in replays for _, model in made.forecasts})
    rows = []
    for left_out in (ALL, *models):
        some = [ZoneReplay(made.zone, {key: told for key, told in made.forecasts.items() if key[1] != left_out}) for made in replays]
        mixed = aggregated(series, some, asked)
        alone = [ZoneReplay(made.zone, {key: told for key, told in made.forecasts.items() if key[1] == AGGREGATE}) for made in mixed]
        (row,) = (row for row in judged(series, alone, asked).rows if row["zone"] == "ALL")
        rows.append({"without": left_out, "nmae": row["nmae"], "pinball": row["pinball"]})
    return pd.DataFrame(rows).set_index("without")


def main() -> None:
    """Print the ratios by set, and their means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="bdg2,ausgrid,dutch,comstock,pjm")
    parser.add_argument("--weather", default="none")
    parser.add_argument("--spans", choices=["judged", "tuned"], default="tuned")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    found = {}
    for name in args.sets.split(","):
        chosen = SETS[name]
        series = chosen.series()
        for first, last in chosen.tuned_on if args.spans == "tuned" else chosen.judged_on:
            asked = Protocol(date.fromisoformat(first), date.fromisoformat(last), chosen.timezone, chosen.country,
                             chosen.subdivision, args.weather)  # fmt: skip
            table = worth(series, asked, replay(series, asked, args.jobs))
            print(f"{name} {first}: aggregate of all models nMAE {table.loc[ALL, 'nmae']:.4f}", flush=True)
            found[f"{name} {first}"] = table / table.loc[ALL]
    whole = pd.concat(found, axis=1).drop(ALL)
    for measure in ("nmae", "pinball"):
        ratios = whole.xs(measure, axis=1, level=1)
        print(f"\n{measure} without the model over that with all")
        print(ratios.assign(mean=ratios.mean(axis=1)).sort_values("mean", ascending=False).to_string(float_format=lambda v: f"{v:.4f}"))


if __name__ == "__main__":
    main()
