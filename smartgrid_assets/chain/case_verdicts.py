"""Keep what a visit found, as data: anomalies/verdicts, with the evidence that the case had; nothing but a later verdict undoes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from smartgrid_assets.chain.context import Context
from smartgrid_assets.chain.decisions import identity_of, keep
from smartgrid_assets.chain.steps.detect import CASE_VERDICTS, CASES
from smartgrid_assets.domain.errors import SettingsError
from smartgrid_assets.domain.market_day import day_of
from smartgrid_assets.domain.tables import table

OF_THE_VERDICT = ("verdict_id", "given_at", "who", "note", "verdict")


@dataclass(frozen=True)
class CaseVerdict:
    """What was found where a case sent somebody. note: in words, may be empty."""

    case_id: str
    verdict: str
    who: str
    note: str = ""


def judge(context: Context, given: CaseVerdict, now: datetime) -> date:
    """Keep a verdict on a case that was raised; the market day from which on it counts.

    Raises SettingsError where no day's cases hold the case, or the case needed no visit.
    """
    day = day_of(now, context.settings.timezone)
    days = context.lake.keys(CASES)
    with context.lake.connect() as con:
        found = f"""SELECT * FROM ({context.lake.select(CASES, days)}) WHERE case_id = ? AND day <= ? QUALIFY row_number() OVER (ORDER BY day DESC) = 1"""
        states = con.execute(f"SELECT state FROM ({found})", [given.case_id, day]).fetchall() if days else []
        if not states:
            raise SettingsError(f"There is no case {given.case_id}. Look at anomalies.cases (smartgrid sql), column case_id.")
        if states == [("explained",)]:
            raise SettingsError(f"Case {given.case_id} is explained and sends nobody; a verdict is about a case that was raised.")
        identity = identity_of(given, now)
        evidence = ", ".join(name for name in table(CASE_VERDICTS).column_names if name not in OF_THE_VERDICT)
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE to_judge AS SELECT ? AS verdict_id, CAST(? AS TIMESTAMP) AS given_at, ? AS who, ? AS note, ? AS verdict,
                {evidence}, CAST(? AS DATE) AS day FROM ({found})""",
            [identity, now, given.who, given.note, given.verdict, day, given.case_id, day],
        )
        keep(context, con, CASE_VERDICTS, "to_judge", identity, now)
    return day
