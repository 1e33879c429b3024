"""Which meters changed within four weeks, how, and does their feeder say that the energy still flows?

A row a meter whose level is as rare as one in a hundred (level.py), with what its feeder witnesses (witness.py) and what kind of change
it is; a row a meter that stands still or delivers rubbish; a row a feeder that loses energy which no such meter explains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.kind import FAULTS, amount, kind_of, sentence
from smartgrid_assets.domain.detect.level import ENERGY, levels, meter_days, shapes
from smartgrid_assets.domain.detect.spans import SINCE_DAYS
from smartgrid_assets.domain.detect.spans import SUSPECTS_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.detect.witness import DAYS, NOTHING, Asked, Balance, Said, balances
from smartgrid_assets.domain.tables import table

RARE_AS = 0.01
"""Meters that moved so rarely far are suspects by that alone."""
ASKED_AS, LEAST_CHANGE = 0.1, 0.08
"""Of others that fell by so much, and as one in ten, the feeder is asked: it may know more."""
OWN_CLEAR = 3.0
"""And names only those that fell, from the day on that it speaks of, by so many times the spread of such a mean of theirs."""
SINCE = tuple(range(3, max(SINCE_DAYS) + 1))
LEAST_CLEAR, CLEARER, ASKED_A_FEEDER = 3.0, 1.3, 10
"""A feeder names a meter at so many standard errors at least, and at more the less the meter's own fall says (`_clear`)."""
GONE = 3.0
RARE_TOGETHER = 1e-4
FEEDER_CLEAR, FEEDER_SHARE = 6.0, 0.005
"""A feeder loses energy where the step is so many standard errors and so much of its flow."""
FAULT_DAYS, FAULT_OF = 2, 3
TOGETHER, TOGETHER_SHARE = 5, 0.2
"""So many meters of a feeder, and such a share of them, with one fault at once are one suspect: the feeder."""
Feeder = tuple[str, str]
"""Zone and feeder."""
COLUMNS = tuple(column.name for column in table("anomalies/suspects").columns)


def suspects(con: Any, profiles: str, balance: str, day: date) -> pd.DataFrame:
    """anomalies/suspects of one market day; nothing later is read.

    profiles: features/meter_profile, balance: features/feeder_balance, both over LOOK_BACK_DAYS and the day, with a column day.
    Memory: a row a meter and day of the look-back in DuckDB, which spills; in Python a row a meter.
    """
    found = levels(con, profiles, day)
    fell = found[(found["z"] < 0) & (found["p_value"] <= ASKED_AS) & (found["change"] <= -LEAST_CHANGE)]
    said, left = _witnessed(fell, _days_of(con, profiles, day, fell), _balances(con, balance, day))
    fell = fell.assign(said=[said.get(meter) or NOTHING for meter in fell["meter_id"]])
    fell = fell[(fell["p_value"] <= RARE_AS).to_numpy() | np.array([one.is_named for one in fell["said"]], bool)]
    rose = found[(found["z"] > 0) & (found["p_value"] <= RARE_AS) & (found["change"] >= LEAST_CHANGE)].assign(said=NOTHING)
    moved = pd.concat([fell, rose], ignore_index=True)
    rows: list[dict[str, Any]] = []
    if len(moved):
        moved["days"] = [one.days if one.is_named else days for one, days in zip(moved["said"], moved["days"], strict=True)]
        shaped = moved.merge(shapes(con, profiles, day, moved), on="meter_id")
        rows = [_suspect(row, day) for row in shaped.to_dict("records")]
    rows += _faulty(con, profiles, day)
    rows += _losing(left, day)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    # a meter that stands still, or delivers rubbish, has one suspicion: that
    frame["is_fault"] = frame["kind"].isin(FAULTS)
    frame = frame.sort_values("is_fault", ascending=False, kind="stable").drop_duplicates(["meter_id", "zone", "feeder"])
    return frame[list(COLUMNS)].sort_values(["p_value", "meter_id", "feeder"], ignore_index=True)


