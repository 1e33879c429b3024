"""Bad files and bad lines: what is kept, what is rejected, and the sentence that says so."""

from __future__ import annotations

import gzip
import re
from datetime import date, datetime
from pathlib import Path

import pytest

from smartgrid_assets.domain.errors import DeliveryError, UnknownFormatError
from smartgrid_assets_tests.domain.acquire.reading import deliver

HEADER = "meter_id,channel,interval_start,interval_minutes,value,unit,quality\n"
GOOD = "m1,import,2026-03-01T23:00:00Z,30,0.25,kWh,measured\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "empty", id="no byte"),
        pytest.param(b"\n \n\r\n", "empty", id="blank lines"),
        pytest.param(b"\xef\xbb\xbf", "empty", id="a BOM alone"),
        pytest.param(gzip.compress(b""), "empty", id="gzip of nothing"),
        pytest.param(b"\x00\x01\x02\x7fELF" * 100, "binary", id="binary"),
        pytest.param(gzip.compress(bytes(range(256)) * 9), "binary", id="gzip of binary"),
        pytest.param(HEADER.encode(), "nothing below it", id="a header alone"),
        pytest.param(gzip.compress((HEADER + GOOD * 5).encode())[:40], "damaged", id="gzip cut in the head"),
        pytest.param(b"Dear Sir,\nplease find the readings attached.\n", "no reader knows", id="a letter"),
    ],
)
def test_a_file_that_is_no_table_of_readings_is_refused_in_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DeliveryError, match=message):
        deliver(tmp_path, content, name="odd.csv")


