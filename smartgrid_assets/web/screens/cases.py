"""Who is lying: cases in the order in which a visit is worth most, and what visits found."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown
from smartgrid_assets.web.view import NotThere, View

CASES, VERDICTS, EVALUATION = "anomalies/cases", "anomalies/verdicts", "anomalies/evaluation"
WEEKS = 13
TO_VISIT, DECIDED, EXPLAINED = "rank > 0", "rank = 0 AND state <> 'explained'", "state = 'explained'"


def day_of_cases(view: View) -> date:
    """The newest market day with cases up to the one asked for (readings come a day later than forecasts). Raises NotThere."""
    found = view.reader.keys(CASES, last=view.asked_day or date.max)
    if not found:
        raise NotThere(f"There are no cases{f' of {view.asked_day}' if view.asked_day else ''} yet; `smartgrid run` makes anomalies/cases.")
    return found[-1]


def of_case(row: dict[str, Any], view: View) -> str:
    """Where a case is laid out."""
    return view.url("case", case=row["case_id"], day=None, zone=None)


def of_meter(row: dict[str, Any], view: View) -> str | None:
    """Where a meter is laid out; a case of a feeder has none."""
    return view.url("meter", meter=row["meter_id"], day=None, zone=None) if row["meter_id"] else None


FIELDS = (
    Field("rank", "rank", form="number"),
    Field("case_id", "case", link=of_case),
    Field("kind", "kind"),
    Field("about", "about", link=of_meter),
    Field("zone", "zone"),
    Field("since", "since", form="day"),
    Field("lost_kwh_week", "uncounted", unit="kWh a week", form="number", digits=0),
    Field("lost_eur_week", "worth", unit="EUR a week", form="number", digits=2),
    Field("confidence", "confidence", form="share"),
    Field("chance", "chance of a find", form="share"),
    Field("state", "state"),
    Field("reason", "evidence"),
)


def _listed(view: View, which: str, order: str) -> list[dict[str, Any]]:
    rows = view.rows(
        f"""SELECT *, CASE WHEN meter_id = '' THEN 'feeder ' || feeder ELSE meter_id END AS about FROM cases
        WHERE {which} AND ($zone = '' OR zone = $zone) AND ($feeder = '' OR feeder = $feeder) ORDER BY {order}""",
        {"zone": view.asked_zone, "feeder": view.feeder},
        cases=(CASES, [day_of_cases(view)]),
    )
    return list(rows)


def to_visit(view: View) -> Shown:
    """Cases that are worth a visit, the first first."""
    rows = _listed(view, TO_VISIT, "rank")
    settings = view.reader.context.settings
    lost = sum(row["lost_eur_week"] for row in rows)
    week = sum(day_of_cases(view) - row["raised"] < timedelta(days=7) for row in rows)
    sentence = (
        f"{len(rows)} to visit, together {lost:,.2f} EUR a week; {week} raised in seven days, of {settings.visits_per_week} visits."
        if rows
        else "Nothing to visit: no meter's evidence beats the false alarms that are allowed."
    )
    return Shown(FIELDS, rows, None, sentence, f"with readings up to {day_of_cases(view)}", is_open=True)


def decided(view: View) -> Shown:
    """Cases with a verdict."""
    return Shown(FIELDS[1:], _listed(view, DECIDED, "raised DESC, case_id"))


def explained(view: View) -> Shown:
    """What looked strange and sends nobody: vacancy, new devices, PV, use that fell with its peers'."""
    return Shown(FIELDS[1:], _listed(view, EXPLAINED, "p_value, case_id"))


def evaluation(view: View) -> Shown:
    """By week: cases raised, what visits found, and the share of finds with its interval."""
    weeks = view.reader.keys(EVALUATION, last=day_of_cases(view))[-WEEKS:]
    rows = view.rows("SELECT * FROM evaluation ORDER BY week DESC, kind <> '*', kind", evaluation=(EVALUATION, weeks))
    fields = (
        Field("week", "week of", form="day"),
        Field("kind", "kind"),
        Field("raised", "raised", form="number"),
        Field("judged", "judged", form="number"),
        Field("theft", "theft", form="number"),
        Field("fault", "fault", form="number"),
        Field("fine", "fine", form="number"),
        Field("precision", "finds", form="share"),
        Field("precision_low", "from", form="share"),
        Field("precision_high", "to", form="share"),
        Field("visits_used", "of the week's visits", form="share"),
        Field("false_per_1000_meters", "for nothing", unit="per 1,000 meters", form="number", digits=2),
    )
    total = [row for row in rows if row["kind"] == "*"]
    judged, found = sum(row["judged"] for row in total), sum(row["theft"] + row["fault"] for row in total)
    sentence = (
        f"In {len(weeks)} weeks {judged} visits were reported, {found} of them found something." if judged else "No visit was reported yet."
    )
    return Shown(fields, [row | {"kind": "all" if row["kind"] == "*" else row["kind"]} for row in rows], None, sentence)


SCREEN = Screen(
    "cases",
    "Who is lying",
    "Which meters are worth a visit, and why?",
    Role.ANALYST,
    ("day", "zone", "feeder"),
    (
        Panel("to-visit", "To visit", to_visit, says="cases that are new or open, by rank"),
        Panel("decided", "Decided", decided, says="cases with a verdict"),
        Panel("explained", "Explained without a visit", explained, says="what looked strange and sends nobody"),
        Panel("evaluation", "What visits found", evaluation, says="by week, with the interval of the share of finds"),
    ),
    heading=lambda view: f"Cases of {day_of_cases(view):%A %d %B %Y}",
    seen=lambda view: f"cases of {day_of_cases(view)}",
)
