"""What pages say: clock changes, moments in the past, small groups, broken tables, an empty lake, and nonsense in the address."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime, timedelta

import pandas as pd
import pytest
from flask.testing import FlaskClient

from smartgrid_assets.domain.tables import table
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.app import SCREENS
from smartgrid_assets_tests.web.made import CASE, CHANGE, DAYS, METER, NEWEST, SCRIPT, Site, put


def panel(client: FlaskClient, address: str) -> dict:
    answer = client.get(f"/api/v1/{address}")
    assert answer.status_code == 200, answer.text
    return answer.json


def chart(page: str, name: str) -> dict:
    found = re.search(rf'id="{name}-data">(.*?)</script>', page, re.S)
    assert found, name
    return json.loads(found[1])


def trace(drawn: dict, name: str) -> dict:
    return next(one for one in drawn["data"] if one["name"] == name)


def test_a_day_of_a_clock_change_has_its_fifty_half_hours_and_both_two_o_clocks(site: Site) -> None:
    client = site.as_(Role.VIEWER)
    rows = panel(client, f"tomorrow/load?day={CHANGE}&zone=Z1")["rows"]
    assert len(rows) == 50
    assert [row["interval_start_local"][11:] for row in rows[4:8]] == ["02:00 +02:00", "02:30 +02:00", "02:00 +01:00", "02:30 +01:00"]
    drawn = chart(client.get(f"/tomorrow?day={CHANGE}&zone=Z1").text, "load")
    assert trace(drawn, "forecast")["x"][:5] + trace(drawn, "forecast")["x"][-1:] == [0.0, 0.5, 1.0, 1.5, 2.0, 24.5]
    assert drawn["layout"]["xaxis"]["range"] == [0, 25.0] and drawn["layout"]["xaxis"]["ticktext"][-1] == "24:00"
    plan = panel(site.as_(Role.OPERATOR), f"plan/prices?day={CHANGE}")["rows"]
    assert len(plan) == 25


def test_the_newest_day_is_shown_with_its_band_what_an_earlier_gate_said_and_the_week_before(site: Site) -> None:
    page = site.as_(Role.VIEWER).get("/tomorrow?zone=Z1").text
    assert "Z1, Monday 26 October 2026" in page and "issued at gate closure, 2026-10-25 10:00 +01:00" in page
    drawn = chart(page, "load")
    assert {one["name"] for one in drawn["data"]} >= {"90 % band", "60 % band", "forecast", "a gate earlier"}
    assert "came" not in {one["name"] for one in drawn["data"]}
    assert "20.0 MW on average, 1.0 MW more." in page


def test_the_whole_is_the_sum_of_the_joint_paths_and_what_came_the_sum_of_the_zones(site: Site) -> None:
    client = site.as_(Role.ADMIN)
    whole = panel(client, f"tomorrow/load?day={CHANGE}&zone=*")["rows"]
    parts = [panel(client, f"tomorrow/load?day={CHANGE}&zone={zone}")["rows"] for zone in ("Z1", "Z2", "Z3")]
    assert whole[10]["actual_mw"] == pytest.approx(sum(part[10]["actual_mw"] for part in parts))
    assert whole[10]["low_mw"] != pytest.approx(parts[0][10]["low_mw"] + parts[1][10]["low_mw"])


@pytest.mark.parametrize(
    ("as_of", "has_forecast", "has_load"),
    [
        ("2026-10-24T09:59", False, False),
        ("2026-10-24T10:00", True, False),
        ("2026-10-26T04:59", True, False),
        ("2026-10-26T05:00", True, True),
    ],
    ids=["before the gate", "at the gate", "before the readings came", "once they came"],
)
def test_a_moment_in_the_past_shows_what_was_known_then(site: Site, as_of: str, has_forecast: bool, has_load: bool) -> None:
    found = panel(site.as_(Role.VIEWER), f"tomorrow/load?day={CHANGE}&zone=Z1&as_of={as_of}")
    assert all((row["forecast_mw"] is not None) is has_forecast for row in found["rows"])
    assert all((row["actual_mw"] is not None) is has_load for row in found["rows"])
    assert ("not forecast yet" in found["sentence"]) is not has_forecast


def test_the_plan_is_not_there_before_its_gate(site: Site) -> None:
    client = site.as_(Role.OPERATOR)
    assert client.get(f"/api/v1/plan/stack?day={CHANGE}&as_of=2026-10-24T09:00").status_code == 404
    assert "there was no plan" in client.get(f"/plan?day={CHANGE}&as_of=2026-10-24T09:00").text


def test_sums_of_few_customers_are_for_analysts_alone(site: Site) -> None:
    viewer, analyst = site.as_(Role.VIEWER), site.as_(Role.ANALYST)
    assert (
        panel(viewer, "tomorrow/load?zone=Z2")["rows"] == []
        and "SMARTGRID_MINIMUM_GROUP" in panel(viewer, "tomorrow/load?zone=Z2")["sentence"]
    )
    assert len(panel(analyst, "tomorrow/load?zone=Z2")["rows"]) == 48
    assert [row["name"] for row in panel(viewer, "tomorrow/zones")["rows"]] == ["all zones", "Z1"]
    assert "Z2" in [row["name"] for row in panel(analyst, "tomorrow/zones")["rows"]]


def test_bars_of_the_plan_are_its_rows_and_demand_ends_where_the_day_does(site: Site) -> None:
    drawn = chart(site.as_(Role.OPERATOR).get("/plan").text, "stack")
    bars = [one for one in drawn["data"] if one["type"] == "bar"]
    assert [one["name"] for one in bars] == ["=steam", "battery"] and all(len(one["y"]) == 24 for one in bars)
    assert trace(drawn, "demand")["x"][-1] == 24.0
    assert sum(one["y"][3] for one in bars) == pytest.approx(trace(drawn, "demand")["y"][3], rel=1e-4)


def test_forecast_error_is_what_settled_days_cost_more_than_perfect_foresight(site: Site) -> None:
    found = panel(site.as_(Role.OPERATOR), "plan/settlement")
    assert [row["regret"] for row in found["rows"]] == [20.0] * 3 and "20.00 a day on average over 3 settled days" in found["sentence"]


def test_other_ways_to_plan_count_as_dearer_only_beyond_both_gaps(site: Site) -> None:
    rows = {row["plan"]: row for row in panel(site.as_(Role.OPERATOR), "plan/ways")["rows"]}
    assert list(rows) == ["perfect foresight", "published", "fixed reserve"]
    assert (rows["fixed reserve"]["days"], rows["fixed reserve"]["dearer"], rows["fixed reserve"]["cheaper"]) == (3, 3, 0)
    assert rows["perfect foresight"]["cheaper"] == 3 and rows["fixed reserve"]["unserved_mwh"] == pytest.approx(0.3)


def test_what_binds_is_told_once_for_a_stretch_of_hours_and_what_is_worth_most_comes_first(site: Site) -> None:
    found = panel(site.as_(Role.OPERATOR), "plan/why")
    first = found["rows"][0]
    assert (first["unit"], first["binds"], first["worth_per_mwh"]) == ("=steam", "largest power", 5.0) and found["sentence"] == first[
        "sentence"
    ]
    assert len(found["rows"]) == 3 and [row["unit"] for row in found["rows"][1:]] == ["=steam", "battery"]
    assert found["rows"][1]["interval_start_utc"] == first["until_utc"]


def test_a_replan_is_told_with_its_reason_from_the_moment_it_was_made(own_site: Site) -> None:
    assert panel(own_site.as_(Role.OPERATOR), "plan/replans")["rows"] == []
    made = {
        "recorded_at": datetime(2026, 10, 26, 9),
        "from_utc": datetime(2026, 10, 26, 10),
        "why": "G3 tripped",
        "plan": "re-plan",
        "cost_total": 400.0,
    }
    with own_site.context.lake.connect() as con:
        columns = table("dispatch/replan_summary").columns
        filled = {c.name: made.get(c.name, {"VARCHAR": "", "BOOLEAN": False}.get(c.type, 0.0)) for c in columns}
        con.register("filled", pd.DataFrame([filled | {"day": NEWEST}]).astype({"day": "datetime64[us]"}))
        con.execute("CREATE TEMP TABLE replanned AS SELECT * REPLACE (CAST(day AS DATE) AS day) FROM filled")
        own_site.context.lake.raw.append(con, "dispatch/replan_summary", "replanned", "one")
    found = panel(own_site.as_(Role.OPERATOR), f"plan/replans?day={NEWEST}")
    assert [row["why"] for row in found["rows"]] == ["G3 tripped"] and "11:00" in found["sentence"]
    assert panel(own_site.as_(Role.OPERATOR), f"plan/replans?day={NEWEST}&as_of=2026-10-26T09:59")["rows"] == []


def test_calls_name_the_feeder_the_hour_and_the_kilowatts(site: Site) -> None:
    rows = panel(site.as_(Role.OPERATOR), "plan/flexible")["rows"]
    assert [row["call_kw"] for row in rows] == [41.0, 41.0, 40.0, 40.0] and {row["name"] for row in rows} == {"F1", f"F{SCRIPT}"}


def test_a_case_is_laid_out_with_its_days_its_evidence_and_its_neighbours(site: Site) -> None:
    client = site.as_(Role.ANALYST)
    story = panel(client, f"case/story?case={CASE}")["rows"]
    assert [row["counted"] for row in story[-3:]] == [4.0] * 3 and story[-1]["expected"] > 10
    assert panel(client, f"case/neighbours?case={CASE}")["total"] == 2
    energy = panel(client, f"case/evidence?case={CASE}")["rows"][0]
    assert energy["words"] == "energy" and energy["own"] == pytest.approx(-0.67, abs=0.02) and abs(energy["peers"]) < 0.05


def test_a_story_that_the_night_told_is_shown_and_no_profile_is_read_for_it(own_site: Site) -> None:
    context, of = own_site.context, {"case_id": CASE, "meter_id": METER}
    days = [
        of | {"told_day": CHANGE - timedelta(days=n), "counted_kwh": 3.0, "expected_kwh": 9.0, "low_kwh": 8.0, "high_kwh": 10.0}
        for n in range(3)
    ]
    put(context, "operator/case_days", CHANGE, days)
    put(
        context,
        "operator/case_evidence",
        CHANGE,
        [of | {"place": 1, "words": "energy", "unit": "kWh", "before": 9.0, "since": 3.0, "own": -0.67}],
    )
    shutil.rmtree(context.lake.folder("features/meter_profile"))
    client = own_site.as_(Role.ANALYST)
    story = panel(client, f"case/story?case={CASE}")["rows"]
    assert [(row["counted"], row["loss"]) for row in story] == [(3.0, None)] * 3 and story[-1]["day"] == f"{CHANGE}"
    (energy,) = panel(client, f"case/evidence?case={CASE}")["rows"]
    assert (energy["own"], energy["peers"]) == (-0.67, None)


def test_what_is_wrong_is_said_in_words(site: Site) -> None:
    rows = panel(site.as_(Role.VIEWER), "trust/incidents")["rows"]
    assert [row["what"] for row in rows] == ["day held back", "tomorrow is not issued"]
    assert "smartgrid night" in rows[1]["sentence"]


def test_a_broken_table_takes_no_other_panel_down(own_site: Site) -> None:
    file = own_site.context.lake.file("operator/weather", NEWEST)
    file.write_bytes(b"this is no Parquet file")
    client = own_site.as_(Role.VIEWER)
    answer = client.get("/tomorrow?zone=Z1")
    assert answer.status_code == 200 and "cannot be read just now" in answer.text and chart(answer.text, "load")
    assert str(file.parent) not in answer.text
    assert client.get("/api/v1/tomorrow/weather").status_code == 503


def test_a_question_that_takes_too_long_is_stopped_and_the_server_answers_on(own_site: Site) -> None:
    from smartgrid_assets.web.reader import Reader, TooSlow

    reader = Reader(own_site.context, timeout_s=0.2)
    with pytest.raises(TooSlow, match=r"longer than 0\.2 s"):
        reader.rows("SELECT count(*) FROM range(10000000000) a, range(1000) b")
    assert reader.rows("SELECT 1 AS one") == [{"one": 1}]


def test_an_answer_is_kept_while_its_files_stay_and_no_longer(own_site: Site) -> None:
    from smartgrid_assets.web.reader import Reader
    from smartgrid_assets_tests.web.made import put

    reader, ask = Reader(own_site.context), ("SELECT count(*) AS n FROM held", "validated/held_days")
    assert reader.rows(ask[0], held=(ask[1], [CHANGE])) is reader.rows(ask[0], held=(ask[1], [CHANGE]))
    put(own_site.context, ask[1], CHANGE, [])
    assert reader.rows(ask[0], held=(ask[1], [CHANGE])) == [{"n": 0}]


def test_an_empty_lake_says_which_command_comes_next(empty_site: Site) -> None:
    client = empty_site.as_(Role.ADMIN)
    for screen in (one for one in SCREENS if one.in_menu):
        answer = client.get(f"/{screen.name}")
        assert answer.status_code == 200 and "smartgrid demo" in answer.text
    assert client.get("/api/v1/tomorrow/load").status_code == 404
    assert client.get("/search?q=F1").status_code in (200, 404)
    assert client.get(f"/case?case={CASE}").status_code == 404 or "smartgrid demo" in client.get(f"/case?case={CASE}").text


NONSENSE = [
    ("/tomorrow?day=yesterday", 400, "write it as 2026-11-24"),
    ("/tomorrow?day=2026-13-45", 400, "is no day"),
    ("/tomorrow?day=1999-01-01", 404, "there are days from 2026-10-18 to 2026-10-26"),
    ("/tomorrow?zone=Atlantis", 404, "There is no zone"),
    ("/tomorrow?as_of=soon", 400, "is no time"),
    ("/tomorrow?as_of=9999-12-31T23:59", 400, "lies in the future"),
    ("/tomorrow?zone=" + "x" * 300, 400, "longer than 200"),
    ("/tomorrow?zone=a%00b", 400, "no text"),
    ("/tomorrow/nothing.csv", 404, "has no panel nothing"),
    ("/tomorrow/load.exe", 404, "there are .csv and .parquet"),
    ("/case?case=none", 404, "There is no such case"),
    ("/case", 404, "There is no such case"),
    ("/feeder?zone=Z1&feeder=none", 404, "no limit of feeder"),
    ("/api/v1/tomorrow/load?limit=-1", 400, "not a whole number"),
    ("/api/v1/tomorrow/load?offset=1e9", 400, "not a whole number"),
    ("/audit?before=x", 400, "number of a line"),
    ("/no/such/page", 404, "There is no such page"),
]


@pytest.mark.parametrize(("address", "status", "sentence"), NONSENSE, ids=[one[0][:40] for one in NONSENSE])
def test_nonsense_gets_a_sentence_on_a_page_of_ours(site: Site, address: str, status: int, sentence: str) -> None:
    answer = site.as_(Role.ADMIN).get(address)
    assert answer.status_code == status
    assert sentence in answer.text.replace("&#39;", "'")
    assert answer.is_json if address.startswith("/api") else "SmartGridAI</title>" in answer.text


def test_a_fault_of_ours_shows_nothing_of_its_inside(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("smartgrid_assets.web.pages.made", broken)
    answer = own_site.as_(Role.VIEWER).get("/tomorrow")
    assert answer.status_code == 500 and "secret inside" not in answer.text and "Our fault" in answer.text


def test_every_view_has_an_address_that_brings_it_back(site: Site) -> None:
    client = site.as_(Role.ANALYST)
    page = client.get(f"/tomorrow?day={CHANGE}&zone=Z1&as_of=2026-10-26T06:00").text
    assert f"/tomorrow/load.csv?day={CHANGE}&amp;zone=Z1&amp;as_of=2026-10-26T05%3A00Z" in page
    addresses = {found.replace("&amp;", "&") for found in re.findall(r'href="(/[^"]*)"', page)}
    assert len(addresses) > 15
    assert {address: client.get(address).status_code for address in addresses if client.get(address).status_code not in (200, 303)} == {}


def test_a_meter_shows_its_days_and_its_cases(site: Site) -> None:
    client = site.as_(Role.ANALYST)
    assert panel(client, f"meter/days?meter={METER}")["total"] == 56 and panel(client, f"meter/cases?meter={METER}")["total"] == 1


def test_times_and_numbers_carry_zone_and_unit(site: Site) -> None:
    page = site.as_(Role.VIEWER).get("/tomorrow?zone=Z1").text
    assert "local time, Europe/Berlin" in page and "mean power, MW" in page and "<small>MW</small>" in page
    assert f"Page made {datetime(2026, 10, 26, 12, 0):%Y-%m-%d %H:%M} +01:00" in page


def test_a_file_of_an_older_layout_is_read_and_what_it_lacks_is_not_known(own_site: Site) -> None:
    for day in (CHANGE, NEWEST):
        file = own_site.context.lake.file("operator/weather", day)
        with own_site.context.lake.connect() as con:
            con.execute(
                f"COPY (SELECT * EXCLUDE (observed_c) FROM read_parquet('{file}', hive_partitioning = false)) TO '{file}.older' (FORMAT parquet)"
            )
        file.with_name(f"{file.name}.older").rename(file)
        rows = panel(own_site.as_(Role.VIEWER), f"tomorrow/weather?day={day}")["rows"]
        assert len(rows) == (50 if day == CHANGE else 48) and {(row["forecast_c"], row["observed_c"]) for row in rows} == {(8.0, None)}


def test_a_plan_without_its_summary_is_still_shown(own_site: Site) -> None:
    own_site.context.lake.file("dispatch/summary", NEWEST).unlink()
    answer = own_site.as_(Role.OPERATOR).get("/plan")
    assert answer.status_code == 200 and "summary is missing" in answer.text and chart(answer.text, "stack")


def test_a_broken_newest_day_breaks_no_page_and_older_days_are_shown(own_site: Site) -> None:
    own_site.context.lake.file("operator/overview", NEWEST).write_bytes(b"cut")
    client = own_site.as_(Role.ADMIN)
    for path in ("/tomorrow", "/trust", "/plan", "/cases"):
        assert client.get(path).status_code == 200, path
    assert chart(client.get(f"/tomorrow?day={CHANGE}&zone=Z1").text, "load") and chart(client.get("/trust").text, "completeness")


def test_a_fault_in_one_panel_is_said_there_and_its_place_stands_in_the_log(
    own_site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of meter M-1001")

    monkeypatch.setattr("smartgrid_assets.web.screens.tomorrow.zones_of", broken)
    answer = own_site.as_(Role.VIEWER).get("/tomorrow?zone=Z1")
    assert answer.status_code == 200 and chart(answer.text, "load") and "cannot be read just now" in answer.text
    assert "ZeroDivisionError at screens/tomorrow.py:" in caplog.text and "M-1001" not in caplog.text


def test_the_second_two_o_clock_is_kept_by_the_form(site: Site) -> None:
    page = site.as_(Role.VIEWER).get("/tomorrow?zone=Z1&as_of=2026-10-25T01:30Z").text
    assert 'type="text" value="2026-10-25T01:30Z" name="as_of"' in page
    assert (
        'type="datetime-local" value="2026-10-25T02:30" name="as_of"'
        in site.as_(Role.VIEWER).get("/tomorrow?zone=Z1&as_of=2026-10-25T00:30Z").text
    )


def test_answers_without_a_row_are_not_kept_without_end(own_site: Site) -> None:
    from smartgrid_assets.web import reader as module

    reader = module.Reader(own_site.context)
    for n in range(300):
        reader.rows("SELECT * FROM held WHERE check_name = ?", [f"nothing {n}"], held=("validated/held_days", DAYS[:3]))
    before = reader._cells
    assert before >= 300 * 50
    try:
        module.MOST_CELLS, most = 2000, module.MOST_CELLS
        reader.rows("SELECT 1 AS one")
        assert reader._cells <= 2000 and len(reader._kept) < 40
    finally:
        module.MOST_CELLS = most


def test_files_of_an_empty_lake_are_a_sentence_or_a_file_and_no_fault(empty_site: Site) -> None:
    client = empty_site.as_(Role.ADMIN)
    for screen in SCREENS:
        for one in screen.panels:
            assert client.get(f"/{screen.name}/{one.name}.csv?q=F1").status_code in (200, 404), (screen.name, one.name)
