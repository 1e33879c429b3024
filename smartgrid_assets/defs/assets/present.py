"""operator/*: what the operator's page shows."""

from smartgrid_assets.chain.steps.present import NEWEST_AT_ISSUE, STEP
from smartgrid_assets.defs.partitions import days_before
from smartgrid_assets.defs.step_asset import dep, step_asset

overview = step_asset(
    STEP,
    [
        "forecasts/day_ahead",
        "forecasts/headroom",
        "features/load",
        "dispatch/plan",
        "raw/meters",
        "raw/weather",
        dep("anomalies/meter_days", days_before(NEWEST_AT_ISSUE.days, NEWEST_AT_ISSUE.days)),
    ],
)
