"""Features against prompts: the zero-shot head, a pure function of arrays.

Each timestep's feature and each prompt's text feature has length 1; a prompt's logit is
``scale * mean over timesteps of cos(feature, text)``. NeuroCLIP's published code concatenates the T unit
vectors against T copies of the text and normalizes the text only, which makes logits √T larger (and
probabilities more extreme); ``reference_logits`` gives that form for comparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from neuroclip_live.prompting.prompts import PromptTable

Array = npt.NDArray[np.float32]

_TINY = 1e-12
_ROWS = 256


@dataclass(frozen=True)
class Scores:
    """What one window says about each prompt.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (K,) or (K + 1,)
        Softmax over the table's prompts and, last, "none of these" where the table has it.
    logits : ndarray of float32, same shape
    step_cosines : ndarray of float32, shape (T, K)
        Cosine of each timestep's feature with each prompt.
    """

    probabilities: Array
    logits: Array
    step_cosines: Array


def normalized(features: npt.NDArray[Any]) -> Array:
    """Scale each row to length 1; a row of zeros stays zero.

    Parameters
    ----------
    features : ndarray of floats, shape (..., C)

    Returns
    -------
    ndarray of float32, same shape
    """
    features = np.asarray(features, dtype=np.float32)
    length = np.sqrt(np.square(features).sum(axis=-1, keepdims=True))
    return np.asarray(features / np.maximum(length, _TINY), dtype=np.float32)


def softmax(logits: npt.NDArray[Any]) -> Array:
    """Return probabilities that sum to 1 along the last axis, without overflow."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype=np.float64)
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def summary(features: npt.NDArray[Any], weights: npt.NDArray[Any] | None = None) -> npt.NDArray[np.float32]:
    """Return the vector whose product with a text's feature is the mean cosine that :func:`score` scales.

    Parameters
    ----------
    features : ndarray of floats, shape (T, C)
    weights : ndarray of floats, shape (T,), optional

    Returns
    -------
    ndarray of float32, shape (C,)
    """
    unit = normalized(features)
    if weights is None:
        return np.asarray(unit.mean(axis=0), dtype=np.float32)
    weights = np.asarray(weights, dtype=np.float32)
    return np.asarray((weights / weights.sum()) @ unit, dtype=np.float32)


def none_logits(vectors: npt.NDArray[Any], table: PromptTable, logit_scale: float) -> Array:
    """Return the logit of "none of these" of windows' vectors (N, C), (N,) float32.

    A constant, or, where the table has ``rivals``, that much above or below the best rival's logit.
    """
    none = np.float32(table.none_logit or 0.0)
    if table.rivals is None:
        return np.full(len(vectors), none, dtype=np.float32)
    best = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), _ROWS):  # minutes of windows against thousands of nouns
        part = np.asarray(vectors[start : start + _ROWS], dtype=np.float32)
        best[start : start + _ROWS] = (part @ table.rivals.T).max(axis=1)
    return np.asarray(np.float32(logit_scale) * best + none, dtype=np.float32)


def score(
    features: npt.NDArray[Any],
    table: PromptTable,
    logit_scale: float,
    *,
    weights: npt.NDArray[Any] | None = None,
    reference_logits: bool = False,
) -> Scores:
    """Score the features of one window.

    Parameters
    ----------
    features : ndarray of floats, shape (T, C)
        One row a timestep, of any length; T is at least 1.
    table : PromptTable
        Encoded prompts, (K, C).
    logit_scale : float
        What cosines are multiplied by before the softmax.
    weights : ndarray of floats, shape (T,), optional
        How much each timestep counts (at least 0, not all 0); equal weights if left out. Only ratios matter.
    reference_logits : bool
        Multiply every logit by √T, as the reference does.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If shapes do not fit each other or the weights are unusable.
    """
    if features.ndim != 2 or not len(features) or features.shape[1] != table.features.shape[1]:
        raise ValueError(f"features {features.shape} do not fit prompts {table.features.shape}")
    cosines = normalized(features) @ table.features.T
    if weights is None:
        mean = cosines.mean(axis=0)
    else:
        weights = np.asarray(weights, dtype=np.float32)
        if weights.shape != (len(features),) or (weights < 0).any() or not weights.sum() > 0:
            raise ValueError(f"weights are {len(features)} numbers of at least 0, not all of them 0")
        mean = (weights / weights.sum()) @ cosines
    logits = np.float32(logit_scale) * mean
    if table.none_logit is not None:
        vector = summary(features, weights)
        logits = np.append(logits, none_logits(vector[None], table, logit_scale))
    if reference_logits:
        logits = logits * np.float32(math.sqrt(len(features)))
    return Scores(softmax(logits), logits.astype(np.float32), cosines.astype(np.float32))
