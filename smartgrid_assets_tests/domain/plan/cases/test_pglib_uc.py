"""pglib-uc cases: a published day within its proved bounds, a small one by hand, and broken ones refused with a path."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.cases.pglib_uc import CASE
from smartgrid_assets.domain.plan.dispatch import SolveOptions, plan_dispatch


@pytest.mark.slow
def test_a_published_day_costs_what_is_proved_to_be_its_least(shared_data):
    file = shared_data / "dispatch_pglib_uc" / "rts_gmlc__2020-07-06.json.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent: pglib's cases are not on this machine.")
    plan = plan_dispatch(CASE.read(json.loads(gzip.decompress(file.read_bytes()))), SolveOptions(gap=1e-3, time_limit_s=300, threads=2))
    # gridx-egret 0.6.2 with HiGHS to a gap of 1e-4: between 3,728,923.30 and 3,729,285.82
    assert plan.summary["cost_total"] >= 3728923.29 and plan.summary["bound"] <= 3729285.83
    assert plan.summary["gap"] <= 1e-3 and plan.violations == []


def case() -> dict[str, Any]:
    unit = {
        "must_run": 0, "power_output_minimum": 10.0, "power_output_maximum": 50.0, "ramp_up_limit": 20.0, "ramp_down_limit": 20.0,
        "ramp_startup_limit": 45.0, "ramp_shutdown_limit": 15.0, "time_up_minimum": 1, "time_down_minimum": 1, "power_output_t0": 0.0,
        "unit_on_t0": 0, "time_down_t0": 5, "time_up_t0": 0, "startup": [{"lag": 1, "cost": 7.0}],
        "piecewise_production": [{"mw": 10.0, "cost": 100.0}, {"mw": 50.0, "cost": 500.0}],
    }  # fmt: skip
    wind = {"power_output_minimum": [5.0, 5.0], "power_output_maximum": [5.0, 15.0]}
    return {
        "time_periods": 2,
        "demand": [30.0, 45.0],
        "reserves": [0.0, 2.0],
        "thermal_generators": {"G": unit},
        "renewable_generators": {"W": wind},
    }


def test_a_small_case_by_hand():
    problem = CASE.read(case())
    (unit,) = problem.fleet.thermal
    assert unit.start_up_mw == 30 and unit.shut_down_mw == 15  # its ramp is the narrower limit when it starts
    plan = plan_dispatch(problem, SolveOptions(gap=0.0))
    # floors of 5 MW are served first; then 25 and 30 MW at 10 each, and a start
    assert plan.summary["cost_total"] == pytest.approx(250 + 300 + 7) and plan.violations == []


def test_demand_and_reserve_are_not_given_up_quietly():
    much = case() | {"demand": [30.0, 95.0]}
    plan = plan_dispatch(CASE.read(much), SolveOptions(gap=0.0))
    assert plan.summary["relaxed"] and plan.summary["explanation"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.pop("demand"), "^demand: missing"),
        (lambda c: c["demand"].pop(), "^demand: 1 values for 2 time periods"),
        (lambda c: c["demand"].__setitem__(1, float("nan")), "^demand.1: nan is no number"),
        (lambda c: c["thermal_generators"]["G"].pop("must_run"), "^thermal_generators.G.must_run: missing"),
        (lambda c: c["thermal_generators"]["G"].update(ramp_up_limit="fast"), "^thermal_generators.G.ramp_up_limit: 'fast' is no number"),
        (lambda c: c["thermal_generators"]["G"].update(power_output_minimum=60.0), "thermal_generators.G"),
        (
            lambda c: c["renewable_generators"]["W"].update(power_output_minimum=[9.0, 5.0]),
            "^renewable_generators.W.power_output_minimum.0: 9",
        ),
    ],
)
def test_a_broken_case_is_a_sentence_with_its_path(change, sentence):
    broken = case()
    change(broken)
    with pytest.raises(PlanError, match=sentence):
        CASE.read(broken)
