"""features/*: load of zones and feeders, training marks, meters' profiles, feeders' balances."""

from smartgrid_assets.chain.steps.derive import STEPS
from smartgrid_assets.defs.step_asset import step_asset

LOAD, MARKS, PROFILE, BALANCE = STEPS

load = step_asset(LOAD, ["validated/meter_readings", "validated/earlier_readings", "raw/meters", "raw/weather"])
training_marks = step_asset(MARKS, ["features/load"])
meter_profile = step_asset(PROFILE, ["validated/meter_readings", "raw/meters"])
feeder_balance = step_asset(BALANCE, ["validated/meter_readings", "raw/meters"])
