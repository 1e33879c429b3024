"""Public load series as plain long files, as `smartgrid backtest` reads them; made from ../shared/data, never copied into the project.

Each set tells its time zone and country, the spans that settings may be tuned on, and those that they are judged on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from smartgrid_assets.domain.forecast.series_file import read_series

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class LoadSet:
    """A file's worth of zones. tuned_on, judged_on: (first, last) market days; weather: the file has what was observed."""

    name: str
    timezone: str
    country: str
    make: Callable[[Path], pd.DataFrame]
    tuned_on: tuple[tuple[str, str], ...]
    judged_on: tuple[tuple[str, str], ...]
    weather: bool = False
    subdivision: str = ""

    def series(self, made: pd.DataFrame | None = None) -> pd.DataFrame:
        """The set, or `made` in its place, as the backtest reads a file of it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "load.parquet"
            (self.make(SHARED) if made is None else made).to_parquet(path, index=False)
            return read_series(path, self.timezone, self.country, self.subdivision)[0]


def victoria(shared: Path) -> pd.DataFrame:
    """State demand, half-hourly, 2012-2014, with Melbourne's temperature."""
    raw = pd.read_csv(shared / "load_vic_elec" / "vic_electricity.csv.gz")
    return long("VIC", pd.to_datetime(raw["Time"], utc=True).dt.tz_localize(None), raw["Demand"], temperature_c=raw["Temperature"])


def pjm(shared: Path, zones: tuple[str, ...] = ("PJME", "AEP", "DOM", "DUQ"), first: str = "2015-06-01") -> pd.DataFrame:
    """Four zones, hourly; stamps are hour-ending Eastern time, of a doubled hour the first is summer time."""
    raw = pd.read_csv(shared / "load_pjm_hourly" / "est_hourly.csv.gz", parse_dates=["Datetime"]).sort_values("Datetime", kind="stable")
    raw = raw[raw["Datetime"] > first]
    ending = raw["Datetime"]
    second = ending.duplicated()
    utc = (ending - pd.Timedelta(hours=1)).dt.tz_localize("America/New_York", ambiguous=~second.to_numpy(), nonexistent="shift_forward")
    stamps = utc.dt.tz_convert("UTC").dt.tz_localize(None)
    frame = pd.concat([long(zone, stamps, raw[zone]) for zone in zones])
    return frame.dropna(subset="load_mw").drop_duplicates(["zone", "interval_start_utc"])


def citylearn(shared: Path) -> pd.DataFrame:
    """17 homes, hourly, local standard time, with weather; and their sum."""
    folder = shared / "meters_citylearn2022"
    weather = pd.read_csv(folder / "weather.csv.gz")
    parts = []
    for n in range(1, 18):
        load = pd.read_csv(folder / f"Building_{n}.csv.gz")["non_shiftable_load"]
        parts.append(long(f"B{n}", hourly("2016-07-31 23:00", len(load), 8), load / 1000))
    total = pd.concat(parts).groupby("interval_start_utc", as_index=False)["load_mw"].sum().assign(zone="SUM")
    frame = pd.concat([*parts, total])
    by_hour = pd.DataFrame(
        {
            "interval_start_utc": parts[0]["interval_start_utc"],
            "temperature_c": weather["outdoor_dry_bulb_temperature"],
            "irradiance_w_m2": weather["diffuse_solar_irradiance"] + weather["direct_solar_irradiance"],
        }
    )
    return frame.merge(by_hour, on="interval_start_utc")


def bdg2(shared: Path) -> pd.DataFrame:
    """Two commercial buildings, hourly, nine months."""
    raw = pd.read_csv(shared / "meters_bdg2_sample" / "bdg2_hourly_sample.csv.gz", parse_dates=["timestamp"])
    stamps = raw["timestamp"] + pd.Timedelta(hours=5)
    return pd.concat([long(zone, stamps, raw[zone] / 1000) for zone in ("building_1", "building_2")]).dropna(subset="load_mw")


def comstock(shared: Path) -> pd.DataFrame:
    """The sum of 100 modelled buildings, hourly, its two variants of one year as two zones, with temperature and irradiance."""
    import duckdb

    path = str(shared / "meters_comstock100_modelled" / "hourly_data_2.parquet")
    raw = duckdb.execute(
        """SELECT datetime + INTERVAL 5 HOUR AS t, sum(observed_baseline) / 1000 AS baseline, sum(observed_reporting) / 1000 AS reporting,
        avg(temperature) AS temperature_c, avg(ghi_baseline) AS irradiance_w_m2 FROM read_parquet(?) GROUP BY 1 ORDER BY 1""",
        [path],
    ).df()
    weather = {"temperature_c": raw["temperature_c"], "irradiance_w_m2": raw["irradiance_w_m2"]}
    return pd.concat([long(zone, raw["t"], raw[zone], **weather) for zone in ("baseline", "reporting")])


