"""What assets are given: the chain's context, built from the settings when a run needs it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import dagster as dg

from smartgrid_assets.chain.context import Context
from smartgrid_assets.resources.delivered import Delivered
from smartgrid_assets.resources.inbox import Inbox
from smartgrid_assets.resources.lake import Lake
from smartgrid_assets.resources.pseudonyms import Pseudonyms
from smartgrid_assets.resources.tracking import Tracking
from smartgrid_assets.settings import REPOSITORY, Settings, settings

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


def chain_context(tags: dict[str, str] | None = None, chosen: Settings | None = None) -> Context:
    """The chain's context for these settings (default: those of the environment)."""
    s = chosen or settings()
    lake = open_lake(s)
    known = {name: value for name, value in (tags or {}).items() if value}
    pseudonyms = Pseudonyms(s.pseudonym_key.get_secret_value(), s.home / "pseudonyms" / "meters.csv", s.lake)
    return Context(lake, Delivered(lake), Tracking(s.mlruns), s, {"git_sha": git_sha(), **known}, pseudonyms)


def open_lake(s: Settings) -> Lake:
    """The lake of these settings; under an overlay, the overlay's over it."""
    if s.overlay is None:
        return Lake.open(s.lake, s.timezone, s.memory_limit, s.threads)
    return Lake.open(s.overlay / "lake", s.timezone, s.memory_limit, s.threads, base=s.lake)


def dagster_url(run_id: str) -> str:
    """Where a run stands in the Dagster UI."""
    return f"{settings().dagster_url}/runs/{run_id}" if run_id else ""


@lru_cache(maxsize=1)
def git_sha() -> str:
    """The commit of this code; `unknown` outside a checkout."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


def resources() -> dict[str, Any]:
    """Resources by the names that assets ask for."""
    return {"chain": Chain()}
