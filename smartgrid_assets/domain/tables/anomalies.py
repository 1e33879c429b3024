"""What is odd: strange meter-days, meters that changed for good, and the cases that are worth a visit."""

from __future__ import annotations

from smartgrid_assets.domain.tables.column import Table, needed, nullable

_EVIDENCE = (
    needed("meter_id", "VARCHAR", "meter; empty where a feeder loses energy that no meter of it explains"),
    needed("zone", "VARCHAR", "zone"),
    needed("feeder", "VARCHAR", "feeder"),
    needed("class", "VARCHAR", "customer class; empty for a feeder"),
    needed(
        "kind",
        "VARCHAR",
        "bypass, lost_phase, stuck, data_fault or feeder_loss; or, explained without a visit: lower_use, vacancy, pv, new_device",
    ),
    needed("since", "DATE", "market day from which on it shows"),
    needed("change", "DOUBLE", "energy since then over what its own past and its peers let expect, minus 1"),
    needed("lost_kwh_week", "DOUBLE", "energy that is not counted, kWh a week; 0 where none is"),
    needed("p_value", "DOUBLE", "share of meters that change so much on such days without a cause to visit them"),
    nullable(
        "witness",
        "DOUBLE",
        "what the feeder's own meter measures more since then, over what the meter counts less; null where nobody measures",
    ),
    nullable("witness_sigmas", "DOUBLE", "the same rise over the spread of that feeder's balance"),
    needed("is_witnessed", "BOOLEAN", "the feeder's own meter says that the energy still flows"),
    needed("reason", "VARCHAR", "the evidence in words: own and peers' values"),
)

ANOMALIES = (
    Table(
        "anomalies",
        "meter_days",
        "day",
        "meter and detector",
        (
            needed("meter_id", "VARCHAR", "meter"),
            needed("detector", "VARCHAR", "detector"),
            needed("score", "DOUBLE", "0 (ordinary) to 1"),
            needed("rank", "INTEGER", "1 = strangest of the day"),
            needed("is_alarm", "BOOLEAN", "true within the budget of alarms"),
            needed("reason", "VARCHAR", "the features that spoke, in words"),
        ),
        ("meter_id", "detector"),
    ),
    Table(
        "anomalies",
        "suspects",
        "day",
        "meter (or feeder) that changed within four weeks, as strongly as one in a hundred",
        _EVIDENCE,
        ("meter_id", "zone", "feeder"),
    ),
    Table(
        "anomalies",
        "cases",
        "day",
        "case that stands that day",
        (
            needed("case_id", "VARCHAR", "the day it was raised, and a digest of what it is about"),
            needed("raised", "DATE", "market day whose evidence raised it"),
            needed(
                "state",
                "VARCHAR",
                "new (raised by this day), open, explained (no visit, no budget), or what the visit found: theft, fault, fine",
            ),
            needed("rank", "INTEGER", "1 = the most worth a visit, among those that are new or open; 0 for the others"),
            *_EVIDENCE,
            needed("lost_eur_week", "DOUBLE", "the same at the price of energy that the settings name, EUR"),
            needed("confidence", "DOUBLE", "0 to 1: 1 less the share of ordinary meters with as much evidence, the witness counted"),
            nullable(
                "chance",
                "DOUBLE",
                "0 to 1: that the visit finds something, as the verdicts on such cases have it; null while there are few",
            ),
        ),
        ("case_id",),
        version=2,
    ),
    Table(
        "anomalies",
        "verdicts",
        "day",
        "what a visit found, with the evidence that it was judged by; filed under the market day on which it was given; a later one replaces an earlier",
        (
            needed("verdict_id", "VARCHAR", "identity of the verdict"),
            needed("given_at", "TIMESTAMP", "when it was given, UTC; nothing learns from it before"),
            needed("who", "VARCHAR", "who gave it"),
            needed("note", "VARCHAR", "in words, may be empty"),
            needed("case_id", "VARCHAR", "the case"),
            needed("verdict", "VARCHAR", "theft, fault, fine, or withdraw (as if none had been given)"),
            needed("raised", "DATE", "market day whose evidence raised the case"),
            *(column for column in _EVIDENCE if column.name != "reason"),
            needed("confidence", "DOUBLE", "of the case"),
        ),
        ("verdict_id",),
        append_only=True,
    ),
    Table(
        "anomalies",
        "evaluation",
        "week",
        "kind of case raised in that week, and all kinds together (*)",
        (
            needed("kind", "VARCHAR", "kind of the case; * = all"),
            needed("raised", "INTEGER", "cases raised in the week"),
            needed("theft", "INTEGER", "of those, visits that found a theft"),
            needed("fault", "INTEGER", "visits that found a fault"),
            needed("fine", "INTEGER", "visits that found nothing"),
            needed("judged", "INTEGER", "cases with a verdict"),
            nullable("precision", "DOUBLE", "(theft + fault) / judged; null without a verdict"),
            nullable("precision_low", "DOUBLE", "lower end of its 95 % interval (Wilson)"),
            nullable("precision_high", "DOUBLE", "upper end of it"),
            nullable("visits_used", "DOUBLE", "for *: cases raised over the week's visits"),
            nullable("per_1000_meters", "DOUBLE", "for *: cases raised by 1,000 meters"),
            nullable(
                "false_per_1000_meters",
                "DOUBLE",
                "for *: of those judged fine, held up by the share judged, by 1,000 meters; null without a verdict",
            ),
            nullable("meter_day_alarms", "INTEGER", "for *: meter-days of the week under alarm (anomalies/meter_days)"),
        ),
        ("kind",),
    ),
)
