"""The replay of a file: no day sees what its gate did not, every day is whole, and trouble is a sentence."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from smartgrid_assets.chain import backtest
from smartgrid_assets.chain.backtest import AGGREGATE, EQUAL, Protocol, aggregated, parted, replay
from smartgrid_assets.chain.judged import judged, pictures
from smartgrid_assets.chain.reproduce import Reproduced
from smartgrid_assets.cli import main
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.forecast.models import global_boosting
from smartgrid_assets.domain.forecast.series_file import read_series
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets_tests.domain.forecast.made_series import TZ, rows

FIRST_DAY = date(2026, 1, 5)
ASKED = Protocol(date(2026, 3, 23), date(2026, 3, 31), TZ, "DE", warm_up=21, models=("naive_7d", "naive_2d", "additive", AGGREGATE))


def file_of(folder: Path, **zones: pd.DataFrame) -> Path:
    parts = [frame.assign(zone=zone)[["zone", "interval_start_utc", "load_mw", "temperature_c"]] for zone, frame in zones.items()]
    path = folder / "load.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


def forecasts_of(path: Path, asked: Protocol = ASKED, jobs: int = 1):
    series, _ = read_series(path, asked.timezone, asked.country)
    return series, aggregated(series, replay(series, asked, jobs), asked)


def test_every_day_is_forecast_whole_by_every_model_the_clock_change_too(tmp_path):
    series, (made,) = forecasts_of(file_of(tmp_path, z=rows(FIRST_DAY, 86)))
    for model in ASKED.models:
        days = {day: frame for (day, name), frame in made.forecasts.items() if name == model}
        assert set(days) >= {ASKED.first + timedelta(days=k) for k in range(9)}, model
        assert len(days[date(2026, 3, 29)]) == 23 and len(days[date(2026, 3, 30)]) == 24
        for frame in days.values():
            values = frame[list(QUANTILE_COLUMNS)].to_numpy()
            assert np.isfinite(values).all() and (np.diff(values, axis=1) >= 0).all()
    found = judged(series, [made], ASKED)
    assert {row["model"] for row in found.rows} == {*ASKED.models, EQUAL} and {row["zone"] for row in found.rows} == {"z", "ALL"}
    assert all(row["n"] == 215 for row in found.rows)
    for day in (ASKED.first, ASKED.last):
        single = [made.forecasts[day, name][list(QUANTILE_COLUMNS)].to_numpy() for name in ASKED.models if name != AGGREGATE]
        assert made.forecasts[day, EQUAL][list(QUANTILE_COLUMNS)].to_numpy() == pytest.approx(np.mean(single, axis=0))


def test_nothing_after_the_gates_knowledge_moves_a_forecast(tmp_path):
    """Loads from 29 March on are spoilt: what was issued for the 30th and before stands, the aggregate's too; the 31st moves."""
    whole = rows(FIRST_DAY, 86)
    late = whole["local_time"] >= pd.Timestamp(2026, 3, 29)
    (tmp_path / "spoilt").mkdir()
    spoilt = whole.assign(load_mw=whole["load_mw"].where(~late, 3 * whole["load_mw"] + 500))
    (_, (clean,)), (_, (poisoned,)) = forecasts_of(file_of(tmp_path, z=whole)), forecasts_of(file_of(tmp_path / "spoilt", z=spoilt))
    for model in ASKED.models:
        for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)):
            pd.testing.assert_frame_equal(clean.forecasts[day, model], poisoned.forecasts[day, model], check_exact=True)
    moved = poisoned.forecasts[date(2026, 3, 31), AGGREGATE]["q50"] - clean.forecasts[date(2026, 3, 31), AGGREGATE]["q50"]
    assert moved.abs().mean() > 1


