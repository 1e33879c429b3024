"""DSMR P1: real telegrams as dsmr-parser reads them, and logs made of them."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from smartgrid_assets.domain.acquire import telegrams as cutting
from smartgrid_assets.domain.acquire.telegrams import crc16
from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets_tests.domain.acquire.reading import LONG_AGO, Delivered, deliver, read_file

AMSTERDAM = "Europe/Amsterdam"
NAMES = {
    "ELECTRICITY_USED_TARIFF_{n}": "1-0:1.8.{n}", "ELECTRICITY_DELIVERED_TARIFF_{n}": "1-0:2.8.{n}",
    "ELECTRICITY_IMPORTED_TOTAL": "1-0:1.8.0", "ELECTRICITY_EXPORTED_TOTAL": "1-0:2.8.0",
    "ELECTRICITY_REACTIVE_IMPORTED_TOTAL": "1-0:3.8.0", "ELECTRICITY_REACTIVE_EXPORTED_TOTAL": "1-0:4.8.0",
    "ELECTRICITY_REACTIVE_TOTAL_Q1": "1-0:5.8.0", "ELECTRICITY_REACTIVE_TOTAL_Q4": "1-0:8.8.0", "ELECTRICITY_COMBINED": "1-0:15.8.0",
}  # fmt: skip


def said_of(parsed: dict) -> dict[str, tuple[float, str]]:
    """Registers by OBIS code, as dsmr-parser found them."""
    codes = {name.format(n=n): code.format(n=n) for n in range(1, 5) for name, code in NAMES.items()}
    return {codes[name]: (of["value"], of["unit"]) for name, of in parsed.items() if name in codes}


@pytest.mark.parametrize("version", ["V2_2", "V3", "V4_2", "V5", "V5_EON_HU"])
def test_registers_meters_and_times_are_those_that_dsmr_parser_finds(shared_data: Path, version: str) -> None:
    folder = shared_data / "wire_dsmr_p1"
    parsed = json.loads((folder / f"TELEGRAM_{version}.parsed.json").read_text())
    delivered = read_file(folder / f"TELEGRAM_{version}.txt", AMSTERDAM)
    rows = delivered.rows("raw/register_reads", "meter_id, register, register_read, uom, read_at_utc")
    own = {register: (value, uom) for _, register, value, uom, _ in rows if register.startswith("1-0:")}
    said = said_of(parsed)
    assert said and {code: own[code] for code in said} == said
    meter = next(
        parsed[name]["value"] for name in ("EQUIPMENT_IDENTIFIER", "EQUIPMENT_SERIAL_NUMBER", "COSEM_LOGICAL_DEVICE_NAME") if name in parsed
    )
    assert {row[0] for row in rows if row[1].startswith("1-0:")} == {meter}
    at = parsed.get("P1_MESSAGE_TIMESTAMP", {}).get("value")
    moment = datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None) if at else LONG_AGO
    assert {row[4] for row in rows if row[1].startswith("1-0:")} == {moment}
    assert delivered.parsed.rejected == 0 and ("carry no time" in delivered.notes) == (at is None)


@pytest.mark.parametrize("version", ["V2_2", "V3", "V4_2", "V5"])
def test_the_gas_meter_behind_the_port_has_a_read_and_a_time_of_its_own(shared_data: Path, version: str) -> None:
    folder = shared_data / "wire_dsmr_p1"
    device = json.loads((folder / f"TELEGRAM_{version}.parsed.json").read_text())["MBUS_DEVICES"][0]
    read = next(of for name, of in device.items() if name.endswith("METER_READING"))
    meter = next(of["value"] for name, of in device.items() if "EQUIPMENT_IDENTIFIER" in name)
    delivered = read_file(folder / f"TELEGRAM_{version}.txt", AMSTERDAM)
    moment = datetime.fromisoformat(read["datetime"]).astimezone(UTC).replace(tzinfo=None)
    rows = delivered.rows("raw/register_reads", "meter_id, register_read, uom, read_at_utc", "register LIKE '0-%'")
    assert rows == [(meter, read["value"], "m3", moment)]


def telegram(
    at: datetime, used: float, fed: float = 0.0, meter: str = "4B38", side: str = "W", ends: str = "\r\n", crc: int | None = None
) -> str:
    lines = [
        "/ISk5\\2MT382-1000", "", "1-3:0.2.8(50)", f"0-0:1.0.0({at:%y%m%d%H%M%S}{side})", f"0-0:96.1.1({meter})",
        f"1-0:1.8.1({used:010.3f}*kWh)", "1-0:1.8.2(000100.000*kWh)", f"1-0:2.8.1({fed:010.3f}*kWh)", "1-0:2.8.2(000000.000*kWh)", "!",
    ]  # fmt: skip
    sent = "\r\n".join(lines)
    checksum = crc16([sent.encode()])[0] if crc is None else crc
    return sent.replace("\r\n", ends) + f"{checksum:04X}{ends}"


MIDNIGHT = datetime(2026, 1, 7)  # wall time in winter


def log(*texts: str, folder: Path) -> Delivered:
    return deliver(folder, "".join(texts), tz=AMSTERDAM, name="p1.log")


def every(seconds: int, times: int, kwh_a_step: float = 0.01, first: datetime = MIDNIGHT, **more: object) -> list[str]:
    return [telegram(first + timedelta(seconds=seconds * n), 10 + kwh_a_step * n, **more) for n in range(times)]  # type: ignore[arg-type]


def test_intervals_are_what_the_registers_counted_between_quarters(tmp_path: Path) -> None:
    delivered = log(*every(10, 3 * 90 + 1), folder=tmp_path)
    rows = delivered.readings("meter_id, channel, uom, interval_start_utc, interval_minutes, value, quality", "channel = 'import'")
    quarters = [MIDNIGHT - timedelta(hours=1) + timedelta(minutes=15 * n) for n in range(3)]
    assert rows == [("4B38", "import", "kWh", start, 15, 0.9, "measured") for start in quarters]
    assert delivered.readings("value", "channel = 'export'") == [(0.0,)] * 3


def test_summer_and_winter_stamps_of_the_repeated_hour_are_told_apart(tmp_path: Path) -> None:
    first = datetime(2026, 10, 25, 2)
    summer = every(900, 4, first=first, side="S")
    winter = [telegram(first + timedelta(minutes=15 * n), 10.04 + 0.01 * n, side="W") for n in range(5)]
    rows = log(*summer, *winter, folder=tmp_path).readings("interval_start_utc, value", "channel = 'import'")
    assert rows == [(datetime(2026, 10, 25) + timedelta(minutes=15 * n), 0.01) for n in range(8)]


def test_a_total_register_goes_before_the_sum_of_tariffs(tmp_path: Path) -> None:
    def with_total(text: str, total: float) -> str:
        body = text[: text.index("!") + 1].replace("1-0:1.8.1", f"1-0:1.8.0({total:010.3f}*kWh)\r\n1-0:1.8.1")
        return body + f"{crc16([body.encode()])[0]:04X}\r\n"

    texts = [with_total(text, 500 + n) for n, text in enumerate(every(900, 3))]
    assert log(*texts, folder=tmp_path).readings("value", "channel = 'import'") == [(1.0,), (1.0,)]


def test_rare_telegrams_make_long_intervals_and_a_hole_makes_none(tmp_path: Path) -> None:
    texts = every(3600, 10)
    rows = log(*texts[:4], *texts[6:], folder=tmp_path).readings("interval_start_utc, interval_minutes", "channel = 'import'")
    assert [at.hour for at, _ in rows] == [23, 0, 1, 5, 6, 7] and {minutes for _, minutes in rows} == {60}


def test_between_reads_off_the_quarter_the_register_is_interpolated_and_says_so(tmp_path: Path) -> None:
    rows = log(*every(600, 7, kwh_a_step=0.1), folder=tmp_path).readings("value, quality", "channel = 'import'")
    assert rows == [(0.15, "substituted"), (0.15, "substituted"), (0.15, "substituted"), (0.15, "substituted")]


def test_a_register_that_falls_gives_no_value(tmp_path: Path) -> None:
    texts = [telegram(MIDNIGHT, 10), telegram(MIDNIGHT + timedelta(minutes=15), 2), telegram(MIDNIGHT + timedelta(minutes=30), 3)]
    delivered = log(*texts, folder=tmp_path)
    assert delivered.readings("value, quality", "channel = 'import'") == [(None, "missing"), (1.0, "measured")]
    assert "reset or exchanged" in delivered.notes


def test_two_meters_in_one_log_are_told_apart(tmp_path: Path) -> None:
    texts = [text for pair in zip(every(900, 3), every(900, 3, kwh_a_step=1, meter="OTHER"), strict=True) for text in pair]
    assert log(*texts, folder=tmp_path).readings("meter_id, value", "channel = 'import'") == [("4B38", 0.01)] * 2 + [("OTHER", 1.0)] * 2


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_wrong_checksum_costs_its_telegram_whatever_the_line_ends(tmp_path: Path, ends: str) -> None:
    bad = telegram(MIDNIGHT, 10, ends=ends, crc=0xBEEF)
    good = telegram(MIDNIGHT + timedelta(minutes=15), 10, ends=ends)
    delivered = log(good, bad, good, folder=tmp_path)
    assert delivered.rejected() == [(11, "crc")] and "BEEF" in delivered.rejected("reason")[0][0]
    assert len(delivered.rows("raw/register_reads", "ordinal")) == 8


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        pytest.param(lambda a, b: ["noise\r\n", a, "more noise\r\n", b], [(1, "record"), (12, "record")], id="text between"),
        pytest.param(lambda a, b: [a, a[:80] + "\r\n", b], [(11, "truncated")], id="an end is missing"),
        pytest.param(lambda a, b: [a, b, a[:80]], [(21, "truncated")], id="cut at the end"),
        pytest.param(lambda a, b: [a, b, "/ABC5nothing\r\n\r\n!\r\n"], [(21, "value")], id="without registers"),
        pytest.param(lambda a, b: [a, b, re.sub(r"0-0:96.*\r\n|(?<=!)\w+", "", a)], [(21, "meter")], id="without a meter"),
    ],
)  # fmt: skip
def test_what_is_no_telegram_is_rejected_with_its_line(tmp_path: Path, texts, said: list) -> None:  # type: ignore[no-untyped-def]
    a, b = telegram(MIDNIGHT, 10), telegram(MIDNIGHT + timedelta(minutes=15), 11)
    delivered = log(*texts(a, b), folder=tmp_path)
    assert delivered.rejected() == said
    assert delivered.readings("value", "channel = 'import'") == [(1.0,)]


@pytest.mark.parametrize("said", ["000011.0.0*kWh", "ERROR", ""])
def test_a_register_that_cannot_be_read_is_rejected_and_the_others_stand(tmp_path: Path, said: str) -> None:
    wrong = re.sub(r"(1-0:1\.8\.1\()[^)]*", rf"\g<1>{said}", telegram(MIDNIGHT, 10))
    wrong = re.sub(r"!\w+", "!", wrong)  # before DSMR 4 there is no checksum
    delivered = log(wrong, folder=tmp_path)
    assert delivered.rejected() == [(1, "value")]
    assert [row[0] for row in delivered.rows("raw/register_reads", "register")] == ["1-0:1.8.2", "1-0:2.8.1", "1-0:2.8.2"]


def test_a_log_is_cut_the_same_in_small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = every(900, 30)
    whole = log(*texts, folder=tmp_path).readings()
    monkeypatch.setattr(cutting, "_CHUNK", 333)
    assert log(*texts, folder=tmp_path).readings() == whole and len(whole) == 2 * 29


def test_a_log_of_which_no_telegram_is_right_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="Line 1: the checksum"):
        log(telegram(MIDNIGHT, 1, crc=1), folder=tmp_path)


def test_the_long_power_failures_that_a_telegram_lists_are_outages(shared_data: Path) -> None:
    telegram = read_file(shared_data / "wire_dsmr_p1" / "TELEGRAM_V4_2.txt", "Europe/Amsterdam")
    events = telegram.rows("raw/meter_events", "kind, start_utc, end_utc, day", "start_utc > '1999-01-01'")
    end = datetime(2000, 1, 4, 17, 3, 20)
    assert events == [("outage", end - timedelta(seconds=237126), end, date(2000, 1, day)) for day in (2, 3, 4)]
    assert len({row[0] for row in telegram.rows("raw/meter_events", "end_utc")}) == 3
    assert read_file(shared_data / "wire_dsmr_p1" / "TELEGRAM_V5.txt", "Europe/Amsterdam").rows("raw/meter_events", "kind") == []
