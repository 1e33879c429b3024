"""What is a rule? One file in `rules/`: a name, a meaning, a source and set-based SQL over one day.

A rule sees each series (meter and channel) by itself: its day, a few numbers of its days before, and never another
rule's verdict, so that the rules can run in any order and a correction to one meter re-runs that meter alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from smartgrid_assets.domain.check import swapped
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.verdicts import NAME as VERDICT
from smartgrid_assets.domain.check.verdicts import VERSION as VERDICT_VERSION
from smartgrid_assets.domain.market_day import MarketDay
from smartgrid_assets.domain.registry import discover


@dataclass(frozen=True)
class RuleInput:
    """What a rule's SQL may read: names of relations, the day and the limits.

    readings: the winning reading of each meter, channel and start: meter_id, channel, interval_start_utc,
      interval_minutes, value (in its own unit), energy_kwh (null where none was delivered), power_kw, received_at, and
      the columns of `series`.
    series: meter and channel: series (its number, to join by), meter_id, channel, side (import, export, generation), role, class, rating_kw, step_minutes
      (its usual length), grid_s (offset of its grid from local midnight, seconds), shapes (different lengths and offsets
      that came), highest_kw, rating_multiple (highest_kw / rating_kw), repeats (readings that equal the one before),
      repeat_minutes (longest run of equal readings that is possible), may_be_stuck, zeros, zero_minutes, made_up (known
      from its readings only), status (of the account: active, inactive, null), day_kwh, day_share (of the grid that was delivered), tail_minutes (how long the day ends with
      one value); and of the days before, null where there were none: full_days (how many were nearly complete),
      usual_day_kwh, lowest_day_kwh, highest_day_kwh, highest_before_kw (of one interval), usual_multiple (day_kwh against the usual day, as far as it was
      delivered), usual_kwh (of one interval), usual_repeats (share of readings that equal the one before), before_minutes (yesterday's interval), changed_length, before_kwh and run_before_minutes (the value with
      which yesterday ended, and for how long).
      Choose suspects by one column of it: the day's other readings are then not touched.
    counted: what registers counted, by series: first_utc, last_utc (60 seconds wider than the reads), counted_kwh,
      resolution_kwh, siblings (series of that meter and direction; together they make it). Series with any have has_counts.
    missing: interval of a series' grid for which no value was delivered: meter_id, channel, interval_start_utc,
      interval_minutes.
    periods: what registers counted since an earlier day, by meter: meter_id, side (import, export), siblings, first_utc, last_utc,
      counted_kwh, resolution_kwh; and of the days before: came_kwh (of those as a whole in it), begun_kwh (of its first, where
      it is not), is_whole. Series of a meter with one have has_counts.
    events: tampering that meters reported: series, kind, first_utc, last_utc (as first_utc where it has no end). Series with one have has_event.
    shifts: series whose clock this day set right: shift_minutes (its stamps were so much late; early where negative),
      first_utc, end_utc (of the stamps that are off, which may begin days ago). Series with one have has_shift.
    found: what the rules found this day: meter_id, channel, interval_start_utc, rule. Only for `before`.
    losers: reading that another one of the same file or version time contradicts: meter_id, channel,
      interval_start_utc, energy_kwh, winner_kwh.
    """

    readings: str
    series: str
    missing: str
    losers: str
    counted: str
    periods: str
    events: str
    shifts: str
    found: str
    day: MarketDay
    limits: CheckLimits


@dataclass(frozen=True)
class Rule:
    """One rule. `sql` selects meter_id, channel, interval_start_utc, reason: one row a finding.

    before: SELECT meter_id, channel, first_utc, last_utc, reason: what this day says of readings of days before, which
    are then made again (check/hindsight.py).

    action reject: the reading is estimated anew and listed in validated/rejected_readings; flag: it stays, marked.
    reason: found what, where, what next. version: raise it when the SQL changes what it finds.
    when: a condition on `series` (one row) without which the rule has nothing to say. Where no series meets it the rule is
      not asked: to plan a statement costs more than most of them find.
    """

    name: str
    version: int
    meaning: str
    source: str
    sql: Callable[[RuleInput], str]
    action: Literal["reject", "flag"] = "flag"
    when: Callable[[CheckLimits], str] = lambda limits: "true"
    before: Callable[[RuleInput], str] | None = None


def all_rules() -> dict[str, Rule]:
    """Every rule by name."""
    return discover("smartgrid_assets.domain.check.rules", "RULE")


def rules_version() -> str:
    """Names, versions and actions of all rules in 12 hex digits; part of the code version of validated/*.

    >>> len(rules_version())
    12
    """
    told = ",".join(f"{rule.name}:{rule.version}:{rule.action}" for rule in sorted(all_rules().values(), key=lambda r: r.name))
    told += f",{swapped.NAME}:{swapped.VERSION}:reject,{VERDICT}:{VERDICT_VERSION}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def where_sql(alias: str = "r") -> str:
    """SQL text that opens a reason: which meter, which channel, which interval."""
    return f"""'Meter ' || {alias}.meter_id || ', ' || {alias}.channel || ', '
        || strftime({alias}.interval_start_utc, '%Y-%m-%d %H:%M') || ' UTC: '"""
