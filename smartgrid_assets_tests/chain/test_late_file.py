"""One late file among many made days: exactly what rests on it is made again, by the planner that the sensor asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.ingest import Delivery, ingest
from smartgrid_assets.chain.replay import made_stale, steps
from smartgrid_assets.chain.step import run_step
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.inbox import Inbox, content_hash
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.shelf import on_shelf
from smartgrid_assets_tests.chain.small import FIRST, METERS, NOW, at_home, deliver, file_of, lines_of, morning_after, place, run

pytestmark = pytest.mark.xdist_group("test_late_file")  # its lake is made once, in one worker

DAYS = 60
BULK = 40
"""So many days come as history in one file; the rest night by night."""
CORRECTED, GAP, ABSENT = 22, 23, 54
"""Numbers of days: one that is corrected later, one that has a gap of twelve hours, one that did not come."""
NEWEST = range(DAYS - 8, DAYS)
"""Days that the planner looks at although they were never made."""
ISSUED = range(52, 62)
"""Days that are forecast: the last one's gate closes on the morning after the last day delivered, at 08:00 UTC."""


def nth(number: int) -> date:
    """A market day of the small place by its number."""
    return FIRST + timedelta(days=number)


DERIVED = ("validated/meter_readings", "validated/earlier_readings", "features/load", "features/meter_profile")
RECEIVED = morning_after(nth(DAYS - 1)) + timedelta(hours=1)
"""06:00 UTC: after the gate of day 60, before that of day 61."""


def settle(context: Context) -> list[tuple[str, int]]:
    """Make what is due as the sensor does, one request after the other: (step, number of the day)."""
    made: list[tuple[str, int]] = []
    while found := made_stale(context):
        step, keys = found
        for key in keys:
            run_step(context, step, key, only_due=True)
        made += [(step.name, (key - FIRST).days) for key in keys]
        assert len(made) < 1000, "the planner asks for the same again and again"
    return made


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """60 days, one of them absent: all made through features, the last ones forecast, and nothing is due."""
    folder = tmp_path_factory.mktemp("settled")
    with pytest.MonkeyPatch.context() as patch:
        at_home(patch, folder / "home", "naive_2d,naive_7d")
        _, files = place(folder / "in", 0)
        of_day = {number: lines_of(nth(number)) for number in range(DAYS) if number != ABSENT}
        of_day[GAP] = [*lines_of(nth(GAP), ["A1", "B1"]), *lines_of(nth(GAP), ["A2"])[:3], *lines_of(nth(GAP), ["A2"])[15:]]
        bulk = file_of(folder / "in", "history.csv", [line for number in range(BULK) for line in of_day[number]])
        nights = [
            (file_of(folder / "in", f"{nth(number)}.csv", of_day[number]), morning_after(nth(number)))
            for number in range(BULK, DAYS)
            if number in of_day
        ]
        context = on_shelf(chain_context())
        deliver(context, *files, (bulk, morning_after(nth(BULK + 8))), *nights)
        run(context, FIRST, nth(DAYS - 1), "validated,features")
        for number in (CORRECTED - 1, CORRECTED, CORRECTED + 28, CORRECTED + 29, CORRECTED + 30):
            run(context, nth(number), nth(number), "anomalies")
        run(context, nth(ISSUED[0]), nth(ISSUED[-1]), "forecasts,operator")
        settle(context)
        yield context
    settings.cache_clear()


@pytest.fixture
def context(settled: Context, tmp_path: Path) -> Context:
    """The settled lake once more, to deliver to."""
    chosen = settled.settings.model_copy(update={"home": tmp_path})
    shutil.copytree(settled.settings.lake, chosen.lake)
    return replace(chain_context(chosen=chosen), tracking=settled.tracking)


def receive(context: Context, lines: list[str]) -> None:
    """The one late file."""
    home = context.settings.home
    ingest(context, Inbox(home / "inbox"), content_hash, [Delivery(file_of(home / "in", "late.csv", lines), RECEIVED)], NOW)


def stamps(context: Context) -> dict[Path, int]:
    """When each partition's file was written."""
    made = (path for path in context.lake.root.rglob("part.parquet"))
    return {path.relative_to(context.lake.root): path.stat().st_mtime_ns for path in made}


def written(before: dict[Path, int], after: dict[Path, int]) -> set[tuple[str, int]]:
    """(schema/table, number of the day) of the files that are new or newer."""
    changed = [path for path, stamp in after.items() if before.get(path) != stamp]
    return {(path.parent.parent.as_posix(), (date.fromisoformat(path.parent.name.partition("=")[2]) - FIRST).days) for path in changed}


def tables_of(made: list[tuple[str, int]]) -> set[tuple[str, int]]:
    """What these partitions may write."""
    every = {step.name: step.every_table for step in steps()}
    return {(path, number) for name, number in made for path in every[name]}


