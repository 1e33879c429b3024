"""The page over a lake made by hand; a copy of it for tests that write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartgrid_assets.home import chain_context
from smartgrid_assets.resources.accounts import Accounts
from smartgrid_assets.settings import Settings
from smartgrid_assets_tests.web.made import Site, add_people, make_lake, site_of


def _settings(home: Path) -> Settings:
    return Settings(home=home, timezone="Europe/Berlin", memory_limit="500MB", dagster_url="http://127.0.0.1:9", web_timeout_s=20)


@pytest.fixture(scope="session")
def lake_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose lake is made; nobody writes to it."""
    home = tmp_path_factory.mktemp("web") / "home"
    make_lake(chain_context(chosen=_settings(home)))
    add_people(Accounts(home / "web"))
    return home


@pytest.fixture(scope="module")
def site(lake_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that is only looked at (users and the audit log are its own)."""
    home = tmp_path_factory.mktemp("site") / "home"
    shutil.copytree(lake_home, home)
    return site_of(chain_context(chosen=_settings(home)))


@pytest.fixture
def own_site(lake_home: Path, tmp_path: Path) -> Iterator[Site]:
    """A site of the test's own, to write to and to break."""
    home = tmp_path / "home"
    shutil.copytree(lake_home, home)
    yield site_of(chain_context(chosen=_settings(home)))


@pytest.fixture
def empty_site(tmp_path: Path) -> Site:
    """A site over a lake with nothing in it."""
    return site_of(chain_context(chosen=_settings(tmp_path / "empty")))
