"""When the night begins: after the meters' night and well before gate closure."""

import dagster as dg

from smartgrid_assets.defs.jobs import nightly
from smartgrid_assets.settings import settings

NIGHT_CRON = "0 6 * * *"

night = dg.ScheduleDefinition(
    name="night",
    job=nightly,
    cron_schedule=NIGHT_CRON,
    execution_timezone=settings().timezone,
    description="06:00 market time: newest days in, tomorrow's forecast and plan out before the gate closes.",
)
