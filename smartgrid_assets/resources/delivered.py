"""What do the append-only tables say today: which deliveries count, and what do they hold for a market day?

Of several deliveries of the same content (a corrected mapping, a newer reader) the one recorded last counts; the
others stay in `raw` and are passed over. Nothing here depends on the order in which files came.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from smartgrid_assets.domain.tables import WEATHER_COLUMNS
from smartgrid_assets.resources.fragments import batch_name
from smartgrid_assets.resources.lake import Lake, quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyarrow import Table

_ACTIVE = """
    SELECT * FROM ({deliveries})
    WHERE verdict <> 'refused'
    QUALIFY row_number() OVER (PARTITION BY content_hash ORDER BY recorded_at DESC, source_hash) = 1
"""


@dataclass(frozen=True)
class Delivered:
    """The raw tables of a lake, seen through the deliveries that count."""

    lake: Lake

    # ---- digests, for lineage ----------------------------------------------------------------------------------

    def days(self) -> list[date]:
        """Market days that have readings or rejected lines, ascending."""
        return sorted(self._sources("days"))

    def readings_digest(self, day: date) -> str | None:
        """Digest of the deliveries that hold readings of that day; None where there are none."""
        sources = self._sources("days").get(day)
        return _digest(sources) if sources else None

    def weather_digest(self, day: date, kind: str, known_utc: datetime | None = None) -> str | None:
        """Digest of the weather of that day and kind, as known at `known_utc`; None where there is none."""
        if day not in self._sources("weather_days"):
            return None
        return _weather_digest(self.lake, self._state(), day, kind, known_utc)

    def meters_digest(self, day: date) -> str | None:
        """Digest of the meters that are valid on that day; None where none is."""
        digest = _meters_digest(self.lake, self._state(), day) or ""
        return self.lake.erased.register_digest(day, digest) or None

    def register_spans(self) -> list[tuple[date, str]]:
        """(first day, digest) of each span of days over which the valid meters stay the same, ascending."""
        return _meter_spans(self.lake, self._state())

    def files_digest(self, path: str, day: date) -> str | None:
        """Digest of the files that an append-only table has of that day; None where it has none."""
        files = self.lake.files(path, [day])
        return _digest(tuple(sorted(file.name for file in files))) if files else None

    def fleet_digest(self) -> str:
        """Digest of the delivered fleets."""
        return _digest(self.lake.raw.names("raw/fleet"))

    def known_sources(self, con: DuckDBPyConnection) -> set[str]:
        """Identities of all deliveries recorded so far, refused ones included."""
        return {row[0] for row in con.execute(f"SELECT source_hash FROM ({self.lake.select('raw/deliveries')})").fetchall()}

    @staticmethod
    def batch_name(received: date, sources: list[str]) -> str:
        """Name of the batch that these deliveries make."""
        return batch_name(received, sources)

    def _state(self) -> tuple[str, ...]:
        return self.lake.raw.names("raw/deliveries")

    def _sources(self, column: str) -> dict[date, tuple[str, ...]]:
        return _sources_by_day(self.lake, self._state(), column)

    # ---- relations, for SQL ------------------------------------------------------------------------------------

    def of_day(self, con: DuckDBPyConnection, path: str, day: date) -> str:
        """Name of a view: the day's rows of a raw table, of deliveries that count."""
        # No join in it: the rows keep the order in which they were written, which spares most days a sort.
        name = f"day_{path.partition('/')[2]}"
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * EXCLUDE (day) FROM ({self.lake.select(path, [day])}) WHERE {self._counts()}"
        )
        return name

    def counting(self, con: DuckDBPyConnection, path: str) -> str:
        """Name of a view: all rows of a raw table of deliveries that count."""
        name = f"counting_{path.partition('/')[2]}"
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM ({self.lake.select(path)}) WHERE {self._counts()}")
        return name

    def files(self, con: DuckDBPyConnection, day: date) -> str:
        """Name of a view: source_hash, file_name and main_days of the deliveries that count and hold something of that day."""
        files = _deliveries(self.lake, self._state())[0]
        listed = ", ".join(_file_row(source, *files[source]) for source in self._sources("days").get(day, ())) or "(NULL, NULL, NULL)"
        con.execute(
            "CREATE OR REPLACE TEMP VIEW day_files AS SELECT source_hash, file_name, main_days::DATE[] AS main_days "
            f"FROM (VALUES {listed}) a(source_hash, file_name, main_days) WHERE source_hash IS NOT NULL"
        )
        return "day_files"

    def rejected_lines(self, con: DuckDBPyConnection, day: date) -> str:
        """Name of a view: the day's unreadable lines of deliveries that count, with `file_name`."""
        con.execute(
            "CREATE OR REPLACE TEMP VIEW day_rejected_lines AS SELECT r.* EXCLUDE (day), a.file_name "
            f"FROM ({self.lake.select('raw/rejected_lines', [day])}) r JOIN {self.files(con, day)} a USING (source_hash)"
        )
        return "day_rejected_lines"

    def weather(self, con: DuckDBPyConnection, days: list[date], kind: str) -> str:
        """Name of a view: weather of that kind for these days, newest receipt first of its kind and issue."""
        name = f"weather_{kind}"
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT w.* FROM ({self.lake.select('raw/weather', days)}) w "
            f"WHERE {self._counts()} AND kind = {quote(kind)} "
            "QUALIFY row_number() OVER (PARTITION BY zone, interval_start_utc, issued_at ORDER BY w.received_at DESC, source_hash, ordinal DESC) = 1"
        )
        return name

    def meters(self, con: DuckDBPyConnection, day: date) -> str:
        """Name of a relation: one row a meter valid that day; a delivered row beats a made-up one, a later an earlier."""
        state = self._state()
        con.register("meters_on_day", _meters_of_span(self.lake, state, _span_of(self.lake, state, day)))
        return "meters_on_day"

    def fleet(self, con: DuckDBPyConnection) -> str:
        """Name of a view: units of delivered fleets, one row a unit, the newest."""
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW fleet_units AS SELECT f.* FROM ({self.lake.select('raw/fleet')}) f WHERE {self._counts()} "
            "QUALIFY row_number() OVER (PARTITION BY unit ORDER BY f.received_at DESC, source_hash, ordinal) = 1"
        )
        return "fleet_units"

    def _counts(self) -> str:
        """Condition that leaves out rows of superseded deliveries; there are few."""
        superseded = _deliveries(self.lake, self._state())[1]
        return f"source_hash NOT IN ({', '.join(map(quote, superseded))})" if superseded else "true"


