"""What is planned, what the operator sees, and what nights really issued: dispatch, operator, ledgers."""

from __future__ import annotations

from smartgrid_assets.domain.tables.column import INTERVAL, Table, needed, nullable
from smartgrid_assets.domain.tables.forecasts import FORECASTS

_PLAN = (
    needed("unit", "VARCHAR", "unit"),
    needed("zone", "VARCHAR", "zone"),
    needed("kind", "VARCHAR", "thermal, storage or renewable"),
    *INTERVAL,
    needed("committed", "BOOLEAN", "runs in the interval"),
    needed("power_mw", "DOUBLE", "mean power into the system; a charging storage is negative"),
    needed("reserve_mw", "DOUBLE", "spinning reserve held, MW"),
    needed("charge_mw", "DOUBLE", "storage: power taken, MW"),
    needed("discharge_mw", "DOUBLE", "storage: power given, MW"),
    needed("stored_mwh", "DOUBLE", "storage: level at the END of the interval, MWh"),
    needed("curtailed_mw", "DOUBLE", "renewable: available and not used, MW"),
)
_SUMMARY = (
    needed("plan", "VARCHAR", "published; settled (the published commitment, dispatched for the load that came); perfect foresight"),
    needed("status", "VARCHAR", "optimal, gap, time limit or relaxed"),
    needed("cost_total", "DOUBLE", "cost of the published day, in the fleet's currency"),
    needed("cost_energy", "DOUBLE", "of which energy above minimum power"),
    needed("cost_no_load", "DOUBLE", "of which running at minimum power"),
    needed("cost_startup", "DOUBLE", "of which start-ups"),
    needed("cost_shutdown", "DOUBLE", "of which shutdowns"),
    needed("cost_unserved", "DOUBLE", "of which unserved energy"),
    needed("cost_spilled", "DOUBLE", "of which spilled energy and curtailment"),
    needed("cost_reserve_shortfall", "DOUBLE", "of which missing reserve"),
    needed("solved_cost", "DOUBLE", "objective over all hours solved (48 h), which bound and gap refer to"),
    nullable("bound", "DOUBLE", "proved lower bound of solved_cost"),
    nullable("gap", "DOUBLE", "(solved_cost - bound) / solved_cost"),
    needed("solver", "VARCHAR", "solver and version"),
    needed("build_seconds", "DOUBLE", "seconds to build the model"),
    needed("solve_seconds", "DOUBLE", "seconds to solve it"),
    needed("unserved_mwh", "DOUBLE", "MWh"),
    needed("spilled_mwh", "DOUBLE", "MWh"),
    needed("reserve_shortfall_mwh", "DOUBLE", "MW of missing reserve x hours"),
    needed("is_relaxed", "BOOLEAN", "true where limits had to be broken to find any plan"),
    needed("fleet_source", "VARCHAR", "delivered, or reference: a built-in fleet, because none was delivered"),
    needed("state_source", "VARCHAR", "carried from yesterday's plan, or initial"),
    needed("explanation", "VARCHAR", "sentences: what is short, when, and what binds; empty where all is well"),
)
DISPATCH = (
    Table("dispatch", "plan", "day", "unit and interval", _PLAN, ("unit", "interval_start_utc")),
    Table(
        "dispatch",
        "prices",
        "day",
        "interval",
        (
            *INTERVAL,
            needed("demand_mw", "DOUBLE", "injection that the forecast needs, losses and unmetered load included, MW"),
            needed("reserve_required_mw", "DOUBLE", "MW"),
            needed("reserve_held_mw", "DOUBLE", "MW"),
            needed("unserved_mw", "DOUBLE", "demand not met, MW"),
            needed("spilled_mw", "DOUBLE", "surplus that nobody could take, MW"),
            nullable("price_per_mwh", "DOUBLE", "marginal price with the commitment fixed, per MWh"),
        ),
        ("interval_start_utc",),
    ),
    Table("dispatch", "summary", "day", "the published plan of the day", _SUMMARY, ("plan",)),
    Table(
        "dispatch",
        "hindsight",
        "day",
        "plan with the load that came: the published commitment settled, and perfect foresight",
        _SUMMARY,
        ("plan",),
    ),
    Table(
        "dispatch",
        "end_state",
        "day",
        "unit: its state at the end of the market day, from which tomorrow starts",
        (
            needed("unit", "VARCHAR", "unit"),
            needed("kind", "VARCHAR", "thermal, storage or renewable"),
            needed("status_hours", "DOUBLE", "thermal: hours on (+) or off (-)"),
            needed("power_mw", "DOUBLE", "power in the last interval, MW"),
            needed("stored_mwh", "DOUBLE", "storage level, MWh"),
        ),
        ("unit",),
    ),
)

OPERATOR = (
    Table(
        "operator",
        "overview",
        "day",
        "zone and interval",
        (
            needed("zone", "VARCHAR", "zone"),
            *INTERVAL,
            needed("forecast_mw", "DOUBLE", "published median, MW"),
            needed("low_mw", "DOUBLE", "q05, MW"),
            needed("high_mw", "DOUBLE", "q95, MW"),
            nullable("actual_mw", "DOUBLE", "load as known now, MW; null while unknown"),
            nullable("planned_mw", "DOUBLE", "power planned from the zone's own units, MW"),
            nullable("headroom_mw", "DOUBLE", "the zone's rating less q95, MW; null without a rating"),
            needed("is_fallback", "BOOLEAN", "true where the forecast is not the aggregate of the models"),
            needed("alarms", "INTEGER", "meters of the zone under alarm on the newest day known at issue"),
        ),
        ("zone", "interval_start_utc"),
    ),
)

_LEDGER = (
    needed("night", "DATE", "night in which it was issued, by its local date"),
    needed("recorded_at", "TIMESTAMP", "when it was issued in truth, UTC"),
)
LEDGERS = (
    Table(
        "forecasts",
        "promotions",
        "day",
        "decision of a person which model is published; day = Monday of the first week that it counts for",
        (
            needed("promotion_id", "VARCHAR", "identity of the decision"),
            needed("given_at", "TIMESTAMP", "when, UTC"),
            needed("who", "VARCHAR", "who decided"),
            needed("why", "VARCHAR", "the reason"),
            needed("zone_group", "VARCHAR", "zones that it is about; all = every zone"),
            needed("model", "VARCHAR", "model to publish; empty = leave it to the scores again"),
        ),
        ("promotion_id",),
        append_only=True,
    ),
    Table(
        "forecasts",
        "issued",
        "day",
        "forecast that a night really issued: zone and interval",
        (
            *_LEDGER,
            *next(t for t in FORECASTS if t.name == "day_ahead").columns,
        ),
        ("recorded_at", "zone", "interval_start_utc"),
        append_only=True,
    ),
    Table(
        "dispatch",
        "issued",
        "day",
        "plan that a night really issued: unit and interval",
        (*_LEDGER, *_PLAN),
        ("recorded_at", "unit", "interval_start_utc"),
        append_only=True,
    ),
)
