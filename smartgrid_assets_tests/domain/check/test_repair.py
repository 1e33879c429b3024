"""What stands in for a reading, and what a whole day looks like."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from smartgrid_assets.domain.check.hold import holds
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets_tests.domain.check.town import BERLIN, DAY, UNEVEN, check, donor_day, meter, readings

MELBOURNE = "Australia/Melbourne"


UNSCALED = CheckLimits(level_bound=1.0)


def without(first: int, last: int) -> list[dict]:
    """The home's day without the intervals first .. last."""
    return [row for n, row in enumerate(readings()) if not first <= n <= last]


def test_two_hours_are_interpolated_and_more_are_not() -> None:
    two = check(without(10, 13), [meter()])
    assert two.readings["method"].iloc[10:14].tolist() == ["linear"] * 4 and two.day.donor_days == []
    step = (UNEVEN[14] - UNEVEN[9]) / 5
    assert two.readings["energy_kwh"].iloc[10:14].tolist() == pytest.approx([UNEVEN[9] + step * n for n in range(1, 5)])
    more = check(without(10, 14), [meter()])
    assert set(more.readings["quality"].iloc[10:15]) == {"missing"} and more.day.donor_days
    assert more.readings["energy_kwh"].iloc[10:15].isna().all()


def test_like_days_are_the_four_nearest_of_the_same_class_at_the_same_local_time() -> None:
    days = [
        date(2026, 3, 2),
        date(2026, 2, 27),
        date(2026, 2, 26),
        date(2026, 2, 25),
        date(2026, 2, 24),
        date(2026, 3, 1),
    ]
    donors = [row for n, day in enumerate(days) for row in donor_day("m1", day, [n + 0.1 * k for k in range(48)])]
    checked = check(without(20, 30), [meter()], donors, limits=UNSCALED)
    assert checked.readings["energy_kwh"].iloc[20] == pytest.approx((0 + 1 + 2 + 3) / 4 + 2.0)
    assert date(2026, 3, 1) not in checked.day.donor_days  # a Sunday


@pytest.mark.parametrize(
    ("level", "expected"), [(2.0, (37 * 2 + 24) / (37 + 24)), (0.5, (37 * 0.5 + 24) / (37 + 24)), (10.0, 2.0), (0.001, 24.037 / 61)]
)
def test_an_estimate_is_scaled_to_what_came_of_the_day_and_half_a_like_day_speaks_against(level: float, expected: float) -> None:
    values = [level + 1e-4 * n * level for n in range(48)]  # a little uneven: no stuck register
    donors = donor_day("m1", date(2026, 3, 2), [1 + 1e-4 * n for n in range(48)])
    checked = check(readings(values=[*values[:20], *[None] * 11, *values[31:]]), [meter()], donors)
    assert checked.readings["energy_kwh"].iloc[20] == pytest.approx(max(expected, 0.5), rel=0.01)


def test_only_measured_values_are_donors() -> None:
    checked = check(without(20, 30), [meter()], donor_day("m1", date(2026, 3, 2), 1.0, quality="estimated"))
    assert set(checked.readings["quality"].iloc[20:31]) == {"missing"}


def test_a_gap_at_the_edge_of_the_day_has_no_neighbour_and_takes_like_days() -> None:
    checked = check(without(47, 47), [meter()], donor_day("m1", date(2026, 3, 2), 1.0), limits=UNSCALED)
    assert (checked.readings["method"].iloc[47], checked.readings["energy_kwh"].iloc[47]) == ("like_days", 1.0)