def test_a_gzip_cut_far_down_keeps_nothing(tmp_path: Path) -> None:
    import random

    noise = random.Random(1)
    lines = "".join(GOOD.replace("0.25", str(noise.random())) for _ in range(20_000))
    packed = gzip.compress((HEADER + lines).encode())
    with pytest.raises(DeliveryError, match="nothing was kept"):
        deliver(tmp_path, packed[: len(packed) // 2], name="cut.csv.gz")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,abc,kWh,measured", "value", id="text for a number"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,inf,kWh,measured", "value", id="infinity"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,1e999,kWh,measured", "value", id="too large"),
        pytest.param("m1,import,2026-13-01T23:30:00Z,30,1,kWh,measured", "time", id="month 13"),
        pytest.param("m1,import,yesterday,30,1,kWh,measured", "time", id="a word for a time"),
        pytest.param("m1,import,infinity,30,1,kWh,measured", "time", id="an infinite time"),
        pytest.param("m1,import,1969-12-31T23:30:00Z,30,1,kWh,measured", "time", id="before 1970"),
        pytest.param("m1,import,2101-12-31T23:30:00Z,30,1,kWh,measured", "time", id="after 2100"),
        pytest.param("m1,import,,30,1,kWh,measured", "time", id="no time"),
        pytest.param(",import,2026-03-01T23:30:00Z,30,1,kWh,measured", "meter", id="no meter"),
        pytest.param("m1,sideways,2026-03-01T23:30:00Z,30,1,kWh,measured", "channel", id="unknown channel"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,1,kvarh,measured", "unit", id="unknown unit"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,7,1,kWh,measured", "interval", id="a length that divides no day"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,-30,1,kWh,measured", "interval", id="a negative length"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,99999,1,kWh,measured", "interval", id="a length beyond any day"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,1,kWh,measur", "quality", id="cut in its last word"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,1", "ragged", id="too few cells"),
        pytest.param("m1,import,2026-03-01T23:30:00Z,30,1,kWh,measured,more", "ragged", id="too many cells"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_the_others_are_kept(tmp_path: Path, line: str, rule: str) -> None:
    delivered = deliver(tmp_path, HEADER + GOOD + line + "\n" + GOOD)
    assert delivered.parsed.readings == 2 and delivered.parsed.rejected == 1
    assert delivered.rejected("line, rule, content") == [(3, rule, line)]
    ((reason,),) = delivered.rejected("reason")
    assert reason.startswith("Line 3") and reason.endswith(".")
    assert f"1 x {rule}" in delivered.notes


def test_line_numbers_count_misshapen_lines_too(tmp_path: Path) -> None:
    bad_value = GOOD.replace("0.25", "abc")
    delivered = deliver(tmp_path, HEADER + "short\n" + bad_value + GOOD + "short\n" + bad_value + GOOD)
    assert delivered.rejected() == [(2, "ragged"), (3, "value"), (5, "ragged"), (6, "value")]


def test_a_truncated_last_line_is_said_to_be_cut(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, HEADER + GOOD + GOOD[:30])
    assert delivered.rejected() == [(3, "truncated")] and "the file was cut" in delivered.rejected("reason")[0][0]
    assert delivered.parsed.readings == 1


def test_a_line_whose_time_is_known_is_rejected_on_its_day_and_others_on_the_day_of_receipt(tmp_path: Path) -> None:
    content = HEADER + GOOD + GOOD.replace("0.25", "abc") + GOOD.replace("2026-03-01T23:00:00Z", "never")
    delivered = deliver(tmp_path, content, received=datetime(2026, 3, 9, 23, 30))
    assert delivered.rejected("day") == [(date(2026, 3, 2),), (date(2026, 3, 10),)]


@pytest.mark.parametrize("blank", ["", " ", "NaN", "null", "n/a"])
def test_a_blank_value_is_missing_not_zero(tmp_path: Path, blank: str) -> None:
    delivered = deliver(tmp_path, HEADER + GOOD.replace("0.25", blank))
    assert delivered.readings("value, quality") == [(None, "missing")] and delivered.parsed.rejected == 0


def test_a_byte_that_is_no_text_costs_its_line_only(tmp_path: Path) -> None:
    filler = GOOD * 2000  # beyond the head, where the encoding is told
    content = (HEADER + filler).encode() + GOOD.replace("m1", "m\xe9").encode("latin-1") + GOOD.encode()
    delivered = deliver(tmp_path, content)
    assert delivered.rejected() == [(2002, "encoding")] and delivered.parsed.readings == 2001


def test_a_stray_quote_does_not_swallow_the_rest_of_the_file(tmp_path: Path) -> None:
    filler = GOOD * 60
    delivered = deliver(tmp_path, HEADER + filler + GOOD.replace("m1", '"m1') + filler)
    assert delivered.parsed.readings + delivered.parsed.rejected == 121 and delivered.parsed.readings >= 120


DAILY = "meter_id, previous_at_utc, read_at_utc, quantity"


def test_daily_reads_are_kept_apart_and_a_day_of_23_hours_is_one(tmp_path: Path) -> None:
    days = "".join(f"m1,2026-03-{n:02d},9\n" for n in (*range(1, 20), *range(27, 31)))
    delivered = deliver(tmp_path, "meter,timestamp,kwh\n" + days)
    reads = delivered.rows("raw/register_reads", DAILY)
    assert len(reads) == 23 and not delivered.readings() and not delivered.rejected()
    assert reads[18] == ("m1", datetime(2026, 3, 18, 23), datetime(2026, 3, 19, 23), 9)  # the next read is days away
    assert reads[21] == ("m1", datetime(2026, 3, 28, 23), datetime(2026, 3, 29, 22), 9)


def test_daily_reads_whose_stamps_are_ends(tmp_path: Path) -> None:
    days = "".join(f"m1;{n:02d}.03.2026;9\n" for n in range(2, 20))
    mapping = '[time]\ncolumn = "bis"\nstamps = "end"\n[meter]\ncolumn = "m"\n[value]\ncolumn = "v"\nunit = "Wh"'
    reads = deliver(tmp_path, "m;bis;v\n" + days, mapping=mapping).rows("raw/register_reads", DAILY)
    assert reads[0] == ("m1", datetime(2026, 2, 28, 23), datetime(2026, 3, 1, 23), 0.009) and len(reads) == 18


def test_the_last_billing_read_only_closes_the_one_before(tmp_path: Path) -> None:
    reads = "".join(f"m1,2026-{n:02d}-01,{n}\n" for n in range(1, 7))
    delivered = deliver(tmp_path, "meter,timestamp,kwh\n" + reads)
    assert [row[3] for row in delivered.rows("raw/register_reads", DAILY)] == [1, 2, 3, 4, 5]
    assert delivered.rejected() == [(7, "period")]


def test_daily_reads_beside_interval_data_are_kept_apart_from_it(tmp_path: Path) -> None:
    half_hours = "".join(f"a,2026-03-01 {n // 2:02d}:{n % 2 * 30:02d},1\n" for n in range(48))
    days = "".join(f"b,2026-03-{n:02d} 00:00,9\n" for n in range(1, 6)) + "b,2026-03-06 00:00,x\n"
    delivered = deliver(tmp_path, "meter,timestamp,kwh\n" + half_hours + days)
    assert len(delivered.readings(where="meter_id = 'a'")) == len(delivered.readings()) == 48
    assert len(delivered.rows("raw/register_reads", DAILY)) == 5 and delivered.rejected() == [(55, "value")]


def test_a_column_of_lengths_may_say_that_reads_are_daily(tmp_path: Path) -> None:
    half_hours = "".join(f"a,import,2026-03-01 {n // 2:02d}:{n % 2 * 30:02d},30,1,kWh,measured\n" for n in range(48))
    days = "".join(f"b,import,2026-03-{n:02d} 00:00,1440,9,kWh,measured\n" for n in range(1, 6))
    delivered = deliver(tmp_path, HEADER + half_hours + days)
    assert len(delivered.readings()) == 48 and len(delivered.rows("raw/register_reads", DAILY)) == 5 and not delivered.rejected()


def test_temperatures_of_days_are_no_intervals(tmp_path: Path) -> None:
    lines = "".join(f"2026-03-{n:02d},9\n" for n in range(1, 20))
    with pytest.raises(DeliveryError, match="not interval data"):
        deliver(tmp_path, "dt,tempC\n" + lines)


OTHERS = "Zaehler;Von;Wert Bezug;Kommentar\nDE001;02.03.2026 00:00;1,5;ok\nDE001;02.03.2026 00:15;2,5;ok\n"


def test_another_utilitys_columns_are_refused_with_a_mapping_that_then_works(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError) as refused:
        deliver(tmp_path, OTHERS)
    message = str(refused.value)
    assert "Zaehler, Von, Wert Bezug, Kommentar" in message
    mapping = message.partition("\n\n")[2].replace('unit = "kWh"', 'unit = "kW"')
    delivered = deliver(tmp_path, OTHERS, mapping=mapping)
    assert delivered.readings("meter_id, interval_start_utc, interval_minutes, value, uom") == [
        ("DE001", datetime(2026, 3, 1, 23, 0), 15, 1.5, "kW"), ("DE001", datetime(2026, 3, 1, 23, 15), 15, 2.5, "kW"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("Zeit,Nord,Sued\n2026-03-02 00:00,1,2\n2026-03-02 00:30,3,4\n", id="wide"),
        pytest.param("when,load\n2026-03-02 00:00,1\n2026-03-02 00:30,2\n", id="one meter"),
        pytest.param('"a ""b""",x\n2026-03-02 00:00,1\n2026-03-02 00:30,2\n', id="quotes in a name"),
        pytest.param("load\n1\n2\n3\n", id="no stamps at all"),
    ],
)
def test_every_mapping_that_is_suggested_reads_its_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnknownFormatError) as refused:
        deliver(tmp_path, content)
    assert deliver(tmp_path, content, mapping=str(refused.value).partition("\n\n")[2]).parsed.readings > 0


def test_a_mapping_for_other_columns_names_what_is_missing_and_what_was_seen(tmp_path: Path) -> None:
    mapping = '[time]\ncolumn="Von"\n[meter]\ncolumn="Zaehler"\n[value]\ncolumn="Bezug"\nunit="kWh"\n'
    with pytest.raises(DeliveryError, match=re.escape("names the column(s) Bezug, which the file has not. Columns seen: Zaehler, Von")):
        deliver(tmp_path, OTHERS, mapping=mapping)


def test_a_header_cannot_smuggle_sql(tmp_path: Path) -> None:
    odd = "meter_id,timestamp,kwh,\"x'); DROP TABLE y; --\"\nm1,2026-03-02 00:00,1,'; --\nm1,2026-03-02 00:30,2,$1\n"
    assert deliver(tmp_path, odd, name="a'b $path.csv").parsed.readings == 2
