"""Faults stand in the files where the truth says, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from smartgrid_assets.domain.simulate.faults import FILE_KINDS, KINDS
from smartgrid_assets.domain.simulate.utility import Written, faults_of, make_town, write_town
from smartgrid_assets_tests.domain.simulate.conftest import views

# A day of a meter as one number, whatever the order of its rows; clocks go back on 25 October.
LIES = """
    WITH claimed AS (SELECT meter_id, file_day, count(*) AS n,
                         sum(CAST(hash(channel, interval_start, value, unit, quality) AS HUGEINT)) AS print
                     FROM delivered GROUP BY ALL),
         honest AS (SELECT meter_id, count(*) AS n,
                        CAST(interval_start_utc + INTERVAL 1 HOUR
                            * if(interval_start_utc < '2026-10-25 01:00', 2, 1) AS DATE) AS file_day,
                        sum(CAST(hash(channel, interval_start_utc, energy_kwh, 'kWh', 'A') AS HUGEINT)) AS print
                    FROM true_readings GROUP BY ALL)
    SELECT meter_id, CAST(file_day AS VARCHAR) FROM claimed FULL JOIN honest USING (meter_id, file_day)
    WHERE claimed.n IS DISTINCT FROM honest.n OR claimed.print IS DISTINCT FROM honest.print"""


@pytest.fixture(scope="module")
def lies(demo: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Meters and market days whose file rows differ from the truth in any column or count."""
    return set(demo.execute(LIES).fetchall())


@pytest.fixture(scope="module")
def declared(demo: duckdb.DuckDBPyConnection) -> list[tuple[str, str, list[str]]]:
    """Meter, kind and market days of each fault of a meter."""
    rows = demo.execute("SELECT meter_id, kind, string_split(CAST(market_days AS VARCHAR), ' ') FROM faults WHERE meter_id <> ''")
    return rows.fetchall()


def test_every_kind_of_fault_occurs_in_the_demo(demo: duckdb.DuckDBPyConnection) -> None:
    kinds = {kind for (kind,) in demo.execute("SELECT DISTINCT kind FROM faults").fetchall()}
    assert kinds == {*KINDS, *FILE_KINDS}
    variants = demo.execute("SELECT count(DISTINCT variant) FROM faults WHERE variant <> ''").fetchone()
    assert variants == (6,)


@pytest.mark.parametrize("seed", range(12))
def test_every_kind_of_fault_occurs_whatever_the_seed(seed: int) -> None:
    assert {fault.kind for fault in faults_of(make_town(seed=seed))} == {*KINDS, *FILE_KINDS}


def test_readings_differ_from_the_truth_only_where_a_fault_is_declared(
    lies: set[tuple[str, str]], declared: list[tuple[str, str, list[str]]]
) -> None:
    assert lies <= {(meter, day) for meter, _, days in declared for day in days}


def test_every_declared_fault_shows_in_the_files(lies: set[tuple[str, str]], declared: list[tuple[str, str, list[str]]]) -> None:
    hidden = [(meter, kind) for meter, kind, days in declared if not any((meter, day) in lies for day in days)]
    assert hidden == []


def test_a_meter_has_one_fault_at_most(declared: list[tuple[str, str, list[str]]]) -> None:
    meters = [meter for meter, _, _ in declared]
    assert len(meters) == len(set(meters))


def test_a_town_without_faults_delivers_the_truth(tmp_path: Path) -> None:
    write_town(make_town(meters=40, days=5, faults=False), tmp_path)
    honest = views(tmp_path)
    assert honest.execute(LIES).fetchall() == []
    assert honest.execute("SELECT count(*) FROM faults").fetchone() == (0,)
    assert not list(tmp_path.glob("*redelivery*"))


def test_spikes_are_above_the_rating_and_nothing_true_is(demo: duckdb.DuckDBPyConnection) -> None:
    spikes = demo.execute("""
        SELECT min(power_kw / rating_kw) FROM (
            SELECT meter_id, 2 * max(value) AS power_kw FROM delivered d JOIN faults f USING (meter_id)
            WHERE f.kind = 'spike' AND d.interval_start BETWEEN f.first_utc AND f.last_utc GROUP BY ALL)
        JOIN meters USING (meter_id)
        """).fetchone()
    true = demo.execute("SELECT max(2 * energy_kwh / rating_kw) FROM true_readings JOIN meters USING (meter_id)").fetchone()
    assert spikes is not None and spikes[0] >= 2
    assert true is not None and true[0] <= 1


def test_the_truth_says_how_much_energy_a_fault_added_or_removed(demo: duckdb.DuckDBPyConnection) -> None:
    apart = demo.execute("""
        WITH claimed AS (SELECT meter_id, sum(if(channel = 'import', 1, -1) * value * if(unit = 'Wh', 0.001, 1)) AS kwh
                         FROM delivered GROUP BY ALL),
             honest AS (SELECT meter_id, sum(if(channel = 'import', 1, -1) * energy_kwh) AS kwh
                        FROM true_readings GROUP BY ALL)
        SELECT max(abs(c.kwh - t.kwh - f.added_kwh))
        FROM faults f JOIN claimed c USING (meter_id) JOIN honest t USING (meter_id)
        """).fetchone()
    assert apart is not None and apart[0] < 0.01


def test_a_truncated_file_ends_inside_a_line_and_comes_again_whole(demo_written: Written) -> None:
    (again,) = demo_written.folder.glob("*_redelivery.csv")
    cut = again.with_name(again.name.replace("_redelivery", "")).read_bytes()
    whole = again.read_bytes()
    assert whole.startswith(cut) and len(cut) < len(whole)
    assert not cut.endswith(b"\n") and cut.splitlines()[-1].count(b",") < 6


def test_deliveries_say_which_file_came_late_and_that_the_others_came_overnight(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    hours = demo.execute("""
        SELECT file_name,
            date_diff('hour', CAST(regexp_extract(file_name, '(....-..-..)', 1) AS TIMESTAMP), received_at) AS after
        FROM deliveries WHERE file_name LIKE 'readings%'""").fetchall()
    late = {name: after for name, after in hours if after > 28}
    day = demo.execute("SELECT CAST(market_days AS VARCHAR) FROM faults WHERE kind = 'late_file'").fetchone()
    assert day is not None
    assert len(late) == 2 and late[f"readings_{day[0]}.csv"] > 72
    assert sum("redelivery" in name for name in late) == 1
    assert min(after for _, after in hours) >= 24


def test_long_spans_of_many_meters_have_faults_in_proportion_and_most_meters_honest() -> None:
    town = make_town(meters=1000, days=365)
    faults = faults_of(town)
    kinds = [fault.kind for fault in faults]
    assert np.ptp([kinds.count(kind) for kind in KINDS]) <= 1
    assert 200 <= len(faults) <= 302
