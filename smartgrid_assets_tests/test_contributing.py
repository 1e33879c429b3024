"""The plug-ins that docs/contributing.md shows: each is one file, put where it says, and found and used without another line."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from smartgrid_assets.domain.check.rule import all_rules, rules_version
from smartgrid_assets.domain.forecast.fit import fit_zones
from smartgrid_assets.domain.forecast.forecaster import models
from smartgrid_assets.domain.registry import discover
from smartgrid_assets_tests.conftest import REPOSITORY
from smartgrid_assets_tests.domain.check import town
from smartgrid_assets_tests.domain.forecast import made_series, series

SHOWN = re.compile(r"`smartgrid_assets/([\w/]+)/(\w+\.py)`:\n\n((?:    .*\n|\n)+)")


def shown() -> dict[str, tuple[str, str]]:
    """File name -> (dotted package, code) of every example of the document."""
    text = (REPOSITORY / "docs" / "contributing.md").read_text()
    return {name: (f"smartgrid_assets.{folder.replace('/', '.')}", textwrap.dedent(code)) for folder, name, code in SHOWN.findall(text)}


@pytest.fixture
def as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The examples in their packages, as if the files stood there."""
    for name, (package, code) in shown().items():
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(code)
        home = importlib.import_module(package)
        monkeypatch.setattr(home, "__path__", [*home.__path__, str(folder)])
    discover.cache_clear()
    yield
    for name, (package, _) in shown().items():
        sys.modules.pop(f"{package}.{name.removesuffix('.py')}", None)
    monkeypatch.undo()  # before the next look, which must not find them
    discover.cache_clear()


def test_the_document_shows_a_rule_and_a_model() -> None:
    assert set(shown()) == {"too_high.py", "naive_14d.py"}


def test_the_rule_shown_flags_what_it_says_and_makes_validated_days_stale(as_shown: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "too_high" in all_rules()
    with_it = rules_version()
    checked = town.check(town.readings(values=[0.2, 2e6, *[0.3 + 0.01 * n for n in range(46)]]), [town.meter()])
    assert checked.found("too_high") == [1]
    rules = importlib.import_module("smartgrid_assets.domain.check.rules")
    monkeypatch.setattr(rules, "__path__", rules.__path__[:1])
    discover.cache_clear()
    assert rules_version() != with_it


def test_the_model_shown_is_fitted_and_forecasts_a_whole_day(as_shown: None) -> None:
    day = date(2026, 6, 10)
    history, future = made_series.split(made_series.rows(date(2026, 4, 1), 80), day)
    fitted = fit_zones(models()["naive_14d"], {"north": history}, series.context(day))
    forecast = fitted.predict("north", history, future)
    assert not fitted.failed and len(forecast) == 24
    two_weeks_ago = history[history["local_time"].dt.normalize() == np.datetime64("2026-05-27")]["load_mw"]
    assert np.corrcoef(forecast["q50"], two_weeks_ago)[0, 1] > 0.9
