"""Which intervals should models not learn from?"""

from datetime import date, datetime, timedelta

import pytest

from smartgrid_assets.domain.derive.marks import training_marks
from smartgrid_assets.domain.market_day import market_day
from smartgrid_assets_tests.domain.derive.given import BERLIN, load_row, relation

DAY = market_day(date(2026, 3, 25), BERLIN)
KNOWN = datetime(2026, 3, 26, 2)


def marks(con, rows, recent=()):
    relation(con, "load", "features/load", rows)
    relation(con, "recent", "features/load", recent)
    found = training_marks(con, DAY, "load", "recent" if recent else None)
    return con.execute(f"FROM {found.relation} ORDER BY zone, interval_start_utc, known_from_utc").df(), found.days


def like_days(mw, known=KNOWN - timedelta(days=5), **more):
    """00:00 of the four Wednesdays before, and of the Tuesdays, which are of another load."""
    wednesdays = [load_row(DAY.start_utc - timedelta(weeks=n), mw, known, **more) for n in (1, 2, 3, 4)]
    return wednesdays + [load_row(DAY.start_utc - timedelta(days=1 + 7 * n), 50 * mw, known) for n in (0, 1, 2)]


@pytest.mark.parametrize("share, weight", [(0.0, None), (0.02, None), (0.26, 0.65), (0.5, 0.3), (0.51, 0.0), (1.0, 0.0)])
def test_the_less_was_measured_the_less_it_weighs(con, share, weight):
    frame, _ = marks(con, [load_row(DAY.start_utc, 1.0, KNOWN, missing_share=share)])
    assert frame.weight.tolist() == ([] if weight is None else [pytest.approx(weight)])
    assert all(f"{share:.0%}".replace("%", " %") in reason for reason in frame.reason)


@pytest.mark.parametrize(
    "mw, is_odd",
    [
        pytest.param(1.0, False, id="as ever"), pytest.param(1.7, False, id="a heat wave teaches"),
        pytest.param(0.3, False, id="a mild day teaches"), pytest.param(1.9, True, id="nearly doubled"),
        pytest.param(0.1, True, id="nearly vanished"), pytest.param(-1.0, True, id="turned round"),
    ],
)  # fmt: skip
def test_a_load_out_of_proportion_to_its_like_days_weighs_little(con, mw, is_odd):
    frame, days = marks(con, [load_row(DAY.start_utc, mw, KNOWN)], like_days(1.0))
    assert frame.weight.tolist() == ([0.2] if is_odd else [])
    assert days == (date(2026, 2, 25), date(2026, 3, 4), date(2026, 3, 11), date(2026, 3, 18))


def test_a_holiday_is_no_oddity_and_is_no_measure_of_one(con):
    frame, _ = marks(con, [load_row(DAY.start_utc, 0.1, KNOWN, is_holiday=True)], like_days(1.0))
    assert frame.empty
    frame, days = marks(con, [load_row(DAY.start_utc, 0.1, KNOWN)], like_days(1.0, is_holiday=True))
    assert frame.empty and days == ()


def test_a_mark_sees_of_the_recent_days_only_what_was_known_with_its_own_version(con):
    later = KNOWN + timedelta(days=3)
    rows = [load_row(DAY.start_utc, 9.0, KNOWN), load_row(DAY.start_utc, 9.1, later)]
    corrected = like_days(1.0, known=later - timedelta(hours=1))
    frame, _ = marks(con, rows, like_days(9.0) + corrected)
    assert frame.known_from_utc.tolist() == [later]


def test_both_reasons_are_named_and_the_lower_weight_counts(con):
    frame, _ = marks(con, [load_row(DAY.start_utc, 9.0, KNOWN, missing_share=0.6)], like_days(1.0))
    assert frame.weight.item() == 0.0
    assert (
        frame.reason.item()
        == "60 % of the meters were not measured; 9.000 MW is out of proportion: the last weeks had 1.000 MW at this hour"
    )
