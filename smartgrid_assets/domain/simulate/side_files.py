"""What lies beside the readings: meters, weather, fleet and times of delivery.

The register of meters and the fleet are known before the first day. The weather has no time of delivery here: a
forecast's is its issue time, an observation's follows its hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from smartgrid_assets.domain.market_day import day_of, local_to_utc
from smartgrid_assets.domain.simulate.customers import CLASSES
from smartgrid_assets.domain.simulate.delivery import iso_utc
from smartgrid_assets.domain.simulate.faults import Fault
from smartgrid_assets.domain.simulate.fleet import fleet_toml, make_fleet
from smartgrid_assets.domain.simulate.network import feeder_id, meter_id, zone_id
from smartgrid_assets.domain.simulate.seeds import generator
from smartgrid_assets.domain.simulate.town import FORECAST_DAYS, Town
from smartgrid_assets.domain.simulate.weather import measured
from smartgrid_assets.domain.simulate.weather_forecast import forecast_states, issued_at_utc

RECEIVED_AT, RECEIVED_LATE_AT = time(4, 0), time(9, 30)
LAST_VALID_DAY = date(2099, 12, 31)
DIVERSITY = 0.22  # of many customers' fuses, what is used at once; a single customer may use all of its own


def write_table(path: Path, columns: dict[str, object]) -> Path:
    """A CSV file from columns, without quotes."""
    options = pacsv.WriteOptions(include_header=False, quoting_style="none")
    with pa.output_stream(str(path), compression=None) as stream:
        stream.write((",".join(columns) + "\n").encode())
        pacsv.write_csv(pa.table(columns), stream, options)
    return path


def write_side_files(town: Town, out: Path, zone_peak_kw: np.ndarray, readings: Sequence[str], faults: Sequence[Fault]) -> list[Path]:
    """Write meters.csv, weather_observed.csv, weather_forecast.csv, fleet.toml and deliveries.csv.

    zone_peak_kw: (zones,) highest true load; readings: names of the readings files.
    """
    fleet = out / "fleet.toml"
    zones = [zone_id(n) for n in range(town.network.zones)]
    fleet.write_text(fleet_toml(make_fleet(zones, (zone_peak_kw / 1000).tolist())), encoding="utf-8")
    return [
        write_table(out / "meters.csv", _meters(town)),
        write_table(out / "weather_observed.csv", _observed(town)),
        write_table(out / "weather_forecast.csv", _forecasts(town)),
        fleet,
        write_table(out / "deliveries.csv", _deliveries(town, readings, faults)),
    ]


def _meters(town: Town) -> dict[str, object]:
    network, who = town.network, town.customers
    used_at_once = DIVERSITY + (1 - DIVERSITY) / np.bincount(network.feeder_of)
    feeder_kw = np.ceil(used_at_once * np.bincount(network.feeder_of, who.rating_kw) / 10) * 10
    zone_kw = np.ceil(0.9 * np.bincount(network.zone_of, feeder_kw) / 10) * 10
    feeders, zones = [feeder_id(n) for n in range(network.feeders)], [zone_id(n) for n in range(network.zones)]
    zone_of_feeder = [zones[n] for n in network.zone_of]
    count = town.meters + len(feeders) + len(zones)
    return {
        "meter_id": [meter_id(n) for n in range(town.meters)] + feeders + zones,
        "role": ["customer"] * town.meters + ["feeder"] * len(feeders) + ["zone"] * len(zones),
        "feeder": [feeders[n] for n in network.feeder_of] + feeders + [""] * len(zones),
        "zone": [zone_of_feeder[n] for n in network.feeder_of] + zone_of_feeder + zones,
        "class": [CLASSES[n] for n in who.class_code] + ["feeder"] * len(feeders) + ["zone"] * len(zones),
        "rating_kw": np.concatenate([who.rating_kw, feeder_kw, zone_kw]),
        "valid_from": [town.days[0].isoformat()] * count,
        "valid_to": [LAST_VALID_DAY.isoformat()] * count,
    }


def _weather_columns(town: Town, start_utc: np.ndarray, values: dict[str, np.ndarray]) -> dict[str, object]:
    """(n,) starts and measures (n, zones) -> columns, all zones of an interval together."""
    n, zones = len(start_utc), town.network.zones
    return {
        "zone": [zone_id(z) for z in range(zones)] * n,
        "interval_start": np.repeat(np.array(iso_utc(start_utc)), zones),
        "interval_minutes": np.full(n * zones, town.interval_minutes, np.int16),
        **{name: value.ravel() for name, value in values.items()},
    }


def _observed(town: Town) -> dict[str, object]:
    rows = town.weather_rows(town.days[0], town.days[-1])
    return _weather_columns(town, town.climate.start_utc[rows], {k: v[rows] for k, v in town.weather.items()})


def _forecasts(town: Town) -> dict[str, object]:
    """One issue after the other, for each day of the span and the day after it; each covers two days."""
    issues = []
    for day in (*town.days, town.days[-1] + timedelta(days=1)):
        rows = town.weather_rows(day, day + timedelta(days=FORECAST_DAYS - 1))
        issued = np.array([issued_at_utc(day, town.tz)], "datetime64[s]")
        start = town.climate.start_utc[rows]
        lead_hours = (start - issued).astype(float) / 3600
        states = forecast_states(town.weather_states[rows], lead_hours, town.seed, day)
        columns = _weather_columns(town, start, measured(states, town.climate.part(rows)))
        issues.append(pa.table({**columns, "issued_at": np.repeat(np.array(iso_utc(issued)), len(start) * town.network.zones)}))
    whole = pa.concat_tables(issues)
    return dict(zip(whole.column_names, whole.columns, strict=True))


def _deliveries(town: Town, names: Sequence[str], faults: Sequence[Fault]) -> dict[str, object]:
    """When each file came: a day's readings overnight, unless they are late or come again after a cut."""
    late_by = {day_of(cast("datetime", f.first_utc.item()), town.tz): int(f.size) for f in faults if f.kind == "late_file"}
    before = _iso(datetime.combine(town.days[0] - timedelta(days=1), time(12, 0)), town.tz)
    received = []
    for name in names:
        day = date.fromisoformat(name.removeprefix("readings_")[:10])
        days_after, at = (2, RECEIVED_LATE_AT) if "_redelivery" in name else (1, RECEIVED_AT)
        if day in late_by:
            days_after, at = 1 + late_by[day], RECEIVED_LATE_AT
        minutes = int(generator(town.seed, "delivery", day.toordinal()).integers(0, 45))
        received.append(_iso(datetime.combine(day + timedelta(days=days_after), at) + timedelta(minutes=minutes), town.tz))
    return {"file_name": ["meters.csv", "fleet.toml", *names], "received_at": [before, before, *received]}


def _iso(local: datetime, tz: str) -> str:
    return f"{local_to_utc(local, tz).isoformat()}Z"
