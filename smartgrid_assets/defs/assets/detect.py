"""anomalies/*: strange meters of the day, judged by the four weeks before it."""

from smartgrid_assets.chain.steps.detect import LOOK_BACK_DAYS, STEP
from smartgrid_assets.defs.partitions import days_before
from smartgrid_assets.defs.step_asset import dep, step_asset

detect = step_asset(STEP, [dep("features/meter_profile", days_before(LOOK_BACK_DAYS, 0))])
