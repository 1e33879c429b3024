"""Search: zones and feeders for everyone, cases and meters for those who may see them."""

from __future__ import annotations

from smartgrid_assets.resources.accounts import Role
from smartgrid_assets.web.panel import Field, Panel, Screen, Shown
from smartgrid_assets.web.screens.cases import CASES
from smartgrid_assets.web.view import FEEDERS, View, said

LEAST, MOST = 2, 50
PROFILE = "features/meter_profile"


def places(view: View) -> Shown:
    """Zones and feeders whose name holds the text."""
    if len(view.q) < LEAST:
        return Shown(sentence=f"Type {LEAST} characters or more.")
    zones = [
        {"what": "zone", "name": said(zone), "zone": zone, "feeder": ""} for zone in view.zones if view.q.lower() in said(zone).lower()
    ]
    feeders = view.rows(
        "SELECT 'feeder' AS what, feeder AS name, zone, feeder FROM feeders WHERE feeder <> '*' AND contains(lower(feeder), lower(?)) ORDER BY feeder, zone LIMIT ?",
        [view.q, MOST],
        feeders=(FEEDERS, [view.day]),
    )
    fields = (
        Field("what", "what"),
        Field(
            "name",
            "name",
            link=lambda row, view: view.url(
                "feeder" if row["feeder"] else "tomorrow", zone=row["zone"], feeder=row["feeder"] or None, q=None
            ),
        ),
        Field("zone", "zone"),
    )
    rows = (zones + feeders)[:MOST]
    return Shown(fields, rows, sentence="" if rows else "No zone or feeder of that name has a limit or a forecast.", is_open=True)


def meters(view: View) -> Shown:
    """Cases whose id holds the text, and meters whose id is the text or begins with it."""
    if len(view.q) < LEAST:
        return Shown()
    cases = view.rows(
        "SELECT 'case' AS what, case_id AS name, kind, feeder FROM cases WHERE contains(case_id, ?) OR meter_id = ? ORDER BY case_id LIMIT ?",
        [view.q, view.q, MOST],
        cases=(CASES, view.reader.keys(CASES)[-1:]),
    )
    known = view.rows(
        "SELECT 'meter' AS what, meter_id AS name, class AS kind, feeder FROM profiles WHERE starts_with(meter_id, ?) ORDER BY meter_id LIMIT ?",
        [view.q, MOST],
        profiles=(PROFILE, view.reader.keys(PROFILE)[-1:]),
    )
    fields = (
        Field("what", "what"),
        Field("name", "name", link=lambda row, view: view.url(row["what"], **{row["what"]: row["name"], "q": None, "day": None})),
        Field("kind", "kind"),
        Field("feeder", "feeder"),
    )
    rows = (cases + known)[:MOST]
    return Shown(fields, rows, sentence="" if rows else "No case or meter of that name.", is_open=True)


SCREEN = Screen(
    "search",
    "Search",
    "Where is it?",
    Role.VIEWER,
    ("q", "day"),
    (
        Panel("places", "Zones and feeders", places, says="zones and feeders by a part of their name"),
        Panel("meters", "Cases and meters", meters, needs=Role.ANALYST, says="cases and meters by the beginning of their id"),
    ),
    seen=lambda view: "cases and meters by a text" if view.may_see_meters and len(view.q) >= LEAST else "",
    heading=lambda view: f"Search for “{view.q}”" if view.q else "Search",
    in_menu=False,
)
