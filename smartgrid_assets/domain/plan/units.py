"""What a plant, a battery and a wind farm are to the plan: their data, with units.

Ramps and minimum times are per HOUR whatever the interval, so one fleet file serves 15, 30 and 60 minutes. Money is
in the fleet's own currency. Power is positive into the system.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Outage:
    """A unit limited to `available_mw` in [from_utc, to_utc); 0 or anything under its least power means off."""

    from_utc: datetime
    to_utc: datetime
    available_mw: float = 0.0


@dataclass(frozen=True)
class ThermalUnit:
    """A unit that is committed: on or off, between least and largest power.

    cost_curve: (MW, cost per hour) points, rising and convex, from p_min_mw to p_max_mw.
    startup_costs: (hours offline from which it holds, cost); empty = starting is free.
    min_up_h, min_down_h: hours; counted in whole intervals, rounded up.
    ramp_up_mw_per_h, ramp_down_mw_per_h: MW per hour; None = no limit.
    start_up_mw, shut_down_mw: largest power in the first and the last interval on, MW;
        None = least power plus one interval of ramping.
    fixed_commitment: 1, 0 or None (free) per interval of the problem; empty = all free.
    initial_status_h: hours on (+) or off (-) when the plan begins; initial_power_mw: None = least power if on.
    co2_t_per_mwh, fuel: kept for reports; the cost curve already contains their price.
    """

    name: str
    zone: str
    p_min_mw: float
    p_max_mw: float
    cost_curve: tuple[tuple[float, float], ...]
    startup_costs: tuple[tuple[float, float], ...] = ()
    shutdown_cost: float = 0.0
    min_up_h: float = 0.0
    min_down_h: float = 0.0
    ramp_up_mw_per_h: float | None = None
    ramp_down_mw_per_h: float | None = None
    start_up_mw: float | None = None
    shut_down_mw: float | None = None
    must_run: bool = False
    fixed_commitment: tuple[int | None, ...] = ()
    outages: tuple[Outage, ...] = ()
    initial_status_h: float = -24.0
    initial_power_mw: float | None = None
    co2_t_per_mwh: float = 0.0
    fuel: str = ""

    @property
    def power_before_mw(self) -> float:
        """Power in the interval before the plan, MW."""
        if self.initial_status_h <= 0:
            return 0.0
        return self.p_min_mw if self.initial_power_mw is None else self.initial_power_mw


@dataclass(frozen=True)
class Storage:
    """A battery or pumped storage; it never charges and discharges at once.

    charge_mw, discharge_mw: largest power on the grid's side, MW. energy_mwh: largest level.
    charge_efficiency, discharge_efficiency: 0 to 1, each way. self_discharge_per_h: share of the level lost an hour.
    end_mwh: least level at the end of the solved hours; None = the initial level.
    cost_per_mwh: wear, per MWh discharged; charge_cost_per_mwh: per MWh charged.
    min_charge_mw, min_discharge_mw: least power where it charges or discharges at all.
    gives_reserve: may it hold spinning reserve?
    """

    name: str
    zone: str
    charge_mw: float
    discharge_mw: float
    energy_mwh: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    self_discharge_per_h: float = 0.0
    min_mwh: float = 0.0
    initial_mwh: float = 0.0
    end_mwh: float | None = None
    cost_per_mwh: float = 0.0
    charge_cost_per_mwh: float = 0.0
    min_charge_mw: float = 0.0
    min_discharge_mw: float = 0.0
    gives_reserve: bool = True

    @property
    def least_end_mwh(self) -> float:
        """The level that the plan must leave, MWh."""
        return self.initial_mwh if self.end_mwh is None else self.end_mwh


@dataclass(frozen=True)
class Renewable:
    """Wind or sun: what is available comes from outside per interval; using less costs `curtailment_cost_per_mwh`, using it `cost_per_mwh`.

    source: wind or solar; says from which weather availability follows.
    """

    name: str
    zone: str
    p_max_mw: float
    curtailment_cost_per_mwh: float = 0.0
    source: str = "wind"
    cost_per_mwh: float = 0.0