def _witnessed(
    fell: pd.DataFrame, days: dict[str, _Days], of_feeder: dict[Feeder, Balance]
) -> tuple[dict[str, Said], dict[Feeder, Balance]]:
    """Meter -> what its feeder says of it; feeder -> its balance without what the meters that it names explain."""
    found: dict[str, Said] = {}
    left = {}
    rarity = dict(zip(fell["meter_id"], fell["p_value"], strict=True))
    asked = {key: list(part["meter_id"]) for key, part in fell.groupby(["zone", "feeder"])}
    for feeder, balance in of_feeder.items():
        meters = asked.get(feeder, [])
        of = Asked(
            np.array([days[meter].counted for meter in meters]).reshape(len(meters), LOOK_BACK_DAYS + 1),
            np.array([days[meter].expected for meter in meters]).reshape(len(meters), LOOK_BACK_DAYS + 1),
            np.array([days[meter].fell for meter in meters]).reshape(len(meters), len(SINCE)).T,
            _clear(np.array([rarity[meter] for meter in meters])),
        )
        said, rest = balance.ask(of, SINCE)
        found |= dict(zip(meters, said, strict=True))
        left[feeder] = replace(balance, loss=rest)
    return found, left


def _clear(p_value: np.ndarray) -> np.ndarray:
    """Standard errors that make what a feeder says, times what the meter's own fall says, as rare as RARE_TOGETHER, among those asked."""
    from scipy.stats import norm

    rest = np.minimum(RARE_TOGETHER / ASKED_A_FEEDER / np.maximum(p_value, 1e-12), 0.5)
    return np.asarray(CLEARER * np.maximum(norm.isf(rest), LEAST_CLEAR))


@dataclass(frozen=True)
class _Days:
    """A meter's days. counted, expected: (D,) kWh by days since, NaN where unknown; fell: (SINCE,) did it fall clearly then?"""

    counted: np.ndarray
    expected: np.ndarray
    fell: np.ndarray


def _days_of(con: Any, profiles: str, day: date, fell: pd.DataFrame) -> dict[str, _Days]:
    """With the peers that levels left."""
    con.register("suspects_fell", fell[["meter_id"]])
    meter_days(con, profiles, day, ENERGY, "suspects_energy", "FROM suspects_fell", "level_peers")
    rows = con.execute("SELECT meter_id, ago, expected, value, apart FROM suspects_energy").df()
    con.unregister("suspects_fell")
    spread = dict(zip(fell["meter_id"], fell["spread"], strict=True))
    found = {}
    for meter, part in rows.groupby("meter_id"):
        ago = part["ago"].to_numpy(int)
        counted, expected = np.full(LOOK_BACK_DAYS + 1, np.nan), np.full(LOOK_BACK_DAYS + 1, np.nan)
        apart = np.zeros(LOOK_BACK_DAYS + 1)
        counted[ago], expected[ago], apart[ago] = part["value"], part["expected"], np.nan_to_num(part["apart"].to_numpy(float))
        k = np.array(SINCE)
        found[str(meter)] = _Days(counted, expected, np.cumsum(apart)[k - 1] / np.sqrt(k) <= -OWN_CLEAR * spread[meter])
    return found


def _balances(con: Any, balance: str, day: date) -> dict[Feeder, Balance]:
    rows = con.execute(
        f"""SELECT zone, feeder, date_diff('day', day, DATE '{day}') AS ago, measured_kwh, metered_kwh, guessed_share
        FROM {balance} WHERE day BETWEEN DATE '{day - timedelta(days=LOOK_BACK_DAYS)}' AND DATE '{day}'"""
    ).df()
    return balances(rows[rows["ago"] < DAYS], DAYS)


def _suspect(row: dict[str, Any], day: date) -> dict[str, Any]:
    said: Said = row["said"]
    is_gone = not said.is_named and said.error > 0 and 1 - said.coefficient >= GONE * said.error
    kind = kind_of(row, said.is_named, not said.error > 0)
    return {
        "meter_id": row["meter_id"], "zone": row["zone"], "feeder": row["feeder"], "class": row["class"], "kind": kind,
        "since": day - timedelta(days=int(row["days"]) - 1), "change": row["change"], "lost_kwh_week": 7 * max(row["missing_kwh"], 0.0),
        "p_value": row["p_value"], "witness": said.coefficient, "is_witnessed": said.is_named, "witness_sigmas": said.sigmas,
        "reason": sentence(row, kind, said.coefficient, said.is_named, is_gone),
    }  # fmt: skip


