"""Feeders and zones measure what their customers truly use, and a little more."""

from __future__ import annotations

import duckdb
import numpy as np

from smartgrid_assets.domain.simulate.network import feeder_id
from smartgrid_assets.domain.simulate.utility import Town, make_town


def test_a_feeder_measures_its_customers_true_energy_with_losses_and_street_light(demo: duckdb.DuckDBPyConnection, demo_town: Town) -> None:
    network = demo_town.network
    net = "sum(if(channel = 'import', 1, -1) * energy_kwh)"
    for n in range(network.feeders):
        frame = demo.execute(f"""
            WITH customers AS (SELECT interval_start_utc, {net} AS kwh FROM true_readings JOIN meters USING (meter_id)
                               WHERE role = 'customer' AND feeder = '{feeder_id(n)}' GROUP BY ALL),
                 own AS (SELECT interval_start_utc, {net} AS kwh FROM true_readings
                         WHERE meter_id = '{feeder_id(n)}' GROUP BY ALL)
            SELECT c.kwh AS customers, o.kwh AS own FROM customers c JOIN own o USING (interval_start_utc)
            ORDER BY interval_start_utc""").fetchnumpy()
        lamps = np.concatenate([demo_town.lamps_on_hours(demo_town.grid(day))[n] for day in demo_town.days])
        customers = frame["customers"]
        expected = customers + network.loss_share[n] * np.abs(customers) + network.lamp_kw[n] * lamps
        assert len(customers) == 60 * 48 + 2
        np.testing.assert_allclose(frame["own"], expected, atol=6e-4)


def test_a_zone_measures_the_sum_of_its_feeders(demo: duckdb.DuckDBPyConnection) -> None:
    apart = demo.execute("""
        WITH net AS (SELECT zone, role, interval_start_utc, sum(if(channel = 'import', 1, -1) * energy_kwh) AS kwh
                     FROM true_readings JOIN meters USING (meter_id) WHERE role <> 'customer' GROUP BY ALL)
        SELECT max(abs(z.kwh - f.kwh)), count(*) FROM net z JOIN net f USING (zone, interval_start_utc)
        WHERE z.role = 'zone' AND f.role = 'feeder'""").fetchone()
    assert apart is not None and apart[0] < 1e-6 and apart[1] == 3 * (60 * 48 + 2)


def test_the_demo_has_200_customers_on_8_feeders_in_3_zones(demo: duckdb.DuckDBPyConnection) -> None:
    roles = demo.execute("SELECT role, count(*) FROM meters GROUP BY ALL ORDER BY 1").fetchall()
    assert roles == [("customer", 200), ("feeder", 8), ("zone", 3)]
    assert demo.execute("SELECT count(DISTINCT feeder), count(DISTINCT zone) FROM meters WHERE role = 'customer'").fetchone() == (8, 3)


def test_an_outage_darkens_the_feeder_and_all_its_customers_and_nobody_else(demo: duckdb.DuckDBPyConnection) -> None:
    dark = demo.execute("""
        SELECT m.feeder = o.feeder AS is_there, max(t.energy_kwh) AS most
        FROM oddities o, true_readings t JOIN meters m USING (meter_id)
        WHERE o.kind = 'outage' AND m.role <> 'zone' AND t.channel = 'import'
          AND t.interval_start_utc BETWEEN o.first_utc AND o.last_utc
        GROUP BY ALL ORDER BY 1""").fetchall()
    assert dark[1] == (True, 0.0) and dark[0][1] > 0


def test_a_town_beyond_one_block_of_meters_still_adds_up() -> None:
    town = make_town(meters=4200, days=1, faults=False)
    blocks = list(town.true_blocks(town.grid(town.days[0])))
    assert [len(block.import_kwh) for block in blocks] == [4096, 104]
    assert not np.array_equal(blocks[0].import_kwh[:104], blocks[1].import_kwh)


def test_only_homes_with_panels_and_witnesses_have_an_export_channel(demo: duckdb.DuckDBPyConnection) -> None:
    classes = demo.execute("""
        SELECT DISTINCT class FROM delivered JOIN meters USING (meter_id) WHERE channel = 'export'
        ORDER BY class""").fetchall()
    assert classes == [("feeder",), ("pv_home",), ("zone",)]
