"""Great Expectations on one day: what it finds, and what it must not show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets.domain.check import suite
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.suite import CheckResult, all_suites, run_suite
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets_tests.domain.check.town import DAY, Checked, check, meter, readings, verdict


@pytest.fixture(scope="module")
def day() -> Checked:
    return check(readings() + readings("m2", source_hash="b")[:30], [meter(), meter("m2")])


def judged(day: Checked, name: str, relation: str) -> list[CheckResult]:
    """What the suite says of DAY."""
    return run_suite(day.con, all_suites()[name], {DAY: relation}, CheckLimits())[DAY.day]


def by_name(results: list) -> dict:
    return {result.name: result for result in results}


def test_a_day_with_a_gap_passes_every_blocking_check_and_warns_of_its_completeness(day: Checked) -> None:
    said = by_name(judged(day, "validated", day.day.readings))
    assert [r.name for r in said.values() if not r.passed] == ["missing_share"]
    assert said["missing_share"].severity == "warn"
    assert said["missing_share"].counts == {"rows": 24, "against": 9}
    assert said["missing_share"].example["missing_share"] == 0.5


def test_a_repeated_key_and_an_energy_that_quality_denies_are_errors(day: Checked) -> None:
    day.con.execute(f"CREATE OR REPLACE TEMP TABLE broken AS FROM {day.day.readings} UNION ALL (FROM {day.day.readings} LIMIT 1)")
    day.con.execute("UPDATE broken SET quality = 'missing' WHERE interval_start_utc = (SELECT max(interval_start_utc) FROM broken)")
    said = by_name(judged(day, "validated", "broken"))
    failed = {r.name for r in said.values() if not r.passed and r.severity == "error"}
    assert failed == {"repeated_keys", "quality_denies_energy"}


def test_no_result_shows_a_meter_or_the_energy_of_one(day: Checked) -> None:
    day.con.execute(f"CREATE OR REPLACE TEMP TABLE broken AS SELECT * REPLACE ('sideways' AS channel) FROM {day.day.readings}")
    said = judged(day, "validated", "broken")
    shown = by_name(said)["channel"]
    assert not shown.passed and shown.example["channel"] == "sideways"
    told = " ".join(f"{r.example} {r.against}" for r in said)
    assert "m1" not in told and "m2" not in told and "meter_id" not in told and "kwh" not in told


def test_a_class_beyond_what_its_connections_carry_warns(day: Checked) -> None:
    def classes(energy: str, rating: str = "15.0", role: str = "customer") -> dict[str, CheckResult]:
        day.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE classed AS
            SELECT * REPLACE ({energy} AS energy_kwh), 'home' AS class, {rating} AS rating_kw, '{role}' AS role FROM {day.day.readings} WHERE meter_id = 'm1'""")
        return by_name(judged(day, "validated", "classed"))

    assert classes("energy_kwh")["above_share"].passed and classes("energy_kwh")["below"].passed
    above = classes("energy_kwh + 9")["above_share"]  # over 18 kW
    assert not above.passed and above.severity == "warn" and above.example == {"class": "home", "meters": 1, "above_share": 1.0, "below": 0}
    assert classes("energy_kwh + 8")["above_share"].passed  # a fuse bears it
    assert classes("energy_kwh + 9", rating="NULL::DOUBLE")["above_share"].passed
    assert classes("energy_kwh + 9", role="feeder")["above_share"].counts["rows"] == 0
    assert not classes("energy_kwh - 1")["below"].passed
    assert by_name(judged(day, "validated", day.day.readings))["above_share"].counts["rows"] == 0  # no register, no class


