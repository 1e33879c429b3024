"""Every table of the lake, declared once: what a row is, its columns, types, units, signs and key.

Timestamps named `*_utc` are naive UTC and mean the START of an interval. Power is positive when it is consumed.
`resources/lake.py` checks each write against this page; docs/data.md is generated from it.

A table's `version` is the version of its LAYOUT. Adding a nullable column is read beside older files (as NULL);
anything else wants a new version and a migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Partition = Literal["day", "week", "none"]
QUANTILE_COLUMNS = ("q05", "q10", "q20", "q30", "q40", "q50", "q60", "q70", "q80", "q90", "q95")


@dataclass(frozen=True)
class Column:
    """One column: DuckDB type, what it means (unit, range, sign), and whether it may be null."""

    name: str
    type: str
    meaning: str
    nullable: bool = False

    def takes(self, type_: str) -> bool:
        """True where rows of that DuckDB type can be written as they are: an ENUM is text that is cheap to sort and write.

        >>> _c("channel", "VARCHAR", "").takes("ENUM('export', 'import')")
        True
        """
        return type_ == self.type or (self.type == "VARCHAR" and type_.startswith("ENUM("))


@dataclass(frozen=True)
class Table:
    """One table: `schema.name` is at once the DuckDB view and, with a slash, the asset key."""

    schema: str
    name: str
    partition: Partition
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    append_only: bool = False
    version: int = 1

    @property
    def path(self) -> str:
        """`schema/name`, the asset key and the folder in the lake."""
        return f"{self.schema}/{self.name}"

    @property
    def sql_name(self) -> str:
        """`schema.name`, as SQL sees it."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, without the partition's."""
        return tuple(column.name for column in self.columns)

    @property
    def partition_column(self) -> str | None:
        """The virtual column that views add from the folder's name: `day`, `week` or none."""
        return None if self.partition == "none" else self.partition


def _c(name: str, type_: str, meaning: str) -> Column:
    return Column(name, type_, meaning)


def _n(name: str, type_: str, meaning: str) -> Column:
    return Column(name, type_, meaning, nullable=True)


_INTERVAL = (
    _c("interval_start_utc", "TIMESTAMP", "start of the interval, UTC"),
    _c("interval_minutes", "SMALLINT", "length of the interval, minutes"),
)
_SOURCE = (
    _c("source_hash", "VARCHAR", "identity of the delivery: content, mapping and reader version"),
    _c("ordinal", "BIGINT", "number of the value inside the delivery, from 0"),
)
_RECEIPT = (
    _c("received_at", "TIMESTAMP", "when the file truly came, UTC"),
    _c("available_at", "TIMESTAMP", "when it could have been used, were it the first value of its kind, UTC"),
)
_QUANTILES = tuple(_c(q, "DOUBLE", f"{int(q[1:])} % quantile of mean power, MW") for q in QUANTILE_COLUMNS)
_WEATHER = (
    _n("temperature_c", "DOUBLE", "air temperature, degrees Celsius"),
    _n("dew_point_c", "DOUBLE", "dew point, degrees Celsius"),
    _n("irradiance_w_m2", "DOUBLE", "global horizontal irradiance, W/m2"),
    _n("wind_speed_m_s", "DOUBLE", "wind speed, m/s"),
)
_VALIDATED = (
    _c("meter_id", "VARCHAR", "meter"),
    _c("channel", "VARCHAR", "import (consumed), export (fed in) or generation (metered gross); all are >= 0 by nature"),
    *_INTERVAL,
    _n("energy_kwh", "DOUBLE", "energy of the interval after validation and estimation; null where nothing could be estimated"),
    _n("delivered_kwh", "DOUBLE", "energy as delivered by the winning reading, kWh; never overwritten"),
    _c("quality", "VARCHAR", "measured, estimated (by us), substituted (estimated by the source) or missing"),
    _c("flags", "VARCHAR", "rules that spoke, comma-separated; empty where none did"),
    _c(
        "method",
        "VARCHAR",
        "how the value was made: linear, like_days, class_profile, register (estimates; the last scaled to what a register counted), outage (zero: there was no power), verdict (given by a person); empty as delivered",
    ),
    _c("known_from_utc", "TIMESTAMP", "from when this value was known, UTC"),
)

