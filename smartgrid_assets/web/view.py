"""What a visitor asks to see, read from the address and checked: a day, a zone, a feeder, a moment in the past; and by whom.

Nonsense gives a 400 with a sentence; what is not there a 404.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from smartgrid_assets.domain.errors import SettingsError, SmartGridError
from smartgrid_assets.domain.market_day import MarketDay, local_to_utc, market_day
from smartgrid_assets.resources.accounts import Role, User

if TYPE_CHECKING:
    from smartgrid_assets.web.reader import Reader, Rows

OVERVIEW, FEEDERS = "operator/overview", "operator/feeders"
WHOLE = "*"
LONGEST = 200


class NotThere(SmartGridError):
    """What was asked for does not exist: 404."""


@dataclass(frozen=True)
class View:
    """One question of one visitor. day: None while the lake is empty. as_of: naive UTC, None = now."""

    reader: Reader
    user: User
    now: datetime
    screen: str = ""
    asked_day: date | None = None
    asked_zone: str = ""
    feeder: str = ""
    as_of: datetime | None = None
    case_id: str = ""
    meter: str = ""
    q: str = ""

    @property
    def tz(self) -> str:
        """Market time zone."""
        return self.reader.context.settings.timezone

    @property
    def moment(self) -> datetime:
        """As of when the page looks, naive UTC."""
        return self.as_of or self.now

    @cached_property
    def days(self) -> list[date]:
        """Market days that have a page, ascending."""
        return self.reader.keys(OVERVIEW)

    @cached_property
    def day(self) -> date:
        """The day asked for; else the newest that is there. Raises NotThere."""
        if not self.days:
            raise NotThere("The lake is empty. Next: `smartgrid demo`, or `smartgrid ingest PATH` and `smartgrid run --from DAY --to DAY`.")
        if self.asked_day is None:
            return self.days[-1]
        if self.asked_day not in self.days:
            raise NotThere(f"There is no page of {self.asked_day}; there are days from {self.days[0]} to {self.days[-1]}.")
        return self.asked_day

    @cached_property
    def market_day(self) -> MarketDay:
        """UTC window of the day."""
        return market_day(self.day, self.tz)

    @cached_property
    def zones(self) -> list[str]:
        """Zones of the day, the whole first."""
        found = [row["zone"] for row in self.rows("SELECT DISTINCT zone FROM shown ORDER BY zone", shown=(OVERVIEW, [self.day]))]
        has_sum = len(found) > 1 and self.day in self.reader.keys("forecasts/whole", self.day, self.day)
        return sorted({*found, *([WHOLE] if has_sum else [])}, key=lambda zone: (zone != WHOLE, zone))

    @cached_property
    def zone(self) -> str:
        """The zone asked for; else the whole, or the first. Raises NotThere."""
        if not self.asked_zone:
            return self.zones[0]
        if self.asked_zone not in self.zones:
            raise NotThere(f"There is no zone {self.asked_zone!r} on {self.day}; there are {', '.join(map(said, self.zones[:12]))}.")
        return self.asked_zone

    @property
    def may_see_meters(self) -> bool:
        """True for analysts and admins: consumption of few, or one, is shown to them alone."""
        return self.user.role >= Role.ANALYST

    @property
    def minimum(self) -> int:
        """Fewest customers whose sum everybody may see (SMARTGRID_MINIMUM_GROUP)."""
        return self.reader.context.settings.minimum_group

    def is_shown(self, meters: int | None) -> bool:
        """May a sum of so many customers be shown to this visitor? (SMARTGRID_MINIMUM_GROUP; None: a measurement of the network, not a sum.)"""
        return self.may_see_meters or meters is None or meters >= self.minimum

    @property
    def is_forecast(self) -> bool:
        """True once the day's gate had closed, at the moment that is looked at."""
        return self.moment >= self.gate(self.day)

    def rows(self, sql: str, params: Any = (), **tables: Any) -> Rows:
        """Rows of a SELECT; see Reader.rows."""
        return self.reader.rows(sql, params, **tables)

    def gate(self, day: date) -> datetime:
        """Gate closure of a day, naive UTC."""
        return self.reader.context.gate(day)

    # ---- addresses --------------------------------------------------------------------------------------------

    def url(self, screen: str | None = None, **changed: Any) -> str:
        """The address of this very view, or of another with some parameters changed (None = left out)."""
        return self.path(screen or self.screen) + self.query(**changed)

    def path(self, screen: str) -> str:
        """Of a screen."""
        return f"/{screen}"

    def query(self, **changed: Any) -> str:
        """?day=... of this view."""
        asked = {"day": self.asked_day, "zone": self.asked_zone, "feeder": self.feeder, "as_of": self._as_of_text(), "case": self.case_id, "meter": self.meter,
                 "q": self.q} | changed  # fmt: skip
        given = {name: str(value) for name, value in asked.items() if value not in (None, "")}
        return f"?{urlencode(given)}" if given else ""

    def _as_of_text(self) -> str:
        return f"{self.as_of.isoformat(timespec='minutes')}Z" if self.as_of else ""

    def other(self, **changed: Any) -> View:
        """This view with fields changed."""
        return replace(self, **changed)


def view_of(reader: Reader, user: User, now: datetime, screen: str, given: Mapping[str, str]) -> View:
    """The view that an address asks for. Raises SettingsError with a sentence for a parameter that makes no sense."""
    clean = {name: _text(name, value) for name, value in given.items()}
    as_of = _moment(clean["as_of"], reader.context.settings.timezone) if clean.get("as_of") else None
    if as_of and as_of > now + timedelta(days=1):
        raise SettingsError(f"as_of={given['as_of']} lies in the future.")
    if as_of and as_of.date() < reader.context.settings.first_day:
        raise SettingsError(f"as_of={given['as_of']} lies before SMARTGRID_FIRST_DAY, {reader.context.settings.first_day}.")
    return View(
        reader,
        user,
        now,
        screen,
        asked_day=_day(clean["day"]) if clean.get("day") else None,
        asked_zone=clean.get("zone", ""),
        feeder=clean.get("feeder", ""),
        as_of=as_of,
        case_id=clean.get("case", ""),
        meter=clean.get("meter", ""),
        q=clean.get("q", "").strip(),
    )


def said(zone: str) -> str:
    """A zone or feeder in words."""
    return "all zones" if zone == WHOLE else zone


def _text(name: str, value: str) -> str:
    if len(value) > LONGEST:
        raise SettingsError(f"{name} is longer than {LONGEST} characters.")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise SettingsError(f"{name} holds characters that are no text.")
    return value


def _day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise SettingsError(f"day={text} is no day; write it as 2026-11-24.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"day={text} is no day; write it as 2026-11-24.") from None


def _moment(text: str, tz: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if re.search(r" \d\d:\d\d$", text) and "T" in text else text)
        if moment.tzinfo is None:
            return local_to_utc(moment, tz)
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise SettingsError(f"as_of={text} is no time; write it as 2026-11-24T06:00, local market time, or with an offset.") from None
