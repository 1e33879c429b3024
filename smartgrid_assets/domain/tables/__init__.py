"""Every table of the lake, declared once: what a row is, its columns, types, units, signs and key.

Timestamps named `*_utc` are naive UTC and mean the START of an interval. Power is positive when it is consumed.
`resources/lake.py` checks each write against this page; docs/data.md is generated from it.

A table's `version` is the version of its LAYOUT. Adding a nullable column is read beside older files (as NULL);
anything else wants a new version and a migration.
"""

from __future__ import annotations

from smartgrid_assets.domain.tables.anomalies import ANOMALIES
from smartgrid_assets.domain.tables.column import QUANTILE_COLUMNS, WEATHER_COLUMNS, Column, Table
from smartgrid_assets.domain.tables.features import FEATURES
from smartgrid_assets.domain.tables.forecasts import FORECASTS
from smartgrid_assets.domain.tables.plans import DISPATCH, LEDGERS, OPERATOR
from smartgrid_assets.domain.tables.raw import RAW
from smartgrid_assets.domain.tables.validated import VALIDATED

__all__ = ["QUANTILE_COLUMNS", "RAW", "TABLES", "WEATHER_COLUMNS", "Column", "Table", "table"]
TABLES: dict[str, Table] = {t.path: t for t in (*RAW, *VALIDATED, *FEATURES, *FORECASTS, *ANOMALIES, *DISPATCH, *OPERATOR, *LEDGERS)}
"""All tables by `schema/name`, in the data's order."""


def table(path: str) -> Table:
    """The declaration of `schema/name`; a KeyError is a bug of ours."""
    return TABLES[path]
