"""Great Expectations' own pages of a suite's verdicts, as static HTML: for those who know them from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.suite import Suite, open_great_expectations, view_frame
from smartgrid_assets.domain.market_day import MarketDay


def write_pages(con: DuckDBPyConnection, suite: Suite, relations: Mapping[MarketDay, str], limits: CheckLimits, folder: Path) -> list[Path]:
    """One page a view of the suite, over all days together; the files written. Memory as of `run_suite`, for those days."""
    from great_expectations import ExpectationSuite
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    expect, batch_of = open_great_expectations()
    written = []
    for name, view in suite.views.items():
        frame = view_frame(con, view, dict(relations))
        checks = [check for check in suite.checks if check.view == name]
        if not len(frame) or not checks:
            continue
        batch = batch_of(name, frame)
        asked = ExpectationSuite(name=f"{suite.table}: {name}", expectations=[check.build(expect, limits) for check in checks])
        page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(batch.validate(asked, result_format="BASIC")))
        file = folder / f"{suite.name}_{name}.html"
        file.write_text(page)
        written.append(file)
    return written
