"""anomalies/*: strange meters of the day, judged by the four weeks before it; meters that changed for good; cases for a visit, and their stories; who was right."""

import dagster as dg

from smartgrid_assets.chain.steps.detect import LOOK_BACK_DAYS, STEPS
from smartgrid_assets.defs.partitions import days_before
from smartgrid_assets.defs.step_asset import dep, step_asset
from smartgrid_assets.domain.detect.spans import CASES_LOOK_BACK_DAYS, SUSPECTS_LOOK_BACK_DAYS, VERDICTS_COUNT_DAYS

DETECT, SUSPECTS, CASES, STORIES, EVALUATION = STEPS

detect = step_asset(DETECT, [dep("features/meter_profile", days_before(LOOK_BACK_DAYS, 0))])
suspects = step_asset(
    SUSPECTS, [dep(path, days_before(SUSPECTS_LOOK_BACK_DAYS, 0)) for path in ("features/meter_profile", "features/feeder_balance")]
)
cases = step_asset(
    CASES,
    [
        dep("anomalies/suspects", days_before(CASES_LOOK_BACK_DAYS, 0)),
        "features/meter_profile",
        dep("anomalies/verdicts", days_before(CASES_LOOK_BACK_DAYS + VERDICTS_COUNT_DAYS, 0)),
    ],
)
stories = step_asset(
    STORIES,
    [
        "anomalies/cases",
        *(dep(path, days_before(SUSPECTS_LOOK_BACK_DAYS, 0)) for path in ("features/meter_profile", "features/feeder_balance")),
    ],
)
evaluation = step_asset(EVALUATION, ["anomalies/cases", "anomalies/meter_days", dep("anomalies/verdicts", dg.AllPartitionMapping())])
