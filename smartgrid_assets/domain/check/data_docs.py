"""Great Expectations' own pages of a suite's verdicts, as static HTML: for those who know them from elsewhere.

As they come they load scripts, style sheets and pictures from seven other hosts. Ours load nothing: who opens them in a control room
tells nobody, and sees the same without a network. Sorting and filtering of their tables go with the scripts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.suite import Suite, open_great_expectations, view_frame
from smartgrid_assets.domain.market_day import MarketDay

ALONE = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1f24; background: #fff }
table { border-collapse: collapse; margin: .6rem 0 } td, th { border: 1px solid #d0d7de; padding: .3rem .6rem; text-align: left; vertical-align: top }
.alert { border: 1px solid #d0d7de; padding: .5rem .8rem } .badge { background: #eaeef2; border-radius: .3rem; padding: 0 .4rem }
.text-success { color: #1a7f37 } .text-danger { color: #cf222e } .text-warning { color: #9a6700 }
nav ol, nav ul, .list-group { list-style: none; padding: 0 } .row { display: block } .modal, .tooltip, footer, [data-toggle=collapse], .card:has(> .card-body .btn-group-toggle) { display: none }
pre { white-space: pre-wrap }
</style>
"""
_FROM_ELSEWHERE = re.compile(
    r"<link\b[^>]*>|<script\b.*?</script>|<img\b[^>]*\bsrc=[\"']https?:[^>]*>|<footer\b.*?</footer>", re.DOTALL | re.IGNORECASE
)


def stand_alone(page: str) -> str:
    """The page without anything that a browser would fetch or run."""
    return _FROM_ELSEWHERE.sub("", page).replace("<head>", f"<head>\n{ALONE}", 1)


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
        file.write_text(stand_alone(page))
        written.append(file)
    return written
