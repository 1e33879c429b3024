"""MLflow: which model was fitted when, on what, how good was it, and who is champion now?

One run a model, zone group and week; recording the same again replaces: the earlier run stays and is tagged
`smartgrid.superseded`. The store is SQLite beside its artifacts under mlruns/; the lake's tables are the truth,
this is their window for people. A model's bytes are read without MLflow (which costs 5 CPU-s to import), through a pointer file
kept beside the artifacts, and only from inside our own store and with the digest that the lake remembers.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import math
import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from smartgrid_assets.domain.errors import ForecastError, LakeWriteError
from smartgrid_assets.resources.moved_store import follow_move
from smartgrid_assets.resources.retried import retried
from smartgrid_assets.resources.tracked_detectors import DetectorWeek, write_detector_week
from smartgrid_assets.resources.tracked_weeks import write_weeks

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT, DETECTION, PLANNING = "forecasts", "detection", "planning"
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Without it MLflow's UI opens the experiment as one of language models."""
SUPERSEDED = "smartgrid.superseded"
MODEL_ID = "smartgrid.model_id"
PYFUNC_FILE = Path(__file__).with_name("pyfunc_forecaster.py")
BLOB = "forecaster"


@dataclass(frozen=True)
class ModelRun:
    """What is recorded of one fit.

    week: Monday of the model's week; blob: the serialised forecaster; params, tags: text by name (tags: dagster_run_id,
    partition, git_sha, dagster_url, code_version ...); dataset_digest: digest of the training data, training_summary: a
    small frame that describes it;
    metrics: headline numbers; zone_metrics: one row a zone; plot_png: the last out-of-sample week; importances: zone, feature, share,
    importances_png: their picture; example_input,
    example_output: a few rows of what the pyfunc model takes and gives, from which the signature is read.
    """

    model: str
    zone_group: str
    week: date
    blob: bytes
    dataset_digest: str
    training_summary: pd.DataFrame
    example_input: pd.DataFrame
    example_output: pd.DataFrame
    weather: str = "none"
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    zone_metrics: pd.DataFrame | None = None
    plot_png: bytes | None = None
    importances: pd.DataFrame | None = None
    importances_png: bytes | None = None
    requirements: tuple[str, ...] = ("mlflow", "pandas", "numpy", "scikit-learn", "prophet")

    @property
    def identity(self) -> dict[str, str]:
        """The tags that say which runs replace each other."""
        return {
            "smartgrid.model": self.model,
            "smartgrid.zone_group": self.zone_group,
            "smartgrid.week": self.week.isoformat(),
        }


@dataclass(frozen=True)
class RecordedModel:
    """Where a fit was recorded; run_id and sha256 go to forecasts/model, and load it again."""

    run_id: str
    model_uri: str
    sha256: str
    size_bytes: int


