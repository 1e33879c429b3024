"""One model loaded in one HiGHS: run it relaxed, fixed or whole; keep the best plan and the best bound."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from smartgrid_assets.domain.plan.loaded import LoadedModel
from smartgrid_assets.domain.plan.model import PlanModel
from smartgrid_assets.domain.plan.problem import SolveOptions

WHOLE = 1e-6
"""How far from 0 or 1 a binary may be; and the gap that counts as proved optimal."""


class Session:
    """cost: of the best plan found by a run with all binaries whole; bound: best proved."""

    def __init__(self, model: PlanModel, options: SolveOptions) -> None:
        self.model, self.options = model, options
        self._begin = perf_counter()
        self._loaded = LoadedModel(model.pyomo, model.binaries, options)
        self.cost: float | None = None
        self.bound: float | None = None
        self._values: np.ndarray | None = None

    @property
    def gap(self) -> float:
        """(cost - bound) / |cost|; infinite while either is unknown."""
        if self.cost is None or self.bound is None:
            return float("inf")
        return max(self.cost - self.bound, 0.0) / max(abs(self.cost), 1e-9)

    @property
    def seconds(self) -> float:
        """Since the session began."""
        return perf_counter() - self._begin

    @property
    def left_s(self) -> float:
        """Seconds left of the time limit."""
        return self.options.time_limit_s - self.seconds

    def load_best(self) -> None:
        """The best plan's values into the variables."""
        if self._values is not None:
            self._load(self._values)

    def relax(self) -> str:
        """The LP without integrality: its cost becomes the bound, its values stay in the variables. Status as of run()."""
        self._loaded.hold({}, relaxed=True)
        status = self._continuous(self.left_s)
        if status == "optimal":
            self._load(self._loaded.values)
            self.bound = self._loaded.cost
        return status

    def fixed(self) -> str:
        """The LP with the binaries at the values they have now; kept if it is the best plan yet."""
        self._loaded.hold({id(var): round(var.value) for var in self.model.binaries if var.value is not None}, relaxed=True)
        status = self._continuous(max(self.left_s, 30.0))
        if status == "optimal":
            self._keep()
        return status

    def whole(self, gap: float, limit_s: float, held: Mapping[int, int] | None = None) -> str:
        """The MIP, from the best plan if there is one, with the binaries in `held` (by id) fixed.

        Status: optimal (HiGHS reached `gap`), time limit, infeasible or nothing (no plan, now or before).
        """
        until = self.seconds + limit_s
        while True:
            self._loaded.hold(held or {}, relaxed=False)
            status = self._loaded.run(gap, until - self.seconds, relaxed=False, start=self._values)
            if not held and self._loaded.bound is not None:
                self.bound = max(self._loaded.bound, self.bound if self.bound is not None else -float("inf"))
            if self._loaded.cost is None or not self._broken():
                self._keep()
                break
            # Its commitment overloads a line: dispatched anew within the limit it may still be a plan, from which the next run starts.
            bound = self._loaded.bound
            self._load(self._loaded.values)
            self.fixed()
            if self.cost is not None and bound is not None and self.cost - bound <= gap * abs(self.cost):
                break
            if until - self.seconds <= 0:
                status = "time limit"
                break
        return "nothing" if self.cost is None and status != "infeasible" else status

    def _continuous(self, limit_s: float) -> str:
        """Run the LP until it breaks no limit of a flow any more."""
        until = self.seconds + limit_s
        while True:
            status = self._loaded.run(self.options.gap, until - self.seconds, relaxed=True)
            if status != "optimal" or not self._broken():
                return status

    def _broken(self) -> bool:
        """Are limits of flows broken that the model did not hold yet? It does now."""
        limits = self.model.line_limits
        rows = limits.broken(self._loaded.value_of()) if limits is not None else []
        if limits is not None:
            self._loaded.add_rows([(limits.terms(row), row.low, row.high) for row in rows])
        return bool(rows)

    def marginal_prices(self, rows: Any) -> list[float]:
        """Duals of an indexed constraint after fixed()."""
        return self._loaded.duals([rows[i] for i in range(len(rows))])

    def _load(self, values: np.ndarray) -> None:
        for var, value in zip(self._loaded.columns, values.tolist(), strict=True):
            var.set_value(value, skip_validation=True)

    def _keep(self) -> None:
        cost = self._loaded.cost
        if cost is not None and (self.cost is None or cost < self.cost):
            self.cost, self._values = cost, self._loaded.values


def solver_version() -> str:
    """Version of HiGHS; asked of the package, since HiGHS itself prints a banner."""
    from importlib.metadata import version

    return version("highspy")
