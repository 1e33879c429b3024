"""Green Button: energy usage as an Atom feed of ESPI resources (NAESB REQ.21).

A UsagePoint is a meter; a MeterReading of it has a ReadingType, which says what the numbers count, and IntervalBlocks,
which hold them. Times are seconds since 1970, UTC: the feed's own time zone parameters are for display. The feed is streamed
and no entity is resolved; what an entry is about is looked up at the end, for links may point forward.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.delivery import Format
from smartgrid_assets.domain.acquire.keep import faults, feed, first_fault, list_faults, note_fault, open_faults
from smartgrid_assets.domain.acquire.lengths import SENSIBLE
from smartgrid_assets.domain.acquire.mapping import MeterRule
from smartgrid_assets.domain.acquire.meters import make_up_meters
from smartgrid_assets.domain.acquire.place import date_starts
from smartgrid_assets.domain.acquire.sql import insert, run
from smartgrid_assets.domain.acquire.xml import XmlError, parse
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from smartgrid_assets.domain.acquire.delivery import Job, Parsed
    from smartgrid_assets.domain.acquire.head import Head
    from smartgrid_assets.domain.acquire.mapping import Mapping

UOM = {72: "Wh", 38: "W", 73: "varh", 63: "var", 71: "VAh", 61: "VA", 29: "V", 5: "A", 169: "therm", 42: "m3", 119: "ft3", 132: "Btu"}
"""UnitSymbolKind of ESPI."""
FLOWS = {1: "import", 19: "export", 4: "import:net"}
"""FlowDirectionKind: forward is delivered to the customer; net may be negative."""
REGISTERS = (1, 3, 9)
"""AccumulationKinds of values that count up: bulk quantity, cumulative, summation."""
ESTIMATED = (7, 8, 9, 12, 13)
"""QualityOfReadings: edited by hand, by a reference day, interpolated, projected, mixed."""
ROWS_A_CHUNK = 100_000
"""Readings held in Python at a time: about 20 MB."""
_COLUMNS = ("entry", "ordinal", "line", "start", "duration", "value", "quality", "cost")
_UPDATED = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$")


def _recognises(head: Head) -> float:
    return 0.95 if re.search(r"naesb\.org/espi|<(\w+:)?IntervalBlock\b|<(\w+:)?UsagePoint\b", head.text) else 0.0


@dataclass
class _Entry:
    """One Atom entry, or what is known of it so far."""

    links: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    updated: str = ""
    kinds: set[str] = field(default_factory=set)
    type: dict[str, str] = field(default_factory=dict)

    def link(self, rel: str) -> str:
        return next((href for kind, href in self.links if kind == rel), "")


@dataclass
class _Feed:
    """What the parser tells, element by element. Readings go to DuckDB in chunks; entries stay."""

    job: Job
    entries: list[_Entry] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    reading: dict[str, str] | None = None
    line: int = 0
    ordinal: int = 0

    def begin(self, path: tuple[str, ...], attributes: dict[str, str], line: int) -> None:
        name = path[-1]
        if name == "entry":
            self.entries.append(_Entry())
        elif name == "IntervalReading":
            self.reading, self.line = {}, line
        if not self.entries:
            return
        if name == "link":
            self.entries[-1].links.append((attributes.get("rel", ""), attributes.get("href", "").rstrip("/")))
        elif len(path) > 1 and path[-2] == "content":
            self.entries[-1].kinds.add(name)

    def end(self, path: tuple[str, ...], text: str) -> None:
        name, above = path[-1], path[-2] if len(path) > 1 else ""
        if self.reading is not None:
            if name == "IntervalReading":
                self._finish_reading()
            elif above in ("IntervalReading", "timePeriod", "ReadingQuality"):
                self.reading[name] = text.strip()
        elif above == "entry" and name in ("title", "updated"):
            setattr(self.entries[-1], name, text.strip())
        elif above == "ReadingType" and self.entries:
            self.entries[-1].type[name] = text.strip()

    def _finish_reading(self) -> None:
        assert self.reading is not None
        said = self.reading
        self.rows.append((
            len(self.entries) - 1, self.ordinal, self.line, said.get("start", ""), said.get("duration", ""), said.get("value", ""),
            said.get("quality", ""), said.get("cost", ""),
        ))  # fmt: skip
        self.ordinal, self.reading = self.ordinal + 1, None
        if len(self.rows) >= ROWS_A_CHUNK:
            self.flush()

    def flush(self) -> None:
        """Move the readings held to the job's table of cells."""
        if self.rows:
            columns = dict(zip(_COLUMNS, map(list, zip(*self.rows, strict=True)), strict=True))
            insert(self.job.con, f"{self.job.prefix}_cells", columns)
            self.rows.clear()


