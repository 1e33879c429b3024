"""The order of lines means nothing, but for the two passes of a repeated hour."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartgrid_assets_tests.domain.acquire.reading import Delivered, deliver

HEADER = "meter_id,timestamp,kwh"
LINES = [
    f"m{meter},{datetime(2026, 3, 28, 22) + timedelta(minutes=15 * meter * n):%Y-%m-%d %H:%M},{meter * 100 + n if n != 5 else ''}"
    for meter in (1, 2, 4)
    for n in range(24)
] + ["m1,2026-03-30 25:00,1", "m1,2026-03-30 03:00,abc"]


def outcome(delivered: Delivered) -> tuple[object, ...]:
    columns = "meter_id, interval_start_utc, interval_minutes, value, quality, available_at, day"
    values = sorted(delivered.readings(columns, "value IS NOT NULL"))
    return values, sorted(delivered.rejected("rule, content")), delivered.parsed.readings


@cache
def in_order() -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as folder:
        return outcome(deliver(Path(folder), "\n".join([HEADER, *LINES])))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(LINES))
def test_the_same_lines_in_any_order_are_the_same_readings(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert outcome(deliver(Path(folder), "\n".join([HEADER, *lines]))) == in_order()
