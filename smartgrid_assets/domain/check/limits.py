"""Every threshold of the room, with its reason: what is a fault, what holds a day back?

Defaults are those of the trade where it has one; a rule that could hit a real reading is set to miss a fault rather.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckLimits:
    """Limits of rules, repair and holds; shares are 0 to 1."""

    hold_missing_share: float = 0.35
    hold_rejected_share: float = 0.35
    warn_missing_share: float = 0.05
    warn_loss_share: float = 0.15
    warn_late_hours: float = 24.0  # a day's median is 12 h old at its end, and the gate that needs it closes 10 h later; 2 h to spare
    balance_error: float = 0.02  # a feeder may measure so much less than its meters do: both are of class 1 or 2

    linear_minutes: int = 120  # the trade interpolates up to two hours
    like_days: int = 4  # an estimate is the mean of as many like days
    like_days_within: int = 28  # older days are another season
    level_prior: float = 0.5  # of a like day's energy, that the day is like it; against what came of the day
    level_bound: float = 2.0  # no day is scaled further, up or down
    fill_from_share: float = 0.5  # a meter known from its readings only is filled where as much of the day came

    class_meters: int = 5  # fewer are no class, and their mean would tell of one
    class_share: float = 0.25  # of the meter's own day must have come, to tell its level

    late_hours: float = 24.0
    future_minutes: int = 60  # a meter's clock may be off by as much
    run_hours: float = 6.0  # shortest run of zeros or of one value that is worth a word
    run_end_hours: float = 2.0  # of one value with many digits at the day's end, which goes on tomorrow
    history_days: int = 5  # full days before, from which on history is one
    sum_share: float = 0.01  # of the register's count: a meter of class 1 or 2 and its clock may be off by as much
    unit_factor: float = 300.0  # day's energy / usual day's, or the other way round, from which on it is another unit
    usage_factor: float = 3.0  # day's energy beyond the highest (below the lowest) of the last weeks by so much
    spike_ratio: float = 1.8  # (highest - third highest) / third highest
    unit_ratio: float = 10.0  # highest power / rating from which on a unit is doubted
    dust_kwh: float = 1e-5  # below it, numerical dust: neither a load nor a repeated value