def _file_row(source: str, name: str, main_days: list[date] | None) -> str:
    listed = "NULL" if main_days is None else "[" + ", ".join(f"'{day}'" for day in main_days) + "]"
    return f"({quote(source)}, {quote(name)}, {listed})"


def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=8)
def _sources_by_day(lake: Lake, state: tuple[str, ...], column: str) -> dict[date, tuple[str, ...]]:
    query = (
        f"SELECT day, list(source_hash ORDER BY source_hash) FROM (SELECT unnest({column}) AS day, source_hash FROM ({_ACTIVE})) GROUP BY 1"
    )
    with lake.connect() as con:
        rows = con.execute(query.format(deliveries=lake.select("raw/deliveries"))).fetchall()
    return {day: tuple(sources) for day, sources in rows}


@lru_cache(maxsize=8)
def _deliveries(lake: Lake, state: tuple[str, ...]) -> tuple[dict[str, tuple[str, list[date] | None]], tuple[str, ...]]:
    """(file name and main days of each delivery that counts, identities of superseded ones)."""
    source = lake.select("raw/deliveries")
    with lake.connect() as con:
        active = con.execute(f"SELECT source_hash, file_name, main_days FROM ({_ACTIVE.format(deliveries=source)})").fetchall()
        names = {hash_: (name, main_days) for hash_, name, main_days in active}
        every = con.execute(f"SELECT source_hash FROM ({source}) WHERE verdict <> 'refused' ORDER BY 1").fetchall()
    return names, tuple(hash_ for (hash_,) in every if hash_ not in names)


@lru_cache(maxsize=16_384)
def _weather_digest(lake: Lake, state: tuple[str, ...], day: date, kind: str, known_utc: datetime | None) -> str | None:
    known = (
        ""
        if known_utc is None
        else f"WHERE available_at <= TIMESTAMP '{known_utc}' AND coalesce(issued_at, available_at) <= TIMESTAMP '{known_utc}'"
    )
    with lake.connect() as con:
        view = Delivered(lake).weather(con, [day], kind)
        columns = "zone, interval_start_utc, interval_minutes, issued_at, " + ", ".join(WEATHER_COLUMNS)
        rows, total = con.execute(f"SELECT count(*), sum(hash({columns})::HUGEINT) FROM {view} {known}").fetchall()[0]
    return f"{rows}-{int(total):x}" if rows else None


