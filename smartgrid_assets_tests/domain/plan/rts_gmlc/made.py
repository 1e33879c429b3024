"""A system of three buses in the RTS-GMLC layout: two areas, a coal and a gas unit, wind, run of river, pumped storage, CSP."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DAYS = ("2020-07-05", "2020-07-06", "2020-07-07")
_NA = float("nan")


def unit(name: str, bus: int, kind: str, fuel: str, p_min: float, p_max: float, injected: float, **more: float) -> dict[str, object]:
    """A row of gen.csv; heat: MMBTU per MWh at the first point, one more per point after it."""
    heat = more.pop("heat", 10.0)
    row = {
        "GEN UID": name, "Bus ID": bus, "Unit Type": kind, "Fuel": fuel, "MW Inj": injected, "PMax MW": p_max, "PMin MW": p_min,
        "Min Down Time Hr": 4, "Min Up Time Hr": 8, "Ramp Rate MW/Min": 2, "Start Time Cold Hr": 12, "Start Time Warm Hr": 6,
        "Start Time Hot Hr": 2, "Start Heat Cold MBTU": 300, "Start Heat Warm MBTU": 200, "Start Heat Hot MBTU": 100, "Non Fuel Start Cost $": 7,
        "Fuel Price $/MMBTU": 2.0, "Output_pct_0": p_min / p_max if p_max else 0.0, "Output_pct_1": 1.0, "Output_pct_2": _NA,
        "HR_avg_0": heat * 1000, "HR_incr_1": (heat + 1) * 1000, "HR_incr_2": _NA, "Pump Load MW": 0, "Storage Roundtrip Efficiency": 0,
    }  # fmt: skip
    return row | more


def tables() -> dict[str, pd.DataFrame]:
    """Source tables by name, without .csv."""
    files = {"W1": "WIND/DAY_AHEAD_wind.csv", "H1": "HYDRO/DAY_AHEAD_hydro.csv"}
    pointers = [("Generator", "W1", "PMax MW", files["W1"]), ("Generator", "H1", "PMax MW", files["H1"]), ("Generator", "H1", "PMin MW", files["H1"]),
                ("Area", "1", "MW Load", "Load/DAY_AHEAD_load.csv"), ("Area", "2", "MW Load", "Load/DAY_AHEAD_load.csv"),
                ("Reserve", "Reg_Up", "Requirement", "Reserves/DAY_AHEAD_Reg_Up.csv")]  # fmt: skip
    asked = [("DAY_AHEAD", *row[:3], f"../timeseries_data_files/{row[3]}") for row in pointers]
    asked.append(("REAL_TIME", "Area", "1", "MW Load", "../timeseries_data_files/Load/REAL_TIME_load.csv"))
    return {
        "bus": pd.DataFrame({"Bus ID": [101, 102, 201], "Bus Name": ["Abel", "Baker", "Clay"], "Bus Type": ["PV", "Ref", "PQ"], "MW Load": [30.0, 60.0, 10.0],
                             "Area": [1, 1, 2], "MW Shunt G": [0.0, 0.0, 2.0]}),
        "branch": pd.DataFrame({"UID": ["A1", "A2"], "From Bus": [101, 102], "To Bus": [102, 201], "X": [0.1, 0.2], "Cont Rating": [200, 0],
                                "LTE Rating": [210, 0], "STE Rating": [220, 0], "Tr Ratio": [0.0, 1.25]}),
        "dc_branch": pd.DataFrame({"UID": ["DC1"], "From Bus": [101], "To Bus": [201], "MW Load": [25]}),
        "gen": pd.DataFrame([
            unit("COAL", 101, "STEAM", "Coal", 40, 120, 80.0), unit("GAS", 102, "CT", "NG", 10, 60, 0.0, heat=20.0),
            unit("SYNC", 102, "SYNC_COND", "Sync_Cond", 0, 0, 0.0), unit("W1", 201, "WIND", "Wind", 0, 50, 0.0),
            unit("H1", 201, "HYDRO", "Hydro", 0, 9, 0.0), unit("CSP1", 201, "CSP", "Solar", 10, 50, 0.0),
            unit("S1", 201, "STORAGE", "Storage", 0, 20, 0.0, **{"Pump Load MW": 15, "Storage Roundtrip Efficiency": 80}),
        ]),
        "storage": pd.DataFrame({"GEN UID": ["S1", "S1"], "Max Volume GWh": [0.1, 0.1], "Initial Volume GWh": [0.05, 0.02], "position": ["head", "tail"]}),
        "reserves": pd.DataFrame({"Reserve Product": ["Reg_Up", "Reg_Down", "Spin_Up_R2"], "Requirement (MW)": [99, 4, 3]}),
        "timeseries_pointers": pd.DataFrame(asked, columns=["Simulation", "Category", "Object", "Parameter", "Data File"]),
    }  # fmt: skip


def series() -> dict[str, pd.DataFrame]:
    """Hourly series by their path under timeseries_data_files."""
    rows = [(*map(int, day.split("-")), hour + 1, n * 24 + hour) for n, day in enumerate(DAYS) for hour in range(24)]
    moments = pd.DataFrame([row[:4] for row in rows], columns=["Year", "Month", "Day", "Period"])
    number = pd.Series([row[4] for row in rows], dtype=float)
    days = pd.DataFrame([tuple(map(int, day.split("-"))) for day in DAYS], columns=["Year", "Month", "Day"])
    by_day = {str(hour + 1): [float(hour + 24 * n) / 10 for n in range(len(DAYS))] for hour in range(24)}
    return {
        "WIND/DAY_AHEAD_wind.csv": moments.assign(W1=number % 5),
        "HYDRO/DAY_AHEAD_hydro.csv": moments.assign(H1=number * 0 + 3.5),
        "Load/DAY_AHEAD_load.csv": moments.assign(**{"1": 90 + number, "2": 10.0}),
        "Reserves/DAY_AHEAD_Reg_Up.csv": days.assign(**by_day),
    }


def write(folder: Path, flat: bool = False, **changed: pd.DataFrame) -> Path:
    """The layout, as its repository has it or with all files beside each other (the series gzipped)."""
    for name, frame in (tables() | changed).items():
        file = folder / (f"SourceData_{name}.csv" if flat else f"RTS_Data/SourceData/{name}.csv")
        file.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(file, index=False, na_rep="NA")
    for name, frame in series().items():
        file = folder / (f"{Path(name).name}.gz" if flat else f"RTS_Data/timeseries_data_files/{name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(file, index=False)
    return folder
