"""Time zones as mappings write them: an IANA name, UTC, or a fixed offset such as +10:00."""

from __future__ import annotations

import re

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import zone_info

_OFFSET = re.compile(r"^([+-])(\d{2}):?(\d{2})$")


def zone_or_offset(text: str, where: str) -> str | int:
    """An IANA name as it is, or a fixed offset in minutes east of Greenwich. Raises SettingsError naming `where`.

    >>> zone_or_offset("+10:00", "here"), zone_or_offset("UTC", "here"), zone_or_offset("Europe/Berlin", "here")
    (600, 0, 'Europe/Berlin')
    """
    if text.upper() in ("UTC", "Z", "GMT"):
        return 0
    if match := _OFFSET.match(text):
        sign, hours, minutes = match.groups()
        if int(hours) > 14 or int(minutes) > 59:
            raise SettingsError(f"{where}: {text!r} is no offset from UTC; they go from -12:00 to +14:00.")
        return (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
    try:
        zone_info(text)
    except SettingsError:
        raise SettingsError(
            f"{where}: {text!r} is no time zone; use an IANA name such as Europe/Berlin, UTC, or an offset such as +10:00."
        ) from None
    return text
