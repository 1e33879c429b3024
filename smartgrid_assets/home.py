"""The chain's context for the settings of this process: what commands, assets and the operator's page begin with; loads no Dagster."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.domain.errors import SettingsError
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


@contextmanager
def selected(lake: Lake, query: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
    """The DuckDB relation of one SELECT over the newest whole partitions; nothing can be written, and no file but the lake's be read.

    Raises SettingsError where it is no SELECT, or DuckDB refuses it.
    """
    import duckdb

    with lake.connect_apart() as con:
        lake.define_views(con, mentioned=query)
        # The views' own files stay readable; nothing else on the machine is, and nothing can be written.
        con.execute("SET allowed_directories = $lake", {"lake": [str(root) for root in (lake.root, lake.base) if root]})
        con.execute("SET enable_external_access = false")
        try:
            statements = con.extract_statements(query)
            if len(statements) != 1 or statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                raise SettingsError("smartgrid sql takes one SELECT; only the chain writes the lake.")
            yield con.sql(query, params=list(parameters)) if parameters else con.sql(query)
        except duckdb.Error as error:
            raise SettingsError(str(error)) from None


@lru_cache(maxsize=1)
def git_sha() -> str:
    """The commit of this code; `unknown` outside a checkout."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