class Tracking:
    """The MLflow store under `mlruns`. Cheap to make: MLflow is imported at the first use that needs it."""

    def __init__(self, mlruns: Path) -> None:
        self.mlruns = Path(mlruns).absolute()
        self.artifacts = self.mlruns / "artifacts"
        self.uri = f"sqlite:///{self.mlruns / 'mlflow.db'}"

    def __eq__(self, other: object) -> bool:
        """The same folder is the same store."""
        return isinstance(other, Tracking) and other.mlruns == self.mlruns

    def __hash__(self) -> int:
        """Of the folder."""
        return hash(self.mlruns)

    def __reduce__(self) -> tuple[type[Tracking], tuple[Path]]:
        """Sent to another process as its folder: an open client stays here."""
        return Tracking, (self.mlruns,)

    def prepare(self) -> None:
        """Make the store where it is not there yet, so that MLflow's server finds its tables."""
        _ = self._experiment_id

    def record(self, **described: Any) -> RecordedModel:
        """`record_model` for callers that only hold this object: the fields of ModelRun by name."""
        return self.record_model(ModelRun(**described))

    def record_model(self, spec: ModelRun) -> RecordedModel:
        """Record one fit and mark earlier runs of the same model, zone group and week as superseded by it."""
        client = self._client
        run_id = retried(lambda: self._start(spec))
        try:
            # Recorded and dropped: hints at type hints and integers, once a model; MLflow undoes mere filters.
            with warnings.catch_warnings(record=True):
                retried(lambda: self._describe(run_id, spec))
                self._log_files(run_id, spec)
                model_id, model_uri = self._log_model(run_id, spec)
            retried(lambda: client.set_tag(run_id, MODEL_ID, model_id))
        except BaseException:
            retried(lambda: client.set_terminated(run_id, "FAILED"))
            raise
        self._supersede_others(run_id, spec)
        return RecordedModel(run_id, model_uri, hashlib.sha256(spec.blob).hexdigest(), len(spec.blob))

    def load_model_blob(self, run_id: str, sha256: str) -> bytes:
        """The bytes of the forecaster that `run_id` stored. Raises ForecastError where they are absent, elsewhere or changed."""
        store = self.artifacts.resolve()
        pointer = self._pointer(run_id)
        try:
            path = (self.artifacts / pointer.read_text().strip()).resolve()
            if not path.is_relative_to(store):
                raise ForecastError(f"Run {run_id}: its model lies at {path}, outside {store}; nothing is loaded.")
            blob = path.read_bytes()
        except OSError as error:
            raise ForecastError(f"Run {run_id}: no stored model in {store} ({error.strerror}); fit the week again.") from None
        if (found := hashlib.sha256(blob).hexdigest()) != sha256:
            raise ForecastError(f"Run {run_id}: stored model has digest {found[:12]}, recorded was {sha256[:12]}; fit the week again.")
        return blob

    def has_model(self, run_id: str) -> bool:
        """True where the store still has the forecaster that `run_id` stored."""
        try:
            return (self.artifacts / self._pointer(run_id).read_text().strip()).exists()
        except OSError:
            return False

    def register_champion(self, zone_group: str, champion_run: str, challenger_run: str | None = None) -> None:
        """Let the registered model of the zone group say who is champion and challenger NOW, and who was champion before; a run keeps one version.

        Call it for the newest week only: an alias has no date.
        """
        name = f"smartgrid-{re.sub(r'[^A-Za-z0-9_.-]+', '_', zone_group)}"
        client = self._client  # opened first: opening takes the same lock
        with self._lock():
            self._ensure_registered(name)
            aliases = retried(lambda: client.get_registered_model(name)).aliases
            version = self._version_of(name, champion_run)
            if (before := str(aliases.get("champion", version))) != version:
                retried(partial(client.set_registered_model_alias, name, "previous", before))
            for alias, run_id in (("champion", champion_run), ("challenger", challenger_run)):
                if run_id:
                    retried(partial(client.set_registered_model_alias, name, alias, self._version_of(name, run_id)))
                else:
                    retried(partial(client.delete_registered_model_alias, name, alias))

    def record_weeks(self, zone_group: str, weeks: pd.DataFrame) -> None:
        """One run a model that carries the metrics of all its weeks, the week as step: MLflow's chart of error over training weeks.

        weeks: model, week (date of its Monday) and a column a metric. A metric logged again would stand twice, so the run goes on
        where only weeks were added, and is made anew (the old one deleted) where one of the past changed. Steps count weeks from tracked_weeks.WEEK_ZERO.
        """
        client, experiment = self._client, self._experiment_id
        with self._lock():
            write_weeks(client, experiment, zone_group, weeks)

    def record_plan_weeks(self, weeks: pd.DataFrame) -> None:
        """As record_weeks, in the experiment `planning`: one run a way to plan, with what its settled weeks came to."""
        client, experiment = self._client, self._planning_id
        with self._lock():
            write_weeks(client, experiment, "all", weeks)

    def record_detector_week(self, **described: Any) -> str:
        """One run of the experiment `detection`, the fields of DetectorWeek by name; earlier runs of the same week are superseded. Its run id."""
        client, experiment, week = self._client, self._detection_id, DetectorWeek(**described)
        with self._lock():
            run_id, others = write_detector_week(client, experiment, week)
            for other in others:
                retried(partial(client.set_tag, other, SUPERSEDED, run_id))
        self.record_plot(run_id, week.picture_png, "scores.png")
        return run_id

    def add_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Log metrics that came later, say a week's scores.

        The same value again is not logged again; a changed one becomes the next step of its metric. NaN and infinity are left out.
        """
        client = self._client
        with self._lock():
            have = {m: client.get_metric_history(run_id, m) for m in metrics}
            fresh = {k: v for k, v in metrics.items() if not have[k] or have[k][-1].value != v}
            steps = {k: have[k][-1].step + 1 if have[k] else 0 for k in fresh}
            retried(lambda: client.log_batch(run_id, metrics=_metrics(fresh, steps)))

    def record_plot(self, run_id: str, png: bytes, name: str = "plot.png") -> None:
        """Store one picture beside the run."""
        with TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(png)
            retried(lambda: self._client.log_artifact(run_id, str(path)))

    def link(self, run_id: str) -> str:
        """Path of the run in MLflow's UI, to be put behind the UI's address."""
        return f"#/experiments/{self._experiment_id}/runs/{run_id}"

    @cached_property
    def _client(self) -> Any:
        mlflow = _quiet_mlflow()
        with self._lock():  # two first starts would both create the tables
            return retried(lambda: mlflow.MlflowClient(tracking_uri=self.uri))

    @cached_property
    def _experiment_id(self) -> str:
        return self._experiment(EXPERIMENT)

    @cached_property
    def _detection_id(self) -> str:
        return self._experiment(DETECTION)

    @cached_property
    def _planning_id(self) -> str:
        return self._experiment(PLANNING)

    def _experiment(self, name: str) -> str:
        client = self._client
        with self._lock():
            known = retried(lambda: client.get_experiment_by_name(name))
            here = self.artifacts.as_uri()
            if not known:
                return str(retried(lambda: client.create_experiment(name, artifact_location=here, tags=KIND)))
            if known.artifact_location != here:  # the home was moved, copied or restored
                retried(lambda: follow_move(self.mlruns / "mlflow.db", known.artifact_location, here))
            return str(known.experiment_id)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time; the system frees it when its holder dies. Not re-entrant."""
        try:
            self.artifacts.mkdir(parents=True, exist_ok=True)
            file = (self.mlruns / ".lock").open("w")
        except OSError as error:
            raise LakeWriteError(
                f"{self.mlruns}: cannot be written ({error.strerror}); give write permission or set SMARTGRID_HOME."
            ) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _pointer(self, run_id: str) -> Path:
        """File that holds the path of the run's model, relative to the artifacts."""
        if not re.fullmatch(r"[0-9a-f]{32}", run_id):
            raise ForecastError(f"{run_id!r} is no MLflow run id; nothing is loaded.")
        return self.artifacts / "model_of_run" / run_id

    def _start(self, spec: ModelRun) -> str:
        tags = spec.identity | {f"smartgrid.{k}": str(v) for k, v in spec.tags.items()} | {"smartgrid.weather": spec.weather}
        if "git_sha" in spec.tags:
            tags["mlflow.source.git.commit"] = spec.tags["git_sha"]
        name = f"{spec.model} {spec.week.isoformat()}"
        return str(self._client.create_run(self._experiment_id, tags=tags, run_name=name).info.run_id)

    def _describe(self, run_id: str, spec: ModelRun) -> None:
        """Parameters, headline metrics and the data set with its digest."""
        from mlflow.data.pandas_dataset import from_pandas
        from mlflow.entities import DatasetInput, InputTag, Param

        params = {"model": spec.model, "zone_group": spec.zone_group, "weather": spec.weather, **spec.params}
        self._client.log_batch(run_id, metrics=_metrics(spec.metrics), params=[Param(k, str(v)) for k, v in params.items()])
        data = from_pandas(spec.training_summary, name=f"{spec.zone_group} {spec.week}", digest=spec.dataset_digest[:36])
        training = DatasetInput(data._to_mlflow_entity(), [InputTag("mlflow.data.context", "training")])
        with self._lock():  # MLflow looks for the data set, then inserts it: two writers of one week would both insert
            self._client.log_inputs(run_id, [training])

    def _log_files(self, run_id: str, spec: ModelRun) -> None:
        if spec.zone_metrics is not None:
            retried(lambda: self._client.log_table(run_id, spec.zone_metrics, "metrics_by_zone.json"))
        if spec.importances is not None:
            retried(lambda: self._client.log_table(run_id, spec.importances, "feature_importances.json"))
        if spec.importances_png:
            self.record_plot(run_id, spec.importances_png, "feature_importances.png")
        if spec.plot_png:
            self.record_plot(run_id, spec.plot_png)

    def _log_model(self, run_id: str, spec: ModelRun) -> tuple[str, str]:
        """Log the pyfunc model and leave the pointer to its bytes; returns (model id, model URI)."""
        import mlflow
        from mlflow.models import infer_signature

        mlflow.set_tracking_uri(self.uri)  # of the whole process: log_model knows no other way
        with TemporaryDirectory() as folder, mlflow.start_run(run_id=run_id):
            blob = Path(folder, BLOB)
            blob.write_bytes(spec.blob)
            info = retried(
                lambda: mlflow.pyfunc.log_model(
                    name=spec.model,
                    python_model=str(PYFUNC_FILE),
                    artifacts={BLOB: str(blob)},
                    model_config={"sha256": hashlib.sha256(spec.blob).hexdigest()},
                    signature=infer_signature(spec.example_input, spec.example_output),
                    input_example=spec.example_input,
                    pip_requirements=_pinned(spec.requirements),
                )
            )
        self._point(run_id, self.artifacts / "models" / info.model_id / "artifacts" / "artifacts" / BLOB)
        return info.model_id, info.model_uri

    def _point(self, run_id: str, blob: Path) -> None:
        pointer = self._pointer(run_id)
        pointer.parent.mkdir(exist_ok=True)
        beside = pointer.with_suffix(".new")
        beside.write_text(str(blob.relative_to(self.artifacts)))
        beside.replace(pointer)

    def _supersede_others(self, run_id: str, spec: ModelRun) -> None:
        """Under the lock, so that of runs that end together exactly the last one stands."""
        same = " and ".join(f"tags.`{k}` = '{v}'" for k, v in spec.identity.items())
        with self._lock():
            for run in retried(lambda: self._client.search_runs([self._experiment_id], same)):
                tagged = SUPERSEDED in run.data.tags
                if run.info.run_id == run_id and tagged:
                    retried(lambda: self._client.delete_tag(run_id, SUPERSEDED))
                elif run.info.run_id != run_id and not tagged:
                    retried(partial(self._client.set_tag, run.info.run_id, SUPERSEDED, run_id))

    def _ensure_registered(self, name: str) -> None:
        if not retried(lambda: self._client.search_registered_models(f"name = '{name}'")):
            retried(lambda: self._client.create_registered_model(name))

    def _version_of(self, name: str, run_id: str) -> str:
        versions = retried(lambda: self._client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'"))
        if versions:
            return str(versions[0].version)
        model_id = self._client.get_run(run_id).data.tags[MODEL_ID]
        # MLflow resolves models:/ through the address of the whole process, which only a fit in this process has set.
        _quiet_mlflow().set_tracking_uri(self.uri)
        source = f"models:/{model_id}"
        return str(retried(lambda: self._client.create_model_version(name, source, run_id=run_id, model_id=model_id)).version)


def _quiet_mlflow() -> Any:
    """MLflow, imported without telemetry and without its start-up chatter."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def _metrics(values: Mapping[str, float], steps: Mapping[str, int] | None = None) -> list[Any]:
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    return [Metric(k, float(v), now_ms, (steps or {}).get(k, 0)) for k, v in values.items() if math.isfinite(v)]


def _pinned(packages: tuple[str, ...]) -> list[str]:
    """`name==version` of those packages that are installed; given to MLflow, which would else take 50 s to guess them."""
    pinned = []
    for package in packages:
        try:
            pinned.append(f"{package}=={version(package)}")
        except PackageNotFoundError:
            continue
    return pinned
