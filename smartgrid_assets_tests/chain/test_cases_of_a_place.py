"""From files to a case: a meter that counts half from some day on, in a place whose feeders are measured."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.chain.replay import selected
from smartgrid_assets.chain.step import state_of
from smartgrid_assets.defs.resources import chain_context
from smartgrid_assets.domain.market_day import market_day
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
    assert rows(context, f"SELECT count(*), sum(meters) FROM features.feeder_balance WHERE day = '{last}'") == [(FEEDERS, FEEDERS * EACH)]
    query = f"SELECT meter_id, feeder, kind, raised, state, is_witnessed, witness, change FROM anomalies.cases WHERE day = '{last}' AND rank > 0"
    ((meter, feeder, kind, raised, state, is_witnessed, witness, change),) = rows(context, query)
    assert (meter, feeder, kind, state, is_witnessed) == ("M00", "F0", "bypass", "open", True) and raised == last - timedelta(days=1)
    assert witness == pytest.approx(1.0, abs=0.4) and change == pytest.approx(-0.5, abs=0.12)
    for step in selected("suspects,cases"):
        assert state_of(context, step, last).kind == "fresh"
