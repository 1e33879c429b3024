"""A step of the chain: which tables does it make, from what, and is a partition of it stale?

A step makes one partition of its tables at a time. Whether it must is decided by recipes alone (domain/lineage.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from smartgrid_assets.chain.context import Context
from smartgrid_assets.domain.lineage import Footer, Receipt, Recipe

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

StateKind = Literal["nothing", "missing", "stale", "held", "fresh"]
Inputs = dict[str, str]
WaitFor = Callable[[Iterable[date]], None]


def no_wait(days: Iterable[date]) -> None:
    """Partitions are made one after the other: those before are there."""


@dataclass(frozen=True)
class Others:
    """Partitions of the same step that may be in the making beside this one.

    wait_for: until those are made. wait_for_part: until those have published what they make first. announce: say that
    this one has.
    """

    wait_for: WaitFor = no_wait
    wait_for_part: WaitFor = no_wait
    announce: Callable[[], None] = lambda: None


ALONE = Others()
"""Partitions are made one after the other."""


@dataclass
class Work:
    """One partition being made: a connection of its own, and the inputs that were looked at.

    histories: load as the gate of a day knew it, once it was read; callers do not change it.
    others: wait for them before looking at other partitions of the same step.
    publish: (table, relation) put one of the step's tables in its place before the rest, for others that look at it.
    """

    context: Context
    con: DuckDBPyConnection
    key: date
    inputs: Inputs
    histories: dict[date, pd.DataFrame] = field(default_factory=dict)
    others: Others = ALONE
    publish: Callable[[str, str], None] = lambda path, relation: None


@dataclass
class Made:
    """What a step made: relations by table, further inputs that it turned out to need, and words for the asset's page.

    held: table -> relation of the reasons why the partition must not be replaced; the tables in `relations` are
    then written all the same (they describe the refused version), the others keep their old rows.
    """

    relations: dict[str, str]
    more_inputs: Inputs = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    is_held: bool = False


@dataclass(frozen=True)
class Step:
    """One step. `inputs` gives None where there is nothing to make the partition from.

    tables: what it makes; the first is the one by which others know it. holds: the table that says why a partition
    was held back, for the one step that can.
    """

    name: str
    tables: tuple[str, ...]
    cadence: Literal["day", "week"]
    inputs: Callable[[Context, date], Inputs | None]
    make: Callable[[Work], Made]
    code: Callable[[], str]
    settings: Callable[[Context], dict[str, Any]] = lambda context: {}
    holds: str | None = None
    horizon: Literal["known", "ahead"] = "known"
    """known: made once the day's readings are there. ahead: made at the gate, for the day after."""
    carries_state: bool = False
    """True where a partition starts from its own yesterday: a change ripples on to later days."""
    looks_back: Callable[[Context, date], int] | None = None
    """Set where a partition may look at earlier ones, for which it then waits: the size of what it reads, bytes."""
    is_history: bool = False
    """True where models learn from it, so that it is made for warm-up days too."""
    is_whole: Callable[[Context, date], bool] = lambda context, key: True
    """False where something that it keeps outside the lake is gone."""
    newest_only: bool = False
    """True where only the newest day is asked for: a replay of many days makes it for the last one."""
    is_model: bool = False
    """True where making it fits models or solves plans: slow, bounded in parallel."""

    @property
    def stands_alone(self) -> bool:
        """True where no partition needs another of the same step."""
        return not self.carries_state and self.looks_back is None

    @property
    def every_table(self) -> tuple[str, ...]:
        """All tables that it writes, the one of its holds last."""
        return (*self.tables, self.holds) if self.holds else self.tables


@dataclass(frozen=True)
class State:
    """Where a partition stands, and by which inputs it is stale."""

    kind: StateKind
    because: tuple[str, ...] = ()

    @property
    def is_due(self) -> bool:
        """True when making it would change something."""
        return self.kind in ("missing", "stale")


