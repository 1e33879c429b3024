"""Many partitions of one step at once: in processes of their own, or, where they look back at each other, in threads.

Processes, since Python's lock lets threads share one core, and each partition is whole in itself: it reads files, and
replaces its own. They go through joblib, so a cluster's backend takes the same call by name (joblib.parallel_config), and
stay alive between steps, so that a library is imported once in each.
Threads, where nearly all of the work is DuckDB's, so that a partition can wait for an earlier one.
Memory: each worker's DuckDB gets its part of the limit, so all together keep to it; threads share one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date
from threading import Event

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.step import ALONE, Done, Others, Step, run_step
from smartgrid_assets.domain.errors import SettingsError, SmartGridError

FEWEST_DAYS, FEWEST_WEEKS = 8, 2
"""Partitions from which on workers pay: each takes a second or two to start, and a week's fits some ten."""

SMALL_BYTES = 16_000_000
"""A partition that reads more than this keeps all cores and the memory for itself: about 1.5 million readings."""

Outcome = Done | SmartGridError


def make_all(
    context_of: Callable[[date | None], Context], step: Step, keys: Sequence[date], only_due: bool, workers: int
) -> Iterator[tuple[date, Outcome]]:
    """Make the partitions: one after the other where the step wants it or they are few, else several at once.

    context_of: the chain's context for one partition, or for all. workers: at most so many at once.
    """
    if workers > 1 and worth_processes(step, keys):
        return fan_out(context_of(None), step, keys, only_due, workers)
    if workers > 1 and fits_in_threads(context_of(None), step, keys):
        return in_threads(context_of(None), step, keys, only_due, workers)
    return _one_by_one(context_of, step, keys, only_due)


def _one_by_one(
    context_of: Callable[[date | None], Context], step: Step, keys: Sequence[date], only_due: bool
) -> Iterator[tuple[date, Outcome]]:
    if step.looks_back is None:
        yield from ((key, attempt(context_of(key), step, key, only_due)) for key in keys)
        return
    with context_of(None).lake.claim(step.name, keys) as claim:
        for key in sorted(keys):
            wait = _earlier(key, claim.wait)
            outcome = attempt(context_of(key), step, key, only_due, Others(wait, wait))
            claim.done(key)
            yield key, outcome


def _earlier(key: date, wait_for: Callable[[Iterable[date]], None]) -> Callable[[Iterable[date]], None]:
    return lambda days: wait_for(day for day in days if day < key)


def worth_processes(step: Step, keys: Sequence[date]) -> bool:
    """True where there are enough partitions, and none needs another."""
    fewest = FEWEST_WEEKS if step.cadence == "week" else FEWEST_DAYS
    return len(keys) >= fewest and step.stands_alone


def fits_in_threads(context: Context, step: Step, keys: Sequence[date]) -> bool:
    """True where the partitions look back at each other, and several at once are small enough to share the memory."""
    return step.looks_back is not None and max(step.looks_back(context, key) for key in keys) <= SMALL_BYTES


def in_threads(context: Context, step: Step, keys: Sequence[date], only_due: bool, workers: int) -> Iterator[tuple[date, Outcome]]:
    """As `fan_out`, for partitions that look back: each waits for the earlier ones that it looks at.

    They are begun in order, so the earliest unfinished one waits for none; so do those of other processes (resources/claims.py).
    """
    made: dict[date, Future[Outcome]] = {}
    published = {key: Event() for key in keys}

    def make(key: date) -> Outcome:
        def wait_for(days: Iterable[date]) -> None:
            wait([made[day] for day in days if day < key and day in made])
            claim.wait(day for day in days if day < key)

        def wait_for_part(days: Iterable[date]) -> None:
            for day in days:
                if day < key and day in published:
                    published[day].wait()
            claim.wait(day for day in days if day < key)

        try:
            return attempt(context, step, key, only_due, Others(wait_for, wait_for_part, published[key].set))
        finally:
            published[key].set()  # made, left alone or failed: nobody waits for it in vain
            claim.done(key)

    # the process's database is opened once
    with context.lake.claim(step.name, keys) as claim, context.lake.connect():
        pool = ThreadPoolExecutor(workers, thread_name_prefix=step.name)
        try:
            for key in sorted(keys):
                made[key] = pool.submit(make, key)
            for key in keys:
                yield key, made[key].result()
        finally:
            pool.shutdown(cancel_futures=True)


def fan_out(context: Context, step: Step, keys: Sequence[date], only_due: bool, workers: int) -> Iterator[tuple[date, Outcome]]:
    """Make the partitions; what became of each, in the order of `keys`. An error that is no SmartGridError raises."""
    from joblib import Parallel, delayed, parallel_config

    part = in_one_thread(context, workers)
    with parallel_config(backend="loky", inner_max_num_threads=1):
        outcomes = Parallel(n_jobs=workers, return_as="generator")(delayed(_make)(part, step.name, key, only_due) for key in keys)
        yield from zip(keys, outcomes, strict=True)


def in_one_thread(context: Context, workers: int) -> Context:
    """The context for one of `workers` processes: one thread, and its part of the memory."""
    lake = replace(context.lake, threads=1, memory_limit=share_of(context.lake.memory_limit, workers))
    chosen = context.settings.model_copy(update={"threads": 1, "model_jobs": 1})
    return replace(context, lake=lake, delivered=replace(context.delivered, lake=lake), settings=chosen)


def share_of(limit: str, parts: int) -> str:
    """A part of a memory limit as DuckDB writes it.

    >>> share_of("4GB", 2), share_of("1.5 GiB", 3), share_of("80%", 2)
    ('2GB', '0.5GiB', '40%')
    """
    found = re.fullmatch(r"\s*([0-9.]+)\s*(\S+)\s*", limit)
    if found is None:
        raise SettingsError(f"SMARTGRID_MEMORY_LIMIT is {limit!r}; write it as 4GB.")
    return f"{float(found[1]) / parts:g}{found[2]}"


def _make(context: Context, step_name: str, key: date, only_due: bool) -> Outcome:
    from smartgrid_assets.chain.replay import steps

    return attempt(context, next(step for step in steps() if step.name == step_name), key, only_due)


def attempt(context: Context, step: Step, key: date, only_due: bool, others: Others = ALONE) -> Outcome:
    """Make one partition; an error that is the user's to mend is an outcome, so that the others go on."""
    try:
        return run_step(context, step, key, only_due, others)
    except SmartGridError as error:
        return error
