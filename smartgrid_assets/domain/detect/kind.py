"""What kind of change is it, and how is it said? By how the parts of the day moved, and by what the feeder saw."""

from __future__ import annotations

from typing import Any

import numpy as np

from smartgrid_assets.domain.detect.features import WORDS

THEFT = ("bypass", "lost_phase")
FAULTS = ("stuck", "data_fault")
VISITED = (*THEFT, *FAULTS, "feeder_loss")
"""Kinds that are worth a visit; the others are explained."""
PARTS = ("night_kwh", "evening_kwh", "peak_kw", "ramp_kw")
ALIKE = 0.3
"""Parts that fell by factors within e^0.3 of the whole's fell together: a meter that counts a share."""
PHASE = (0.55, 0.8)
"""Of three phases one is not counted: two thirds are left, more or less where the phases differ."""
LASTS = 0.8
"""Where no feeder can tell, energy that is not gone for three weeks (level.LONGER_THAN_HOLIDAYS), and today, may be away on holiday."""
UNTOUCHED = -0.1
HALF = -0.4


def kind_of(row: dict[str, Any], still_flows: bool, nobody_measures: bool) -> str:
    """One of the kinds of anomalies/suspects. row: change, and change_<feature> of the shape; z negative where the energy fell."""
    if row["z"] > 0:
        return "new_device"
    if still_flows or (nobody_measures and max(row["newest_change"], row["lasting_change"]) <= LASTS * row["change"] and fell_alike(row)):
        return "lost_phase" if PHASE[0] <= 1 + row["change"] <= PHASE[1] and fell_alike(row) else "bypass"
    dark = [row[f"change_{part}"] for part in ("night_kwh", "evening_kwh")]
    if row["value_export_kwh"] > 0.5 or all(np.isfinite(part) and part > max(UNTOUCHED, row["change"] / 2) for part in dark):
        return "pv"
    return "vacancy" if row["change_peak_kw"] <= HALF and row["change_ramp_kw"] <= HALF else "lower_use"


def fell_alike(row: dict[str, Any]) -> bool:
    """Did night, evening, peak and ramps fall as the whole did?"""
    whole = np.log(max(1 + row["change"], 1e-3))
    parts = [np.log(max(1 + row[f"change_{part}"], 1e-3)) for part in PARTS if np.isfinite(row[f"change_{part}"])]
    return len(parts) >= 3 and bool(np.all(np.abs(np.array(parts) - whole) <= ALIKE))


def sentence(row: dict[str, Any], kind: str, witness: float, still_flows: bool, is_gone: bool) -> str:
    """The evidence in words: how the energy and its two clearest parts moved against own past and peers, and what the feeder says."""
    parts = {part: row[f"change_{part}"] for part in PARTS if np.isfinite(row[f"change_{part}"])}
    clearest = sorted(parts, key=lambda part: -abs(parts[part]))[:2]
    days = int(row["days"])
    told = [f"energy {_moved(row['change'])} for {days} days, against its own past and what its peers did"]
    told += [
        f"{WORDS[part]} {_moved(parts[part])} ({amount(row[f'value_{part}'])} against {amount(row[f'expected_{part}'])})"
        for part in clearest
    ]
    if row["z"] < 0 and np.isfinite(witness):
        share = f"{min(max(witness, 0.0), 1.0):.0%} of the missing {amount(7 * row['missing_kwh'])} kWh a week"
        if still_flows:
            told.append(f"its feeder still delivers {share}")
        else:
            told.append(f"its feeder delivers less, too ({share} are still measured)" if is_gone else "its feeder cannot tell")
    return "; ".join(told)


def _moved(change: float) -> str:
    return f"{'fell' if change < 0 else 'rose'} {abs(change):.0%}"


def amount(value: float) -> str:
    """Three digits, as people write them.

    >>> amount(2661.3), amount(0.0195)
    ('2,661', '0.0195')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