def test_a_feeder_that_measures_far_more_than_its_meters_warns_and_one_with_usual_losses_does_not(day: Checked) -> None:
    def balance(factor: float) -> CheckResult:
        day.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE balanced AS
            SELECT *, 'f1' AS feeder, 'z' AS zone, 'customer' AS role FROM {day.day.readings} WHERE meter_id = 'm1'
            UNION ALL SELECT * REPLACE ('w' AS meter_id, energy_kwh * {factor} AS energy_kwh), 'f1', 'z', 'feeder'
            FROM {day.day.readings} WHERE meter_id = 'm1'""")
        return by_name(judged(day, "validated", "balanced"))["loss_share"]

    assert balance(1.06).passed and balance(0.99).passed
    for wrong in (1.3, 0.9):
        said = balance(wrong)
        assert not said.passed and said.severity == "warn" and said.example["feeder"] == "f1"
    assert by_name(judged(day, "validated", day.day.readings))["loss_share"].counts["rows"] == 0  # no register, no balance


def test_gross_generation_counts_against_import_only_where_the_meter_exports_nothing(day: Checked) -> None:
    def loss_share(*channels: tuple[str, float], measured: float) -> float:
        rows = [f"('m1', '{channel}', {kwh}, 'customer')" for channel, kwh in channels] + [f"('w', 'import', {measured}, 'feeder')"]
        day.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE sunny AS SELECT *, 'f1' AS feeder, 'measured' AS quality
            FROM (VALUES {", ".join(rows)}) t(meter_id, channel, energy_kwh, role)""")
        sql = all_suites()["validated"].views["feeders"]("sunny", DAY, ["feeder", "role"])
        return day.con.execute(f"SELECT loss_share FROM ({sql})").fetchall()[0][0]

    assert loss_share(("import", 3.0), ("generation", 2.0), measured=1.1) == pytest.approx(0.1 / 5)
    assert loss_share(("import", 3.0), ("generation", 2.0), ("export", 1.0), measured=2.1) == pytest.approx(0.1 / 4)
    assert loss_share(("import:E1", 3.0), ("generation:B1", 2.0), ("export:B2", 1.0), measured=2.1) == pytest.approx(0.1 / 4)


@pytest.mark.parametrize(
    ("hours_after_the_day", "passes"),
    [
        pytest.param(6.0, True, id="the next morning"),
        pytest.param(30.0, False, id="after the gate that needed it"),
        pytest.param(24 * 400.0, True, id="history in bulk"),
    ],
)
def test_a_zone_whose_readings_come_after_their_gate_warns_but_history_does_not(hours_after_the_day: float, passes: bool) -> None:
    given = check(readings(received_at=DAY.end_utc + timedelta(hours=hours_after_the_day)), [meter()])
    (said,) = judged(given, "timeliness", given.day.quality)
    assert said.severity == "warn" and said.passed is passes
    assert said.counts["rows"] == 1 and (passes or said.example["zone"] == "z")


def test_a_persons_value_is_no_error_of_quality_and_method(day: Checked) -> None:
    given = check(readings(), [meter()], verdicts=[verdict("replace", 7, value_kwh=9.0)])
    assert [r.name for r in judged(given, "validated", given.day.readings) if not r.passed] == []


def test_a_feature_day_without_one_hour_fails_and_names_the_zone(day: Checked) -> None:
    day.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE load AS
        SELECT 'north' AS zone, '*' AS feeder, TIMESTAMP '{DAY.start_utc}' + to_minutes(30 * k) AS interval_start_utc,
            30 AS interval_minutes, TIMESTAMP '{DAY.end_utc}' AS known_from_utc, 5.0::DOUBLE AS load_mw, 9 AS meters, 0.0 AS missing_share
        FROM range(46) t(k)""")
    said = by_name(judged(day, "features", "load"))
    assert not said["covered_share"].passed and said["covered_share"].example["zone"] == "north"
    assert said["without_load"].passed
    day.con.execute("UPDATE load SET load_mw = 'nan' WHERE interval_start_utc = ?", [DAY.start_utc + timedelta(hours=1)])
    assert not by_name(judged(day, "features", "load"))["without_load"].passed


def test_an_empty_relation_passes_without_a_traceback(day: Checked) -> None:
    day.con.execute(f"CREATE OR REPLACE TEMP TABLE nothing AS FROM {day.day.readings} LIMIT 0")
    assert all(result.passed for result in judged(day, "validated", "nothing"))


@pytest.mark.parametrize("rows_a_query", [pytest.param(1, id="a day a query"), pytest.param(10**6, id="days share a query")])
def test_days_judged_together_get_the_results_that_are_theirs(day: Checked, rows_a_query: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "ROWS_A_QUERY", rows_a_query)
    next_day = market_day(DAY.day + timedelta(days=1), "Europe/Berlin")
    moved = "interval_start_utc + INTERVAL 1 DAY AS interval_start_utc"
    later = f"SELECT * REPLACE ({moved}, 'sideways' AS channel) FROM {day.day.readings}"
    day.con.execute(f"CREATE OR REPLACE TEMP TABLE later AS {later}")
    both = run_suite(day.con, all_suites()["validated"], {DAY: day.day.readings, next_day: "later"}, CheckLimits())
    assert by_name(both[DAY.day])["channel"].passed and not by_name(both[next_day.day])["channel"].passed
    assert by_name(both[DAY.day])["missing_share"].counts == {"rows": 24, "against": 9}


def test_the_share_from_which_missing_readings_warn_is_a_limit(day: Checked) -> None:
    lenient = run_suite(day.con, all_suites()["validated"], {DAY: day.day.readings}, CheckLimits(warn_missing_share=0.6))
    assert by_name(lenient[DAY.day])["missing_share"].passed
