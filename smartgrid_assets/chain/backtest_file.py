"""Any file that the readers know as a plain long file of load: each meter a zone, what it feeds in taken off what it draws."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smartgrid_assets.domain.check.delivered import energy_sql
from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets.domain.forecast.series_file import is_plain, read_series
from smartgrid_assets.domain.tables import WEATHER_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

RECEIVED = datetime(2100, 1, 1)
"""A replay asks when an interval was, never when its file came."""
_SIGN = "CASE split_part(channel, ':', 1) WHEN 'import' THEN 1 WHEN 'export' THEN -1 END"


def series_of(path: Path, tz: str, country: str, subdivision: str = "", mapping: Path | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The file's zones as read_series gives them. A plain long file is read as it is, any other as `smartgrid ingest` would.

    mapping: what the columns of a delimited file mean. Raises DeliveryError or SettingsError with a sentence.
    """
    if mapping is None and is_plain(path):
        return read_series(path, tz, country, subdivision)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "load.parquet"
        notes = _write_plain(path, plain, tz, mapping)
        frame, problems = read_series(plain, tz, country, subdivision)
    return frame, notes + problems


def _write_plain(path: Path, plain: Path, tz: str, mapping: Path | None) -> list[str]:
    import hashlib

    import duckdb

    from smartgrid_assets.domain.acquire.mapping import read_mapping
    from smartgrid_assets.domain.acquire.reader import ReadContext, Source, read_source

    chosen = read_mapping(mapping.read_text(encoding="utf-8"), mapping.stem) if mapping else None
    with path.open("rb") as handle:
        content = hashlib.file_digest(handle, "sha256").hexdigest()
    source = Source(path, path.name, content, RECEIVED)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        parsed = read_source(con, source, ReadContext(tz), chosen)
        if "raw/meter_readings" not in parsed.tables:
            raise DeliveryError(f"{path.name}: read as {parsed.format}, and it holds no interval readings.")
        weather, columns = "", ""
        if "raw/weather" in parsed.tables:
            means = ", ".join(f"avg({name}) AS {name}" for name in WEATHER_COLUMNS)
            observed = f"SELECT interval_start_utc, {means} FROM {parsed.tables['raw/weather']} WHERE kind = 'observed' GROUP BY ALL"
            weather = f"LEFT JOIN ({observed}) w USING (interval_start_utc)"
            columns = "".join(f", any_value(w.{name}) AS {name}" for name in WEATHER_COLUMNS)
        con.execute(
            f"""COPY (SELECT meter_id AS zone, interval_start_utc, sum({_SIGN} * {energy_sql()} * 60 / r.interval_minutes / 1e3) AS load_mw{columns}
            FROM {parsed.tables["raw/meter_readings"]} r {weather} WHERE {_SIGN} IS NOT NULL AND {energy_sql()} IS NOT NULL
            GROUP BY ALL ORDER BY ALL) TO '{plain}' (FORMAT parquet)"""
        )
    rejected = [f"{parsed.rejected} rows were rejected by the reader ({parsed.format})"] if parsed.rejected else []
    return rejected + list(parsed.notes)
