"""Made-up series with labelled oddities: what the choice of series detectors was tuned on. Even seeds to tune, odd ones to judge.

Seven kinds (feeder load, home meter, appliance cycles, machine and room temperature, computer load, a process without a day) and ten oddities
(spike, dip, level shift, flat line, swing changed, noise, shape of another hour, missing cycles, slow drift, stuck at zero), several
of up to half a day or a few of up to four days.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

KINDS = ("feeder", "home", "appliance", "machine", "room", "computer", "process")
ODDITIES = ("spike", "dip", "shift", "flat", "swing", "noise", "hour", "missing", "drift", "zero")
START = pd.Timestamp("2026-01-05")


def odd_series(seed: int) -> pd.DataFrame:
    """timestamp, value, label (0/1) of one series; the kind follows from the seed."""
    kind = KINDS[seed // 2 % len(KINDS)]
    rng = np.random.default_rng(seed)
    values, minutes = _ordinary(kind, rng)
    labels = np.zeros(values.size, int)
    a_day = 1440 // minutes
    longest, count = (max(a_day // 2, 60), int(rng.integers(3, 9))) if rng.random() < 0.5 else (a_day * 4, int(rng.integers(1, 4)))
    for _ in range(count):
        _disturb(values, labels, str(rng.choice(ODDITIES)), (a_day, longest), rng)
    stamps = START + pd.to_timedelta(np.arange(values.size) * minutes, unit="min")
    return pd.DataFrame({"timestamp": stamps, "value": values, "label": labels})


def _ordinary(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Values of an undisturbed series, and its interval in minutes."""
    minutes = {"feeder": 30, "home": 15, "appliance": 1, "machine": 5, "room": 60, "computer": 5, "process": 10}[kind]
    days = {"feeder": 120, "home": 60, "appliance": 14, "machine": 45, "room": 300, "computer": 14, "process": 90}[kind]
    n = days * 1440 // minutes
    hour, day = np.arange(n) * minutes / 60 % 24, np.arange(n) * minutes // 1440
    if kind == "feeder":
        shape = 1 + 0.3 * np.sin((hour - 9) / 24 * 2 * np.pi) + 0.2 * np.exp(-(((hour - 19) / 2) ** 2))
        level = np.where(day % 7 >= 5, 0.8, 1) * (1 + 0.2 * np.cos(day / 365 * 2 * np.pi)) * (1 + _walk(rng, n, 0.999, 0.002))
        return 5 * shape * level + rng.normal(0, 0.08, n), minutes
    if kind == "home":
        base = 0.15 + 0.1 * rng.random(n)
        chance = 0.02 + 0.15 * np.exp(-(((hour - 19) / 2.5) ** 2)) + 0.1 * np.exp(-(((hour - 7.5) / 1.2) ** 2))
        bursts = np.convolve((rng.random(n) < chance) * rng.gamma(2, 0.5, n), [1, 0.8, 0.3])[:n]
        return base + bursts, minutes
    if kind == "appliance":
        return _cycles(n, rng), minutes
    if kind == "machine":
        return 85 + 8 * _walk(rng, n, 0.9995, 0.02) + 2 * np.sin(hour / 24 * 2 * np.pi) + rng.normal(0, 0.4, n), minutes
    if kind == "process":
        return 60 + 6 * _walk(rng, n, 0.998, 0.05) + 3 * _walk(rng, n, 0.9, 0.3) + rng.normal(0, 0.2, n), minutes
    if kind == "room":
        season = 4 * np.sin((day - 30) / 365 * 2 * np.pi)
        return 21 + season + 1.5 * np.sin((hour - 8) / 24 * 2 * np.pi) * np.where(day % 7 >= 5, 0.4, 1) + _walk(rng, n, 0.97, 0.25), minutes
    busy = (rng.random(n) < 0.03) * rng.uniform(5, 30, n)
    return np.clip(20 + 3 * np.sin(hour / 12 * 2 * np.pi) + np.convolve(busy, np.ones(4) / 2)[:n] + rng.normal(0, 1.5, n), 0, 100), minutes


def _walk(rng: np.random.Generator, n: int, memory: float, step: float) -> np.ndarray:
    from scipy.signal import lfilter

    walk: np.ndarray = lfilter([1], [1, -memory], rng.normal(0, step, n))
    return walk


def _cycles(n: int, rng: np.random.Generator) -> np.ndarray:
    """A compressor: on for some 20 minutes, off for some 35, with a start-up peak."""
    values, at, power = rng.normal(2, 0.4, n), 0, rng.uniform(60, 150)
    while at < n:
        on, off = int(rng.normal(20, 2)), int(rng.normal(35, 4))
        length = min(on, n - at)
        values[at : at + length] += power * (1 + 0.4 * np.exp(-np.arange(length) / 2)) + rng.normal(0, 2, length)
        at += max(on, 5) + max(off, 5)
    return np.maximum(values, 0)


def _disturb(values: np.ndarray, labels: np.ndarray, oddity: str, lengths: tuple[int, int], rng: np.random.Generator) -> None:
    """Change a stretch of the values in place and label it; stretches do not overlap. lengths: of a day, and of the longest stretch."""
    a_day, longest = lengths
    length = int(rng.integers(1, 4)) if oddity == "spike" else int(rng.integers(max(longest // 6, 8), longest))
    first = int(rng.integers(a_day * 2, values.size - length - a_day))
    stretch = slice(first, first + length)
    if labels[max(first - longest, 0) : first + length + longest].any():
        return
    part, spread = values[stretch].copy(), float(np.subtract(*np.quantile(values, [0.9, 0.1])))
    ramp = np.linspace(0, 1, length)
    values[stretch] = {
        "spike": lambda: part + rng.choice([-1, 1]) * rng.uniform(1.5, 3) * spread,
        "dip": lambda: part - rng.uniform(0.4, 0.9) * spread * np.sin(ramp * np.pi),
        "shift": lambda: part + rng.choice([-1, 1]) * rng.uniform(0.4, 1) * spread,
        "flat": lambda: np.full(length, part[0]),
        "swing": lambda: part.mean() + (part - part.mean()) * rng.choice([0.3, 2.0]),
        "noise": lambda: part + rng.normal(0, rng.uniform(0.2, 0.5) * spread, length),
        "hour": lambda: values[first + a_day // 2 :][:length] if rng.random() < 0.5 and length <= a_day // 2 else part[::-1],
        "missing": lambda: np.full(length, np.quantile(values, 0.05)) + rng.normal(0, 0.01 * spread, length),
        "drift": lambda: part + ramp * rng.uniform(0.8, 1.6) * spread,
        "zero": lambda: np.zeros(length),
    }[oddity]()
    labels[stretch] = 1