def test_where_meters_report_later_nothing_younger_moves_a_forecast_and_what_is_known_does(tmp_path):
    """Load is known to D-2 00:00: that of 27 March does not move the 29th (it would by the usual gate), that of the 26th does."""
    whole, late = rows(FIRST_DAY, 86), replace(ASKED, known_until=-24, models=("naive_7d", "additive", AGGREGATE))

    def of_29th(spoilt_day: int, asked: Protocol):
        is_day = whole["local_time"].dt.normalize() == pd.Timestamp(2026, 3, spoilt_day)
        folder = tmp_path / str(spoilt_day)
        folder.mkdir(exist_ok=True)
        _, (made,) = forecasts_of(file_of(folder, z=whole.assign(load_mw=whole["load_mw"] * np.where(is_day, 3, 1))), asked)
        return {model: made.forecasts[date(2026, 3, 29), model][list(QUANTILE_COLUMNS)].to_numpy() for model in ("additive", AGGREGATE)}

    clean = of_29th(31, late)
    for model, told in of_29th(27, late).items():
        assert np.array_equal(told, clean[model]), model
    assert not np.array_equal(of_29th(26, late)["additive"], clean["additive"])
    assert not np.array_equal(of_29th(27, replace(late, known_until=0))["additive"], of_29th(31, replace(late, known_until=0))["additive"])


def test_observed_weather_is_seen_only_where_it_was_asked_for(tmp_path):
    whole = rows(FIRST_DAY, 86)
    path = file_of(tmp_path, z=whole)
    one = replace(ASKED, models=("additive",), first=date(2026, 3, 31))
    (tmp_path / "cold").mkdir()
    on_the_day = whole["local_time"] >= pd.Timestamp(2026, 3, 31)
    cold = file_of(tmp_path / "cold", z=whole.assign(temperature_c=whole["temperature_c"].where(~on_the_day, -10.0)))
    key = (date(2026, 3, 31), "additive")
    for weather, moves in (("none", False), ("observed", True)):
        told = [forecasts_of(p, replace(one, weather=weather))[1][0].forecasts[key]["q50"] for p in (path, cold)]
        assert (np.abs(told[0] - told[1]).max() > 1) == moves, weather


def test_simulated_weather_forecasts_err_as_much_as_they_are_told_to_and_the_same_each_time(tmp_path):
    series, _ = read_series(file_of(tmp_path, z=rows(FIRST_DAY, 86)), TZ, "DE")
    asked, days = replace(ASKED, weather="forecast", weather_error_c=2.0), [date(2026, 2, 1) + timedelta(days=k) for k in range(50)]
    told = [parted(series, day, asked)[1] for day in days]
    came = [parted(series, day, replace(asked, weather="observed"))[1] for day in days]
    errors = np.concatenate([(t["temperature_c"] - c["temperature_c"]).to_numpy() for t, c in zip(told, came, strict=True)])
    assert errors.std() == pytest.approx(2.0, rel=0.15) and abs(errors.mean()) < 0.6
    history, future = parted(series, days[0], asked)
    pd.testing.assert_frame_equal(future, told[0])
    eve = history["local_time"] >= pd.Timestamp(days[0] - timedelta(days=1))
    observed = series.set_index("interval_start_utc")["temperature_c"].reindex(history["interval_start_utc"]).to_numpy()
    assert (history["temperature_c"].to_numpy() == observed).tolist() == (~eve).tolist()


def test_a_zone_that_vanishes_a_short_and_a_constant_one_give_forecasts_or_sentences(tmp_path):
    whole = rows(FIRST_DAY, 86)
    zones = {"gone": whole.iloc[: 24 * 50], "short": whole.iloc[-24 * 12 :], "three": whole.iloc[-3:], "zero": whole.assign(load_mw=0.0)}
    series, made = forecasts_of(file_of(tmp_path, **zones))
    by_zone = {one.zone: one for one in made}
    assert any("needs 14 days" in problem for problem in by_zone["short"].problems)
    assert (ASKED.last, "naive_7d") in by_zone["short"].forecasts and (ASKED.last, AGGREGATE) in by_zone["gone"].forecasts
    assert all(np.isfinite(frame[list(QUANTILE_COLUMNS)].to_numpy()).all() for one in made for frame in one.forecasts.values())
    found = judged(series, made, ASKED)
    zero = next(row for row in found.rows if row["zone"] == "zero" and row["model"] == AGGREGATE)
    assert zero["mae"] == pytest.approx(0, abs=1e-9) and zero["mape"] is None
    assert not any(row["zone"] == "three" and row["model"] == "additive" for row in found.rows)


