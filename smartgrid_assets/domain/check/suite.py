"""What is a suite, and how does Great Expectations judge days of a table?

It never sees readings at scale: SQL makes views of it (a row a zone and hour with counts of violations, the words
that stand in its columns), and the expectations run on those as pandas frames, those of several days in one pass: what costs
time in Great Expectations is the call, not the rows. What is shown of a failure carries no meter and
no energy of one: columns named in PRIVATE are dropped before Great Expectations sees them, so nothing can leak.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pandas as pd
from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.registry import discover

MOST_ROWS = 10_000  # of a view of words a day; hours and zones have fewer: memory is bounded by about 40 MB a pass
DAYS_A_PASS = 60
ROWS_A_QUERY = 2_000_000  # at most, where days share a query: about 150 MB
ROWS_SHOWN = 5
DAY = "market_day"
PRIVATE = ("meter_id", "source_hash", "ordinal")
UNSHOWN = ("energy_kwh", "delivered_kwh")  # judged, but never shown: in a sample they are one home's

Severity = Literal["error", "warn"]
View = Callable[[str, MarketDay, list[str]], str]


@dataclass(frozen=True)
class Check:
    """One expectation on one of the suite's views; it must be one that names the rows against it (a column map).

    build: the great_expectations.expectations module, and the room's limits -> expectation.
    """

    name: str
    view: str
    severity: Severity
    meaning: str
    build: Callable[[Any, CheckLimits], Any]


@dataclass(frozen=True)
class Suite:
    """Checks of one table. views: name -> SQL of (relation, day, columns of the relation)."""

    name: str
    table: str
    views: dict[str, View]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class CheckResult:
    """What one check said. counts: rows of the view, and those against it; share: against / rows, 0 to 1; against: the first of them."""

    name: str
    passed: bool
    severity: Severity
    meaning: str
    counts: dict[str, int] = field(default_factory=dict)
    share: float = 0.0
    against: list[dict[str, Any]] = field(default_factory=list)

    @property
    def example(self) -> dict[str, Any] | None:
        """One of the rows against it."""
        return self.against[0] if self.against else None


def all_suites() -> dict[str, Suite]:
    """Every suite by name."""
    return discover("smartgrid_assets.domain.check.suites", "SUITE")


def run_suite(
    con: DuckDBPyConnection, suite: Suite, relations: Mapping[MarketDay, str], limits: CheckLimits
) -> dict[date, list[CheckResult]]:
    """Judge days of the suite's table, each a relation of its own; per day one result a check, in the suite's order.

    A view without rows passes: completeness is judged by the hold, not here.
    """
    days = list(relations)
    judged: dict[date, list[CheckResult]] = {}
    for begin in range(0, len(days), DAYS_A_PASS):
        judged |= _one_pass(con, suite, {day: relations[day] for day in days[begin : begin + DAYS_A_PASS]}, limits)
    return judged


def _one_pass(con: DuckDBPyConnection, suite: Suite, relations: dict[MarketDay, str], limits: CheckLimits) -> dict[date, list[CheckResult]]:
    frames = {name: view_frame(con, view, relations) for name, view in suite.views.items()}
    expect, batch_of = open_great_expectations()
    batches = {name: batch_of(name, frame) for name, frame in frames.items() if len(frame)}
    rows = {name: frame[DAY].value_counts().to_dict() for name, frame in frames.items()}
    judged: dict[date, list[CheckResult]] = {day.day: [] for day in relations}
    for check in suite.checks:
        against = _rows_against(check, batches[check.view], expect, limits) if check.view in batches else []
        wanting = dict(list(frames[check.view].loc[against].groupby(DAY)))
        for day, results in judged.items():
            results.append(_result(check, rows[check.view].get(day, 0), wanting.get(day)))
    return judged


def view_frame(con: DuckDBPyConnection, view: View, relations: dict[MarketDay, str]) -> pd.DataFrame:
    """The view's rows of all days, with the day they are of and without what must not be shown."""
    columns = [row[0] for row in con.execute(f"DESCRIBE FROM {next(iter(relations.values()))}").fetchall()]
    parts = []
    for days in _together(con, relations):
        each = (f"SELECT *, DATE '{day.day}' AS {DAY} FROM ({view(relations[day], day, columns)})" for day in days)
        parts.append(con.execute(" UNION ALL ".join(each)).df())
    rows = pd.concat(parts, ignore_index=True).drop(columns=list(PRIVATE), errors="ignore")
    return rows.assign(**{DAY: rows[DAY].dt.date})


def _together(con: DuckDBPyConnection, relations: dict[MarketDay, str]) -> list[list[MarketDay]]:
    """Days to ask for in one query: small ones cost more alone than what they ask, large ones more memory together."""
    counts = " UNION ALL ".join(f"SELECT {n}, count(*) FROM {relation}" for n, relation in enumerate(relations.values()))
    rows = dict(con.execute(counts).fetchall())
    groups: list[list[MarketDay]] = []
    room = 0
    for n, day in enumerate(relations):
        if not groups or rows[n] > room:
            groups.append([])
            room = ROWS_A_QUERY
        groups[-1].append(day)
        room -= rows[n]
    return groups


def _rows_against(check: Check, batch: Any, expect: Any, limits: CheckLimits) -> list[int]:
    """Positions of the rows of the batch that the check finds wanting."""
    said = batch.validate(check.build(expect, limits), result_format={"result_format": "COMPLETE"})
    if said.exception_info.get("raised_exception"):
        raise RuntimeError(f"Check {check.name} could not be computed: {said.exception_info['exception_message']}")
    against = said.result.get("unexpected_index_list") or []
    if not said.success and not against:
        raise RuntimeError(f"Check {check.name} failed without naming a row: use an expectation that maps a column.")
    return list(against)


def open_great_expectations() -> tuple[Any, Callable[[str, pd.DataFrame], Any]]:
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


def _result(check: Check, rows: int, against: pd.DataFrame | None) -> CheckResult:
    found = 0 if against is None else len(against)
    shown = [] if against is None else against.head(ROWS_SHOWN).drop(columns=[DAY, *UNSHOWN], errors="ignore").to_dict("records")
    return CheckResult(
        check.name,
        passed=found == 0,
        severity=check.severity,
        meaning=check.meaning,
        counts={"rows": rows, "against": found},
        share=found / rows if rows else 0.0,
        against=[{str(name): _plain(value) for name, value in row.items()} for row in shown],
    )


def _plain(value: Any) -> Any:
    """Numbers and text as JSON knows them."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value if isinstance(value, (int, float, str, bool)) else str(value)
