"""Sums of few customers are for analysts alone, and so is what would tell of them by subtraction.

A zone (or feeder) of fewer customers than SMARTGRID_MINIMUM_GROUP is hidden. Where all that is hidden of a whole is still fewer than that, the
next smallest is hidden too: the whole, less what is shown, is then the sum of enough.
Source: complementary suppression in tables of magnitudes (Hundepool et al. 2012, Statistical Disclosure Control, chapter 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from smartgrid_assets.web.view import FEEDERS, OVERVIEW, WHOLE

if TYPE_CHECKING:
    from smartgrid_assets.web.view import View


def hidden(customers: Mapping[str, int | None], minimum: int) -> frozenset[str]:
    """Which parts of a whole are not shown. customers: of each part; None: measured as a whole, of unknown many.

    >>> sorted(hidden({"a": 3, "b": 40, "c": 75}, 5)), sorted(hidden({"a": 3, "b": 4, "c": 75}, 5)), sorted(hidden({"a": 9, "b": 40}, 5))
    (['a', 'b'], ['a', 'b'], [])
    """
    many = {name: math.inf if count is None else count for name, count in customers.items()}
    order = sorted(many, key=lambda name: (many[name], name))
    few = [name for name in order if many[name] < minimum]
    rest = order[len(few) :]
    while few and rest and sum(many[name] for name in few) < minimum:
        few.append(rest.pop(0))
    return frozenset(few)


def hidden_zones(view: View, day: date) -> frozenset[str]:
    """Zones of a day that this visitor does not see; the whole among them where it is of few itself."""
    if view.may_see_meters:
        return frozenset()
    rows = view.rows("SELECT zone, max(meters) AS meters FROM overview GROUP BY zone", overview=(OVERVIEW, [day]))
    customers = {row["zone"]: row["meters"] for row in rows}
    whole = customers.pop(WHOLE, None)
    parts = list(customers.values())
    total = whole if whole is not None or not parts or None in parts else sum(parts)
    return hidden(customers, view.minimum) | (frozenset() if view.is_shown(total) else {WHOLE})


def hidden_feeders(view: View, day: date) -> frozenset[tuple[str, str]]:
    """(zone, feeder) of a day that this visitor does not see: of hidden zones all, of the others the few; * is the zone's own limit."""
    if view.may_see_meters:
        return frozenset()
    zones = hidden_zones(view, day)
    of_zone: dict[str, dict[str, int | None]] = {}
    for row in view.rows("SELECT zone, feeder, meters FROM feeders", feeders=(FEEDERS, [day])):
        of_zone.setdefault(row["zone"], {})[row["feeder"]] = row["meters"]
    found: set[tuple[str, str]] = set()
    for zone, customers in of_zone.items():
        feeders = {name: count for name, count in customers.items() if name != WHOLE}
        not_shown = set(customers) if zone in zones else hidden(feeders, view.minimum)
        found |= {(zone, feeder) for feeder in not_shown}
    return frozenset(found)
