"""Values of an Egret case by path: constants, time series, and complaints that name their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartgrid_assets.domain.errors import PlanError


def at(content: Mapping[str, Any], key: str, path: str = "") -> Any:
    """The value under `key`. Raises PlanError naming its path."""
    if not isinstance(content, Mapping) or key not in content:
        raise PlanError(f"{path}{'.' if path else ''}{key}: missing in this Egret case.")
    return content[key]


def series(value: Any, count: int) -> list[Any]:
    """A constant or an Egret time series, as `count` values."""
    if isinstance(value, Mapping) and "values" in value:
        value = value["values"]
        if len(value) != count:
            raise PlanError(f"A time series has {len(value)} values for {count} time keys.")
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


def number(data: Mapping[str, Any], key: str, path: str) -> float:
    """One number. Raises PlanError for a time series."""
    value = at(data, key, path)
    if isinstance(value, Mapping):
        raise PlanError(f"{path}.{key}: a time series; this reader takes one number.")
    return float(value)
