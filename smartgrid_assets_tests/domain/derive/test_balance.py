"""What does a feeder measure above its meters? Sums worked out by hand."""

from datetime import date

import pytest

from smartgrid_assets.domain.derive.recipe import feeder_balance
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.domain.tables import table
from smartgrid_assets_tests.domain.derive.given import BERLIN, meter, relation, whole_day

DAY = market_day(date(2026, 3, 2), BERLIN)
METERS = [meter("a", feeder="f1"), meter("b", feeder="f1"), meter("F", role="feeder", feeder="f1"), meter("c", feeder="f2"),
          meter("Z", role="zone")]  # fmt: skip


def balance(con, readings, meters=METERS):
    relation(con, "meters", "raw/meters", meters)
    relation(con, "readings", "validated/meter_readings", readings)
    frame = con.execute(f"FROM {feeder_balance(con, 'readings', 'meters')} ORDER BY zone, feeder").df()
    assert list(frame.columns) == [c.name for c in table("features/feeder_balance").columns]
    return frame


def day(who, kwh, **more):
    return whole_day(who, DAY, kwh, 60, **more)


def test_import_less_export_of_the_customers_beside_what_the_feeder_measures(con):
    rows = [*day("a", 2.0), *day("b", 1.0), *day("b", 0.5, channel="export"), *day("F", 2.75), *day("c", 9.0), *day("Z", 99.0)]
    (row,) = balance(con, rows).to_dict("records")
    assert (row["zone"], row["feeder"], row["meters"]) == ("north", "f1", 2)
    assert (row["measured_kwh"], row["metered_kwh"], row["flow_kwh"]) == (66.0, 60.0, 84.0) and row["guessed_share"] == 0


def test_gross_generation_counts_only_where_there_is_no_export(con):
    rows = [*day("a", 2.0), *day("a", 0.5, channel="generation"), *day("b", 1.0), *day("b", 0.25, channel="export")]
    rows += [*day("b", 5.0, channel="generation"), *day("F", 3.0)]
    (row,) = balance(con, rows).to_dict("records")
    assert row["metered_kwh"] == pytest.approx(24 * (1.5 + 0.75))


def test_how_much_was_guessed_is_said(con):
    rows = [*day("a", 2.0, quality="estimated"), *day("b", 1.0), *day("F", 3.0), *day("a", 1.0, channel="export", quality="missing")]
    assert balance(con, rows)["guessed_share"].tolist() == [0.5]


def test_a_feeder_that_nobody_measured_or_nobody_draws_from_has_no_balance(con):
    assert balance(con, [*day("a", 2.0), *day("b", 1.0)]).empty
    assert balance(con, day("F", 2.0)).empty
    assert balance(con, [*day("a", 2.0), *day("F", None)]).empty
    assert balance(con, []).empty
