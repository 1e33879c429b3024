"""raw -> validated: judge one market day's readings, repair what can be repaired, hold back what would poison tomorrow."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.step import ABSENT, FURTHER, Inputs, Made, Step, Work
from smartgrid_assets.domain.tables import table

if TYPE_CHECKING:
    from smartgrid_assets.domain.check.limits import CheckLimits

READINGS, EARLIER = "validated/meter_readings", "validated/earlier_readings"
DAYS, VERDICTS, HINDSIGHT = "validated/meter_days", "validated/verdicts", "validated/hindsight"
DELIVERED, COUNTED, EVENTS = "raw/meter_readings", "raw/register_reads", "raw/meter_events"
REJECTED, QUALITY, HELD = "validated/rejected_readings", "validated/data_quality", "validated/held_days"


def _inputs(context: Context, day: date) -> Inputs | None:
    readings = context.delivered.readings_digest(day)
    if readings is None and context.lake.footer(READINGS, day) is None:
        return None
    # A corrected mapping may take all readings from a day: it is then made again, empty.
    inputs = {f"{DELIVERED}@{day}": readings or "none", f"raw/meters@{day}": context.delivered.meters_digest(day) or "none"}
    more = {path: context.delivered.files_digest(path, day) for path in (VERDICTS, HINDSIGHT, COUNTED, EVENTS)}
    return inputs | {f"{path}@{day}": digest for path, digest in more.items() if digest}


def limits_of(context: Context) -> CheckLimits:
    """The room's limits, with those that are settings."""
    from smartgrid_assets.domain.check.limits import CheckLimits

    s = context.settings
    return CheckLimits(s.hold_missing_share, s.hold_rejected_share, s.warn_missing_share, s.warn_loss_share, s.warn_late_hours)


def _make(work: Work) -> Made:
    from smartgrid_assets.domain.check.day import check_day
    from smartgrid_assets.domain.check.hold import holds

    context, con, day = work.context, work.con, work.key
    settings = context.settings
    limits = limits_of(context)

    def lookback(days: list[date]) -> str:
        work.others.wait_for(days)
        current = context.lake.select(READINGS, days)
        earlier = context.lake.select(EARLIER, days)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW lookback AS SELECT *, NULL::TIMESTAMP AS known_until_utc FROM ({current}) UNION ALL BY NAME SELECT * FROM ({earlier})"
        )
        return "lookback"

    def past(days: list[date]) -> str:
        work.others.wait_for_part(days)
        return f"({context.lake.select(DAYS, days)})"

    checked = check_day(
        con,
        day=context.market_day(day),
        tz=settings.timezone,
        gate=settings.gate,
        readings=context.delivered.of_day(con, DELIVERED, day),
        files=context.delivered.files(con, day),
        lines=context.delivered.rejected_lines(con, day),
        meters=context.delivered.meters(con, day),
        verdicts=context.lake.view(con, VERDICTS, [day]),
        counted=context.delivered.of_day(con, COUNTED, day),
        events=context.delivered.of_day(con, EVENTS, day),
        hindsight=context.lake.view(con, HINDSIGHT, [day]),
        lookback=lookback,
        publish_first=lambda relation: work.publish(DAYS, relation),
        past=past,
        limits=limits,
    )
    reasons = holds(con, checked.quality, limits)
    relations = {READINGS: checked.readings, EARLIER: checked.earlier, REJECTED: checked.rejected, QUALITY: checked.quality}
    if reasons:
        relations = {REJECTED: checked.rejected, QUALITY: checked.quality}
    relations[HELD] = _held_relation(work, reasons)
    _say(work, checked.said)
    # A like day that is not there is an input too: when it comes, the estimates change.
    donors = [(path, d) for d in checked.donor_days for path in (READINGS, EARLIER)]
    more = {f"{FURTHER}{path}@{d}": context.lake.digest(path, d) or ABSENT for path, d in donors}
    if known := checked.known_utc:  # as known then: what is corrected later is no input
        seen = [(f"{FURTHER}{DAYS}@{d}<={known.isoformat()}", context.lake.digest_as_of(DAYS, d, known)) for d in checked.days_before]
        more |= {name: digest or ABSENT for name, digest in seen}
    return Made(relations, more, dict(checked.counts) | {"held": [r.reason for r in reasons]}, bool(reasons))


def _say(work: Work, said: str) -> None:
    """Keep what this day says of days before, in the place of what it said of them last time. A trial (overlay) says nothing."""
    from smartgrid_assets.domain.check.hindsight import days_told_of

    raw = work.context.lake.raw
    if not raw.is_read_only:
        raw.append_anew(work.con, HINDSIGHT, said, work.key.isoformat(), days_told_of(work.key))


def _held_relation(work: Work, reasons: list[Any]) -> str:
    columns = ", ".join(f"{c.name} {c.type}" for c in table(HELD).columns)
    work.con.execute(f"CREATE OR REPLACE TEMP TABLE held ({columns})")
    for reason in reasons:
        work.con.execute("INSERT INTO held VALUES (?, ?, ?, ?)", (reason.check_name, reason.reason, reason.value, reason.threshold))
    return "held"


def _size_bytes(context: Context, day: date) -> int:
    return sum(file.stat().st_size for file in context.lake.files(DELIVERED, [day]))


def _code() -> str:
    from smartgrid_assets.domain.check.rule import rules_version

    return rules_version()


def _settings(context: Context) -> dict[str, Any]:
    s = context.settings
    return {"gate": s.gate.isoformat(), "hold_missing_share": s.hold_missing_share, "hold_rejected_share": s.hold_rejected_share}


STEP = Step(
    name="check",
    tables=(READINGS, EARLIER, DAYS, REJECTED, QUALITY),
    cadence="day",
    inputs=_inputs,
    make=_make,
    code=_code,
    settings=_settings,
    holds=HELD,
    looks_back=_size_bytes,  # estimates rest on like days before
    is_history=True,
)
