"""Egret's cases: solved to their published optima, and broken ones refused with a path."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.case import CaseFormat
from smartgrid_assets.domain.plan.cases.egret import CASE
from smartgrid_assets.domain.plan.dispatch import SolveOptions, plan_dispatch
from smartgrid_assets.domain.registry import discover

PINNED = [
    pytest.param("test_case_1", 4201915.0173, id="28 units"),
    pytest.param("tiny_uc_1", 487389.24464, id="ancillary services"),
    pytest.param("tiny_uc_2", 158980.2698, id="fuel supplies"),
    pytest.param("tiny_uc_3", 103398.6464755, id="two fuels, one at a time"),
    pytest.param("tiny_uc_4", 81382.5248125, id="two fuels, changed while off"),
    pytest.param("tiny_uc_5", 92373.6462865, id="two fuels together"),
]


def _content(shared_data: Path, name: str) -> dict[str, Any]:
    file = shared_data / "dispatch_egret_uc" / f"{name}.json.gz"
    if not file.exists():
        pytest.skip(f"{file} is absent: Egret's published cases are not on this machine.")
    return json.loads(gzip.decompress(file.read_bytes()))


def test_every_case_format_is_found_by_its_constant():
    formats = discover("smartgrid_assets.domain.plan.cases", "CASE")
    assert all(isinstance(case, CaseFormat) for case in formats.values()) and "egret" in formats


@pytest.mark.slow
@pytest.mark.parametrize(("name", "optimum"), PINNED)
def test_a_published_case_is_solved_to_its_known_optimum(shared_data, name, optimum):
    plan = plan_dispatch(CASE.read(_content(shared_data, name)), SolveOptions(gap=1e-5, time_limit_s=300))
    assert plan.summary["solved_cost"] == pytest.approx(optimum, rel=1e-4)
    assert plan.summary["bound"] <= optimum * (1 + 1e-6)
    assert plan.violations == []


def _case() -> dict[str, Any]:
    generator = {
        "generator_type": "thermal", "p_min": 10, "p_max": 50, "ramp_up_60min": 20, "ramp_down_60min": 20, "min_up_time": 1,
        "min_down_time": 1, "initial_status": 5, "initial_p_output": 30,
        "p_cost": {"cost_curve_type": "piecewise", "values": [[10, 100], [50, 500]]},
    }  # fmt: skip
    return {
        "system": {"time_keys": ["1", "2"], "time_period_length_minutes": 30},
        "elements": {
            "load": {"L": {"p_load": {"data_type": "time_series", "values": [30, 35]}}},
            "generator": {"G": generator},
        },
    }


def test_a_small_case_is_read_with_capacities_scaled_to_half_hours():
    problem = CASE.read(_case())
    unit = problem.fleet.thermal[0]
    assert (problem.interval_minutes, list(problem.demand_mw)) == (30, [30, 35])
    assert (unit.start_up_mw, unit.shut_down_mw) == (15.0, 15.0)
    assert not problem.services.products


BROKEN = [
    pytest.param(lambda c: c.pop("system"), "system: missing", id="no system"),
    pytest.param(lambda c: c["elements"].pop("generator"), "elements.generator: missing", id="no generator"),
    pytest.param(lambda c: c["elements"]["generator"]["G"].pop("p_min"), "elements.generator.G.p_min", id="no p_min"),
    pytest.param(lambda c: c["elements"]["generator"]["G"].update(generator_type="renewable"), "generator_type", id="renewable"),
    pytest.param(lambda c: c["elements"].update(branch={"b": {}}), "elements.branch", id="network"),
    pytest.param(lambda c: c["elements"]["generator"]["G"].update(p_min=90), "elements.generator.G", id="pmin over pmax"),
    pytest.param(lambda c: c["elements"]["load"]["L"]["p_load"]["values"].append(3), "3 values for 2", id="length"),
]


@pytest.mark.parametrize(("break_it", "words"), BROKEN)
def test_a_broken_case_is_refused_with_the_path_in_it(break_it, words):
    content = _case()
    break_it(content)
    with pytest.raises(PlanError) as refused:
        CASE.read(content)
    assert words in str(refused.value)
