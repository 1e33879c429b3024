"""Daily reads through the chain: kept apart, they make their own days stale, and nothing is forecast of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from smartgrid_assets_tests.chain.small import FIRST, deliver, morning_after, place, rows, run

LAST = FIRST + timedelta(days=4)


def test_a_daily_read_makes_its_day_stale_and_is_compared_with_the_intervals(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 5)
    deliver(context, *files)
    run(context, FIRST, LAST, "validated,features")
    before = rows(context, "SELECT day, sum(energy_kwh) FROM validated.meter_readings WHERE meter_id = 'A2' GROUP BY day ORDER BY day")
    readings = rows(context, "SELECT count(*) FROM raw.meter_readings")
    daily = tmp_path / "daily.csv"
    kwh = [energy * (2 if day == FIRST + timedelta(days=2) else 1) for day, energy in before]
    daily.write_text(
        "meter_id,timestamp,kwh\n" + "".join(f"A2,{day},{value}\n" for (day, _), value in zip(before, kwh, strict=True)), encoding="utf-8"
    )
    deliver(context, (daily, morning_after(LAST)))
    assert rows(context, "SELECT count(*) FROM raw.meter_readings") == readings
    made = {(done.step, done.key) for done in run(context, FIRST, LAST, "validated,features")}
    assert {key for step, key in made if step == "check"} == {day for day, _ in before}
    found = rows(
        context, "SELECT DISTINCT day, meter_id FROM validated.meter_readings WHERE list_contains(string_split(flags, ','), 'sum_check')"
    )
    assert found == [(FIRST + timedelta(days=2), "A2")]
    assert run(context, FIRST, LAST, "validated,features") == []
