"""The as-of law, in both clocks: nothing after the gate, and nothing learned after the gate, moves a forecast."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, morning_after, place, rows, run

LAST = FIRST + timedelta(days=12)
D = FIRST + timedelta(days=10)


@pytest.fixture(params=["naive_2d,naive_7d"])
def forecast_home(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SMARTGRID_MODELS", request.param)
    settings.cache_clear()
    return home


def forecast_of(context, day: date) -> list[tuple]:  # type: ignore[no-untyped-def]
    return rows(
        context, f"SELECT zone, model, interval_start_utc, q05, q50, q95 FROM forecasts.candidates WHERE day = '{day}' ORDER BY 1, 2, 3"
    )


def test_values_after_the_gate_move_no_forecast(forecast_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for n, factor in enumerate((1.0, 7.0)):
        monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / f"home{n}"))
        settings.cache_clear()
        context, files = place(tmp_path / f"in{n}", 13)
        for day in (D - timedelta(days=1), D):  # D-1 is not known at D's gate, since meters report overnight
            change = {("A1", hour): factor + hour / 100 for hour in range(24)}  # one value all day would be a stuck register
            file_of(tmp_path / f"in{n}", f"readings_{day}.csv", lines_of(day, METERS, change))
        deliver(context, *files)
        run(context, FIRST, LAST, "validated,features,model,candidates")
        found.append((forecast_of(context, D), forecast_of(context, D + timedelta(days=2))))
    assert found[0][0] and found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]


def test_a_correction_received_after_the_gate_moves_no_forecast_of_it_but_later_ones(forecast_home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 13)
    deliver(context, *files)
    run(context, FIRST, LAST, "validated,features,model,candidates")
    before = {day: forecast_of(context, day) for day in (D, D + timedelta(days=1))}
    touched = D - timedelta(days=2)
    corrected = file_of(tmp_path / "in", "corrected.csv", lines_of(touched, ["B1"], {("B1", h): 30.0 + h / 10 for h in range(24)}))
    gate = context.gate(D)
    deliver(context, (corrected, gate + timedelta(minutes=1)))
    run(context, FIRST, LAST, "validated,features,model,candidates")
    assert forecast_of(context, D) == before[D]
    assert rows(context, f"SELECT count(DISTINCT known_from_utc) FROM features.load WHERE day = '{touched}' AND zone = 'south'") == [(2,)]


def test_a_correction_received_before_the_gate_moves_the_forecast(forecast_home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 13)
    deliver(context, *files)
    run(context, FIRST, LAST, "validated,features,model,candidates")
    before = forecast_of(context, D)
    touched = D - timedelta(days=2)
    corrected = file_of(tmp_path / "in", "corrected.csv", lines_of(touched, ["B1"], {("B1", h): 30.0 + h / 10 for h in range(24)}))
    deliver(context, (corrected, context.gate(D) - timedelta(minutes=1)))
    run(context, FIRST, LAST, "validated,features,model,candidates")
    assert forecast_of(context, D) != before


def test_a_late_file_among_many_days_re_runs_its_day_and_what_looks_back_on_it_only(forecast_home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 16)
    late = files.pop(13)
    deliver(context, *files)
    last = FIRST + timedelta(days=15)
    run(context, FIRST, last, "validated,features,anomalies,model,candidates,scores")
    before = {p: p.stat().st_mtime_ns for p in context.lake.root.glob("[vfa]*/*/*/part.parquet")}
    day = FIRST + timedelta(days=12)  # three days late: history in bulk (over seven) counts from its day
    deliver(context, (late[0], morning_after(last)))
    done = run(context, FIRST, last, "validated,features,anomalies,model,candidates,scores")
    made = {(item.step, item.key) for item in done}
    assert {key for step, key in made if step in ("load", "meter_profile")} == {day}
    # The last day's gate closed after the late file came: its rules look back at what was known then, and find the same.
    assert {key for step, key in made if step == "check"} == {day, last}
    assert {key for step, key in made if step == "detect"} <= {day + timedelta(days=n) for n in range(29)}
    assert not [key for step, key in made if step in ("model", "candidates")], "what was issued before the late file came stays"
    changed = {p for p, stamp in before.items() if p.stat().st_mtime_ns != stamp and "anomalies" not in str(p)}
    assert {p.parent.name[4:] for p in changed if "validated" not in str(p)} <= {day.isoformat()}
    assert {p.parent.name[4:] for p in changed} <= {day.isoformat(), last.isoformat()}
