"""A plain long file of load: what is read, and what is told of the rest."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from smartgrid_assets.domain.errors import DeliveryError, SettingsError
from smartgrid_assets.domain.forecast.series_file import is_plain, read_series
from smartgrid_assets_tests.domain.forecast.made_series import rows


def written(folder: Path, text: str) -> Path:
    path = folder / "load.csv"
    path.write_text(text)
    return path


def test_a_file_is_read_with_calendar_and_weather_and_its_stamps_in_any_offset(tmp_path):
    text = "zone,interval_start_utc,load_mw,temperature_c\nb,2026-01-01T00:00:00Z,1,5\na,2026-01-01T01:30:00+01:00,2.5,\na,2026-01-01 01:00,3,7\n"
    frame, problems = read_series(written(tmp_path, text), "Europe/Berlin", "DE")
    assert problems == []
    assert frame["zone"].tolist() == ["a", "a", "b"] and frame["load_mw"].tolist() == [2.5, 3, 1]
    assert frame["interval_minutes"].tolist() == [30, 30, 60]
    assert str(frame["local_time"].iloc[0]) == "2026-01-01 01:30:00" and frame["is_holiday"].all()
    assert frame["temperature_c"].isna().tolist() == [True, False, False] and frame["wind_speed_m_s"].isna().all()


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        pytest.param("a,2026-01-09T0", "1 rows have no zone or no stamp that can be read (first: row 201)", id="within the stamp"),
        pytest.param("a", "1 rows have no zone or no stamp that can be read (first: row 201)", id="within the zone"),
        pytest.param("a,2026-01-09T08:00:00Z", "1 rows have no load that is a number: gaps", id="before the load"),
        pytest.param('a,"2026-01-09T', "1 rows have no zone or no stamp that can be read (first: row 201)", id="within quotes"),
        pytest.param("a,2026-01-09T08:00:00Z,n/a,7,8", "1 rows have no load that is a number: gaps", id="fields too many"),
    ],
)
@pytest.mark.parametrize("zone", ["a", '"a"'])
def test_a_row_that_is_cut_costs_that_row_alone(tmp_path, zone, last, sentence):
    stamps = pd.date_range("2026-01-01", periods=200, freq="h").strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "zone,interval_start_utc,load_mw\n" + "".join(f"{zone},{stamp},{hour}.5\n" for hour, stamp in enumerate(stamps)) + last
    frame, problems = read_series(written(tmp_path, text), "Europe/Berlin", "DE")
    assert set(frame["zone"]) == {"a"}
    assert frame["load_mw"].dropna().tolist() == [hour + 0.5 for hour in range(200)]
    assert problems == [sentence]


def test_a_header_in_quotes_stands_a_cut_as_well(tmp_path):
    stamps = pd.date_range("2026-01-01", periods=99, freq="h").strftime("%Y-%m-%d %H:%M")
    text = '"zone","interval_start_utc","load_mw"\n' + "".join(f'"a","{stamp}","1.5"\n' for stamp in stamps) + '"a","2026-01-05'
    frame, _ = read_series(written(tmp_path, text), "Europe/Berlin", "DE")
    assert set(frame["zone"]) == {"a"} and frame["load_mw"].tolist() == [1.5] * 99


def test_bad_rows_are_counted_and_told_and_the_rest_is_read(tmp_path):
    text = """zone,interval_start_utc,load_mw
a,2026-01-01 00:00,1
a,2026-01-01 00:00,1
a,2026-01-01 01:00,2
a,2026-01-01 01:00,9
a,never,3
,2026-01-01 02:00,3
a,2026-01-01 02:00,n/a
a,2026-01-01 03:00,inf
a,2026-01-01 04:00,4
"""
    frame, problems = read_series(written(tmp_path, text), "UTC", "")
    assert frame["load_mw"].fillna(-1).tolist() == [1, 2, -1, -1, 4]
    told = "; ".join(problems)
    for words in (
        "2 rows have no zone or no stamp",
        "first: row 5",
        "2 rows have no load",
        "1 rows repeat a stamp with the same",
        "1 rows repeat a stamp with another",
    ):
        assert words in told


def test_a_file_of_another_kind_is_a_sentence(tmp_path):
    with pytest.raises(DeliveryError, match="no column zone, interval_start_utc, load_mw"):
        read_series(written(tmp_path, "x,y\n1,2\n"), "UTC", "")
    with pytest.raises(DeliveryError, match="no row has a load"):
        read_series(written(tmp_path, "zone,interval_start_utc,load_mw\na,2026-01-01,\n"), "UTC", "")
    with pytest.raises(DeliveryError, match="no row has a load"):
        read_series(written(tmp_path, "zone,interval_start_utc,load_mw\n"), "UTC", "")
    (tmp_path / "load.parquet").write_bytes(b"no parquet")
    with pytest.raises(DeliveryError, match="cannot be read as a table"):
        read_series(tmp_path / "load.parquet", "UTC", "")


def test_parquet_gives_what_csv_gives(tmp_path):
    plain = rows(date(2026, 3, 28), 3).assign(zone="z")[["zone", "interval_start_utc", "load_mw", "temperature_c", "is_holiday"]]
    plain.to_csv(tmp_path / "load.csv", index=False)
    plain.to_parquet(tmp_path / "load.parquet", index=False)
    one, other = (read_series(tmp_path / f"load.{kind}", "Europe/Berlin", "DE")[0] for kind in ("csv", "parquet"))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_a_broken_gzip_and_an_unknown_country_are_sentences(tmp_path):
    (tmp_path / "load.csv.gz").write_bytes(b"zone,interval_start_utc,load_mw\na,2026-01-01,1\n")
    assert is_plain(tmp_path / "load.csv.gz")
    with pytest.raises(DeliveryError, match="cannot be read as a table"):
        read_series(tmp_path / "load.csv.gz", "UTC", "")
    good = written(tmp_path, "zone,interval_start_utc,load_mw\na,2026-01-01,1\n")
    with pytest.raises(SettingsError, match="known for 'XX'"):
        read_series(good, "UTC", "XX")
