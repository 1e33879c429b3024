"""Green Button: the alliance's own fixtures, and feeds that are short, odd or hostile."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from smartgrid_assets.domain.acquire import xml
from smartgrid_assets.domain.errors import DeliveryError
from smartgrid_assets_tests.domain.acquire.reading import Delivered, deliver, read_file

NEW_YORK = "America/New_York"
BLOCK = "urn/UsagePoint/{point}/MeterReading/{reading}"


def entry(content: str, *links: tuple[str, str]) -> str:
    listed = "".join(f'<link rel="{rel}" href="{href}"/>' for rel, href in links)
    return f"<entry>{listed}<content>{content}</content><updated>2026-03-03T04:05:06Z</updated></entry>"


def reading_type(**said: object) -> str:
    return "".join(
        f"<{name}>{value}</{name}>" for name, value in {"uom": 72, "powerOfTenMultiplier": 0, "flowDirection": 1, **said}.items()
    )


def interval(start: object = 1772409600, value: object = 250, duration: object = 900, more: str = "") -> str:
    return f"<IntervalReading>{more}<timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod><value>{value}</value></IntervalReading>"


def feed(*intervals: str, point: str = "P1", reading: str = "1", type_: str | None = None, type_at: str = "type/1") -> str:
    home = BLOCK.format(point=point, reading=reading)
    # the block comes first: what it is about is only told below
    return (
        entry(f"<IntervalBlock>{''.join(intervals)}</IntervalBlock>", ("up", f"{home}/IntervalBlock"))
        + entry("<MeterReading/>", ("self", home), ("related", type_at))
        + entry(f"<ReadingType>{type_ or reading_type()}</ReadingType>", ("self", type_at))
        + entry("<UsagePoint/>", ("self", f"urn/UsagePoint/{point}"))
    )


def document(*feeds: str) -> str:
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">{"".join(feeds)}</feed>'


def green(folder: Path, *feeds: str) -> Delivered:
    return deliver(folder, document(*feeds), tz=NEW_YORK, name="usage.xml")


@pytest.mark.parametrize(
    ("name", "readings", "wh"),
    [("test_usage_data", 1340, 1391666), ("test_usage_data_11", 92, 109403), ("test_usage_data_2", 860, 879978)],
)
def test_the_alliances_fixtures(shared_data: Path, name: str, readings: int, wh: float) -> None:
    delivered = read_file(shared_data / "wire_green_button" / f"{name}.xml.gz", NEW_YORK)
    rows = delivered.readings("meter_id, channel, uom, interval_minutes, value")
    assert {row[:4] for row in rows} == {("5446AF3F", "import", "Wh", 15)}
    assert (len(rows), sum(row[4] for row in rows), delivered.parsed.rejected) == (readings, wh, 0)


def test_the_spring_day_has_23_hours(shared_data: Path) -> None:
    delivered = read_file(shared_data / "wire_green_button" / "test_usage_data_11.xml.gz", NEW_YORK)
    assert delivered.readings("DISTINCT day") == [(date(2012, 3, 11),)]


def test_a_reading_with_all_that_is_said_of_it(tmp_path: Path) -> None:
    side = "<cost>974000</cost><ReadingQuality><quality>8</quality></ReadingQuality>"
    columns = "meter_id, channel, uom, interval_start_utc, interval_minutes, value, quality, source_quality, cost, version_at, day"
    assert green(tmp_path, feed(interval(more=side))).readings(columns) == [
        ("P1", "import", "Wh", datetime(2026, 3, 2), 15, 250.0, "substituted", "8", 9.74, datetime(2026, 3, 3, 4, 5, 6), date(2026, 3, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"powerOfTenMultiplier": 3}, ("import", "Wh", 250_000.0), id="kWh by its multiplier"),
        pytest.param({"powerOfTenMultiplier": -3}, ("import", "Wh", 0.25), id="mWh"),
        pytest.param({"flowDirection": 19}, ("export", "Wh", 250.0), id="reverse"),
        pytest.param({"flowDirection": 4}, ("import:net", "Wh", 250.0), id="net"),
        pytest.param({"uom": 38}, ("import", "W", 250.0), id="power"),
        pytest.param({"uom": 73}, ("other", "varh", 250.0), id="reactive"),
        pytest.param({"uom": 169, "commodity": 7}, ("other", "therm", 250.0), id="gas"),
    ],
)
def test_what_the_reading_type_says(tmp_path: Path, said: dict, expected: tuple) -> None:
    assert green(tmp_path, feed(interval(), type_=reading_type(**said))).readings("channel, uom, value") == [expected]


def test_two_streams_of_two_meters_are_told_apart_by_their_links(tmp_path: Path) -> None:
    other = feed(interval(value=7), point="P2", reading="9", type_=reading_type(flowDirection=19), type_at="type/2")
    assert green(tmp_path, feed(interval()), other).readings("meter_id, channel, value") == [("P1", "import", 250.0), ("P2", "export", 7.0)]


def test_prefixed_names_are_the_same_names(tmp_path: Path) -> None:
    text = (
        document(feed(interval())).replace("<IntervalReading>", "<e:IntervalReading>").replace("</IntervalReading>", "</e:IntervalReading>")
    )
    assert deliver(tmp_path, text, tz=NEW_YORK, name="usage.xml").readings("value") == [(250.0,)]


def test_values_that_count_up_are_register_reads(tmp_path: Path) -> None:
    delivered = green(tmp_path, feed(interval(value=123), type_=reading_type(accumulationBehaviour=3)))
    assert not delivered.readings()
    assert delivered.rows("raw/register_reads", "meter_id, register_read, read_at_utc, uom") == [
        ("P1", 123.0, datetime(2026, 3, 2, 0, 15), "Wh")
    ]


@pytest.mark.parametrize(
    ("bad", "rule", "says"),
    [
        pytest.param(interval(start="soon"), "time", "no time in seconds", id="start"),
        pytest.param(interval(value="many"), "value", "no finite number", id="value"),
        pytest.param(interval(duration=86400), "interval", "86400 seconds", id="a day"),
        pytest.param(interval(duration=100), "interval", "100 seconds", id="odd length"),
    ],
)
def test_a_bad_reading_is_rejected_and_the_others_are_kept(tmp_path: Path, bad: str, rule: str, says: str) -> None:
    delivered = green(tmp_path, feed(bad, "\n", interval()))
    assert delivered.rejected() == [(1, rule)] and says in delivered.rejected("reason")[0][0]
    assert len(delivered.readings()) == 1


def test_what_no_type_tells_of_is_rejected(tmp_path: Path) -> None:
    lost = feed(interval(), reading="2", type_at="type/2").replace('rel="related" href="type/2"', 'rel="related" href="type/9"')
    assert green(tmp_path, feed(interval()), lost).rejected("rule") == [("unit",)]


def test_a_cut_feed_keeps_what_stands_above_the_cut(tmp_path: Path) -> None:
    whole = document(feed(interval()), feed(interval(), point="P2", type_at="type/2"))
    delivered = deliver(tmp_path, whole[: whole.index("UsagePoint/P2") + 90], tz=NEW_YORK, name="usage.xml")
    assert delivered.readings("meter_id") == [("P1",)]
    assert delivered.rejected("rule") == [("xml",)] and "Line 1, column" in delivered.rejected("reason")[0][0]


@pytest.mark.parametrize(
    ("prologue", "says"),
    [
        pytest.param('<!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', "document type is declared", id="entities"),
        pytest.param('<!DOCTYPE feed SYSTEM "file:///etc/passwd">', "document type is declared", id="a file of ours"),
    ],
)
def test_document_types_and_entities_are_refused(tmp_path: Path, prologue: str, says: str) -> None:
    with pytest.raises(DeliveryError, match=says):
        deliver(tmp_path, document(feed(interval())).replace("<feed", prologue + "<feed", 1), tz=NEW_YORK, name="usage.xml")


@pytest.mark.parametrize("encoding", ["UTF-5", "utf-32", "big5", "rot13", "idna"])
def test_an_encoding_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, encoding: str) -> None:
    """Found by the fuzzer: a damaged `encoding=` raised what no reader expected."""
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    content = document(feed(interval()))
    body = content[content.index("?>") + 2 :] if content.startswith("<?xml") else content
    with pytest.raises(DeliveryError, match=r"encoding cannot be read|not well-formed"):
        deliver(tmp_path, declared + body, tz=NEW_YORK, name="usage.xml")


def test_deep_and_long_xml_is_refused_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = document("<a>" * 100_000)
    with pytest.raises(DeliveryError, match="64 deep"):
        deliver(tmp_path, deep.replace("<a>", "<UsagePoint>"), tz=NEW_YORK, name="deep.xml")
    monkeypatch.setattr(xml, "MAX_TEXT", 10_000)
    with pytest.raises(DeliveryError, match="too long"):
        deliver(tmp_path, document(feed(interval(value="1" * 50_000))), tz=NEW_YORK, name="long.xml")


def test_readings_are_handed_over_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smartgrid_assets.domain.acquire.formats.green_button.ROWS_A_CHUNK", 7)
    many = [interval(start=1772409600 + 900 * n, value=n) for n in range(40)]
    assert [value for (value,) in green(tmp_path, feed(*many)).readings("value")] == [float(n) for n in range(40)]
