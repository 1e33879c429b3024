"""What was known when: corrections before and after a gate, in any order of arrival."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, donor_day, meter, readings

FIRST_GATE = DAY.end_utc + timedelta(hours=10)  # 2026-03-04 10:00 in Berlin; the day ends there at 00:00
CORRECTION = {"source_hash": "b", "file_name": "b.csv"}


def corrected(received_at, at: int = 7, value: float = 9.0) -> list[dict]:
    return [{**readings(received_at=received_at, **CORRECTION)[at], "value": value}]


def test_a_correction_after_the_gate_leaves_the_earlier_value_visible() -> None:
    late = FIRST_GATE + timedelta(hours=1)
    checked = check(readings() + corrected(late), [meter()])
    now = checked.readings.iloc[7]
    assert (now.energy_kwh, now.known_from_utc) == (9.0, late)
    was = checked.earlier.iloc[0]
    assert (was.energy_kwh, was.known_from_utc, was.known_until_utc) == (
        UNEVEN[7],
        DAY.end_utc + timedelta(hours=3),
        late,
    )
    assert len(checked.earlier) == 1
    unchanged = checked.readings.drop(7)["known_from_utc"]
    assert (unchanged == DAY.end_utc + timedelta(hours=3)).all()


def test_a_correction_before_the_gate_replaces_the_value_without_a_trace() -> None:
    checked = check(readings() + corrected(FIRST_GATE - timedelta(hours=1)), [meter()])
    assert checked.readings["energy_kwh"].iloc[7] == 9.0
    assert checked.earlier.empty and checked.day.counts["versions"] == 1


def test_history_in_bulk_counts_from_the_end_of_its_day_and_its_correction_from_receipt() -> None:
    received = DAY.end_utc + timedelta(days=400)
    bulk = [{**row, "available_at": DAY.end_utc} for row in readings(received_at=received)]
    later = [{**row, "available_at": DAY.end_utc} for row in corrected(received + timedelta(days=3))]
    checked = check(bulk + later, [meter()])
    assert checked.earlier["known_from_utc"].tolist() == [DAY.end_utc]
    assert checked.readings["known_from_utc"].iloc[7] == received + timedelta(days=3)


def test_a_source_version_outranks_a_later_receipt() -> None:
    first = [{**row, "version_at": DAY.end_utc + timedelta(hours=2)} for row in readings()]
    stale = [{**row, "version_at": DAY.end_utc} for row in corrected(FIRST_GATE - timedelta(hours=1))]
    assert check(first + stale, [meter()]).readings["energy_kwh"].iloc[7] == UNEVEN[7]


def test_a_meter_that_comes_late_was_estimated_until_then() -> None:
    late = FIRST_GATE + timedelta(hours=30)
    donors = donor_day("m2", date(2026, 3, 2), 1.5)
    checked = check(readings() + readings("m2", received_at=late, **CORRECTION), [meter(), meter("m2")], donors)
    assert len(checked.earlier) == 48 and set(checked.earlier["method"]) == {"like_days"}
    assert set(checked.earlier["known_until_utc"]) == {late}
    assert (checked.readings[checked.readings["meter_id"] == "m2"]["quality"] == "measured").all()


def test_a_gap_that_a_later_file_fills_stays_estimated_for_the_gate_before() -> None:
    rows = readings()
    filled = [
        {
            **rows[9],
            "received_at": FIRST_GATE + timedelta(hours=2),
            "available_at": FIRST_GATE + timedelta(hours=2),
            **CORRECTION,
        }
    ]
    checked = check(rows[:9] + rows[10:] + filled, [meter()])
    assert checked.earlier[["quality", "method"]].values.tolist() == [["estimated", "linear"]]
    assert checked.readings["quality"].iloc[9] == "measured" and checked.found("gap") == []


def test_a_meter_that_changes_its_grid_leaves_no_interval_of_the_old_one() -> None:
    late = FIRST_GATE + timedelta(hours=5)
    hourly = readings(values=UNEVEN[:24], interval_minutes=60)
    quarter = readings(values=UNEVEN[:96], interval_minutes=15, received_at=late, **CORRECTION)
    back = check(hourly + quarter, [meter()])
    assert len(back.readings) == 96 and set(back.readings["interval_minutes"]) == {15}
    assert len(back.earlier) == 24 and set(back.earlier["known_until_utc"]) == {late}


def test_an_estimate_uses_its_like_days_as_known_then_and_moves_when_they_are_corrected() -> None:
    rows = [row for n, row in enumerate(readings()) if not 20 <= n < 30]
    corrected_at = FIRST_GATE + timedelta(hours=4)
    was = donor_day("m1", date(2026, 3, 2), 1.0, known_until_utc=corrected_at)
    now = donor_day("m1", date(2026, 3, 2), 3.0, known_from_utc=corrected_at)
    checked = check(rows, [meter()], was + now, limits=CheckLimits(level_bound=1.0))
    assert set(checked.readings["energy_kwh"].iloc[20:30]) == {3.0}
    assert set(checked.earlier["energy_kwh"]) == {1.0} and len(checked.earlier) == 10
    assert set(checked.readings["known_from_utc"].iloc[20:30]) == {corrected_at}


def test_a_like_day_known_only_later_is_not_used_before() -> None:
    rows = [row for n, row in enumerate(readings()) if not 20 <= n < 30]
    late = FIRST_GATE + timedelta(days=5)
    checked = check(rows, [meter()], donor_day("m1", date(2026, 3, 2), 2.0, known_from_utc=late))
    assert set(checked.earlier["quality"]) == {"missing"}
    assert set(checked.readings["known_from_utc"].iloc[20:30]) == {late}


DELIVERIES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]), st.sampled_from(["m1", "m2"]), st.integers(0, 5),
        st.sampled_from([0.3, 0.4, -1.0, None]), st.sampled_from([3, 9, 20, 50]), st.sampled_from([None, 1, 2]),
        st.sampled_from(["measured", "substituted"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=6, deadline=None)
@given(DELIVERIES, st.randoms(use_true_random=False))
def test_any_order_of_deliveries_gives_the_same_tables(deliveries: list[tuple], random) -> None:
    rows = readings(source_hash="base")[:30]
    for ordinal, (source, name, at, value, hours, version, quality) in enumerate(deliveries):
        received = DAY.end_utc + timedelta(hours=hours)
        version_at = version and DAY.end_utc + timedelta(hours=version)
        extra = readings(name, source_hash=source, received_at=received, version_at=version_at, quality=quality)[at]
        rows.append({**extra, "ordinal": ordinal, "value": value})
    shuffled = random.sample(rows, len(rows))
    donors = donor_day("m1", date(2026, 3, 2), 1.0)
    one, other = check(rows, [meter()], donors), check(shuffled, [meter()], donors)
    for table in ("readings", "earlier", "rejected", "quality"):
        assert getattr(one, table).equals(getattr(other, table)), table
