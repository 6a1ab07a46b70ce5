"""How good predictions are: accuracy with its interval, per class, calibration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.scoring import softmax

Z95 = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""


def wilson_interval(right: float, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (Wilson 1927); (0, 1) when nothing was counted."""
    if total <= 0:
        return 0.0, 1.0
    share, z2 = right / total, Z95**2
    center = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return max(0.0, center - half), min(1.0, center + half)


def calibration_error(probabilities: npt.NDArray[Any], labels: npt.NDArray[Any], bins: int = 15) -> float:
    """Return the expected calibration error: |confidence − accuracy| in equal bins, weighted by their counts.

    Parameters
    ----------
    probabilities : ndarray, shape (N, K)
    labels : ndarray of int, shape (N,)
    bins : int
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / max(1, len(labels)))


@dataclass(frozen=True)
class Report:
    """What a method made of a test set.

    Attributes
    ----------
    accuracy, low, high : float
        Share right, with Wilson's 95 % interval over the test samples.
    per_class : ndarray of float, shape (K,)
        Share right of each class; NaN where it has no samples.
    confusion : ndarray of int, shape (K, K)
        Rows are true labels, columns predicted ones.
    ece : float
    count : int
        Test samples.
    """

    accuracy: float
    low: float
    high: float
    per_class: npt.NDArray[np.float64]
    confusion: npt.NDArray[np.int64]
    ece: float
    count: int


def report(logits: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Report:
    """Compare logits (N, K) with true labels (N,)."""
    classes = logits.shape[1]
    predicted = logits.argmax(axis=1)
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    right = int(np.trace(confusion))
    totals = confusion.sum(axis=1)
    per_class = np.divide(np.diag(confusion), totals, out=np.full(classes, np.nan), where=totals > 0)
    low, high = wilson_interval(right, len(labels))
    ece = calibration_error(softmax(logits), labels)
    return Report(right / max(1, len(labels)), low, high, per_class, confusion, ece, len(labels))
