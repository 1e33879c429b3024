"""The one entry for Dagster: everything under `defs/` is found by itself."""

import warnings

import dagster as dg

# What is used of Dagster's previews is pinned by constraints.txt and held by tests; a page of warnings helps nobody.
for _category in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=_category)

from smartgrid_assets.defs.resources import resources  # noqa: E402

defs = dg.Definitions.merge(
    dg.load_definitions_from_package_name("smartgrid_assets.defs"),
    dg.Definitions(resources=resources(), executor=dg.in_process_executor),
)
