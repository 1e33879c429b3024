"""The lake: partitions are replaced whole, checked on write, and read beside older ones."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from smartgrid_assets.domain.errors import LakeVersionError, SchemaError, TimeZoneMismatchError
from smartgrid_assets.domain.lineage import Recipe
from smartgrid_assets.resources.lake import Lake

DAY = date(2026, 3, 29)
PROFILE = "forecasts/champion"
ROW = "SELECT 'all' AS zone_group, 'm' AS model, '' AS runner_up, {margin} AS margin, 3 AS days, 'why' AS why, NULL AS promoted_by"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(tmp_path / "lake", "Europe/Berlin")


def put(lake: Lake, query: str, recipe: Recipe | None = None, key: date = DAY):  # type: ignore[no-untyped-def]
    with lake.connect() as con:
        return lake.replace(con, PROFILE, key, f"({query})", recipe or Recipe({"a": "1"}, "v1", {}, 10))


def test_the_same_rows_from_the_same_recipe_leave_the_file_alone(lake: Lake) -> None:
    assert put(lake, ROW.format(margin=0.1)).outcome == "written"
    stamp = lake.file(PROFILE, DAY).stat().st_mtime_ns
    assert put(lake, ROW.format(margin=0.1)).outcome == "unchanged"
    assert lake.file(PROFILE, DAY).stat().st_mtime_ns == stamp
    assert put(lake, ROW.format(margin=0.2)).outcome == "written"


def test_a_slow_old_run_does_not_overwrite_what_was_made_from_newer_inputs(lake: Lake) -> None:
    put(lake, ROW.format(margin=0.5), Recipe({"a": "new"}, "v1", {}, 20))
    assert put(lake, ROW.format(margin=0.1), Recipe({"a": "old"}, "v1", {}, 10)).outcome == "kept"
    assert lake.footer(PROFILE, DAY).recipe.inputs == {"a": "new"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        pytest.param("SELECT 'all' AS zone_group", "lack", id="a column is missing"),
        pytest.param(ROW.format(margin="0.1").replace("'m'", "NULL"), "null in model", id="a null where none may be"),
        pytest.param(f"{ROW.format(margin=0.1)} UNION ALL {ROW.format(margin=0.2)}", "more than once", id="a repeated key"),
        pytest.param(ROW.format(margin="'nan'::DOUBLE"), "NaN", id="a NaN"),
        pytest.param(ROW.format(margin="'much'"), "does not fit", id="a wrong type"),
    ],
)
def test_rows_that_do_not_fit_never_reach_the_lake(lake: Lake, query: str, says: str) -> None:
    put(lake, ROW.format(margin=0.1))
    before = lake.file(PROFILE, DAY).read_bytes()
    with pytest.raises(SchemaError, match=says):
        put(lake, query)
    assert lake.file(PROFILE, DAY).read_bytes() == before


def test_the_digest_does_not_depend_on_the_order_of_rows(lake: Lake) -> None:
    one, two = ROW.format(margin=0.1), ROW.format(margin=0.2).replace("'all'", "'b'")
    first = put(lake, f"{one} UNION ALL {two}")
    assert put(lake, f"{two} UNION ALL {one}").digest == first.digest


def test_another_time_zone_and_a_newer_layout_are_refused_with_a_sentence(lake: Lake) -> None:
    with pytest.raises(TimeZoneMismatchError, match="SMARTGRID_TIMEZONE=Europe/Berlin"):
        Lake.open(lake.root, "Australia/Melbourne")
    (lake.root / "lake.json").write_text('{"layout": 99, "timezone": "Europe/Berlin"}')
    with pytest.raises(LakeVersionError, match="newer version"):
        Lake.open(lake.root, "Europe/Berlin")


def test_a_table_without_files_is_a_typed_empty_view(lake: Lake) -> None:
    with lake.connect_apart() as con:
        lake.define_views(con)
        assert con.execute("SELECT count(*) FROM validated.meter_readings WHERE energy_kwh > 0").fetchall() == [(0,)]


def test_two_layouts_are_read_side_by_side(lake: Lake) -> None:
    put(lake, ROW.format(margin=0.1))
    older = lake.file(PROFILE, date(2026, 3, 16))
    older.parent.mkdir(parents=True)
    with lake.connect() as con:  # a file made before the column `why` was there
        con.execute(f"COPY (SELECT * EXCLUDE (why) FROM ({ROW.format(margin=0.3)})) TO '{older}' (FORMAT parquet)")
        rows = con.execute(f"SELECT margin, why FROM ({lake.select(PROFILE)}) ORDER BY 1").fetchall()
    assert rows == [(0.1, "why"), (0.3, None)]


def test_writers_of_different_partitions_do_not_wait_and_readers_see_whole_ones(lake: Lake) -> None:
    days = [date(2026, 1, 5), date(2026, 1, 12)]
    failures: list[Exception] = []

    def write(day: date) -> None:
        try:
            for n in range(10):
                put(lake, ROW.format(margin=n / 10), Recipe({"a": str(n)}, "v1", {}, n), day)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(day,)) for day in days]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with lake.connect() as con:
            assert con.execute(f"SELECT count(*) FROM ({lake.select(PROFILE)})").fetchall()[0][0] <= 2
    assert not failures
    assert {lake.footer(PROFILE, day).recipe.inputs["a"] for day in days} == {"9"}  # type: ignore[union-attr]


_FULL_DISK = """
import resource, signal, sys
from datetime import date
from pathlib import Path
from smartgrid_assets.domain.lineage import Recipe
from smartgrid_assets.resources.lake import Lake
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
lake = Lake.open(Path(sys.argv[1]), "Europe/Berlin")
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
with lake.connect() as con:
    rows = "(SELECT md5(i::VARCHAR) AS zone_group, md5(i::VARCHAR) AS model, '' AS runner_up, random() AS margin, 1 AS days, '' AS why, NULL AS promoted_by FROM range(9000) r(i))"
    lake.replace(con, "forecasts/champion", date(2026, 3, 29), rows, Recipe({"a": "2"}, "v1", {}, 99))
"""


def test_a_full_disk_is_a_sentence_and_the_old_partition_is_whole(lake: Lake) -> None:
    put(lake, ROW.format(margin=0.1))
    before = lake.file(PROFILE, DAY).read_bytes()
    # A limit on file sizes stands in for the full disk: the write fails half-way in the same manner.
    ended = subprocess.run([sys.executable, "-c", _FULL_DISK, str(lake.root)], capture_output=True, text=True)
    assert ended.returncode != 0 and "LakeWriteError" in ended.stderr and "old partition is still whole" in ended.stderr
    assert lake.file(PROFILE, DAY).read_bytes() == before
    assert [p.name for p in lake.file(PROFILE, DAY).parent.iterdir() if p.name.startswith(".part")] == []


def test_work_larger_than_the_memory_limit_spills_into_the_lake(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", "Europe/Berlin", memory_limit="60MB", threads=1)
    with lake.connect_apart() as con:
        con.execute("CREATE TEMP TABLE many AS SELECT hash(range) AS a, range AS b FROM range(6_000_000)")
        assert con.execute("SELECT count(*) FROM (SELECT * FROM many ORDER BY a LIMIT 5_000_000)").fetchall() == [(5_000_000,)]
