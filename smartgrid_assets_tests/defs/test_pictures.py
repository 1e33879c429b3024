"""Small pictures: small they stay, and what they leave out they say."""

from __future__ import annotations

import base64
import itertools

from smartgrid_assets.defs.pictures import MOST_BYTES, heat_map


def drawn(markdown: str) -> str:
    return base64.b64decode(markdown.rpartition("base64,")[2].rstrip(")")).decode()


def test_a_heat_map_of_many_zones_is_small_shows_the_worst_and_says_how_many_it_leaves_out() -> None:
    shades = itertools.cycle([1.0, 0.97, 0.9, 0.6, 0.1])  # no two neighbours alike: the most that there is to draw
    rows = {"*": [1.0] * 28} | {f"zone {n:03d}": [next(shades) for _ in range(28)] for n in range(250)} | {"zzz": [0.0] * 28}
    picture = heat_map(rows, "complete")
    assert len(picture) <= MOST_BYTES
    assert ">*<" in drawn(picture) and ">zzz<" in drawn(picture)
    assert f"{drawn(picture).count('<text')} of 252" in picture


def test_a_heat_map_that_leaves_nothing_out_keeps_the_order_and_says_nothing() -> None:
    picture = heat_map({"b": [0.1, None], "a": [1.0, 1.0]}, "complete")
    assert drawn(picture).index(">b<") < drawn(picture).index(">a<") and " of 2" not in picture
