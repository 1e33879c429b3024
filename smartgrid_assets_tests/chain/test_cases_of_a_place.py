"""From files to a case: a meter that counts half from some day on, in a place whose feeders are measured."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from smartgrid_assets.chain.case_verdicts import CaseVerdict, judge
from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.detectors_judged import DETECTOR_CHECKS
from smartgrid_assets.chain.detectors_judged import cases as cases_judged
from smartgrid_assets.chain.detectors_judged import detectors as detectors_judged
from smartgrid_assets.chain.replay import selected
from smartgrid_assets.chain.step import state_of
from smartgrid_assets.cli import main
from smartgrid_assets.domain.market_day import market_day, week_of
from smartgrid_assets.home import chain_context
from smartgrid_assets_tests.chain.small import FIRST, HEADER, TZ, deliver, morning_after, rows, run

FEEDERS, EACH, DAYS, BYPASSED = 4, 12, 54, 48
"""The meter M00 of F0 counts half from day 48 on."""


def true_kwh(meter: int, day: date, hour: int, rng: np.random.Generator) -> float:
    size = 0.3 + 0.03 * meter
    return float(size * (1 + 0.4 * math.sin((hour - 7) / 24 * 2 * math.pi)) * (1.1 if day.weekday() >= 5 else 1.0) * rng.lognormal(0, 0.2))


def history(path: Path) -> Path:
    """All readings in one file: customers, and what each feeder measures of what is truly drawn, with 4 % of losses."""
    rng, lines = np.random.default_rng(3), [HEADER]
    for n in range(DAYS):
        day = FIRST + timedelta(days=n)
        window = market_day(day, TZ)
        for hour in range(window.intervals(60)):
            stamp = (window.start_utc + timedelta(hours=hour)).isoformat()
            for feeder in range(FEEDERS):
                drawn = [true_kwh(feeder * EACH + k, day, hour, rng) for k in range(EACH)]
                counted = [kwh * (0.5 if n >= BYPASSED and feeder == 0 and k == 0 else 1.0) for k, kwh in enumerate(drawn)]
                lines += [f"M{feeder * EACH + k:02d},import,{stamp}Z,60,{kwh:.4f},kWh,A" for k, kwh in enumerate(counted)]
                lines.append(f"F{feeder},import,{stamp}Z,60,{sum(drawn) * 1.04:.4f},kWh,A")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.slow
def test_a_bypassed_meter_becomes_a_case_and_its_feeder_is_the_witness(home: Path, tmp_path: Path) -> None:
    register = tmp_path / "meters.csv"
    span = "2020-01-01,2099-12-31"
    listed = [f"M{n:02d},customer,F{n // EACH},north,home,20,{span}" for n in range(FEEDERS * EACH)]
    listed += [f"F{n},feeder,F{n},north,,400,{span}" for n in range(FEEDERS)]
    register.write_text("\n".join(["meter_id,role,feeder,zone,class,rating_kw,valid_from,valid_to", *listed]) + "\n")
    context, last = chain_context(), FIRST + timedelta(days=DAYS - 1)
    received = morning_after(last)
    deliver(context, (register, received), (history(tmp_path / "readings.csv"), received))
    run(context, FIRST, last, "validated,features/meter_profile,features/feeder_balance")
    made = run(context, last - timedelta(days=2), last, "suspects,cases")
    assert [done.step for done in made] == ["suspects"] * 3 + ["cases"] * 3
    (shown,) = [done.metadata for done in made if done.metadata.get("cases_new")]
    assert shown["curve_of"].startswith("feeder F0, ") and min(shown["curve"][-3:]) > max(shown["curve"][:40])
    assert rows(context, f"SELECT count(*), sum(meters) FROM features.feeder_balance WHERE day = '{last}'") == [(FEEDERS, FEEDERS * EACH)]
    query = f"SELECT meter_id, feeder, kind, raised, state, is_witnessed, witness, change FROM anomalies.cases WHERE day = '{last}' AND rank > 0"
    ((meter, feeder, kind, raised, state, is_witnessed, witness, change),) = rows(context, query)
    assert (meter, feeder, kind, state, is_witnessed) == ("M00", "F0", "bypass", "open", True) and raised == last - timedelta(days=1)
    assert witness == pytest.approx(1.0, abs=0.4) and change == pytest.approx(-0.5, abs=0.12)
    for step in selected("suspects,cases"):
        assert state_of(context, step, last).kind == "fresh"
    the_case_is_laid_out(context, last, tmp_path / "case.png")
    the_visit_says(context, last, raised)


def the_case_is_laid_out(context: Context, last: date, picture: Path) -> None:
    """In a list, and by itself: half of what was to be expected since day 48, its peers as before, its feeder losing the other half."""
    listed = CliRunner().invoke(main, ["case"])
    assert listed.exit_code == 0 and listed.stdout.startswith(f"Cases of {last}: 1 to visit, 0 decided, ")
    assert "bypass" in listed.stdout and "M00" in listed.stdout
    ((case_id,),) = rows(context, f"SELECT case_id FROM anomalies.cases WHERE day = '{last}' AND rank > 0")
    told = CliRunner().invoke(main, ["case", case_id, "--picture", str(picture)])
    assert told.exit_code == 0 and picture.read_bytes().startswith(b"\x89PNG"), told.output
    assert "a day's" in told.stdout and "its peers" in told.stdout
    found = json.loads(CliRunner().invoke(main, ["case", case_id, "--json"]).stdout)
    assert len(found["evidence"]) == 3 and found["evidence"][0]["words"] == "energy"
    for one in found["evidence"]:
        assert one["own"] == pytest.approx(-0.5, abs=0.15) and abs(one["peers"]) < 0.1 and one["since"] < one["before"]
    since = [n for n, day in enumerate(found["days"]) if day >= (FIRST + timedelta(days=BYPASSED)).isoformat()]
    before = [n for n in range(len(found["days"])) if n not in since and found["counted"][n] is not None]
    share = {name: np.mean([found["counted"][n] / found["expected"][n] for n in of]) for name, of in (("since", since), ("before", before))}
    assert share == {"since": pytest.approx(0.5, abs=0.12), "before": pytest.approx(1.0, abs=0.12)}
    assert np.mean([found["low"][n] <= found["counted"][n] <= found["high"][n] for n in before]) > 0.8
    lost = {name: np.mean([found["loss"][n] for n in of]) for name, of in (("since", since), ("before", before))}
    assert lost["since"] - lost["before"] == pytest.approx(np.mean([found["expected"][n] for n in since]) * 0.5, rel=0.4)
    the_story_is_kept(context, last, case_id, found)
    unknown = CliRunner().invoke(main, ["case", "2026-01-01-00000000"])
    assert unknown.exit_code == 1 and "There is no case" in unknown.output
    assert "name its id" in CliRunner().invoke(main, ["case", "--picture", "x.png"]).output
    assert "no cases of 2020-01-01" in CliRunner().invoke(main, ["case", "--day", "2020-01-01"]).output


def the_story_is_kept(context: Context, last: date, case_id: str, told: dict) -> None:
    """The night tells all cases at once, as the one was told."""
    assert [done.step for done in run(context, last, last, "stories")] == ["stories"]
    kept = rows(context, f"SELECT * FROM operator.case_days WHERE day = '{last}' AND case_id = '{case_id}' ORDER BY told_day")
    names = [row[0] for row in rows(context, "DESCRIBE operator.case_days")]
    days = [dict(zip(names, row, strict=True)) for row in kept]
    assert [str(row["told_day"]) for row in days] == told["days"]
    for name in ("counted", "expected", "low", "high", "loss"):
        assert [row[f"{name}_kwh"] for row in days] == pytest.approx(told[name]), name
    evidence = rows(
        context, f"SELECT words, before, since, own, peers FROM operator.case_evidence WHERE case_id = '{case_id}' ORDER BY place"
    )
    assert [row[0] for row in evidence] == [one["words"] for one in told["evidence"]]
    assert [list(row[1:]) for row in evidence] == [
        pytest.approx([one[name] for name in ("before", "since", "own", "peers")]) for one in told["evidence"]
    ]
    ((cases, stories),) = rows(
        context,
        f"SELECT (SELECT count(*) FROM anomalies.cases WHERE day = '{last}'), count(DISTINCT case_id) FROM operator.case_days WHERE day = '{last}'",
    )
    assert cases == stories


def the_visit_says(context: Context, last: date, raised: date) -> None:
    """A verdict given on the last day closes the case there, leaves the days before alone, and is in the evaluation of its week."""
    evaluated = f"SELECT kind, raised, theft, judged, precision FROM anomalies.evaluation WHERE week = '{week_of(raised)}' ORDER BY kind"
    run(context, raised, last, "evaluation")
    assert rows(context, evaluated) == [("*", 1, 0, 0, None), ("bypass", 1, 0, 0, None)]
    ((case_id,),) = rows(context, f"SELECT case_id FROM anomalies.cases WHERE day = '{last}' AND rank > 0")
    refused = CliRunner().invoke(main, ["verdict", "case", "2026-01-01-00000000", "theft"])
    assert refused.exit_code and "There is no case" in refused.output and "Traceback" not in refused.output
    no_verdict = cases_judged(context, [last])
    assert no_verdict["visits_find_something", last][:2] == (True, "No visit of 13 weeks has a verdict yet (smartgrid verdict case).")
    assert no_verdict["visits_left", last][:2] == (True, "1 new cases in seven days, 20 visits.")
    noon = datetime.combine(last, time(12))
    assert judge(context, CaseVerdict(case_id, "theft", "kim", "a wire behind the meter"), noon) == last
    made = run(context, raised, last, "cases,evaluation")
    assert [(done.step, done.key) for done in made] == [("cases", last), ("evaluation", week_of(raised))]
    assert rows(context, f"SELECT state, rank FROM anomalies.cases WHERE day = '{last}' AND case_id = '{case_id}'") == [("theft", 0)]
    assert rows(context, evaluated) == [("*", 1, 1, 1, 1.0), ("bypass", 1, 1, 1, 1.0)]
    passed, sentence, facts, _ = cases_judged(context, [last])["visits_find_something", last]
    assert passed and sentence.startswith("1 of 1 visits found something (21% to 100%)") and facts["judged"] == 1
    run(context, last, last, "detect")
    told = detectors_judged(context, [last])
    assert {check: said[0] for (check, _), said in told.items()} == dict.fromkeys(DETECTOR_CHECKS, True)
    assert told["detectors_awake", last][1] == "All 2 are awake."
    kept = rows(context, "SELECT who, note, verdict, kind, meter_id, is_witnessed FROM anomalies.verdicts")
    assert kept == [("kim", "a wire behind the meter", "theft", "bypass", "M00", True)]
    assert CliRunner().invoke(main, ["verdict", "case", case_id, "withdraw", "--who", "kim"]).exit_code == 0  # today: long after those days
    assert run(context, raised, last, "cases") == []
    the_detectors_week_is_in_mlflow(context, week_of(last - timedelta(days=7)))


def the_detectors_week_is_in_mlflow(context: Context, week: date) -> None:
    """Once all its days are there: a run a detector, with how its scores lay."""
    sunday = week + timedelta(days=6)
    run(context, week, sunday, "detect,suspects,cases")
    run(context, week, sunday, "evaluation")
    client, experiment = context.tracking._client, context.tracking._detection_id
    found = {
        r.data.tags["smartgrid.detector"]: r.data.metrics for r in client.search_runs([experiment], f"tags.`smartgrid.week` = '{week}'")
    }
    ((alarms,),) = rows(
        context, f"SELECT count(*) FROM anomalies.meter_days WHERE is_alarm AND detector = 'ecod' AND day BETWEEN '{week}' AND '{sunday}'"
    )
    assert set(found) == {"ecod", "isolation_forest"}
    assert found["ecod"]["meter_days"] == 7 * FEEDERS * EACH and found["ecod"]["alarms"] == alarms
    assert found["ecod"]["score_median"] == pytest.approx(0.5, abs=0.2) and found["ecod"]["cases_raised"] >= 0
