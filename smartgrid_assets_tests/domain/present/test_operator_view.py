"""What does the operator see of one market day?"""

from datetime import date, datetime, timedelta

import pytest

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.present.operator_view import overview
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS, table

DAY = market_day(date(2026, 3, 2), "Europe/Berlin")
KNOWN = datetime(2026, 3, 3)
FEW_DEFAULTS = {
    "interval_minutes": 30,
    "is_fallback": False,
    "feeder": "*",
    "is_alarm": True,
    "detector": "ecod",
    "known_from_utc": KNOWN,
}


def relation(con, name, path, rows):
    columns = table(path).columns
    typed = ", ".join(f'"{c.name}" {c.type}' for c in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({typed})")
    for row in rows:
        con.execute(
            f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})",
            [(FEW_DEFAULTS | row).get(c.name) for c in columns],
        )
    return name


def at(n, minutes=30):
    return {"interval_start_utc": DAY.start_utc + timedelta(minutes=minutes * n), "interval_minutes": minutes}


def view(con, load=(), plan=(), anomalies=(), meters=(), zones=("north", "*")):
    quantiles = dict.fromkeys(QUANTILE_COLUMNS, 5.0) | {"q05": 4.0, "q95": 7.0}
    rows = [{"zone": zone, "load_mw": 5.0, **quantiles, **at(n)} for zone in zones for n in range(2)]
    name = overview(
        con, DAY,
        relation(con, "forecast", "forecasts/day_ahead", rows), relation(con, "load", "features/load", load),
        relation(con, "plan", "dispatch/plan", plan), relation(con, "anomalies", "anomalies/meter_days", anomalies),
        relation(con, "meters", "raw/meters", meters),
    )  # fmt: skip
    frame = con.execute(f"FROM {name}").df()
    assert list(frame.columns) == [c.name for c in table("operator/overview").columns]
    return frame.set_index("zone")


def test_a_day_that_is_only_forecast_has_its_band_and_nothing_made_up(con):
    frame = view(con)
    assert len(frame) == 4
    assert (frame.forecast_mw.iloc[0], frame.low_mw.iloc[0], frame.high_mw.iloc[0], frame.alarms.iloc[0]) == (
        5,
        4,
        7,
        0,
    )
    assert frame[["actual_mw", "planned_mw", "headroom_mw"]].isna().all().all()


def test_what_came_is_the_newest_version_of_the_zone_s_sum(con):
    rows = [{"zone": "north", "load_mw": mw, **at(0), **more} for mw, more in
            [(1.0, {}), (2.0, {"known_from_utc": KNOWN + timedelta(1)}), (9.0, {"feeder": "f1"})]]  # fmt: skip
    assert view(con, load=rows).loc["north", "actual_mw"].fillna(-1).tolist() == [2.0, -1]


def test_finer_load_is_averaged_and_an_hourly_plan_is_held(con):
    load = [{"zone": "north", "load_mw": float(mw), **at(mw, 15)} for mw in range(4)]
    plan = [
        {"unit": u, "zone": z, "power_mw": mw, **at(0, 60)} for u, z, mw in [("u", "north", 3.0), ("v", "north", -1.0), ("w", "south", 4.0)]
    ]
    frame = view(con, load=load, plan=plan)
    assert frame.loc["north", "actual_mw"].tolist() == [0.5, 2.5]
    assert frame.loc["north", "planned_mw"].tolist() == [2.0, 2.0]
    assert frame.loc["*", "planned_mw"].tolist() == [6.0, 6.0]


def meter(meter_id, role, kw, zone="north", feeder=""):
    return {"meter_id": meter_id, "role": role, "rating_kw": kw, "zone": zone, "feeder": feeder}


@pytest.mark.parametrize(
    "meters, headroom",
    [
        pytest.param([meter("z", "zone", 9000), meter("f", "feeder", 1, feeder="f1")], 2.0, id="the zone's own rating"),
        pytest.param(
            [meter("f", "feeder", 5000, feeder="f1"), meter("g", "feeder", 3000, feeder="f2")],
            1.0,
            id="all its feeders'",
        ),
        pytest.param(
            [meter("f", "feeder", 5000, feeder="f1"), meter("c", "customer", 9, feeder="f2")],
            None,
            id="not of some feeders",
        ),
        pytest.param([meter("c", "customer", 9000)], None, id="never of customers"),
    ],
)
def test_headroom_is_the_rating_less_the_upper_band(con, meters, headroom):
    found = view(con, meters=meters).loc["north", "headroom_mw"].iloc[0]
    assert found == headroom or (headroom is None and found != found)


def test_the_whole_has_the_system_s_rating(con):
    assert view(con, meters=[meter("s", "system", 10_000, zone="*")]).loc["*", "headroom_mw"].iloc[0] == 3.0


def test_a_meter_under_two_alarms_is_counted_once_in_its_zone_and_in_the_whole(con):
    meters = [meter("a", "customer", 9), meter("b", "customer", 9), meter("c", "customer", 9, zone="south")]
    anomalies = [{"meter_id": m, "detector": d, "is_alarm": alarm} for m, d, alarm in
                 [("a", "ecod", True), ("a", "iforest", True), ("b", "ecod", False), ("c", "ecod", True)]]  # fmt: skip
    frame = view(con, meters=meters, anomalies=anomalies)
    assert (frame.loc["north", "alarms"].iloc[0], frame.loc["*", "alarms"].iloc[0]) == (1, 2)
