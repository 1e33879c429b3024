"""Same seed, same bytes; days of 46 and 50 half-hours; values that make no sense are refused."""

from __future__ import annotations

import gzip
import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import days_between
from smartgrid_assets.domain.simulate.seeds import generator
from smartgrid_assets.domain.simulate.utility import DEMO_START, Town, make_town, write_town


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 by relative name of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def true_imports(town: Town, day: date) -> np.ndarray:
    """(meters, n) true import of a day."""
    return np.concatenate([block.import_kwh for block in town.true_blocks(town.grid(day))])


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 4)):
        write_town(make_town(meters=30, days=6, seed=seed), tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "again")
    assert digests(tmp_path / "one")["readings_2026-09-07.csv"] != digests(tmp_path / "other")["readings_2026-09-07.csv"]


def test_random_numbers_are_the_same_in_every_process_and_version() -> None:
    assert generator(7, "weather", 3).integers(1000, size=4).tolist() == [454, 998, 860, 1]


def test_a_longer_span_leaves_the_days_before_as_they_were() -> None:
    short, longer = (make_town(meters=40, days=days, seed=5) for days in (3, 9))
    at_home = short.oddities.away_from == longer.oddities.away_from
    first = short.days[0]
    np.testing.assert_array_equal(true_imports(short, first)[at_home], true_imports(longer, first)[at_home])
    np.testing.assert_array_equal(short.weather["temperature_c"], longer.weather["temperature_c"][: 5 * 48])


def test_more_meters_leave_the_natures_of_the_first_as_they_were() -> None:
    few, many = make_town(meters=40, days=2), make_town(meters=90, days=2)
    for trait in ("class_code", "mean_kw", "rating_kw", "pv_kwp", "ev_from"):
        np.testing.assert_array_equal(getattr(few.customers, trait), getattr(many.customers, trait)[:40])


@pytest.mark.parametrize(
    ("tz", "country", "start", "half_hours"),
    [
        pytest.param("Europe/Berlin", "DE", date(2026, 3, 28), [48, 46, 48], id="berlin-spring"),
        pytest.param("Europe/Berlin", "DE", date(2026, 10, 24), [48, 50, 48], id="berlin-autumn"),
        pytest.param("Australia/Melbourne", "AU", date(2026, 4, 4), [48, 50, 48], id="melbourne-autumn"),
        pytest.param("Australia/Melbourne", "AU", date(2026, 10, 3), [48, 46, 48], id="melbourne-spring"),
    ],
)
def test_a_day_file_holds_the_half_hours_of_its_local_day(
    tmp_path: Path, tz: str, country: str, start: date, half_hours: list[int]
) -> None:
    town = make_town(meters=2, days=3, start=start, tz=tz, country=country, faults=False)
    write_town(town, tmp_path)
    for day, expected in zip(town.days, half_hours, strict=True):
        lines = (tmp_path / f"readings_{day}.csv").read_text().splitlines()
        stamps = [line.split(",")[2] for line in lines if line.startswith("M000001,import")]
        assert len(stamps) == len(set(stamps)) == expected


def test_the_demo_has_a_holiday_and_a_clock_change_in_its_last_three_weeks(demo_town: Town) -> None:
    assert demo_town.days[0] == DEMO_START
    assert date(2026, 10, 3) in demo_town.holidays
    assert 50 in {demo_town.grid(day).intervals for day in demo_town.days[-21:]}


def test_seasons_are_turned_round_in_the_south() -> None:
    january = days_between(date(2026, 1, 10), date(2026, 1, 20))
    north = make_town(meters=1, days=len(january), start=january[0])
    south = make_town(meters=1, days=len(january), start=january[0], tz="Australia/Melbourne", country="AU")
    assert south.weather["temperature_c"].mean() > north.weather["temperature_c"].mean() + 8
    assert south.weather["irradiance_w_m2"].mean() > 3 * north.weather["irradiance_w_m2"].mean()


def test_gzipped_files_hold_the_same_text(tmp_path: Path) -> None:
    town = make_town(meters=12, days=5)
    write_town(town, tmp_path / "plain")
    write_town(town, tmp_path / "gz", gz=True)
    name = f"readings_{town.days[0]}.csv"
    assert gzip.decompress((tmp_path / "gz" / f"{name}.gz").read_bytes()) == (tmp_path / "plain" / name).read_bytes()


def test_progress_is_called_after_each_day(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_town(make_town(meters=3, days=3), tmp_path, progress=lambda done, days: seen.append((done, days)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "value",
    [{"meters": 0}, {"days": 0}, {"seed": -1}, {"interval_minutes": 7}, {"tz": "Mars/Base"}, {"country": "XX"}],
    ids=lambda value: next(iter(value)),
)
def test_a_value_that_makes_no_sense_is_refused_with_a_sentence(value: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match=r"\w+ .* "):
        make_town(**value)


@pytest.mark.parametrize("minutes", [15, 60])
def test_other_interval_lengths_carry_about_the_same_energy(minutes: int) -> None:
    day = date(2026, 9, 8)
    usual = true_imports(make_town(meters=100, days=2), day).sum()
    other = true_imports(make_town(meters=100, days=2, interval_minutes=minutes), day)
    assert other.shape[1] == 24 * 60 // minutes
    assert other.sum() == pytest.approx(usual, rel=0.25)
