"""Make probabilities mean something: the logit scale, and the cosine below which "none of these" is right.

Both are fitted on simulated validation scenes alone (pictures, classes and fonts that training never saw),
over random label sets of ten names, as a user might type them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

WAYS = 10
ROUNDS = 4

KEPT_SHARE = 0.8
"""Share of scenes whose label is listed that must not be called "none of these"."""


@dataclass(frozen=True)
class Calibration:
    """What was found.

    Attributes
    ----------
    logit_scale, none_cosine : float
    nll, ece : float
        At that scale, on the scenes it was fitted on.
    none_accuracy : float
        Balanced accuracy of telling scenes whose label is listed from scenes whose label is not.
    """

    logit_scale: float
    none_cosine: float
    nll: float
    ece: float
    none_accuracy: float


def expected_calibration_error(probabilities: Array, truths: Array, bins: int = 15) -> float:
    """Return the ECE of (N, K) probabilities: mean gap of confidence and accuracy over equal-width bins."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truths
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = 0.0
    for k in range(bins):
        inside = which == k
        if inside.any():
            gap += inside.mean() * abs(float(right[inside].mean()) - float(confidence[inside].mean()))
    return float(gap)


def softmax(logits: Array) -> Array:
    """Return the softmax over the last axis."""
    exponent = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(exponent / exponent.sum(-1, keepdims=True))


def label_sets(cosines: Sequence[tuple[Array, Array]], seed: int = 0) -> tuple[Array, Array, Array]:
    """Cut trials into ten-way questions.

    Parameters
    ----------
    cosines : sequence of (cosines (N, K), truths (N,))
        One pair for each trial.

    Returns
    -------
    listed : ndarray (M, 10)
        Cosines with ten names, the first of which is right.
    best_listed, best_unlisted : ndarray (M,)
        The best cosine among ten names that include, and do not include, the right one.
    """
    random = np.random.default_rng(seed)
    rows, unlisted = [], []
    for matrix, truths in cosines:
        n_labels = matrix.shape[1]
        ways = min(WAYS, n_labels - 1)
        for _ in range(ROUNDS):
            for i, truth in enumerate(truths):
                others = random.permutation(np.delete(np.arange(n_labels), truth))
                row = np.full(WAYS, -2.0)
                row[:ways] = matrix[i, [truth, *others[: ways - 1]]]
                rows.append(row)
                unlisted.append(float(matrix[i, others[:ways]].max()))
    listed = np.array(rows)
    return listed, listed.max(1), np.array(unlisted)


def calibrate(cosines: Sequence[tuple[Array, Array]], seed: int = 0) -> Calibration:
    """Fit the scale by the least negative log-likelihood, the threshold by :data:`KEPT_SHARE`."""
    listed, with_it, without = label_sets(cosines, seed)
    truths = np.zeros(len(listed), int)
    scales = np.exp(np.linspace(np.log(3), np.log(150), 120))
    losses = [float(-np.log(softmax(scale * listed)[:, 0] + 1e-12).mean()) for scale in scales]
    best = int(np.argmin(losses))
    none_cosine = float(np.quantile(with_it, 1 - KEPT_SHARE))
    balanced = 0.5 * float((with_it >= none_cosine).mean()) + 0.5 * float((without < none_cosine).mean())
    return Calibration(
        logit_scale=float(scales[best]),
        none_cosine=none_cosine,
        nll=losses[best],
        ece=expected_calibration_error(softmax(scales[best] * listed), truths),
        none_accuracy=balanced,
    )
