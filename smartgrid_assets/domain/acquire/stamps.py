"""From time stamps to UTC: each distinct text is resolved once, then joined; a day of a million meters has 48 of them.

Rules for naive stamps of a zone with clock changes. A skipped hour: the line is rejected, there was no such time. A
repeated hour: a series' first line with that stamp is the first pass of the hour, the next the second (the other way
round where the series runs backwards through that day); a stamp that comes once is taken as the first.
Stamps of interval ends are moved back by the interval's length in wall time, before that.
DuckDB's own conversion takes the second pass of a repeated hour and moves a skipped one on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.acquire.offsets import zone_or_offset
from smartgrid_assets.domain.acquire.sql import run
from smartgrid_assets.domain.errors import DeliveryError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from smartgrid_assets.domain.acquire.mapping import TimeRule

_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d.%m.%y")
_CLOCKS = (" %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "")
FORMATS = (
    *(f"{day}{clock}" for day in _DAYS for clock in _CLOCKS),
    *("%Y%m%dT%H%M", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%d%b%Y:%H:%M:%S", "%d %b %Y %H:%M"),
)
HAS_OFFSET = r"^\d.*[T ]\d{1,2}:?\d{2}(:?\d{2}([.,]\d+)?)?\s*(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
SAMPLE = 500
IS_ISO = r"^\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_MIDNIGHT_24 = r"\b24(:00(?::00)?)$"


def label_stamps(
    con: DuckDBPyConnection,
    table: str,
    texts: str,
    time: TimeRule,
    file_name: str,
    values: dict[str, Any] | None = None,
) -> None:
    """Make `table`: stamp (text), zoned, label (UTC where zoned, else wall time; null where it cannot be read).

    texts: SQL of one column `stamp`, values: what it names.
    Raises DeliveryError where no stamp can be read, or day and month cannot be told apart.
    """
    run(
        con,
        f"CREATE OR REPLACE TEMP TABLE {table}_texts AS SELECT DISTINCT stamp AS original, trim(stamp) AS stamp FROM ({texts})",
        values,
    )
    pattern = time.format or _format_of(con, f"{table}_texts", file_name)
    naive = "TRY_CAST(stamp AS TIMESTAMP)" if pattern is None else _strptime("$pattern")
    run(
        con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT original AS stamp, zoned, CASE WHEN label BETWEEN TIMESTAMP '1970-01-02' AND TIMESTAMP '2100-12-31' THEN label END AS label
        FROM (SELECT original, zoned, CASE WHEN zoned THEN TRY_CAST(stamp AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
                                        WHEN regexp_matches(stamp, '^\\d') THEN {naive} END AS label
              FROM (SELECT original, stamp, $pattern IS NULL AND regexp_matches(stamp, $has_offset) AS zoned FROM {table}_texts))""",
        {"pattern": pattern, "has_offset": HAS_OFFSET},
    )
    con.execute(f"DROP TABLE {table}_texts")


def _format_of(con: DuckDBPyConnection, texts: str, file_name: str) -> str | None:
    """The strptime pattern that reads most of the naive stamps; None for ISO 8601."""
    iso = "regexp_matches(stamp, $iso) OR regexp_matches(stamp, $has_offset)"
    found = run(
        con,
        f"SELECT count(*), count(*) FILTER ({iso}) FROM {texts} WHERE stamp <> ''",
        {"iso": IS_ISO, "has_offset": HAS_OFFSET},
    ).fetchone()
    assert found is not None
    stamps, iso_count = found
    if stamps and iso_count == stamps:
        return None
    example = next(iter(con.execute(f"SELECT min(stamp) FROM {texts} WHERE stamp <> ''").fetchone() or ()), None)
    likely = _readable(con, f"(SELECT stamp FROM {texts} WHERE stamp <> '' LIMIT {SAMPLE})", FORMATS)
    counts = _readable(con, texts, tuple(likely)) if likely else {}
    best = max(counts.values(), default=0)
    if iso_count == 0 and best == 0:
        seen = f"such as {str(example)[:40]!r}" if example else "all are blank"
        raise DeliveryError(f"{file_name}: no time stamp can be read ({seen}). Say time.column and time.format in a mapping.")
    if iso_count >= best:
        return None
    fitting = [pattern for pattern, times in counts.items() if times == best]
    if {"%d/%m/%Y", "%m/%d/%Y"} <= {pattern[:8] for pattern in fitting}:
        raise DeliveryError(
            f"{file_name}: day and month cannot be told apart in stamps such as {str(example)[:40]!r}. "
            f"Say time.format in a mapping: {fitting[0]!r} or {fitting[-1]!r}."
        )
    return fitting[0]


