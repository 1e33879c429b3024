"""Fixtures of all tests: an empty home, the chain on it, and the real data beside the checkout where it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

for _name in ("DAGSTER_DISABLE_TELEMETRY", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ.setdefault(_name, "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SMARTGRID_NICE", "0")  # runs in this process would slow down every test after them
# The same small networks are compiled over and over; kept beside pytest's own cache they cost a third.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).resolve().parent.parent / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data with known answers; a test that needs it skips, saying so, where it is absent."""
    folder = Path(os.environ.get("SMARTGRID_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}; set SMARTGRID_SHARED_DATA")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty SMARTGRID_HOME, with settings read anew from the environment."""
    from smartgrid_assets.settings import settings

    for name in [name for name in os.environ if name.startswith("SMARTGRID_") and name != "SMARTGRID_SHARED_DATA"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SMARTGRID_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / ".dagster"))
    monkeypatch.setenv("SMARTGRID_NICE", "0")
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()
