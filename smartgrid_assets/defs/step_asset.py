"""A step of the chain as a Dagster asset: read, call, write, report, one partition after the other.

A range of partitions is one run: our own loop goes on where one day is held or fails, and the run ends red only for
what failed. Metadata belongs to its partition.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from smartgrid_assets.chain.fan_out import Outcome, make_all
from smartgrid_assets.chain.step import Done, Step
from smartgrid_assets.defs.partitions import partitions_of
from smartgrid_assets.defs.pictures import curve
from smartgrid_assets.defs.resources import Chain, on_partition
from smartgrid_assets.defs.retries import is_transient, try_again
from smartgrid_assets.domain.errors import SmartGridError
from smartgrid_assets.domain.lineage import Receipt
from smartgrid_assets.domain.tables import table
from smartgrid_assets.resources.priority import give_way
from smartgrid_assets.settings import settings

ONLY_DUE = "smartgrid/only_due"
"""Run tag: leave alone the partitions that are fresh."""
PARTITIONS_A_RUN = 8
"""A backfill of a step that fits or solves takes so many partitions a run."""
LINES_A_MESSAGE = 20
"""Each message costs a transaction of Dagster's event log."""


def step_asset(step: Step, deps: Sequence[dg.AssetDep | str]) -> dg.AssetsDefinition:
    """The multi-asset of a step, each of its tables one asset."""
    policy = dg.BackfillPolicy.multi_run(PARTITIONS_A_RUN) if step.is_model else dg.BackfillPolicy.single_run()

    @dg.multi_asset(
        name=step.name,
        specs=[asset_spec(path, deps) for path in step.every_table],
        partitions_def=partitions_of(step.cadence),
        backfill_policy=policy,
        pool=pool_of(step),
    )
    def make(context: dg.AssetExecutionContext, chain: Chain) -> Iterator[dg.MaterializeResult[Any]]:
        give_way(settings().nice)
        try:
            failures = _report(context, step, _make_all(context, chain, step))
        except Exception as error:
            if not is_transient(error):
                raise
            context.log.warning(f"{step.name}: {error}; trying again")
            raise try_again(context.retry_number) from error
        if failures:
            raise dg.Failure("\n".join(failures), allow_retries=False)
        for path in step.every_table:
            yield dg.MaterializeResult(asset_key=asset_key(path))

    return make


def _make_all(context: dg.AssetExecutionContext, chain: Chain, step: Step) -> Iterator[tuple[str, Outcome]]:
    """Make the run's partitions; a transient error raises."""
    only_due, workers = ONLY_DUE in context.run.tags, settings().threads
    run_id, keys = context.run.run_id, [date.fromisoformat(label) for label in context.partition_keys]
    every = make_all(lambda key: chain.context(run_id, key.isoformat() if key else ""), step, keys, only_due, workers)
    for key, outcome in every:
        if isinstance(outcome, SmartGridError) and is_transient(outcome):
            raise outcome
        yield key.isoformat(), outcome


def _report(context: dg.AssetExecutionContext, step: Step, all_made: Iterable[tuple[str, Outcome]]) -> list[str]:
    """Note what became of each partition on its page and in the log; the sentences of those that failed."""
    failures, lines = [], []
    for label, made in all_made:
        if isinstance(made, SmartGridError):
            failures.append(f"{step.name} {label}: {made}")
            continue
        for receipt in made.receipts:
            context.add_asset_metadata(metadata_of(receipt, made), asset_key(receipt.table), label)
        lines.append(f"{step.name} {label}: {describe(made)}")
        if len(lines) == LINES_A_MESSAGE:
            context.log.info("\n".join(lines))
            lines.clear()
        if tick := on_partition.get():
            tick(step.name, label)
    if lines:
        context.log.info("\n".join(lines))
    return failures


def metadata_of(receipt: Receipt, made: Done) -> dict[str, Any]:
    """What a partition's page shows: rows, bytes, seconds, null shares, the step's own words, links, a small picture."""
    shown = receipt.metadata() | made.metadata
    shown |= {name: dg.MetadataValue.url(address) for name, address in shown.pop("links", {}).items()}
    if picture := curve(shown.pop("curve", []), shown.pop("curve_of", "")):
        shown["picture"] = dg.MetadataValue.md(picture)
    return shown


def describe(done: Done) -> str:
    """One line on what became of a partition."""
    if done.is_held:
        return "HELD: " + " ".join(done.metadata.get("held", []))
    if not done.receipts:
        return f"{done.state.kind}, left alone"
    return ", ".join(f"{r.table} {r.outcome} {r.rows} rows" for r in done.receipts) + f" in {done.seconds:.2f} s"


def asset_key(path: str) -> dg.AssetKey:
    """`schema/name` as an asset key."""
    return dg.AssetKey(path.split("/"))


def asset_keys(step: Step) -> list[dg.AssetKey]:
    """Keys of all assets that a step makes."""
    return [asset_key(path) for path in step.every_table]


def asset_spec(path: str, deps: Sequence[dg.AssetDep | str] = ()) -> dg.AssetSpec:
    """An asset for a table, its page written from the declaration."""
    declared = table(path)
    columns = dg.TableSchema(
        columns=[dg.TableColumn(c.name, c.type, c.meaning, dg.TableColumnConstraints(nullable=c.nullable)) for c in declared.columns]
    )
    return dg.AssetSpec(
        key=asset_key(path),
        deps=[dep if isinstance(dep, dg.AssetDep) else dg.AssetDep(asset_key(dep)) for dep in deps],
        group_name=declared.schema,
        description=f"One row per {declared.row}. In SQL: `{declared.sql_name}`; key: {', '.join(declared.key)}.",
        metadata={"dagster/column_schema": columns, "dagster/table_name": declared.sql_name},
        kinds={"duckdb", "parquet"},
    )


def pool_of(step: Step) -> str | None:
    """Concurrency pool of slow steps: fits and solves."""
    if not step.is_model:
        return None
    return "solver" if step.name in ("dispatch", "settlement") else "model_fits"


def dep(path: str, mapping: dg.PartitionMapping | None = None) -> dg.AssetDep:
    """A dependency on a table."""
    return dg.AssetDep(asset_key(path), partition_mapping=mapping)
