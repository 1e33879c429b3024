"""The as-of law for any disturbance, in both clocks; and that the check finds a leak where there is one.

Event clock: a forecast of D reads load before D-1 00:00 local. Knowledge clock: it reads what was received by D's gate.
Each example disturbs a copy of one lake and issues D anew there: no row may differ from what the calm lake issues.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.ingest import Delivery, ingest
from smartgrid_assets.chain.replay import due, selected
from smartgrid_assets.chain.step import Step
from smartgrid_assets.domain.derive import frames
from smartgrid_assets.domain.forecast import asof
from smartgrid_assets.domain.market_day import gate_utc, week_of
from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.inbox import Inbox, content_hash
from smartgrid_assets.settings import settings as chain_settings
from smartgrid_assets_tests.chain.shelf import on_shelf
from smartgrid_assets_tests.chain.small import FIRST, METERS, NOW, TZ, deliver, file_of, kwh, lines_of, place, run

pytestmark = pytest.mark.xdist_group("test_as_of_properties")  # its lake is made once, in one worker

D = FIRST + timedelta(days=14)
"""A Monday: the week's models are fitted, and its champion chosen, at the very gate of D."""
ONE_DAY, ONE_MINUTE = timedelta(days=1), timedelta(minutes=1)
Change = dict[tuple[str, int], float]
Rows = dict[str, list[tuple[Any, ...]]]
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=[Phase.generate],  # not shrunk: each try costs a replay
)
plausible_kwh, any_kwh = st.floats(0, 20), st.floats(-1e3, 1e6)
changes = st.dictionaries(
    st.tuples(st.sampled_from(METERS), st.integers(0, 23)), st.one_of(plausible_kwh, any_kwh), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """The undisturbed lake: all days before D-1 delivered and replayed, the forecasts of D issued."""
    folder = tmp_path_factory.mktemp("calm")
    environment = {
        "SMARTGRID_HOME": f"{folder}/home",
        "SMARTGRID_MODELS": "naive_2d,naive_7d",
        # A mutant lives in this process, not in a worker of joblib's.
        "SMARTGRID_MODEL_JOBS": "1",
        # A day that is held back leaks nothing: none is, so that only the law stands between a value and a forecast.
        "SMARTGRID_HOLD_MISSING_SHARE": "1",
        "SMARTGRID_HOLD_REJECTED_SHARE": "1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr("smartgrid_assets.chain.fitting.plot_week", lambda *_: b"")
        chain_settings.cache_clear()
        _, files = place(folder / "in", 13)
        context = on_shelf(chain_context())
        deliver(context, *files)
        run(context, FIRST, D, "validated,features,scores,model,candidates,champion,day_ahead")
        yield context
    chain_settings.cache_clear()


@contextmanager
def copy_of(calm: Context) -> Iterator[Context]:
    """The calm lake once more, to be disturbed."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = calm.settings.model_copy(update={"home": Path(folder)})
        shutil.copytree(calm.settings.lake, chosen.lake)
        yield replace(chain_context(chosen=chosen), tracking=calm.tracking)


def disturb(context: Context, day: date, change: Change, received: datetime) -> None:
    """A file with the whole day, some of its values changed; then all that is made of that day."""
    home = context.settings.home
    file = file_of(home / "in", f"disturbed_{day}.csv", lines_of(day, METERS, change))
    ingest(context, Inbox(home / "inbox"), content_hash, [Delivery(file, received)], NOW)
    run(context, day, day, "validated,features,scores")


def key_of(step: Step, day: date) -> date:
    """The partition of a step that is for that day."""
    return week_of(day) if step.cadence == "week" else day


def asked(context: Context, steps: str) -> set[str]:
    """Steps that a replay would make again for D."""
    return {step.name for step in selected(steps) if due(context, step, [key_of(step, D)])}


def issue(context: Context, day: date, steps: str) -> Rows:
    """Issue a day from nothing; its rows, but for the seconds that a fit took."""
    for step in selected(steps):
        context.lake.remove(step.tables[0], key_of(step, day))
    run(context, day, day, steps)
    found = {}
    for step in selected(steps):
        hidden = " EXCLUDE (fit_seconds)" if step.name == "model" else ""
        with context.lake.connect() as con:
            select = context.lake.select(step.tables[0], [key_of(step, day)])
            found[step.name] = con.execute(f"SELECT *{hidden} FROM ({select}) ORDER BY ALL").fetchall()
    assert all(found.values())
    return found


class AtGate:
    """What the calm lake asks for and issues at D's gate; a disturbed one must do the same."""

    def __init__(self, calm: Context, steps: str) -> None:
        self.steps = steps
        with copy_of(calm) as context:
            self.asked, self.rows = asked(context, steps), issue(context, D, steps)

    def is_same_in(self, context: Context) -> None:
        """Nothing is asked for again, and all would be the same to the last row if it were."""
        again = asked(context, self.steps)
        after = issue(context, D, self.steps)
        moved = [step for step, rows in self.rows.items() if rows != after[step]]
        assert not moved, f"rows moved: {moved}"
        assert again == self.asked, f"asked for again: {again}"


# ---- event clock --------------------------------------------------------------------------------------------------


def values_from_the_day_before_on_move_nothing(calm: Context) -> None:
    """Property A. Some are received before the gate: then the event clock alone keeps them out."""
    at_gate, gate = AtGate(calm, "model,candidates,champion,day_ahead"), calm.gate(D)

    @FEW
    @given(
        st.sampled_from((-1, 0, 1, 2)),
        changes,
        st.sampled_from((gate - ONE_MINUTE, gate - timedelta(hours=4), gate + ONE_MINUTE, gate + ONE_DAY)),
    )
    def hold(ahead: int, change: Change, received: datetime) -> None:
        with copy_of(calm) as context:
            disturb(context, D + ahead * ONE_DAY, change, received)
            at_gate.is_same_in(context)

    hold()


@pytest.mark.slow
def test_no_value_from_the_day_before_on_moves_a_row_of_the_forecast(calm: Context) -> None:
    values_from_the_day_before_on_move_nothing(calm)


@pytest.mark.slow
def test_a_gate_that_sees_load_of_its_own_day_is_found(calm: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    # The chain cuts the history and the models cut what they are handed: either alone would hide the other's leak.
    true_limit = Context.load_known_until
    monkeypatch.setattr(Context, "load_known_until", lambda self, day: true_limit(self, day) + ONE_DAY)
    monkeypatch.setattr(asof, "FRESHEST_DAYS", 1)
    monkeypatch.setattr(asof, "known_at_gate", lambda history, gate_utc, tz: history)
    with pytest.raises(AssertionError, match="rows moved"):
        values_from_the_day_before_on_move_nothing(calm)


# ---- knowledge clock ----------------------------------------------------------------------------------------------


def corrections_after_the_gate_move_nothing(calm: Context) -> None:
    """Property B, first half. The champion is judged by a test of its own."""
    at_gate, gate = AtGate(calm, "model,candidates"), gate_utc(D, TZ, calm.settings.gate)

    @FEW
    @given(st.integers(1, 13), changes, st.sampled_from((ONE_MINUTE, ONE_DAY, 9 * ONE_DAY)))
    def hold(back: int, change: Change, late: timedelta) -> None:
        with copy_of(calm) as context:
            disturb(context, D - (1 + back) * ONE_DAY, change, gate + late)
            at_gate.is_same_in(context)

    hold()


@pytest.mark.slow
def test_no_correction_received_after_the_gate_moves_a_row_of_the_forecast(calm: Context) -> None:
    corrections_after_the_gate_move_nothing(calm)


@pytest.mark.slow
def test_a_gate_that_knows_what_came_later_is_found(calm: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    true_gate = Context.gate
    monkeypatch.setattr(Context, "gate", lambda self, day: true_gate(self, day) + 14 * ONE_DAY)
    with pytest.raises(AssertionError, match="rows moved"):
        corrections_after_the_gate_move_nothing(calm)


@pytest.mark.slow
def test_a_history_that_looks_at_no_receipt_is_found(calm: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    true_history = frames.history_frame
    monkeypatch.setattr(
        frames,
        "history_frame",
        lambda con, load, zones, gate, until, marks=None: true_history(con, load, zones, datetime.max, until, marks),
    )
    with pytest.raises(AssertionError, match="rows moved"):
        corrections_after_the_gate_move_nothing(calm)


def test_corrections_received_after_the_gate_leave_the_champion_of_that_gate(calm: Context) -> None:
    at_gate = AtGate(calm, "champion,day_ahead")
    with copy_of(calm) as context:
        for back in range(2, 8):
            disturb(context, D - back * ONE_DAY, {(meter, 12): 9.0 for meter in METERS}, context.gate(D) + ONE_MINUTE)
        at_gate.is_same_in(context)


def corrections_move_the_later_forecast_that_reads_them(calm: Context) -> None:
    """Property B, second half: naive_7d of the day a week on reads the corrected day, and its gate lies after the receipt."""
    with copy_of(calm) as undisturbed:
        before = {nth: issue(undisturbed, D + nth * ONE_DAY, "candidates") for nth in range(1, 6)}

    @FEW
    @given(st.integers(1, 5), st.sampled_from(METERS), st.floats(1.2, 2.5))
    def hold(nth: int, meter: str, factor: float) -> None:
        later = D + nth * ONE_DAY
        read = later - 7 * ONE_DAY
        start = calm.market_day(read).start_utc
        change = {(meter, hour): factor * kwh(meter, start + timedelta(hours=hour)) for hour in range(24)}
        with copy_of(calm) as context:
            disturb(context, read, change, context.gate(D) + ONE_MINUTE)
            moved = before[nth] != issue(context, later, "candidates")
            assert moved, f"the forecast of {later} reads {read}, and did not move"

    hold()


@pytest.mark.slow
def test_a_correction_moves_the_forecast_a_week_on_whose_gate_knew_it(calm: Context) -> None:
    corrections_move_the_later_forecast_that_reads_them(calm)


def test_a_gate_that_closes_its_eyes_is_found(calm: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    # The law the other way round: what was known in time must be seen, else "nothing moves" is cheap.
    true_gate = Context.gate
    monkeypatch.setattr(Context, "gate", lambda self, day: true_gate(self, min(day, D)))
    with pytest.raises(AssertionError, match="did not move"):
        corrections_move_the_later_forecast_that_reads_them(calm)
