"""The picture of what a model goes by shows its largest features, largest on top, whatever their number."""

from __future__ import annotations

import struct

import pandas as pd
import pytest
from matplotlib.figure import Figure

from smartgrid_assets.chain import model_pictures
from smartgrid_assets.chain.model_pictures import SHOWN, plot_importances


@pytest.mark.parametrize("features", [1, 40])
def test_the_largest_shares_are_drawn_as_the_mean_over_zones(features, monkeypatch: pytest.MonkeyPatch):
    drawn: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *given, **more: (drawn.append(self), save(self, *given, **more)))
    rows = [{"zone": zone, "feature": f"f{k}", "share": (1.0 if zone == "a" else 0.5) / 2**k} for zone in "ab" for k in range(features)]
    rows.append({"zone": "a", "feature": "only in a", "share": 0.9})
    png = plot_importances(pd.DataFrame(rows), "forest: what it goes by")
    assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24])[0] == 800
    (axes,) = drawn[0].axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[-2:] == ["only in a", "f0"] and len(names) == min(SHOWN, features + 1)
    assert axes.patches[-1].get_width() == pytest.approx(0.75) and axes.patches[-2].get_width() == pytest.approx(0.45)
    assert axes.get_xlabel() == "share of the whole, mean of 2 zones" and axes.get_title() == "forest: what it goes by"
    assert model_pictures.plot_importances(pd.DataFrame(rows[:1]), "") != png
