"""Many partitions of one step at once, in processes of their own.

Python's lock lets threads share one core, and each partition is whole in itself: it reads files, and replaces its own.
Goes through joblib, so a cluster's backend takes the same call by name (joblib.parallel_config). Workers stay alive
between steps, so that a library is imported once in each.
Memory: each worker's DuckDB gets its part of the limit, so all together keep to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.step import Done, Step, run_step
from smartgrid_assets.domain.errors import SettingsError, SmartGridError

FEWEST = 8
"""Partitions from which on workers pay: each takes a second or two to start."""

Outcome = Done | SmartGridError


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


def attempt(context: Context, step: Step, key: date, only_due: bool) -> Outcome:
    """Make one partition; an error that is the user's to mend is an outcome, so that the others go on."""
    try:
        return run_step(context, step, key, only_due)
    except SmartGridError as error:
        return error
