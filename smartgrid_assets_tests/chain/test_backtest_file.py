"""Meter files as series to forecast: units, directions, registers, and what holds no readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartgrid_assets.chain.backtest_file import series_of
from smartgrid_assets.domain.errors import SmartGridError

NEM12 = """100,NEM12,202601020000,MDP1,Ret1
200,NMI0000001,E1B1,E1,E1,N1,METER1,kWh,30,
300,20260101,{drawn},A,,,20260102000000,
200,NMI0000001,E1B1,B1,B1,N1,METER1,Wh,30,
300,20260101,{fed},A,,,20260102000000,
900
"""


def test_a_meter_file_is_net_load_a_zone_a_meter(tmp_path: Path):
    path = tmp_path / "it's nem12.csv"
    path.write_text(NEM12.format(drawn=",".join(["1.5"] * 48), fed=",".join(["500"] * 48)))
    frame, problems = series_of(path, "Australia/Brisbane", "AU")
    assert problems == [] and len(frame) == 48 and frame["zone"].nunique() == 1
    # 1.5 kWh drawn and 0.5 kWh fed in within half an hour: 2 kW.
    assert frame["load_mw"].to_numpy() == pytest.approx(0.002)
    assert str(frame["local_time"].iloc[0]) == "2026-01-01 00:00:00"


def test_a_mapping_says_what_the_columns_are(tmp_path: Path):
    path, mapping = tmp_path / "readings.csv", tmp_path / "m.toml"
    path.write_text("when,id,power\n2026-01-01 00:00,m1,4\n2026-01-01 01:00,m1,6\n")
    mapping.write_text('[time]\ncolumn = "when"\nzone = "UTC"\n[meter]\ncolumn = "id"\n[value]\ncolumn = "power"\nunit = "kW"\n')
    frame, _ = series_of(path, "UTC", "", mapping=mapping)
    assert frame["load_mw"].tolist() == [0.004, 0.006] and frame["zone"].tolist() == ["m1", "m1"]


def test_what_no_reader_knows_is_a_sentence(tmp_path: Path):
    path = tmp_path / "letter.csv"
    path.write_text("Dear sirs,\nno readings here\n")
    with pytest.raises(SmartGridError):
        series_of(path, "UTC", "")
