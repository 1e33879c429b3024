"""Which suspects are cases: few, ranked, raised once, and within what may be visited and what may be wrong?

The suspects of thirteen weeks are gone through day by day, so that a replay raises what the nights raised. A suspect that is worth a visit
becomes a case when its evidence is rarer than the false cases that are allowed, on two of three days, and the week has visits left; of those
that compete the one goes first that is expected to bring back most. A case stands for eight weeks, or until its evidence is gone early.
What visits found (anomalies/verdicts) is known from the day on which it was said: it closes the case, moves the threshold and the order (found.py).
Source of the false discovery rate: Benjamini & Hochberg 1995.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smartgrid_assets.domain.detect.found import Found, Learned, joint_likelihood
from smartgrid_assets.domain.detect.kind import FAULTS, THEFT, VISITED
from smartgrid_assets.domain.detect.spans import CASES_LOOK_BACK_DAYS as LOOK_BACK_DAYS
from smartgrid_assets.domain.market_day import days_between
from smartgrid_assets.domain.tables import table

SEEN_ON, SEEN_OF = 2, 3
STANDS_DAYS, GONE_AFTER_DAYS = 56, 7
ABSORBED_DAYS = 21
"""A change as old as this becomes the meter's own past; that it is no longer seen then is no sign that it ended."""
EXPLAINED_AS = 0.001
"""Changes that need no visit are listed where they are so rare."""
LEAST_EUR = 1.0
"""What a fault is worth that loses no energy that anybody could count."""
TO_VISIT = ("new", "open")
COLUMNS = tuple(column.name for column in table("anomalies/cases").columns)


@dataclass(frozen=True)
class CaseBudget:
    """visits_per_week: new cases in seven days, at most. false_per_1000: so many of 1,000 meters and week may be raised for nothing."""

    visits_per_week: int = 20
    false_per_1000: float = 1.0
    eur_per_kwh: float = 0.3

    @property
    def rarity(self) -> float:
        """Evidence that raises a case is at most so likely at an ordinary meter on one day."""
        return self.false_per_1000 / 1000 / 7


@dataclass
class _Standing:
    """Cases that stand, by what they are about; raised: their days, those that ended included."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    raised: dict[str, date] = field(default_factory=dict)


def cases(
    suspects: Mapping[date, pd.DataFrame], day: date, meters: int, budget: CaseBudget, verdicts: pd.DataFrame | None = None
) -> pd.DataFrame:
    """anomalies/cases of one day. suspects: those of LOOK_BACK_DAYS and the day, by day; meters: how many the fleet has.

    verdicts: anomalies/verdicts of found.DAYS before the first of these days, and since (with `day`); later ones are passed over.
    """
    standing, seen, found = _Standing(), {}, Found(verdicts)
    for of in days_between(day - timedelta(days=LOOK_BACK_DAYS), day):
        learned = found.by(of)
        weighed = _weighed(suspects[of], meters, learned) if of in suspects and len(suspects[of]) else None
        today = {_about(row): row for row in weighed.to_dict("records")} if weighed is not None else {}
        seen[of] = {about for about, row in today.items() if _is_strong(row, budget, learned)}
        _update(standing, today, of)
        _raise(standing, today, seen, of, budget)
    explained = [row for row in today.values() if row["kind"] not in VISITED and row["p_value"] <= EXPLAINED_AS]
    return _table(standing, explained, day, budget, learned)


def _weighed(found: pd.DataFrame, meters: int, learned: Learned) -> pd.DataFrame:
    """With `joint`, the likelihood of the evidence at an ordinary meter, `confidence`, 1 less the false discovery rate, and `chance`."""
    joint = joint_likelihood(found)
    order = np.argsort(joint, kind="stable")
    rate = np.minimum(1.0, joint[order] * meters / np.arange(1, len(joint) + 1))
    confidence = np.empty(len(joint))
    confidence[order] = 1 - np.minimum.accumulate(rate[::-1])[::-1]
    return found.assign(joint=joint, confidence=np.where(found["kind"].isin(THEFT), confidence, 1.0), chance=learned.chances(found))


def _about(row: Mapping[str, Any]) -> str:
    return row["meter_id"] or f"feeder {row['zone']} {row['feeder']}"


def _is_strong(row: Mapping[str, Any], budget: CaseBudget, learned: Learned) -> bool:
    return row["kind"] in VISITED and (row["kind"] not in THEFT or row["joint"] <= budget.rarity * learned.strictness)


def _update(standing: _Standing, today: Mapping[str, dict[str, Any]], day: date) -> None:
    """Newest evidence of each standing case; those that ended leave."""
    for about, case in list(standing.rows.items()):
        row = today.get(about)
        if row is not None and row["kind"] in VISITED:
            case |= {name: row[name] for name in row if name not in ("since", "kind")} | {"last_seen": day}
        is_early = case["last_seen"] < case["since"] + timedelta(days=ABSORBED_DAYS)
        is_gone = is_early and (day - case["last_seen"]).days > GONE_AFTER_DAYS
        if is_gone or (day - case["raised"]).days >= STANDS_DAYS:
            del standing.rows[about]


def _raise(standing: _Standing, today: Mapping[str, dict[str, Any]], seen: Mapping[date, set[str]], day: date, budget: CaseBudget) -> None:
    recent = days_between(day - timedelta(days=SEEN_OF - 1), day)
    known = {about for about, raised in standing.raised.items() if (day - raised).days < STANDS_DAYS}
    new = [about for about in seen[day] - known if sum(about in seen.get(of, ()) for of in recent) >= SEEN_ON]
    left = budget.visits_per_week - sum((day - raised).days < 7 for raised in standing.raised.values())
    for about in sorted(new, key=lambda about: (-_worth(today[about], budget), about))[: max(0, left)]:
        standing.raised[about] = day
        standing.rows[about] = today[about] | {"raised": day, "last_seen": day}


def _worth(row: Mapping[str, Any], budget: CaseBudget) -> float:
    """What a visit is expected to bring back, EUR a week; without verdicts that tell a chance, by the evidence alone."""
    chance = 1.0 if pd.isna(row["chance"]) else row["chance"]
    return float(chance * row["confidence"] * max(row["lost_kwh_week"] * budget.eur_per_kwh, LEAST_EUR if row["kind"] in FAULTS else 0.0))


def _table(standing: _Standing, explained: list[dict[str, Any]], day: date, budget: CaseBudget, learned: Learned) -> pd.DataFrame:
    ranked = sorted(standing.rows.values(), key=lambda row: (-_worth(row, budget), _about(row)))
    rows = [row | {"state": learned.verdicts.get(_case_id(row)) or ("new" if row["raised"] == day else "open")} for row in ranked]
    to_visit = [row for row in rows if row["state"] in TO_VISIT]
    rows = [row | {"rank": 0} for row in rows if row["state"] not in TO_VISIT] + [row | {"rank": n + 1} for n, row in enumerate(to_visit)]
    taken = set(standing.rows)
    rows += [row | {"state": "explained", "rank": 0, "raised": day, "chance": np.nan} for row in explained if _about(row) not in taken]
    rows = [row | {"case_id": _case_id(row), "lost_eur_week": row["lost_kwh_week"] * budget.eur_per_kwh} for row in rows]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"chance": float})


def _case_id(row: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(f"{_about(row)} {row['kind']}".encode()).hexdigest()[:8]
    return f"{row['raised']}-{digest}"
