"""What a visit may have found, and how the last word on each case is read. Words only: a command names them without loading anything heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

HITS = ("theft", "fault")
VERDICTS = (*HITS, "fine")
WITHDRAWN = "withdraw"
"""As if nothing had been said."""


def last_verdicts(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The last verdict of each case, in the order in which they were given; those withdrawn are none. verdicts: rows of anomalies/verdicts."""
    ordered = verdicts.sort_values(["given_at", "verdict_id"], kind="stable")
    last = ordered.drop_duplicates("case_id", keep="last")
    return last[last["verdict"] != WITHDRAWN]