def ausgrid(shared: Path) -> pd.DataFrame:
    """One home with PV, half-hourly, a year: net load."""
    raw = pd.read_csv(shared / "meters_ausgrid_customer12" / "data_2011-2012.csv.gz")
    return long("net", hourly("2011-07-01", len(raw), -10, 30), (raw["GC"] - raw["GG"]) / 1000)


def dutch(shared: Path) -> pd.DataFrame:
    """A research facility, 15 minutes, 1997, local time without clock changes."""
    raw = pd.read_csv(shared / "anomaly_dutch_power_demand" / "dutch_power_demand.txt.gz", header=None)[0]
    return long("facility", hourly("1997-01-01", len(raw), -1, 15), raw / 1000)


def town(_: Path) -> pd.DataFrame:
    """A simulated town's zones, half-hourly, 33 weeks, with the weather that was: what its meters truly drew."""
    import tempfile

    import duckdb

    from smartgrid_assets.domain.simulate.utility import make_town, write_town

    with tempfile.TemporaryDirectory() as folder:
        made = make_town(meters=300, days=231, seed=201, start=date(2026, 1, 5), tz="Europe/Berlin", country="DE", faults=False)
        write_town(made, Path(folder))
        return duckdb.execute(
            """WITH load AS (
                SELECT m.zone, r.interval_start_utc, sum(CASE r.channel WHEN 'import' THEN 1 WHEN 'export' THEN -1 END * r.energy_kwh * 60
                    / r.interval_minutes / 1000) AS load_mw
                FROM read_parquet(? || '/truth/readings.parquet') r JOIN read_csv(? || '/meters.csv') m USING (meter_id)
                WHERE r.channel IN ('import', 'export') AND m.role = 'customer' GROUP BY ALL)
            SELECT l.*, w.temperature_c, w.irradiance_w_m2, w.wind_speed_m_s FROM load l
            LEFT JOIN (SELECT *, interval_start AS interval_start_utc FROM read_csv(? || '/weather_observed.csv')) w USING (zone, interval_start_utc)
            ORDER BY 1, 2""",
            [folder, folder, folder],
        ).df()


def hourly(first: str, n: int, hours_to_utc: int, minutes: int = 60) -> pd.Series:
    """n stamps, naive UTC, of a clock that is so many hours behind it."""
    return pd.Series(pd.date_range(first, periods=n, freq=f"{minutes}min") + pd.Timedelta(hours=hours_to_utc))


def long(zone: str, stamps: pd.Series, load_mw: pd.Series, **weather: pd.Series) -> pd.DataFrame:
    """A zone's rows of a long file."""
    columns = {
        "interval_start_utc": stamps.to_numpy(),
        "load_mw": np.asarray(load_mw, float),
        **{k: v.to_numpy() for k, v in weather.items()},
    }
    frame = pd.DataFrame(columns)
    frame.insert(0, "zone", zone)
    return frame


SETS = {
    s.name: s
    for s in (
        LoadSet("victoria", "Australia/Melbourne", "AU", victoria, (("2013-01-14", "2013-02-10"), ("2013-06-03", "2013-06-30")),
                (("2014-01-06", "2014-02-02"), ("2014-06-02", "2014-06-29")), weather=True, subdivision="VIC"),
        LoadSet("pjm", "America/New_York", "US", pjm, (("2017-06-05", "2017-07-30"),), (("2018-06-04", "2018-07-29"),)),
        LoadSet("citylearn", "Etc/GMT+8", "US", citylearn, (("2017-05-01", "2017-05-28"),), (("2017-07-03", "2017-07-30"),), weather=True),
        LoadSet("bdg2", "Etc/GMT+5", "US", bdg2, (("2016-06-06", "2016-07-03"),), (("2016-08-29", "2016-09-25"),)),
        LoadSet("comstock", "America/Chicago", "US", comstock, (("2018-07-02", "2018-07-29"),), (("2018-10-29", "2018-11-25"),), weather=True),
        LoadSet("ausgrid", "Etc/GMT-10", "AU", ausgrid, (("2012-03-05", "2012-04-01"),), (("2012-06-03", "2012-06-30"),)),
        LoadSet("town", "Europe/Berlin", "DE", town, (("2026-05-04", "2026-05-31"),), (("2026-07-27", "2026-08-23"),), weather=True),
        LoadSet("dutch", "Etc/GMT-1", "NL", dutch, (("1997-08-04", "1997-08-31"),), (("1997-11-03", "1997-11-30"),)),
    )
}  # fmt: skip


def main() -> None:
    """Write sets as CSV into a folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        frame = SETS[name].make(SHARED).sort_values(["zone", "interval_start_utc"])
        frame.to_csv(args.folder / f"{name}.csv", index=False)
        print(
            f"{name}: {len(frame):,} rows, {frame['zone'].nunique()} zones, {frame['interval_start_utc'].min()} .. {frame['interval_start_utc'].max()}"
        )


if __name__ == "__main__":
    main()
