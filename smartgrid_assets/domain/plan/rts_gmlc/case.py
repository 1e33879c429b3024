"""A day of the RTS-GMLC source tables as an Egret case: units from heat rates and fuel prices, series, reserves, network.

As Egret's own reader of this layout, except that storage is kept (pumped: head volume, `Pump Load MW`, round-trip efficiency on the
way in, and as full at the day's end as at its begin). Concentrating solar power is left out, and said. Values are hours of local standard
time. Without a state of the day before, units run that `MW Inj` of gen.csv has running, at that power, for their minimum up time.
Source: Barrows et al. 2020, The IEEE Reliability Test System: A Proposed 2019 Update; gridx-egret 0.6.2, egret/parsers/rts_gmlc.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isnan
from typing import Any

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.rts_gmlc.tables import HOURS, SourceTables

_RENEWABLE = {"WIND", "HYDRO", "RTPV", "PV", "ROR"}
_LEFT_OUT = {"CSP"}
_RESERVES = {
    "Spin_Up": "spinning_reserve_requirement", "Reg_Up": "regulation_up_requirement", "Reg_Down": "regulation_down_requirement",
    "Flex_Up": "flexible_ramp_up_requirement", "Flex_Down": "flexible_ramp_down_requirement",
}  # fmt: skip
_UNIT = ("GEN UID", "Bus ID", "Unit Type", "Fuel", "MW Inj", "PMax MW", "PMin MW")
_THERMAL = (
    "Min Down Time Hr", "Min Up Time Hr", "Ramp Rate MW/Min", "Start Time Cold Hr", "Start Time Warm Hr", "Start Time Hot Hr",
    "Start Heat Cold MBTU", "Start Heat Warm MBTU", "Start Heat Hot MBTU", "Non Fuel Start Cost $", "Fuel Price $/MMBTU", "HR_avg_0",
)  # fmt: skip
_BRANCH = ("UID", "From Bus", "To Bus", "X", "Cont Rating", "LTE Rating", "STE Rating", "Tr Ratio")


def rts_case(tables: SourceTables, day: date) -> tuple[dict[str, Any], list[str]]:
    """Egret's form of the day, and a sentence for each unit that is left out. Raises PlanError naming file, row and column."""
    bus_rows = tables.table("bus", ("Bus ID", "Bus Name", "MW Load", "Area"))
    names = {_id(row["Bus ID"]): str(row["Bus Name"]) for row in bus_rows}
    buses = {str(row["Bus Name"]): {"area": _id(row["Area"])} for row in bus_rows}
    if len(buses) < len(bus_rows):
        raise PlanError("bus.csv: a bus name comes twice.")
    unit_rows = tables.table("gen", (*_UNIT, *_THERMAL))
    generators, storage, told = _units(tables, unit_rows, names, buses)
    elements: dict[str, Any] = {
        "bus": buses, "area": {bus["area"]: {} for bus in buses.values()}, "load": _loads(bus_rows), "generator": generators, "storage": storage,
        "branch": _branches(tables, names), "dc_branch": _dc_lines(tables, names),
        "shunt": {str(row["Bus Name"]): {"bus": str(row["Bus Name"]), "gs": gs} for row in bus_rows if (gs := _or(row.get("MW Shunt G"), 0.0))},
    }  # fmt: skip
    system: dict[str, Any] = {"time_keys": [str(hour + 1) for hour in range(HOURS)], "time_period_length_minutes": 60, "baseMVA": 100.0}
    system["reference_bus"] = next((str(row["Bus Name"]) for row in bus_rows if row.get("Bus Type") == "Ref"), None)
    case = {"system": system, "elements": elements}
    _put_series(tables, case, day)
    return case, told