RAW = (
    Table(
        "raw",
        "deliveries",
        "day",
        "delivered file (partition: the day it was received)",
        (
            _c("source_hash", "VARCHAR", "identity of the delivery: content, mapping and reader version"),
            _c("content_hash", "VARCHAR", "SHA-256 of the file's bytes (of the member, in an archive)"),
            _c("file_name", "VARCHAR", "name under which it came; archive!member in an archive"),
            _c("format", "VARCHAR", "reader that read it"),
            _c("mapping", "VARCHAR", "mapping by name; empty where the format needs none"),
            _c("received_at", "TIMESTAMP", "when the file came, UTC"),
            _c("recorded_at", "TIMESTAMP", "when this row was written, UTC"),
            _c("readings", "BIGINT", "rows kept, over all tables that the file fed"),
            _c("rejected", "BIGINT", "lines that could not be read"),
            _c("days", "DATE[]", "market days whose readings it holds"),
            _c("weather_days", "DATE[]", "market days whose weather or prices it holds"),
            _n("main_days", "DATE[]", "market days that most of its readings are of: each more than half as many as the fullest"),
            _c("verdict", "VARCHAR", "accepted, partly (some lines rejected) or refused"),
            _c("reason", "VARCHAR", "sentences: what was refused, and rules applied to clock changes"),
        ),
        ("source_hash",),
        append_only=True,
    ),
    Table(
        "raw",
        "meter_readings",
        "day",
        "reading as delivered",
        (
            *_SOURCE,
            _c("meter_id", "VARCHAR", "meter"),
            _c(
                "channel",
                "VARCHAR",
                "import, export, generation or other; with the register behind a colon where the source names it (import:E2)",
            ),
            _c(
                "uom",
                "VARCHAR",
                "unit of `value`: kWh, Wh, MWh (energy), kW, W, MW (mean power), or one that is no energy (kvarh); empty where none is said",
            ),
            *_INTERVAL,
            _n("value", "DOUBLE", "as delivered, in `uom`; null where the source has none"),
            _c("quality", "VARCHAR", "measured, substituted or missing, as the source says"),
            _n("version_at", "TIMESTAMP", "the source's own version time, UTC; orders corrections"),
            _n(
                "source_quality",
                "VARCHAR",
                "quality in the source's own codes (NEM12: method and reason; Green Button: quality of reading)",
            ),
            _n("cost", "DOUBLE", "what the source says that it cost, in the currency of its own"),
            *_RECEIPT,
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "register_reads",
        "day",
        "read of a register that counts up, with the read before it; or a daily or billing read (partition: the market day that the read closes; one at midnight closes the day before)",
        (
            *_SOURCE,
            _c("meter_id", "VARCHAR", "meter"),
            _c(
                "register",
                "VARCHAR",
                "register as the source names it (NEM13: NMI suffix; OBIS code; the channel of a daily or billing read)",
            ),
            _c("register_id", "VARCHAR", "the meter's own name of it; empty where unknown"),
            _c("serial", "VARCHAR", "serial number of the device; empty where unknown"),
            _c("direction", "VARCHAR", "import or export; empty where unknown"),
            _c("uom", "VARCHAR", "unit"),
            _n("previous_read", "DOUBLE", "the read before, in `uom`"),
            _n("previous_at_utc", "TIMESTAMP", "when it was read, UTC; of a daily or billing read, its period's first moment"),
            _n("register_read", "DOUBLE", "the read, in `uom`; null where only what was counted is delivered"),
            _c("read_at_utc", "TIMESTAMP", "when it was read, UTC"),
            _n("quantity", "DOUBLE", "what the source says was counted between them, in `uom`"),
            _c("quality", "VARCHAR", "measured, substituted or missing, as the source says"),
            _n("version_at", "TIMESTAMP", "the source's own version time, UTC; orders corrections"),
            _c("received_at", "TIMESTAMP", "when the file came, UTC"),
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "meter_events",
        "day",
        "event of a meter, once for each market day that it touches (of a longer one the last 31)",
        (
            *_SOURCE,
            _c("meter_id", "VARCHAR", "meter"),
            _c("kind", "VARCHAR", "outage, restored, tamper or other"),
            _c("start_utc", "TIMESTAMP", "when it began, UTC"),
            _n("end_utc", "TIMESTAMP", "when it ended, UTC; null where nothing says so"),
            _c("detail", "VARCHAR", "the event in the source's own word"),
            _c("received_at", "TIMESTAMP", "when the file came, UTC"),
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "rejected_lines",
        "day",
        "line of a delivered file that could not be read",
        (
            *_SOURCE,
            _c("line", "BIGINT", "line of the file, from 1; 0 where the format has no lines"),
            _c("rule", "VARCHAR", "what was wrong, in one word"),
            _c("reason", "VARCHAR", "what was wrong, in a sentence"),
            _c("content", "VARCHAR", "the line, first 500 characters"),
            _c("received_at", "TIMESTAMP", "when the file came, UTC"),
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "weather",
        "day",
        "zone and interval, observed or forecast",
        (
            *_SOURCE,
            _c("zone", "VARCHAR", "zone, or * for all"),
            *_INTERVAL,
            _c("kind", "VARCHAR", "observed or forecast"),
            _n("issued_at", "TIMESTAMP", "when the forecast was issued, UTC; null for observations"),
            *_WEATHER,
            *_RECEIPT,
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "meters",
        "none",
        "meter, with what is known of it",
        (
            *_SOURCE,
            _c("meter_id", "VARCHAR", "meter"),
            _c("role", "VARCHAR", "customer, or a witness that is never added to its meters: feeder, zone, system"),
            _c("feeder", "VARCHAR", "feeder; empty for a zone's or the system's own measurement"),
            _c("zone", "VARCHAR", "zone; * for the system's own measurement"),
            _c("class", "VARCHAR", "customer class; empty where unknown"),
            _n("rating_kw", "DOUBLE", "largest power that the connection can carry, kW"),
            _c("valid_from", "DATE", "first market day"),
            _c("valid_to", "DATE", "last market day"),
            _n("status", "VARCHAR", "of the account: active or inactive; null where the register does not say"),
            _n(
                "multiplier",
                "DOUBLE",
                "what values and register reads are multiplied by (current and voltage transformers); null: the source did it",
            ),
            _n("serial", "VARCHAR", "serial number of the device; it changes when the meter is exchanged"),
            _c("made_up", "BOOLEAN", "true where only the readings named the meter"),
            _c("received_at", "TIMESTAMP", "when the file came, UTC"),
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "fleet",
        "none",
        "unit of a delivered fleet",
        (
            *_SOURCE,
            _c("unit", "VARCHAR", "unit"),
            _c("kind", "VARCHAR", "thermal, storage or renewable"),
            _c("zone", "VARCHAR", "zone"),
            _c("p_min_mw", "DOUBLE", "least stable power, MW"),
            _c("p_max_mw", "DOUBLE", "largest power, MW"),
            _c("spec", "VARCHAR", "all its data, JSON"),
            _c("received_at", "TIMESTAMP", "when the file came, UTC"),
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
    Table(
        "raw",
        "prices",
        "day",
        "zone and interval: a market price",
        (
            *_SOURCE,
            _c("zone", "VARCHAR", "zone, or * for all"),
            *_INTERVAL,
            _c("price_per_mwh", "DOUBLE", "price per MWh, in `currency`"),
            _c("currency", "VARCHAR", "ISO 4217 code"),
            *_RECEIPT,
        ),
        ("source_hash", "ordinal"),
        append_only=True,
    ),
)

VALIDATED = (
    Table(
        "validated",
        "meter_readings",
        "day",
        "meter, channel and interval, as known now",
        _VALIDATED,
        ("meter_id", "channel", "interval_start_utc"),
    ),
    Table(
        "validated",
        "earlier_readings",
        "day",
        "meter, channel and interval, as known before a later correction",
        (
            *_VALIDATED,
            _c("known_until_utc", "TIMESTAMP", "until when this value was the best known, UTC"),
        ),
        ("meter_id", "channel", "interval_start_utc", "known_from_utc"),
    ),
    Table(
        "validated",
        "meter_days",
        "day",
        "meter, channel and version of the day: what was delivered, in a few numbers for the checks of later days",
        (
            _c("meter_id", "VARCHAR", "meter"),
            _c("channel", "VARCHAR", "channel, with its register where the source names one"),
            _c("step_minutes", "SMALLINT", "usual length of its intervals that day, minutes"),
            _c("readings", "BIGINT", "intervals on its grid that were delivered with a value"),
            _c("expected", "BIGINT", "intervals of its grid"),
            _n("energy_kwh", "DOUBLE", "sum of what was delivered, kWh; null where nothing was"),
            _n("highest_kw", "DOUBLE", "highest mean power of an interval, kW"),
            _c("repeats", "BIGINT", "intervals that are not zero and equal the one before to the last digit"),
            _n(
                "tail_kwh",
                "DOUBLE",
                "value that the last two intervals or more have in common, kWh; null where they have none, or the last one is missing",
            ),
            _n("tail_minutes", "INTEGER", "how long the day ends with that same value, minutes"),
            _n(
                "edge_minutes",
                "SMALLINT",
                "length of the one place where intervals are left out (where they came twice: negative), minutes",
            ),
            _n("edge_utc", "TIMESTAMP", "start of the first of those, UTC; both null where there is no such place, or several"),
            _c("known_from_utc", "TIMESTAMP", "from when this was known, UTC"),
            _c("version", "INTEGER", "0 for what was known first of the meter's day, and one more with each correction"),
        ),
        ("meter_id", "channel", "known_from_utc"),
    ),
    Table(
        "validated",
        "rejected_readings",
        "day",
        "rejected reading or line",
        (
            *_SOURCE,
            _c("rule", "VARCHAR", "rule that rejected it"),
            _c("reason", "VARCHAR", "why, in a sentence"),
            _n("meter_id", "VARCHAR", "meter; null where the line could not be read"),
            _n("channel", "VARCHAR", "channel; null where the line could not be read"),
            _n("interval_start_utc", "TIMESTAMP", "start of the interval, UTC; null where the line could not be read"),
            _n("value", "DOUBLE", "as delivered"),
            _n("uom", "VARCHAR", "unit of `value`"),
            _c("file_name", "VARCHAR", "file that it came from"),
        ),
        ("source_hash", "ordinal", "rule"),
    ),
    Table(
        "validated",
        "verdicts",
        "day",
        "a person's decision on readings of a meter and market day; a later one replaces an earlier",
        (
            _c("verdict_id", "VARCHAR", "identity of the decision; one over several days has a row in each"),
            _c("given_at", "TIMESTAMP", "when it was given, UTC; it counts from then on"),
            _c("who", "VARCHAR", "who gave it"),
            _c("why", "VARCHAR", "why, in words"),
            _c("action", "VARCHAR", "accept, reject, replace, or withdraw (as if none had been given)"),
            _c("meter_id", "VARCHAR", "meter"),
            _c("channel", "VARCHAR", "channel, with its register where the source names one"),
            _c("first_utc", "TIMESTAMP", "start of the first interval that it is about, UTC"),
            _c("last_utc", "TIMESTAMP", "start of the last one, UTC"),
            _n("value_kwh", "DOUBLE", "for replace: energy of each interval, kWh"),
        ),
        ("verdict_id", "meter_id", "channel"),
        append_only=True,
    ),
    Table(
        "validated",
        "hindsight",
        "day",
        "what a later day's check says of readings of this day: a meter's clock that was off, a run that went on",
        (
            _c("meter_id", "VARCHAR", "meter"),
            _c("channel", "VARCHAR", "channel, with its register where the source names one"),
            _c("rule", "VARCHAR", "rule that says it"),
            _c("action", "VARCHAR", "reject or flag"),
            _c("first_utc", "TIMESTAMP", "start of the first interval that it is about, UTC; may lie on an earlier day"),
            _c("last_utc", "TIMESTAMP", "starts up to then, UTC"),
            _c("reason", "VARCHAR", "why, in a sentence"),
            _c("found_on", "DATE", "market day whose check said it"),
            _c("known_from_utc", "TIMESTAMP", "from when this was known, UTC"),
            _n("known_until_utc", "TIMESTAMP", "until when it was said, UTC; null where it still is"),
        ),
        ("found_on", "meter_id", "channel", "rule", "first_utc", "known_from_utc"),
        append_only=True,
    ),
    Table(
        "validated",
        "billed",
        "day",
        "reading as it was sent to the billing system (smartgrid export billing), once more for each time",
        (
            _c("form", "VARCHAR", "csv or nem12: each is a receiver of its own"),
            _c("sent_at", "TIMESTAMP", "when, UTC"),
            _c("meter_id", "VARCHAR", "meter"),
            _c("channel", "VARCHAR", "channel, with its register where the source names one"),
            _c("interval_start_utc", "TIMESTAMP", "start of the interval, UTC"),
            _n("energy_kwh", "DOUBLE", "as sent, kWh"),
            _c("quality", "VARCHAR", "as sent"),
            _c("digest", "VARCHAR", "of the day's validated readings then: while it stands, nothing is to be corrected"),
        ),
        ("form", "sent_at", "meter_id", "channel", "interval_start_utc"),
        append_only=True,
    ),
    Table(
        "validated",
        "data_quality",
        "day",
        "zone and rule",
        (
            _c("zone", "VARCHAR", "zone, or * for the whole"),
            _c("rule", "VARCHAR", "a rule's name, or: missing, estimated, late"),
            _c("readings", "BIGINT", "readings that were expected in the zone that day"),
            _c("affected", "BIGINT", "how many of them the rule concerns"),
            _c("share", "DOUBLE", "affected / readings, 0 to 1"),
            _n("hours_late_median", "DOUBLE", "for rule late: median of receipt minus end of interval, hours"),
        ),
        ("zone", "rule"),
    ),
    Table(
        "validated",
        "held_days",
        "day",
        "reason for holding the market day back; no row = it is not held",
        (
            _c("check_name", "VARCHAR", "check that refused the day"),
            _c("reason", "VARCHAR", "why, in a sentence"),
            _c("value", "DOUBLE", "what was measured"),
            _c("threshold", "DOUBLE", "what was allowed"),
        ),
        ("check_name",),
    ),
)

FEATURES = (
    Table(
        "features",
        "load",
        "day",
        "zone, feeder, interval and version",
        (
            _c("zone", "VARCHAR", "zone; * for the whole"),
            _c("feeder", "VARCHAR", "feeder; * for the zone's sum"),
            *_INTERVAL,
            _c("known_from_utc", "TIMESTAMP", "from when this version was known, UTC"),
            _c("load_mw", "DOUBLE", "mean net power (import less export) over the interval; positive = consumption"),
            _c("meters", "INTEGER", "meters in the sum"),
            _c("missing_share", "DOUBLE", "share of the sum's meter-intervals that are estimated or missing, 0 to 1"),
            _c("local_time", "TIMESTAMP", "local wall time of the start"),
            _c("is_holiday", "BOOLEAN", "public holiday by calendar"),
            _c("holiday", "VARCHAR", "name of the holiday; empty where there is none"),
            _n("temperature_c", "DOUBLE", "observed air temperature, degrees Celsius"),
            _n("irradiance_w_m2", "DOUBLE", "observed global irradiance, W/m2"),
            _n("wind_speed_m_s", "DOUBLE", "observed wind speed, m/s"),
        ),
        ("zone", "feeder", "interval_start_utc", "known_from_utc"),
    ),
    Table(
        "features",
        "training_marks",
        "day",
        "zone, interval and version to leave out of training or weigh less",
        (
            _c("zone", "VARCHAR", "zone; * for the whole"),
            *_INTERVAL,
            _c("known_from_utc", "TIMESTAMP", "from when the mark was known, UTC"),
            _c("weight", "DOUBLE", "0 (leave out) to 1"),
            _c("reason", "VARCHAR", "why, in words"),
        ),
        ("zone", "interval_start_utc", "known_from_utc"),
    ),
    Table(
        "features",
        "meter_profile",
        "day",
        "meter: its day in numbers, for detection",
        (
            _c("meter_id", "VARCHAR", "meter"),
            _c("zone", "VARCHAR", "zone"),
            _c("feeder", "VARCHAR", "feeder"),
            _c("class", "VARCHAR", "customer class"),
            _c("energy_kwh", "DOUBLE", "imported energy of the day as delivered, kWh"),
            _c("export_kwh", "DOUBLE", "exported energy of the day, kWh"),
            _c("peak_kw", "DOUBLE", "highest mean power of an interval, kW"),
            _c("min_kw", "DOUBLE", "lowest mean power of an interval, kW"),
            _c("night_share", "DOUBLE", "share of the energy from 00:00 to 05:00 local"),
            _c("evening_share", "DOUBLE", "share of the energy from 17:00 to 22:00 local"),
            _c("load_factor", "DOUBLE", "mean power / peak power, 0 to 1"),
            _c("zero_share", "DOUBLE", "share of intervals at zero"),
            _c("stuck_share", "DOUBLE", "longest run of one repeated value / intervals of the day"),
            _c("ramp_kw", "DOUBLE", "mean absolute change between intervals, kW"),
            _c("negative_count", "INTEGER", "intervals with a negative value"),
            _c("missing_share", "DOUBLE", "share of intervals not delivered"),
            _c("flagged_share", "DOUBLE", "share of intervals on which a rule spoke"),
            _c("is_holiday", "BOOLEAN", "public holiday or Sunday: the day is compared with its like"),
        ),
        ("meter_id",),
    ),
)

_LEAD = _c("lead_bucket", "VARCHAR", "hours from issue to the start of the interval: 12-24 h, 24-36 h ...; all = the day")
_SCORES = (
    _c("n", "INTEGER", "intervals scored"),
    _c("mae_mw", "DOUBLE", "mean absolute error of the median, MW"),
    _c("rmse_mw", "DOUBLE", "root mean square error of the median, MW"),
    _c("pinball_mw", "DOUBLE", "pinball loss, mean over the quantile grid, MW"),
    _c("coverage_90", "DOUBLE", "share of intervals inside q05 .. q95"),
)

FORECASTS = (
    Table(
        "forecasts",
        "model",
        "week",
        "zone group and model, fitted at the gate of the week's first market day",
        (
            _c("zone_group", "VARCHAR", "zones fitted together"),
            _c("model", "VARCHAR", "model"),
            _c("status", "VARCHAR", "fitted or failed"),
            _c("reason", "VARCHAR", "why it failed, or which zones did; empty where all is well"),
            _c("gate_utc", "TIMESTAMP", "gate closure whose knowledge it was trained on, UTC"),
            _n("trained_from_utc", "TIMESTAMP", "start of the training data, UTC"),
            _n("trained_to_utc", "TIMESTAMP", "end of the training data, UTC"),
            _c("training_rows", "BIGINT", "intervals in training, over zones"),
            _c("zones", "INTEGER", "zones fitted"),
            _c("weather", "VARCHAR", "none, or forecast (weather forecasts by issue time)"),
            _c("run_id", "VARCHAR", "MLflow run; empty where it failed"),
            _c("sha256", "VARCHAR", "digest of the stored model; it is loaded only if it still has it"),
            _c("size_bytes", "BIGINT", "size of the stored model, bytes"),
            _c("fit_seconds", "DOUBLE", "time to fit, seconds"),
        ),
        ("zone_group", "model"),
    ),
    Table(
        "forecasts",
        "candidates",
        "day",
        "zone, model and interval",
        (
            _c("zone", "VARCHAR", "zone"),
            _c("model", "VARCHAR", "model"),
            *_INTERVAL,
            _c("issued_at", "TIMESTAMP", "gate closure, UTC"),
            *_QUANTILES,
            _c("run_id", "VARCHAR", "MLflow run of the model"),
            _c("weather", "VARCHAR", "none or forecast"),
        ),
        ("zone", "model", "interval_start_utc"),
    ),
    Table(
        "forecasts",
        "scores",
        "day",
        "zone, model and lead bucket",
        (
            _c("zone", "VARCHAR", "zone"),
            _c("model", "VARCHAR", "model"),
            _LEAD,
            *_SCORES,
            _c("known_from_utc", "TIMESTAMP", "from when the day's load, and so this score, was known, UTC"),
        ),
        ("zone", "model", "lead_bucket", "known_from_utc"),
    ),
    Table(
        "forecasts",
        "champion",
        "week",
        "zone group",
        (
            _c("zone_group", "VARCHAR", "zones judged together"),
            _c("model", "VARCHAR", "champion"),
            _c("runner_up", "VARCHAR", "challenger; empty where there is none"),
            _n("margin", "DOUBLE", "how much lower the champion's pinball loss is, as a share of the challenger's"),
            _c("days", "INTEGER", "scored days that it rests on"),
            _c("why", "VARCHAR", "why, in a sentence"),
            _n("promoted_by", "VARCHAR", "who promoted it (smartgrid promote); null where the scores chose"),
        ),
        ("zone_group",),
    ),
    Table(
        "forecasts",
        "day_ahead",
        "day",
        "zone and interval, published",
        (
            _c("zone", "VARCHAR", "zone"),
            *_INTERVAL,
            _c("issued_at", "TIMESTAMP", "gate closure, UTC"),
            _c("lead_hours", "DOUBLE", "hours from issue to the start of the interval"),
            _c("load_mw", "DOUBLE", "median of mean power, MW; positive = consumption"),
            *_QUANTILES,
            _c("source_model", "VARCHAR", "model or models it comes from"),
            _c("is_fallback", "BOOLEAN", "true where it is neither the aggregate of the models nor a model that a person promoted"),
            _c("fallback_reason", "VARCHAR", "why; empty where it is no fallback"),
        ),
        ("zone", "interval_start_utc"),
    ),
    Table(
        "forecasts",
        "scenarios",
        "day",
        "path, zone and interval",
        (
            _c("path", "INTEGER", "number of the path, from 0; all equally likely, joint over zones and intervals"),
            _c("zone", "VARCHAR", "zone"),
            *_INTERVAL,
            _c("issued_at", "TIMESTAMP", "gate closure, UTC"),
            _c("load_mw", "DOUBLE", "mean power on this path, MW; positive = consumption"),
        ),
        ("path", "zone", "interval_start_utc"),
    ),
    Table(
        "forecasts",
        "whole",
        "day",
        "interval: the sum of all zones, from the joint paths",
        (
            *_INTERVAL,
            _c("issued_at", "TIMESTAMP", "gate closure, UTC"),
            _c("mean_mw", "DOUBLE", "mean of the sum over the paths, MW"),
            *_QUANTILES,
        ),
        ("interval_start_utc",),
    ),
    Table(
        "forecasts",
        "headroom",
        "day",
        "zone, feeder and interval: how near the load comes to a rating",
        (
            _c("zone", "VARCHAR", "zone"),
            _c("feeder", "VARCHAR", "feeder; * for the zone's own limit"),
            *_INTERVAL,
            _c("issued_at", "TIMESTAMP", "gate closure, UTC"),
            _c("rating_mw", "DOUBLE", "limit, MW, in either direction of flow"),
            _c("load_mw", "DOUBLE", "median of mean power, MW; positive = consumption"),
            _c("high_mw", "DOUBLE", "95 % quantile of the flow in either direction, MW"),
            _c("probability_above", "DOUBLE", "probability that the flow is above the limit, 0 to 1"),
            _c(
                "probability_near",
                "DOUBLE",
                "probability that it is above nine tenths of it; times the interval's hours, summed: expected hours",
            ),
            _c("flexible_mw", "DOUBLE", "what must give way for the flow to be within the limit with 95 %, MW"),
        ),
        ("zone", "feeder", "interval_start_utc"),
    ),
    Table(
        "forecasts",
        "accuracy",
        "day",
        "zone, forecast and lead bucket",
        (
            _c("zone", "VARCHAR", "zone"),
            _c("forecast", "VARCHAR", "published, or a naive beside it"),
            _LEAD,
            *_SCORES,
            _c("nmae", "DOUBLE", "MAE / mean |load| of the day"),
            _n("mase", "DOUBLE", "MAE / MAE of the 7-day naive over the eight weeks known before the gate"),
        ),
        ("zone", "forecast", "lead_bucket"),
    ),
)

ANOMALIES = (
    Table(
        "anomalies",
        "meter_days",
        "day",
        "meter and detector",
        (
            _c("meter_id", "VARCHAR", "meter"),
            _c("detector", "VARCHAR", "detector"),
            _c("score", "DOUBLE", "0 (ordinary) to 1"),
            _c("rank", "INTEGER", "1 = strangest of the day"),
            _c("is_alarm", "BOOLEAN", "true within the budget of alarms"),
            _c("reason", "VARCHAR", "the features that spoke, in words"),
        ),
        ("meter_id", "detector"),
    ),
)

_PLAN = (
    _c("unit", "VARCHAR", "unit"),
    _c("zone", "VARCHAR", "zone"),
    _c("kind", "VARCHAR", "thermal, storage or renewable"),
    *_INTERVAL,
    _c("committed", "BOOLEAN", "runs in the interval"),
    _c("power_mw", "DOUBLE", "mean power into the system; a charging storage is negative"),
    _c("reserve_mw", "DOUBLE", "spinning reserve held, MW"),
    _c("charge_mw", "DOUBLE", "storage: power taken, MW"),
    _c("discharge_mw", "DOUBLE", "storage: power given, MW"),
    _c("stored_mwh", "DOUBLE", "storage: level at the END of the interval, MWh"),
    _c("curtailed_mw", "DOUBLE", "renewable: available and not used, MW"),
)
_SUMMARY = (
    _c("plan", "VARCHAR", "published; settled (the published commitment, dispatched for the load that came); perfect foresight"),
    _c("status", "VARCHAR", "optimal, gap, time limit or relaxed"),
    _c("cost_total", "DOUBLE", "cost of the published day, in the fleet's currency"),
    _c("cost_energy", "DOUBLE", "of which energy above minimum power"),
    _c("cost_no_load", "DOUBLE", "of which running at minimum power"),
    _c("cost_startup", "DOUBLE", "of which start-ups"),
    _c("cost_shutdown", "DOUBLE", "of which shutdowns"),
    _c("cost_unserved", "DOUBLE", "of which unserved energy"),
    _c("cost_spilled", "DOUBLE", "of which spilled energy and curtailment"),
    _c("cost_reserve_shortfall", "DOUBLE", "of which missing reserve"),
    _c("solved_cost", "DOUBLE", "objective over all hours solved (48 h), which bound and gap refer to"),
    _n("bound", "DOUBLE", "proved lower bound of solved_cost"),
    _n("gap", "DOUBLE", "(solved_cost - bound) / solved_cost"),
    _c("solver", "VARCHAR", "solver and version"),
    _c("build_seconds", "DOUBLE", "seconds to build the model"),
    _c("solve_seconds", "DOUBLE", "seconds to solve it"),
    _c("unserved_mwh", "DOUBLE", "MWh"),
    _c("spilled_mwh", "DOUBLE", "MWh"),
    _c("reserve_shortfall_mwh", "DOUBLE", "MW of missing reserve x hours"),
    _c("is_relaxed", "BOOLEAN", "true where limits had to be broken to find any plan"),
    _c("fleet_source", "VARCHAR", "delivered, or reference: a built-in fleet, because none was delivered"),
    _c("state_source", "VARCHAR", "carried from yesterday's plan, or initial"),
    _c("explanation", "VARCHAR", "sentences: what is short, when, and what binds; empty where all is well"),
)
DISPATCH = (
    Table("dispatch", "plan", "day", "unit and interval", _PLAN, ("unit", "interval_start_utc")),
    Table(
        "dispatch",
        "prices",
        "day",
        "interval",
        (
            *_INTERVAL,
            _c("demand_mw", "DOUBLE", "injection that the forecast needs, losses and unmetered load included, MW"),
            _c("reserve_required_mw", "DOUBLE", "MW"),
            _c("reserve_held_mw", "DOUBLE", "MW"),
            _c("unserved_mw", "DOUBLE", "demand not met, MW"),
            _c("spilled_mw", "DOUBLE", "surplus that nobody could take, MW"),
            _n("price_per_mwh", "DOUBLE", "marginal price with the commitment fixed, per MWh"),
        ),
        ("interval_start_utc",),
    ),
    Table("dispatch", "summary", "day", "the published plan of the day", _SUMMARY, ("plan",)),
    Table(
        "dispatch",
        "hindsight",
        "day",
        "plan with the load that came: the published commitment settled, and perfect foresight",
        _SUMMARY,
        ("plan",),
    ),
    Table(
        "dispatch",
        "end_state",
        "day",
        "unit: its state at the end of the market day, from which tomorrow starts",
        (
            _c("unit", "VARCHAR", "unit"),
            _c("kind", "VARCHAR", "thermal, storage or renewable"),
            _c("status_hours", "DOUBLE", "thermal: hours on (+) or off (-)"),
            _c("power_mw", "DOUBLE", "power in the last interval, MW"),
            _c("stored_mwh", "DOUBLE", "storage level, MWh"),
        ),
        ("unit",),
    ),
)

OPERATOR = (
    Table(
        "operator",
        "overview",
        "day",
        "zone and interval",
        (
            _c("zone", "VARCHAR", "zone"),
            *_INTERVAL,
            _c("forecast_mw", "DOUBLE", "published median, MW"),
            _c("low_mw", "DOUBLE", "q05, MW"),
            _c("high_mw", "DOUBLE", "q95, MW"),
            _n("actual_mw", "DOUBLE", "load as known now, MW; null while unknown"),
            _n("planned_mw", "DOUBLE", "power planned from the zone's own units, MW"),
            _n("headroom_mw", "DOUBLE", "the zone's rating less q95, MW; null without a rating"),
            _c("is_fallback", "BOOLEAN", "true where the forecast is not the aggregate of the models"),
            _c("alarms", "INTEGER", "meters of the zone under alarm on the newest day known at issue"),
        ),
        ("zone", "interval_start_utc"),
    ),
)

_LEDGER = (
    _c("night", "DATE", "night in which it was issued, by its local date"),
    _c("recorded_at", "TIMESTAMP", "when it was issued in truth, UTC"),
)
LEDGERS = (
    Table(
        "forecasts",
        "promotions",
        "day",
        "decision of a person which model is published; day = Monday of the first week that it counts for",
        (
            _c("promotion_id", "VARCHAR", "identity of the decision"),
            _c("given_at", "TIMESTAMP", "when, UTC"),
            _c("who", "VARCHAR", "who decided"),
            _c("why", "VARCHAR", "the reason"),
            _c("zone_group", "VARCHAR", "zones that it is about"),
            _c("model", "VARCHAR", "model to publish; empty = leave it to the scores again"),
        ),
        ("promotion_id",),
        append_only=True,
    ),
    Table(
        "forecasts",
        "issued",
        "day",
        "forecast that a night really issued: zone and interval",
        (
            *_LEDGER,
            *next(t for t in FORECASTS if t.name == "day_ahead").columns,
        ),
        ("recorded_at", "zone", "interval_start_utc"),
        append_only=True,
    ),
    Table(
        "dispatch",
        "issued",
        "day",
        "plan that a night really issued: unit and interval",
        (*_LEDGER, *_PLAN),
        ("recorded_at", "unit", "interval_start_utc"),
        append_only=True,
    ),
)

TABLES: dict[str, Table] = {t.path: t for t in (*RAW, *VALIDATED, *FEATURES, *FORECASTS, *ANOMALIES, *DISPATCH, *OPERATOR, *LEDGERS)}
"""All tables by `schema/name`, in the data's order."""


def table(path: str) -> Table:
    """The declaration of `schema/name`; a KeyError is a bug of ours."""
    return TABLES[path]
