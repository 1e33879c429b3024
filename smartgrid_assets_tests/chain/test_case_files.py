"""A case for programs is JSON as it is written down: what is not known is null."""

from __future__ import annotations

import json
from datetime import date

import numpy as np

from smartgrid_assets.chain.case_files import aligned, laid_out
from smartgrid_assets.domain.detect.story import Evidence, Story

DAY = date(2026, 3, 14)


def test_what_is_not_known_is_null():
    unknown = np.array([np.nan, 2.0])
    told = Story([DAY], unknown, unknown, unknown, unknown, unknown, [Evidence("night use", "kWh", 0.0, 1.5, float("nan"), 0.1)])
    text = json.dumps(laid_out(DAY, {"case_id": "c", "witness": float("nan"), "since": DAY}, told), default=str, allow_nan=False)
    found = json.loads(text)
    assert found["counted"] == [None, 2.0] and found["evidence"][0]["own"] is None and found["evidence"][0]["since"] == 1.5
    assert found["case"] == {"case_id": "c", "witness": None, "since": "2026-03-14"}


def test_columns_begin_under_each_other():
    assert aligned([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]
