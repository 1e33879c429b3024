"""docs/data.md from domain/tables/, and the settings in docs/operations.md from settings.py: `make docs`.

A test fails when a page is stale.
"""

from __future__ import annotations

from pathlib import Path

from smartgrid_assets.domain.tables import TABLES, Table
from smartgrid_assets.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "data.md"
OPERATIONS = PAGE.with_name("operations.md")
_SETTINGS = "## Settings\n"
_HEAD = """# The tables of the lake

Written by `make docs` from `smartgrid_assets/domain/tables/`; do not edit. A table `schema/name` is at once the Dagster asset,
the folder `lake/schema/name/` and the DuckDB view `schema.name`. Times named `*_utc` are naive UTC and mean the START of an interval.
`day` and `week` are virtual columns of the views: the local market day, the week's Monday. Columns marked ? may be null.
"""
_PARTITION = {"day": "a partition a market day", "week": "a partition a week", "none": "not partitioned"}


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(declared) for declared in TABLES.values())])


def _section(declared: Table) -> str:
    kind = "append-only" if declared.append_only else "replaced whole"
    lines = [
        f"## {declared.path}",
        "",
        f"One row per {declared.row}; {_PARTITION[declared.partition]}, {kind}. Key: {', '.join(f'`{k}`' for k in declared.key)}.",
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{c.name}`{' ?' if c.nullable else ''} | {c.type} | {c.meaning} |" for c in declared.columns]
    return "\n".join([*lines, ""])


def operations() -> str:
    """The operators' page with its last section, the settings, as they are."""
    kept = OPERATIONS.read_text().partition(_SETTINGS)[0]
    lines = ["", "Written by `make docs` from `smartgrid_assets/settings.py`.", "", "| variable | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `SMARTGRID_{name.upper()}` | {_default(name, field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return kept + _SETTINGS + "\n".join([*lines, ""])


def _default(name: str, value: object) -> str:
    if name == "home":
        return "the checkout"
    return f"{value:%H:%M}" if name == "gate" else str(value) if value != "" else "(empty)"


if __name__ == "__main__":
    PAGE.write_text(page())
    OPERATIONS.write_text(operations())
