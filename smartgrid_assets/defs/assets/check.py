"""validated/*: readings judged, repaired, and held back where a day would poison tomorrow."""

from smartgrid_assets.chain.steps.check import STEP
from smartgrid_assets.defs.step_asset import step_asset

check = step_asset(STEP, ["raw/meter_readings", "raw/rejected_lines", "raw/meters", "validated/verdicts", "validated/hindsight"])