def _readable(con: DuckDBPyConnection, texts: str, patterns: tuple[str, ...]) -> dict[str, int]:
    """How many stamps each pattern reads, without those that read none."""
    values = {f"format_{n}": pattern for n, pattern in enumerate(patterns)}
    counted = ", ".join(f"count({_strptime('$' + name)})" for name in values)
    counts = run(con, f"SELECT {counted} FROM {texts}", values).fetchone()
    return {pattern: times for pattern, times in zip(patterns, counts or (), strict=True) if times}


def _strptime(pattern: str) -> str:
    """SQL: `stamp` by pattern; 24:00 is the next day's midnight."""
    ends_at_24 = f"regexp_matches(stamp, '{_MIDNIGHT_24}')"
    return (
        f"CASE WHEN {ends_at_24} THEN try_strptime(regexp_replace(stamp, '{_MIDNIGHT_24}', '00\\1'), {pattern}) + INTERVAL 1 DAY "
        f"ELSE try_strptime(stamp, {pattern}) END"
    )


def moment_utc(text: str) -> str:
    """SQL: a moment as UTC; one without an offset is taken as UTC; null where it cannot be read."""
    return (
        f"CASE WHEN regexp_matches(trim({text}), '{HAS_OFFSET}') THEN timezone('UTC', TRY_CAST(trim({text}) AS TIMESTAMPTZ)) "
        f"WHEN regexp_matches({text}, '^\\s*\\d') THEN TRY_CAST(trim({text}) AS TIMESTAMP) END"
    )


def start_times(con: DuckDBPyConnection, table: str, pairs: str, labels: str, time: TimeRule, market_tz: str) -> None:
    """Make `table`: stamp, key, minutes, first_utc, second_utc (null unless repeated), skipped, wall.

    pairs: table of the distinct (stamp, key, minutes); key is the caller's.
    wall: wall time of the start, null where the stamp has an offset.
    first_utc is null where the stamp cannot be read or was skipped.
    """
    zone = zone_or_offset(time.zone or market_tz, "time.zone")
    back = " - to_minutes(minutes)" if time.stamps == "end" else ""
    if isinstance(zone, int):
        late, skipped, early = "wall - to_minutes($zone::INTEGER)", "false", "NULL::TIMESTAMP"
    else:
        late = "timezone('UTC', timezone($zone, wall))"
        skipped = "timezone($zone, timezone('UTC', late)) <> wall"
        # 60 minutes everywhere but on Lord Howe Island, where clocks move by 30
        early = "CASE " + " ".join(
            f"WHEN timezone($zone, timezone('UTC', late - to_minutes({step}))) = wall THEN late - to_minutes({step})" for step in (60, 30)
        ) + " END"  # fmt: skip
    run(
        con,
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH walls AS (
            SELECT p.stamp, p.key, p.minutes, CASE WHEN zoned THEN label{back} END AS zoned_utc,
                   CASE WHEN NOT zoned THEN label{back} END AS wall
            FROM {pairs} p JOIN {labels} l USING (stamp)
        ), lates AS (SELECT *, {late} AS late FROM walls), sides AS (SELECT *, {skipped} AS skipped, {early} AS early FROM lates)
        SELECT stamp, key, minutes, wall, coalesce(zoned_utc, CASE WHEN NOT skipped THEN coalesce(early, late) END) AS first_utc,
               CASE WHEN early IS NOT NULL THEN late END AS second_utc, coalesce(skipped, false) AS skipped
        FROM sides""",
        {"zone": zone},
    )
