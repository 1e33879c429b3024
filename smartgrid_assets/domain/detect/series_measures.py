"""What scores of a series were worth, by labels that they have not seen. No point adjustment anywhere.

An alarm is a run of flagged intervals; runs less than a period apart are one. The threshold comes from a budget of alarms a week
on what was learned from, never from a share of anomalies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartgrid_assets.domain.detect.volume import runs_of, volume_under_surface

TRIED_THRESHOLDS = 200


@dataclass(frozen=True)
class Budget:
    """alarms_per_week: most alarms a week on the known part; apart: runs with fewer intervals between them are one alarm."""

    alarms_per_week: float
    apart: int


def alarm_runs(flagged: np.ndarray, apart: int) -> list[tuple[int, int]]:
    """First and last interval of each alarm.

    >>> alarm_runs(np.array([1, 0, 1, 0, 0, 0, 1], bool), 2)
    [(0, 2), (6, 6)]
    """
    alarms: list[tuple[int, int]] = []
    for first, last in runs_of(flagged):
        if alarms and first - alarms[-1][1] - 1 < apart:
            alarms[-1] = (alarms[-1][0], last)
        else:
            alarms.append((first, last))
    return alarms


def threshold_of(scores: np.ndarray, weeks: float, budget: Budget) -> float:
    """The lowest threshold above which no threshold raises more alarms than the budget allows; at least one is always allowed.

    scores: of the known part; weeks: its length.
    """
    most = max(int(budget.alarms_per_week * weeks), 1)
    tried = np.unique(np.quantile(scores, 1 - np.geomspace(1 / scores.size, 0.5, TRIED_THRESHOLDS)))[::-1]
    threshold = float(np.nextafter(scores.max(), np.inf))
    for candidate in tried:
        if candidate <= scores.min() or len(alarm_runs(scores >= candidate, budget.apart)) > most:
            break
        threshold = float(candidate)
    return threshold


def measures(labels: np.ndarray, scores: np.ndarray, flagged: np.ndarray, period: int, minutes: float) -> dict[str, float | None]:
    """AUROC, average precision, VUS-PR, VUS-ROC, precision at as many intervals as are anomalous, F1 of what is flagged, median hours to an
    anomaly's first flag, and the share of anomalies that got one. All None where the labels are of one kind.

    labels: (n,) booleans; scores: (n,); flagged: (n,) booleans.
    """
    names = ("auroc", "average_precision", "vus_pr", "vus_roc", "precision_at_k", "f1_at_budget", "hours_to_detect", "detected")
    if labels.all() or not labels.any():
        return dict.fromkeys(names)
    from sklearn.metrics import average_precision_score, roc_auc_score

    volume = volume_under_surface(labels, scores, period)
    strangest = np.argsort(-scores, kind="stable")[: labels.sum()]
    hits = int((labels & flagged).sum())
    delays = [np.flatnonzero(flagged[first : last + 1]) for first, last in runs_of(labels)]
    met = [float(delay[0]) * minutes / 60 for delay in delays if delay.size]
    told = (
        roc_auc_score(labels, scores),
        average_precision_score(labels, scores),
        volume.pr,
        volume.roc,
        labels[strangest].mean(),
        2 * hits / (labels.sum() + flagged.sum()),
        float(np.median(met)) if met else None,
        len(met) / len(delays),
    )
    return {name: None if value is None else float(value) for name, value in zip(names, told, strict=True)}
