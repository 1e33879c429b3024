"""A published plan settled with the load that came: what is decided, and what a control room may still do."""

from __future__ import annotations

from datetime import datetime, timedelta

from smartgrid_assets.chain.planning import held_to
from smartgrid_assets.domain.plan.units import ThermalUnit

STARTS = [datetime(2026, 3, 2) + timedelta(hours=n) for n in range(4)]
PUBLISHED = {STARTS[0]: 1, STARTS[1]: 0, STARTS[2]: 1}  # of the last interval, after the market day, nothing was published


def unit(hours: float) -> ThermalUnit:
    """A unit with these minimum times."""
    return ThermalUnit("U", "north", 1.0, 2.0, ((1.0, 5.0), (2.0, 9.0)), min_up_h=hours, min_down_h=hours)


def test_a_slow_unit_keeps_its_commitment_on_and_off() -> None:
    assert held_to(unit(4.0), PUBLISHED, STARTS).fixed_commitment == (1, 0, 1, None)


def test_a_quick_unit_keeps_running_where_planned_and_may_be_started_elsewhere() -> None:
    assert held_to(unit(1.0), PUBLISHED, STARTS).fixed_commitment == (1, None, 1, None)
