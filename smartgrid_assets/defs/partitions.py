"""Partitions as Dagster sees them: labels of local market days, and of weeks that begin on Monday.

Dagster gets dates only, in UTC: where a day begins and how long it is, domain/market_day.py knows. The end offsets
make tomorrow (for any time zone on earth) and next week exist before they begin.
"""

from __future__ import annotations

import dagster as dg

from smartgrid_assets.domain.market_day import week_of
from smartgrid_assets.settings import settings

MONDAY = 1

market_days = dg.DailyPartitionsDefinition(start_date=settings().first_day.isoformat(), end_offset=3)
market_weeks = dg.WeeklyPartitionsDefinition(start_date=week_of(settings().first_day).isoformat(), day_offset=MONDAY, end_offset=3)


def partitions_of(cadence: str) -> dg.TimeWindowPartitionsDefinition:
    """The partitions of a step."""
    return market_weeks if cadence == "week" else market_days


def days_before(first: int, last: int) -> dg.TimeWindowPartitionMapping:
    """Upstream days from `first` to `last` days before the downstream one."""
    return dg.TimeWindowPartitionMapping(start_offset=-first, end_offset=-last, allow_nonexistent_upstream_partitions=True)
