"""One MLflow run a model that carries the metrics of all its weeks, the week as step: the chart of error over training weeks.

A metric logged again would stand twice, so a run goes on where only weeks were added, and is made anew (the old one deleted) where one
of the past changed.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from smartgrid_assets.resources.retried import retried

if TYPE_CHECKING:
    import pandas as pd

WEEK_ZERO = date(2000, 1, 3)
"""Monday that steps are counted from."""
METRICS_A_BATCH = 1000
"""MLflow takes no more in one call."""
Steps = dict[str, dict[int, float]]
"""Metric -> step -> value."""


def write_weeks(client: Any, experiment: str, zone_group: str, weeks: pd.DataFrame) -> None:
    """Bring every model's run up to `weeks`: model, week (date of its Monday) and a column a metric. One writer at a time."""
    for model, rows in weeks.sort_values("week").groupby("model"):
        told = {
            column: {_step(week): float(value) for week, value in zip(rows["week"], rows[column], strict=True) if math.isfinite(value)}
            for column in rows.columns
            if column not in ("model", "week")
        }
        _write(client, experiment, zone_group, str(model), told)


def _write(client: Any, experiment: str, zone_group: str, model: str, told: Steps) -> None:
    from mlflow.entities import Metric

    tags = {"smartgrid.kind": "weeks", "smartgrid.weeks_of": model, "smartgrid.zone_group": zone_group}
    same = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    stands = {run.info.run_id: _stands(client, run, told) for run in retried(lambda: client.search_runs([experiment], same))}
    kept = next((run_id for run_id, logged in stands.items() if logged is not None), None)
    for run_id in stands.keys() - {kept}:
        retried(partial(client.delete_run, run_id))
    if kept is None:
        name = f"{model}, all weeks" + ("" if zone_group == "all" else f", {zone_group}")
        kept = str(retried(lambda: client.create_run(experiment, tags=tags, run_name=name)).info.run_id)
    logged = stands.get(kept) or {}
    fresh = [
        Metric(name, value, _monday_ms(step), step)
        for name, steps in told.items()
        for step, value in steps.items()
        if step not in logged.get(name, {})
    ]
    for first in range(0, len(fresh), METRICS_A_BATCH):
        retried(partial(client.log_batch, kept, metrics=fresh[first : first + METRICS_A_BATCH]))
    retried(partial(client.set_terminated, kept))


def _stands(client: Any, run: Any, told: Steps) -> Steps | None:
    """What a run over weeks has logged; None where some of it is not so any more, or stands twice."""
    logged: Steps = {}
    for name in run.data.metrics:
        history = retried(partial(client.get_metric_history, run.info.run_id, name))
        logged[name] = {metric.step: metric.value for metric in history}
        if len(logged[name]) != len(history) or any(told.get(name, {}).get(step) != value for step, value in logged[name].items()):
            return None
    return logged


def _step(week: Any) -> int:
    return (date(week.year, week.month, week.day) - WEEK_ZERO).days // 7


def _monday_ms(step: int) -> int:
    """Midnight UTC of a step's Monday, so that MLflow's axis of time shows its date; ms since 1970."""
    return int((WEEK_ZERO + timedelta(weeks=step) - date(1970, 1, 1)).days * 86_400_000)
