"""No meter's id in what is written beside the lake: Dagster's event log, MLflow's store, the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from smartgrid_assets.settings import settings
from smartgrid_assets_tests.chain.small import FIRST, METERS, deliver, file_of, lines_of, morning_after, place, rows

LONG = {meter: f"DE0007654321098{meter}" for meter in METERS}
LAST = FIRST + timedelta(days=14)


@pytest.mark.slow
def test_a_run_tells_dagster_mlflow_and_the_terminal_no_ids(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen days with bad readings of each kind of verdict, through all steps by the command, asset checks included."""
    monkeypatch.setenv("SMARTGRID_MODELS", "naive_2d,naive_7d")
    for limit in ("SMARTGRID_TIME_LIMIT_S", "SMARTGRID_SETTLEMENT_TIME_LIMIT_S"):
        monkeypatch.setenv(limit, "1")  # how good the plans are is nothing to it
    settings.cache_clear()
    context, files = place(tmp_path / "in", 15)
    bad = lines_of(FIRST, change={("A1", 3): -5.0, ("A2", 4): 900.0})
    files[1] = (file_of(tmp_path / "in", files[1][0].name, [*bad[:10], bad[11].replace("kWh", "bananas"), *bad[12:]]), morning_after(FIRST))
    for file, _ in files:
        text = file.read_text()
        for meter, name in LONG.items():
            text = text.replace(f"{meter},", f"{name},")
        file.write_text(text)
    deliver(context, *files)
    command = [sys.executable, "-m", "smartgrid_assets", "run", "--from", str(FIRST), "--to", str(LAST)]
    told = subprocess.run(command, env=dict(os.environ), capture_output=True, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    assert rows(context, "SELECT count(DISTINCT rule) >= 2 FROM validated.rejected_readings") == [(True,)]
    written = {"stdout": told.stdout, "stderr": told.stderr}
    for folder in (home / ".dagster", home / "mlruns"):
        written |= {str(file.relative_to(home)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert any(name.endswith(".db") for name in written) and any(name.startswith("mlruns") for name in written), sorted(written)[:20]
    assert [name for name, content in written.items() if any(meter.encode() in content for meter in LONG.values())] == []
