"""dispatch/*: the plan of each market day, from the state in which yesterday's leaves the units."""

from smartgrid_assets.chain.steps.dispatch import STEPS
from smartgrid_assets.defs.step_asset import step_asset

DISPATCH, HINDSIGHT = STEPS

dispatch = step_asset(DISPATCH, ["forecasts/day_ahead", "raw/fleet", "raw/weather"])
hindsight = step_asset(HINDSIGHT, ["dispatch/summary", "features/load", "raw/fleet"])
