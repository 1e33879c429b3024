"""A re-plan asked for on the page: one at a time, by those who may, its outcome told; and the schedule in force drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets.resources import audit
from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.replans import Replans, in_a_process
from smartgrid_assets_tests.web.made import CHANGE, NEWEST, NOW, TZ, Site, form_token, put

FROM = "2026-10-26T12:00:00Z"


class Stub:
    """In place of the command: waits until it is let go, and tells what it was asked."""

    def __init__(self, *lines: str, is_right: bool = True) -> None:
        self.lines, self.is_right, self.go, self.asked = list(lines), is_right, threading.Event(), list[Sequence[str]]()

    def __call__(self, arguments: Sequence[str]) -> tuple[bool, list[str]]:
        self.asked.append(arguments)
        assert self.go.wait(20)
        return self.is_right, self.lines


def with_stub(site: Site, stub: Stub) -> Replans:
    replans = Replans(stub)
    site.app.extensions["replans"] = replans
    return replans


def ask(site: Site, role: Role = Role.OPERATOR, **fields: str) -> Any:
    client = site.as_(role)
    form = {"csrf": form_token(client, "/plan"), "day": f"{NEWEST}", "from": FROM, "percent": "5", "why": "G3 tripped", "what": "make"}
    return client.post("/plan/replan", data=form | fields)


def done(replans: Replans) -> Any:
    until = time.monotonic() + 20
    while not (newest := replans.newest(NEWEST)) or not newest.is_done:
        assert time.monotonic() < until
        time.sleep(0.01)
    return newest


def test_an_operator_asks_and_is_told_what_came_of_it(own_site: Site) -> None:
    stub = Stub("optimal: 7.00 for the rest of the day.", "13:00 +0100: G1 runs, was off.")
    with_stub(own_site, stub)
    answer = ask(own_site)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/plan?day={NEWEST}#replans")
    page = own_site.as_(Role.OPERATOR).get(f"/plan?day={NEWEST}").text
    assert "It is being made" in page and "data-again" in page and "+5 % load" in page
    stub.go.set()
    assert done(own_site.app.extensions["replans"]).is_right
    page = own_site.as_(Role.OPERATOR).get(f"/plan?day={NEWEST}").text
    assert "It was made" in page and "G1 runs, was off." in page and "data-again" not in page
    assert "data-again" not in own_site.as_(Role.OPERATOR).get(f"/plan?day={CHANGE}").text
    (arguments,) = stub.asked
    assert list(arguments) == [f"--day={NEWEST}", "--at=2026-10-26T12:00:00Z", "--load-percent=5.0", "--why=G3 tripped", "--who=operator"]
    line = next(line for line in audit.lines(own_site.accounts) if line.what == "asked for a re-plan")
    assert (line.who, line.about) == ("operator", f"{NEWEST} from 12:00 UTC: G3 tripped")


def test_one_at_a_time_and_a_refusal_is_told_as_it_was_said(own_site: Site) -> None:
    stub = Stub("There is no plan of <b>that day</b>.", is_right=False)
    replans = with_stub(own_site, stub)
    assert ask(own_site, what="try").status_code == 303 and stub.asked[0][-1] == "--dry-run"
    second = ask(own_site, Role.ANALYST)
    assert second.status_code == 400 and "operator asked for a plan of 2026-10-26" in second.text and len(stub.asked) == 1
    stub.go.set()
    assert not done(replans).is_right
    page = own_site.as_(Role.OPERATOR).get("/plan").text
    assert "It was not made." in page and "&lt;b&gt;that day" in page
    assert ask(own_site).status_code == 303


def test_a_fault_of_ours_does_not_hold_up_the_next(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: Sequence[str]) -> tuple[bool, list[str]]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(threading, "excepthook", lambda told: None)
    own_site.app.extensions["replans"] = replans = Replans(broken)
    assert ask(own_site).status_code == 303
    assert done(replans).lines == ("It was not made: the server's log says why.",)
    assert ask(own_site).status_code == 303


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"why": " "}, "Say why in one line"),
        ({"why": "a\nb"}, "Say why in one line"),
        ({"why": "x" * 201}, "Say why in one line"),
        ({"day": "yesterday"}, "is no day"),
        ({"percent": "nan"}, "More load is"),
        ({"percent": "1e9"}, "More load is"),
        ({"from": "noon"}, "is no time"),
    ],
)
def test_nonsense_is_a_sentence_and_nothing_is_begun(site: Site, fields: dict[str, str], sentence: str) -> None:
    stub = Stub()
    with_stub(site, stub)
    answer = ask(site, **fields)
    assert answer.status_code == 400 and sentence in answer.text and not stub.asked


def test_what_can_be_chosen_are_the_hours_that_have_not_begun(own_site: Site) -> None:
    def chosen(day: Any) -> list[str]:
        page = own_site.as_(Role.OPERATOR).get(f"/plan?day={day}").text
        return [part.split('"')[0] for part in page.split('<option value="')[1:]]

    assert chosen(NEWEST)[0] == "2026-10-26T11:00:00Z" and chosen(NEWEST)[-1] == "2026-10-26T22:00:00Z"
    assert chosen(CHANGE) == [] and 'action="/plan/replan"' not in own_site.as_(Role.OPERATOR).get(f"/plan?day={CHANGE}").text
    own_site.now[0] = datetime(2026, 10, 25, 0, 0)  # the first of the two 02:00
    page = own_site.as_(Role.OPERATOR).get(f"/plan?day={CHANGE}").text
    assert ">02:00 +02:00</option>" in page and ">02:00 +01:00</option>" in page and len(chosen(CHANGE)) == 23
    past = own_site.as_(Role.OPERATOR).get(f"/plan?day={CHANGE}&as_of=2026-10-24T20:00Z").text
    assert 'action="/plan/replan"' not in past


def test_what_is_drawn_is_the_schedule_in_force_and_before_the_replan_that_of_the_gate(own_site: Site) -> None:
    start = market_day(NEWEST, TZ).start_utc + timedelta(hours=20)
    unit = {"unit": "=steam", "zone": "Z1", "kind": "thermal", "interval_start_utc": start, "interval_minutes": 60, "committed": False}
    made = {"recorded_at": NOW, "from_utc": start}
    earlier = {"recorded_at": NOW - timedelta(hours=2), "from_utc": start}
    context, summary = own_site.context, {"plan": "re-plan", "status": "optimal"}
    put(context, "dispatch/replan", NEWEST, [made | unit | {"power_mw": 0.0}, earlier | unit | {"power_mw": 0.5}])
    put(context, "dispatch/replan_summary", NEWEST, [made | summary | {"why": "G3 tripped (ada)"}, earlier | summary | {"why": "warm"}])

    def rows(address: str) -> dict[tuple[str, str], Any]:
        got = own_site.as_(Role.OPERATOR).get(address).json
        return {(row["unit"], row["interval_start_utc"]): row["power_mw"] for row in got["rows"]}

    address = f"/api/v1/plan/stack?day={NEWEST}&limit=1000"
    now, then = rows(address), rows(f"{address}&as_of=2026-10-26T08:59Z")
    between = rows(f"{address}&as_of=2026-10-26T10:59Z")
    key = ("=steam", f"{start.isoformat()}Z")
    assert (now[key], between[key]) == (0.0, 0.5) and then[key] > 1 and len(now) == len(then) == len(between)
    assert {one for one in now if now[one] != then[one]} == {key}
    page = own_site.as_(Role.OPERATOR).get(f"/plan?day={NEWEST}").text
    assert "on this is the re-plan made 2026-10-26 12:00 +01:00: G3 tripped (ada)" in page


def test_the_command_itself_is_run_and_its_last_words_are_kept(own_site: Site) -> None:
    run = in_a_process(str(own_site.context.settings.home), TZ)
    is_right, said = run(["--day=2026-10-01", "--at=2026-10-01T05:00Z", "--why=$(touch /tmp/x); --dry-run", "--who=ada"])
    assert not is_right and said == [
        "There is no plan of 2026-10-01 to be changed; `smartgrid run --from 2026-10-01 --to 2026-10-01` makes one."
    ]
