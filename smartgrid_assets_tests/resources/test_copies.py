"""Backup and restore: the same lake elsewhere, also while a run writes; damage is found before anything is restored."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.domain.errors import LakeError
from smartgrid_assets.domain.lineage import Recipe
from smartgrid_assets.resources.copies import backup, restore
from smartgrid_assets.resources.lake import Lake

TABLE = "forecasts/champion"
FIRST = date(2026, 1, 5)


def put(lake: Lake, week: date, margin: float) -> None:
    row = f"(SELECT 'all' AS zone_group, 'm' AS model, '' AS runner_up, {margin} AS margin, 3 AS days, 'why' AS why, NULL AS promoted_by)"
    with lake.connect() as con:
        lake.replace(con, TABLE, week, row, Recipe({"a": str(margin)}, "v1", {}, int(margin * 1000)))


def rows(lake: Lake) -> list[tuple]:
    with lake.connect() as con:
        return con.execute(f"SELECT week, margin FROM ({lake.select(TABLE)}) ORDER BY 1").fetchall()


def test_a_restored_lake_is_the_same(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "home" / "lake", "Europe/Berlin")
    for n in range(3):
        put(lake, FIRST + timedelta(weeks=n), n / 10)
    backup(tmp_path / "home", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "other")
    assert rows(Lake.open(tmp_path / "other" / "lake", "Europe/Berlin")) == rows(lake)


def test_a_backup_taken_while_a_run_writes_holds_whole_partitions(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "home" / "lake", "Europe/Berlin")
    put(lake, FIRST, 0.0)
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            put(lake, FIRST, n / 1000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(5):
            backup(tmp_path / "home", tmp_path / f"copy{n}")
    finally:
        stop.set()
        writer.join()
    for n in range(5):
        restore(tmp_path / f"copy{n}", tmp_path / f"other{n}")
        assert len(rows(Lake.open(tmp_path / f"other{n}" / "lake", "Europe/Berlin"))) == 1


def test_a_damaged_backup_restores_nothing(tmp_path: Path) -> None:
    put(Lake.open(tmp_path / "home" / "lake", "Europe/Berlin"), FIRST, 0.1)
    backup(tmp_path / "home", tmp_path / "copy")
    next((tmp_path / "copy").rglob("part.parquet")).write_bytes(b"PAR1")
    with pytest.raises(LakeError, match="1 files are missing or damaged"):
        restore(tmp_path / "copy", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_home_with_a_lake_is_not_overwritten(tmp_path: Path) -> None:
    put(Lake.open(tmp_path / "home" / "lake", "Europe/Berlin"), FIRST, 0.1)
    backup(tmp_path / "home", tmp_path / "copy")
    with pytest.raises(LakeError, match="has a lake already"):
        restore(tmp_path / "copy", tmp_path / "home")
