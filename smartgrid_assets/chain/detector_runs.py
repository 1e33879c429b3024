"""A week of anomalies/meter_days for MLflow: by detector how its scores lay, from which on it alarmed, how often, and what visits found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from smartgrid_assets.chain.model_pictures import png_of
from smartgrid_assets.chain.step import Work
from smartgrid_assets.domain.market_day import days_between

if TYPE_CHECKING:
    import pandas as pd

EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 1.0)
"""Bins of scores: what matters is decided in the last thousandth."""


def record_detectors(work: Work, evaluation: pd.DataFrame) -> None:
    """A run a detector that spoke in the week. evaluation: rows of anomalies/evaluation of the week."""
    from smartgrid_assets.chain.steps.detect import ANOMALIES
    from smartgrid_assets.domain.detect.evaluation import ALL
    from smartgrid_assets.domain.detect.health import DAYS, detector_health

    context, con, week = work.context, work.con, work.key
    last = week + timedelta(days=6)
    seen = context.lake.view(con, ANOMALIES, context.lake.keys(ANOMALIES, last - timedelta(days=DAYS), last), "anomalies_tracked")
    names = [
        name
        for (name,) in con.execute(f"SELECT DISTINCT detector FROM {seen} WHERE day BETWEEN ? AND ? ORDER BY 1", [week, last]).fetchall()
    ]
    psi = {one.detector: one.psi for one in detector_health(con, seen, last, names)}
    (whole,) = evaluation[evaluation["kind"] == ALL].to_dict("records")
    cases = {f"cases_{name}": whole[name] for name in ("raised", "judged", "precision", "false_per_1000_meters")}
    of_week = context.lake.view(con, ANOMALIES, days_between(week, last), "anomalies_of_week")
    for name in names:
        scores = _distribution(con, of_week, name)
        metrics = _headline(con, of_week, name) | cases | ({"psi": psi[name]} if psi[name] is not None else {})
        params = {"alarms_per_1000": context.settings.alarms_per_1000, "visits_per_week": context.settings.visits_per_week}
        context.tracking.record_detector_week(
            detector=name,
            week=week,
            metrics={key: _number(value) for key, value in metrics.items()},
            scores=scores,
            picture_png=_picture(scores, metrics["threshold"], f"{name}, week of {week}"),
            params=params,
            tags=context.tags | {"partition": week.isoformat()},
        )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _headline(con: Any, anomalies: str, detector: str) -> dict[str, Any]:
    """threshold: the lowest score that alarmed, NULL where none did; alarm_rate: per 1,000 meter-days."""
    found = con.execute(
        f"""SELECT count(*) AS meter_days, count(*) FILTER (is_alarm) AS alarms, 1000.0 * count(*) FILTER (is_alarm) / count(*) AS alarm_rate,
            min(score) FILTER (is_alarm) AS threshold, quantile_cont(score, 0.5) AS score_median, quantile_cont(score, 0.999) AS score_q999
        FROM {anomalies} WHERE detector = ?""",
        [detector],
    )
    names = [column[0] for column in found.description]
    return dict(zip(names, found.fetchall()[0], strict=True))


def _distribution(con: Any, anomalies: str, detector: str) -> pd.DataFrame:
    """from, to, meter_days, alarms of each bin of EDGES; share: of all; expected: of all, were every meter-day ordinary."""
    frame: pd.DataFrame = con.execute(
        f"""WITH edges AS (SELECT unnest(CAST($edges AS DOUBLE[])) AS low), bins AS (SELECT low, lead(low) OVER (ORDER BY low) AS high FROM edges)
        SELECT low AS "from", high AS "to", count(score) AS meter_days, count(score) FILTER (is_alarm) AS alarms,
            count(score) / nullif(sum(count(score)) OVER (), 0) AS share, high - low AS expected
        FROM bins LEFT JOIN (SELECT score, is_alarm FROM {anomalies} WHERE detector = $detector) a
            ON a.score >= low AND (a.score < high OR (high = 1.0 AND a.score <= 1.0))
        WHERE high IS NOT NULL GROUP BY low, high ORDER BY low""",
        {"edges": list(EDGES), "detector": detector},
    ).df()
    return frame


def _picture(scores: pd.DataFrame, threshold: float | None, title: str) -> bytes:
    """The share of each bin beside what ordinary meter-days would have; the tail in a scale of its own, where alarms begin."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots()
    at = range(len(scores))
    axes.bar(at, scores["share"].fillna(0.0), color="#6baed6", label="meter-days")
    axes.plot(at, scores["expected"], color="black", marker="_", ms=14, lw=0, label="were all ordinary")
    axes.set_yscale("log")
    axes.set_xticks(list(at), [f"{low:g}" for low in scores["from"]], fontsize=8)
    said = "no alarm" if threshold is None else f"alarms from {threshold:.5f} on, {int(scores['alarms'].sum())} of them"
    axes.set(title=f"{title}: {said}", xlabel="score from", ylabel="share")
    axes.legend(frameon=False, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    return png_of(figure)
