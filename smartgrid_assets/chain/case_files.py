"""A case as it is laid before the one who decides: the row, its story, and the picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.model_pictures import png_of
from smartgrid_assets.chain.steps.derive import BALANCE, PROFILE
from smartgrid_assets.chain.steps.detect import CASES
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS
from smartgrid_assets.domain.errors import SettingsError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.detect.story import Story


def cases_of(context: Context, day: date | None = None) -> tuple[date, list[dict[str, Any]]]:
    """Market day (default: the newest that has cases) and its rows of anomalies/cases: to visit by rank, then decided, then explained."""
    keys = context.lake.keys(CASES)
    if not keys or (day and day not in keys):
        raise SettingsError(f"There are no cases of {day or 'any day'} yet: smartgrid run makes anomalies/cases.")
    day = day or keys[-1]
    with context.lake.connect() as con:
        view = context.lake.view(con, CASES, [day], "cases_shown")
        order = "rank = 0, rank, state = 'explained', p_value, case_id"
        found = con.execute(f"SELECT * FROM {view} ORDER BY {order}")
        names = [column[0] for column in found.description or ()]
        return day, [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def case_of(context: Context, case_id: str, day: date | None = None) -> tuple[date, dict[str, Any]]:
    """The newest market day (up to `day`) that holds the case, and its row there; SettingsError where none does."""
    with context.lake.connect() as con:
        days = context.lake.keys(CASES, last=day or date.max)
        found = context.lake.select(CASES, days)
        rows = con.execute(f"SELECT max(day) FROM ({found}) WHERE case_id = ?", [case_id]).fetchall() if days else [(None,)]
    if rows[0][0] is None:
        raise SettingsError(f"There is no case {case_id}. smartgrid case lists those of the newest day.")
    return rows[0][0], next(row for row in cases_of(context, rows[0][0])[1] if row["case_id"] == case_id)


def story_of(context: Context, con: DuckDBPyConnection, case: dict[str, Any], day: date) -> Story:
    """The case's story as of a market day."""
    from smartgrid_assets.domain.detect.story import story

    first = day - timedelta(days=SUSPECTS_LOOK_BACK_DAYS)
    profiles = context.lake.view(con, PROFILE, context.lake.keys(PROFILE, first, day), "profiles_of_story")
    balance = context.lake.view(con, BALANCE, context.lake.keys(BALANCE, first, day), "balance_of_story")
    return story(con, profiles, balance, case, day)


def picture_of(case: dict[str, Any], told: Story) -> bytes:
    """PNG: what the meter counted and what was to be expected, the band of its own spread; below it what its feeder loses."""
    from matplotlib.figure import Figure

    has_meter, has_loss = bool(case["meter_id"]), bool(np.isfinite(told.loss).any())
    panels = [name for name, is_there in (("meter", has_meter), ("feeder", has_loss)) if is_there] or ["meter"]
    figure = Figure(figsize=(10, 1.2 + 2.2 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axis, panel in zip(axes, panels, strict=True):
        if panel == "meter":
            axis.fill_between(told.days, told.low, told.high, color="#deebf7", label="expected, within two of its own spreads")
            axis.plot(told.days, told.expected, color="#6baed6", lw=1.2, label="expected: its own past, moved as its peers moved")
            axis.plot(told.days, told.counted, color="black", lw=1.2, marker=".", ms=3, label="counted")
            axis.set_ylabel("kWh a day")
            axis.set_ylim(bottom=0)
            axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize=8)
        else:
            axis.plot(told.days, told.loss, color="#d94801", lw=1.2)
            axis.set_ylabel("feeder measures more\nthan its meters, kWh")
        axis.axvline(case["since"], color="#888888", lw=1.0, ls="--")
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.01)
    axes[0].set_title(f"{case['case_id']}: {case['kind']}, since {case['since']:%d %B %Y}", loc="left", fontsize=10)
    return png_of(figure)


def laid_out(day: date, case: dict[str, Any], told: Story) -> dict[str, Any]:
    """The case and its story for programs; what is not known is null."""
    arrays = {name: [_known(float(value)) for value in getattr(told, name)] for name in ("counted", "expected", "low", "high", "loss")}
    return {"day": str(day), "case": _row(case), "days": told.days, **arrays, "evidence": [_row(vars(one)) for one in told.evidence]}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _known(value) for name, value in row.items()}


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def words_of(case: dict[str, Any], told: Story) -> list[str]:
    """The case in lines, for a terminal."""
    about = f"meter {case['meter_id']}, {case['class']}, feeder {case['feeder']}" if case["meter_id"] else f"feeder {case['feeder']}"
    place = f"{about}, zone {case['zone']}"
    chance = "" if case["chance"] is None else f", chance that a visit finds something {case['chance']:.0%}"
    state = f"{case['state']}, rank {case['rank']}" if case["rank"] else case["state"]
    lines = [
        f"{case['case_id']}: {case['kind']} ({state})",
        place,
        f"since {case['since']:%Y-%m-%d}, raised {case['raised']:%Y-%m-%d}; {case['lost_kwh_week']:,.0f} kWh = {case['lost_eur_week']:,.2f} EUR a week; "
        f"confidence {case['confidence']:.0%}{chance}",
        case["reason"],
    ]
    return lines + evidence_lines(told)


def evidence_lines(told: Story) -> list[str]:
    """A line a feature: before, since, how far it and its peers moved."""
    if not told.evidence:
        return []
    rows = [
        (one.words, f"{one.before:,.3g} {one.unit}".strip(), f"{one.since:,.3g} {one.unit}".strip(), _share(one.own), _share(one.peers))
        for one in told.evidence
    ]
    return aligned([("a day's", "before", "since", "itself", "its peers"), *rows])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns begin under each other; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _share(value: float) -> str:
    return f"{value:+.0%}" if np.isfinite(value) else "unknown"
