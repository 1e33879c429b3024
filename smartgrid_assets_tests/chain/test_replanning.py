"""What a re-plan changes, in words: hours in a row are one line, whatever happens to other units meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from smartgrid_assets.chain.replanning import Replan

START = datetime(2026, 3, 22, 11)


def schedule(**runs: str) -> pd.DataFrame:
    """Units by half hours: 1 runs, 0 is off."""
    rows = [
        {
            "unit": unit,
            "kind": "thermal",
            "interval_start_utc": START + timedelta(minutes=30 * n),
            "interval_minutes": 30,
            "committed": on == "1",
        }
        for unit, of in runs.items()
        for n, on in enumerate(of)
    ]
    return pd.DataFrame(rows)


def test_hours_in_a_row_are_one_stretch_a_unit() -> None:
    planned: Any = SimpleNamespace(units=schedule(coal="110110", gas="001100", oil="111111"))
    made = Replan(cast("Any", planned), START, schedule(coal="000000", gas="111111", oil="111111"))

    def at(n: int) -> datetime:
        return START + timedelta(minutes=30 * n)

    assert made.stretches() == [
        (at(0), at(2), "coal", True),
        (at(0), at(2), "gas", False),
        (at(3), at(5), "coal", True),
        (at(4), at(6), "gas", False),
    ]
    assert len(made.changes()) == 8
