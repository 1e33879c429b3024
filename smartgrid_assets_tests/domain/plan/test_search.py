"""How a search names its end."""

from __future__ import annotations

import pytest

from smartgrid_assets.domain.plan import search
from smartgrid_assets.domain.plan.model import build_model
from smartgrid_assets.domain.plan.problem import SolveOptions
from smartgrid_assets.domain.plan.solve import Session
from smartgrid_assets_tests.domain.plan.small import problem, running, unit


@pytest.mark.parametrize(("bound", "status"), [(0.999, "gap"), (1.0, "optimal"), (0.9, "time limit")])
def test_out_of_time_but_near_enough_is_no_time_limit(monkeypatch: pytest.MonkeyPatch, bound: float, status: str) -> None:
    """The MIP runs out of time; the dispatch after it finds the plan that costs 100 times 10, the bound is a share of that."""
    session = Session(build_model(problem([100.0], unit("A", 10, 200, 10.0, **running()))), SolveOptions(gap=1e-2))

    def out_of_time(*_: object) -> str:
        session.bound = bound * 1000.0
        return "time limit"

    monkeypatch.setattr(session, "whole", out_of_time)
    outcome = search.find_commitment(session)
    assert (outcome.status, outcome.cost) == (status, pytest.approx(1000.0))
