"""Why is the forecast of a day another than that of the day before, and than what the gate a day earlier would have said of this day?

Inputs of the earlier forecast are exchanged for today's one cause after the other (chain/exchanged.py), and what each exchange adds is told in
parts and in words (domain/forecast/changes.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.exchanged import ONE_DAY, Curves, Mixer, curves_of, day_rows
from smartgrid_assets.chain.known import history_days
from smartgrid_assets.chain.scoring import framed
from smartgrid_assets.chain.step import Work
from smartgrid_assets.chain.steps.derive import LOAD, calendar_of
from smartgrid_assets.chain.steps.explain import CHANGES, REASONS
from smartgrid_assets.chain.steps.forecast import DAY_AHEAD
from smartgrid_assets.domain.forecast.changes import CAUSES, earlier_sentence, largest, parts_of, sentence
from smartgrid_assets.domain.market_day import week_of

if TYPE_CHECKING:
    import pandas as pd

DAY_BEFORE, GATE_BEFORE = "day_before", "gate_before"


def change_rows(work: Work) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Rows of forecasts/changes and of forecasts/reasons, none where nothing was published; sentences for models that could not be asked."""
    import pandas as pd

    from smartgrid_assets.chain.switched_feeders import switched

    published = day_rows(work, DAY_AHEAD, work.key)
    if published.empty:
        return framed([], CHANGES), framed([], REASONS), []
    mixer = Mixer(work, published)
    frames, reasons, switches = [], [], switched(work)
    notes = _notes(mixer)
    for zone, curves in curves_of(mixer).items():
        rows = published[published["zone"] == zone]
        found = dict(_compared(curves))
        frames += [_frame(rows, against, *parts) for against, parts in found.items()]
        moved = " ".join(of_zone for name, of_zone in switches if name in (zone, "*"))
        reasons.append(_reason(work, zone, curves, {against: parts for against, (_, parts) in found.items()}, notes[zone], moved))
    changes = pd.concat(frames, ignore_index=True) if frames else framed([], CHANGES)
    return changes, framed(reasons, REASONS), sorted(mixer.problems)


def reasons_to_tell(context: Context, day: date) -> list[str]:
    """A sentence a zone of `day`, for logs: zones of fewer meters than SMARTGRID_MINIMUM_GROUP are left out, since they name somebody's load."""
    _, newest = history_days(context, day)
    with context.lake.connect() as con:
        reasons = context.lake.view(con, REASONS, [day], "reasons_told")
        load = context.lake.view(con, LOAD, [newest], "load_behind")
        told = con.execute(
            f"""SELECT zone, sentence FROM {reasons} r WHERE
            (SELECT min(meters) FROM {load} l WHERE l.zone = r.zone AND l.feeder = '*') >= ? ORDER BY zone""",
            [context.settings.minimum_group],
        )
        return [f"{zone}: {sentence}" for zone, sentence in told.fetchall()]


def _compared(curves: Curves) -> Iterator[tuple[str, tuple[np.ndarray, dict[str, np.ndarray]]]]:
    """Comparison -> what it starts from, and its parts."""
    if curves.day_before is not None:
        yield DAY_BEFORE, (curves.day_before, parts_of(curves.day_before, [*curves.to_then, *curves.from_then], curves.published))
    if curves.then is not None:
        yield GATE_BEFORE, (curves.then, parts_of(curves.then, curves.from_then, curves.published))


def _frame(rows: pd.DataFrame, against: str, start: np.ndarray, parts: dict[str, np.ndarray]) -> pd.DataFrame:
    from smartgrid_assets.domain.tables import table

    told = {f"{cause}_mw": parts[cause] for cause in CAUSES}
    return rows.assign(against=against, from_mw=start, **told)[list(table(CHANGES).column_names)]


def _reason(
    work: Work, zone: str, curves: Curves, found: dict[str, dict[str, np.ndarray]], notes: dict[str, str], moved: str
) -> dict[str, Any]:
    """A row of forecasts/reasons."""
    told = []
    if curves.day_before is not None:
        told.append(sentence(curves.published, curves.day_before, found[DAY_BEFORE], f"the forecast of {work.key - ONE_DAY:%A}", notes))
    if curves.then is not None:
        since = {cause: note for cause, note in notes.items() if cause != "weather"}  # of the weather they tell the change from day to day
        told.append(earlier_sentence(curves.published, curves.then, found[GATE_BEFORE], since))
    return {
        "zone": zone,
        "load_mw": float(curves.published.mean()),
        "day_before_mw": None if curves.day_before is None else float(curves.day_before.mean()),
        "gate_before_mw": None if curves.then is None else float(curves.then.mean()),
        "cause": largest(found[DAY_BEFORE], curves.published) if DAY_BEFORE in found else "",
        "sentence": " ".join([*told, moved]).strip() or "There is no earlier forecast to hold it against.",
    }


def _notes(mixer: Mixer) -> dict[str, dict[str, str]]:
    """Zone -> cause -> what is known of it, in a few words."""
    day, before = mixer.work.key, mixer.before.key
    holidays = calendar_of(mixer.work.context, day)
    named = {of: f"{of:%A}, {holidays[of]}" if of in holidays else f"{of:%A}" for of in (before, day)}
    models = "fitted anew with the week" if week_of(day) != week_of(before) else "weighed anew"
    told = {"calendar": f"{named[day]} after {named[before]}", "models": models}
    now, then = (_degrees(mixer, of) for of in (day, before))
    return {zone: told | {"weather": _warmer(now.get(zone), then.get(zone))} for zone in mixer.zones}


def _degrees(mixer: Mixer, day: date) -> dict[str, float]:
    """Zone -> mean temperature of the day as its own gate had it forecast."""
    future, _ = mixer.ahead(day, day)
    return {str(zone): float(mean) for zone, mean in future.groupby("zone")["temperature_c"].mean().items()}


def _warmer(now: float | None, then: float | None) -> str:
    if now is None or then is None or not np.isfinite(now - then):
        return ""
    return f"{abs(now - then):.1f} degrees {'warmer' if now > then else 'colder'}" if abs(now - then) >= 0.1 else "as warm"
