"""The order of lines means nothing, but for the two passes of a repeated hour."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartgrid_assets_tests.domain.acquire.reading import deliver

HEADER = "meter_id,timestamp,kwh"
LINES = [
    f"m{meter},{datetime(2026, 3, 28, 22) + timedelta(minutes=15 * meter * n):%Y-%m-%d %H:%M},{meter * 100 + n if n != 5 else ''}"
    for meter in (1, 2, 4)
    for n in range(24)
] + ["m1,2026-03-30 25:00,1", "m1,2026-03-30 03:00,abc"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(LINES))
def test_the_same_lines_in_any_order_are_the_same_readings(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        delivered = deliver(Path(folder), "\n".join([HEADER, *lines]))
        columns = "meter_id, interval_start_utc, interval_minutes, value, quality, available_at, day"
        found = (
            sorted(delivered.readings(columns, "value IS NOT NULL")),
            sorted(delivered.rejected("rule, content")),
            delivered.parsed.readings,
        )
    with tempfile.TemporaryDirectory() as folder:
        sorted_file = deliver(Path(folder), "\n".join([HEADER, *LINES]))
        assert found[0] == sorted(sorted_file.readings(columns, "value IS NOT NULL"))
        assert found[1] == sorted(sorted_file.rejected("rule, content")) and found[2] == sorted_file.parsed.readings
