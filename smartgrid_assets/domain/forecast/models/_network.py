"""The network of tide.py: made, trained, asked, and kept as a .keras archive. Keras is an extra: imported here, and only when it is used.

Keras runs on the backend that KERAS_BACKEND names (tensorflow, torch), and on JAX where it names none.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

CODE, SLOT_CODE, SLOT_HIDDEN = 48, 6, 32
DROPOUT = 0.3
RATE = 2e-3
BATCH = 128


def _keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "jax")  # Keras reads it once, on its first import
    import keras

    return keras


def measured(slot: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each input, those of slots first; a hole counts for nothing, and what never moves is not looked at."""
    found = []
    for values in (slot.reshape(-1, slot.shape[-1]), day):
        known = np.isfinite(values)
        count = np.maximum(known.sum(axis=0), 1)
        centre = np.where(known, values, 0.0).sum(axis=0) / count
        scale = np.sqrt(np.where(known, (values - centre) ** 2, 0.0).sum(axis=0) / count)
        found.append((centre, np.where(scale > 1e-9, scale, np.inf)))
    return np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])


def standardised(slot: np.ndarray, day: np.ndarray, centre: np.ndarray, scale: np.ndarray, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Both as the network takes them: float32, a hole at the mean, nothing beyond `bound` deviations."""
    at = slot.shape[-1]
    parts = ((slot, centre[:at], scale[:at]), (day, centre[at:], scale[at:]))
    first, second = (np.clip(np.nan_to_num((values - mean) / size), -bound, bound).astype(np.float32) for values, mean, size in parts)
    return first, second


def _network(slots: int, of_slot: int, of_day: int, levels: int) -> Any:
    keras = _keras()
    layers = keras.layers  # all of them named: Keras would number them, and no two archives be the same
    slot, day = keras.Input((slots, of_slot), name="slot"), keras.Input((of_day,), name="day")
    flat = layers.Flatten(name="flat")(layers.Dense(SLOT_CODE, name="slot_code")(slot))
    code = _block(layers.Concatenate(name="past")([flat, day]), "encoder")
    code = _block(code, "decoder")
    of_slots = layers.Reshape((slots, SLOT_CODE), name="slots")(layers.Dense(slots * SLOT_CODE, name="to_slots")(code))
    hidden = layers.Dense(SLOT_HIDDEN, activation="relu", name="temporal")(layers.Concatenate(name="known")([of_slots, slot]))
    told = layers.Dense(levels, name="told")(layers.Dropout(DROPOUT, name="temporal_drop")(hidden))
    straight = layers.Dense(levels, use_bias=False, name="straight")(slot)
    return keras.Model([slot, day], layers.Add(name="quantiles")([told, straight]), name="tide")


def _block(given: Any, name: str) -> Any:
    """A residual block of TiDE: a hidden layer, a straight way past it, a normalisation."""
    layers = _keras().layers
    hidden = layers.Dense(CODE, name=f"{name}_out")(layers.Dense(CODE, activation="relu", name=f"{name}_in")(given))
    dropped, straight = layers.Dropout(DROPOUT, name=f"{name}_drop")(hidden), layers.Dense(CODE, name=f"{name}_straight")(given)
    return layers.LayerNormalization(name=f"{name}_norm")(layers.Add(name=f"{name}_sum")([dropped, straight]))


def trained(
    slot: np.ndarray, day: np.ndarray, target: np.ndarray, weight: np.ndarray, levels: tuple[float, ...], steps: int, seed: int
) -> Any:
    """A network that was shown so many batches of (N, S, P) and (N, Q) with (N, S) targets, the rate falling as a cosine."""
    keras = _keras()
    keras.utils.set_random_seed(seed)
    network = _network(slot.shape[1], slot.shape[2], day.shape[1], len(levels))
    network.compile(keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(RATE, steps), weight_decay=1e-3), _pinball(levels))
    rng = np.random.default_rng(seed)
    both = np.stack([target, weight], axis=-1).astype(np.float32)
    for _ in range(steps):
        some = rng.integers(0, len(slot), BATCH)
        network.train_on_batch([slot[some], day[some]], both[some])
    learned = _network(slot.shape[1], slot.shape[2], day.shape[1], len(levels))  # without the optimizer's state and numbered name
    learned.set_weights(network.get_weights())
    return learned


def _pinball(levels: tuple[float, ...]) -> Any:
    """Quantile loss of (N, S, levels) against (N, S, 2) of target and weight."""
    ops, tau = _keras().ops, np.array(levels, np.float32)

    def loss(both: Any, told: Any) -> Any:
        error = both[..., :1] - told
        return ops.mean(ops.maximum(tau * error, (tau - 1) * error) * both[..., 1:])

    return loss


def asked(network: Any, slot: np.ndarray, day: np.ndarray) -> np.ndarray:
    """(N, S, levels)."""
    return np.asarray(network.predict_on_batch([slot, day]), float)


def as_keras(network: Any) -> bytes:
    """The .keras archive, without the time of writing and addresses in memory: the same network gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        _keras().saving.save_model(network, path)
        written = path.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as archive, zipfile.ZipFile(buffer, "w") as kept:
        for name in sorted(archive.namelist()):
            content = archive.read(name)
            if name == "metadata.json":
                content = json.dumps({key: value for key, value in json.loads(content).items() if key != "date_saved"}).encode()
            if name == "config.json":
                content = _renumbered(content.decode()).encode()
            kept.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def _renumbered(config: str) -> str:
    """Keras names a shared object by its address: here by its place among those that come up."""
    ids: dict[str, int] = {}
    return re.sub(r'("shared_object_id": )(\d+)', lambda found: found[1] + str(ids.setdefault(found[2], len(ids))), config)


def from_keras(archive: bytes) -> Any:
    """The inverse of as_keras; no code is loaded from it (safe_mode)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        path.write_bytes(archive)
        return _keras().saving.load_model(path, compile=False, safe_mode=True)
