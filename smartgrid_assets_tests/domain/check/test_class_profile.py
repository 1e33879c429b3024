"""A meter without like days is estimated by the curve of its class, at the level of what came of its day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, Checked, check, counted, donor_day, meter, readings

CURVE = [1.0 + n / 48 for n in range(48)]
PEERS = [f"p{n}" for n in range(6)]
HOLE = slice(20, 32)


def peers(names: list[str] = PEERS, **other: object) -> list[dict]:
    """Meters of one shape, each of a size of its own, a little uneven."""
    return [
        row
        for n, name in enumerate(names)
        for row in readings(name, [round((n + 1) * v + UNEVEN[k] / 1e4, 6) for k, v in enumerate(CURVE)], **other)
    ]


def lacking(first: int, last: int, size: float = 0.5, meter_id: str = "m1", **other: object) -> list[dict]:
    values = [None if first <= n < last else size * v + UNEVEN[n] / 1e4 for n, v in enumerate(CURVE)]
    return readings(meter_id, values, **other)


def judged(rows: list[dict], **other: object) -> Checked:
    named = sorted({row["meter_id"] for row in rows})
    registered = [meter(name, **({"class": "shop"} if name.startswith("s") else {})) for name in named]
    return check(rows, registered, **other)


def test_a_gap_takes_the_shape_of_the_class_and_the_level_of_the_meter() -> None:
    frame = judged([*peers(), *lacking(20, 32)]).readings.query("meter_id == 'm1'")
    assert set(frame.method[HOLE]) == {"class_profile"} and set(frame.quality[HOLE]) == {"estimated"}
    assert frame.energy_kwh[HOLE].tolist() == pytest.approx([0.5 * v for v in CURVE[HOLE]], rel=0.01)
    assert frame.delivered_kwh[HOLE].isna().all()


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([*peers(PEERS[:3]), *lacking(20, 32)], id="four meters are no class"),
        pytest.param([*peers([f"s{n}" for n in range(6)]), *lacking(20, 32)], id="another class"),
        pytest.param([*peers(channel="export"), *lacking(20, 32)], id="another direction"),
        pytest.param([*peers(quality="substituted"), *lacking(20, 32)], id="what was estimated by the source"),
        pytest.param([*peers(), *lacking(5, 43)], id="too little of the day"),
    ],
)
def test_where_there_is_no_class_or_no_level_it_stays_missing(rows: list[dict]) -> None:
    assert "class_profile" not in set(judged(rows).readings["method"])


def test_like_days_go_before_and_a_line_before_them() -> None:
    donors = donor_day("m1", DAY.day - timedelta(days=7), CURVE)
    assert set(judged([*peers(), *lacking(20, 32)], donors=donors).readings.query("meter_id == 'm1'").method[HOLE]) == {"like_days"}
    assert "class_profile" not in set(judged([*peers(), *lacking(20, 22)]).readings["method"])


def test_a_class_is_not_moved_by_one_wild_meter() -> None:
    wild = readings("p9", [1000.0 * UNEVEN[n] for n in range(48)])
    frame = judged([*peers(), *wild, *lacking(20, 32)]).readings.query("meter_id == 'm1'")
    assert frame.energy_kwh[HOLE].tolist() == pytest.approx([0.5 * v for v in CURVE[HOLE]], rel=0.05)


def test_the_correction_of_another_meter_moves_no_estimate() -> None:
    later = readings("p0", [9.0 + v for v in UNEVEN[:48]], received_at=DAY.end_utc + timedelta(days=3), source_hash="b", file_name="b.csv")
    checked = judged([*peers(), *lacking(20, 32), *later])
    first = judged([*peers(), *lacking(20, 32)])
    same = "meter_id == 'm1'"
    assert checked.readings.query(same).energy_kwh.tolist() == first.readings.query(same).energy_kwh.tolist()
    assert checked.earlier.query(same).empty


def test_a_register_scales_what_the_class_says() -> None:
    rows = [*peers(), *lacking(20, 32)]
    frame = judged(rows, reads=[counted(40)]).readings.query("meter_id == 'm1'")
    assert frame.energy_kwh.sum() == pytest.approx(40) and set(frame.method[HOLE]) == {"register"}
    shape = frame.energy_kwh[HOLE].to_numpy() / CURVE[HOLE]
    assert shape.min() == pytest.approx(shape.max(), rel=0.01)