def _id(value: Any) -> str:
    """A number of a bus or an area as text, whichever way pandas read it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _or(value: Any, default: float) -> float:
    """A number; the default for a missing one."""
    return default if value is None or (isinstance(value, float) and isnan(value)) else float(value)


def _bus(names: Mapping[str, str], value: Any, where: str) -> str:
    if _id(value) not in names:
        raise PlanError(f"{where}: bus {_id(value)} is not in bus.csv.")
    return names[_id(value)]


def _number(row: Mapping[str, Any], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = float("nan")
    if isnan(value):
        raise PlanError(f"{where}, {column}: {row[column]!r} is no number.")
    return value


def _loads(bus_rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Load of each bus at the snapshot, replaced by its share of its area's series afterwards."""
    return {str(row["Bus Name"]): {"bus": str(row["Bus Name"]), "p_load": mw} for row in bus_rows if (mw := _or(row["MW Load"], 0.0)) != 0}


def _branches(tables: SourceTables, names: Mapping[str, str]) -> dict[str, Any]:
    made = {}
    for row in tables.table("branch", _BRANCH):
        where = f"branch.csv, {row['UID']}"
        tap = _or(row["Tr Ratio"], 0.0)
        made[str(row["UID"])] = {
            "from_bus": _bus(names, row["From Bus"], where), "to_bus": _bus(names, row["To Bus"], where), "reactance": _number(row, "X", where),
            "rating_long_term": _or(row["Cont Rating"], 0.0) or None, "rating_emergency": _or(row["STE Rating"], 0.0) or None,
            "branch_type": "transformer" if tap else "line", "transformer_tap_ratio": tap or 1.0, "transformer_phase_shift": 0.0,
        }  # fmt: skip
    return made


def _dc_lines(tables: SourceTables, names: Mapping[str, str]) -> dict[str, Any]:
    made = {}
    for row in tables.table("dc_branch", ("UID", "From Bus", "To Bus", "MW Load"), is_needed=False):
        where = f"dc_branch.csv, {row['UID']}"
        ends = {"from_bus": _bus(names, row["From Bus"], where), "to_bus": _bus(names, row["To Bus"], where)}
        made[str(row["UID"])] = ends | {"rating_long_term": _number(row, "MW Load", where)}
    return made


