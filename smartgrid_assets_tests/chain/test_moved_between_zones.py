"""A meter that moves to another zone: both zones' forecasts are at their new level from the third day on, and not before the gate knew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, REGISTER, deliver, place, rows, run

MOVED = FIRST + timedelta(days=14)
MOVES = REGISTER.replace(
    "A2,customer,F1,north,home,20,2020-01-01,2099-12-31",
    f"A2,customer,F1,north,home,20,2020-01-01,{MOVED - timedelta(days=1)}\nA2,customer,F2,south,home,20,{MOVED},2099-12-31",
)


def test_the_forecast_knows_the_new_level_once_the_gate_does(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_7d,naive_2d")
    settings.cache_clear()
    context, files = place(tmp_path / "in", 20)
    files[0][0].write_text(MOVES)
    deliver(context, *files)
    run(
        context,
        FIRST,
        FIRST + timedelta(days=19),
        "validated,features,model,candidates,scores,champion,day_ahead,scenarios,headroom,changes",
    )

    def level(zone: str, day_since: int, what: str = "q50", table: str = "forecasts.candidates WHERE model = 'naive_7d' AND") -> float:
        day = MOVED + timedelta(days=day_since)
        ((mean,),) = rows(context, f"SELECT avg({what}) FROM {table} zone = '{zone}' AND day = '{day}'")
        return float(mean)

    def load(zone: str, day_since: int) -> float:
        return level(zone, day_since, "load_mw", "features.load WHERE feeder = '*' AND")

    for zone in ("north", "south"):
        assert load(zone, 0) / load(zone, -7) == pytest.approx({"north": 1.0 / 2.7, "south": 7.7 / 6.0}[zone], rel=0.05)
        assert level(zone, 2) == pytest.approx(load(zone, -5), rel=1e-6)  # the gate knew one day of the new level
        assert level(zone, 5) == pytest.approx(load(zone, 5), rel=0.1)
    told = dict(rows(context, f"SELECT zone, sentence FROM forecasts.reasons WHERE day = '{MOVED + timedelta(days=5)}'"))
    assert all(
        f"Zone south has taken over 0.0017 MW of north since {MOVED}; days before are counted as if it always had." in s
        for s in told.values()
    )
