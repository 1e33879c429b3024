"""The pictures of docs/for/ are those that the script takes, each is shown, and each can be taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smartgrid_assets_tests.web import screenshots
from smartgrid_assets_tests.web.loopback import CHROMIUM
from smartgrid_assets_tests.web.made import CASE, Site


def test_each_picture_is_taken_by_the_script_and_shown_in_a_document() -> None:
    there = {file.stem for file in screenshots.PICTURES.glob("*")}
    shown = {name for page in screenshots.PICTURES.parent.glob("*.md") for name in re.findall(r"\(pictures/(\w+)\.png\)", page.read_text())}
    assert there == set(screenshots.SCREENS) == shown
    assert sum(file.stat().st_size for file in screenshots.PICTURES.glob("*")) < 500_000


@pytest.mark.xdist_group("browser")
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; CI installs it (apt-get install chromium)")
def test_pictures_are_taken_of_a_lake_that_is_left_as_it_was(own_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "PICTURES", tmp_path / "pictures")
    home = own_site.context.settings.home
    before = {file: file.stat().st_mtime_ns for file in home.rglob("*")}
    assert screenshots.newest_case(own_site.context) == CASE and CHROMIUM
    with screenshots.served(own_site.context, tmp_path / "users") as address:
        screenshots.take(address, CHROMIUM, CASE)
    assert {file.stem for file in (tmp_path / "pictures").iterdir()} == set(screenshots.SCREENS)
    assert {file: file.stat().st_mtime_ns for file in home.rglob("*")} == before
