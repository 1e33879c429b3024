"""The chain's context for the settings of this process: what commands, assets and the operator's page begin with; loads no Dagster."""

from __future__ import annotations

import subprocess
from functools import lru_cache

from smartgrid_assets.chain.context import Context
from smartgrid_assets.resources.delivered import Delivered
from smartgrid_assets.resources.lake import Lake
from smartgrid_assets.resources.pseudonyms import Pseudonyms
from smartgrid_assets.resources.tracking import Tracking
from smartgrid_assets.settings import REPOSITORY, Settings, settings


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


@lru_cache(maxsize=1)
def git_sha() -> str:
    """The commit of this code; `unknown` outside a checkout."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