def _faulty(con: Any, profiles: str, day: date) -> list[dict[str, Any]]:
    """Meters that stood still, or of which most was missing or refused, on two of the last three days; those of a feeder together are one."""
    since = day - timedelta(days=FAULT_OF - 1)
    rows = con.execute(
        f"""WITH days AS (
            SELECT *, stuck_share >= 0.5 AND zero_share < 0.1 AS is_stuck, missing_share >= 0.5 OR flagged_share >= 0.5 AS is_rubbish
            FROM {profiles} WHERE day BETWEEN DATE '{since}' AND DATE '{day}'),
        meters AS (
            SELECT meter_id, arg_max(zone, day) AS zone, arg_max(feeder, day) AS feeder, arg_max(class, day) AS class,
                count(*) FILTER (is_stuck) >= {FAULT_DAYS} AS is_stuck, count(*) FILTER (is_rubbish) >= {FAULT_DAYS} AS is_rubbish,
                min(day) FILTER (is_stuck OR is_rubbish) AS since, avg(stuck_share) AS stuck, avg(missing_share) AS missing, avg(flagged_share) AS flagged
            FROM days GROUP BY ALL)
        SELECT *, CASE WHEN is_stuck THEN 'stuck' ELSE 'data_fault' END AS kind, count(*) OVER () AS fleet, count(*) OVER (PARTITION BY zone, feeder) AS of_feeder
        FROM meters QUALIFY is_stuck OR is_rubbish ORDER BY meter_id"""
    ).df()
    found = []
    for (zone, feeder, kind), part in rows.groupby(["zone", "feeder", "kind"]):
        together = bool(feeder) and len(part) >= TOGETHER and len(part) >= TOGETHER_SHARE * part["of_feeder"].iloc[0]
        for row in (part.iloc[:1] if together else part).to_dict("records"):
            told = f"the longest run of one value is {row['stuck']:.0%} of a day" if kind == "stuck" else (
                f"{row['missing']:.0%} of its readings are missing, {row['flagged']:.0%} are flagged")  # fmt: skip
            whom = f"{len(part)} of {row['of_feeder']} meters of feeder {feeder}: of the first " if together else ""
            found.append(
                {"meter_id": "" if together else row["meter_id"], "zone": zone, "feeder": feeder, "class": "" if together else row["class"],
                 "kind": kind, "since": pd.Timestamp(row["since"]).date(), "change": 0.0, "lost_kwh_week": 0.0,
                 "p_value": len(rows) / max(1, row["fleet"]), "witness": np.nan, "witness_sigmas": np.nan, "is_witnessed": False,
                 "reason": f"{whom}{told}, mean of {FAULT_OF} days"}
            )  # fmt: skip
    return found


def _losing(left: dict[Feeder, Balance], day: date) -> list[dict[str, Any]]:
    """Feeders whose balance has stepped up by more than the meters that it names explain."""
    found = []
    for (zone, feeder), balance in left.items():
        said, usual = balance.step(SINCE), float(np.nanmedian(np.abs(balance.metered)))
        kwh, share = said.coefficient, said.coefficient / usual if usual else 0.0
        if not said.sigmas >= FEEDER_CLEAR or share < FEEDER_SHARE:
            continue
        found.append(
            {"meter_id": "", "zone": zone, "feeder": feeder, "class": "", "kind": "feeder_loss",
             "since": day - timedelta(days=said.days - 1), "change": share, "lost_kwh_week": 7 * kwh, "p_value": 1e-6, "witness": np.nan,
             "witness_sigmas": said.sigmas, "is_witnessed": True,
             "reason": f"feeder {feeder} measures {amount(kwh)} kWh a day more above its meters than before, {share:.1%} of what flows, "
                       "that no meter of it explains"}
        )  # fmt: skip
    return found
