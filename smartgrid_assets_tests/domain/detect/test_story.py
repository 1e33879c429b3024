"""A case's evidence: the day's energy first, then what moved most against the others of its class, of which itself is none."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.detect.story import story

DAY = date(2026, 3, 14)
SINCE = DAY - timedelta(days=9)


def told(kind: str = "bypass", meter: str = "M0"):
    rows = []
    for ago in range(LOOK_BACK_DAYS + 1):
        day = DAY - timedelta(days=ago)
        for name in ("M0", "M1"):
            lies = name == "M0" and day >= SINCE
            rows.append(
                {"meter_id": name, "day": day, "zone": "Z1", "feeder": "F1", "class": "home", "energy_kwh": 5.0 if lies else 10.0, "export_kwh": 0.0,
                 "night_share": 0.2, "evening_share": 0.3, "peak_kw": 0.1 if lies else 2.0, "min_kw": 0.1, "ramp_kw": 0.2, "load_factor": 0.4,
                 "zero_share": 0.0, "stuck_share": 0.9 if lies else 0.1, "missing_share": 0.0, "flagged_share": 0.0, "negative_count": 0, "is_holiday": False}
            )  # fmt: skip
    con = duckdb.connect()
    con.register("given", pd.DataFrame(rows).assign(day=lambda f: pd.to_datetime(f["day"])))
    con.execute("CREATE VIEW profiles AS SELECT * REPLACE (CAST(day AS DATE) AS day) FROM given")
    con.execute(
        f"CREATE TABLE balance AS SELECT 'Z1' AS zone, 'F1' AS feeder, DATE '{DAY}' AS day, 21.0 AS measured_kwh, 15.0 AS metered_kwh"
    )
    case = {"meter_id": meter, "zone": "Z1", "feeder": "F1", "class": "home", "kind": kind, "since": SINCE}
    return story(con, "profiles", "balance", case, DAY)


def test_energy_is_first_then_what_moved_most_and_the_peers_are_the_others():
    first, second, *_ = told().evidence
    assert (first.words, first.own, first.peers) == ("energy", pytest.approx(-0.5), pytest.approx(0.0))
    assert (second.words, second.before, second.since) == ("peak", pytest.approx(2.0), pytest.approx(0.1))


def test_of_a_fault_the_shares_that_tell_it():
    first, *_ = told("stuck").evidence
    assert (first.words, first.before, first.since) == ("longest run of one value", pytest.approx(0.1), pytest.approx(0.9))


def test_counted_and_lost_lie_on_their_days_and_a_feeders_case_has_its_losses_alone():
    of_meter, of_feeder = told(), told("feeder_loss", meter="")
    assert of_meter.days[-1] == DAY and of_meter.counted[-1] == pytest.approx(5.0) and of_meter.counted[0] == pytest.approx(10.0)
    assert of_meter.loss[-1] == of_feeder.loss[-1] == 6.0 and pd.isna(of_meter.loss[:-1]).all()
    assert of_feeder.evidence == [] and pd.isna(of_feeder.counted).all()
