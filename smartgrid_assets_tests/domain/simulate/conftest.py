"""The demo's town, written once for all tests of the room, and DuckDB views over its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from smartgrid_assets.domain.simulate.utility import Town, Written, make_town, write_town

View = Callable[[Path], duckdb.DuckDBPyConnection]


def views(folder: Path) -> duckdb.DuckDBPyConnection:
    """A table a kind of file. `delivered` has its file's market day, and the whole file where one was cut off."""
    con = duckdb.connect()
    con.execute("SET timezone = 'UTC'")
    truncated = [path.name.replace("_redelivery", "") for path in folder.glob("*_redelivery.csv")]
    whole = sorted(str(path) for path in folder.glob("readings_*.csv") if path.name not in truncated)
    stamp = "CAST(replace(interval_start, 'Z', '') AS TIMESTAMP)"
    con.execute(f"""CREATE TABLE delivered AS
        SELECT * REPLACE ({stamp} AS interval_start),
            CAST(regexp_extract(filename, 'readings_(.{{10}})', 1) AS DATE) AS file_day
        FROM read_csv({whole}, types = {{'interval_start': 'VARCHAR', 'value': 'DOUBLE'}}, filename = true)""")
    for name in ("meters", "deliveries", "weather_observed", "weather_forecast", "truth/faults", "truth/oddities"):
        con.execute(f"CREATE TABLE {Path(name).name} AS FROM read_csv('{folder / name}.csv', nullstr = '\\N')")
    if (folder / "truth" / "readings.parquet").exists():
        con.execute(f"CREATE VIEW true_readings AS FROM read_parquet('{folder / 'truth' / 'readings.parquet'}')")
    return con


@pytest.fixture(scope="session")
def demo_town() -> Town:
    """The town of `make demo`."""
    return make_town()


@pytest.fixture(scope="session")
def demo_written(demo_town: Town, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Its files."""
    return write_town(demo_town, tmp_path_factory.mktemp("demo_town"))


@pytest.fixture(scope="session")
def demo(demo_written: Written) -> duckdb.DuckDBPyConnection:
    """Its tables."""
    return views(demo_written.folder)
