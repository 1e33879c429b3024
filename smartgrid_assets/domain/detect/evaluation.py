"""A week's cases against what visits found: how many were right, and was the budget kept?

Source of the interval: Wilson 1927.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.verdict import HITS, VERDICTS, last_verdicts
from smartgrid_assets.domain.tables import table

ALL = "*"
SIGMAS_95 = 1.959964
COLUMNS = tuple(column.name for column in table("anomalies/evaluation").columns)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share; (NaN, NaN) of nothing.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    if not of:
        return float("nan"), float("nan")
    share, z2 = hits / of, SIGMAS_95**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = SIGMAS_95 / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return centre - half, centre + half


def evaluation(raised: pd.DataFrame, verdicts: pd.DataFrame, meters: int, visits_per_week: int, meter_day_alarms: int) -> pd.DataFrame:
    """anomalies/evaluation of a week. raised: case_id, kind of the cases that are new in it; verdicts: anomalies/verdicts on any of them."""
    said = last_verdicts(verdicts).set_index("case_id")["verdict"]
    raised = raised.drop_duplicates("case_id").assign(verdict=lambda rows: rows["case_id"].map(said))
    rows = [_row(kind, part) for kind, part in raised.groupby("kind")]
    whole = _row(ALL, raised)
    judged = whole["judged"]
    by_meters = 1000 / meters if meters else float("nan")
    whole |= {
        "visits_used": len(raised) / visits_per_week if visits_per_week else float("nan"),
        "per_1000_meters": len(raised) * by_meters,
        "false_per_1000_meters": whole["fine"] / judged * len(raised) * by_meters if judged else float("nan"),
        "meter_day_alarms": meter_day_alarms,
    }
    return pd.DataFrame([whole, *rows], columns=list(COLUMNS))


def _row(kind: object, cases: pd.DataFrame) -> dict[str, Any]:
    counts = {verdict: int((cases["verdict"] == verdict).sum()) for verdict in VERDICTS}
    judged, hits = sum(counts.values()), sum(counts[verdict] for verdict in HITS)
    low, high = wilson(hits, judged)
    precision = hits / judged if judged else np.nan
    return {
        "kind": str(kind),
        "raised": len(cases),
        **counts,
        "judged": judged,
        "precision": precision,
        "precision_low": low,
        "precision_high": high,
    }
