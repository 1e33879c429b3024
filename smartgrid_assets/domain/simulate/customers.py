"""Who are the customers, and what does each own?

A customer's nature depends on its number and the seed only: the 200 customers of a small town are the first 200 of a
larger one. Classes are dealt by a low-discrepancy sequence, so that even a few dozen hold some of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from smartgrid_assets.domain.simulate.seeds import generator

CLASS_SHARES = {"home": 0.52, "heat_pump": 0.11, "pv_home": 0.12, "ev_home": 0.10, "shop": 0.11, "industry": 0.04}
CLASSES = tuple(CLASS_SHARES)
CARLESS_HOMES = ("home", "heat_pump", "pv_home")
FUSES_KW = np.array([15, 24, 44, 69, 110, 173, 250, 400, 630, 1000, 1600])  # three-phase service ratings
GOLDEN = 0.6180339887498949
NEVER = 10**7  # an ordinal day that no calendar has
BLOCK_METERS = 4096  # bounds memory: about 40 MB of a block's half-hours are alive at once


@dataclass(frozen=True)
class Customers:
    """One array a trait, each (customers,). Hours are local wall clock; class_code indexes CLASSES.

    mean_kw: yearly mean of the customer's ordinary load, without heat pump, PV and car.
    first_h, last_h: a home's morning and evening peak; a business's opening and closing.
    quiet_share: a home's stand-by, or a business's load while closed, as a share of its mean or of its open load.
    ev_from: ordinal day from which a car is charged at home; NEVER where there is none.
    """

    class_code: np.ndarray
    mean_kw: np.ndarray
    first_h: np.ndarray
    last_h: np.ndarray
    quiet_share: np.ndarray
    weekend_share: np.ndarray
    heat_kw_per_k: np.ndarray
    pv_kwp: np.ndarray
    pv_turn_h: np.ndarray
    ev_from: np.ndarray
    ev_kw: np.ndarray
    ev_start_h: np.ndarray
    rating_kw: np.ndarray

    def __len__(self) -> int:
        return len(self.class_code)

    def is_class(self, *names: str) -> np.ndarray:
        """(customers,) whether the customer belongs to one of the classes."""
        return np.isin(self.class_code, [CLASSES.index(name) for name in names])

    def where(self, rows: np.ndarray | slice) -> Customers:
        """Some of the customers."""
        return Customers(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def blocks(self) -> Iterator[tuple[int, slice]]:
        """Number and rows of each block of at most BLOCK_METERS customers."""
        for block, first in enumerate(range(0, len(self), BLOCK_METERS)):
            yield block, slice(first, min(first + BLOCK_METERS, len(self)))


def make_customers(code: np.ndarray, seed: int, new_ev_from: np.ndarray) -> Customers:
    """Customers of those class codes; new_ev_from: (customers,) ordinal day of a home's first car, or NEVER."""
    meters = len(code)

    def draw(trait: str, low: float, high: float) -> np.ndarray:
        return low + (high - low) * generator(seed, f"customers {trait}").random(meters)

    of = {name: code == k for k, name in enumerate(CLASSES)}
    is_business = of["shop"] | of["industry"]
    size = np.clip(generator(seed, "customers size").standard_normal(meters), -1.6, 1.6)
    shifts = generator(seed, "customers shifts").integers(1, 4, meters)  # 1, 2 or 3 shifts of 8 hours
    has_car = of["ev_home"] | (new_ev_from < NEVER)
    kind = [of["shop"], of["industry"]]
    traits = {
        "class_code": code,
        "mean_kw": np.select(kind, [2.8 * np.exp(0.6 * size), 9 * shifts**0.5 * np.exp(0.5 * size)], 0.37 * np.exp(0.26 * size)),
        "first_h": np.select(kind, [draw("open", 7, 10), np.full(meters, 6.0)], draw("morning", 6.3, 8.3)),
        "last_h": np.select(kind, [draw("close", 18, 20.5), 6 + 8.0 * shifts], draw("evening", 17.8, 21.0)),
        "quiet_share": np.select(kind, [draw("closed", 0.15, 0.35), draw("stopped", 0.10, 0.25)], draw("stand-by", 0.3, 0.5)),
        "weekend_share": np.select(kind, [draw("saturday", 0.6, 1.0), draw("weekend", 0.1, 0.5)], draw("at home", 1.0, 1.3)),
        "heat_kw_per_k": np.where(of["heat_pump"], draw("heat", 0.045, 0.10), 0.0),
        "pv_kwp": np.where(of["pv_home"], np.round(draw("panels", 4, 10), 1), 0.0),
        "pv_turn_h": draw("roof", -1.5, 1.5),
        "ev_from": np.where(of["ev_home"], 0, np.where(is_business, NEVER, new_ev_from)),
        "ev_kw": np.where(has_car & ~is_business, np.array([3.7, 7.4, 11.0])[(draw("wallbox", 0, 2.99)).astype(int)], 0.0),
        "ev_start_h": draw("plug", 21.5, 25.0),
    }
    return Customers(**traits, rating_kw=_ratings(of, traits))


def class_codes(meters: int, seed: int) -> np.ndarray:
    """(meters,) index into CLASSES."""
    point = (generator(seed, "customers class").random() + GOLDEN * np.arange(meters)) % 1
    return np.searchsorted(np.cumsum(list(CLASS_SHARES.values())), point, side="right").clip(max=len(CLASSES) - 1)


def _ratings(of: dict[str, np.ndarray], traits: dict[str, np.ndarray]) -> np.ndarray:
    """The smallest fuse that carries the customer's highest load with some room."""
    home = 12.0 + traits["ev_kw"] + 75 * traits["heat_kw_per_k"]
    highest = np.select([of["shop"], of["industry"]], [5.0 * traits["mean_kw"], 6.0 * traits["mean_kw"]], home)
    return FUSES_KW[np.searchsorted(FUSES_KW, highest).clip(max=len(FUSES_KW) - 1)].astype(float)
