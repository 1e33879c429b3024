"""gridx-egret on one case of unit commitment, in an environment of its own: `egret_uc.py CASE FORMAT NETWORK GAP SECONDS mip|relaxed`; one JSON line
is printed. Its tight formulation with its own penalties for unserved load; solved by HiGHS through Pyomo's APPSI, one thread.
"""

from __future__ import annotations

import json
import sys
import time

from egret.data.model_data import ModelData
from egret.models.unit_commitment import create_tight_unit_commitment_model
from egret.parsers.pglib_uc_parser import create_ModelData
from pyomo.contrib.appsi.solvers import Highs


def main() -> None:
    """Build, solve, tell."""
    case, kind, network, gap, seconds, how = sys.argv[1:]
    data = create_ModelData(case) if kind == "pglib-uc" else ModelData.read(case)
    begin = time.perf_counter()
    flows = "btheta_power_flow" if network == "dc" else "copperplate_power_flow"
    model = create_tight_unit_commitment_model(data, network_constraints=flows, relaxed=how == "relaxed")
    built = time.perf_counter()
    solver = Highs()
    solver.config.time_limit, solver.config.mip_gap, solver.config.load_solution = float(seconds), float(gap), False
    solver.highs_options = {"threads": 1}
    found = solver.solve(model)
    told = {"objective": found.best_feasible_objective, "bound": found.best_objective_bound, "status": found.termination_condition.name}
    print(json.dumps(told | {"build": built - begin, "seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main()
