"""Every SMARTGRID_* variable, with its meaning: the only place where the environment is read.

`SMARTGRID_HOME` holds all state (inbox/ lake/ mlruns/ .dagster/). Secrets (webhook addresses) come from here only.
"""

from __future__ import annotations

import os
from datetime import date, time
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.forecast.zone_groups import zone_groups
from smartgrid_assets.domain.market_day import zone_info

REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """One object, read once a process. Each field `x` is the variable SMARTGRID_X."""

    model_config = SettingsConfigDict(env_prefix="SMARTGRID_", frozen=True, extra="ignore")

    home: Path = Field(REPOSITORY, description="Folder of all state: inbox/, lake/, mlruns/, .dagster/.")
    overlay: Path | None = Field(
        None, description="Folder for a trial: the lake of SMARTGRID_HOME is read, and all that is made is written here alone."
    )
    timezone: str = Field("Europe/Berlin", description="Market time zone (IANA). The lake remembers it.")
    country: str = Field("DE", description="Country of the public holidays (ISO 3166 code).")
    subdivision: str = Field("", description="State or province of the public holidays; empty for national ones.")
    gate: time = Field(time(10, 0), description="Gate closure of day D: this local time on D-1.")
    first_day: date = Field(date(2010, 1, 1), description="First market day that exists as a partition.")
    webhook_url: str = Field("", description="Address to notify of failed runs by HTTP POST; empty = off.")
    notify_log: bool = Field(False, description="Also write failed runs to .dagster/incidents.log.")

    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="Secret. Set: meters are kept under a keyed hash of their id, from the first ingest on; docs/operations.md.",
    )
    minimum_group: int = Field(5, ge=1, description="Sums of fewer meters are not shown outside the lake: in pictures, pages and logs.")

    dagster_url: str = Field("http://127.0.0.1:3000", description="Where people reach Dagster; links lead there.")
    mlflow_url: str = Field("http://127.0.0.1:5000", description="Where people reach MLflow; links lead there.")

    web_url: str = Field(
        "", description="Where people reach the operator's page, as https://grid.example.com; empty = on this machine only."
    )
    web_proxy: str = Field(
        "", description="Address from which the TLS proxy before the page connects; its X-Forwarded-* headers are believed, no other's."
    )
    web_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret. Keys sessions, tokens and the audit log; needed beyond this machine, made on the first start else.",
    )
    oidc_issuer: str = Field(
        "",
        description="Address of an OpenID Connect provider (Keycloak, Entra ID, ...), as https://id.example.com/realms/grid: people log in there; empty = by password only.",
    )
    oidc_client_id: str = Field("", description="Name by which that provider knows the operator's page.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Secret. The page's own password at the provider.")
    oidc_scope: str = Field("openid profile email", description="What the provider is asked for; `openid` is needed.")
    oidc_name_claim: str = Field("preferred_username", description="Claim that becomes the user's name here, at the first log-in.")
    oidc_role_claim: str = Field("groups", description="Claim that lists a person's groups; dots go into nested ones: realm_access.roles.")
    oidc_roles: str = Field(
        "viewer=viewer;operator=operator;analyst=analyst;admin=admin",
        description="Which group there has which role here, as group=role;group=role: of several the highest counts, none lets nobody in.",
    )
    oidc_label: str = Field("Log in with the company's account", description="What the button of the log-in page says.")
    web_memory: str = Field("1GB", description="DuckDB's memory limit in the operator's page.")
    web_timeout_s: float = Field(5.0, gt=0, description="Longest question of a page to the lake, seconds.")
    web_threads: int = Field(8, ge=1, le=64, description="Requests that the operator's page answers at once.")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Secret. Token that /metrics asks for; empty: open on this machine, closed beyond it."
    )

    memory_limit: str = Field("4GB", description="DuckDB's memory limit for one run and its workers together; past it, it spills to disk.")
    threads: int = Field(2, ge=1, description="DuckDB's and the solver's threads; of many partitions, so many are made at once.")
    nice: int = Field(
        10, ge=0, le=19, description="How far runs give way to the operator's page on the same machine (nice of their processes)."
    )
    model_jobs: int = Field(2, ge=1, description="Parallel processes for model fits.")
    models: str = Field(
        "naive_2d,naive_7d,prophet,additive,additive_recent,boosted_additive,global_boosting,quantile_regression",
        description="Forecast models of the nightly chain, comma-separated; empty = all that are installed.",
    )

    zone_groups: str = Field(
        "",
        description="Zones whose champion is chosen apart, as rural=north,south;harbour=dock; those not named are the group others.",
    )

    hold_missing_share: float = Field(0.35, ge=0, le=1, description="A day with more readings missing is held back.")
    hold_rejected_share: float = Field(0.35, ge=0, le=1, description="A day with more readings rejected is held back.")
    warn_missing_share: float = Field(0.05, ge=0, le=1, description="A day with more readings missing warns.")
    warn_loss_share: float = Field(
        0.15, ge=0, le=1, description="A feeder that measures more above its meters warns: losses, unmetered load, theft."
    )
    warn_late_hours: float = Field(
        24.0, gt=0, description="A zone whose readings' median comes later than this after their intervals warns: most missed the gate."
    )
    source_delay_hours: float = Field(0.0, ge=0, description="History loaded in bulk counts as known this long after its day.")

    detectors: str = Field("ecod,isolation_forest", description="Detectors of meter-days, comma-separated; empty = all that are installed.")
    alarms_per_1000: float = Field(3.0, gt=0, description="Budget of alarms a day for 1,000 meters and detector.")

    visits_per_week: int = Field(20, ge=0, description="New cases of meters to visit in seven days, at most.")
    false_cases: float = Field(1.0, gt=0, description="Cases raised for nothing that are allowed, for 1,000 meters and week.")
    energy_price_eur_kwh: float = Field(0.3, ge=0, description="What uncounted energy is worth, EUR a kWh: cases are ranked by it.")

    plan_minutes: int = Field(60, ge=5, le=60, description="Interval of the plan, minutes; finer forecasts are averaged over it.")
    gap: float = Field(1e-2, gt=0, description="Relative optimality gap at which the solver stops.")
    time_limit_s: float = Field(30.0, gt=0, description="Longest solve of one day, seconds.")
    commitment: Literal["quantile_reserve", "fixed_reserve", "stochastic"] = Field(
        "quantile_reserve",
        description="How the plan meets what the forecast does not know: the reserve that its joint paths need for loss_of_load_probability, a share of demand "
        "(reserve_share), or slow units committed over scenarios.",
    )
    loss_of_load_probability: float = Field(
        0.01, gt=0, lt=0.5, description="quantile_reserve: probability that the load of an interval is above plan and reserve."
    )
    reserve_share: float = Field(0.1, ge=0, description="fixed_reserve: spinning reserve as a share of demand.")
    scenarios: int = Field(10, ge=1, le=100, description="stochastic: scenarios that the joint paths are reduced to.")
    cvar_weight: float = Field(
        0.0, ge=0, le=1, description="stochastic: weight of the mean of the worst outcomes (CVaR) against the mean of all."
    )
    cvar_level: float = Field(0.95, gt=0, lt=1, description="stochastic: the worst share of outcomes is 1 less this.")
    settled_plans: str = Field(
        "fixed_reserve,point_forecast,naive_forecast,known_load",
        description="Ways to plan that are settled beside the published plan where a fleet was delivered, comma-separated: these, quantile_reserve, "
        "stochastic; empty = none.",
    )
    settlement_gap: float = Field(1e-3, gt=0, description="Relative optimality gap of settled plans, which are compared with each other.")
    settlement_time_limit_s: float = Field(10.0, gt=0, description="Longest solve of one settled plan, seconds.")
    loss_factor: float = Field(1.06, ge=1, description="Injection per metered load: losses and unmetered load.")
    price_unserved: float = Field(10_000.0, gt=0, description="Price of unserved energy, per MWh.")
    price_spilled: float = Field(500.0, ge=0, description="Price of spilled energy, per MWh.")
    price_reserve: float = Field(1_000.0, ge=0, description="Price of missing reserve, per MW and hour.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        zone_info(value)
        return value

    @field_validator("zone_groups")
    @classmethod
    def _parted(cls, value: str) -> str:
        zone_groups(value)
        return value

    @field_validator("home", "overlay")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value else None

    @property
    def inbox(self) -> Path:
        """Where files are delivered; accepted/ and quarantine/ lie inside."""
        return self.home / "inbox"

    @property
    def lake(self) -> Path:
        """Parquet partitions."""
        return self.home / "lake"

    @property
    def mlruns(self) -> Path:
        """MLflow's store and artifacts."""
        return (self.overlay or self.home) / "mlruns"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME, unless the environment names another."""
        return Path(os.environ.get("DAGSTER_HOME") or (self.overlay or self.home) / ".dagster")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Raises SettingsError with a sentence naming the variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "SMARTGRID_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}; it is {first['input']!r}.") from None
