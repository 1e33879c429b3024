"""Matrices and numbers of a MATPOWER case file (a MATLAB function that assigns fields of `mpc`), read as text: nothing is executed."""

from __future__ import annotations

import re

import numpy as np

from smartgrid_assets.domain.errors import PlanError

_ASSIGNED = re.compile(r"^\s*mpc\.(\w+)\s*=\s*", re.MULTILINE)
_COMMENT = re.compile(r"%[^\n]*")
_CONTINUED = re.compile(r"\.\.\.[^\n]*\n")


def matrices(text: str) -> dict[str, np.ndarray]:
    """Field -> its matrix, (1, 1) for a number; fields of texts and cells are left out. Raises PlanError naming field and row."""
    text = _CONTINUED.sub(" ", _COMMENT.sub("", text))
    found: dict[str, np.ndarray] = {}
    for match in _ASSIGNED.finditer(text):
        name, rest = match.group(1), text[match.end() :]
        if rest.startswith("["):
            if "]" not in rest:
                raise PlanError(f"mpc.{name}: the matrix does not end.")
            found[name] = _matrix(name, rest[1 : rest.index("]")])
        elif rest[:1] not in ("'", '"', "{"):
            found[name] = _matrix(name, rest.split(";", 1)[0].split("\n", 1)[0])
    return found


def _matrix(name: str, body: str) -> np.ndarray:
    rows = [row.replace(",", " ").split() for row in re.split(r"[;\n]", body)]
    rows = [row for row in rows if row]
    numbers = []
    for at, row in enumerate(rows):
        try:
            numbers.append([float(cell) for cell in row])
        except ValueError:
            raise PlanError(f"mpc.{name}, row {at + 1}: {' '.join(row)[:60]!r} are not all numbers.") from None
        if np.isnan(numbers[-1]).any():
            raise PlanError(f"mpc.{name}, row {at + 1}: a value is NaN.")
    # piecewise costs have rows of different lengths; MATPOWER pads them with zeros
    width = max((len(row) for row in numbers), default=0)
    return np.array([row + [0.0] * (width - len(row)) for row in numbers]).reshape(len(numbers), width)
