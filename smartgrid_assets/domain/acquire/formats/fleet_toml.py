"""A fleet in TOML: tables [[thermal]], [[storage]] and [[renewable]], one a unit.

Only names, zones and power limits are checked here; whether a plant makes sense is for the plan to say. A fleet is
refused whole when one unit is wrong, because a plan with half a fleet would look right.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

KINDS = ("thermal", "storage", "renewable")
MAX_BYTES = 16 << 20
MOST_MW = 1e7
"""More than the whole world's largest grids; a number that no float holds is over it, too."""
_UNIT = re.compile(r"^\s*\[\[\s*(thermal|storage|renewable)\s*\]\]", re.MULTILINE)


def _recognises(head: Head) -> float:
    return 1.0 if _UNIT.search(head.text) else 0.0


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the fleet. Raises DeliveryError naming the unit and the key."""
    name, fleet = job.head.name, _parse(job)
    rows = [
        (ordinal, *_row(name, kind, unit, number))
        for ordinal, (kind, number, unit) in enumerate(
            (kind, n, unit) for kind in KINDS for n, unit in enumerate(_units(name, fleet, kind), 1)
        )
    ]
    seen: set[str] = set()
    for _, unit, *_rest in rows:
        if unit in seen:
            raise DeliveryError(f"{name}: the unit {unit!r} is there twice. Give each unit a name of its own.")
        seen.add(unit)
    table = f"{job.prefix}_fleet"
    job.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} (source_hash VARCHAR, ordinal BIGINT, unit VARCHAR, kind VARCHAR, zone VARCHAR, "
        "p_min_mw DOUBLE, p_max_mw DOUBLE, spec VARCHAR, received_at TIMESTAMP)"
    )
    job.con.executemany(
        f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(job.source_hash, *row, job.source.received_at) for row in rows],
    )
    parsed.tables["raw/fleet"] = table
    parsed.readings = len(rows)
    others = sorted(set(fleet) - set(KINDS))
    parsed.notes += [f"Tables not read: {', '.join(others)}."] if others else []


def _parse(job: Job) -> dict[str, Any]:
    with job.open() as handle:
        data = handle.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DeliveryError(f"{job.head.name}: a fleet of more than {MAX_BYTES >> 20} MB is not read.")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise DeliveryError(f"{job.head.name}: this is no TOML ({error}).") from None


def _units(name: str, fleet: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    units = fleet.get(kind, [])
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise DeliveryError(f"{name}: {kind} should be a list of tables, each headed [[{kind}]].")
    return units


def _row(name: str, kind: str, unit: dict[str, Any], number: int) -> tuple[str, str, str, float, float, str]:
    """unit, kind, zone, p_min_mw, p_max_mw, spec."""
    where = f"{name}: [[{kind}]] number {number}"
    title = _text(unit.get("unit", unit.get("name")), f"{where}: unit")
    where = f"{name}: {kind} unit {title!r}"
    zone = _text(unit.get("zone", "*"), f"{where}: zone")
    if kind == "storage":
        low, high = -_power(unit, "charge_mw", where), _power(unit, "discharge_mw", where)
    else:
        low, high = _power(unit, "p_min_mw", where, 0.0), _power(unit, "p_max_mw", where)
    if low > high:
        raise DeliveryError(f"{where}: p_min_mw is {low:g}, more than p_max_mw {high:g}.")
    kept = {key: value for key, value in unit.items() if key not in ("unit", "name")}
    for key, value in kept.items():
        _refuse_no_number(value, f"{where}: {key}")
    return title, kind, zone, low, high, json.dumps({"name": title, **kept}, default=str)


def _refuse_no_number(value: Any, where: str) -> None:
    """TOML knows inf and nan, JSON and every plan do not."""
    try:
        json.dumps(value, default=str, allow_nan=False)
    except ValueError:
        raise DeliveryError(f"{where} should hold numbers only, not {_shown(value)}.") from None


def _shown(value: Any) -> str:
    try:
        return str(value)[:80]
    except ValueError:  # a hexadecimal number may have more digits than Python writes
        return "a number of thousands of digits"


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DeliveryError(f"{where} is missing; it should be a text.")
    return value.strip()


def _power(unit: dict[str, Any], key: str, where: str, default: float | None = None) -> float:
    value = unit.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_MW:
        raise DeliveryError(f"{where}: {key} should be a number of MW, 0 to {MOST_MW:g}, not {_shown(value)}.")
    return float(value)


FORMAT = Format("fleet_toml", 2, _recognises, _read)
