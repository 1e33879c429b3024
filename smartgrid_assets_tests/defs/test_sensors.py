"""What starts runs by itself, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from smartgrid_assets.chain import replay
from smartgrid_assets.defs import sensors
from smartgrid_assets.defs.resources import Chain
from smartgrid_assets_tests.hook import Posted, listening

DAYS = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 7)]


def ask_stale(cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    """What the sensor on stale partitions answers."""
    return sensors.stale_partitions(dg.build_sensor_context(cursor=cursor))


def ask_inbox(cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    """What the sensor on the inbox answers."""
    return sensors.inbox_files(dg.build_sensor_context(cursor=cursor), chain=Chain())


@pytest.fixture
def stale_days(home: Path, monkeypatch: pytest.MonkeyPatch) -> replay.Step:
    """Three days of the check, in two stretches, are stale."""
    check = replay.steps()[0]
    monkeypatch.setattr(sensors, "made_stale", lambda chain: (check, DAYS))
    return check


def test_exactly_the_stale_partitions_are_requested_one_run_a_stretch(stale_days: replay.Step) -> None:
    requests = ask_stale().run_requests
    spans = [(r.tags[ASSET_PARTITION_RANGE_START_TAG], r.tags[ASSET_PARTITION_RANGE_END_TAG]) for r in requests]
    assert spans == [("2026-03-02", "2026-03-03"), ("2026-03-07", "2026-03-07")]
    wanted = {*stale_days.tables, *filter(None, [stale_days.holds])}
    for request in requests:
        assert {key.to_user_string() for key in request.asset_selection} == wanted
        assert request.tags["smartgrid/only_due"] == "true"


def test_the_same_stale_partitions_are_not_requested_twice(stale_days: replay.Step) -> None:
    again = ask_stale(cursor=ask_stale().cursor)
    assert isinstance(again, dg.SkipReason)


def test_another_stale_day_is_requested_although_the_cursor_knows_the_first(
    stale_days: replay.Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = ask_stale().cursor
    monkeypatch.setattr(sensors, "made_stale", lambda chain: (stale_days, [date(2026, 3, 9)]))
    assert len(ask_stale(cursor).run_requests) == 1


def test_nothing_is_requested_in_an_empty_home(home: Path) -> None:
    assert isinstance(ask_stale(), dg.SkipReason)


def test_an_empty_inbox_starts_nothing(home: Path) -> None:
    assert isinstance(ask_inbox(), dg.SkipReason)


def test_waiting_files_are_one_run_and_a_changed_file_is_another(home: Path) -> None:
    inbox = Chain().inbox()
    inbox.root.mkdir(parents=True, exist_ok=True)
    (inbox.root / "a.csv").write_text("meter_id,timestamp,kwh\n")
    (inbox.root / "b.csv").write_text("meter_id,timestamp,kwh\n")
    first, same = ask_inbox(), ask_inbox()
    assert len(first.run_requests) == 1
    assert same.run_requests[0].run_key == first.run_requests[0].run_key == first.cursor
    (inbox.root / "b.csv").write_text("meter_id,timestamp,kwh\nA,2026-03-02,1\n")
    assert ask_inbox(first.cursor).run_requests[0].run_key != first.cursor


@pytest.fixture
def webhook() -> Iterator[tuple[str, Posted]]:
    """An address on loopback, and what was posted to it."""
    with listening() as hook:
        yield hook


def test_a_failure_is_posted_as_json(webhook: tuple[str, Posted]) -> None:
    address, posted = webhook
    sensors.post(address, {"text": "dispatch failed"})
    assert posted == [("application/json", {"text": "dispatch failed"})]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x", "127.0.0.1:80", "httpx://127.0.0.1"])
def test_a_webhook_of_another_scheme_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must begin with https:// or http://"):
        sensors.post(address, {"text": "x"})
