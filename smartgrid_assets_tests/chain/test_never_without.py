"""Never without a forecast: last week's models, naives made on the spot, the profile of the other zones; each flagged with its reason."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from smartgrid_assets.chain import fitting, forecasting
from smartgrid_assets.chain.replay import in_this_process, night
from smartgrid_assets.chain.step import run_step, state_of
from smartgrid_assets.chain.steps.forecast import STEPS as FORECAST_STEPS
from smartgrid_assets.domain.errors import ForecastError, SmartGridError
from smartgrid_assets.domain.market_day import week_of
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS
from smartgrid_assets.home import chain_context
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.shelf import on_shelf
from smartgrid_assets_tests.chain.small import FIRST, REGISTER, at_home, deliver, file_of, lines_of, morning_after, rows, run

pytestmark = pytest.mark.slow

SPRING = date(2026, 3, 29)
"""A Sunday of 23 hours; its week begins on the 23rd, and the new zones come on the Thursday before."""
MONDAY = week_of(SPRING)
NEW = {"young": ("Y1", 2, 24), "newborn": ("N1", 1, 7)}
"""Zone -> its meter, days of it that the gate of SPRING knows, hours of each that came."""
BULK = 12
"""So many days come in one file, before the gate of the week before."""
STEPS = {step.name: step for step in FORECAST_STEPS}


def new_lines(day: date, meter: str, hours: int) -> list[str]:
    return lines_of(day, [meter], {(meter, n): 4.0 + 2 * math.sin(n / 4) for n in range(24)})[:hours]


@pytest.fixture
def context(tmp_path, monkeypatch):
    """Load of four weeks to the clock change; in the last days of it two more zones."""
    at_home(monkeypatch, tmp_path / "home", "naive_2d,naive_7d,naive_mean")
    context, folder, newest = on_shelf(chain_context()), tmp_path / "files", SPRING - timedelta(days=2)
    folder.mkdir()
    (register := folder / "meters.csv").write_text(
        REGISTER
        + "".join(
            f"{meter},customer,F{meter},{zone},home,20,{newest - timedelta(days=known - 1)},2099-12-31\n"
            for zone, (meter, known, _) in NEW.items()
        )
    )
    days = [FIRST + timedelta(days=n) for n in range((SPRING - FIRST).days)]
    past, nights = days[:BULK], days[BULK:]
    old = [line for day in past for line in lines_of(day)]
    files = [(register, morning_after(FIRST)), (file_of(folder, "old.csv", old), morning_after(past[-1]))]
    for day in nights:
        came = [(meter, hours) for meter, known, hours in NEW.values() if newest - timedelta(days=known - 1) <= day <= newest]
        lines = [*lines_of(day), *(line for meter, hours in came for line in new_lines(day, meter, hours))]
        files.append((file_of(folder, f"{day}.csv", lines), morning_after(day)))
    deliver(context, *files)
    run(context, FIRST, SPRING - timedelta(days=1), "validated,features")
    yield context
    settings.cache_clear()


def published(context, day: date) -> dict[str, tuple]:
    """Zone -> source models, flagged?, reasons, intervals; every quantile is there and none crosses."""
    columns = ", ".join(QUANTILE_COLUMNS)
    found = rows(
        context,
        f"SELECT zone, source_model, is_fallback, fallback_reason, [{columns}] FROM forecasts.day_ahead WHERE day = '{day}' ORDER BY ALL",
    )
    assert all(math.isfinite(mw) for *_, told in found for mw in told) and all(told == sorted(told) for *_, told in found)
    return {
        zone: (
            {model for of, model, *_ in found if of == zone},
            {flag for of, _, flag, *_ in found if of == zone},
            "; ".join({why for of, _, _, why, _ in found if of == zone}),
            sum(row[0] == zone for row in found),
        )
        for zone in {row[0] for row in found}
    }


def test_a_zone_of_a_few_days_gets_a_naive_and_one_of_hours_the_profile_of_the_others(context):
    run(context, MONDAY, SPRING, "model,candidates,champion,day_ahead")
    found = published(context, SPRING)
    assert set(found) == {"north", "south", *NEW} and {n for *_, n in found.values()} == {23}
    sources, flags, why, _ = found["young"]
    assert sources == {"naive_2d"} and flags == {True} and "no fitted model could be used" in why
    sources, flags, why, _ = found["newborn"]
    assert sources == {"profile"} and flags == {True} and "no fitted model could be used" in why
    assert "no fitted model" not in found["north"][2]
    (level,) = rows(context, f"SELECT avg(load_mw) FROM forecasts.day_ahead WHERE zone = 'newborn' AND day = '{SPRING}'")[0]
    (others,) = rows(context, f"SELECT avg(q50) FROM forecasts.candidates WHERE zone IN ('north', 'south') AND day = '{SPRING}'")[0]
    drawn = dict(
        rows(
            context,
            f"""SELECT zone IN ('north', 'south'), avg(load_mw) FROM features.load WHERE feeder = '*' AND zone <> '*' AND zone <> 'young'
            AND day = '{SPRING - timedelta(days=2)}' AND hour(local_time) < 7 GROUP BY ALL""",
        )
    )
    assert level / others == pytest.approx(drawn[False] / drawn[True])


def night_of(context, failing, monkeypatch):
    """The night before SPRING, in which the model step fails where `failing` says so."""
    fit = fitting.fit_week

    def maybe(work):
        if failing(work.key):
            raise SmartGridError("The model store is full.")
        return fit(work)

    monkeypatch.setattr(fitting, "fit_week", maybe)
    return night(context, SPRING - timedelta(days=1), in_this_process(context))


def test_without_this_weeks_models_those_of_last_week_forecast_flagged_and_the_night_goes_on(context, monkeypatch):
    run(context, MONDAY - timedelta(days=3), MONDAY - timedelta(days=1), "model,candidates,champion,day_ahead")
    tonight = night_of(context, lambda week: week == MONDAY, monkeypatch)
    assert tonight.failures == ["model: The model store is full."]
    assert {"candidates", "day_ahead", "dispatch"} <= {done.step for done in tonight.done}
    for zone in ("north", "south"):
        sources, flags, why, _ = published(context, SPRING)[zone]
        assert flags == {True} and "no model could be fitted for this week, those of the week before stand in" in why
        assert sources <= {"naive_7d", "naive_mean", "naive_2d", "aggregate"}
    used, kept = (
        set(rows(context, f"SELECT DISTINCT run_id FROM forecasts.{of}"))
        for of in (
            f"candidates WHERE day = '{SPRING}' AND zone = 'north'",
            f"model WHERE week = '{MONDAY - timedelta(days=7)}' AND run_id <> ''",
        )
    )
    assert used and used <= kept
    monkeypatch.undo()
    monkeypatch.setattr("smartgrid_assets.chain.fitting.plot_week", lambda *_: b"")
    assert state_of(context, STEPS["model"], MONDAY).is_due
    for name in ("model", "candidates", "champion", "day_ahead"):
        key = MONDAY if STEPS[name].cadence == "week" else SPRING
        assert run_step(context, STEPS[name], key, only_due=True).receipts, name
    assert "week before" not in published(context, SPRING)["north"][2]


def test_a_model_that_failed_this_week_is_last_weeks_beside_the_others_of_this(context, monkeypatch):
    run(context, MONDAY - timedelta(days=3), MONDAY - timedelta(days=1), "model,candidates,champion,day_ahead")
    fit = fitting._fit

    def maybe(work, model, *rest):
        found = fit(work, model, *rest)
        return found | {"status": "failed", "run_id": ""} if model.name == "naive_mean" else found

    monkeypatch.setattr(fitting, "_fit", maybe)
    context = replace(context, settings=context.settings.model_copy(update={"models": "naive_2d,naive_mean"}))
    run(context, SPRING, SPRING, "model,candidates,champion,day_ahead")
    runs = dict(rows(context, f"SELECT DISTINCT model, run_id FROM forecasts.candidates WHERE day = '{SPRING}' AND zone = 'north'"))
    of_week = {
        (f"{week:%Y-%m-%d}", model): run_id
        for week, model, run_id in rows(context, "SELECT week, model, run_id FROM forecasts.model WHERE run_id <> ''")
    }
    last = str(MONDAY - timedelta(days=7))
    # naive_7d is not asked for any more: last week's does not come back
    assert runs == {"naive_2d": of_week[str(MONDAY), "naive_2d"], "naive_mean": of_week[last, "naive_mean"]}
    assert "stand in" not in published(context, SPRING)["north"][2]


def test_without_any_model_naives_are_made_on_the_spot(context, monkeypatch):
    tonight = night_of(context, lambda week: True, monkeypatch)
    assert tonight.failures == ["model: The model store is full."]
    sources, flags, why, _ = published(context, SPRING)["north"]
    assert sources == {"naive_holiday"} and flags == {True} and "no fitted model could be used" in why


def test_a_lost_model_store_costs_no_zone_its_forecast(context):
    run(context, MONDAY, SPRING, "model,candidates,champion,day_ahead")

    def gone(run_id, sha256):
        raise ForecastError(f"Run {run_id}: no stored model.")

    forecasting._loaded.cache_clear()
    lost = replace(context, tracking=_Without(context.tracking, gone))
    made = run_step(lost, STEPS["candidates"], SPRING)
    assert any("no stored model" in sentence for sentence in made.metadata["not_forecast"])
    run_step(lost, STEPS["day_ahead"], SPRING)
    assert all(flags == {True} and "no fitted model" in why for _, flags, why, _ in published(context, SPRING).values())


class _Without:
    """A tracking whose stored models cannot be read."""

    def __init__(self, tracking, gone):
        self.tracking, self.load_model_blob = tracking, gone

    def __getattr__(self, name):
        return getattr(self.tracking, name)


def test_a_quarter_past_midnight_of_the_clock_change_is_no_trouble_for_the_night(context, monkeypatch):
    assert datetime(2026, 3, 29, 1) < morning_after(SPRING)
    tonight = night_of(context, lambda week: False, monkeypatch)
    assert tonight.failures == [] and published(context, SPRING)["south"][3] == 23
