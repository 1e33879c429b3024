"""Who hangs on which feeder, in which zone, and what do feeders add to their customers' energy?

Customers are dealt to feeders in turn, like cards, so that each feeder has its share of every class. A feeder's own
measurement adds technical losses and the street light that no meter counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartgrid_assets.domain.simulate.seeds import generator

SMALL_FEEDER, SMALL_TOWN_FEEDERS, FULL_FEEDER = 25, 8, 500
SMALL_TOWN_ZONES, THREE_ZONES_UP_TO = 3, 24


def feeder_count(meters: int) -> int:
    """About 25 customers a feeder until there are 8 feeders, then at most 500 a feeder.

    >>> [feeder_count(n) for n in (10, 200, 4_000, 20_000)]
    [1, 8, 8, 40]
    """
    return max(min(-(-meters // SMALL_FEEDER), SMALL_TOWN_FEEDERS), -(-meters // FULL_FEEDER))


def zone_count(feeders: int) -> int:
    """Three zones up to 24 feeders, then eight feeders a zone.

    >>> [zone_count(n) for n in (1, 8, 24, 40)]
    [1, 3, 3, 5]
    """
    return min(feeders, SMALL_TOWN_ZONES) if feeders <= THREE_ZONES_UP_TO else -(-feeders // 8)


@dataclass(frozen=True)
class Network:
    """Topology: feeder_of (customers,) and zone_of (feeders,) are indexes; loss_share and lamp_kw are (feeders,)."""

    feeder_of: np.ndarray
    zone_of: np.ndarray
    loss_share: np.ndarray
    lamp_kw: np.ndarray

    @property
    def feeders(self) -> int:
        """How many feeders there are."""
        return len(self.zone_of)

    @property
    def zones(self) -> int:
        """How many zones there are."""
        return int(self.zone_of[-1]) + 1

    def customer_zone(self) -> np.ndarray:
        """(customers,) index of each customer's zone."""
        return self.zone_of[self.feeder_of]

    def feeder_net_kwh(self, customers_net_kwh: np.ndarray, lamps_on_hours: np.ndarray) -> np.ndarray:
        """(feeders, n) sums of customers' net energy and (feeders, n) lit hours -> (feeders, n) energy into the feeder.

        Losses grow with what flows, whichever way it flows.
        """
        losses = self.loss_share[:, None] * np.abs(customers_net_kwh)
        return customers_net_kwh + losses + self.lamp_kw[:, None] * lamps_on_hours


def make_network(meters: int, seed: int) -> Network:
    """The network for so many customers."""
    feeders = feeder_count(meters)
    zones = zone_count(feeders)
    draw = generator(seed, "network").random((feeders, 2))
    customers_of = np.bincount(np.arange(meters) % feeders, minlength=feeders)
    return Network(
        feeder_of=np.arange(meters) % feeders,
        zone_of=np.arange(feeders) * zones // feeders,
        loss_share=np.round(0.025 + 0.025 * draw[:, 0], 4),
        lamp_kw=np.round(0.035 * customers_of * (0.7 + 0.6 * draw[:, 1]), 3),
    )


def feeder_id(index: int) -> str:
    """Name of a feeder; its own meter bears the same name."""
    return f"F{index + 1:03d}"


def zone_id(index: int) -> str:
    """Name of a zone; its own meter bears the same name."""
    return f"Z{index + 1}"


def meter_id(index: int) -> str:
    """Name of a customer's meter."""
    return f"M{index + 1:06d}"
