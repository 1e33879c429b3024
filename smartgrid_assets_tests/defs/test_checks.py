"""Asset checks as Dagster runs them: red where a day is held, yellow where it is thin, green elsewhere."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from smartgrid_assets.chain.replay import steps
from smartgrid_assets.defs.checks import days_of
from smartgrid_assets.defs.launch import QUIET, range_tags
from smartgrid_assets.defs.step_asset import asset_keys
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, morning_after, place

SOUND, THIN, POOR = (FIRST + timedelta(days=n) for n in range(3))
ENERGY_OF_A1_AT_NOON = "1.4567"


def evaluations(step_name: str, first: date, last: date) -> dict[tuple[str, str, str | None], Any]:
    """(table, check, partition) -> evaluation, of a run over a step's days with all its checks."""
    from smartgrid_assets.definitions import defs

    step = next(step for step in steps() if step.name == step_name)
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            run_config=QUIET, instance=instance, tags=range_tags(step, [first, last]), asset_selection=asset_keys(step)
        )
    found = (event.event_specific_data for event in result.all_events if event.event_type_value == "ASSET_CHECK_EVALUATION")
    return {(e.asset_key.to_user_string(), e.check_name, e.partition): e for e in found}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Evaluations of a sound day, one with some readings missing, and one that is held."""
    from smartgrid_assets.settings import settings

    folder = tmp_path_factory.mktemp("checks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMARTGRID_HOME", str(folder / "home"))
        settings.cache_clear()
        context, files = place(folder / "in", 3)
        secret = lines_of(THIN, METERS, {("A1", 12): float(ENERGY_OF_A1_AT_NOON)})
        file_of(folder / "in", f"readings_{THIN}.csv", [line for n, line in enumerate(secret) if n not in range(3, 7)])
        file_of(folder / "in", f"readings_{POOR}.csv", lines_of(POOR)[:20])
        deliver(context, *files)
        yield evaluations("check", SOUND, POOR) | evaluations("load", SOUND, THIN)
    settings.cache_clear()


def of(said: Any, check: str, day: date, table: str = "validated/meter_readings") -> Any:
    """One evaluation of a day."""
    return said[table, check, day.isoformat()]


def test_a_held_day_is_red_with_its_reason_and_no_other_day_is(said: Any) -> None:
    held = of(said, "is_not_held", POOR)
    assert not held.passed and held.severity == dg.AssetCheckSeverity.ERROR
    assert "were not delivered" in held.description and "35%" in held.description
    assert of(said, "is_not_held", SOUND).passed and of(said, "is_not_held", THIN).passed


def test_missing_readings_warn_with_counts_a_share_an_example_and_a_table(said: Any) -> None:
    thin = of(said, "completeness", THIN)
    assert not thin.passed and thin.severity == dg.AssetCheckSeverity.WARN
    assert thin.metadata["failed"].value >= 1
    assert thin.metadata["missing_share"].value == pytest.approx(4 / 72)
    assert thin.metadata["example"].value["zone"] == "north"
    assert "missing_share" in thin.metadata["table"].md_str
    assert of(said, "completeness", SOUND).passed


def test_no_check_shows_a_meter_or_its_energy(said: Any) -> None:
    told = " ".join(str(evaluation) for evaluation in said.values())
    assert "A1" not in told and ENERGY_OF_A1_AT_NOON not in told


def test_features_are_judged_by_their_own_suite(said: Any) -> None:
    assert of(said, "expectations", SOUND, "features/load").passed
    assert not of(said, "completeness", THIN, "features/load").passed


def test_every_check_of_a_run_is_about_one_of_its_days(said: Any) -> None:
    daily = {partition for _, check, partition in said if check != "is_fresh"}
    assert daily == {day.isoformat() for day in (SOUND, THIN, POOR)}


def test_freshness_warns_in_a_home_whose_newest_day_is_long_ago(said: Any) -> None:
    stale = said["validated/meter_readings", "is_fresh", None]
    assert not stale.passed and stale.severity == dg.AssetCheckSeverity.WARN


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        pytest.param({"dagster/partition": "2026-03-02"}, [date(2026, 3, 2)], id="one partition"),
        pytest.param(
            {"dagster/asset_partition_range_start": "2026-03-28", "dagster/asset_partition_range_end": "2026-03-30"},
            [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)],
            id="a range",
        ),
        pytest.param({"smartgrid/why": "run"}, [], id="no partition"),
    ],
)
def test_the_days_of_a_run_are_read_from_its_tags(tags: dict[str, str], days: list[date]) -> None:
    assert days_of(tags) == days


def test_a_day_that_arrives_after_all_is_no_longer_red(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 1)
    poor = file_of(tmp_path / "in", "poor.csv", lines_of(FIRST)[:20])
    deliver(context, files[0], (poor, morning_after(FIRST)))
    assert not of(evaluations("check", FIRST, FIRST), "is_not_held", FIRST).passed
    deliver(context, files[1])
    assert of(evaluations("check", FIRST, FIRST), "is_not_held", FIRST).passed
