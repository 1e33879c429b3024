"""Ways to plan, settled with the load that came: what each stands on, and that none beats perfect foresight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.step import Work, run_step
from smartgrid_assets.chain.steps import dispatch
from smartgrid_assets.chain.strategies import STRATEGIES, chosen_strategies
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, at_home, deliver, kwh, lines_of, morning_after, place, rows, run

pytestmark = pytest.mark.xdist_group("test_settlement")  # its lake is made once, in one worker

DAYS, ISSUED = 22, 20
DAY = FIRST + timedelta(days=ISSUED)
FLEET = """
[[thermal]]
name = "steam"
zone = "*"
p_min_mw = 0.003
p_max_mw = 0.008
cost_curve = [[0.003, 0.3], [0.008, 0.5]]
startup_costs = [[0.0, 0.2]]
min_up_h = 4
min_down_h = 4

[[thermal]]
name = "motor"
zone = "*"
p_min_mw = 0.0005
p_max_mw = 0.012
cost_curve = [[0.0005, 0.06], [0.012, 1.44]]

[[storage]]
name = "battery"
zone = "*"
charge_mw = 0.001
discharge_mw = 0.001
energy_mwh = 0.002
initial_mwh = 0.001
"""
"""A slow cheap unit and a quick dear one."""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """Three weeks of the small place, the last two days planned and settled in every way."""
    folder = tmp_path_factory.mktemp("settled")
    with pytest.MonkeyPatch.context() as patch:
        at_home(patch, folder / "home", "naive_2d,naive_7d")
        patch.setenv("SMARTGRID_SETTLED_PLANS", ",".join(STRATEGIES))
        patch.setenv("SMARTGRID_SCENARIOS", "4")
        patch.setenv("SMARTGRID_SETTLEMENT_GAP", "1e-5")
        context, files = place(folder / "in", DAYS)
        fleet = folder / "in" / "fleet.toml"
        fleet.write_text(FLEET)
        deliver(context, *files, (fleet, morning_after(FIRST)))
        run(context, FIRST, FIRST + timedelta(days=DAYS - 1), "validated,features")
        run(context, FIRST + timedelta(days=8), DAY + timedelta(days=1), "forecasts")
        run(context, DAY, DAY + timedelta(days=1), "dispatch")
        yield context
    settings.cache_clear()


def test_every_way_is_settled_and_none_beats_perfect_foresight(planned: Context) -> None:
    found = rows(planned, f"SELECT plan, regret, solved_cost, bound, is_relaxed, status FROM dispatch.settlement WHERE day = '{DAY}'")
    assert {row[0] for row in found} == {"published", "perfect_foresight", *STRATEGIES}
    bound = next(row[3] for row in found if row[0] == "perfect_foresight")
    for plan, regret, cost, _, is_relaxed, status in found:
        assert not is_relaxed and status in ("optimal", "gap"), plan
        assert cost >= bound - 1e-6 and regret >= -1e-4 * cost, plan
    assert max(row[1] for row in found) > 0, "a day on which every way is perfect tells nothing"


def test_errors_are_those_of_the_load_that_was_planned_for(planned: Context) -> None:
    """Of the naive forecast, from the meters' own readings: today's north load against that of a week before."""
    starts = [
        row[0]
        for row in rows(
            planned, f"SELECT interval_start_utc FROM features.load WHERE day = '{DAY}' AND zone = 'north' AND feeder = '*' ORDER BY 1"
        )
    ]
    north = [sum(kwh(meter, start) for meter in ("A1", "A2")) for start in starts]
    before = [sum(kwh(meter, start - timedelta(days=7)) for meter in ("A1", "A2")) for start in starts]
    error, load, percent = rows(
        planned,
        f"SELECT error_mwh, load_mwh, error_percent FROM dispatch.settled_errors WHERE day = '{DAY}' AND plan = 'naive_forecast' AND zone = 'north'",
    )[0]
    assert load == pytest.approx(sum(north) / 1000) and error == pytest.approx(np.abs(np.subtract(north, before)).sum() / 1000)
    assert percent == pytest.approx(100 * error / load)
    known = rows(planned, f"SELECT zone, error_mwh FROM dispatch.settled_errors WHERE day = '{DAY}' AND plan = 'known_load' ORDER BY 1")
    assert known == [("*", 0.0), ("north", 0.0), ("south", 0.0)]


def test_the_published_reserve_is_what_the_joint_paths_need(planned: Context) -> None:
    from smartgrid_assets.domain.plan.reserve_need import reserve_need

    required = [
        row[0] for row in rows(planned, f"SELECT reserve_required_mw FROM dispatch.prices WHERE day = '{DAY}' ORDER BY interval_start_utc")
    ]
    demand = [row[0] for row in rows(planned, f"SELECT demand_mw FROM dispatch.prices WHERE day = '{DAY}' ORDER BY interval_start_utc")]
    drawn = rows(
        planned, f"SELECT path, interval_start_utc, sum(load_mw) FROM forecasts.scenarios WHERE day = '{DAY}' GROUP BY ALL ORDER BY 1, 2"
    )
    paths = np.array([row[2] for row in drawn]).reshape(-1, len(demand)) * planned.settings.loss_factor
    assert required == pytest.approx(reserve_need(paths, np.array(demand), 0.01).tolist()) and min(required) > 0


def test_one_percent_of_error_has_a_price(planned: Context) -> None:
    found = rows(
        planned,
        "SELECT zone, season, days, cost_per_percent, low FROM dispatch.forecast_value WHERE zone = '*' AND season = 'all' ORDER BY week DESC",
    )
    assert found[0][2] == 2 and found[0][4] is None


def test_what_binds_every_unit_is_told_of_every_interval(planned: Context) -> None:
    count = "SELECT count(*), count(DISTINCT (unit, interval_start_utc)) FROM dispatch.{} WHERE day = '{}'"
    assert rows(planned, count.format("why", DAY)) == rows(planned, count.format("plan", DAY))


@pytest.mark.parametrize("method", ["stochastic", "fixed_reserve"])
def test_the_plan_is_published_by_the_method_that_is_set(planned: Context, method: str) -> None:
    from smartgrid_assets.chain.plan_inputs import forecast_load
    from smartgrid_assets.chain.planning import published_day

    context = replace(planned, settings=planned.settings.model_copy(update={"commitment": method}))
    with context.lake.connect() as con:
        found = published_day(Work(context, con, DAY, {}), forecast_load(Work(context, con, DAY, {})))
    summary, required = found.summary("published").iloc[0], found.prices["reserve_required_mw"]
    if method == "stochastic":
        assert "committed over 4 scenarios" in summary["explanation"] and required.max() == 0
    else:
        assert required.tolist() == pytest.approx((0.1 * found.prices["demand_mw"]).tolist())


@pytest.mark.parametrize("method", ["quantile_reserve", "stochastic"])
def test_without_joint_paths_a_share_of_demand_stands_in_and_is_said(
    planned: Context, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartgrid_assets.chain import planning
    from smartgrid_assets.chain.plan_inputs import forecast_load

    monkeypatch.setattr(planning, "demand_paths", lambda *_: None)
    context = replace(planned, settings=planned.settings.model_copy(update={"commitment": method}))
    with context.lake.connect() as con:
        found = planning.published_day(Work(context, con, DAY, {}), forecast_load(Work(context, con, DAY, {})))
    assert "There are no joint paths of the day: the reserve is 10% of demand." in found.summary("published").iloc[0]["explanation"]
    assert found.prices["reserve_required_mw"].tolist() == pytest.approx((0.1 * found.prices["demand_mw"]).tolist())


def test_a_correction_of_the_load_settles_its_day_again_and_the_week_with_it(planned: Context, tmp_path: Path) -> None:
    from smartgrid_assets_tests.chain.small import METERS, file_of

    settlement, value = dispatch.STEPS[2], dispatch.STEPS[3]
    late = file_of(tmp_path, "late.csv", lines_of(DAY, METERS, {("A2", hour): 2.5 for hour in range(6)}))
    deliver(planned, (late, morning_after(DAY + timedelta(days=3))))
    run(planned, DAY, DAY, "validated,features")
    week = DAY - timedelta(days=DAY.weekday())
    assert run_step(planned, settlement, DAY, only_due=True).state.kind == "stale"
    assert run_step(planned, value, week, only_due=True).state.kind == "stale"
    assert run_step(planned, dispatch.STEPS[0], DAY, only_due=True).state.kind == "fresh"


def test_an_unknown_way_to_plan_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="'guessing' is no way to plan; there are: fixed_reserve"):
        chosen_strategies("fixed_reserve, guessing")
    assert list(chosen_strategies("")) == []
