"""What a person decides is data: a row of an append-only table with an identity of its own, which nothing but a later decision undoes."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def identity_of(decision: Any, now: datetime) -> str:
    """Of what was decided (a dataclass, told by its fields), and when."""
    return hashlib.sha256(f"{decision}|{now.isoformat()}".encode()).hexdigest()[:24]


def keep(context: Context, con: DuckDBPyConnection, path: str, relation: str, identity: str, now: datetime) -> None:
    """Append the decision's rows: a fragment of its own, named by the day of the decision and its identity."""
    context.lake.raw.append(con, path, relation, f"{now.date().isoformat()}.{identity}")
