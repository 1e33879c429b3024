"""forecasts/*: models fitted weekly, candidates, scores, the champion, and what is published."""

import dagster as dg

from smartgrid_assets.chain.steps.explain import STEP as CHANGES
from smartgrid_assets.chain.steps.forecast import STEPS
from smartgrid_assets.defs.step_asset import dep, step_asset

MODEL, CANDIDATES, SCORES, CHAMPION, DAY_AHEAD, SCENARIOS, HEADROOM, ACCURACY = STEPS
HISTORY = dg.AllPartitionMapping()
"""A model learns from all days before its gate: Dagster waits for those that are being made, the as-of law picks."""

model = step_asset(MODEL, [dep("features/load", HISTORY), dep("features/training_marks", HISTORY)])
candidates = step_asset(CANDIDATES, ["forecasts/model", "raw/weather"])
scores = step_asset(SCORES, ["forecasts/candidates", "features/load"])
champion = step_asset(CHAMPION, [dep("forecasts/scores", HISTORY)])
day_ahead = step_asset(DAY_AHEAD, [dep("forecasts/candidates", HISTORY), "forecasts/champion", dep("features/load", HISTORY)])
scenarios = step_asset(SCENARIOS, [dep("forecasts/day_ahead", HISTORY), dep("features/load", HISTORY)])
headroom = step_asset(HEADROOM, ["forecasts/scenarios", dep("features/load", HISTORY), "raw/meters"])
accuracy = step_asset(ACCURACY, ["forecasts/day_ahead", "forecasts/candidates", "features/load"])
changes = step_asset(CHANGES, [dep("forecasts/day_ahead", HISTORY), dep("forecasts/candidates", HISTORY), "forecasts/model",
                               dep("features/load", HISTORY), dep("raw/weather", HISTORY)])  # fmt: skip
