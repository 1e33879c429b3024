"""Tables as HTML and files, and ways to plan beside each other: what a page's own data hardly ever shows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from smartgrid_assets.web.panel import Field, Shown
from smartgrid_assets.web.screens.settled import _way
from smartgrid_assets.web.show import Cell, Grid, as_csv


def test_what_is_no_number_is_empty_in_files() -> None:
    view: Any = SimpleNamespace(tz="Europe/Berlin")
    shown = Shown(
        (Field("name", "name"), Field("mw", "power", form="power")), [{"name": "a", "mw": float("nan")}, {"name": "=b", "mw": 1.5}]
    )
    assert as_csv(shown, view).decode().split() == ["name,mw", "a,", "'=b,1.5"]


def test_addresses_and_texts_are_escaped() -> None:
    body = Grid([], [[Cell("<b>", '/x?a=1&b="><script>', False), Cell("1", None, True)]], 1).body
    assert body == '<tr><td><a href="/x?a=1&amp;b=&#34;&gt;&lt;script&gt;">&lt;b&gt;</a></td><td class="n">1</td></tr>'


def test_a_way_is_dearer_only_beyond_both_gaps_together() -> None:
    def settled(cost: float | None, bound: float | None) -> dict[str, Any]:
        return {"solved_cost": cost, "bound": bound, "regret": cost, "error_percent": None, "unserved_mwh": 0.0}

    published = settled(100.0, 98.0)
    days = [
        (settled(102.9, 101.9), published),
        (settled(103.1, 102.1), published),
        (settled(96.9, 95.9), published),
        (settled(None, None), published),
    ]
    told = _way("fixed_reserve", days)
    assert (told["plan"], told["days"], told["dearer"], told["cheaper"], told["error_percent"]) == ("fixed reserve", 4, 1, 1, None)
