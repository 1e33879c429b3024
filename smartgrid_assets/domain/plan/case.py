"""A format of published cases: its name and how its content becomes a problem. One file in cases/, one constant CASE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smartgrid_assets.domain.plan.problem import DispatchProblem


@dataclass(frozen=True)
class CaseFormat:
    """`read` takes the parsed content (a JSON object) and raises PlanError, naming the path in it, where it is not understood."""

    name: str
    read: Callable[[Mapping[str, Any]], DispatchProblem]