@dataclass(frozen=True)
class Done:
    """What became of one partition."""

    step: str
    key: date
    state: State
    receipts: tuple[Receipt, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    is_held: bool = False


def state_of(context: Context, step: Step, key: date) -> State:
    """Compare the recipe that the partition would have now with the one in its footers.

    A day whose readings were removed for good (`smartgrid retention`) is left as it is, whatever the code says today.
    """
    if key < context.lake.erased.kept_from:
        return State("nothing")
    inputs = step.inputs(context, key)
    if inputs is None:
        return State("nothing")
    if held := hold_of(context, step, key):
        changed = _recipe(context, step, key, inputs, held.recipe).differences(held.recipe)
        return State("stale", tuple(changed)) if changed else State("held")
    footers = [context.lake.footer(path, key) for path in step.tables]
    if any(footer is None for footer in footers):
        return State("missing")
    if not step.is_whole(context, key):
        return State("missing", ("what it keeps outside the lake is gone",))
    for footer in footers:
        changed = _recipe(context, step, key, inputs, footer.recipe).differences(footer.recipe)  # type: ignore[union-attr]
        if changed:
            return State("stale", tuple(changed))
    return State("fresh")


def hold_of(context: Context, step: Step, key: date) -> Footer | None:
    """The footer of the reasons for which the partition is held back; None where it is not."""
    held = context.lake.footer(step.holds, key) if step.holds else None
    return held if held and held.rows else None


def _recipe(context: Context, step: Step, key: date, inputs: Inputs, found: Recipe) -> Recipe:
    """Today's recipe, with the further inputs that the last making turned out to need looked up again."""
    more = {name: look_up(context, name) or ABSENT for name in found.inputs if name not in inputs and is_further(name)}
    return Recipe(inputs | more, step.code(), step.settings(context))


ABSENT = "none"
"""Digest of an input that was looked for and is not there."""
FURTHER = "also:"
"""Prefix of inputs that a step came to need while it worked: `also:<table>@<day>` or `...<=<moment>`."""


def is_further(name: str) -> bool:
    """True for an input that a step named itself while it worked."""
    return name.startswith(FURTHER)


def _looked_at(context: Context, step: Step, key: date) -> list[date]:
    """Other partitions of the same step that the last making of this one looked at."""
    found = hold_of(context, step, key) or context.lake.footer(step.tables[0], key)
    named = [name.removeprefix(FURTHER).partition("@") for name in found.recipe.inputs if is_further(name)] if found else []
    return [date.fromisoformat(rest.partition("<=")[0]) for path, _, rest in named if path in step.tables]


def look_up(context: Context, name: str) -> str | None:
    """The digest of a further input today."""
    path, _, rest = name.removeprefix(FURTHER).partition("@")
    day, _, known = rest.partition("<=")
    if known:
        return context.lake.digest_as_of(path, date.fromisoformat(day), datetime.fromisoformat(known))
    return context.lake.digest(path, date.fromisoformat(day))


def run_step(context: Context, step: Step, key: date, only_due: bool = False, others: Others = ALONE) -> Done:
    """Make one partition (with `only_due`, only where it is missing or stale)."""
    started, read_ns = time.perf_counter(), context.lake.now_ns()
    if only_due:
        others.wait_for(_looked_at(context, step, key))
    state = state_of(context, step, key)
    if state.kind == "nothing" or (only_due and not state.is_due):
        return Done(step.name, key, state)
    inputs = step.inputs(context, key)
    assert inputs is not None
    receipts: list[Receipt] = []
    with context.lake.connect() as con:

        def publish(path: str, relation: str) -> None:
            recipe = Recipe(inputs, step.code(), step.settings(context), read_ns)
            receipts.append(context.lake.replace(con, path, key, relation, recipe))
            others.announce()

        made = step.make(Work(context, con, key, inputs, others=others, publish=publish))
        recipe = Recipe(inputs | made.more_inputs, step.code(), step.settings(context), read_ns)
        # The hold is written first: a day is never replaced and then found to be held.
        rest = [path for path in reversed(step.every_table) if path in made.relations]
        receipts += [context.lake.replace(con, path, key, made.relations[path], recipe) for path in rest]
    return Done(step.name, key, state, tuple(receipts[::-1]), made.metadata, time.perf_counter() - started, made.is_held)
