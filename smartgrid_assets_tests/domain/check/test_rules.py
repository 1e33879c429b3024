"""Each rule: the fault that it must find, and the nearest honest day that it must leave alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets.domain.check.rule import all_rules, rules_version
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, meter, readings

HOME = UNEVEN[:48]


def day_with(at: int, values: list[float | None]) -> list[float | None]:
    """An uneven home whose values from position `at` on are replaced."""
    return [*HOME[:at], *values, *HOME[at + len(values) :]]


FAULTS = {
    "gap": (day_with(9, [None, None]), {}, [9, 10]),
    "negative": (day_with(20, [-0.4]), {}, [20]),
    "stuck": (day_with(12, [0.318] * 14), {}, list(range(12, 26))),
    "zero_run": (day_with(12, [0.0] * 13), {}, list(range(12, 25))),
    "spike": (day_with(30, [40.0]), {"rating_kw": 15.0}, [30]),
    "peak": (day_with(30, [40.0]), {}, [30]),
    "implausible_unit": ([v * 1000 for v in HOME], {"rating_kw": 15.0}, list(range(48))),
}

HONEST = {
    "stuck: a whole-number register repeats itself": ([float(n // 13 + 1) for n in range(48)], {}),
    "stuck: a street light is even all night": (
        [1.253] * 14 + [0.6] + [0.0] * 20 + [0.7] + [1.253] * 12,
        {"class": "street_light"},
    ),
    "stuck: an LED circuit with three decimals": ([0.0] * 30 + [12.534] * 18, {}),
    "stuck: a coarse night base": ([0.05] * 16 + [round(v, 2) for v in HOME[16:]], {}),
    "stuck: an empty flat on standby": ([0.061] * 16 + HOME[16:], {}),
    "stuck: numerical dust": ([1e-7] * 20 + HOME[20:], {}),
    "stuck: five and a half hours": (day_with(12, [0.318] * 11), {}),
    "stuck: a constant auxiliary load": ([0.15] * 48, {}),
    "spike: a late home-comer within the rating": ([0.01] * 40 + [6.5] + [0.01] * 7, {"rating_kw": 15.0}),
    "spike: an outdated rating under an even load": ([v + 8 for v in HOME], {"rating_kw": 15.0}),
    "unit: a factory at its rating": ([v + 7 for v in HOME], {"rating_kw": 15.0}),
    "peak: a holiday home's first evening": ([0.0] * 46 + [2.0, 3.0], {}),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_rule_finds_its_fault_there_and_nowhere_else(rule: str) -> None:
    values, register, where = FAULTS[rule]
    checked = check(readings(values=values), [meter(**register)])
    assert checked.found(rule) == where
    rejects = all_rules()[rule].action == "reject"
    assert len(checked.rejected) == (len(where) if rejects else 0)
    others = {flag for flags in checked.readings["flags"] for flag in flags.split(",") if flag} - {rule}
    assert others == set()


@pytest.mark.parametrize("case", HONEST)
def test_an_honest_oddity_is_not_rejected(case: str) -> None:
    values, register = HONEST[case]
    checked = check(readings(values=values), [meter(**register)])
    assert checked.rejected.empty
    assert (checked.readings["quality"] == "measured").all()
    assert checked.readings["energy_kwh"].tolist() == values


def test_a_net_register_may_fall_below_zero() -> None:
    checked = check(readings(values=day_with(20, [-0.4]), channel="import:net"), [meter()])
    assert checked.rejected.empty


def test_a_rejected_reading_is_estimated_and_its_delivered_value_kept() -> None:
    checked = check(readings(values=day_with(20, [-0.4])), [meter()])
    row = checked.readings.iloc[20]
    assert (row.quality, row.method, row["flags"], row.delivered_kwh) == ("estimated", "linear", "negative", -0.4)
    assert row.energy_kwh == pytest.approx((HOME[19] + HOME[21]) / 2)
    reason = checked.rejected.iloc[0]
    assert (reason.rule, reason.value, reason.file_name) == ("negative", -0.4, "a.csv")
    assert "m1" in reason.reason and "2026-03-03 09:00 UTC" in reason.reason and "check the direction" in reason.reason


def test_beside_a_spike_a_high_reading_within_the_rating_stands() -> None:
    checked = check(readings(values=day_with(30, [40.0, 6.0])), [meter(rating_kw=15.0)])
    assert checked.found("spike") == [30] and checked.readings["energy_kwh"].iloc[31] == 6.0


def test_a_feeder_that_feeds_back_is_not_negative() -> None:
    assert check(readings(values=day_with(20, [-0.4])), [meter(role="feeder")]).rejected.empty


def test_zeros_of_a_home_that_feeds_in_are_no_zero_run() -> None:
    sunny = readings(values=day_with(12, [0.0] * 13))
    export = readings(values=[0.1] * 48, channel="export", source_hash="b")
    assert check(sunny + export, [meter()]).found("zero_run") == []


def test_two_values_at_once_keep_the_first_and_list_the_other() -> None:
    rows = readings()
    checked = check([*rows, {**rows[7], "ordinal": 99, "value": 5.0}], [meter()])
    assert checked.found("duplicate") == [7]
    assert checked.readings["energy_kwh"].tolist() == HOME
    assert checked.rejected[["ordinal", "rule", "value"]].values.tolist() == [[99, "duplicate", 5.0]]


def test_an_identical_copy_is_counted_and_rejects_nothing() -> None:
    checked = check(readings() + readings(source_hash="b"), [meter()])
    assert checked.rejected.empty and checked.found("duplicate") == []
    assert checked.share("repeated") == 1.0


def test_a_reading_across_the_grid_is_left_out_and_its_interval_estimated() -> None:
    rows = readings()
    rows[10] = {**rows[10], "interval_start_utc": rows[10]["interval_start_utc"] + timedelta(minutes=10)}
    checked = check(rows, [meter()])
    assert checked.rejected["rule"].tolist() == ["misaligned"]
    assert checked.found("gap") == [10] and len(checked.readings) == 48


def test_a_meter_that_always_starts_at_a_quarter_past_has_a_grid_of_its_own() -> None:
    rows = readings(start_utc=DAY.start_utc + timedelta(minutes=15), values=HOME)
    checked = check(rows, [meter()])
    assert checked.rejected.empty and len(checked.readings) == 48 and checked.found("gap") == []


def test_an_hour_among_half_hours_is_misaligned() -> None:
    rows = readings()
    rows[10] = {**rows[10], "interval_minutes": 60}
    assert check(rows, [meter()]).rejected["rule"].tolist() == ["misaligned"]


def test_readings_from_the_future_are_rejected_and_a_fast_clock_is_not() -> None:
    noon = DAY.start_utc + timedelta(hours=12)
    rows = readings(received_at=noon)
    assert check(rows, [meter()]).rejected["rule"].tolist() == ["future"] * 21  # 13:30 on; the hour up to 13:00 passes


def test_the_reason_of_a_wrong_unit_names_the_factor() -> None:
    checked = check(readings(values=[v * 1000 for v in HOME]), [meter(rating_kw=15.0)])
    assert "divided by 1000 it would fit" in checked.rejected["reason"].iloc[0]
    assert (checked.readings["quality"] == "missing").all()


@pytest.mark.parametrize("uom, factor", [("kWh", 1), ("Wh", 1e3), ("MWh", 1e-3), ("kW", 2), ("W", 2e3), ("MW", 2e-3)])
def test_every_unit_becomes_kwh(uom: str, factor: float) -> None:
    checked = check(readings(values=[v * factor for v in HOME], uom=uom), [meter()])
    assert checked.readings["energy_kwh"].tolist() == pytest.approx(HOME)
    assert checked.rejected.empty


def test_reactive_energy_stays_out() -> None:
    assert check(readings(uom="kvarh")).readings.empty


ODD = {
    "nothing": [],
    "one reading": readings(values=[1.0]),
    "all null": readings(values=[None] * 48),
    "not a number": readings(values=[float("nan"), float("inf"), -float("inf")] * 16),
    "huge": readings(values=[1e308] * 48, uom="MWh"),
    "length of zero": [*readings()[:10], {**readings()[11], "interval_minutes": 0}],
    "daily": readings(values=[12.0], interval_minutes=1440),
    "unknown meter": readings("stranger"),
}


@pytest.mark.parametrize("case", ODD)
def test_no_rule_stumbles_over_an_odd_day_and_the_tables_keep_their_declaration(case: str) -> None:
    checked = check(ODD[case], [meter()] if case != "unknown meter" else [])
    for name, path in [
        ("readings", "meter_readings"),
        ("earlier", "earlier_readings"),
        ("rejected", "rejected_readings"),
        ("quality", "data_quality"),
    ]:
        declared = table(f"validated/{path}")
        described = checked.con.execute(f"DESCRIBE FROM {getattr(checked.day, name)}").fetchall()
        assert {row[0] for row in described} == {c.name for c in declared.columns}
        types = {row[0]: row[1] for row in described}
        assert all(column.takes(types[column.name]) for column in declared.columns)
        frame = getattr(checked, name)
        assert not frame.duplicated(list(declared.key)).any()
        assert not frame[[c.name for c in declared.columns if not c.nullable]].isna().any().any()
    energy = checked.readings["energy_kwh"].dropna()
    assert not energy.isin([float("inf"), -float("inf")]).any()


def test_every_rule_says_what_it_means_and_where_it_comes_from() -> None:
    for name, rule in all_rules().items():
        assert rule.name == name and rule.meaning.endswith(".") and rule.source and rule.version >= 1
    assert len(rules_version()) == 12


def test_registers_of_a_meter_are_checked_one_by_one_and_their_meter_is_not_silent() -> None:
    off_peak = [0.0] * 30 + UNEVEN[:18]
    rows = readings(channel="import:E1") + readings(values=off_peak, channel="import:E2", source_hash="b")
    checked = check(rows, [meter(), meter("silent")])
    assert checked.readings.groupby("channel", observed=True).size().to_dict() == {"import:E1": 48, "import:E2": 48}
    flagged = checked.readings[checked.readings["flags"] == "zero_run"]
    assert set(flagged["channel"]) == {"import:E2"} and len(flagged) == 30
    assert checked.share("missing") == pytest.approx(1 / 3)  # of the silent one; the other has its registers


@pytest.mark.parametrize("other", [{"channel": "other:Q1", "uom": "kvarh"}, {"channel": "other:X1", "uom": "kWh"}, {"uom": ""}])
def test_what_is_no_energy_of_a_direction_stays_in_raw(other: dict) -> None:
    checked = check(readings() + readings(meter="m2", source_hash="b", **other), [meter()])
    assert set(checked.readings["meter_id"]) == {"m1"} and checked.share("missing") == 0
