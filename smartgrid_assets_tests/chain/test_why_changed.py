"""Why a forecast changed: parts add up to what was published, on the 23-hour day too, and each cause is found where it was put."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from smartgrid_assets.chain import exchanged, why_changed
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD
from smartgrid_assets.chain.why_changed import reasons_to_tell
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.shelf import on_shelf
from smartgrid_assets_tests.chain.small import FIRST, METERS, at_home, deliver, file_of, kwh, lines_of, morning_after, rows, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("why_changed")]

SPRING = date(2026, 3, 29)
MONDAY = SPRING + timedelta(days=1)
LAST = date(2026, 4, 3)
"""Good Friday."""
CORRECTED_FOR = date(2026, 3, 27)
"""Of the day a week before it a correction came between two gates."""
SWITCHED = date(2026, 3, 20)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
PARTS = ("calendar_mw", "weather_mw", "newer_load_mw", "correction_mw", "models_mw")
REGISTER = """meter_id,role,feeder,zone,class,rating_kw,valid_from,valid_to
A1,customer,F1,north,home,20,2020-01-01,2099-12-31
A2,customer,F3,north,home,20,2020-01-01,2099-12-31
A3,customer,F4,north,home,20,2020-01-01,2099-12-31
B1,customer,F2,south,shop,60,2020-01-01,2099-12-31
L1,feeder,F1,north,,3,2020-01-01,2099-12-31
"""
MOVED_KW = 0.6
BULK = 16
"""So many days come as history in one file; the rest night by night."""


def degrees(day: date) -> float:
    return 10 + 6 * np.sin(day.toordinal() * 0.9)


def readings(day: date, factor: float = 1.0) -> list[str]:
    """Readings that rise with the day's temperature; from the switch on, feeder F3 (A2) has taken over load of F1 (A1)."""
    from smartgrid_assets.domain.market_day import market_day

    moved = {"A1": -MOVED_KW, "A2": MOVED_KW} if day >= SWITCHED else {}
    window = market_day(day, "Europe/Berlin")
    change = {
        (meter, n): round(factor * (2 + kwh(meter, window.start_utc + timedelta(hours=n)) + 0.1 * degrees(day) + moved.get(meter, 0)), 4)
        for meter in (*METERS, "A3")
        for n in range(window.intervals(60))
    }
    return lines_of(day, (*METERS, "A3"), change)


def weather(day: date, celsius: float, issued: datetime | None) -> list[str]:
    told = f",{issued.isoformat()}Z" if issued else ""
    start = datetime.combine(day, datetime.min.time()) - timedelta(hours=2)
    return [
        f"{zone},{(start + timedelta(hours=n)).isoformat()}Z,60,{celsius:.2f},0,3{told}" for zone in ("north", "south") for n in range(26)
    ]


def weather_file(path, lines: list[str], issued: bool):
    header = "zone,interval_start,interval_minutes,temperature_c,irradiance_w_m2,wind_speed_m_s" + (",issued_at" if issued else "")
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Forecasts of two weeks. Each day's weather is told twice, a gate apart: of LAST first as far too warm."""
    folder = tmp_path_factory.mktemp("changed")
    with pytest.MonkeyPatch.context() as patch:
        at_home(patch, folder / "home", "naive_2d,naive_7d,additive")
        (register := folder / "meters.csv").write_text(REGISTER)
        context = on_shelf(chain_context())
        files = [(register, morning_after(FIRST - timedelta(days=1)))]
        past, nights = DAYS[:BULK], [*DAYS[BULK:], LAST]
        files.append((file_of(folder, "past.csv", [line for day in past for line in readings(day)]), morning_after(past[-1])))
        observed = [line for day in past for line in weather(day, degrees(day), None)]
        files.append((weather_file(folder / "came.csv", observed, issued=False), morning_after(past[-1])))
        for day in nights:
            files.append((file_of(folder, f"{day}.csv", readings(day)), morning_after(day)))
            for back, off in ((2, 8.0 if day == LAST else 0.0), (1, 0.0)):
                issued = datetime.combine(day - timedelta(days=back), datetime.min.time()) + timedelta(hours=4)
                path = weather_file(folder / f"told_{day}_{back}.csv", weather(day, degrees(day) + off, issued), issued=True)
                files.append((path, issued + timedelta(minutes=30)))
            observed = weather_file(folder / f"came_{day}.csv", weather(day, degrees(day), None), issued=False)
            files.append((observed, morning_after(day)))
        between = datetime.combine(CORRECTED_FOR - timedelta(days=2), datetime.min.time()) + timedelta(hours=12)
        files.append((file_of(folder, "corrected.csv", readings(CORRECTED_FOR - timedelta(days=7), factor=1.5)), between))
        deliver(context, *sorted(files, key=lambda pair: pair[1]))
        steps = "validated,features,model,candidates,scores,champion,day_ahead,scenarios,headroom"
        run(context, DAYS[BULK + 2], LAST, steps, warm_up=BULK + 2)
        for day in (SPRING, MONDAY, CORRECTED_FOR, LAST):
            run(context, day, day, "changes")
        yield context
    settings.cache_clear()


