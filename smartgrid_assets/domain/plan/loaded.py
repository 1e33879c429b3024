"""A Pyomo model as HiGHS holds it: columns, rows and bounds in arrays.

Pyomo's own compiler writes the model in standard form, and HiGHS takes that whole. Pyomo's persistent interfaces hand over row by
row in Python instead, which took most of the time of a town's plan, and check every row again before each run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from smartgrid_assets.domain.plan.problem import SolveOptions
from smartgrid_assets.domain.plan.quiet import quiet_highs


class LoadedModel:
    """HiGHS with one minimisation loaded; bounds and integrality of its binaries change between runs.

    columns: the Pyomo variables that occur, in HiGHS's order. Its thread pool belongs to the process and is reset before each run,
    because the number of threads may have changed.
    """

    def __init__(self, model: Any, binaries: list[Any], options: SolveOptions) -> None:
        from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

        form = LinearStandardFormCompiler().write(model, mixed_form=True)
        self.columns: list[Any] = list(form.columns)
        self._rows = {id(row.constraint): n for n, row in enumerate(form.rows)}
        where = self._where = {id(var): n for n, var in enumerate(self.columns)}
        self._binaries = [(where[id(var)], var) for var in binaries if id(var) in where]
        self._index = np.array([n for n, _ in self._binaries], dtype=np.int32)
        bounds = [var.bounds for var in self.columns]
        self._lower = np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float)
        self._upper = np.array([np.inf if high is None else high for _, high in bounds], dtype=float)
        self._highs = quiet_highs({"threads": options.threads, "random_seed": options.seed})
        self._highs.passModel(self._program(form))
        self._ran_s = 0.0

    def _program(self, form: Any) -> Any:
        import highspy

        kinds = np.array([row.bound_type for row in form.rows])  # 1: at most, -1: at least, 0: equal
        limits = np.asarray(form.rhs, dtype=float)
        matrix = form.A.tocsc()
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.columns), len(limits)
        program.col_cost_ = form.c.toarray().ravel()
        program.offset_ = float(form.c_offset[0])
        program.col_lower_, program.col_upper_ = self._lower, self._upper
        program.row_lower_ = np.where(kinds == 1, -np.inf, limits)
        program.row_upper_ = np.where(kinds == -1, np.inf, limits)
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        return program

    def hold(self, held: Mapping[int, int], relaxed: bool) -> None:
        """Fix the binaries in `held` (by id of the variable), free the others between their bounds; all continuous if relaxed."""
        import highspy

        given = np.array([held.get(id(var), np.nan) for _, var in self._binaries])
        lower = np.where(np.isnan(given), self._lower[self._index], given)
        upper = np.where(np.isnan(given), self._upper[self._index], given)
        kind = highspy.HighsVarType.kContinuous if relaxed else highspy.HighsVarType.kInteger
        self._highs.changeColsBounds(len(self._index), self._index, lower, upper)
        self._highs.changeColsIntegrality(len(self._index), self._index, np.full(len(self._index), int(kind), dtype=np.uint8))

    def run(self, gap: float, limit_s: float, relaxed: bool, start: np.ndarray | None = None) -> str:
        """Status: optimal (within `gap`), infeasible or time limit. start: a value per column to begin from."""
        import highspy

        highspy.Highs.resetGlobalScheduler(True)
        self._highs.setOptionValue("mip_rel_gap", gap)
        # For an LP, HiGHS counts the time of all runs since it was loaded; for a MIP, that of this run.
        self._highs.setOptionValue("time_limit", max(limit_s, 0.1) + (self._ran_s if relaxed else 0.0))
        if start is not None:
            self._highs.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
        self._highs.run()
        self._ran_s = float(self._highs.getRunTime())
        status = self._highs.getModelStatus()
        if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return "infeasible"
        return "optimal" if status == highspy.HighsModelStatus.kOptimal else "time limit"

    def add_rows(self, rows: Sequence[tuple[Sequence[tuple[float, Any]], float, float]]) -> None:
        """More rows: terms, lower and upper bound (infinite = none), of variables that are columns already."""
        where = self._where
        for terms, low, high in rows:
            index = np.array([where[id(var)] for _, var in terms], dtype=np.int32)
            self._highs.addRow(low, high, len(index), index, np.array([coefficient for coefficient, _ in terms]))

    def value_of(self) -> Callable[[Any], float]:
        """Tells the value of a variable in the run's plan; 0 for one that is no column."""
        values, where = self.values, self._where
        return lambda var: float(values[where[id(var)]]) if id(var) in where else 0.0

    @property
    def cost(self) -> float | None:
        """Of the run's plan; None where it found none."""
        import highspy

        info = self._highs.getInfo()
        is_found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        return float(info.objective_function_value) if is_found else None

    @property
    def bound(self) -> float | None:
        """No plan costs less; of the last MIP."""
        bound = float(self._highs.getInfo().mip_dual_bound)
        return bound if np.isfinite(bound) else None

    @property
    def values(self) -> np.ndarray:
        """A value per column, of the run's plan."""
        return np.array(self._highs.getSolution().col_value)

    def duals(self, constraints: list[Any]) -> list[float]:
        """Change of the cost per unit of each constraint's right-hand side; after an LP."""
        of_row = self._highs.getSolution().row_dual
        return [float(of_row[self._rows[id(constraint)]]) for constraint in constraints]
