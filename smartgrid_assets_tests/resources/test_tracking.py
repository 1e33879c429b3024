"""MLflow's store: one run stands a week, its model loads from our own store alone, unchanged, and without Dagster."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smartgrid_assets.domain.errors import ForecastError, LakeWriteError
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import FitContext, models
from smartgrid_assets.resources.moved_store import follow_move
from smartgrid_assets.resources.tracking import SUPERSEDED, ModelRun, Tracking

MONDAY = date(2026, 1, 5)


def a_run(**changes) -> ModelRun:
    times = pd.to_datetime(["2026-01-01", "2026-01-08"])
    given = pd.DataFrame({"zone": "Z1", "role": ["history", "future"], "interval_start_utc": times, "load_mw": [1.0, None]})
    spec = ModelRun(
        model="seasonal_naive",
        zone_group="north",
        week=MONDAY,
        blob=b"a fitted forecaster",
        dataset_digest=hashlib.sha256(b"training data").hexdigest(),
        training_summary=pd.DataFrame({"zone": ["Z1"], "rows": [17520.0], "mean_mw": [3.2]}),
        example_input=given,
        example_output=pd.DataFrame({"zone": ["Z1"], "interval_start_utc": times[1:], "q50": [1.0]}),
        params={"period_days": 7},
        tags={
            "dagster_run_id": "5f1c",
            "partition": "2026-01-05",
            "git_sha": "0123abc",
            "dagster_url": "http://localhost:3000/runs/5f1c",
        },
        metrics={"pinball_mw": 0.4, "mase": float("nan")},
        zone_metrics=pd.DataFrame({"zone": ["Z1"], "mae_mw": [0.7]}),
    )
    return replace(spec, **changes)


IMPORTANCE = {"zone": "Z1", "feature": "lags", "share": 0.75}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory) -> Tracking:
    return Tracking(tmp_path_factory.mktemp("home") / "mlruns")


def standing(tracking: Tracking, model: str) -> list[str]:
    runs = tracking._client.search_runs([tracking._experiment_id], f"tags.`smartgrid.model` = '{model}'")
    return [r.info.run_id for r in runs if SUPERSEDED not in r.data.tags]


def test_a_run_says_what_was_fitted_when_by_whom_and_on_what(tracking):
    recorded = tracking.record_model(a_run(plot_png=b"\x89PNG", importances=pd.DataFrame([IMPORTANCE]), importances_png=b"\x89PNG"))
    run = tracking._client.get_run(recorded.run_id)
    assert run.info.run_name == "seasonal_naive 2026-01-05"
    assert run.info.status == "FINISHED"
    assert run.data.params["period_days"] == "7"
    assert run.data.metrics == {"pinball_mw": 0.4}
    assert run.data.tags["smartgrid.dagster_run_id"] == "5f1c"
    assert run.data.tags["mlflow.source.git.commit"] == "0123abc"
    assert a_run().dataset_digest.startswith(run.inputs.dataset_inputs[0].dataset.digest)
    files = {f.path for f in tracking._client.list_artifacts(recorded.run_id)}
    assert {"metrics_by_zone.json", "plot.png", "feature_importances.json", "feature_importances.png"} <= files
    shown = json.loads(Path(tracking._client.download_artifacts(recorded.run_id, "feature_importances.json")).read_text())
    assert shown == {"columns": list(IMPORTANCE), "data": [list(IMPORTANCE.values())]}
    assert tracking.link(recorded.run_id).endswith(f"/runs/{recorded.run_id}")
    assert recorded.model_uri.startswith("models:/")


def test_recording_a_week_again_replaces_and_another_week_does_not(tracking):
    first, second = (tracking.record_model(a_run(model="again")) for _ in range(2))
    next_week = tracking.record_model(a_run(model="again", week=date(2026, 1, 12)))
    assert sorted(standing(tracking, "again")) == sorted([second.run_id, next_week.run_id])
    assert tracking._client.get_run(first.run_id).data.tags[SUPERSEDED] == second.run_id


def test_a_failed_recording_leaves_the_earlier_run_standing(tracking):
    good = tracking.record_model(a_run(model="fails"))
    with pytest.raises(Exception, match="nowhere"):
        tracking.record_model(a_run(model="fails", example_input=_Unusable()))
    failed = [r for r in standing(tracking, "fails") if r != good.run_id]
    assert good.run_id in standing(tracking, "fails")
    assert [tracking._client.get_run(r).info.status for r in failed] == ["FAILED"]


class _Unusable:
    def __getattr__(self, name):
        raise RuntimeError("nowhere")


def test_two_processes_that_start_the_store_and_record_the_same_week_leave_one_run_standing(tmp_path):
    script = (
        "import sys; from pathlib import Path; from smartgrid_assets.resources.tracking import Tracking;"
        "from smartgrid_assets_tests.resources.test_tracking import a_run;"
        "tracking = Tracking(Path(sys.argv[1])); [tracking.record_model(a_run()) for _ in range(3)]"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "mlruns")]
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, timeout=120), range(2)))
    assert [e.returncode for e in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    tracking = Tracking(tmp_path / "mlruns")
    assert len(tracking._client.search_runs([tracking._experiment_id])) == 6
    assert len(standing(tracking, "seasonal_naive")) == 1


def test_a_stored_model_is_read_back_byte_for_byte_and_after_the_store_has_moved(tmp_path, tracking):
    recorded = tracking.record_model(a_run(model="moved"))
    assert tracking.load_model_blob(recorded.run_id, recorded.sha256) == a_run().blob
    tracking.artifacts.parent.rename(tmp_path / "elsewhere")
    try:
        assert Tracking(tmp_path / "elsewhere").load_model_blob(recorded.run_id, recorded.sha256) == a_run().blob
    finally:
        (tmp_path / "elsewhere").rename(tracking.artifacts.parent)


def test_a_model_that_is_not_the_recorded_one_is_refused(tracking):
    recorded = tracking.record_model(a_run(model="changed"))
    with pytest.raises(ForecastError, match="digest"):
        tracking.load_model_blob(recorded.run_id, "0" * 64)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../../outside", id="a way up"),
        pytest.param("{outside}", id="absolute"),
        pytest.param("link", id="a link that leads out"),
    ],
)
def test_a_model_outside_our_own_store_is_refused_even_with_the_right_digest(tracking, path):
    outside = tracking.mlruns.parent / "outside"
    outside.write_bytes(b"evil")
    link = tracking.artifacts / "link"
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    run_id = "e" * 32
    pointer = tracking.artifacts / "model_of_run" / run_id
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(path.format(outside=outside))
    with pytest.raises(ForecastError, match="outside"):
        tracking.load_model_blob(run_id, hashlib.sha256(b"evil").hexdigest())


@pytest.mark.parametrize("run_id", ["", "../../etc/passwd", "f" * 32])
def test_an_unknown_run_is_a_sentence(tracking, run_id):
    with pytest.raises(ForecastError):
        tracking.load_model_blob(run_id, "0" * 64)


def test_champion_and_challenger_move_and_a_run_keeps_one_version(tracking):
    a, b = (tracking.record_model(a_run(model=m)).run_id for m in ("one", "two"))
    afresh = Tracking(tracking.mlruns)  # as another process: nothing is opened yet
    afresh.register_champion("north: 1/2", a, b)
    afresh.register_champion("north: 1/2", b, a)
    client = tracking._client
    assert client.get_model_version_by_alias("smartgrid-north_1_2", "champion").run_id == b
    assert client.get_model_version_by_alias("smartgrid-north_1_2", "challenger").run_id == a
    assert len(client.search_model_versions("name = 'smartgrid-north_1_2'")) == 2
    afresh.register_champion("north: 1/2", a)
    assert set(client.get_registered_model("smartgrid-north_1_2").aliases) == {"champion", "previous"}


def test_a_metric_that_is_logged_again_stands_once_and_a_changed_one_is_the_next_step(tracking):
    run_id = tracking.record_model(a_run(model="scored")).run_id
    for value in (0.5, 0.5, 0.6):
        Tracking(tracking.mlruns).add_metrics(run_id, {"pinball_mw_week": value, "mase": float("nan")})
    history = tracking._client.get_metric_history(run_id, "pinball_mw_week")
    assert [(m.step, m.value) for m in history] == [(0, 0.5), (1, 0.6)]


def test_a_store_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LakeWriteError, match="cannot be written"):
        Tracking(tmp_path / "file" / "mlruns").record_model(a_run())


def test_importing_and_reading_a_model_does_not_load_mlflow(tracking):
    recorded = tracking.record_model(a_run(model="light"))
    script = (
        "import sys; from pathlib import Path; from smartgrid_assets.resources.tracking import Tracking;"
        "Tracking(Path(sys.argv[1])).load_model_blob(*sys.argv[2:]); assert 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(tracking.mlruns), recorded.run_id, recorded.sha256], check=True)


def two_zones() -> dict[str, pd.DataFrame]:
    """Ten days of half-hours a zone, Z2 with ten times the load of Z1; the tenth day is the one to forecast."""
    times = pd.date_range("2026-01-01", periods=480, freq="30min")
    wave = 5 + np.sin(np.arange(480) * 2 * np.pi / 48)
    shared = {"interval_start_utc": times, "interval_minutes": 30, "local_time": times, "is_holiday": False, "weekday": times.day_of_week}
    return {zone: pd.DataFrame({**shared, "load_mw": wave * k, "weight": 1.0}) for zone, k in (("Z1", 1), ("Z2", 10))}


def test_the_model_is_loaded_by_pyfunc_without_dagster_and_forecasts_as_the_fitted_one_did(tracking):
    histories = two_zones()
    fitted = fit_zones(models()["naive_7d"], {z: h.iloc[:432] for z, h in histories.items()}, FitContext(tz="UTC"))
    given = pd.concat([h.assign(zone=z, role=["history"] * 432 + ["future"] * 48) for z, h in histories.items()], ignore_index=True)
    given.loc[given["role"] == "future", ["load_mw", "weight"]] = None
    expected = pd.concat(
        [fitted.predict(z, h.iloc[:432], h.iloc[432:].drop(columns=["load_mw", "weight"])).assign(zone=z) for z, h in histories.items()],
        ignore_index=True,
    )
    recorded = tracking.record_model(a_run(model="pyfunc", blob=fitted.dump(), example_input=given.iloc[430:434], example_output=expected))
    files = [tracking.mlruns / name for name in ("given.pickle", "expected.pickle")]
    given.to_pickle(files[0])
    expected.to_pickle(files[1])
    script = (
        "import sys, mlflow, pandas as pd; mlflow.set_tracking_uri(sys.argv[1])\n"
        "forecast = mlflow.pyfunc.load_model(sys.argv[2]).predict(pd.read_pickle(sys.argv[3]))\n"
        "pd.testing.assert_frame_equal(forecast, pd.read_pickle(sys.argv[4]), check_dtype=False)\n"
        "assert not {'dagster', 'smartgrid_assets.defs'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", script, tracking.uri, recorded.model_uri, *map(str, files)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


def test_a_store_that_was_moved_finds_its_models_and_keeps_new_ones_at_its_new_place(tmp_path):
    old = Tracking(tmp_path / "old" / "mlruns")
    first = old.record_model(a_run(plot_png=b"\x89PNG"))
    old.register_champion("north", first.run_id)
    (tmp_path / "old").rename(tmp_path / "new")
    moved = Tracking(tmp_path / "new" / "mlruns")
    moved.prepare()
    assert moved._client.get_run(first.run_id).info.artifact_uri.startswith(moved.artifacts.as_uri())
    assert {file.path for file in moved._client.list_artifacts(first.run_id)} >= {"plot.png"}
    assert moved.load_model_blob(first.run_id, first.sha256) == b"a fitted forecaster"
    second = moved.record_model(a_run(blob=b"fitted after the move"))
    assert moved.load_model_blob(second.run_id, second.sha256) == b"fitted after the move"
    assert not (tmp_path / "old").exists()


def test_a_store_beside_one_with_a_longer_name_is_not_mistaken_for_it(tmp_path):
    tracking = Tracking(tmp_path / "mlruns")
    tracking.record_model(a_run())
    there = tracking.artifacts.as_uri()
    assert follow_move(tmp_path / "mlruns" / "mlflow.db", there[:-1], "file:///elsewhere") == 0
    assert follow_move(tmp_path / "mlruns" / "mlflow.db", there, "file:///elsewhere") >= 3


def curves(tracking: Tracking, model: str) -> list[list[tuple[int, float]]]:
    """Of each run over weeks of a model: its steps and values of mae_mw."""
    runs = tracking._client.search_runs([tracking._experiment_id], f"tags.`smartgrid.weeks_of` = '{model}'")
    histories = [tracking._client.get_metric_history(run.info.run_id, "mae_mw") for run in runs]
    return [[(metric.step, metric.value) for metric in history] for history in histories]


def weeks_of(model: str, *values: float) -> pd.DataFrame:
    mondays = pd.date_range("2025-12-22", periods=len(values), freq="7D")
    return pd.DataFrame({"model": model, "week": mondays, "mae_mw": values, "coverage_90": 0.9})


def test_one_run_a_model_carries_all_weeks_and_none_of_them_twice(tracking):
    first = 1355  # weeks from 3 January 2000 to 22 December 2025
    tracking.record_weeks("north", weeks_of("m1", 3.0, 2.0))
    tracking.record_weeks("north", weeks_of("m1", 3.0, 2.0))
    assert curves(tracking, "m1") == [[(first, 3.0), (first + 1, 2.0)]]
    tracking.record_weeks("north", weeks_of("m1", 3.0, 2.0, 1.0))
    grown = [[(first, 3.0), (first + 1, 2.0), (first + 2, 1.0)]]
    assert curves(tracking, "m1") == grown
    tracking.record_weeks("north", pd.concat([weeks_of("m1", 3.0, 2.5, 1.0), weeks_of("m2", 9.0)]))
    assert curves(tracking, "m1") == [[(first, 3.0), (first + 1, 2.5), (first + 2, 1.0)]]
    assert curves(tracking, "m2") == [[(first, 9.0)]]


def test_the_champion_before_is_remembered(tracking):
    runs = [tracking.record_model(a_run(model="before", zone_group="east", week=date(2026, 2, day))).run_id for day in (2, 9)]
    for run_id in (runs[0], runs[1], runs[1]):
        tracking.register_champion("east", run_id)
    found = {alias: tracking._client.get_model_version_by_alias("smartgrid-east", alias).run_id for alias in ("champion", "previous")}
    assert found == {"champion": runs[1], "previous": runs[0]}


def detector_week(**changes: object) -> dict[str, object]:
    return {
        "detector": "ecod", "week": MONDAY, "metrics": {"alarms": 3.0, "threshold": float("nan")}, "picture_png": b"\x89PNG",
        "scores": pd.DataFrame({"from": [0.0], "to": [1.0], "meter_days": [7]}), "params": {"alarms_per_1000": 2.0}, "tags": {"partition": "2026-01-05"},
    } | changes  # fmt: skip


def test_a_detectors_week_is_a_run_of_its_own_experiment_and_the_next_of_the_same_week_supersedes_it(tracking):
    first = tracking.record_detector_week(**detector_week())
    run = tracking._client.get_run(first)
    assert (run.info.run_name, run.info.status) == ("ecod 2026-01-05", "FINISHED")
    assert run.data.metrics == {"alarms": 3.0} and run.data.params["alarms_per_1000"] == "2.0"
    assert run.data.tags["smartgrid.detector"] == "ecod" and run.data.tags["smartgrid.partition"] == "2026-01-05"
    assert {f.path for f in tracking._client.list_artifacts(first)} == {"scores.json", "scores.png"}
    assert run.info.experiment_id != tracking._experiment_id
    other = tracking.record_detector_week(**detector_week(detector="isolation_forest"))
    second = tracking.record_detector_week(**detector_week(metrics={"alarms": 4.0}))
    superseded = {run_id: tracking._client.get_run(run_id).data.tags.get(SUPERSEDED) for run_id in (first, other, second)}
    assert superseded == {first: second, other: None, second: None}