def test_two_processes_give_what_one_gives(tmp_path):
    path = file_of(tmp_path, a=rows(FIRST_DAY, 86), b=rows(FIRST_DAY, 86, seed=2))
    (_, one), (_, two) = forecasts_of(path), forecasts_of(path, jobs=2)
    for mine, other in zip(one, two, strict=True):
        assert mine.zone == other.zone and mine.forecasts.keys() == other.forecasts.keys()
        for key, frame in mine.forecasts.items():
            pd.testing.assert_frame_equal(frame, other.forecasts[key], check_exact=True)


def test_an_unknown_model_is_a_sentence(tmp_path):
    with pytest.raises(SettingsError, match="There is no model nonsense"):
        forecasts_of(file_of(tmp_path, z=rows(FIRST_DAY, 40)), replace(ASKED, models=("nonsense",)))


def test_the_command_prints_one_object_with_the_rows_that_the_protocol_names(tmp_path):
    path = file_of(tmp_path, z=rows(FIRST_DAY, 86))
    args = [
        "backtest", str(path), "--from", "2026-03-23", "--to", "2026-03-31", "--models", "naive_2d,naive_7d,aggregate", "--timezone", TZ,
        "--country", "DE", "--warm-up", "21", "--jobs", "1", "--json", "--out", str(tmp_path / "out"), "--weather", "observed",
    ]  # fmt: skip
    ran = CliRunner().invoke(main, args)
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["protocol"]["first"] == "2026-03-23" and "ex-post bound" in told["protocol"]["weather_label"]
    row = next(row for row in told["rows"] if row["model"] == "aggregate" and row["zone"] == "z")
    for name in (
        "weather",
        "n",
        "mae",
        "rmse",
        "nmae",
        "mape",
        "mase",
        "pinball",
        "coverage_80",
        "coverage_90",
        "crps",
        "cpu_s",
        "peak_mae",
    ):
        assert row[name] is not None, name
    assert 0 < row["nmae"] < 1 and 0 <= row["coverage_80"] <= row["coverage_90"] <= 1
    assert {part["by"] for part in told["parts"]} == {"lead", "hour", "day_type"}
    assert {"against", "skill", "low", "high", "p_value"} <= set(told["skill"][0])
    names = {entry.name for entry in (tmp_path / "out").iterdir()}
    assert {"rows.csv", "forecasts.parquet", "aggregate_worst_days.png", "aggregate_reliability.png", "aggregate_errors.png"} <= names


def test_the_command_prints_what_weighing_the_models_is_worth(tmp_path):
    args = ["--from", "2026-03-23", "--to", "2026-03-31", "--models", "naive_2d,naive_7d,aggregate", "--timezone", TZ, "--jobs", "1"]
    told = CliRunner().invoke(main, ["backtest", str(file_of(tmp_path, z=rows(FIRST_DAY, 86))), *args]).stdout
    regret = re.search(
        r"regret in pinball loss: ([+-][0-9.]+)% against the best single model in hindsight \((.*)\); ([+-][0-9.]+)% against the plain",
        told,
    )
    pinball = {line.split()[0]: float(line.split()[5]) for line in told.splitlines() if " z " in line}
    best = min(("naive_2d", "naive_7d"), key=lambda model: pinball[model])
    assert regret and regret[2] == best
    assert float(regret[1]) == pytest.approx(100 * (pinball["aggregate"] / pinball[best] - 1), abs=0.2)
    assert float(regret[3]) == pytest.approx(100 * (pinball["aggregate"] / pinball[EQUAL] - 1), abs=0.2)


