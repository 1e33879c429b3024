"""Which local hour is it, and is it a public holiday?

The wall time comes from DuckDB's ICU; of the repeated autumn hour both intervals bear the same `local_time`.
Holidays come from the `holidays` library: country and subdivision are settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from smartgrid_assets.domain.derive.feature import Feature, Sources
from smartgrid_assets.domain.errors import SettingsError


def calendar(country: str, subdivision: str, years: Iterable[int]) -> dict[date, str]:
    """Public holidays of those years: local day -> name, in the country's own language.

    An empty country has none. Raises SettingsError where the library knows no such country or subdivision.
    """
    if not country:
        return {}
    import holidays  # 0.3 s; modules of this room stay cheap to import

    try:
        return dict(sorted(holidays.country_holidays(country, subdiv=subdivision or None, years=list(years)).items()))
    except NotImplementedError:
        place = f"{country}-{subdivision}" if subdivision else country
        raise SettingsError(
            f"No public holidays are known for {place!r}. Set SMARTGRID_COUNTRY to an ISO 3166 code such as DE, and "
            "SMARTGRID_SUBDIVISION to one of its states or to nothing."
        ) from None


def _sql(sources: Sources) -> str:
    return f"""
        WITH wall AS (
            SELECT zone, interval_start_utc, known_from_utc,
                   (interval_start_utc AT TIME ZONE 'UTC') AT TIME ZONE '{sources.tz}' AS local_time
            FROM {sources.grid})
        SELECT wall.*, h.holiday IS NOT NULL AS is_holiday, coalesce(h.holiday, '') AS holiday
        FROM wall LEFT JOIN {sources.holidays} h ON h.day = CAST(wall.local_time AS DATE)"""


FEATURE = Feature("calendar", 1, "interval", ("local_time", "is_holiday", "holiday"), _sql)
