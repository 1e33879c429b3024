"""What the system and each area need of each ancillary product, with a price on what is missing.

Upward products are substitutable, better for lesser: for each product in the order of QUALITY,

    sum over it and all better ones of (provided + short)  >=  sum of their requirements

Downward regulation and flexible ramp are met one by one.
Source: gridx-egret 0.6.2, services.py (BSD).
"""

from __future__ import annotations

from smartgrid_assets.domain.plan.model import Block, PlanModel, Row, Term
from smartgrid_assets.domain.plan.services import DOWNWARD, FLEXIBLE, QUALITY, SYSTEM

_GRIDS = {"supplemental": ("supplemental_on", "supplemental_off")}


def _declare(model: PlanModel) -> None:
    services = model.problem.services
    for (product, area), required in services.required_mw.items():
        for t, short in enumerate(model.variables(f"{product}_short", area, upper=[float(mw) for mw in required])):
            model.cost("reserve_shortfall", t, services.shortfall_price[product] * model.hours, short)


def _constrain(model: PlanModel) -> None:
    services = model.problem.services
    for product, area in services.required_mw:
        together = QUALITY[: QUALITY.index(product) + 1] if product in QUALITY else (product,)
        together = tuple(p for p in together if _is_shared(model, p, area))
        rows: list[Row] = []
        for t in range(model.count):
            needed = sum(float(services.required_mw[p, area][t]) for p in together if (p, area) in services.required_mw)
            rows.append(([term for p in together for term in _provided(model, p, area, t)], needed, None))
        model.rows(f"requirement[{product},{area}]", rows)


def _is_shared(model: PlanModel, product: str, area: str) -> bool:
    """An area counts a better product only if it asks for it; the system counts all that are modelled."""
    services = model.problem.services
    return (product, area) in services.required_mw or (area == SYSTEM and product in services.products)


def _provided(model: PlanModel, product: str, area: str, t: int) -> list[Term]:
    services = model.problem.services
    grids = (_GRIDS.get(product) or (product,)) if product in (*QUALITY, *DOWNWARD, *FLEXIBLE) else ()
    terms = [
        (1.0, values[t])
        for grid in grids
        for name, values in model.grids.get(grid, {}).items()
        if area == SYSTEM or area in services.units[name].areas
    ]
    short = model.grids.get(f"{product}_short", {}).get(area)
    return [*terms, (1.0, short[t])] if short else terms


BLOCK = Block("ancillary_requirements", _declare, _constrain)
