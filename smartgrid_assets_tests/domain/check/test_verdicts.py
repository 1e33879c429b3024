"""A person's verdict wins over the rules, from when it was given, until another undoes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, meter, readings, verdict

HOME = UNEVEN[:48]
NEGATIVE = [*HOME[:20], -0.4, *HOME[21:]]
LATER = timedelta(hours=1)


def test_an_accepted_reading_stands_and_keeps_its_mark() -> None:
    checked = check(readings(values=NEGATIVE), [meter()], verdicts=[verdict("accept", 20)])
    row = checked.readings.iloc[20]
    assert (row.energy_kwh, row.quality, row["flags"]) == (-0.4, "measured", "negative,verdict")
    assert checked.rejected.empty
    (before,) = checked.earlier.to_dict("records")
    assert before["quality"] == "estimated" and before["known_until_utc"] == verdict("accept", 20)["given_at"]


def test_a_rejected_reading_is_estimated_and_listed_with_who_and_why() -> None:
    checked = check(readings(values=HOME), [meter()], verdicts=[verdict("reject", 7, 8)])
    assert checked.readings["quality"].tolist()[6:10] == ["measured", "estimated", "estimated", "measured"]
    assert checked.readings["delivered_kwh"].tolist() == HOME
    assert set(checked.rejected["rule"]) == {"verdict"} and "by kim: seen on site" in checked.rejected["reason"].iloc[0]


def test_a_replaced_reading_and_a_filled_gap_hold_the_value_given() -> None:
    rows = readings(values=[*HOME[:9], None, *HOME[10:]])
    checked = check(rows, [meter()], verdicts=[verdict("replace", 9, 10, value_kwh=0.7)])
    both = checked.readings.iloc[9:11]
    assert both["energy_kwh"].tolist() == [0.7, 0.7]
    assert set(both["quality"]) == {"substituted"} and set(both["method"]) == {"verdict"}
    assert both["delivered_kwh"].iloc[1] == HOME[10]
    assert set(checked.rejected["ordinal"]) == {10}


@pytest.mark.parametrize("last", ["withdraw", "accept"])
def test_the_last_verdict_counts(last: str) -> None:
    first = verdict("reject", 7)
    second = verdict(last, 7, given_at=first["given_at"] + timedelta(days=1))
    checked = check(readings(values=HOME), [meter()], verdicts=[second, first])
    assert checked.readings["energy_kwh"].tolist() == HOME
    assert checked.rejected.empty
    assert len(checked.earlier) == 2  # as it was before both, and between them


def test_a_verdict_is_not_known_before_it_is_given() -> None:
    given = verdict("replace", 7, value_kwh=9.0)
    checked = check(readings(values=HOME), [meter()], verdicts=[given])
    assert checked.readings["known_from_utc"].iloc[7] == given["given_at"]
    (before,) = checked.earlier.to_dict("records")
    assert before["energy_kwh"] == HOME[7] and before["known_from_utc"] < given["given_at"]


def test_a_verdict_touches_its_meter_and_channel_alone() -> None:
    rows = [*readings("m1"), *readings("m2"), *readings("m1", channel="export")]
    checked = check(rows, [meter("m1"), meter("m2")], verdicts=[verdict("reject", 7)])
    estimated = checked.readings[checked.readings["quality"] == "estimated"]
    assert estimated[["meter_id", "channel"]].values.tolist() == [["m1", "import"]]


def test_a_later_correction_does_not_undo_a_verdict() -> None:
    rows = readings() + readings(values=[v + 1 for v in HOME], source_hash="b", received_at=DAY.end_utc + timedelta(days=5))
    checked = check(rows, [meter()], verdicts=[verdict("replace", 7, value_kwh=9.0)])
    assert checked.readings["energy_kwh"].iloc[7] == 9.0
    assert checked.readings["energy_kwh"].iloc[8] == HOME[8] + 1
