"""Which plants supply the town?

A fleet for every zone, 1.3 times its highest true load: a steady unit, a middling one and a fast dear one, each zone's
a little different so that the merit order has no ties; one battery, one wind farm, one solar park in the town.
"""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 1.3
Unit = dict[str, object]

# share of the zone's thermal power; p_min / p_max; marginal cost per MWh; start-up cost per MW cold;
# minimum up and down hours; ramp per hour / p_max
THERMAL = {
    "steady": (0.50, 0.35, 46.0, 60.0, 6, 4, 0.4),
    "middle": (0.30, 0.30, 72.0, 35.0, 3, 2, 0.8),
    "peaker": (0.20, 0.20, 118.0, 12.0, 1, 1, 1.0),
}


def make_fleet(zones: Sequence[str], peak_mw: Sequence[float]) -> dict[str, list[Unit]]:
    """Tables thermal, storage and renewable for zones and their highest loads, MW."""
    thermal = [
        _thermal(zone, kind, max(MARGIN * peak, 0.001), 1 + 0.03 * n, must_run=n == 0 and kind == "steady")
        for n, (zone, peak) in enumerate(zip(zones, peak_mw, strict=True))
        for kind in THERMAL
    ]
    town_mw = max(sum(peak_mw), 0.001)
    return {"thermal": thermal, "storage": [_battery(zones[0], town_mw)], "renewable": _renewables(zones, town_mw)}


def _thermal(zone: str, kind: str, zone_mw: float, dearer: float, must_run: bool) -> Unit:
    share, least, marginal, start, up_h, down_h, ramp = THERMAL[kind]
    p_max, p_min = round(share * zone_mw, 4), round(least * share * zone_mw, 4)
    middle = round((p_min + p_max) / 2, 4)
    is_on = kind == "steady"
    return {
        "name": f"{zone}-{kind}",
        "zone": zone,
        "p_min_mw": p_min,
        "p_max_mw": p_max,
        "cost_curve": _convex_cost((p_min, middle, p_max), marginal * dearer),
        "startup_costs": [[down_h, round(0.5 * start * p_max, 2)], [down_h + 8, round(start * p_max, 2)]],
        "min_up_h": up_h,
        "min_down_h": down_h,
        "ramp_up_mw_per_h": round(ramp * p_max, 4),
        "ramp_down_mw_per_h": round(ramp * p_max, 4),
        "start_up_mw": max(p_min, round(ramp * p_max, 4)),
        "shut_down_mw": max(p_min, round(ramp * p_max, 4)),
        "must_run": must_run,
        "initial_status_h": 24 if is_on else -24,
        "initial_power_mw": middle if is_on else 0.0,
    }


def _convex_cost(power_mw: Sequence[float], per_mwh: float) -> list[list[float]]:
    """[MW, cost per hour] points: running at the least costs 1.25 of its energy, the upper half is 12 % dearer."""
    least, middle, most = power_mw
    cost = [1.25 * per_mwh * least]
    cost.append(cost[-1] + per_mwh * (middle - least))
    cost.append(cost[-1] + 1.12 * per_mwh * (most - middle))
    return [[power, round(value, 4)] for power, value in zip(power_mw, cost, strict=True)]


def _battery(zone: str, town_mw: float) -> Unit:
    power, energy = round(0.12 * town_mw, 4), round(0.30 * town_mw, 4)
    return {
        "name": f"{zone}-battery",
        "zone": zone,
        "charge_mw": power,
        "discharge_mw": power,
        "energy_mwh": energy,
        "charge_efficiency": 0.95,
        "discharge_efficiency": 0.95,
        "initial_mwh": round(energy / 2, 4),
        "end_mwh": round(energy / 2, 4),
    }


def _renewables(zones: Sequence[str], town_mw: float) -> list[Unit]:
    park, farm = zones[len(zones) // 2], zones[-1]
    return [
        {"name": f"{park}-solar-park", "zone": park, "p_max_mw": round(0.15 * town_mw, 4), "source": "solar"},
        {"name": f"{farm}-wind-farm", "zone": farm, "p_max_mw": round(0.20 * town_mw, 4), "source": "wind"},
    ]


def fleet_toml(fleet: dict[str, list[Unit]]) -> str:
    """The fleet as TOML text: one array of tables a kind."""
    tables = (f"[[{kind}]]\n" + "".join(_line(k, v) for k, v in unit.items()) for kind, units in fleet.items() for unit in units)
    return "\n".join(tables)


def _line(key: str, value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)
    return f"{key} = {text}\n"
