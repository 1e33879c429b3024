"""What every forecaster is: one contract of fit, predict, dump and load, for one zone; and the fitted models of a group.

A forecaster is fitted once a week on what the gate of the week's first day knew; each day it predicts from what
that day's gate knew, which is newer. The freshest equal-time lag is two days: D-1 is not known when D is issued.
History: interval_start_utc, interval_minutes, load_mw, local_time, is_holiday, weekday, weight and the
weather (tables.WEATHER_COLUMNS), sorted by time; future: the same without load_mw and weight. Rows of D-1 may stand in the history
without load: a model that asks for the eve sees them (calendar and weather), the others never do.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import pandas as pd

from smartgrid_assets.domain.errors import ForecastError, SettingsError
from smartgrid_assets.domain.forecast import asof
from smartgrid_assets.domain.forecast.quantiles import QUANTILES, checked
from smartgrid_assets.domain.forecast.sufficiency import blocking_sentence
from smartgrid_assets.domain.registry import discover

__all__ = ["QUANTILES", "Common", "FitContext", "FittedModel", "ForecastModel", "Forecaster", "Needs"]
MANIFEST, COMMON = "manifest.json", "common"
EXTRA = "deep"


@dataclass(frozen=True)
class Needs:
    """min_days: history without which it is not fitted. history_days: more is not looked at. weather: uses it where there is some.

    eve: wants the rows of the day before, without load: what is known of the weather between the newest load and the day asked for.
    """

    min_days: int
    history_days: int
    weather: bool = False
    eve: bool = False


@dataclass(frozen=True)
class FitContext:
    """Where and when: time zone, country, seed, weather that predictions will have, and the gate (naive UTC)."""

    tz: str
    country: str = ""
    subdivision: str = ""
    seed: int = 0
    weather: Literal["forecast", "observed", "none"] = "none"
    gate_utc: datetime | None = None


class Common(Protocol):
    """What a model learns from all zones at once; handed to the forecaster of each zone, stored once beside them."""

    def fit(self, histories: Mapping[str, pd.DataFrame], context: FitContext) -> None:
        """Learn from the zones that have enough history; `histories` is read zone by zone. Raises ForecastError where it cannot."""

    def dump(self) -> bytes:
        """All that was learned, as bytes."""

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""


class Forecaster(Protocol):
    """One zone's fitted or unfitted model.

    May have `importances` after a fit: feature or effect -> weight in what was learned, not negative; kept beside the model, not in it.
    """

    def fit(self, history: pd.DataFrame, context: FitContext) -> None:
        """Learn. Raises ForecastError with a sentence where it cannot."""

    def predict(self, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """interval_start_utc and q05 .. q95 (MW, never crossing, never NaN), a row a row of `future`. Raises ForecastError."""

    def dump(self) -> bytes:
        """All that was learned, as bytes."""

    def restore(self, payload: bytes) -> None:
        """The inverse of dump."""


@dataclass(frozen=True)
class ForecastModel:
    """A plug-in of domain/forecast/models/. refit: how often it must be; `never`: nothing is learned but a band, only looked up.

    common: of a model that learns from all zones at once; `build` is then given it, fitted. Such a model forecasts zones, too, that have come since.
    requires: packages of an extra (EXTRA) that it cannot do without.
    """

    name: str
    build: Callable[..., Forecaster]
    needs: Needs
    description: str
    version: int = 1
    refit: Literal["weekly", "monthly", "never"] = "weekly"
    common: Callable[[], Common] | None = None
    requires: tuple[str, ...] = ()


@dataclass
class FittedModel:
    """One model fitted for the zones of a group.

    failed: zone -> sentence; eve: it sees the rows of the day before (Needs); common: what was learned from all zones at once.
    """

    model: str
    context: FitContext
    zones: dict[str, Forecaster] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    eve: bool = False
    common: Common | None = None

    def may_forecast(self, zone: str) -> bool:
        """Was it fitted for the zone, or has it learned what all zones have in common?"""
        return zone in self.zones or self.common is not None

    def predict(self, zone: str, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Quantiles of one zone's day, of what the day's gate may know of these frames (asof.py).

        Raises ForecastError where the zone was not fitted, nothing is known, or the forecast is not whole.
        """
        return self.predict_seen(zone, asof.Seen(history, future))

    def predict_seen(self, zone: str, seen: asof.Seen) -> pd.DataFrame:
        """The same, of frames that were cut for several models at once."""
        if not self.may_forecast(zone):
            raise ForecastError(self.failed.get(zone, f"{self.model} was not fitted for zone {zone}."))
        if seen.known.empty:
            raise ForecastError(f"{self.model}, zone {zone}: no load is known at the gate.")
        forecaster = self.zones.get(zone) or self._newcomer(seen.known)
        weather = self.context.weather
        day, known = seen.offered(weather), seen.known_with_eve(weather) if self.eve else seen.known
        with one_thread():
            return checked(forecaster.predict(known, day), day, f"{self.model}, zone {zone}")

    def _newcomer(self, known: pd.DataFrame) -> Forecaster:
        """What all zones have in common, for one that was not among them; ForecastError where too little of it is known."""
        model = models()[self.model]
        if blocking := blocking_sentence(model.name, model.needs, known):
            raise ForecastError(blocking)
        return model.build(self.common)

    def dump(self) -> bytes:
        """A zip of a JSON manifest and a payload a zone; the same fit gives the same bytes."""
        context = asdict(self.context) | {"gate_utc": self.context.gate_utc.isoformat() if self.context.gate_utc else None}
        names = {zone: f"zone-{n}" for n, zone in enumerate(sorted(self.zones))}
        manifest = {"model": self.model, "context": context, "zones": names, "failed": self.failed}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            _put(archive, MANIFEST, json.dumps(manifest, sort_keys=True).encode())
            if self.common is not None:
                _put(archive, COMMON, self.common.dump())
            for zone, name in names.items():
                _put(archive, name, self.zones[zone].dump())
        return buffer.getvalue()

    @classmethod
    def load(cls, blob: bytes, sha256: str) -> FittedModel:
        """The inverse of dump. The digest is checked before any payload is opened; ForecastError where it differs."""
        if hashlib.sha256(blob).hexdigest() != sha256:
            raise ForecastError("The stored model is not the one that was recorded (its digest differs); fit the week again.")
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            payloads = {zone: archive.read(name) for zone, name in manifest["zones"].items()}
            shared = archive.read(COMMON) if COMMON in archive.namelist() else None
        context = manifest["context"]
        context["gate_utc"] = datetime.fromisoformat(context["gate_utc"]) if context["gate_utc"] else None
        model = models()[manifest["model"]]
        common = model.common() if model.common is not None and shared is not None else None
        if common is not None and shared is not None:
            common.restore(shared)
        zones = {zone: model.build() if common is None else model.build(common) for zone in payloads}
        for zone, forecaster in zones.items():
            forecaster.restore(payloads[zone])
        return cls(manifest["model"], FitContext(**context), zones, manifest["failed"], model.needs.eve, common)


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # A fixed time in the archive keeps the bytes, and so the digest, the same for the same fit.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def one_thread() -> Any:
    """A context in which numpy's libraries use one thread.

    Zones are the fan-out: small systems solved by several threads wait for each other (sixty times the CPU seconds on two busy cores),
    and their last digits hang on how many there are.
    """
    return _libraries(len(sys.modules)).limit(limits=1)


@lru_cache(maxsize=1)
def _libraries(modules_loaded: int) -> Any:
    """The libraries with threads that are loaded by now; looked for again (4 ms) only when something was imported since."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def models() -> dict[str, ForecastModel]:
    """All forecast models, by name."""
    return discover("smartgrid_assets.domain.forecast.models", "MODEL")


def named_models(names: Sequence[str], asked_by: str = "") -> dict[str, ForecastModel]:
    """Models in the order of their names, all that can run here where none is named.

    Raises SettingsError for one that there is not, or that needs what is not installed.
    """
    found = models()
    if unknown := [name for name in names if name not in found]:
        raise SettingsError(f"{asked_by}There is no model {', '.join(unknown)}; there are {', '.join(found)}.")
    if not names:
        return {name: model for name, model in found.items() if not missing_of(model)}
    for name in names:
        if missing := missing_of(found[name]):
            raise SettingsError(f"{asked_by}{name} needs {' and '.join(missing)}; install them: pip install 'smartgrid-assets[{EXTRA}]'.")
    return {name: found[name] for name in names}


def missing_of(model: ForecastModel) -> list[str]:
    """Packages that the model needs and that are not installed."""
    return [name for name in model.requires if find_spec(name) is None]
