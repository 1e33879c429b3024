"""One case: what its meter counted and should have, the evidence against its own past and its peers, its neighbours, and what was decided."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.charts import band, chart, line
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown, Tone, kwh
from smartgrid_assets.web.screens.cases import CASES, FIELDS, VERDICTS, of_case, of_meter
from smartgrid_assets.web.view import NotThere, View

if TYPE_CHECKING:
    from smartgrid_assets.domain.detect.story import Story

CASE_DAYS, CASE_EVIDENCE = "operator/case_days", "operator/case_evidence"


def found_case(view: View) -> tuple[date, dict[str, Any]]:
    """The newest market day that holds the case, and its row there. Raises NotThere."""
    rows = view.rows(
        "SELECT * FROM cases WHERE case_id = ? AND (? IS NULL OR day <= ?) ORDER BY day DESC LIMIT 1",
        [view.case_id, view.asked_day, view.asked_day],
        cases=(CASES, view.reader.keys(CASES)),
    )
    if not rows:
        raise NotThere("There is no such case; the list of cases has those of the newest day.")
    return rows[0]["day"], rows[0]


def _story(view: View) -> tuple[dict[str, Any], Story]:
    """As the night told it; of a day before stories were kept it is told now."""
    from smartgrid_assets.chain.case_files import story_of
    from smartgrid_assets.domain.detect.story import story_of_rows

    day, case = found_case(view)
    if days := view.rows("SELECT * FROM told WHERE case_id = ? ORDER BY told_day", [case["case_id"]], told=(CASE_DAYS, [day])):
        told = (CASE_EVIDENCE, [day])
        evidence = view.rows("SELECT * FROM told WHERE case_id = ? ORDER BY place", [case["case_id"]], told=told)
        return case, story_of_rows(days, evidence)
    with view.reader.connection() as con:
        return case, story_of(view.reader.context, con, case, day)


def summary(view: View) -> Shown:
    """The case in a row, and its reason in words."""
    day, case = found_case(view)
    row = case | {"about": case["meter_id"] or f"feeder {case['feeder']}"}
    fields = (*(field for field in FIELDS if field.name not in ("case_id", "reason")), Field("class", "class"),
              Field("feeder", "feeder", link=lambda row, view: view.url("feeder", zone=row["zone"], feeder=row["feeder"], case=None, day=None)))  # fmt: skip
    tone: Tone = "warn" if case["rank"] else ""
    return Shown(fields, [row], None, case["reason"], f"with readings up to {day}", tone, is_open=True)


def story(view: View) -> Shown:
    """By day: energy counted and to be expected, with the band of its own spread, and what the feeder's own measurement has more."""
    case, told = _story(view)
    names = ("counted", "expected", "low", "high", "loss")
    rows = [{"day": of, **{name: _known(getattr(told, name)[n]) for name in names}} for n, of in enumerate(told.days)]
    first = next((n for n, row in enumerate(rows) if any(row[name] is not None for name in names)), 0)
    rows = rows[first:]
    fields = (Field("day", "market day", form="day"), kwh("counted", "counted"), kwh("expected", "expected"),
              kwh("low", "lower"), kwh("high", "upper"), kwh("loss", "feeder has more than its meters"))  # fmt: skip
    x, y = [f"{row['day']}" for row in rows], {name: [row[name] for row in rows] for name in names}
    traces: list[dict[str, Any]] = []
    if case["meter_id"]:
        traces += band("two of its own spreads", x, y["low"], y["high"], "@band")
        traces += [line("expected: its past, moved as its peers", x, y["expected"], "@forecast"),
                   line("counted", x, y["counted"], "@load", mode="lines+markers", marker={"size": 4})]  # fmt: skip
    if any(value is not None for value in y["loss"]):
        traces.append(line("feeder has more than its meters", x, y["loss"], "@second", dash="dot"))
    mark = {"shapes": [{"type": "line", "x0": f"{case['since']}", "x1": f"{case['since']}", "yref": "paper", "y0": 0, "y1": 1,
                        "line": {"color": "@muted", "dash": "dot", "width": 1}}]}  # fmt: skip
    says = f"Energy by day around {case['since']}, from which on it shows."
    return Shown(fields, rows, chart(traces, {"title": {"text": "market day"}, "type": "date"}, "kWh a day", says, **mark))


def evidence(view: View) -> Shown:
    """The features that moved most: before and since, the meter itself and the median of its class."""
    _, told = _story(view)
    rows = [{name: _known(getattr(one, name)) for name in ("words", "unit", "before", "since", "own", "peers")} for one in told.evidence]
    fields = (
        Field("words", "a day's"),
        Field("unit", "unit"),
        Field("before", "before", form="number"),
        Field("since", "since", form="number"),
        Field("own", "itself", form="share"),
        Field("peers", "its peers", form="share"),
    )
    return Shown(fields, rows, is_open=True)


def neighbours(view: View) -> Shown:
    """Other cases of the same feeder."""
    day, case = found_case(view)
    rows = view.rows(
        """SELECT *, CASE WHEN meter_id = '' THEN 'feeder ' || feeder ELSE meter_id END AS about FROM cases
        WHERE feeder = ? AND zone = ? AND case_id <> ? ORDER BY rank = 0, rank, case_id""",
        [case["feeder"], case["zone"], case["case_id"]],
        cases=(CASES, [day]),
    )
    return Shown(FIELDS, rows, sentence="" if rows else f"Feeder {case['feeder']} has no other case.")


def verdicts(view: View) -> Shown:
    """What was decided of the case, the newest first; a verdict is undone by withdrawing it."""
    _, case = found_case(view)
    rows = view.rows(
        "SELECT given_at, who, verdict, note FROM verdicts WHERE case_id = ? ORDER BY given_at DESC",
        [case["case_id"]],
        verdicts=(VERDICTS, None),
    )
    fields = (Field("given_at", "when", form="moment"), Field("who", "who"), Field("verdict", "verdict"), Field("note", "note"))
    counts = "It counts from the next night on." if rows else "None yet."
    return Shown(fields, rows, None, counts, is_open=bool(rows))


def _known(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


SCREEN = Screen(
    "case",
    "Case",
    "Why this one?",
    Role.ANALYST,
    ("case", "day"),
    (
        Panel("summary", "The case", summary, says="the case as of its newest day"),
        Panel("story", "Day by day", story, says="counted, expected, band, the feeder's losses"),
        Panel("evidence", "Evidence", evidence, says="features that moved most, own and peers"),
        Panel("verdicts", "Verdicts", verdicts, says="what was decided, the newest first", form="_verdict.html"),
        Panel("neighbours", "Same feeder", neighbours, says="other cases of the feeder"),
    ),
    heading=lambda view: f"Case {found_case(view)[1]['case_id']}: {found_case(view)[1]['kind']}",
    seen=lambda view: f"case {found_case(view)[1]['case_id']}",
    in_menu=False,
)
__all__ = ["SCREEN", "found_case", "of_case", "of_meter"]