def test_a_run_made_again_with_stored_weather_is_not_called_simulated(tmp_path, monkeypatch):
    series, made = forecasts_of(file_of(tmp_path, z=rows(FIRST_DAY, 86)), asked := replace(ASKED, models=("naive_7d",)))
    again = Reproduced(replace(asked, weather="forecast"), made, series, True, 9, 9, [])
    monkeypatch.setattr("smartgrid_assets.chain.reproduce.reproduce", lambda context, run_id: again)
    monkeypatch.setattr("smartgrid_assets.home.chain_context", lambda: None)
    shown, as_json = (CliRunner().invoke(main, ["backtest", "--as-of-run", "f00", *more]).stdout for more in ((), ("--json",)))
    assert "weather forecasts as they were issued" in shown and "SIMULATED" not in shown
    assert json.loads(as_json)["protocol"]["weather_label"] == "weather forecasts as they were issued"


def test_the_command_says_why_a_zone_was_not_judged_and_what_it_needs(tmp_path):
    whole = rows(FIRST_DAY, 86)
    path = file_of(tmp_path, z=whole, gone=whole.iloc[: 24 * 40])
    args = ["--from", "2026-03-23", "--to", "2026-03-31", "--models", "naive_2d", "--timezone", TZ, "--warm-up", "1", "--jobs", "1"]
    ran = CliRunner().invoke(main, ["backtest", str(path), *args])
    assert "zone gone was not judged from 2026-03-23 to 2026-03-31: it has 960 loads, from 2026-01-05 to 2026-02-1" in ran.stdout
    three = CliRunner().invoke(main, ["backtest", str(file_of(tmp_path, z=whole.iloc[:3])), *args])
    assert three.exit_code == 1 and "it has 3 loads" in three.stderr
    assert "Give a FILE with --from and --to, or --as-of-run" in CliRunner().invoke(main, ["backtest", str(path)]).stderr


def test_pictures_of_a_model_that_was_not_run_are_none(tmp_path):
    series, made = forecasts_of(file_of(tmp_path, z=rows(FIRST_DAY, 86)), replace(ASKED, models=("naive_7d",)))
    assert pictures(judged(series, made, ASKED), "prophet") == {}


def test_a_model_of_all_zones_sees_of_the_others_no_more_than_the_weeks_gate_did(tmp_path, monkeypatch):
    """Spoilt from 22 March on (the gate of Monday the 23rd knew the 21st): of the other zone nothing moves that week, and the next week does."""
    monkeypatch.setattr(global_boosting, "ROUNDS", 20)
    monkeypatch.setattr(backtest, "BLOCK_WEEKS", 1)  # it is fitted anew in each block
    asked = replace(ASKED, models=("global_boosting",), warm_up=0)
    one, other = rows(FIRST_DAY, 86), rows(FIRST_DAY, 86, seed=2, level_mw=3.0)
    late = other["local_time"] >= pd.Timestamp(2026, 3, 22)
    (tmp_path / "spoilt").mkdir()
    clean, spoilt = (
        {made.zone: made for made in forecasts_of(path, asked)[1]}
        for path in (
            file_of(tmp_path, a=one, b=other),
            file_of(tmp_path / "spoilt", a=one, b=other.assign(load_mw=other["load_mw"].where(~late, 3 - other["load_mw"]))),
        )
    )
    days = sorted(day for day, _ in clean["a"].forecasts)
    assert days == [ASKED.first + timedelta(days=k) for k in range(9)] and len(clean["b"].forecasts) == 9
    is_same = [clean["a"].forecasts[day, "global_boosting"].equals(spoilt["a"].forecasts[day, "global_boosting"]) for day in days]
    assert is_same == [True] * 7 + [False] * 2
    seconds = [clean[zone].seconds["global_boosting"] for zone in "ab"]  # the fit is shared, a zone's forecasts are its own
    assert min(seconds) > 0 and seconds[0] == pytest.approx(seconds[1], rel=0.5)


