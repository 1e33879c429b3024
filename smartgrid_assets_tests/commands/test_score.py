"""`smartgrid score`: what a person, or a program, gets for a file of series."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from smartgrid_assets.cli import main

A_DAY, DAYS = 48, 42


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Two homes, one of which stands still for a day; labels beside the values."""
    at = np.arange(DAYS * A_DAY)
    frames = []
    for name, seed in (("calm", 0), ("odd", 1)):
        value = 3 + np.sin(at / A_DAY * 2 * np.pi) + np.random.default_rng(seed).normal(0, 0.1, at.size)
        label = np.zeros(at.size, int)
        if name == "odd":
            value[35 * A_DAY : 36 * A_DAY], label[35 * A_DAY : 36 * A_DAY] = 3.0, 1
        stamps = pd.Timestamp("2026-01-05") + pd.to_timedelta(at * 30, unit="min")
        frames.append(pd.DataFrame({"label": label, "kw": value, "timestamp": stamps, "series": name}))
    path = tmp_path_factory.mktemp("score") / "homes.csv"
    pd.concat(frames).sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def asked(*arguments):
    return CliRunner().invoke(main, ["score", *map(str, arguments)], catch_exceptions=False)


def rows_of(*arguments):
    told = json.loads(asked(*arguments, "--json").stdout)
    return {(row["series"], row["detector"]): row for row in told["rows"]}, told


def test_json_has_a_row_a_series_and_detector_and_the_means_of_all(file):
    rows, _ = rows_of(file, "--detector", "ensemble,ecod")
    assert set(rows) == {(series, detector) for series in ("calm", "odd", "ALL") for detector in ("ensemble", "ecod")}
    keys = {"series", "detector", "n", "anomalies", "auroc", "average_precision", "vus_pr", "vus_roc", "f1_at_budget", "alarms", "cpu_s"}
    assert all(keys <= row.keys() for row in rows.values())
    odd, calm, all_ = (rows[series, "ensemble"] for series in ("odd", "calm", "ALL"))
    assert odd["n"] == A_DAY * DAYS and odd["anomalies"] == A_DAY and calm["anomalies"] == 0 and all_["anomalies"] == A_DAY
    assert odd["auroc"] > 0.99 and odd["vus_pr"] > 0.9 and calm["auroc"] is None
    assert all_["auroc"] == odd["auroc"] and all_["n"] == 2 * odd["n"]
    assert 1 <= odd["alarms"] <= DAYS // 7 and odd["hours_to_detect"] is not None


def test_labels_are_not_seen_while_scoring(file, tmp_path):
    frame = pd.read_csv(file)
    turned = tmp_path / "turned.csv"
    frame.assign(label=1 - frame["label"]).to_csv(turned, index=False)
    for path, folder in ((file, "a"), (turned, "b")):
        asked(path, "--detector", "all", "--out", tmp_path / folder)
    one, other = (pd.read_parquet(tmp_path / folder / "scores.parquet") for folder in ("a", "b"))
    pd.testing.assert_frame_equal(one, other)


def test_only_what_comes_after_the_training_is_judged_and_it_does_not_teach(file):
    rows, _ = rows_of(file, "--detector", "ensemble", "--train-until", "2026-02-02")
    odd = rows["odd", "ensemble"]
    assert odd["n"] == 14 * A_DAY and odd["anomalies"] == A_DAY and odd["auroc"] > 0.99
    told = asked(file, "--train-until", "2036-01-01")
    assert told.exit_code == 1 and "leaves nothing to learn from, or to score" in told.stderr
    assert "is no moment; write it as" in asked(file, "--train-until", "soon").stderr


def test_the_threshold_comes_from_what_teaches_and_not_from_what_is_judged(file, tmp_path):
    """A day that goes wild after the training makes no other alarm rarer."""
    frame = pd.read_csv(file).query("series == 'odd'")
    wild = frame.assign(kw=frame["kw"].where(frame["timestamp"] < "2026-02-14", frame["kw"] * 50))
    thresholds = []
    for name, table in (("calm", frame), ("wild", wild)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        rows, _ = rows_of(tmp_path / f"{name}.csv", "--detector", "value_tails,variance_change", "--train-until", "2026-02-02")
        thresholds.append([rows["odd", detector]["threshold"] for detector in ("value_tails", "variance_change")])
    assert thresholds[0] == thresholds[1]


def test_days_are_scored_as_days(file, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("date,series\n2026-02-09,odd\n")
    rows, _ = rows_of(file, "--by", "day", "--labels", labels)
    assert rows["odd", "ensemble"]["n"] == DAYS and rows["odd", "ensemble"]["anomalies"] == 1
    assert rows["odd", "ensemble"]["average_precision"] == 1.0


def test_a_meter_file_needs_no_plain_columns(tmp_path):
    at = np.arange(20 * 96)
    stamps = (pd.Timestamp("2026-01-05") + pd.to_timedelta(at * 15, unit="min")).strftime("%d.%m.%Y %H:%M")
    path = tmp_path / "meters.csv"
    pd.DataFrame({"meter_id": "M1", "interval_start": stamps, "kwh": np.round(0.3 + 0.2 * np.sin(at / 96 * 6.28), 3)}).to_csv(
        path, index=False
    )
    rows, _ = rows_of(path, "--detector", "ensemble")
    assert rows["M1", "ensemble"]["n"] == at.size and rows["M1", "ensemble"]["anomalies"] is None


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        ("timestamp,value\n2026-01-01,1\n2026-01-02,2\n", (), "has 2 intervals to learn from; 16 are needed"),
        ("timestamp,value\nx,1\n", (), "no row has a stamp"),
        ("timestamp,value\n2026-01-01,1\n", ("--detector", "lov"), "There is no detector lov"),
        (
            "timestamp,value\n" + "".join(f"2026-01-01 {h:02d}:00,1\n" for h in range(24)),
            ("--by", "day"),
            "has 1 whole days to learn from; 20 are needed",
        ),
    ],
)
def test_what_cannot_be_scored_is_a_sentence(tmp_path, text, arguments, sentence):
    path = tmp_path / "load.csv"
    path.write_text(text)
    told = asked(path, *arguments)
    assert told.exit_code == 1 and sentence in told.stderr and "Traceback" not in told.stderr


def test_the_table_says_what_a_person_wants_to_know(file):
    told = asked(file, "--detector", "ensemble")
    assert [line.split()[:2] for line in told.stdout.splitlines()[1:4]] == [["calm", "ensemble"], ["odd", "ensemble"], ["ALL", "ensemble"]]