def _read(job: Job, mapping: Mapping | None, parsed: Parsed) -> None:
    """Read the feed. Raises DeliveryError where not one reading of it could be kept."""
    open_faults(job)
    job.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {job.prefix}_cells (entry BIGINT, ordinal BIGINT, line BIGINT, start VARCHAR, duration VARCHAR, "
        "value VARCHAR, quality VARCHAR, cost VARCHAR)"
    )
    feed = _Feed(job)
    with job.open() as stream:
        try:
            parse(stream, feed.begin, feed.end)
        except XmlError as error:
            note_fault(job, error.line, "xml", f"Line {error.line}, column {error.column}: {error.reason}.")
            parsed.notes.append(f"Reading stopped in line {error.line}: {error.reason}. What stands above it was kept.")
    feed.flush()
    _streams(job, feed.entries)
    _judge(job)
    _keep(job, parsed)
    list_faults(job, parsed)
    if not parsed.readings:
        raise DeliveryError(f"{job.head.name}: nothing could be kept: {first_fault(job) or 'there is no IntervalReading in it.'}")
    make_up_meters(job, parsed, MeterRule())


def _streams(job: Job, entries: list[_Entry]) -> None:
    """What each entry with an IntervalBlock counts: meter, channel, unit, factor, whether it counts up, version."""
    table = f"{job.prefix}_streams"
    job.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} (entry BIGINT, meter VARCHAR, channel VARCHAR, uom VARCHAR, factor DOUBLE, counts_up BOOLEAN, "
        "interval_seconds BIGINT, version_at TIMESTAMP)"
    )
    links = _Links.of(entries)
    rows = [(number, *_stream(links, entry)) for number, entry in enumerate(entries) if "IntervalBlock" in entry.kinds]
    if rows:
        job.con.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


@dataclass(frozen=True)
class _Links:
    """Where links lead: readings and types by their own address, and the usage points."""

    readings: dict[str, _Entry]
    types: dict[str, _Entry]
    points: list[_Entry]

    @classmethod
    def of(cls, entries: list[_Entry]) -> _Links:
        def by_self(kind: str) -> dict[str, _Entry]:
            return {entry.link("self"): entry for entry in entries if kind in entry.kinds}

        return cls(by_self("MeterReading"), by_self("ReadingType"), [entry for entry in entries if "UsagePoint" in entry.kinds])


def _stream(links: _Links, block: _Entry) -> tuple[str, str, str | None, float, bool, int | None, datetime | None]:
    home = (block.link("up") or block.link("self")).partition("/IntervalBlock")[0]
    reading = links.readings.get(home)
    only = next(iter(links.types.values())) if len(links.types) == 1 else None
    found = next((links.types[href] for _, href in reading.links if href in links.types), only) if reading else only
    said = found.type if found else {}
    uom = UOM.get(_number(said.get("uom")) or -1)
    direction = FLOWS.get(_number(said.get("flowDirection")) or 1, "other")
    is_energy = uom in ("Wh", "W") and _number(said.get("commodity")) in (None, 0, 1, 2)
    factor = 10.0 ** min(max(_number(said.get("powerOfTenMultiplier")) or 0, -12), 12)
    counts_up = _number(said.get("accumulationBehaviour")) in REGISTERS
    return (
        _meter(links, home), direction if is_energy else "other", uom, factor, counts_up, _number(said.get("intervalLength")),
        _moment(block.updated),
    )  # fmt: skip


def _meter(links: _Links, home: str) -> str:
    """The usage point's own name in the links; else its title, where the feed has only one."""
    if named := re.search(r"UsagePoint/([^/]+)", home):
        return named.group(1)
    if len(links.points) != 1:
        return ""
    return links.points[0].link("self").rpartition("/")[2] or links.points[0].title


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[+-]?\d{1,9}", text) else None


def _moment(text: str) -> datetime | None:
    found = _UPDATED.match(text)
    try:
        return datetime.fromisoformat(found.group(1)) if found else None
    except ValueError:
        return None


