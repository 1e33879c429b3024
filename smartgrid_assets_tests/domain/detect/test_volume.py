"""Volume under the surface: by hand where it can be worked out, and against the definition written as loops."""

from __future__ import annotations

import numpy as np
import pytest

from smartgrid_assets.domain.detect.volume import THRESHOLDS, runs_of, volume_under_surface


def by_definition(labels: np.ndarray, scores: np.ndarray, longest: int) -> tuple[float, float]:
    """TSB-AD's semantics, threshold by threshold."""
    size, runs, ordered = labels.size, runs_of(labels), np.sort(scores)[::-1]
    rocs, prs = [], []
    for tolerance in range(longest + 1):
        half, soft = tolerance // 2, labels.astype(float)
        for first, last in runs:
            for at in range(last + 1, min(last + half + 1, size)):
                soft[at] += np.sqrt(1 - (at - last) / tolerance)
            for at in range(max(first - half, 0), first):
                soft[at] += np.sqrt(1 - (first - at) / tolerance)
        soft = np.minimum(soft, 1)
        ranges = [[max(runs[0][0] - half, 0), runs[0][1] + half]]
        for first, last in runs[1:]:
            if ranges[-1][1] < first - half:
                ranges.append([first - half, last + half])
            else:
                ranges[-1][1] = last + half
        points, precisions = [(0.0, 0.0)], []
        for rank in np.linspace(0, size - 1, THRESHOLDS).astype(int):
            flagged = scores >= ordered[rank]
            true = (soft * flagged).sum()
            positives = (labels.sum() + labels.sum() + (soft * flagged)[~labels].sum()) / 2
            met = np.mean([flagged[first : last + 1].any() for first, last in ranges])
            points.append(((flagged.sum() - true) / (size - positives), min(true / positives, 1) * met))
            precisions.append(true / flagged.sum())
        x, y = np.array([*points, (1.0, 1.0)]).T
        rocs.append(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())
        prs.append(((y[1:-1] - y[:-2]) * precisions).sum())
    return float(np.mean(rocs)), float(np.mean(prs))


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_the_definition_says_with_ties_and_with_ranges_at_both_ends(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(300, 700))
    labels = np.zeros(size, bool)
    for first in rng.integers(0, size - 30, rng.integers(1, 6)):
        labels[first : first + rng.integers(1, 30)] = True
    if seed == 5:
        labels[:9], labels[-4:] = True, True
    scores = rng.normal(size=size) + 1.5 * labels
    found = volume_under_surface(labels, np.round(scores) if seed % 2 else scores, 30)
    assert (found.roc, found.pr) == pytest.approx(by_definition(labels, np.round(scores) if seed % 2 else scores, 30))


def test_a_perfect_score_is_nearly_one_a_constant_one_worth_as_much_as_the_share_of_anomalies():
    labels = np.zeros(1000, bool)
    labels[400:420] = True
    perfect = volume_under_surface(labels, labels.astype(float), 0)
    assert perfect.roc == pytest.approx(1) and perfect.pr == pytest.approx(1)
    assert volume_under_surface(labels, np.zeros(1000), 0).pr == pytest.approx(0.02)


def test_near_misses_count_for_something_and_no_point_is_adjusted():
    labels = np.zeros(1000, bool)
    labels[400:450] = True
    late, one = np.zeros(1000), np.zeros(1000)
    late[455:505], one[410] = 1, 1
    assert volume_under_surface(labels, late, 40).pr > volume_under_surface(labels, late, 0).pr
    assert volume_under_surface(labels, one, 0).pr < 0.2  # one interval met does not make the range found


def test_labels_of_one_kind_are_no_question():
    with pytest.raises(ValueError, match="both kinds"):
        volume_under_surface(np.zeros(10, bool), np.arange(10.0), 3)
