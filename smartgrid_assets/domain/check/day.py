"""One market day from raw to validated: which reading counts, what the rules say, what stands in for the rest.

The day is checked once for each gate closure that saw something new of it (nearly always one), and a later version
only touches the meters that changed, so corrections cost what they change. Only SQL over the day: no reading is a
Python object. Temp tables are named chk_*; the next call on the same connection replaces them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from duckdb import DuckDBPyConnection

from smartgrid_assets.domain.check.counted import days_of_periods, load_counted, open_counted, open_periods, scale_to_registers
from smartgrid_assets.domain.check.delivered import date_gates, load_delivered, make_gates
from smartgrid_assets.domain.check.donors import Donors, Lookback
from smartgrid_assets.domain.check.edges import days_of_edges, find_edges, open_edges
from smartgrid_assets.domain.check.findings import apply_rules
from smartgrid_assets.domain.check.grid import find_missing, lay_grids
from smartgrid_assets.domain.check.hindsight import apply_hindsight, load_hindsight, publish_said, say_of_before, start_saying
from smartgrid_assets.domain.check.history import PastDays, add_version, days_before, look_back, publish_days, start_days
from smartgrid_assets.domain.check.limits import CheckLimits
from smartgrid_assets.domain.check.outages import fill_outages, load_events, open_events, silence_rules
from smartgrid_assets.domain.check.quality import measure_quality
from smartgrid_assets.domain.check.rejected import keep_findings, lateness_of, list_rejected, start_findings
from smartgrid_assets.domain.check.repair import expect_silent, repair
from smartgrid_assets.domain.check.swapped import keep_swapped
from smartgrid_assets.domain.check.verdicts import apply_verdicts, load_verdicts, put_replacements
from smartgrid_assets.domain.check.versions import keep_version, publish, start_versions
from smartgrid_assets.domain.check.winners import EVERY_ROW, choose_winners
from smartgrid_assets.domain.market_day import MarketDay

Publish = Callable[[str], None]


@dataclass(frozen=True)
class CheckedDay:
    """Names of the temp tables of one checked day, as validated/* declares them; `said` has the day that it is about, too.

    donor_days: earlier days that estimates rest on; empty where none was asked for.
    days_before, known_utc: earlier days that rules looked back at, as known at that gate; None where nothing was delivered.
    counts: rows of each table, and versions.
    """

    readings: str = "chk_out_readings"
    earlier: str = "chk_out_earlier"
    rejected: str = "chk_out_rejected"
    quality: str = "chk_out_quality"
    days: str = "chk_out_days"
    said: str = "chk_out_said"
    donor_days: list[date] = field(default_factory=list)
    days_before: list[date] = field(default_factory=list)
    known_utc: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)


def check_day(
    con: DuckDBPyConnection,
    day: MarketDay,
    tz: str,
    gate: time,
    readings: str,
    files: str,
    lines: str,
    meters: str,
    verdicts: str,
    counted: str,
    events: str,
    hindsight: str,
    lookback: Lookback,
    publish_first: Publish,
    past: PastDays,
    limits: CheckLimits,
) -> CheckedDay:
    """Validate and estimate one market day.

    readings: relation of raw/meter_readings of the day's active deliveries.
    files: relation of source_hash, file_name and main_days (market days that most of the file is of; null: unknown) of
      those deliveries.
    lines: relation of raw/rejected_lines of the day, with file_name.
    meters: one row a meter valid that day: meter_id, role, feeder, zone, class, rating_kw, status, multiplier, made_up.
    verdicts: relation of validated/verdicts of the day.
    counted: relation of raw/register_reads of the day.
    events: relation of raw/meter_events of the day.
    hindsight: relation of validated/hindsight of the day: what later days said of it.
    lookback: days -> relation of validated/meter_readings and validated/earlier_readings of those days together, with
      day and known_until_utc (null where the value still stands); called at most once, only if a long gap needs it.
    publish_first: called once, before any rule, with the relation of validated/meter_days of this day.
    past: days -> relation of validated/meter_days of those earlier days, with day; not called before that.
    """
    load_delivered(con, day, tz, readings, files, meters)
    gates = dict(make_gates(con, day, tz, gate))
    donors = Donors(con, day, tz, lookback, past, limits)
    start_versions(con)
    start_findings(con)
    beside = [
        *load_verdicts(con, verdicts, tz, gate),
        *load_counted(con, counted, day, tz, gate),
        *load_events(con, events, day, tz, gate),
        *load_hindsight(con, hindsight, tz, gate),
    ]
    start_saying(con)
    _summarise(con, day, gates, limits)
    publish_first(CheckedDay.days)
    before = days_before(day.day)
    looked_at = set(before)
    _merge(gates, beside)
    versions, is_chosen, at = 0, len(gates) == 1, None
    while gates:
        at = min(gates)
        known_utc = gates.pop(at)
        if not is_chosen:
            _choose(con, day, _touch(con, at, is_first=versions == 0, is_last=not gates), limits)
        look_back(con, day, past(before), at, limits)
        edges, periods = days_of_edges(con, day.day), days_of_periods(con, day.day, tz)
        open_edges(con, past, edges, at)
        open_periods(con, past, periods, tz, day, at)
        looked_at.update(edges, periods)
        _check_version(con, day, tz, donors, at, known_utc, limits)
        if donors.days:
            _expect_changed_donors(con, tz, gate, at, gates)
        is_only, is_chosen = versions == 0 and not gates, False
        keep_version(con, versions, known_utc, "chk_touching", is_only)
        keep_findings(con, "chk_touching", versions == 0, is_only)
        versions += 1
    if not versions:
        con.execute("INSERT INTO chk_all_silent SELECT series FROM chk_series WHERE is_expected")
    looked_at.update(donors.days)
    done = CheckedDay(donor_days=donors.days, days_before=sorted(looked_at, reverse=True), known_utc=at)
    publish(con, versions, done.readings, done.earlier)
    publish_said(con, day, tz, done.said)
    keep_swapped(con)
    list_rejected(con, readings, lines, done.rejected)
    measure_quality(con, day, lines, done.readings, lateness_of(versions == 1), done.quality, limits)
    tables = {"readings": done.readings, "earlier": done.earlier, "rejected": done.rejected, "quality": done.quality}
    counts = {name: con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0] for name, relation in tables.items()}
    return replace(done, counts={**counts, "versions": versions})


def _touch(con: DuckDBPyConnection, at: datetime, is_first: bool, is_last: bool) -> str:
    """chk_touching: series that this gate sees anew. Returns the relation of all rows that it knows of them."""
    changed = f"""
        SELECT series FROM chk_rows JOIN chk_known USING (known_at) WHERE gate_utc = TIMESTAMP '{at}'
        UNION SELECT series FROM chk_verdicts WHERE gate_utc = TIMESTAMP '{at}'
        UNION SELECT series FROM chk_counted WHERE gate_utc = TIMESTAMP '{at}'
        UNION SELECT series FROM chk_events WHERE gate_utc = TIMESTAMP '{at}'
        UNION SELECT series FROM chk_hindsight_known WHERE gate_utc = TIMESTAMP '{at}'
        UNION SELECT series FROM chk_donors JOIN chk_donors_known ON known_at = known_from_utc WHERE gate_utc = TIMESTAMP '{at}'"""
    con.execute("CREATE TEMP TABLE IF NOT EXISTS chk_donors_known (known_at TIMESTAMP, gate_utc TIMESTAMP)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE chk_touching AS {'SELECT series FROM chk_series' if is_first else changed}")
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW chk_visible AS
        SELECT r.* FROM chk_rows r SEMI JOIN chk_touching t ON t.series = r.series
        SEMI JOIN (SELECT known_at FROM chk_known WHERE gate_utc <= TIMESTAMP '{at}') k ON k.known_at = r.known_at""")
    return EVERY_ROW if is_first and is_last else "chk_visible"


def _choose(con: DuckDBPyConnection, day: MarketDay, visible: str, limits: CheckLimits) -> None:
    choose_winners(con, visible)
    lay_grids(con, day, limits.dust_kwh)
    find_missing(con, day)
    find_edges(con)


def _summarise(con: DuckDBPyConnection, day: MarketDay, gates: dict[datetime, datetime], limits: CheckLimits) -> None:
    """Make chk_out_days. Of a day with one version its winners stay chosen; several are gone through once more."""
    start_days(con)
    for n, (at, known_utc) in enumerate(sorted(gates.items()), start=1):
        _choose(con, day, _touch(con, at, is_first=n == 1, is_last=n == len(gates)), limits)
        add_version(con, day, known_utc)
    publish_days(con, CheckedDay.days)


def _check_version(
    con: DuckDBPyConnection, day: MarketDay, tz: str, donors: Donors, at: datetime, known_utc: datetime, limits: CheckLimits
) -> None:
    con.execute("""
        CREATE OR REPLACE TEMP TABLE chk_silent AS
        SELECT s.series FROM chk_series s SEMI JOIN chk_touching t ON t.series = s.series
        ANTI JOIN chk_grids g ON g.series = s.series WHERE s.is_expected""")
    expect_silent(con, day, donors, "chk_silent", at)
    open_counted(con, at)
    open_events(con, at)
    before = apply_rules(con, day, limits)
    say_of_before(con, before, known_utc)
    silence_rules(con)
    apply_hindsight(con, at)
    apply_verdicts(con, at)
    repair(con, day, tz, donors, at, limits)
    fill_outages(con)
    scale_to_registers(con)
    put_replacements(con)


def _expect_changed_donors(con: DuckDBPyConnection, tz: str, gate: time, at: datetime, gates: dict[datetime, datetime]) -> None:
    """Estimates move when their like days are corrected: add the later gates at which a donor became known to `gates`."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE chk_donors_known AS
        SELECT DISTINCT known_from_utc AS known_at, known_from_utc AS gate_utc FROM chk_donors
        WHERE known_from_utc > TIMESTAMP '{at}'""")
    _merge(gates, date_gates(con, "chk_donors_known", tz, gate))


def _merge(gates: dict[datetime, datetime], more: list[tuple[datetime, datetime]]) -> None:
    """Let each gate know of the newest moment that it saw."""
    for closure, newest in more:
        gates[closure] = max(newest, gates.get(closure, newest))
