"""What models and detectors are fed with: features."""

from __future__ import annotations

from smartgrid_assets.domain.tables.column import INTERVAL, WEATHER, Table, needed, nullable

FEATURES = (
    Table(
        "features",
        "load",
        "day",
        "zone, feeder, interval and version",
        (
            needed("zone", "VARCHAR", "zone; * for the whole"),
            needed("feeder", "VARCHAR", "feeder; * for the zone's sum"),
            *INTERVAL,
            needed("known_from_utc", "TIMESTAMP", "from when this version was known, UTC"),
            needed("load_mw", "DOUBLE", "mean net power (import less export) over the interval; positive = consumption"),
            needed("meters", "INTEGER", "meters in the sum"),
            needed("missing_share", "DOUBLE", "share of the sum's meter-intervals that are estimated or missing, 0 to 1"),
            needed("local_time", "TIMESTAMP", "local wall time of the start"),
            needed("is_holiday", "BOOLEAN", "public holiday by calendar"),
            needed("holiday", "VARCHAR", "name of the holiday; empty where there is none"),
            *(nullable(c.name, c.type, f"observed {c.meaning}") for c in WEATHER),
        ),
        ("zone", "feeder", "interval_start_utc", "known_from_utc"),
    ),
    Table(
        "features",
        "training_marks",
        "day",
        "zone, interval and version to leave out of training or weigh less",
        (
            needed("zone", "VARCHAR", "zone; * for the whole"),
            *INTERVAL,
            needed("known_from_utc", "TIMESTAMP", "from when the mark was known, UTC"),
            needed("weight", "DOUBLE", "0 (leave out) to 1"),
            needed("reason", "VARCHAR", "why, in words"),
        ),
        ("zone", "interval_start_utc", "known_from_utc"),
    ),
    Table(
        "features",
        "meter_profile",
        "day",
        "meter: its day in numbers, for detection",
        (
            needed("meter_id", "VARCHAR", "meter"),
            needed("zone", "VARCHAR", "zone"),
            needed("feeder", "VARCHAR", "feeder"),
            needed("class", "VARCHAR", "customer class"),
            needed("energy_kwh", "DOUBLE", "imported energy of the day as delivered, kWh"),
            needed("export_kwh", "DOUBLE", "exported energy of the day, kWh"),
            needed("peak_kw", "DOUBLE", "highest mean power of an interval, kW"),
            needed("min_kw", "DOUBLE", "lowest mean power of an interval, kW"),
            needed("night_share", "DOUBLE", "share of the energy from 00:00 to 05:00 local"),
            needed("evening_share", "DOUBLE", "share of the energy from 17:00 to 22:00 local"),
            needed("load_factor", "DOUBLE", "mean power / peak power, 0 to 1"),
            needed("zero_share", "DOUBLE", "share of intervals at zero"),
            needed("stuck_share", "DOUBLE", "longest run of one repeated value / intervals of the day"),
            needed("ramp_kw", "DOUBLE", "mean absolute change between intervals, kW"),
            needed("negative_count", "INTEGER", "intervals with a negative value"),
            needed("missing_share", "DOUBLE", "share of intervals not delivered"),
            needed("flagged_share", "DOUBLE", "share of intervals on which a rule spoke"),
            needed("is_holiday", "BOOLEAN", "public holiday or Sunday: the day is compared with its like"),
        ),
        ("meter_id",),
    ),
)
