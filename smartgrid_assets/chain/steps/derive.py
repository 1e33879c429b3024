"""validated -> features: the load of a market day, what models should not learn from, each meter's profile."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.known import exactly, optional
from smartgrid_assets.chain.step import FURTHER, Inputs, Made, Step, Work
from smartgrid_assets.chain.steps.check import EARLIER, READINGS
from smartgrid_assets.domain.market_day import public_holidays

LOAD, MARKS, PROFILE = "features/load", "features/training_marks", "features/meter_profile"
BALANCE = "features/feeder_balance"
LIKE_DAYS_BACK = (7, 14, 21, 28)


def calendar_of(context: Context, day: date) -> dict[date, str]:
    """Public holidays of the market's country around a day."""
    return public_holidays(context.settings.country, context.settings.subdivision, tuple(range(day.year - 1, day.year + 2)))


def _meters(context: Context, day: date) -> Inputs:
    return {f"raw/meters@{day}": context.delivered.meters_digest(day) or "none"}


def _code() -> str:
    from smartgrid_assets.domain.derive.recipe import features_version

    return features_version()


def _settings(context: Context) -> dict[str, Any]:
    s = context.settings
    return {"gate": s.gate.isoformat(), "country": s.country, "subdivision": s.subdivision}


def _load_inputs(context: Context, day: date) -> Inputs | None:
    readings = exactly(context, READINGS, day)
    if readings is None:
        return None
    weather = context.delivered.weather_digest(day, "observed")
    return readings | optional(context, EARLIER, day) | _meters(context, day) | {f"raw/weather@{day}": weather or "none"}


def _make_load(work: Work) -> Made:
    from smartgrid_assets.domain.derive.recipe import load_features

    context, con, day = work.context, work.con, work.key
    relation = load_features(
        con,
        context.market_day(day),
        context.settings.timezone,
        readings=context.lake.view(con, READINGS, [day]),
        earlier=context.lake.view(con, EARLIER, [day]),
        meters=context.delivered.meters(con, day),
        weather=context.delivered.weather(con, [day], "observed"),
        calendar=calendar_of(context, day),
        gate=context.settings.gate,
    )
    return Made({LOAD: relation}, metadata={"curve": _curve(work, relation), "curve_of": "load of the whole, MW"})


def _curve(work: Work, relation: str) -> list[float]:
    """The day's load, MW, for a small picture; none where it is that of a few homes, and would show their habits."""
    rows = work.con.execute(
        f"""SELECT load_mw, meters FROM {relation} WHERE zone = '*' AND feeder = '*' AND load_mw IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY interval_start_utc ORDER BY known_from_utc DESC) = 1 ORDER BY interval_start_utc"""
    ).fetchall()
    return [mw for mw, _ in rows] if rows and min(meters for _, meters in rows) >= work.context.settings.minimum_group else []


def _make_marks(work: Work) -> Made:
    from smartgrid_assets.domain.derive.recipe import training_marks

    context, con, day = work.context, work.con, work.key
    recent = [day - timedelta(days=back) for back in LIKE_DAYS_BACK]
    marks = training_marks(
        con, context.market_day(day), context.lake.view(con, LOAD, [day]), context.lake.view(con, LOAD, recent, "recent_load")
    )
    # A mark sees its like days as they were known when the day itself became known: later corrections do not reach it.
    known = _last_known(work)
    more = {f"{FURTHER}{LOAD}@{d}<={known.isoformat()}": context.lake.digest_as_of(LOAD, d, known) for d in marks.days} if known else {}
    return Made({MARKS: marks.relation}, {name: digest for name, digest in more.items() if digest})


def _last_known(work: Work) -> datetime | None:
    footer = work.context.lake.footer(LOAD, work.key)
    return datetime.fromisoformat(max(footer.versions)) if footer and footer.versions else None


def _profile_inputs(context: Context, day: date) -> Inputs | None:
    readings = exactly(context, READINGS, day)
    return None if readings is None else readings | _meters(context, day)


def _make_profile(work: Work) -> Made:
    from smartgrid_assets.domain.derive.recipe import meter_profile

    context, con, day = work.context, work.con, work.key
    relation = meter_profile(
        con,
        context.market_day(day),
        context.settings.timezone,
        readings=context.lake.view(con, READINGS, [day]),
        meters=context.delivered.meters(con, day),
        is_holiday=day in calendar_of(context, day),
    )
    return Made({PROFILE: relation})


def _make_balance(work: Work) -> Made:
    from smartgrid_assets.domain.derive.recipe import feeder_balance

    context, con, day = work.context, work.con, work.key
    return Made({BALANCE: feeder_balance(con, context.lake.view(con, READINGS, [day]), context.delivered.meters(con, day))})


def _balance_code() -> str:
    from smartgrid_assets.domain.derive.recipe import BALANCE_VERSION

    return f"balance={BALANCE_VERSION}"


STEPS = [
    Step("load", (LOAD,), "day", _load_inputs, _make_load, _code, _settings, is_history=True),
    Step(
        "training_marks", (MARKS,), "day", lambda context, day: exactly(context, LOAD, day), _make_marks, _code, _settings, is_history=True
    ),
    Step("meter_profile", (PROFILE,), "day", _profile_inputs, _make_profile, _code, _settings, is_history=True),
    Step("feeder_balance", (BALANCE,), "day", _profile_inputs, _make_balance, _balance_code, is_history=True),
]
