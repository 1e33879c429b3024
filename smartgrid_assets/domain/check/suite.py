"""What is a suite, and how does Great Expectations judge a day of a table?

It never sees readings at scale: SQL makes views of it (a row a zone and hour with counts of violations, a bounded
sample of rows), and the expectations run on those as pandas frames. What is shown of a failure carries no meter and
no energy of one: columns named in PRIVATE are dropped before Great Expectations sees them, so nothing can leak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.registry import discover

SAMPLE_ROWS = 10_000
ROWS_SHOWN = 5
PRIVATE = ("meter_id", "source_hash", "ordinal")
UNSHOWN = ("energy_kwh", "delivered_kwh")  # judged, but never shown: in a sample they are one home's

Severity = Literal["error", "warn"]
View = Callable[[str, MarketDay, list[str]], str]


@dataclass(frozen=True)
class Check:
    """One expectation on one of the suite's views. build: the great_expectations.expectations module -> expectation."""

    name: str
    view: str
    severity: Severity
    meaning: str
    build: Callable[[Any], Any]


@dataclass(frozen=True)
class Suite:
    """Checks of one table. views: name -> SQL of (relation, day, columns of the relation)."""

    name: str
    table: str
    views: dict[str, View]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class CheckResult:
    """What one check said. counts: rows of the view, and those against it; share: against / rows, 0 to 1."""

    name: str
    passed: bool
    severity: Severity
    meaning: str
    counts: dict[str, int] = field(default_factory=dict)
    share: float = 0.0
    example: dict[str, Any] | None = None
    table_markdown: str = ""


def all_suites() -> dict[str, Suite]:
    """Every suite by name."""
    return discover("smartgrid_assets.domain.check.suites", "SUITE")


def run_suite(con: DuckDBPyConnection, suite: Suite, relation: str, day: MarketDay) -> list[CheckResult]:
    """Judge one day of the suite's table, relation `relation`; one result a check, in the suite's order.

    A view without rows passes: completeness is judged by the hold, not here.
    """
    columns = [row[0] for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()]
    frames = {name: _frame(con, view(relation, day, columns)) for name, view in suite.views.items()}
    expect, batch_of = _open_great_expectations()
    batches = {name: batch_of(name, frame) for name, frame in frames.items() if len(frame)}
    results = []
    for check in suite.checks:
        if check.view not in batches:
            results.append(CheckResult(check.name, True, check.severity, check.meaning, {"rows": 0, "against": 0}))
            continue
        said = batches[check.view].validate(check.build(expect), result_format={"result_format": "COMPLETE"})
        results.append(_result(check, said, frames[check.view]))
    return results


def _frame(con: DuckDBPyConnection, sql: str) -> pd.DataFrame:
    return con.execute(sql).df().drop(columns=list(PRIVATE), errors="ignore")


def _open_great_expectations() -> tuple[Any, Callable[[str, pd.DataFrame], Any]]:
    """Great Expectations in memory: no files, no analytics, no progress bars. Its import takes seconds."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    source = gx.get_context(mode="ephemeral", project_config=config).data_sources.add_pandas("frames")

    def batch_of(name: str, frame: pd.DataFrame) -> Any:
        definition = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
        return definition.get_batch({"dataframe": frame})

    return gx.expectations, batch_of


def _result(check: Check, said: Any, frame: pd.DataFrame) -> CheckResult:
    if said.exception_info.get("raised_exception"):
        raise RuntimeError(f"Check {check.name} could not be computed: {said.exception_info['exception_message']}")
    against = frame.loc[said.result.get("unexpected_index_list") or []].drop(columns=list(UNSHOWN), errors="ignore")
    example = {name: _plain(value) for name, value in against.iloc[0].items()} if len(against) else None
    return CheckResult(
        check.name, bool(said.success), check.severity, check.meaning,
        {"rows": len(frame), "against": len(against)}, len(against) / len(frame), example, _markdown(against.head(ROWS_SHOWN)),
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Numbers and text as JSON knows them."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value if isinstance(value, (int, float, str, bool)) else str(value)


def _markdown(frame: pd.DataFrame) -> str:
    """A Markdown table without further libraries; empty where there is nothing to show."""
    if frame.empty:
        return ""
    lines = [
        list(frame.columns),
        ["---"] * len(frame.columns),
        *([_cell(v) for v in row] for row in frame.itertuples(index=False)),
    ]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    plain = _plain(value)
    return f"{plain:.4g}" if isinstance(plain, float) else str(plain)
