"""dispatch/*: the plan of each market day from the state in which yesterday's leaves the units, its calls on customers, and what it came to."""

import dagster as dg

from smartgrid_assets.chain.steps.dispatch import STEPS
from smartgrid_assets.defs.step_asset import dep, step_asset

DISPATCH, CALLS, SETTLEMENT, VALUE = STEPS

dispatch = step_asset(DISPATCH, ["forecasts/day_ahead", "forecasts/scenarios", "raw/fleet", "raw/weather"])
flexibility_calls = step_asset(CALLS, ["forecasts/headroom", "dispatch/prices"])
settlement = step_asset(SETTLEMENT, ["dispatch/summary", "features/load", "raw/fleet"])
forecast_value = step_asset(VALUE, [dep("dispatch/settlement", dg.AllPartitionMapping())])