def _judge(job: Job) -> None:
    """The readings with their stream, times in numbers, and what is wrong with them."""
    judged = f"{job.prefix}_judged"
    job.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {judged} AS
        SELECT *, CASE WHEN coalesce(meter, '') = '' THEN 'meter' WHEN uom IS NULL THEN 'unit' WHEN start_utc IS NULL THEN 'time'
            WHEN NOT counts_up AND coalesce(minutes NOT IN {SENSIBLE}, true) THEN 'interval'
            WHEN said <> '' AND NOT coalesce(isfinite(number), false) THEN 'value' END AS fault
        FROM (SELECT c.entry, c.ordinal, c.line, c.value AS said, TRY_CAST(c.value AS DOUBLE) * s.factor AS number, s.* EXCLUDE (entry),
                  CASE WHEN TRY_CAST(c.start AS BIGINT) BETWEEN 86400 AND 4102444800 THEN make_timestamp(TRY_CAST(c.start AS BIGINT) * 1000000) END AS start_utc,
                  coalesce(TRY_CAST(c.duration AS BIGINT), s.interval_seconds) AS seconds, TRY_CAST(c.quality AS INTEGER) AS quality_code,
                  CASE WHEN seconds % 60 = 0 THEN seconds // 60 END AS minutes, TRY_CAST(c.cost AS DOUBLE) / 100000 AS cost
              FROM {job.prefix}_cells c LEFT JOIN {job.prefix}_streams s USING (entry))""")
    job.con.execute(f"""
        INSERT INTO {faults(job)}
        SELECT line, ordinal, fault, 'Line ' || line || ', IntervalReading: ' || CASE fault
                WHEN 'meter' THEN 'no UsagePoint tells whose it is' WHEN 'unit' THEN 'no ReadingType tells what it counts, or its unit is unknown'
                WHEN 'time' THEN 'its start is no time in seconds since 1970'
                WHEN 'interval' THEN coalesce(seconds::VARCHAR, 'no') || ' seconds are no interval of at most 12 hours'
                ELSE 'its value is no finite number' END || '.', said[:500], start_utc::DATE
        FROM {judged} WHERE fault IS NOT NULL""")


def _keep(job: Job, parsed: Parsed) -> None:
    """raw/meter_readings of intervals, raw/register_reads of what counts up."""
    date_starts(job, f"{job.prefix}_moments", f"SELECT start_utc FROM {job.prefix}_judged WHERE fault IS NULL")
    values = {"source_hash": job.source_hash, "received": job.source.received_at}
    quality = f"CASE WHEN number IS NULL THEN 'missing' WHEN quality_code IN {ESTIMATED} THEN 'substituted' ELSE 'measured' END AS quality"
    readings, reads = f"{job.prefix}_meter_readings", f"{job.prefix}_register_reads"
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {readings} AS
        SELECT $source_hash AS source_hash, ordinal, meter AS meter_id, channel, uom, start_utc AS interval_start_utc,
            minutes::SMALLINT AS interval_minutes, number AS value, {quality}, version_at, quality_code::VARCHAR AS source_quality, cost,
            $received::TIMESTAMP AS received_at, available_at, day
        FROM {job.prefix}_judged JOIN {job.prefix}_moments USING (start_utc) WHERE fault IS NULL AND NOT counts_up ORDER BY ordinal""",
        values,
    )
    run(
        job.con,
        f"""CREATE OR REPLACE TEMP TABLE {reads} AS
        SELECT $source_hash AS source_hash, ordinal, meter AS meter_id, channel AS register, '' AS register_id, '' AS serial,
            CASE WHEN channel IN ('import', 'export') THEN channel ELSE '' END AS direction, uom, NULL::DOUBLE AS previous_read,
            NULL::TIMESTAMP AS previous_at_utc, number AS register_read, start_utc + to_seconds(coalesce(seconds, 0)) AS read_at_utc,
            NULL::DOUBLE AS quantity, {quality}, version_at, $received::TIMESTAMP AS received_at, day
        FROM {job.prefix}_judged JOIN {job.prefix}_moments USING (start_utc) WHERE fault IS NULL AND counts_up AND number IS NOT NULL ORDER BY ordinal""",
        values,
    )
    feed(job, parsed, "raw/meter_readings", readings)
    feed(job, parsed, "raw/register_reads", reads)


FORMAT = Format("green_button", 1, _recognises, _read)
