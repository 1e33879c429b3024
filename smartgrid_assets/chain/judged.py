"""What a backtest's forecasts were worth: a row a zone and model, by lead, hour and day type too, and skill against the naives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from smartgrid_assets.chain.model_pictures import png_of
from smartgrid_assets.domain.forecast.evaluation import diebold_mariano, evaluate, level_of, skill
from smartgrid_assets.domain.market_day import gate_utc
from smartgrid_assets.domain.tables import QUANTILE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from smartgrid_assets.chain.backtest import Protocol, ZoneReplay

REFERENCES = ("naive_2d", "naive_7d")
MEANS = ("mae", "rmse", "nmae", "mape", "mase", "pinball", "crps", "coverage_80", "coverage_90", "width_80", "width_90",
         "winkler_80", "winkler_90", "peak_mae", "peak_hour_error")  # fmt: skip
ALL = "ALL"


@dataclass
class Judged:
    """rows: measures of a zone and model; parts: the same by lead, hour and day type; skills: against a naive; forecasts: those judged."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
    skills: list[dict[str, Any]] = field(default_factory=list)
    forecasts: pd.DataFrame | None = None


def judged(series: pd.DataFrame, replays: Sequence[ZoneReplay], protocol: Protocol) -> Judged:
    """Measures of the days from protocol.first on; intervals whose load is unknown are not judged."""
    import pandas as pd

    found, frames = Judged(), []
    for made in replays:
        of_zone = series[series["zone"] == made.zone]
        scale, capacity = _mase_scale(of_zone, protocol), _capacity(of_zone, protocol)
        by_model: dict[str, list[pd.DataFrame]] = {}
        for (day, model), forecast in sorted(made.forecasts.items()):
            if protocol.first <= day <= protocol.last:
                by_model.setdefault(model, []).append(forecast.assign(day=day))
        both = {model: _with_load(pd.concat(parts), of_zone, protocol) for model, parts in by_model.items()}
        both = {model: rows for model, rows in both.items() if len(rows)}
        losses = {model: rows.groupby("day")["absolute"].mean() for model, rows in both.items()}
        for model, rows in both.items():
            found.rows.append(
                {"model": model, "zone": made.zone, **_measures(rows, scale, capacity), "cpu_s": round(made.seconds.get(model, 0.0), 3)}
            )
            found.parts += [{"model": model, "zone": made.zone, **part} for part in _parts(rows)]
            found.skills += [{"model": model, "zone": made.zone, **told} for told in _skills(model, losses)]
            frames.append(rows.assign(model=model, zone=made.zone))
    found.rows = [{**row, "weather": protocol.weather} for row in found.rows + _over_zones(found.rows)]
    found.forecasts = pd.concat(frames, ignore_index=True) if frames else None
    return found