def means(context, day: date, against: str, zone: str) -> dict[str, float]:
    (found,) = rows(
        context,
        f"""SELECT {", ".join(f"avg({name})" for name in PARTS)}, avg(load_mw - from_mw) FROM forecasts.changes
        WHERE day = '{day}' AND against = '{against}' AND zone = '{zone}' GROUP BY ALL""",
    )
    return dict(zip((*PARTS, "change"), found, strict=True))


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (MONDAY, 24), (CORRECTED_FOR, 24), (LAST, 24)])
def test_parts_add_up_to_what_was_published(home, day, hours):
    found = rows(
        home,
        f"""SELECT against, zone, count(*), max(abs(load_mw - from_mw - {" - ".join(PARTS)})) FROM forecasts.changes WHERE day = '{day}'
        GROUP BY ALL ORDER BY ALL""",
    )
    assert [(against, zone, n) for against, zone, n, _ in found] == [
        (against, zone, hours) for against in ("day_before", "gate_before") for zone in ("north", "south")
    ]
    assert max(off for *_, off in found) < 1e-12
    published, told = (
        rows(home, f"SELECT zone, interval_start_utc, load_mw FROM forecasts.{table} WHERE day = '{day}' ORDER BY ALL")
        for table in ("day_ahead", "changes")
    )
    assert set(told) == set(published)
    for zone, mean, before in rows(home, f"SELECT zone, load_mw, day_before_mw FROM forecasts.reasons WHERE day = '{day}'"):
        of = {str(d): avg for d, avg in rows(home, f"SELECT day, avg(load_mw) FROM forecasts.day_ahead WHERE zone = '{zone}' GROUP BY ALL")}
        assert mean == pytest.approx(of[str(day)])
        assert before == pytest.approx(of[str(day - timedelta(days=1))], rel=0.03)  # a skipped or repeated hour


def test_weather_told_anew_is_the_weathers_part_and_only_there(home):
    changed, calm = (means(home, day, "gate_before", "south") for day in (LAST, SPRING))
    # 8 degrees too warm at 0.1 kW a degree; what models without weather weigh takes a part of it away
    assert -0.0008 <= changed["weather_mw"] < -0.0002
    assert abs(calm["weather_mw"]) < 1e-9
    # from one day to the next it changed, though its forecast did not: that is the weather's part too, and not the calendar's
    assert abs(means(home, SPRING, "day_before", "south")["weather_mw"]) > 1e-5
    assert changed["calendar_mw"] == calm["calendar_mw"] == 0.0


def test_a_correction_between_two_gates_is_its_own_part(home):
    for zone in ("north", "south"):
        corrected = means(home, CORRECTED_FOR, "gate_before", zone)
        assert corrected["correction_mw"] > 0.0003, "a week ago half as much again was drawn than the gate before knew"
        assert 0 < abs(corrected["newer_load_mw"]) < corrected["correction_mw"]
    assert means(home, SPRING, "day_before", "south")["correction_mw"] == 0.0
    (sentence,) = rows(home, f"SELECT sentence FROM forecasts.reasons WHERE day = '{CORRECTED_FOR}' AND zone = 'south'")[0]
    assert "corrected load +" in sentence


