"""What assets are given: the chain's context (smartgrid_assets/home.py) for one run, built when the run needs it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import dagster as dg

from smartgrid_assets.chain.context import Context
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.inbox import Inbox
from smartgrid_assets.settings import settings

Tick = Callable[[str, str], None]
on_partition: ContextVar[Tick | None] = ContextVar("on_partition", default=None)
"""Told (step, partition) after each partition that is made in this process: the command line's progress bars."""


class Chain(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The chain's context for one run, and the inbox."""

    def context(self, run_id: str = "", partition: str = "") -> Context:
        """Lake, model store and settings; MLflow runs carry the Dagster run id, the partition and the git SHA."""
        return chain_context({"dagster_run_id": run_id, "partition": partition, "dagster_url": dagster_url(run_id)})

    def inbox(self) -> Inbox:
        """The inbox of this home."""
        return Inbox(settings().inbox)


def dagster_url(run_id: str) -> str:
    """Where a run stands in the Dagster UI."""
    return f"{settings().dagster_url}/runs/{run_id}" if run_id else ""


def resources() -> dict[str, Any]:
    """Resources by the names that assets ask for."""
    return {"chain": Chain()}
