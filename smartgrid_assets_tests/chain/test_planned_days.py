"""Days planned and settled in a small place: what each way to plan stands on, that none beats perfect foresight, and the rest of a day planned anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.replanning import record, replan, told
from smartgrid_assets.chain.step import Work, run_step
from smartgrid_assets.chain.steps import dispatch
from smartgrid_assets.chain.strategies import STRATEGIES, chosen_strategies
from smartgrid_assets.domain.errors import PlanError, SettingsError
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, at_home, deliver, kwh, lines_of, morning_after, place, rows, run

pytestmark = pytest.mark.xdist_group("test_planned_days")  # its lake is made once, in one worker

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
        at_home(patch, folder / "home", "naive_2d")
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


def test_a_week_ago_is_another_forecast_than_the_published_one(planned: Context) -> None:
    told = dict(rows(planned, f"SELECT plan, error_mwh FROM dispatch.settled_errors WHERE day = '{DAY}' AND zone = '*'"))
    assert told["published"] == told["fixed_reserve"] == told["stochastic"] != told["naive_forecast"]


def test_what_is_settled_has_to_hold_no_reserve(planned: Context) -> None:
    from smartgrid_assets.chain.plan_inputs import actual_load
    from smartgrid_assets.chain.strategies import to_settle

    with planned.lake.connect() as con:
        work = Work(planned, con, DAY, {})
        assert max(to_settle(work, actual_load(work)).problem.reserve_mw) == 0


def test_scenarios_are_paths_of_the_demand_chosen_to_stand_for_all(planned: Context) -> None:
    from smartgrid_assets.chain.plan_inputs import forecast_load
    from smartgrid_assets.chain.planning import _paths, _scenarios, day_problem
    from smartgrid_assets.domain.plan.reduction import fast_forward

    with planned.lake.connect() as con:
        work = Work(planned, con, DAY, {})
        problem = day_problem(work, forecast_load(work), "none").problem
        told, paths = _scenarios(work, problem), _paths(work, problem)
    assert told is not None and paths is not None
    demands, weights = told
    chosen, shares = fast_forward(paths, 4)
    assert demands[:, : paths.shape[1]].tolist() == paths[chosen].tolist() and weights.tolist() == shares.tolist()
    assert (demands[:, paths.shape[1] :] == np.array(problem.demand_mw)[paths.shape[1] :]).all() and demands.shape == (4, 48)


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


def test_the_day_after_needs_the_same_reserve_also_where_today_feeds_back(planned: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """A surplus at noon is no demand that a reserve could be a share of."""
    from smartgrid_assets.chain.plan_inputs import forecast_load
    from smartgrid_assets.chain.planning import day_problem

    with planned.lake.connect() as con:
        work = Work(planned, con, DAY, {})
        load = forecast_load(work)
        sunny = load["interval_start_utc"].between(NOON, NOON + timedelta(hours=2))
        problem = day_problem(work, load.assign(load_mw=load["load_mw"].where(~sunny, -0.001)), "quantile").problem
    assert min(problem.demand_mw[:24]) < 0 and problem.reserve_mw[24:] == problem.reserve_mw[:24]


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


def test_on_a_built_in_fleet_no_other_way_is_compared(planned: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace as with_more

    from smartgrid_assets.chain import planning, strategies

    of_delivered = planning.day_problem
    monkeypatch.setattr(strategies, "day_problem", lambda *a, **more: with_more(of_delivered(*a, **more), fleet_source="reference"))
    with planned.lake.connect() as con:
        told, _ = strategies.settled_rows(Work(planned, con, DAY, {}))
    assert set(told["plan"]) == {"published", "perfect_foresight"}


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


NOON = datetime.combine(DAY, time(11))
"""UTC; 12:00 in winter."""


def test_the_rest_of_a_day_goes_on_from_the_schedule_and_slow_units_stay_as_committed(planned: Context) -> None:
    made = replan(planned, DAY, NOON)
    assert made.from_utc == NOON and made.planned.units["interval_start_utc"].min() == NOON
    assert set(made.planned.units["unit"]) == {"steam", "motor", "battery"} and made.planned.units["interval_start_utc"].nunique() == 12
    of = {name: rows.set_index("interval_start_utc") for name, rows in made.planned.units.groupby("unit")}
    before = {name: rows.set_index("interval_start_utc") for name, rows in made.before.groupby("unit")}
    assert of["steam"]["committed"].tolist() == before["steam"].loc[NOON:, "committed"].tolist()
    stored = before["battery"].loc[NOON - timedelta(hours=1), "stored_mwh"]
    first = of["battery"].iloc[0]
    assert first["stored_mwh"] == pytest.approx(stored + 0.95 * first["charge_mw"] - first["discharge_mw"] / 0.95, abs=1e-6)


def test_a_slow_unit_goes_on_running_where_a_free_plan_would_stop_it(planned: Context) -> None:
    little = replan(planned, DAY, NOON, load_percent=-70.0)
    steam = little.planned.units[little.planned.units["unit"] == "steam"]
    before = little.before[(little.before["unit"] == "steam") & (little.before["interval_start_utc"] >= NOON)]
    assert steam["committed"].tolist() == before["committed"].tolist() and before["committed"].any()
    assert little.planned.prices["demand_mw"].min() < 0.003, "there is load enough for the unit's least power: nothing is shown"


def test_a_quick_unit_that_was_to_run_may_stop(planned: Context) -> None:
    """Only what starts slowly is held, whatever the schedule in force has the others do."""
    held = {unit.name: unit.fixed_commitment for unit in replan(planned, DAY, NOON).planned.problem.fleet.thermal}
    assert set(held["steam"][:12]) <= {0, 1} and held["steam"][12:] == (None,) * 24 and held["motor"] == ()


def test_more_load_than_was_forecast_is_met_and_told(planned: Context) -> None:
    as_was, more = replan(planned, DAY, NOON), replan(planned, DAY, NOON, load_percent=20.0)
    assert more.planned.prices["demand_mw"].tolist() == pytest.approx((1.2 * as_was.planned.prices["demand_mw"]).tolist())
    assert more.planned.summary("x").iloc[0]["cost_total"] > as_was.planned.summary("x").iloc[0]["cost_total"]
    assert told(more, "Europe/Berlin")[0].endswith("from 12:00 +01:00; 0.000 MWh not served.")


def test_a_replan_is_appended_and_the_next_one_goes_on_from_it(planned: Context) -> None:
    published = rows(planned, f"SELECT unit, interval_start_utc, power_mw FROM dispatch.plan WHERE day = '{DAY}' ORDER BY ALL")
    first = replan(planned, DAY, NOON, load_percent=-30.0)
    record(planned, DAY, first, "a warm front", datetime(2026, 3, 22, 11, 1))
    again = replan(planned, DAY, NOON + timedelta(hours=3))
    keys = ["unit", "interval_start_utc"]
    overlaid = again.before.merge(first.planned.units[[*keys, "power_mw"]], on=keys, suffixes=("", "_first"))
    assert len(overlaid) == 36 and overlaid["power_mw"].tolist() == pytest.approx(overlaid["power_mw_first"].tolist())
    assert len(again.before) == 72 and again.planned.units["interval_start_utc"].min() == NOON + timedelta(hours=3)
    assert rows(planned, f"SELECT unit, interval_start_utc, power_mw FROM dispatch.plan WHERE day = '{DAY}' ORDER BY ALL") == published
    assert rows(planned, "SELECT why, from_utc, plan FROM dispatch.replan_summary") == [("a warm front", NOON, "re-plan")]
    assert rows(planned, "SELECT count(*), min(interval_start_utc) FROM dispatch.replan") == [(36, NOON)]


def test_an_outage_that_came_since_is_planned_around_and_named(planned: Context, tmp_path: Path) -> None:
    broken = FLEET.replace(
        'name = "steam"',
        f'name = "steam"\noutages = [{{from_utc = {NOON.isoformat()}, to_utc = {(NOON + timedelta(days=2)).isoformat()}}}]',
    )
    (tmp_path / "fleet.toml").write_text(broken)
    deliver(planned, (tmp_path / "fleet.toml", NOON))
    made = replan(planned, DAY, NOON)
    steam = made.planned.units[made.planned.units["unit"] == "steam"]
    assert not steam["committed"].any() and {unit for unit, _, on in made.changes() if not on} == {"steam"}
    assert any(line.endswith("steam is off, was to run.") for line in told(made, "Europe/Berlin"))


def test_a_day_without_a_plan_or_that_is_over_is_refused(planned: Context) -> None:
    with pytest.raises(PlanError, match="There is no plan of 2026-04-22"):
        replan(planned, DAY + timedelta(days=31), NOON)
    with pytest.raises(PlanError, match="nothing left to plan"):
        replan(planned, DAY, NOON + timedelta(days=1))


def test_the_command_says_what_it_would_do_and_writes_only_when_told(planned: Context) -> None:
    from click.testing import CliRunner

    from smartgrid_assets.cli import main

    asked = ["replan", "--at", f"{DAY}T15:00", "--why", "a trial", "--load-percent", "5"]
    count = "SELECT count(*) FROM dispatch.replan_summary WHERE why = 'a trial'"
    dry = CliRunner().invoke(main, [*asked, "--dry-run"])
    assert dry.exit_code == 0 and "from 15:00 +01:00" in dry.output and rows(planned, count) == [(0,)]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0 and rows(planned, count) == [(1,)]
    assert CliRunner().invoke(main, [*asked[:3], "--why", " "]).exit_code == 1


def test_ways_to_plan_are_runs_of_an_experiment_with_the_week_as_step(planned: Context) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=planned.tracking.uri)
    experiment = client.get_experiment_by_name("planning")
    found = {run.data.tags["smartgrid.weeks_of"]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(found) == {"published", "perfect_foresight", *STRATEGIES, "forecast value"}
    weeks = rows(
        planned,
        "SELECT date_trunc('week', day)::DATE, avg(regret) FROM dispatch.settlement WHERE plan = 'naive_forecast' GROUP BY 1 ORDER BY 1",
    )
    history = client.get_metric_history(found["naive_forecast"].info.run_id, "regret_a_day")
    logged = {one.step: one.value for one in history}
    assert len(history) == len(weeks) == 2
    assert logged == {(week - date(2000, 1, 3)).days // 7: pytest.approx(regret) for week, regret in weeks}
    assert "cost_per_percent" in found["forecast value"].data.metrics
