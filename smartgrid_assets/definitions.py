"""The one entry for Dagster: everything under `defs/` is found by itself."""

import dagster as dg

from smartgrid_assets.defs.resources import resources

defs = dg.Definitions.merge(
    dg.load_definitions_from_package_name("smartgrid_assets.defs"),
    dg.Definitions(resources=resources(), executor=dg.in_process_executor),
)
