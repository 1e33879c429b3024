"""What is published: the aggregate of the models, learned from what the gate knew; before anything is known of them, the champion, flagged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets.defs.resources import chain_context
from smartgrid_assets.domain.forecast.combined import LEAST_DAYS
from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, deliver, file_of, lines_of, morning_after, place, rows, run

DAYS, ISSUED_FROM = 22, 12
LAST = FIRST + timedelta(days=DAYS)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings.cache_clear()
    context, deliveries = place(tmp_path / "files", DAYS)
    deliver(context, *deliveries)
    run(context, FIRST + timedelta(days=ISSUED_FROM), LAST, "forecasts", warm_up=ISSUED_FROM)
    yield tmp_path
    settings.cache_clear()


def published(context):
    return rows(
        context,
        "SELECT day, zone, interval_start_utc, load_mw, q05, q95, source_model, is_fallback, fallback_reason FROM forecasts.day_ahead ORDER BY ALL",
    )


def test_the_aggregate_is_published_once_four_days_are_known_and_a_late_correction_does_not_reach_back(home):
    context = chain_context()
    before = published(context)
    first_known = FIRST + timedelta(days=ISSUED_FROM + 1 + LEAST_DAYS)
    for day, _, _, load, low, high, model, is_fallback, reason in before:
        assert low <= load <= high
        if day <= first_known - timedelta(days=1):
            assert is_fallback and model == "naive_7d" and f"{LEAST_DAYS} are needed to weigh the models" in reason
        else:
            assert (model, is_fallback, reason) == ("aggregate", False, ""), day
    # The newest gate knew this day's first version; what is corrected after it moves nothing that was issued.
    corrected = FIRST + timedelta(days=DAYS - 4)
    late = file_of(home / "files", "late.csv", lines_of(corrected, ("A1", "A2", "B1"), {("B1", hour): 40.0 for hour in range(24)}))
    deliver(context, (late, morning_after(LAST + timedelta(days=3))))
    run(context, FIRST + timedelta(days=ISSUED_FROM), LAST, "forecasts")
    assert published(context) == before
