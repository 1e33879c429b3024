"""raw/*: delivered files, kept as they came. `ingest` makes them; the days that files touch are their partitions."""

import dagster as dg

from smartgrid_assets.defs.partitions import market_days
from smartgrid_assets.defs.step_asset import asset_spec
from smartgrid_assets.domain.tables import RAW

raw_assets = [
    asset_spec(declared.path).replace_attributes(partitions_def=market_days if declared.partition == "day" else None) for declared in RAW
]
ledgers = [
    asset_spec(path).replace_attributes(partitions_def=market_days)
    for path in (
        "validated/verdicts",
        "validated/hindsight",
        "validated/billed",
        "anomalies/verdicts",
        "forecasts/promotions",
        "forecasts/issued",
        "dispatch/issued",
        "dispatch/replan",
        "dispatch/replan_summary",
    )
]


def materialization(path: str, partition: str | None, reports: int) -> dg.AssetMaterialization:
    """The event that says: files came for this table and day."""
    return dg.AssetMaterialization(asset_spec(path).key, partition=partition, metadata={"files": reports})
