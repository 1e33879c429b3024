"""What every forecaster is: one contract of fit, predict, dump and load, for one zone; and the group fitted together.

A forecaster is fitted once a week on what the gate of the week's first day knew; each day it predicts from what
that day's gate knew, which is newer. The freshest equal-time lag is two days: D-1 is not known when D is issued.
History: interval_start_utc, interval_minutes, load_mw, local_time, is_holiday, weekday, weight, temperature_c,
irradiance_w_m2, wind_speed_m_s, sorted by time; future: the same without load_mw and weight. Rows of D-1 may stand in the history
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
from typing import Any, Literal, Protocol

import pandas as pd

from smartgrid_assets.domain.errors import ForecastError, SettingsError
from smartgrid_assets.domain.forecast import asof
from smartgrid_assets.domain.forecast.quantiles import QUANTILES, checked
from smartgrid_assets.domain.forecast.sufficiency import past_of, reasons_against
from smartgrid_assets.domain.registry import discover

__all__ = ["QUANTILES", "FitContext", "FittedModel", "ForecastModel", "Forecaster", "Needs", "fit_zones"]
MANIFEST = "manifest.json"


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
    """A plug-in of domain/forecast/models/. refit: how often it must be; `never`: nothing is learned but a band, only looked up."""

    name: str
    build: Callable[[], Forecaster]
    needs: Needs
    description: str
    version: int = 1
    refit: Literal["weekly", "monthly", "never"] = "weekly"


@dataclass
class FittedModel:
    """One model fitted for the zones of a group. failed: zone -> sentence; eve: it sees the rows of the day before (Needs)."""

    model: str
    context: FitContext
    zones: dict[str, Forecaster] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    eve: bool = False

    def predict(self, zone: str, history: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
        """Quantiles of one zone's day, of what the day's gate may know of these frames (asof.py).

        Raises ForecastError where the zone was not fitted, nothing is known, or the forecast is not whole.
        """
        if zone not in self.zones:
            raise ForecastError(self.failed.get(zone, f"{self.model} was not fitted for zone {zone}."))
        known, day = asof.known_for(history, future), asof.offered(future, self.context.weather)
        if known.empty:
            raise ForecastError(f"{self.model}, zone {zone}: no load is known at the gate.")
        if self.eve:
            known = pd.concat([known, asof.eve_for(history, future, self.context.weather)], ignore_index=True)
        with one_thread():
            return checked(self.zones[zone].predict(known, day), day, f"{self.model}, zone {zone}")

    def dump(self) -> bytes:
        """A zip of a JSON manifest and a payload a zone; the same fit gives the same bytes."""
        context = asdict(self.context) | {"gate_utc": self.context.gate_utc.isoformat() if self.context.gate_utc else None}
        names = {zone: f"zone-{n}" for n, zone in enumerate(sorted(self.zones))}
        manifest = {"model": self.model, "context": context, "zones": names, "failed": self.failed}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            _put(archive, MANIFEST, json.dumps(manifest, sort_keys=True).encode())
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
        context = manifest["context"]
        context["gate_utc"] = datetime.fromisoformat(context["gate_utc"]) if context["gate_utc"] else None
        model = models()[manifest["model"]]
        zones = {zone: model.build() for zone in payloads}
        for zone, forecaster in zones.items():
            forecaster.restore(payloads[zone])
        return cls(manifest["model"], FitContext(**context), zones, manifest["failed"], model.needs.eve)


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
    """Models in the order of their names, all where none is named. Raises SettingsError for one that there is not."""
    found = models()
    if unknown := [name for name in names if name not in found]:
        raise SettingsError(f"{asked_by}There is no model {', '.join(unknown)}; there are {', '.join(found)}.")
    return {name: found[name] for name in names} if names else dict(found)


def fit_zones(model: ForecastModel, histories: Mapping[str, pd.DataFrame], context: FitContext, n_jobs: int = 1) -> FittedModel:
    """Fit a model for each zone; a zone that cannot be fitted is recorded with its reason, not raised.

    Fans out through joblib: a cluster's backend takes the same call by name (joblib.parallel_config).
    """
    from joblib import Parallel, delayed

    zones = sorted(histories)
    jobs = min(n_jobs, len(zones)) or 1
    results = Parallel(n_jobs=jobs)(delayed(_fit_zone)(model, histories[zone], context) for zone in zones)
    fitted = FittedModel(model.name, context, eve=model.needs.eve)
    for zone, result in zip(zones, results, strict=True):
        if isinstance(result, str):
            fitted.failed[zone] = result
        else:
            fitted.zones[zone] = result
    return fitted


def _fit_zone(model: ForecastModel, history: pd.DataFrame, context: FitContext) -> Forecaster | str:
    with one_thread():
        return _fitted_zone(model, history, context)


def _fitted_zone(model: ForecastModel, history: pd.DataFrame, context: FitContext) -> Forecaster | str:
    known = asof.known_at_gate(history, context.gate_utc, context.tz)
    if blocking := [reason for reason in reasons_against(model.name, model.needs, past_of(known)) if reason.is_blocking]:
        return " ".join(reason.sentence for reason in blocking)
    since = known["local_time"].iloc[-1] - pd.Timedelta(days=model.needs.history_days)
    forecaster = model.build()
    try:
        forecaster.fit(known[known["local_time"] > since].reset_index(drop=True), context)
    except ForecastError as error:
        return str(error)
    except Exception as error:  # a library's failure on one zone's data must not cost the other zones their forecast
        return f"{model.name} failed on this zone's data: {type(error).__name__}: {error}"
    return forecaster
