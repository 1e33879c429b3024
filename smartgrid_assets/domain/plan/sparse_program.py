"""A linear or convex quadratic program put together from blocks of columns and rows, and solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from smartgrid_assets.domain.errors import PlanError
from smartgrid_assets.domain.plan.quiet import quiet_highs


@dataclass(frozen=True)
class Solution:
    """values: of the columns; duals: of the rows; objective: offset included."""

    values: np.ndarray
    duals: np.ndarray
    objective: float


@dataclass
class SparseProgram:
    """min offset + costs x + 1/2 x' diag(quadratic) x within bounds of columns and rows."""

    offset: float = 0.0
    _low: list[np.ndarray] = field(default_factory=list)
    _high: list[np.ndarray] = field(default_factory=list)
    _costs: list[np.ndarray] = field(default_factory=list)
    _quadratic: list[np.ndarray] = field(default_factory=list)
    _row_low: list[np.ndarray] = field(default_factory=list)
    _row_high: list[np.ndarray] = field(default_factory=list)
    _entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_columns(self, count: int, low: Any = 0.0, high: Any = np.inf, cost: Any = 0.0, quadratic: Any = 0.0) -> np.ndarray:
        """Numbers of `count` new columns; bounds and costs as one number or `count`."""
        for kept, given in ((self._low, low), (self._high, high), (self._costs, cost), (self._quadratic, quadratic)):
            kept.append(np.broadcast_to(np.asarray(given, float), (count,)))
        self.columns += count
        return np.arange(self.columns - count, self.columns)

    def add_rows(self, low: Any, high: Any) -> np.ndarray:
        """Numbers of new rows with these bounds, which are filled by `put`."""
        lows, highs = np.broadcast_arrays(np.atleast_1d(np.asarray(low, float)), np.atleast_1d(np.asarray(high, float)))
        self._row_low.append(lows)
        self._row_high.append(highs)
        self.rows += lows.size
        return np.arange(self.rows - lows.size, self.rows)

    def put(self, rows: Any, columns: Any, values: Any) -> None:
        """Add values to the matrix; what is put twice adds up."""
        self._entries.append(tuple(np.broadcast_arrays(rows, columns, np.asarray(values, float))))  # type: ignore[arg-type]

    def solve(self, threads: int = 1) -> Solution | None:
        """The optimum; None where there is none within the bounds. Raises PlanError where HiGHS ends otherwise."""
        import highspy

        highspy.Highs.resetGlobalScheduler(True)  # another run of this process may have had more threads
        highs = quiet_highs({"threads": threads})
        if highs.passModel(self._model()) == highspy.HighsStatus.kError:
            raise PlanError("HiGHS does not take this program.")
        highs.run()
        status = highs.getModelStatus()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise PlanError(f"HiGHS ends with {status.name} on this program.")
        found = highs.getSolution()
        return Solution(np.array(found.col_value), np.array(found.row_dual), float(highs.getInfo().objective_function_value))

    def _model(self) -> Any:
        import highspy
        from scipy.sparse import coo_array

        at_row, at_column, values = (np.concatenate([entry[k].ravel() for entry in self._entries]) for k in range(3))
        matrix = coo_array((values, (at_row, at_column)), shape=(self.rows, self.columns)).tocsr()
        model = highspy.HighsModel()
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_, lp.offset_ = self.columns, self.rows, self.offset
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = (np.concatenate(kept) for kept in (self._costs, self._low, self._high))
        lp.row_lower_, lp.row_upper_ = np.concatenate(self._row_low), np.concatenate(self._row_high)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        model.lp_ = lp
        quadratic = np.concatenate(self._quadratic)
        if quadratic.any():
            used = np.flatnonzero(quadratic)
            model.hessian_.dim_ = self.columns
            model.hessian_.format_ = highspy.HessianFormat.kTriangular
            model.hessian_.start_ = np.searchsorted(used, np.arange(self.columns + 1))
            model.hessian_.index_, model.hessian_.value_ = used, quadratic[used]
        return model
