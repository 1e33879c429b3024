"""The demo's closing words."""

from dataclasses import replace
from datetime import date

from smartgrid_assets.domain.present import summary as words

READINGS = words.ReadingsSummary(
    date(2026, 3, 1), date(2026, 3, 21), 21, (), 201_600, 1_234, 56,
    {"gap": 900, "spike": 30, "stuck": 300, "negative": 4, "duplicate": 50, "misaligned": 1},
)  # fmt: skip
PUBLISHED = words.ForecastSummary("published", 0.02, 0.006, 0.031)
NAIVES = [words.ForecastSummary("two days ago", 0.04, 0.02, 0.062), words.ForecastSummary("seven days ago", 0.05, 0.02, 0.08)]
PLAN = words.PlanSummary(21, "EUR", 10_500.4, 0.2, 0.19, 0.0, "delivered", comparable_cost=10_000.0, perfect_cost=9_500.0)


def test_the_summary_says_everything_in_order():
    lines = words.demo_summary(
        READINGS,
        PUBLISHED,
        NAIVES,
        [words.AlarmSummary("ecod", 10, 8, 3)],
        words.CaseSummary(date(2026, 3, 14), 3, 2, 7),
        PLAN,
        [words.NextCommand("open Dagster", "make ui")],
    )
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")] == [
        "Readings",
        "Forecast",
        "Alarms",
        "Plan",
        "Next",
    ]
    text = "\n".join(lines)
    for part in (
        "201,600 delivered, 1,234 repaired, 56 rejected", "why: gap 900, stuck 300, duplicate 50, spike 30, negative 4\n",
        "50% better than the best naive (two days ago)",
        "10 alarms, 8 on true faults, 3 faulty meter-days missed; 80% of the alarms are right",
        "0.0200     3.1%",
        "21 days cost 10,500 EUR; reserve 0.2 MW held of 0.19 MW required",
        "settled with the load that came 10,000; perfect foresight would have cost 9,500: +500 (+5.26%)",
    ):  # fmt: skip
        assert part in text


def test_a_forecast_worse_than_the_naive_says_so():
    assert any("25% WORSE" in line for line in words.forecast_lines(replace(PUBLISHED, mae_mw=0.05), NAIVES))


def test_what_is_not_known_is_said_and_never_a_zero():
    text = "\n".join(words.demo_summary(READINGS, None, [], [], None, None, []))
    assert "no day is scored yet" in text and "no day was searched" in text and "no day is planned yet" in text
    assert "once the load is" in words.plan_lines(replace(PLAN, perfect_cost=None))[1]


def test_unserved_energy_held_days_and_a_made_up_fleet_are_not_hidden():
    text = "\n".join(words.plan_lines(replace(PLAN, unserved_mwh=1.5, fleet_source="reference")))
    assert "1.50 MWh could NOT be served" in text and "no fleet was delivered" in text
    assert words.readings_lines(replace(READINGS, held_days=(date(2026, 3, 7),)))[-1].endswith("held back: 2026-03-07")


def test_a_detector_without_alarms_has_no_precision():
    assert words.alarm_lines([words.AlarmSummary("ecod", 0, 0, 2)])[0].endswith("no alarms")


def test_cases_are_told_with_how_many_are_right_and_nothing_where_no_day_has_any():
    assert words.case_lines(None) == []
    (line,) = words.case_lines(words.CaseSummary(date(2026, 3, 14), 3, 2, 7))
    assert (
        line.strip() == "cases of 2026-03-14: 2 of 3 where something truly is wrong; 7 more meters changed for reasons that need no visit"
    )
    assert "none to visit; 0 more" in words.case_lines(words.CaseSummary(date(2026, 3, 14), 0, 0, 0))[0]
