"""Pictures of a fitted model, for MLflow: the last week that it had not seen, and what it goes by."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SHOWN = 15
"""Features drawn, the largest: more cannot be read."""


def plot_week(both: pd.DataFrame, title: str) -> bytes:
    """Load, median and 90 % band as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6))  # margins by hand: a layout engine draws everything twice
    axes = figure.subplots(gridspec_kw={"left": 0.07, "right": 0.985, "bottom": 0.14, "top": 0.9})
    times = both["interval_start_utc"]
    axes.fill_between(times, both["q05"], both["q95"], color="#9ecae1", label="5 % to 95 %")
    axes.plot(times, both["q50"], color="#2171b5", lw=1.2, label="median")
    axes.plot(times, both["load_mw"], color="black", lw=1.0, label="load")
    axes.set(title=title, xlabel="UTC", ylabel="MW")
    axes.legend(loc="upper left", ncols=3, frameon=False)
    return png_of(figure)


def plot_importances(importances: pd.DataFrame, title: str) -> bytes:
    """The features' shares as bars, the mean over zones, the largest on top; PNG. importances: zone, feature, share."""
    from matplotlib.figure import Figure

    zones = importances["zone"].nunique()
    shares = (importances.groupby("feature")["share"].sum() / zones).sort_values().tail(SHOWN)
    height = 0.8 + 0.27 * len(shares)
    figure = Figure(figsize=(8, height))
    axes = figure.subplots(gridspec_kw={"left": 0.3, "right": 0.97, "bottom": 0.45 / height, "top": 1 - 0.3 / height})
    axes.barh(shares.index, shares, color="#6baed6")
    axes.set(title=title, xlabel=f"share of the whole, mean of {zones} zones" if zones > 1 else "share of the whole")
    axes.spines[["top", "right"]].set_visible(False)
    return png_of(figure)


def png_of(figure: Figure) -> bytes:
    """The figure as PNG."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100)
    return picture.getvalue()