_METER_COLUMNS = 'meter_id, role, feeder, zone, "class", rating_kw, made_up'

_METER_SPANS = """
    WITH ranked AS (
        SELECT meter_id, valid_from, valid_to, hash({columns})::HUGEINT + CASE WHEN m.status IS NULL THEN 0 ELSE hash(m.status)::HUGEINT END
                + CASE WHEN m.multiplier IS NULL THEN 0 ELSE hash('multiplier', m.multiplier)::HUGEINT END AS said,
            row_number() OVER (PARTITION BY meter_id ORDER BY made_up DESC, received_at, source_hash DESC, ordinal DESC) AS place
        FROM {meters} m WHERE valid_from <= valid_to),
    -- rows next to each other that say the same until the same day are one row: a register sent daily is read in one pass
    told AS (
        SELECT *, (said, valid_to) IS DISTINCT FROM lag((said, valid_to)) OVER (PARTITION BY meter_id ORDER BY place) AS is_new
        FROM ranked),
    turns AS (SELECT *, count(*) FILTER (is_new) OVER (PARTITION BY meter_id ORDER BY place) AS turn FROM told),
    terms AS (
        SELECT meter_id, turn, min(valid_from) AS valid_from, any_value(valid_to) AS valid_to, any_value(said) AS said
        FROM turns GROUP BY meter_id, turn),
    edges AS (
        SELECT meter_id, valid_from AS edge FROM terms
        UNION SELECT meter_id, valid_to + 1 FROM terms WHERE valid_to < DATE '9999-01-01'),
    winners AS (
        SELECT e.meter_id, e.edge, arg_max(t.said, t.turn) AS said
        FROM edges e LEFT JOIN terms t ON t.meter_id = e.meter_id AND e.edge BETWEEN t.valid_from AND t.valid_to
        GROUP BY e.meter_id, e.edge),
    changes AS (
        SELECT edge, said, lag(said) OVER (PARTITION BY meter_id ORDER BY edge) AS before FROM winners)
    SELECT edge, (sum(sum((said IS NOT NULL)::INT - (before IS NOT NULL)::INT)) OVER (ORDER BY edge))::BIGINT,
        (sum(sum(coalesce(said, 0) - coalesce(before, 0))) OVER (ORDER BY edge))::HUGEINT
    FROM changes GROUP BY edge ORDER BY edge
"""


@lru_cache(maxsize=4)
def _meter_spans(lake: Lake, state: tuple[str, ...]) -> list[tuple[date, str]]:
    """(first day, digest) of each span of days over which the valid meters stay the same, ascending.

    One pass: a meter's own edges only, then running sums over all of them.
    """
    with lake.connect() as con:
        meters = Delivered(lake).counting(con, "raw/meters")
        rows = con.execute(_METER_SPANS.format(columns=_METER_COLUMNS, meters=meters)).fetchall()
    return [(edge, f"{meters}-{total:x}" if meters else "") for edge, meters, total in rows]


@lru_cache(maxsize=4)
def _meters_of_span(lake: Lake, state: tuple[str, ...], day: date) -> Table:
    """raw/meters valid on a day, one row a meter, as an Arrow table (about 100 bytes a meter)."""
    with lake.connect() as con:
        return con.sql(
            f"SELECT * FROM {Delivered(lake).counting(con, 'raw/meters')} WHERE ? BETWEEN valid_from AND valid_to "
            "QUALIFY row_number() OVER (PARTITION BY meter_id ORDER BY made_up, received_at DESC, source_hash, ordinal) = 1",
            params=[day],
        ).to_arrow_table()


def forget_register() -> None:
    """After rows of raw/meters were erased under the names that their files had."""
    _meter_spans.cache_clear()
    _meters_of_span.cache_clear()


def _span_of(lake: Lake, state: tuple[str, ...], day: date) -> date:
    """The first day on which just these meters were valid: a register that is sent every day is read once."""
    now = _meters_digest(lake, state, day)
    return next((first for first, digest in _meter_spans(lake, state) if digest == now), day)


def _meters_digest(lake: Lake, state: tuple[str, ...], day: date) -> str | None:
    digest = ""
    for first, value in _meter_spans(lake, state):
        if first > day:
            break
        digest = value
    return digest or None
