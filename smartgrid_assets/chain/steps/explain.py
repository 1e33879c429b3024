"""forecasts -> why the newest one is another than the last: parts by cause, and a sentence a zone."""

from __future__ import annotations

from datetime import date, timedelta

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, history, history_days, optional, span_as_of
from smartgrid_assets.chain.step import Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.derive import LOAD
from smartgrid_assets.chain.steps.forecast import CANDIDATES, DAY_AHEAD, FEEDER_DAYS, learned_inputs, model_inputs

CHANGES, REASONS = "forecasts/changes", "forecasts/reasons"
VERSION = 1


def _inputs(context: Context, day: date) -> Inputs | None:
    published, before = exactly(context, DAY_AHEAD, day), day - timedelta(days=1)
    if not published:
        return None
    _, last = history_days(context, day)
    seen = ((before - timedelta(days=1), before), (before, before), (day, before), (before, day), (day, day))
    weather = {
        f"raw/weather@{of}<={context.gate(gate).isoformat()}": context.delivered.weather_digest(of, "forecast", context.gate(gate))
        or "none"
        for of, gate in seen
    }
    return (
        published
        | optional(context, DAY_AHEAD, before)
        | optional(context, CANDIDATES, day)
        | optional(context, CANDIDATES, before)
        | model_inputs(context, before)
        | model_inputs(context, day)
        | learned_inputs(context, CANDIDATES, day)
        | (history(context, before) or {})
        | (history(context, day) or {})
        | span_as_of(context, LOAD, last - timedelta(days=FEEDER_DAYS - 1), last, context.gate(day))
        | weather
    )


def _make(work: Work) -> Made:
    from smartgrid_assets.chain.why_changed import change_rows

    changes, reasons, problems = change_rows(work)
    work.con.register("change_rows", changes)
    work.con.register("reason_rows", reasons)
    causes = {str(row.zone): row.cause or "much as before" for row in reasons.itertuples()}
    told = {"largest_cause": causes, "not_asked": problems}
    return Made({CHANGES: "change_rows", REASONS: "reason_rows"}, metadata={name: value for name, value in told.items() if value})


STEP = Step("changes", (CHANGES, REASONS), "day", _inputs, _make, lambda: f"changes={VERSION}", horizon="ahead", newest_only=True)
