"""Asset checks: on each check's page its verdict, the counts, an example row, a table and a small picture.

They follow the assets that they judge in the same run. Great Expectations costs seconds to import and little per day,
so a run's days are judged in one go and reported day by day.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

from smartgrid_assets.chain.judging import DAY_AHEAD, JUDGES, READINGS, Judge, Verdict, freshness
from smartgrid_assets.defs.partitions import market_days
from smartgrid_assets.defs.pictures import curve, heat_map, markdown_table
from smartgrid_assets.defs.resources import Chain
from smartgrid_assets.defs.step_asset import asset_key
from smartgrid_assets.domain.market_day import days_between
from smartgrid_assets.resources.clock import now_utc

SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warn": dg.AssetCheckSeverity.WARN}


def days_of(tags: Mapping[str, str]) -> list[date]:
    """The market days of a run, from its tags; empty for a run without partitions."""
    if one := tags.get(PARTITION_NAME_TAG):
        return [date.fromisoformat(one)]
    if first := tags.get(ASSET_PARTITION_RANGE_START_TAG):
        return days_between(date.fromisoformat(first), date.fromisoformat(tags[ASSET_PARTITION_RANGE_END_TAG]))
    return []


def metadata_of(verdict: Verdict) -> dict[str, Any]:
    """What the check's page shows."""
    shown: dict[str, Any] = {name: value for name, value in verdict.facts.items() if value is not None}
    if verdict.against:
        shown["example"] = dg.MetadataValue.json(verdict.against[0])
    for name, rows in (("table", verdict.table), ("rows_against", verdict.against)):
        if rows:
            shown[name] = dg.MetadataValue.md(markdown_table(rows))
    if picture := curve(verdict.curve, verdict.curve_of):
        shown["picture"] = dg.MetadataValue.md(picture)
    if maps := "\n\n".join(heat_map(rows, title) for title, rows in verdict.heats.items() if rows):
        shown["four_weeks"] = dg.MetadataValue.md(maps)
    return shown | {name: dg.MetadataValue.md(markdown_table(rows)) for name, rows in verdict.tables.items() if rows}


def checks_of(judge: Judge) -> dg.AssetChecksDefinition:
    """All daily checks of one table."""
    key = asset_key(judge.table)

    @dg.multi_asset_check(
        name=judge.table.replace("/", "_") + "_checks",
        specs=[
            dg.AssetCheckSpec(name, asset=key, description=meaning, partitions_def=market_days) for name, meaning in judge.checks.items()
        ],
        can_subset=True,
    )
    def judged(context: dg.AssetCheckExecutionContext, chain: Chain) -> Iterator[Any]:
        chain_context, tags = chain.context(context.run.run_id), context.run.tags
        days = [day for day in days_of(tags) if chain_context.lake.footer(judge.table, day) or judge.table == READINGS]
        wanted = {check.name for check in context.selected_asset_check_keys}
        for (name, day), verdict in judge.verdicts(chain_context, days).items() if days else ():
            if name in wanted:
                yield _evaluation(key, name, verdict, day)

    return judged


def _evaluation(key: dg.AssetKey, name: str, verdict: Verdict, day: date) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        key,
        name,
        verdict.passed,
        metadata_of(verdict),
        severity=SEVERITIES[verdict.severity],
        description=f"{day}: {verdict.sentence}",
        partition=day.isoformat(),
    )


@dg.multi_asset_check(
    name="freshness",
    specs=[
        dg.AssetCheckSpec("is_fresh", asset=asset_key(READINGS), description="Yesterday is validated when tomorrow's gate closes."),
        dg.AssetCheckSpec("is_fresh", asset=asset_key(DAY_AHEAD), description="Tomorrow is forecast when its gate closes."),
    ],
    can_subset=True,
)
def is_fresh(context: dg.AssetCheckExecutionContext, chain: Chain) -> Iterator[dg.AssetCheckResult]:
    """Looks at the clock: run it by hand, or from a schedule."""
    found = freshness(chain.context(context.run.run_id), now_utc())
    for check in context.selected_asset_check_keys:
        verdict = found["/".join(check.asset_key.path)]
        yield dg.AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=verdict.passed,
            severity=SEVERITIES[verdict.severity],
            description=verdict.sentence,
            metadata=metadata_of(verdict),
        )


judged_tables = [checks_of(judge) for judge in JUDGES]