@pytest.mark.parametrize(
    "tz, day, intervals",
    [
        pytest.param(BERLIN, date(2026, 3, 29), 46, id="Berlin, spring"),
        pytest.param(BERLIN, date(2026, 10, 25), 50, id="Berlin, autumn"),
        pytest.param(MELBOURNE, date(2026, 10, 4), 46, id="Melbourne, spring"),
        pytest.param(MELBOURNE, date(2026, 4, 5), 50, id="Melbourne, autumn"),
    ],
)
def test_a_clock_change_day_is_whole_and_its_gaps_take_the_same_wall_time(tz: str, day: date, intervals: int) -> None:
    window = market_day(day, tz)
    whole = check(readings(day=window), [meter()], day=window, tz=tz)
    assert len(whole.readings) == intervals and whole.share("missing") == 0
    donors = donor_day("m1", day - timedelta(days=7), [float(n // 2) for n in range(48)], tz)  # value = local hour
    nothing = check(readings("m2", day=window), [meter(), meter("m2")], donors, day=window, tz=tz)
    estimated = nothing.readings[nothing.readings["meter_id"] == "m1"]["energy_kwh"].tolist()
    half_hours = {46: 0, 50: 4}[intervals]  # of 02:00 to 03:00, which is skipped or comes twice
    assert estimated == [float(hour) for hour in range(24) for _ in range(half_hours if hour == 2 else 2)]
    assert nothing.readings["interval_start_utc"].between(window.start_utc, window.end_utc, inclusive="left").all()


def test_values_that_the_source_estimated_keep_their_name() -> None:
    checked = check(readings(quality="substituted"), [meter()])
    assert set(checked.readings["quality"]) == {"substituted"} and checked.share("estimated") == 0


def test_a_meter_of_which_nothing_is_known_does_not_appear_but_counts_as_missing() -> None:
    checked = check(readings(), [meter(), meter("silent")])
    assert set(checked.readings["meter_id"]) == {"m1"}
    assert checked.share("missing") == 0.5
    reasons = holds(checked.con, checked.day.quality, CheckLimits())
    assert [(r.check_name, r.value, r.threshold) for r in reasons] == [("missing_share", 0.5, 0.35)]
    assert "48 of 96 readings (50%; allowed 35%)" in reasons[0].reason


def test_a_day_without_any_delivery_is_held() -> None:
    checked = check([], [meter()])
    assert checked.readings.empty and [r.check_name for r in holds(checked.con, checked.day.quality, CheckLimits())] == ["missing_share"]


def test_a_whole_day_is_not_held() -> None:
    checked = check(readings(), [meter()])
    assert holds(checked.con, checked.day.quality, CheckLimits()) == [] and checked.day.donor_days == []


def test_a_day_in_another_unit_is_held() -> None:
    checked = check(readings(values=[v * 1000 for v in UNEVEN[:48]]), [meter(rating_kw=15.0)])
    assert [r.check_name for r in holds(checked.con, checked.day.quality, CheckLimits())] == ["rejected_share"]


def test_a_meter_known_from_its_readings_only_is_not_invented_before_its_first() -> None:
    first_day = check(readings(made_up := "m1")[40:], [meter(made_up, made_up=True)])
    assert len(first_day.readings) == 8 and first_day.found("gap") == [] and first_day.share("missing") == 0
    most = check(readings()[10:], [meter(made_up=True)])
    assert len(most.readings) == 48 and most.share("missing") == pytest.approx(10 / 48)


def test_witnesses_do_not_count_where_customers_do() -> None:
    checked = check(readings() + readings("f", source_hash="b")[:20], [meter(), meter("f", role="feeder")])
    assert checked.share("missing") == 0
    alone = check(readings("f")[:30], [meter("f", role="feeder")])
    assert alone.share("missing") == pytest.approx(18 / 48)


def test_lines_that_could_not_be_read_stand_among_the_rejected() -> None:
    line = {
        "source_hash": "a",
        "ordinal": 3,
        "line": 4,
        "rule": "number",
        "reason": "'x' is no number.",
        "content": "x",
        "received_at": DAY.end_utc,
        "file_name": "a.csv",
    }
    checked = check(readings(), [meter()], lines=[line])
    assert checked.rejected[["rule", "reason"]].values.tolist() == [["line_number", "'x' is no number."]]
    assert checked.share("rejected_lines") == pytest.approx(1 / 49)


@pytest.mark.parametrize(
    ("channel", "before", "method"), [("import", 0.0, "like_days"), ("import", 0.5, "linear"), ("export", 0.0, "linear")]
)
def test_the_zero_that_an_outage_ends_with_is_no_end_of_a_line(channel: str, before: float, method: str) -> None:
    kwh: list[float | None] = [*UNEVEN[:18], *[before] * 2, None, None, *UNEVEN[22:48]]
    donors = [row for weeks in (1, 2) for row in donor_day("m1", DAY.day - timedelta(weeks=weeks), UNEVEN[:48], channel=channel)]
    frame = check(readings(values=kwh, channel=channel), [meter()] if channel == "import" else [], donors=donors).readings
    assert frame[frame.channel == channel].method.tolist()[20:22] == [method] * 2


def test_a_gap_inside_an_outage_is_zero_and_one_at_its_edge_without_like_days_is_a_line() -> None:
    inside: list[float | None] = [*UNEVEN[:18], 0.0, None, None, 0.0, *UNEVEN[22:48]]
    frame = check(readings(values=inside), [meter()]).readings
    assert frame.energy_kwh.tolist()[19:21] == [0, 0] and set(frame.method[19:21]) == {"linear"}
    edge: list[float | None] = [*UNEVEN[:18], 0.0, 0.0, None, None, *UNEVEN[22:48]]
    assert set(check(readings(values=edge), [meter()]).readings.method[20:22]) == {"linear"}
