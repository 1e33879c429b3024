"""Local market days and UTC intervals: when does a day begin, how long is it, when is its gate?

A partition is named by its LOCAL day. On clock changes that day is 23 or 25 hours long; everything inside is UTC,
so no interval is ever ambiguous. Naive datetimes named `*_utc` hold UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from smartgrid_assets.domain.errors import SettingsError

ONE_DAY = timedelta(days=1)


def zone_info(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises SettingsError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"{name!r} is no time zone that this machine knows; use an IANA name such as Europe/Berlin.") from None


def local_to_utc(local: datetime, tz: str) -> datetime:
    """Naive local wall time -> naive UTC; of a repeated hour the first, a skipped one is moved on by the step.

    >>> local_to_utc(datetime(2026, 3, 29, 0, 0), "Europe/Berlin")
    datetime.datetime(2026, 3, 28, 23, 0)
    """
    return local.replace(tzinfo=zone_info(tz)).astimezone(UTC).replace(tzinfo=None)


def moment_of(text: str, tz: str) -> datetime:
    """A time that a person wrote as naive UTC: with an offset or Z as it says, without one local wall time. Raises SettingsError.

    >>> moment_of("2026-03-29T03:30", "Europe/Berlin"), moment_of("2026-03-29T03:30Z", "Europe/Berlin")
    (datetime.datetime(2026, 3, 29, 1, 30), datetime.datetime(2026, 3, 29, 3, 30))
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is no time; write it as 2026-11-24T06:00 or 2026-11-24T05:00Z.") from None
    return local_to_utc(moment, tz) if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def utc_to_local(moment_utc: datetime, tz: str) -> datetime:
    """Naive UTC -> naive local wall time."""
    return moment_utc.replace(tzinfo=UTC).astimezone(zone_info(tz)).replace(tzinfo=None)


def wall_clock(moment_utc: datetime, tz: str) -> str:
    """Local wall time with its offset, which tells the two 02:00 of an autumn night apart.

    >>> wall_clock(datetime(2026, 10, 25, 1, 0), "Europe/Berlin")
    '02:00 +01:00'
    """
    text = moment_utc.replace(tzinfo=UTC).astimezone(zone_info(tz)).isoformat(timespec="minutes")
    return f"{text[11:16]} {text[16:]}"


@dataclass(frozen=True)
class MarketDay:
    """One local day and its UTC window [start_utc, end_utc)."""

    day: date
    start_utc: datetime
    end_utc: datetime

    @property
    def hours(self) -> float:
        """23, 24 or 25 (or 23.5, 24.5 where clocks move by half an hour)."""
        return (self.end_utc - self.start_utc) / timedelta(hours=1)

    def intervals(self, minutes: int) -> int:
        """How many intervals of that length the day holds."""
        return int((self.end_utc - self.start_utc) / timedelta(minutes=minutes))


def market_day(day: date, tz: str) -> MarketDay:
    """The UTC window of a local day.

    >>> market_day(date(2014, 4, 6), "Australia/Melbourne").intervals(30)
    50
    """
    midnight = time(0, 0)
    return MarketDay(
        day,
        local_to_utc(datetime.combine(day, midnight), tz),
        local_to_utc(datetime.combine(day + ONE_DAY, midnight), tz),
    )


def day_of(moment_utc: datetime, tz: str) -> date:
    """The market day in which a naive UTC moment lies."""
    return utc_to_local(moment_utc, tz).date()


def wall_sql(moment_utc: str, tz: str) -> str:
    """SQL: the local wall time of a moment; its date is the market day."""
    return f"timezone('{tz}', timezone('UTC', {moment_utc}))"


def days_between(first: date, last: date) -> list[date]:
    """All days from first to last, both included; empty where last is earlier."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def week_of(day: date) -> date:
    """The Monday of that day's week.

    >>> week_of(date(2026, 11, 24))
    datetime.date(2026, 11, 23)
    """
    return day - timedelta(days=day.weekday())


def weeks_between(first: date, last: date) -> list[date]:
    """Mondays of all weeks that a span of days touches."""
    return [week_of(first) + timedelta(weeks=n) for n in range((week_of(last) - week_of(first)).days // 7 + 1)]


def gate_utc(day: date, tz: str, gate: time) -> datetime:
    """Gate closure for day D: D-1 at `gate`, local wall time, as naive UTC.

    >>> gate_utc(date(2026, 3, 30), "Europe/Berlin", time(10))
    datetime.datetime(2026, 3, 29, 8, 0)
    """
    return local_to_utc(datetime.combine(day - ONE_DAY, gate), tz)


def load_known_until_utc(day: date, tz: str) -> datetime:
    """Meters report overnight: a forecast of D may use load up to D-1 00:00 local (exclusive), as naive UTC."""
    return market_day(day - ONE_DAY, tz).start_utc


SCHOOL = "school"
"""What the library of holidays calls breaks."""


def school_breaks(country: str, subdivision: str, years: Iterable[int]) -> list[date]:
    """Days without school of those years, in order; empty where the library knows none of the place (it does of few, and by subdivision).

    Raises SettingsError as public_holidays does.
    """
    return list(_days_off(country, subdivision, years, SCHOOL))


def public_holidays(country: str, subdivision: str, years: Iterable[int]) -> dict[date, str]:
    """Public holidays of those years: local day -> name, in the country's own language.

    An empty country has none. Raises SettingsError where the library knows no such country or subdivision.
    """
    return _days_off(country, subdivision, years)


def _days_off(country: str, subdivision: str, years: Iterable[int], kind: str | None = None) -> dict[date, str]:
    """Days of one of the library's categories, None = its public ones; empty where it knows none of that kind."""
    if not country:
        return {}
    import holidays  # 0.3 s; this module stays cheap to import

    try:
        known = holidays.country_holidays(country)
        if kind and kind not in known.supported_categories:
            return {}
        language = known.default_language  # else the machine's own, and a partition would hang on it
        days = holidays.country_holidays(
            country, subdiv=subdivision or None, years=list(years), language=language, categories=kind and (kind,)
        )
        return dict(sorted(days.items()))
    except NotImplementedError:
        place = f"{country}-{subdivision}" if subdivision else country
        raise SettingsError(
            f"No public holidays are known for {place!r}. The country is an ISO 3166 code such as DE (SMARTGRID_COUNTRY), "
            "the subdivision one of its states or nothing (SMARTGRID_SUBDIVISION)."
        ) from None
