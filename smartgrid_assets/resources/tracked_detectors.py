"""What a detector said in a week, as a run of MLflow's experiment `detection`: for those who compare detectors."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from smartgrid_assets.resources.retried import retried

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DetectorWeek:
    """One run. scores: the distribution, a row a bin; picture_png: of it; metrics: headline numbers, NaN left out; params, tags: text by name."""

    detector: str
    week: date
    metrics: Mapping[str, float]
    scores: pd.DataFrame
    picture_png: bytes
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> dict[str, str]:
        """The tags that say which runs replace each other."""
        return {"smartgrid.detector": self.detector, "smartgrid.week": self.week.isoformat()}


def write_detector_week(client: Any, experiment: str, week: DetectorWeek) -> tuple[str, list[str]]:
    """Its run, ended; and the ids of older runs of the same detector and week. To be called by one process at a time."""
    from mlflow.entities import Metric, Param

    same = " and ".join(f"tags.`{name}` = '{value}'" for name, value in week.identity.items())
    others = [run.info.run_id for run in retried(lambda: client.search_runs([experiment], same))]
    tags = week.identity | {f"smartgrid.{name}": str(value) for name, value in week.tags.items()}
    name = f"{week.detector} {week.week.isoformat()}"
    run_id = str(retried(lambda: client.create_run(experiment, tags=tags, run_name=name)).info.run_id)
    now_ms = int(time.time() * 1000)
    metrics = [Metric(key, float(value), now_ms, 0) for key, value in week.metrics.items() if math.isfinite(value)]
    params = [Param(key, str(value)) for key, value in {"detector": week.detector, **week.params}.items()]
    retried(lambda: client.log_batch(run_id, metrics=metrics, params=params))
    retried(lambda: client.log_table(run_id, week.scores, "scores.json"))
    retried(partial(client.set_terminated, run_id))
    return run_id, others