def test_two_processes_forecast_what_one_does_by_a_model_of_all_zones_too(tmp_path, monkeypatch):
    asked = replace(ASKED, models=("global_boosting", "naive_7d"), warm_up=7)
    path = file_of(tmp_path, a=rows(FIRST_DAY, 86), b=rows(FIRST_DAY + timedelta(days=60), 26, seed=2))
    (_, one), (_, two) = forecasts_of(path, asked), forecasts_of(path, asked, jobs=2)
    for first, second in zip(one, two, strict=True):
        assert first.forecasts.keys() == second.forecasts.keys() and len(first.forecasts) > 20
        for key, frame in first.forecasts.items():
            pd.testing.assert_frame_equal(frame, second.forecasts[key], check_exact=True)


def test_a_simulated_weather_forecast_errs_in_the_dew_point_as_in_the_temperature():
    whole = rows(FIRST_DAY, 40).assign(dew_point_c=7.0, zone="z")
    asked = replace(ASKED, weather="forecast", weather_error_c=2.0)
    (_, known), (_, erring) = (parted(whole, date(2026, 2, 10), of) for of in (replace(asked, weather="observed"), asked))
    off_c = erring["temperature_c"] - known["temperature_c"]
    assert off_c.abs().mean() > 0.3
    assert (erring["dew_point_c"] - 7.0).to_numpy() == pytest.approx(off_c.to_numpy())


def test_after_zones_were_switched_the_days_before_are_taken_at_the_new_level(tmp_path):
    parts = {zone: rows(FIRST_DAY, 86, seed=2, level_mw=level) for zone, level in (("a", 100.0), ("b", 80.0), ("c", 120.0))}
    noise = np.random.default_rng(3)
    for zone, mw in (("a", -30.0), ("b", 30.0), ("c", 0.0)):
        parts[zone]["load_mw"] *= noise.normal(1, 0.02, len(parts[zone]))
        parts[zone]["load_mw"] += np.where(parts[zone]["local_time"] >= pd.Timestamp(date(2026, 3, 20)), mw, 0.0)
    asked = replace(ASKED, models=("naive_7d",))
    _, made = forecasts_of(file_of(tmp_path, **parts), asked)
    for zone in made:
        for day, until_known in ((date(2026, 3, 22), False), (date(2026, 3, 23), True)):  # whose gate knew the 20th, and the 21st too
            mean = zone.forecasts[day, "naive_7d"]["q50"].mean()
            of_zone = parts[zone.zone]
            week_ago = of_zone.loc[of_zone["local_time"].dt.date == day - timedelta(days=7), "load_mw"].mean()
            moved = {"a": -30.0, "b": 30.0, "c": 0.0}[zone.zone] if until_known else 0.0
            assert mean - week_ago == pytest.approx(moved, abs=6.0 if moved else 1e-6), (zone.zone, day)
    _, alone = forecasts_of(file_of(tmp_path, a=parts["a"]), asked)
    assert alone[0].forecasts[asked.last, "naive_7d"]["q50"].mean() > made[0].forecasts[asked.last, "naive_7d"]["q50"].mean() - 1e-9


def test_two_processes_know_of_switched_zones_what_one_knows(tmp_path):
    parts = {zone: rows(FIRST_DAY, 86, seed=seed, level_mw=level) for seed, (zone, level) in enumerate((("a", 100.0), ("b", 80.0)))}
    for zone, mw in (("a", -30.0), ("b", 30.0)):
        parts[zone]["load_mw"] += np.where(parts[zone]["local_time"] >= pd.Timestamp(date(2026, 3, 20)), mw, 0.0)
    path, asked = file_of(tmp_path, **parts), replace(ASKED, models=("naive_7d", "additive"))
    (_, one), (_, two) = (forecasts_of(path, asked, jobs) for jobs in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert a.forecasts.keys() == b.forecasts.keys()
        for key in a.forecasts:
            pd.testing.assert_frame_equal(a.forecasts[key], b.forecasts[key])