def _with_load(forecast: pd.DataFrame, series: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    import pandas as pd

    known = series[series["load_mw"].notna()]
    rows = forecast.merge(known[["interval_start_utc", "load_mw", "local_time", "is_holiday", "weekday"]], on="interval_start_utc")
    if rows.empty:
        return rows
    gates = rows["day"].map({day: pd.Timestamp(gate_utc(day, protocol.timezone, protocol.gate)) for day in rows["day"].unique()})
    lead = (rows["interval_start_utc"] - gates) / pd.Timedelta(hours=1)
    return rows.assign(absolute=(rows["load_mw"] - rows["q50"]).abs(), lead_hours=lead)


def _mase_scale(series: pd.DataFrame, protocol: Protocol) -> float | None:
    from smartgrid_assets.domain.forecast.score import mase_scale

    known = series[series["load_mw"].notna() & (series["local_time"].dt.date < protocol.first)]
    return mase_scale(known) if len(known) else None


def _capacity(series: pd.DataFrame, protocol: Protocol) -> float | None:
    known = series["load_mw"][series["load_mw"].notna() & (series["local_time"].dt.date < protocol.first)].abs()
    return float(known.max()) if protocol.target == "net" and len(known) else None


def _measures(rows: pd.DataFrame, scale: float | None, capacity: float | None) -> dict[str, Any]:
    grid = rows[list(QUANTILE_COLUMNS)].to_numpy(float)
    return evaluate(rows["load_mw"].to_numpy(float), grid, scale, capacity) | _peaks(rows)


def _peaks(rows: pd.DataFrame) -> dict[str, float]:
    """Mean error of the day's highest load, MW, and of the hour at which it comes."""
    by_day = rows.groupby("day")
    load, told = by_day["load_mw"].idxmax(), by_day["q50"].idxmax()
    gap = rows.loc[load, "load_mw"].to_numpy() - rows.loc[told, "q50"].to_numpy()
    hours = (rows.loc[load, "local_time"].to_numpy() - rows.loc[told, "local_time"].to_numpy()) / np.timedelta64(1, "h")
    return {"peak_mae": float(np.abs(gap).mean()), "peak_hour_error": float(np.abs(hours).mean())}


def _parts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    kind = np.where(rows["is_holiday"], "holiday", np.where(rows["weekday"] >= 5, "weekend", "weekday"))
    lead = (rows["lead_hours"] // 6 * 6).astype(int).map(lambda hours: f"{hours}-{hours + 6} h")
    found = []
    for name, groups in (("lead", lead), ("hour", rows["local_time"].dt.hour), ("day_type", kind)):
        for value, part in rows.groupby(groups):
            told = evaluate(part["load_mw"].to_numpy(float), part[list(QUANTILE_COLUMNS)].to_numpy(float), None)
            found.append({"by": name, "value": value, **{key: told[key] for key in ("n", "mae", "nmae", "pinball", "coverage_80")}})
    return found


def _skills(model: str, losses: Mapping[str, pd.Series]) -> list[dict[str, Any]]:
    found = []
    for reference in REFERENCES:
        if reference == model or reference not in losses:
            continue
        shared = losses[model].index.intersection(losses[reference].index)
        own, other = losses[model][shared].to_numpy(), losses[reference][shared].to_numpy()
        if (told := skill(own, other)) is not None:
            low, high = told[1:]
            found.append({"against": reference, "skill": told[0], "low": low, "high": high, "p_value": diebold_mariano(own, other)})
    return found


def _over_zones(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row a model: the mean over zones of each measure, where all of its zones have it."""
    found = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of_model = [row for row in rows if row["model"] == model]
        means = {name: _mean([row[name] for row in of_model]) for name in MEANS}
        found.append({"model": model, "zone": ALL, "n": sum(row["n"] for row in of_model), **means,
                      "cpu_s": round(sum(row["cpu_s"] for row in of_model), 3)})  # fmt: skip
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def pictures(found: Judged, model: str) -> dict[str, bytes]:
    """PNG by name: reliability, error by hour and month, and the five worst days with the forecast; of one model."""
    if found.forecasts is None or (rows := found.forecasts[found.forecasts["model"] == model]).empty:
        return {}
    return {f"{model}_reliability": _reliability(rows), f"{model}_errors": _errors(rows), f"{model}_worst_days": _worst(rows)}


def _reliability(rows: pd.DataFrame) -> bytes:
    levels = [int(name[1:]) / 100 for name in QUANTILE_COLUMNS]
    load, grid = rows["load_mw"].to_numpy(float), rows[list(QUANTILE_COLUMNS)].to_numpy(float)
    figure, axes = _figure(1, 4.5, 4.5)
    axes[0].plot([0, 1], [0, 1], color="0.7", lw=1)
    axes[0].plot(levels, [(load <= level_of(grid, level)).mean() for level in levels], "o-", color="#2171b5")
    axes[0].set(title="Reliability: share of loads below each quantile", xlabel="quantile", ylabel="observed share")
    return png_of(figure)


def _errors(rows: pd.DataFrame) -> bytes:
    figure, axes = _figure(2, 10, 3.6)
    for axis, (name, groups) in zip(
        axes, (("hour", rows["local_time"].dt.hour), ("month", rows["local_time"].dt.to_period("M").astype(str))), strict=True
    ):
        means = rows.groupby(groups)["absolute"].mean()
        axis.bar(means.index.astype(str), means.to_numpy(), color="#6baed6")
        axis.set(title=f"Mean absolute error by {name}, MW")
        axis.tick_params(axis="x", labelsize=7)
    return png_of(figure)


def _worst(rows: pd.DataFrame) -> bytes:
    worst = rows.groupby(["zone", "day"])["absolute"].mean().nlargest(5)
    figure, axes = _figure(len(worst), 14, 3.2)
    for axis, (zone, day) in zip(axes, worst.index, strict=True):
        part = rows[(rows["zone"] == zone) & (rows["day"] == day)].sort_values("interval_start_utc")
        hours = np.arange(len(part)) * 24 / len(part)
        axis.fill_between(hours, part["q10"], part["q90"], color="#c6dbef", label="10 % to 90 %")
        axis.plot(hours, part["q50"], color="#2171b5", lw=1.2, label="median")
        axis.plot(hours, part["load_mw"], color="black", lw=1, label="load")
        axis.set_xlabel("hour since midnight", fontsize=7)
        axis.set_title(f"{zone} {day}", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel("MW", fontsize=7)
    axes[0].legend(frameon=False, fontsize=7)
    return png_of(figure)


def _figure(n: int, width: float, height: float) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, n)))
