"""The demo's closing words: what came in, how good the forecast was, what the alarms found, what the plan costs.

Plain numbers in, plain lines out; whoever prints them chooses the colours. What is not known is said, never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

REASONS_SHOWN = 5


@dataclass(frozen=True)
class ReadingsSummary:
    """What was delivered for the market days first .. last. reasons: rule -> readings it rejected or repaired."""

    first: date
    last: date
    days: int
    held_days: tuple[date, ...]
    delivered: int
    repaired: int
    rejected: int
    reasons: dict[str, int]


@dataclass(frozen=True)
class ForecastSummary:
    """One forecast over the scored days: the published one, or a naive beside it. Means over zones and intervals; nmae: 0 to 1."""

    name: str
    mae_mw: float
    pinball_mw: float
    nmae: float


@dataclass(frozen=True)
class AlarmSummary:
    """Alarms against the town's true faults, counted in meter-days.

    hits: alarms on a fault's meter and day. misses: faulty meter-days without an alarm.
    """

    detector: str
    alarms: int
    hits: int
    misses: int


@dataclass(frozen=True)
class CaseSummary:
    """Cases that stand on the newest day. right: of those to visit, on a meter (or a feeder with one) that truly has a fault."""

    day: date
    to_visit: int
    right: int
    explained: int


@dataclass(frozen=True)
class PlanSummary:
    """Plans of `days` market days. perfect_cost: with the load that came; None while no such day is known.

    comparable_cost: what the published commitment cost, settled with the load that came, on the same days.
    """

    days: int
    currency: str
    cost: float
    reserve_mw: float
    reserve_required_mw: float
    unserved_mwh: float
    fleet_source: str
    comparable_cost: float | None = None
    perfect_cost: float | None = None


@dataclass(frozen=True)
class NextCommand:
    """What to do next, and the command that does it."""

    purpose: str
    command: str


def demo_summary(
    readings: ReadingsSummary,
    published: ForecastSummary | None,
    naives: list[ForecastSummary],
    alarms: list[AlarmSummary],
    cases: CaseSummary | None,
    plan: PlanSummary | None,
    commands: list[NextCommand],
) -> list[str]:
    """All sections, an empty line between them."""
    sections = [
        readings_lines(readings),
        forecast_lines(published, naives),
        alarm_lines(alarms) + case_lines(cases),
        plan_lines(plan),
        command_lines(commands),
    ]
    return [line for n, section in enumerate(sections) for line in ([""] if n else []) + section]


def readings_lines(readings: ReadingsSummary) -> list[str]:
    """Days, readings delivered, repaired and rejected, and the commonest reasons."""
    lines = [
        f"Readings   {readings.days} market days, {readings.first} to {readings.last}",
        f"           {readings.delivered:,} delivered, {readings.repaired:,} repaired, {readings.rejected:,} rejected",
    ]
    commonest = sorted(readings.reasons.items(), key=lambda reason: (-reason[1], reason[0]))[:REASONS_SHOWN]
    if commonest:
        lines.append("           why: " + ", ".join(f"{rule} {count:,}" for rule, count in commonest))
    if readings.held_days:
        lines.append("           held back: " + ", ".join(map(str, readings.held_days)))
    return lines


def forecast_lines(published: ForecastSummary | None, naives: list[ForecastSummary]) -> list[str]:
    """MAE and pinball loss of what was published beside the feasible naives, and by how much it is better."""
    if published is None:
        return ["Forecast   no day is scored yet: the load of a forecast day must be known first"]
    every = [published, *naives]
    width = max(len(forecast.name) for forecast in every)
    lines = [f"Forecast   {'':{width}}     MAE MW  of load  pinball MW"]
    lines += [f"           {f.name:{width}}  {f.mae_mw:9.4f}  {f.nmae:7.1%}  {f.pinball_mw:10.4f}" for f in every]
    best = min((naive for naive in naives), key=lambda naive: naive.mae_mw, default=None)
    if best is not None and best.mae_mw > 0:
        gain = 1 - published.mae_mw / best.mae_mw
        lines.append(f"           {abs(gain):.0%} {'better' if gain >= 0 else 'WORSE'} than the best naive ({best.name})")
    return lines


def alarm_lines(alarms: list[AlarmSummary]) -> list[str]:
    """Per detector: alarms, those on true faults, faults that none saw."""
    if not alarms:
        return ["Alarms     no day was searched"]
    lines = []
    for n, found in enumerate(alarms):
        precision = f"{found.hits / found.alarms:.0%} of the alarms are right" if found.alarms else "no alarms"
        lines.append(
            f"{'' if n else 'Alarms':11}{found.detector}: {found.alarms:,} alarms, {found.hits:,} on true faults, "
            f"{found.misses:,} faulty meter-days missed; {precision}"
        )
    return lines


def case_lines(cases: CaseSummary | None) -> list[str]:
    """How many meters and feeders are worth a visit, and how many of them truly are."""
    if cases is None:
        return []
    told = f"{cases.right} of {cases.to_visit} where something truly is wrong" if cases.to_visit else "none to visit"
    return [f"{'':11}cases of {cases.day}: {told}; {cases.explained} more meters changed for reasons that need no visit"]


def plan_lines(plan: PlanSummary | None) -> list[str]:
    """Cost and reserve of the plans, and what perfect foresight would have cost."""
    if plan is None:
        return ["Plan       no day is planned yet"]
    lines = [
        f"Plan       {plan.days} days cost {plan.cost:,.0f} {plan.currency}".rstrip()
        + f"; reserve {plan.reserve_mw:,.3g} MW held of {plan.reserve_required_mw:,.3g} MW required, on average"
    ]
    if plan.unserved_mwh > 0:
        lines.append(f"           {plan.unserved_mwh:,.2f} MWh could NOT be served")
    lines.append("           " + _foresight(plan))
    if plan.fleet_source == "reference":
        lines.append("           no fleet was delivered: a built-in reference fleet, scaled to the load, was used")
    return lines


def command_lines(commands: list[NextCommand]) -> list[str]:
    """Where to look next."""
    width = max((len(command.purpose) for command in commands), default=0)
    return [f"{'' if n else 'Next':11}{c.purpose:{width}}  {c.command}" for n, c in enumerate(commands)]


def _foresight(plan: PlanSummary) -> str:
    if plan.perfect_cost is None or plan.comparable_cost is None:
        return "what perfect foresight would have cost is known once the load is"
    more = plan.comparable_cost - plan.perfect_cost
    share = f" ({more / plan.perfect_cost:+.2%})" if plan.perfect_cost else ""
    return (
        f"settled with the load that came {plan.comparable_cost:,.0f}; "
        f"perfect foresight would have cost {plan.perfect_cost:,.0f}: {more:+,.0f}{share}"
    )