def _units(
    tables: SourceTables, rows: list[dict[str, Any]], names: Mapping[str, str], buses: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    generators: dict[str, Any] = {}
    storage: dict[str, Any] = {}
    told = []
    heads = {str(row["GEN UID"]): row for row in tables.table("storage", ("GEN UID",), is_needed=False) if row.get("position") == "head"}
    for row in rows:
        name, kind = str(row["GEN UID"]), str(row["Unit Type"])
        where = f"gen.csv, {name}"
        bus = _bus(names, row["Bus ID"], where)
        place = {"bus": bus, "area": buses[bus]["area"]}
        if kind in _LEFT_OUT:
            told.append(f"{name}: concentrating solar power with its storage of heat is left out.")
        elif row["Fuel"] == "Storage":
            storage[name] = place | _storage(row, heads.get(name), where)
        elif kind in _RENEWABLE:
            generators[name] = place | {"generator_type": "renewable", "p_min": 0.0, "p_max": _number(row, "PMax MW", where)}
        else:
            generators[name] = place | _thermal(row, where)
    return generators, storage, told


def _storage(row: Mapping[str, Any], head: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    if head is None:
        raise PlanError(f"{where}: storage.csv has no head volume for it.")
    energy = _number(head, "Max Volume GWh", where) * 1000.0
    return {
        "energy_capacity": energy, "initial_state_of_charge": _or(head.get("Initial Volume GWh"), 0.0) * 1000.0 / energy,
        "max_charge_rate": _number(row, "Pump Load MW", where), "max_discharge_rate": _number(row, "PMax MW", where),
        "charge_efficiency": _number(row, "Storage Roundtrip Efficiency", where) / 100.0, "discharge_efficiency": 1.0,
    }  # fmt: skip


def _thermal(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    p_min, p_max, injected = (_number(row, column, where) for column in ("PMin MW", "PMax MW", "MW Inj"))
    up, down = _number(row, "Min Up Time Hr", where), _number(row, "Min Down Time Hr", where)
    ramp = 60.0 * _number(row, "Ramp Rate MW/Min", where)
    is_on = injected > 0
    return {
        "generator_type": "thermal", "fuel": str(row["Fuel"]), "p_min": p_min, "p_max": p_max, "ramp_up_60min": ramp, "ramp_down_60min": ramp,
        "startup_capacity": p_min, "shutdown_capacity": p_min, "min_up_time": up, "min_down_time": down,
        "initial_status": max(up, 1.0) if is_on else -max(down, 1.0), "initial_p_output": injected if is_on else 0.0,
        "agc_capable": True, "p_min_agc": p_min, "p_max_agc": p_max, "ramp_agc": ramp / 60.0,
        "fuel_cost": _number(row, "Fuel Price $/MMBTU", where), "p_fuel": {"values": _heat(row, p_max, where)},
        "startup_fuel": _start_heat(row, down), "non_fuel_startup_cost": _or(row["Non Fuel Start Cost $"], 0.0),
    }  # fmt: skip


def _heat(row: Mapping[str, Any], p_max: float, where: str) -> list[tuple[float, float]]:
    """(MW, MMBTU per hour), from the average heat rate of the first point and the incremental ones of the others (BTU/kWh)."""
    points: list[tuple[float, float]] = []
    for number in range(50):
        share = row.get(f"Output_pct_{number}")
        if share is None or isnan(_or(share, float("nan"))):
            break
        mw = round(float(share) * p_max, 1)
        if not points:
            points.append((mw, _number(row, "HR_avg_0", where) * mw / 1000.0))
        elif mw > points[-1][0]:
            points.append((mw, points[-1][1] + (mw - points[-1][0]) * _number(row, f"HR_incr_{number}", where) / 1000.0))
    return points or [(p_max, 0.0)]


def _start_heat(row: Mapping[str, Any], down: float) -> list[tuple[float, float]]:
    """(hours off from which it holds, MMBTU), from hot to cold; of equal hours the colder one counts."""
    found: dict[float, float] = {}
    for state in ("Hot", "Warm", "Cold"):
        hours, heat = _or(row[f"Start Time {state} Hr"], float("nan")), _or(row[f"Start Heat {state} MBTU"], float("nan"))
        if not isnan(hours) and not isnan(heat):
            found[max(hours, down)] = heat
    steps = sorted(found.items())
    return [(min(steps[0][0], down), steps[0][1]), *steps[1:]] if steps else []


def _put_series(tables: SourceTables, case: dict[str, Any], day: date) -> None:
    """Day-ahead series over the constants of units, loads by area, and requirements of reserve."""
    elements, system = case["elements"], case["system"]
    _put_constant_reserves(tables, case)
    areas = {
        area: sum(load["p_load"] for load in elements["load"].values() if elements["bus"][load["bus"]]["area"] == area)
        for area in elements["area"]
    }
    snapshot = {name: load["p_load"] for name, load in elements["load"].items()}
    for pointer in tables.table("timeseries_pointers", ("Simulation", "Category", "Object", "Parameter", "Data File")):
        if pointer["Simulation"] != "DAY_AHEAD":
            continue
        of, parameter = _id(pointer["Object"]), pointer["Parameter"]
        if pointer["Category"] == "Generator" and parameter in ("PMax MW", "PMin MW") and of in elements["generator"]:
            elements["generator"][of]["p_max" if parameter == "PMax MW" else "p_min"] = {"values": tables.series(pointer, day)}
        elif pointer["Category"] == "Area" and parameter == "MW Load" and areas.get(of):
            total = tables.series(pointer | {"Object": of}, day)
            for name, load in elements["load"].items():
                if elements["bus"][load["bus"]]["area"] == of:
                    load["p_load"] = {"values": [mw * snapshot[name] / areas[of] for mw in total]}
        elif pointer["Category"] == "Reserve" and parameter == "Requirement":
            product, _, area = of.partition("_R")
            place = elements["area"].get(area) if area else system
            if product in _RESERVES and place is not None:
                place[_RESERVES[product]] = {"values": tables.series(pointer, day)}


def _put_constant_reserves(tables: SourceTables, case: dict[str, Any]) -> None:
    for row in tables.table("reserves", ("Reserve Product", "Requirement (MW)"), is_needed=False):
        product, _, area = str(row["Reserve Product"]).partition("_R")
        place = case["elements"]["area"].get(area) if area else case["system"]
        if product in _RESERVES and place is not None:
            place[_RESERVES[product]] = float(row["Requirement (MW)"])