@pytest.mark.slow
def test_a_late_correction_re_makes_its_day_its_heirs_and_the_one_forecast_whose_gate_knew_it(context: Context) -> None:
    before = stamps(context)
    receive(context, lines_of(nth(CORRECTED), ["A2"], {("A2", hour): 3.0 + hour / 100 for hour in range(24)}))
    made = settle(context)
    assert made == [
        ("check", CORRECTED),
        # Its gap is filled from like days, and the corrected day is one. It is due once that one was made.
        ("check", GAP),
        ("load", CORRECTED),
        ("load", GAP),
        # Like days of later weeks saw the load as known when they came: their marks are not due.
        ("training_marks", CORRECTED),
        ("training_marks", GAP),
        ("meter_profile", CORRECTED),
        ("meter_profile", GAP),
        ("feeder_balance", CORRECTED),
        ("feeder_balance", GAP),
        # Detection was asked of a few days only: 22 looks at its own profile, 50 four weeks back on it. 51 and 52 do
        # not reach it; the gap's day counts for 51, but its profile is of what was delivered, never of an estimate.
        ("detect", CORRECTED),
        ("detect", CORRECTED + 28),
        # Suspects look twelve weeks back: all that were asked for after it. They are the same, so of the cases only those of the day
        # itself are due, whose meters are counted.
        *(("suspects", number) for number in (CORRECTED, CORRECTED + 28, CORRECTED + 29, *NEWEST) if number != ABSENT),
        ("cases", CORRECTED),
        # Stories show the same twelve weeks, and were asked for of the newest days alone.
        *(("stories", number) for number in NEWEST if number != ABSENT),
        # The weeks that these days are of, by their Mondays.
        ("evaluation", 21),
        ("evaluation", 49),
        # The only gate after the receipt. Its candidates rest on the history as known then; no naive reads that far
        # back, so their rows are the same, and what is published of them is not due.
        ("candidates", ISSUED[-1]),
        # The page of day 52 shows the alarms of two days before.
        ("overview", CORRECTED + 30),
        # What the correction did to the forecast is asked again.
        ("changes", ISSUED[-1]),
    ]
    assert written(before, stamps(context)) <= tables_of(made)
    assert settle(context) == []


@pytest.mark.slow
def test_a_day_that_comes_late_is_made_with_what_looks_back_on_it(context: Context) -> None:
    before = stamps(context)
    receive(context, lines_of(nth(ABSENT), METERS))
    made = settle(context)
    assert made == [
        ("check", ABSENT),
        # The one later day whose own gate knew it: its rules look back, and find the same.
        ("check", DAYS - 1),
        ("load", ABSENT),
        ("training_marks", ABSENT),
        ("meter_profile", ABSENT),
        ("feeder_balance", ABSENT),
        # Its own and all days after it, which were judged without it.
        *(("detect", number) for number in NEWEST if number >= ABSENT),
        *(("suspects", number) for number in NEWEST if number >= ABSENT),
        *(("cases", number) for number in NEWEST if number >= ABSENT),
        *(("stories", number) for number in NEWEST if number >= ABSENT),
        # Of the week that now has its day; in the week after it all is as it was.
        ("evaluation", 49),
        # The forecast of a week later (naive_7d) is the only one whose gate knew it; those of days 55 to 60 had to do
        # without. The week's models and champion are of day 56, a gate before the receipt.
        ("candidates", ABSENT + 7),
        # It was forecast, and can be scored at last.
        ("scores", ABSENT),
        ("day_ahead", ABSENT + 7),
        ("scenarios", ABSENT + 7),
        ("headroom", ABSENT + 7),
        ("accuracy", ABSENT),
        # Its own load, the alarms of two days before (54 to 59), and the new forecast (61).
        *(("overview", number) for number in (ABSENT, *range(ABSENT + 2, ISSUED[-1] + 1))),
        ("changes", ABSENT + 7),
    ]
    assert written(before, stamps(context)) <= tables_of(made)
    assert settle(context) == []


@pytest.mark.slow
def test_a_like_day_that_comes_late_gives_the_tables_that_it_gives_in_time(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Day 8 lacks twelve hours of a meter, day 7 is its nearest like day. Whether day 8 was made before or after day 7
    # came is nobody's business but the clock's: the estimate has a version from before, and one that knows day 7.
    tables = []
    for name, is_made_before in (("late", True), ("first", False)):
        monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / name))
        settings.cache_clear()
        context, files = place(tmp_path / "in", 9)
        file_of(tmp_path / "in", files[-1][0].name, [*lines_of(nth(8), ["A1", "B1"]), *lines_of(nth(8), ["A2"])[:12]])
        like_day = file_of(tmp_path / "in", "like_day.csv", lines_of(nth(7), METERS, {("A2", hour): 5.0 for hour in range(24)}))
        deliver(context, *files[:-2], files[-1])
        if is_made_before:
            run(context, FIRST, nth(8), "validated,features")
        deliver(context, (like_day, morning_after(nth(10))))
        for _ in range(2):  # that one pass is enough is a test of its own
            run(context, FIRST, nth(8), "validated,features")
        tables.append({path: context.lake.digest(path, nth(8)) for path in DERIVED})
    assert tables[0] == tables[1]


@pytest.mark.slow
def test_one_run_after_a_correction_leaves_nothing_for_a_second(home: Path, tmp_path: Path) -> None:
    context, files = place(tmp_path / "in", 9)
    file_of(tmp_path / "in", files[-1][0].name, [*lines_of(nth(8), ["A1", "B1"]), *lines_of(nth(8), ["A2"])[:12]])
    deliver(context, *files)
    run(context, FIRST, nth(8), "validated,features")
    like_day = file_of(tmp_path / "in", "like_day.csv", lines_of(nth(7), ["A2"], {("A2", hour): 3.0 + hour / 100 for hour in range(24)}))
    deliver(context, (like_day, morning_after(nth(10))))
    assert run(context, FIRST, nth(8), "validated,features")
    assert [(item.step, item.key) for item in run(context, FIRST, nth(8), "validated,features")] == []
