"""Which partitions must be made, and in which order?

The steps are in the data's order, so one pass over them, each over its due days, leaves nothing stale: whether a
partition is due is asked only when everything upstream has been made. Who makes them (a Dagster run, a plain loop)
is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.step import Done, State, Step, run_step, state_of
from smartgrid_assets.domain.detect.spans import JUDGED_WITHIN_DAYS
from smartgrid_assets.domain.errors import SettingsError, SmartGridError
from smartgrid_assets.domain.market_day import days_between, week_of, weeks_between
from smartgrid_assets.domain.tables import TABLES

Execute = Callable[[Step, list[date]], list[Done]]


@dataclass(frozen=True)
class Due:
    """A partition that must be made, and why."""

    step: Step
    key: date
    state: State


def steps() -> list[Step]:
    """All steps, in the data's order."""
    from smartgrid_assets.chain.steps import check, derive, detect, dispatch, explain, forecast, present

    return [check.STEP, *derive.STEPS, *detect.STEPS, *forecast.STEPS, *dispatch.STEPS, present.STEP, explain.STEP]


def selected(select: str | None) -> list[Step]:
    """Steps named by `--select`: a comma-separated list of assets (features/load), groups (features) or steps (check).

    Raises SettingsError naming what is not known.
    """
    every = steps()
    if not select:
        return every
    wanted = [word.strip() for word in select.split(",") if word.strip()]
    known = {s.name for s in every} | set(TABLES) | {t.schema for t in TABLES.values()}
    if unknown := [word for word in wanted if word not in known]:
        raise SettingsError(
            f"--select: {', '.join(unknown)} is no asset, group or step; there are: {', '.join(s.tables[0] for s in every)}."
        )
    return [s for s in every if any(w == s.name or w in s.tables or any(t.startswith(w + "/") for t in s.tables) for w in wanted)]


def keys_of(step: Step, first: date, last: date) -> list[date]:
    """Partitions of a step that a span of market days touches."""
    return weeks_between(first, last) if step.cadence == "week" else days_between(first, last)


def due(context: Context, step: Step, keys: Sequence[date]) -> list[Due]:
    """Those of `keys` that are missing or stale and can be made."""
    states = ((key, state_of(context, step, key)) for key in keys)
    return [Due(step, key, state) for key, state in states if state.is_due]


def replay(context: Context, first: date, last: date, execute: Execute, select: str | None = None, warm_up_days: int = 0) -> list[Done]:
    """Make all that is due for a span of market days; what became of each partition.

    warm_up_days: so many days before `first` are validated and turned into features too, as history to train on. What is only asked of
    the newest day (forecasts/changes) is made for `last`.
    """
    done: list[Done] = []
    for step in selected(select):
        begin = last if step.newest_only else first - timedelta(days=warm_up_days) if step.is_history else first
        done += _make(context, step, keys_of(step, begin, last), execute)
        if step.carries_state:
            done += _ripple(context, step, last, execute)
    return done


WEEKS_BACK = JUDGED_WITHIN_DAYS // 7
"""A night looks at so many weeks of what is known by week: what visits found is told weeks after."""


@dataclass(frozen=True)
class Night:
    """What a night made, and a sentence for each step that failed."""

    done: list[Done]
    failures: list[str]

    @property
    def trouble(self) -> str:
        """What failed, in words; empty where nothing did."""
        return "\n".join(["What follows failed; the rest of the night was done.", *self.failures]) if self.failures else ""


def night(context: Context, today: date, execute: Execute, look_back_days: int = 8) -> Night:
    """What a night must do: the newest days in, tomorrow's forecast and plan out.

    A step that fails does not cost the rest: models that could not be fitted are no reason for no forecast.
    """
    done: list[Done] = []
    failures: list[str] = []
    for step in steps():
        try:
            done += _make(context, step, night_keys(step, today, look_back_days), execute)
        except SmartGridError as error:
            failures.append(f"{step.name}: {error}")
    return Night(done, failures)


def night_keys(step: Step, today: date, look_back_days: int = 8) -> list[date]:
    """Partitions that a night looks at: of the last days what is known, of tomorrow what is ahead."""
    tomorrow = today + timedelta(days=1)
    if step.cadence == "week":
        return [week_of(tomorrow)] if step.horizon == "ahead" else weeks_between(today - timedelta(days=WEEKS_BACK * 7), today)
    if step.horizon == "ahead":
        return [tomorrow]
    return days_between(today - timedelta(days=look_back_days), today - timedelta(days=1))


def made_stale(context: Context, recent_days: int = 8) -> tuple[Step, list[date]] | None:
    """The first step that has something to make because of what was delivered, and its days; None where all is well.

    Days that were made before are looked at whole; days never made only where they are among the newest delivered.
    """
    delivered = context.delivered.days()
    newest = [day for day in delivered if day > delivered[-1] - timedelta(days=recent_days)] if delivered else []
    for step in steps():
        keys = set(context.lake.keys(step.tables[0]))
        if step.horizon == "known" and step.cadence == "day":
            keys |= set(newest)
        if found := due(context, step, sorted(keys)):
            return step, [item.key for item in found]
    return None


def _make(context: Context, step: Step, keys: Sequence[date], execute: Execute) -> list[Done]:
    """Make what is due of `keys`; where partitions of a step lean on each other, ask again until nothing is."""
    made: list[Done] = []
    for _ in keys:
        found = [item.key for item in due(context, step, keys)]
        made += [done for stretch in stretches(found, step) for done in execute(step, stretch)]
        if not found or step.stands_alone:
            break
    return made


def _ripple(context: Context, step: Step, last: date, execute: Execute) -> list[Done]:
    """Days after `last` whose start changed with it: made again, until one ends in the state that it ended in before."""
    done: list[Done] = []
    day = last + timedelta(days=1)
    while context.lake.footer(step.tables[0], day) and due(context, step, [day]):
        done += execute(step, [day])
        day += timedelta(days=1)
    return done


def stretches(keys: Sequence[date], step: Step) -> list[list[date]]:
    """Keys as unbroken ranges, each of which one run can take."""
    pace = timedelta(days=7 if step.cadence == "week" else 1)
    ordered = sorted(keys)
    runs = groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0] * pace)
    return [[key for _, key in group] for _, group in runs]


def in_this_process(context: Context) -> Execute:
    """Make partitions one after the other, here."""

    def execute(step: Step, keys: list[date]) -> list[Done]:
        return [run_step(context, step, key, only_due=True) for key in keys]

    return execute
