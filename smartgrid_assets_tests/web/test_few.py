"""Sums of few customers reach analysts alone: by no panel, file, moment, comparison or subtraction."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.few import hidden
from smartgrid_assets_tests.web.made import CHANGE, DAYS, NEWEST, Site, intervals, put, wave

VIEWER, ANALYST = Role.VIEWER, Role.ANALYST


def rows(site: Site, role: Role, address: str) -> list[dict]:
    answer = site.as_(role).get(f"/api/v1/{address}")
    assert answer.status_code == 200, answer.text
    return answer.json["rows"]


@pytest.mark.parametrize(
    ("customers", "not_shown"),
    [
        ({"a": 9, "b": 40}, set()),
        ({"a": 3, "b": 40, "c": 75}, {"a", "b"}),
        ({"a": 2, "b": 3, "c": 75}, {"a", "b"}),
        ({"a": 3, "b": None}, {"a", "b"}),
        ({"a": 3}, {"a"}),
        ({}, set()),
    ],
    ids=["enough", "the next smallest too", "together enough", "a measured zone", "alone", "none"],
)
def test_what_is_hidden_is_together_of_enough(customers: dict, not_shown: set) -> None:
    assert hidden(customers, 5) == not_shown


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR], ids=lambda role: role.word)
def test_a_zone_of_few_and_the_one_that_would_tell_of_it_are_hidden_and_the_whole_stays(site: Site, role: Role) -> None:
    for zone in ("Z2", "Z3"):
        assert rows(site, role, f"tomorrow/load?zone={zone}") == []
        assert rows(site, role, f"trust/accuracy?zone={zone}") == []
    assert [row["name"] for row in rows(site, role, "tomorrow/zones")] == ["all zones", "Z1"]
    assert len(rows(site, role, "tomorrow/load?zone=*")) == 48
    assert [row["name"] for row in rows(site, ANALYST, "tomorrow/zones")] == ["all zones", "Z1", "Z2", "Z3"]


def test_the_accuracy_of_all_zones_is_that_of_the_shown_ones(own_site: Site) -> None:
    scores = [
        {"zone": zone, "forecast": "published", "lead_bucket": "all", "n": 48, "mae_mw": mae}
        for zone, mae in (("Z1", 0.5), ("Z2", 9.0), ("Z3", 0.1))
    ]
    put(own_site.context, "forecasts/accuracy", CHANGE, scores)
    told = [[row["mae_mw"] for row in rows(own_site, role, "trust/accuracy") if row["day"] == str(CHANGE)] for role in (VIEWER, ANALYST)]
    assert told == [[0.5], [pytest.approx(3.2)]]


@pytest.mark.parametrize("as_of", ["", "&as_of=2026-10-20T00:00", "&as_of=2026-10-26T11:00"], ids=["now", "before the gate", "after it"])
def test_what_changed_tells_of_no_hidden_zone_at_any_moment(own_site: Site, as_of: str) -> None:
    parts = [
        {"zone": zone, "against": "gate_before", **at, "from_mw": 1.0, "load_mw": 1.0}
        for zone in ("Z1", "Z2", "Z3")
        for at in intervals(NEWEST)
    ]
    put(own_site.context, "forecasts/changes", NEWEST, parts)
    put(own_site.context, "forecasts/reasons", NEWEST, [{"zone": "Z2", "load_mw": 1.0, "sentence": "three customers told"}])
    answer = own_site.as_(VIEWER).get(f"/api/v1/tomorrow/changes?day={NEWEST}{as_of}")
    assert {row["zone"] for row in answer.json["rows"]} <= {"Z1"} and "three customers" not in answer.text


def test_the_week_before_is_told_only_where_there_were_enough_then(own_site: Site) -> None:
    overview = [
        {"zone": zone, **at, "forecast_mw": 1.0, "actual_mw": 1.0, "meters": meters}
        for zone, meters in (("Z1", 3), ("Z3", 40))
        for at in intervals(DAYS[0])
    ]
    put(own_site.context, "operator/overview", DAYS[0], overview)
    for role, is_told in ((VIEWER, False), (ANALYST, True)):
        assert any(row["week_before_mw"] is not None for row in rows(own_site, role, f"tomorrow/load?day={CHANGE}&zone=Z1")) is is_told
        (z1,) = [row for row in rows(own_site, role, f"tomorrow/zones?day={CHANGE}") if row["name"] == "Z1"]
        assert (z1["against_week"] is not None) is is_told


def test_a_feeder_of_few_is_not_the_zone_s_limit_less_the_others(own_site: Site) -> None:
    limits = (("*", 30.0, 75), ("A", 17.0, 60), ("B", 2.0, 3), ("C", 11.0, 12))
    headroom = [{"zone": "Z1", "feeder": feeder, **at, "rating_mw": 40.0, "load_mw": wave(at["interval_start_utc"], mw), "high_mw": mw, "flexible_mw": 1.0}
                for feeder, mw, _ in limits for at in intervals(NEWEST)]  # fmt: skip
    put(own_site.context, "forecasts/headroom", NEWEST, headroom)
    put(own_site.context, "operator/feeders", NEWEST, [{"zone": "Z1", "feeder": feeder, "rating_mw": 40.0, "high_mw": mw, "headroom_mw": 40 - mw, "flexible_mw": 1.0,
                                                        "meters": meters} for feeder, mw, meters in limits])  # fmt: skip
    calls = [
        {"zone": "Z1", "feeder": feeder, **at, "call_kw": 1.0}
        for feeder in ("*", "A", "B", "C", "uncounted")
        for at in intervals(NEWEST)[:1]
    ]
    put(own_site.context, "dispatch/flexibility_calls", NEWEST, calls)
    assert {row["name"] for row in rows(own_site, VIEWER, "tomorrow/feeders")} == {"the zone's own limit", "A"}
    assert {row["name"] for row in rows(own_site, Role.OPERATOR, "plan/flexible")} == {"the zone's own limit", "A"}
    assert [len(rows(own_site, VIEWER, f"feeder/near?zone=Z1&feeder={feeder}")) for feeder in "ABC"] == [48, 0, 0]
    assert len(rows(own_site, ANALYST, "tomorrow/feeders")) == 4


def test_feeders_of_a_hidden_zone_are_hidden_too(own_site: Site) -> None:
    put(
        own_site.context,
        "operator/feeders",
        NEWEST,
        [{"zone": "Z3", "feeder": feeder, "rating_mw": 9.0, "high_mw": 1.0, "headroom_mw": 8.0, "meters": 20} for feeder in "AB"],
    )
    assert rows(own_site, VIEWER, "tomorrow/feeders") == [] and len(rows(own_site, ANALYST, "tomorrow/feeders")) == 2


@pytest.mark.parametrize("panel", ["tomorrow/feeders", "tomorrow/weather", "tomorrow/changes", "tomorrow/zones", "plan/flexible"])
def test_before_the_gate_no_panel_knows_the_day(site: Site, panel: str) -> None:
    assert rows(site, Role.ADMIN, f"{panel}?day={CHANGE}&as_of=2026-10-24T09:00") == []
    assert rows(site, Role.ADMIN, f"{panel}?day={NEWEST}&as_of=2026-10-25T10:00") != []


def test_settled_days_are_those_whose_load_was_known_then(site: Site) -> None:
    last = DAYS[2]
    told = [row["day"] for row in rows(site, Role.ADMIN, f"plan/settlement?day={NEWEST}&as_of={last + timedelta(days=1)}T09:59")]
    assert str(last) not in told and str(DAYS[1]) in told
    assert str(last) in [row["day"] for row in rows(site, Role.ADMIN, f"plan/settlement?day={NEWEST}")]
