"""Is net load told better as load less generation? With both parts measured, which no utility has: the most that taking apart could bring.

python -m benchmarks.net_load [--jobs 2]

One home with PV (Ausgrid) and the sum of five (CityLearn, with and without the sun that was), on spans that settings are chosen on. A ratio
above 1: forecasting the net load itself is better.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.load_sets import SETS, hourly, long
from smartgrid_assets.chain.backtest import AGGREGATE, Protocol, ZoneReplay, aggregated
from smartgrid_assets.chain.backtest import replay as replayed

HOMES, KW_PEAK = 5, 4.0
MODELS = ("additive", "quantile_regression", "random_forest", "global_boosting", AGGREGATE)


def main() -> None:
    """Print, for each set, the MAE of the net load's own forecast and the ratio of its parts' to it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    jobs = parser.parse_args().jobs
    for chosen, weather in ((AUSGRID, "none"), (CITYLEARN, "none"), (CITYLEARN, "observed")):
        series = chosen.series()
        for first, last in chosen.tuned_on:
            span = date.fromisoformat(first), date.fromisoformat(last)
            asked = Protocol(*span, chosen.timezone, chosen.country, chosen.subdivision, weather=weather, target="net")  # type: ignore[arg-type]
            made = {of.zone: of for of in aggregated(series, replayed(series, asked, jobs), asked)}
            net = series[series["zone"] == "net"].set_index("interval_start_utc")["load_mw"]
            for model in MODELS:
                own, apart = _errors(made, net, model, span[0])
                print(
                    f"{chosen.name:10} weather {weather:9} {model:20} MAE {1000 * own:.4f} kW, taken apart / own {apart / own:.3f}",
                    flush=True,
                )


def _errors(made: dict[str, ZoneReplay], net: pd.Series, model: str, first: date) -> tuple[float, float]:
    """MAE of the net load's own forecast, and of load less generation, MW, over days that have all three."""
    own, apart = [], []
    for (day, name), forecast in made["net"].forecasts.items():
        parts = [made[zone].forecasts.get((day, name)) for zone in ("load", "pv")]
        if name != model or day < first or parts[0] is None or parts[1] is None:
            continue
        came = net.reindex(forecast["interval_start_utc"]).to_numpy(float)
        own.append(forecast["q50"].to_numpy(float) - came)
        apart.append(parts[0]["q50"].to_numpy(float) - parts[1]["q50"].to_numpy(float) - came)
    return float(np.nanmean(np.abs(np.concatenate(own)))), float(np.nanmean(np.abs(np.concatenate(apart))))


def _parts(stamps: pd.Series, load: pd.Series, pv: pd.Series) -> pd.DataFrame:
    return pd.concat([long("load", stamps, load), long("pv", stamps, pv), long("net", stamps, load - pv)])


def _ausgrid(shared: Path) -> pd.DataFrame:
    raw = pd.read_csv(shared / "meters_ausgrid_customer12" / "data_2011-2012.csv.gz")
    return _parts(hourly("2011-07-01", len(raw), -10, 30), raw["GC"] / 1000, raw["GG"] / 1000)


def _citylearn(shared: Path) -> pd.DataFrame:
    folder = shared / "meters_citylearn2022"
    weather = pd.read_csv(folder / "weather.csv.gz")
    homes = [pd.read_csv(folder / f"Building_{n}.csv.gz") for n in range(1, HOMES + 1)]
    stamps = hourly("2016-07-31 23:00", len(weather), 8)
    load = pd.concat([home["non_shiftable_load"] for home in homes], axis=1).sum(axis=1) / 1000
    pv = pd.concat([home["solar_generation"] for home in homes], axis=1).sum(axis=1) * KW_PEAK / 1e6  # W of each kW of peak
    sun = weather["diffuse_solar_irradiance"] + weather["direct_solar_irradiance"]
    by_hour = pd.DataFrame({"interval_start_utc": stamps, "temperature_c": weather["outdoor_dry_bulb_temperature"], "irradiance_w_m2": sun})
    return _parts(stamps, load, pv).merge(by_hour, on="interval_start_utc")


AUSGRID, CITYLEARN = replace(SETS["ausgrid"], make=_ausgrid), replace(SETS["citylearn"], make=_citylearn)


if __name__ == "__main__":
    main()
