"""Is the newest day there that should be there by now?"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.judging import READINGS, freshness
from smartgrid_assets_tests.chain.small import FIRST, deliver, place, run

LAST = FIRST + timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "fresh"),
    [
        pytest.param(datetime(2026, 3, 4, 8, 59), True, id="before the gate of the day after: yesterday may still come"),
        pytest.param(datetime(2026, 3, 5, 8, 59), True, id="the morning after, still before the gate"),
        pytest.param(datetime(2026, 3, 5, 9, 0), False, id="at the gate"),
        pytest.param(datetime(2026, 3, 9, 12, 0), False, id="days later"),
    ],
)
def test_yesterday_must_be_validated_when_tomorrows_gate_closes(now: datetime, fresh: bool, home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 2)
    deliver(context, *files)
    run(context, FIRST, LAST, "validated")
    assert date(2026, 3, 3) == LAST
    assert freshness(context, now)[READINGS].passed is fresh