def test_words_say_what_day_it_is_and_whether_models_are_new(home):
    told = {
        (day, zone): sentence
        for day, zone, sentence in rows(home, "SELECT day, zone, sentence FROM forecasts.reasons WHERE zone = 'south' ORDER BY ALL")
    }
    assert "(Sunday after Saturday)" in told[SPRING, "south"] and "than the forecast of Saturday" in told[SPRING, "south"]
    assert "(Friday, Karfreitag after Thursday)" in told[LAST, "south"]
    assert "degrees" in told[LAST, "south"] and "The gate a day earlier would have said" in told[LAST, "south"]
    assert "fitted anew" not in told[SPRING, "south"]
    assert means(home, MONDAY, "gate_before", "south")["models_mw"] != 0.0 == means(home, SPRING, "gate_before", "south")["models_mw"]


def test_sentences_of_a_few_meters_are_not_for_logs(home):
    assert reasons_to_tell(home, MONDAY) == []  # three meters and one, under the default of five
    group = replace(home, settings=home.settings.model_copy(update={"minimum_group": 2}))
    (told,) = reasons_to_tell(group, MONDAY)
    assert told == "north: " + dict(rows(home, f"SELECT zone, sentence FROM forecasts.reasons WHERE day = '{MONDAY}'"))["north"]
    assert reasons_to_tell(group, MONDAY + timedelta(days=1)) == []


def test_a_zone_of_which_nothing_was_published_is_no_trouble_for_the_others(home, monkeypatch):
    with home.lake.connect() as con:
        whole = exchanged.day_rows(Work(home, con, SPRING, {}), DAY_AHEAD, SPRING)
        monkeypatch.setattr(why_changed, "day_rows", lambda *_: whole[whole["zone"] == "north"])
        changes, reasons, problems = why_changed.change_rows(Work(home, con, SPRING, {}))
    assert set(changes["zone"]) == set(reasons["zone"]) == {"north"} and problems == []
    assert reasons["gate_before_mw"].notna().all()


def test_where_the_models_cannot_be_asked_again_the_change_is_theirs_and_no_others(home, monkeypatch):
    ask = exchanged.forecasts_by

    def of_north(*args):
        found, problems = ask(*args)
        return found[found["zone"] == "north"], problems

    monkeypatch.setattr(exchanged, "forecasts_by", of_north)
    with home.lake.connect() as con:
        changes, reasons, _ = why_changed.change_rows(Work(home, con, SPRING, {}))
    south = changes[changes["zone"] == "south"]
    assert set(south["against"]) == {"day_before"}
    assert not south[[part for part in PARTS if part != "models_mw"]].to_numpy().any()
    assert south["models_mw"].to_numpy() == pytest.approx((south["load_mw"] - south["from_mw"]).to_numpy())
    assert dict(zip(reasons["zone"], reasons["cause"], strict=True))["south"] == "models"
    assert changes.loc[changes["zone"] == "north", "calendar_mw"].any()


def test_a_switched_pair_of_feeders_is_named_and_its_old_days_are_not_borrowed(home):
    found = dict(rows(home, f"SELECT zone, sentence FROM forecasts.reasons WHERE day = '{MONDAY}'"))
    assert f"Feeder F3 has taken over 0.0006 MW of F1 since {SWITCHED}." in found["north"] and "taken over" not in found["south"]
    (mean,) = rows(home, f"SELECT avg(load_mw) FROM forecasts.headroom WHERE day = '{MONDAY}' AND feeder = 'F1'")[0]
    (since,) = rows(
        home,
        f"SELECT avg(load_mw) FROM features.load WHERE feeder = 'F1' AND day BETWEEN '{MONDAY - timedelta(days=9)}' AND '{MONDAY - timedelta(days=2)}'",
    )[0]
    assert mean == pytest.approx(since, rel=0.1)
