"""Like days are scaled by what the class drew more this day: near in weather, by the class's own word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartgrid_assets_tests.domain.check.town import DAY, UNEVEN, check, donor_day, meter, past_day, readings

LAST_WEEK = DAY.day - timedelta(days=7)
HOLE = slice(20, 32)
DAY_KWH = sum(UNEVEN[:48])


def filled(factors: dict[str, float], silent: bool = False, **other: object) -> list[float]:
    """What m1's hole of six hours is filled with, where its peers drew so many times what they drew a week ago.

    m1 itself drew the same in the hours that came (nothing came, where silent).
    """
    given = {"meters": [meter(name) for name in ("m1", *factors)], **other}
    rows = [row for name, factor in factors.items() for row in readings(name, [factor * v for v in UNEVEN[:48]])]
    own = [None if silent or 20 <= n < 32 else v for n, v in enumerate(UNEVEN[:48])]
    past = [past_day(name, LAST_WEEK, DAY_KWH) for name in ("m1", *factors)]
    checked = check([*rows, *readings("m1", own)], donors=donor_day("m1", LAST_WEEK, UNEVEN[:48]), **{"past": past, **given})
    frame = checked.readings.query("meter_id == 'm1'")
    assert set(frame.method[HOLE]) == {"like_days"}
    return frame.energy_kwh[HOLE].tolist()


PEERS = {f"p{n}": 1.5 for n in range(6)}


def test_a_cold_day_of_the_class_raises_the_like_days() -> None:
    plain = filled({})
    raised = filled(PEERS)
    assert plain == pytest.approx(UNEVEN[HOLE])
    # what came of the day says no, half a like day says yes
    assert all(1.0 < a / b < 1.5 for a, b in zip(raised, plain, strict=True))


def test_of_a_meter_that_sent_nothing_the_class_alone_speaks() -> None:
    assert filled(PEERS, silent=True) == pytest.approx([1.5 * v for v in UNEVEN[HOLE]])


@pytest.mark.parametrize(
    ("factors", "other"),
    [
        pytest.param({f"p{n}": 1.5 for n in range(4)}, {}, id="four meters are no class"),
        pytest.param(PEERS, {"meters": [meter(), *(meter(name, **{"class": "shop"}) for name in PEERS)]}, id="another class"),
        pytest.param(PEERS, {"past": []}, id="nothing known of the like day"),
        pytest.param(PEERS, {"past": [past_day(name, LAST_WEEK, DAY_KWH) | {"readings": 30} for name in PEERS]}, id="incomplete then"),
        pytest.param(
            PEERS,
            {"past": [past_day(name, LAST_WEEK, DAY_KWH) | {"known_from_utc": DAY.end_utc + timedelta(days=9)} for name in PEERS]},
            id="known later",
        ),
    ],
)
def test_where_the_class_says_nothing_like_days_stand_as_they_are(factors: dict[str, float], other: dict) -> None:
    assert filled(factors, silent=True, **other) == pytest.approx(UNEVEN[HOLE])


def test_one_wild_meter_moves_nothing_and_no_day_is_scaled_further_than_twice() -> None:
    assert filled({**PEERS, "p5": 900.0}, silent=True) == pytest.approx([1.5 * v for v in UNEVEN[HOLE]])
    assert filled(dict.fromkeys(PEERS, 7.0), silent=True) == pytest.approx([2 * v for v in UNEVEN[HOLE]])
