"""NEM12 and NEM13: counts as nemreader counts them, values as the records say, and a sentence for each bad record."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.domain.acquire.reader import unpack
from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets_tests.domain.acquire.reading import Delivered, deliver, read_file

MELBOURNE = "Australia/Melbourne"
HEADER = "100,NEM12,202303020000,MDP,RETAILER\n"
STREAM = "200,NMI1,E1E2B1Q1,1,{suffix},N1,SERIAL,{uom},{minutes},\n"


def day(values: list[str], method: str = "A", on: str = "20230301", updated: str = "20230302010000", rest: str = "") -> str:
    return f"300,{on},{','.join(values)},{method},,,{updated},{rest}\n"


def stream(*days: str, suffix: str = "E1", uom: str = "kWh", minutes: int = 30) -> str:
    return STREAM.format(suffix=suffix, uom=uom, minutes=minutes) + "".join(days)


def nem12(folder: Path, body: str, header: str = HEADER, end: str = "900\n") -> Delivered:
    return deliver(folder, header + body + end, tz=MELBOURNE, name="nem12.csv")


ONE_DAY = [str(n) for n in range(1, 49)]


def reference(shared_data: Path) -> dict[str, dict]:
    return json.loads((shared_data / "wire_nem12" / "reference_nemreader.json").read_text())


def test_each_file_gives_as_many_readings_as_nemreader_finds(shared_data: Path, tmp_path: Path) -> None:
    counted, refused = 0, {}
    for name, said in reference(shared_data).items():
        found: dict[str, int] = {}
        for number, (member, path) in enumerate(_members(shared_data / "wire_nem12" / name, tmp_path)):
            try:
                delivered = read_file(path, MELBOURNE)
            except DeliveryError as error:
                refused[name] = str(error)
                continue
            for table, register in (("raw/meter_readings", "split_part(channel, ':', 2)"), ("raw/register_reads", "register")):
                for meter, channel in delivered.rows(table, f"meter_id, {register}"):
                    found[f"{meter}/{channel}"] = found.get(f"{meter}/{channel}", 0) + 1
            delivered.con.close()
            assert number == 0, member
        assert found == {channel: of["n"] for channel, of in said.get("channels", {}).items()}, name
        counted += sum(found.values())
    assert counted == 91_903
    assert refused.keys() == {
        "invalid/Example_NEM12_15min_200_30min_300.csv", "invalid/Example_NEM12_powercor_missing_fields.csv", "invalid/Example_empty_file.csv",
    }  # fmt: skip
    assert "Line 3, record 300: 53 fields" in refused["invalid/Example_NEM12_15min_200_30min_300.csv"]
    assert "Line 3, record 300: 50 fields" in refused["invalid/Example_NEM12_powercor_missing_fields.csv"]


def _members(path: Path, folder: Path) -> list[tuple[str, Path]]:
    home = folder / hashlib.sha256(path.name.encode()).hexdigest()[:8]
    return unpack(path, home)


def test_a_day_begins_at_midnight_of_utc_plus_10_also_in_summer(tmp_path: Path) -> None:
    delivered = nem12(tmp_path, stream(day(ONE_DAY)))
    rows = delivered.readings("meter_id, channel, uom, interval_start_utc, interval_minutes, value, quality, day")
    first, last = datetime(2023, 2, 28, 14), datetime(2023, 3, 1, 13, 30)
    assert rows[0] == ("NMI1", "import:E1", "kWh", first, 30, 1.0, "measured", date(2023, 3, 1))
    assert rows[-1] == ("NMI1", "import:E1", "kWh", last, 30, 48.0, "measured", date(2023, 3, 2))
    assert len(rows) == 48 and delivered.parsed.rejected == 0


def test_400_records_say_the_quality_of_the_intervals_that_they_name(tmp_path: Path) -> None:
    told = "400,1,10,A,,\n400,11,40,S11,21,\n400,41,47,N,,\n"
    rows = nem12(tmp_path, stream(day(ONE_DAY, "V"), told)).readings("quality, value, source_quality")
    assert [code for *_, code in rows] == ["A"] * 10 + ["S11 21"] * 30 + ["N"] * 7 + ["V"]
    assert [quality for quality, *_ in rows] == ["measured"] * 10 + ["substituted"] * 30 + ["missing"] * 8
    assert [value for _, value, _ in rows] == [*map(float, range(1, 41)), *[None] * 8]


def test_what_only_varies_or_is_null_has_no_value(tmp_path: Path) -> None:
    delivered = nem12(tmp_path, stream(day(ONE_DAY, "V"), day(ONE_DAY, "N", on="20230302")))
    assert set(delivered.readings("quality, value")) == {("missing", None)}
    assert "48 interval(s) are marked as of varying quality" in delivered.notes


def test_estimates_and_substitutes_are_not_measured(tmp_path: Path) -> None:
    days = [day(ONE_DAY, method, on=f"2023030{n}") for n, method in enumerate(("A", "E52", "F14", "S53"), 1)]
    assert nem12(tmp_path, stream(*days)).readings("DISTINCT ON (quality) quality", "interval_start_utc > '2023-03-01 14:00'") == [
        ("substituted",)
    ]


@pytest.mark.parametrize(
    ("suffix", "uom", "channel", "ours"),
    [
        ("E2", "KWH", "import:E2", "kWh"), ("B1", "kwh", "export:B1", "kWh"), ("Q1", "KVARH", "other:Q1", "kvarh"), ("e1", "mWh", "import:E1", "MWh"),
        ("V1", "", "other:V1", ""),
    ],
)  # fmt: skip
def test_suffix_and_unit_in_any_case(tmp_path: Path, suffix: str, uom: str, channel: str, ours: str) -> None:
    rows = nem12(tmp_path, stream(day(ONE_DAY), suffix=suffix, uom=uom)).readings("channel, uom")
    assert set(rows) == {(channel, ours)}


@pytest.mark.parametrize("minutes", [5, 10, 15, 30, 60])
def test_intervals_of_any_length(tmp_path: Path, minutes: int) -> None:
    values = [str(n) for n in range(1440 // minutes)]
    starts = nem12(tmp_path, stream(day(values), minutes=minutes)).readings("interval_start_utc, interval_minutes")
    assert starts == [(datetime(2023, 2, 28, 14) + timedelta(minutes=minutes * n), minutes) for n in range(1440 // minutes)]


def test_the_update_time_orders_corrections_else_that_of_the_file(tmp_path: Path) -> None:
    rows = nem12(tmp_path, stream(day(ONE_DAY), day(ONE_DAY, on="20230302", updated=""))).readings("DISTINCT version_at")
    assert sorted(rows) == [(datetime(2023, 3, 1, 14),), (datetime(2023, 3, 1, 15),)]


GOOD = stream(day(ONE_DAY))


@pytest.mark.parametrize(
    ("body", "line", "rule", "says"),
    [
        pytest.param(GOOD + "123,x\n", 4, "record", "no such record", id="unknown record"),
        pytest.param(day(ONE_DAY) + GOOD, 2, "record", "no 200 record", id="300 without 200"),
        pytest.param("400,1,2,A,,\n" + GOOD, 2, "record", "no 300 record", id="400 without 300"),
        pytest.param(GOOD + stream("400,1,2,A,,\n"), 5, "record", "no 300 record", id="400 behind a new 200"),
        pytest.param(GOOD + "400,40,49,A,,\n", 4, "interval", "within 1 to 48", id="400 past the day"),
        pytest.param(GOOD + "400,9,2,A,,\n", 4, "interval", "within 1 to 48", id="400 backwards"),
        pytest.param(GOOD + "400,1,2,Z,,\n", 4, "quality", "none of A", id="400 of unknown quality"),
        pytest.param(GOOD + day(ONE_DAY[:-1]), 4, "quality", "stands where the quality is due", id="a value too few"),
        pytest.param(GOOD + day([*ONE_DAY, "49"]), 4, "quality", "49 stands where the quality is due", id="a value too many"),
        pytest.param(GOOD + "300,20230302,1,2,3", 4, "ragged", "48 values", id="cut"),
        pytest.param(GOOD + day(ONE_DAY, on="20230230"), 4, "time", "20230230 is no date", id="no such date"),
        pytest.param(GOOD + day(ONE_DAY, on="today"), 4, "time", "today is no date", id="no date"),
        pytest.param(GOOD + day(ONE_DAY, method="X"), 4, "quality", "X stands", id="unknown quality"),
        pytest.param(GOOD + day(["x", *ONE_DAY[1:]], on="20230302"), 4, "value", "value 1 is no finite number", id="no number"),
        pytest.param(GOOD + stream(minutes=7), 4, "interval", "7 is no length", id="odd length"),
        pytest.param(GOOD + STREAM.format(suffix="", uom="kWh", minutes=30), 4, "meter", "suffix is blank", id="no suffix"),
        pytest.param(GOOD + STREAM.format(suffix="E1", uom="kWh", minutes=""), 4, "interval", "a blank is no length", id="no length"),
    ],
)  # fmt: skip
def test_a_bad_record_is_rejected_with_its_line_and_the_others_are_kept(tmp_path: Path, body: str, line: int, rule: str, says: str) -> None:
    delivered = nem12(tmp_path, body, end="" if "3,1,2,3" in body[-8:] else "900\n")
    assert delivered.rejected("line, rule") == [(line, rule)]
    assert says in delivered.rejected("reason")[0][0] and f"Line {line}, record" in delivered.rejected("reason")[0][0]
    assert len(delivered.readings(where="day <= '2023-03-02' AND value IS NOT NULL")) >= 48


def test_records_below_a_bad_200_are_rejected_not_taken_for_the_stream_above(tmp_path: Path) -> None:
    delivered = nem12(tmp_path, GOOD + stream(day(ONE_DAY, on="20230305"), minutes=7))
    assert delivered.rejected() == [(4, "interval"), (5, "interval")] and len(delivered.readings()) == 48


def test_blank_lines_and_windows_line_ends_do_not_shift_line_numbers(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, ("\n" + HEADER + "\n" + GOOD + "999,\n900\n").replace("\n", "\r\n"), tz=MELBOURNE, name="a.csv")
    assert delivered.rejected() == [(6, "record")] and len(delivered.readings()) == 48


def test_a_missing_header_or_end_is_said(tmp_path: Path) -> None:
    assert "Record 900 is missing: the file may have been cut" in nem12(tmp_path, GOOD, end="").notes
    assert "Record 100 is missing" in nem12(tmp_path, GOOD, header="").notes


def test_a_file_without_streams_is_accepted_and_says_so(tmp_path: Path) -> None:
    delivered = nem12(tmp_path, "")
    assert not delivered.parsed.tables and "No readings are in it." in delivered.notes


def test_a_nem13_read_has_the_read_before_it(tmp_path: Path) -> None:
    read = "250,NMI3,11,1,11,11,SER9,E,006342.8,20031005093055,A,,,007654.9,20040107100333,E62,,,1312.1,kWh,20040407,20040108100333,\n"
    delivered = deliver(tmp_path, f"100,NEM13,200401101030,MDP,R\n{read}550,N,,A,\n900\n", tz=MELBOURNE, name="n13.csv")
    columns = (
        "meter_id, register, serial, direction, uom, previous_read, previous_at_utc, register_read, read_at_utc, quantity, quality, day"
    )
    assert delivered.rows("raw/register_reads", columns) == [
        ("NMI3", "11", "SER9", "import", "kWh", 6342.8, datetime(2003, 10, 4, 23, 30, 55), 7654.9, datetime(2004, 1, 7, 0, 3, 33), 1312.1,
         "substituted", date(2004, 1, 7)),
    ]  # fmt: skip


def test_a_bad_nem13_read_is_rejected_with_its_line(tmp_path: Path) -> None:
    good = "250,NMI3,11,1,11,11,S,E,1,20031005093055,A,,,2,20040107100333,A,,,1,kWh,20040407,20040108100333,\n"
    text = f"100,NEM13,200401101030,MDP,R\n{good}{good.replace('20040107100333', 'soon')}250,NMI3\n900\n"
    delivered = deliver(tmp_path, text, tz=MELBOURNE, name="n13.csv")
    assert delivered.rejected() == [(3, "time"), (4, "ragged")] and len(delivered.rows("raw/register_reads", "ordinal")) == 1
