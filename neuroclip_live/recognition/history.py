"""The last minutes as features, so that a word typed now can be asked of them.

A prompt's logit is ``scale * Σ w·cos(feature, text)`` over the T timesteps: linear in the text, so one vector
a window, ``Σ w·unit feature``, gives the score of any text, as if it had been typed before. It is kept in
half precision: 1 kB a window at 512 dimensions, 4 MB in all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.model.scoring import none_logits, softmax

if TYPE_CHECKING:
    from neuroclip_live.prompting.prompts import PromptTable

Floats = npt.NDArray[np.float32]

KEPT = 4096
"""Windows remembered: more than three minutes at 20 a second."""


@dataclass(frozen=True)
class Past:
    """What was kept, oldest first.

    Attributes
    ----------
    numbers : ndarray of int64, shape (N,)
        Of the predictions.
    vectors : ndarray of float16, shape (N, C)
    steps : ndarray of int32, shape (N,)
        Timesteps each vector is the mean of.
    """

    numbers: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float16]
    steps: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Rescored:
    """The past against other prompts.

    Attributes
    ----------
    numbers : ndarray of int64, shape (N,)
        Of the predictions, rising.
    labels : tuple of str
        Of the columns: the prompts that are not negative.
    scores : ndarray of float32, shape (N, K)
        Probabilities.
    decided : tuple of (str or None)
        The best label of each, None where a negative or "none of these" is best.
    """

    numbers: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    scores: Floats
    decided: tuple[str | None, ...]


class FeatureHistory:
    """A ring of windows' vectors. One thread adds, any may look.

    Parameters
    ----------
    kept : int
        Windows remembered; older ones are overwritten.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._numbers = np.zeros(kept, dtype=np.int64)
        self._steps = np.zeros(kept, dtype=np.int32)
        self._vectors = np.zeros((0, 0), dtype=np.float16)
        self._written = 0

    def __len__(self) -> int:
        """Return how many windows are kept."""
        return min(self._written, self._kept)

    def add(self, number: int, vector: npt.NDArray[Any], steps: int) -> None:
        """Keep a window's vector, (C,) floats; one of another model's width forgets those before it."""
        with self._lock:
            if self._vectors.shape[1] != len(vector):
                self._vectors = np.zeros((self._kept, len(vector)), dtype=np.float16)
                self._written = 0
            place = self._written % self._kept
            self._vectors[place] = vector
            self._numbers[place], self._steps[place] = number, steps
            self._written += 1

    def clear(self) -> None:
        """Forget everything: another source, or another model."""
        with self._lock:
            self._written = 0

    def past(self) -> Past:
        """Return a copy of what is kept."""
        with self._lock:
            size, first = min(self._written, self._kept), max(0, self._written - self._kept)
            order = np.arange(first, first + size) % self._kept
            return Past(self._numbers[order], self._vectors[order], self._steps[order])


def rescore(
    past: Past, table: PromptTable, logit_scale: float, *, reference_logits: bool = False
) -> Rescored:
    """Score the past against other prompts, in one matrix product.

    Parameters
    ----------
    past : Past
        Of the same model as the prompts.
    table : PromptTable
        (K, C).
    logit_scale : float
    reference_logits : bool
        As :func:`neuroclip_live.model.scoring.score`.
    """
    logits = np.float32(logit_scale) * (past.vectors.astype(np.float32) @ table.features.T)
    if table.none_logit is not None:
        logits = np.column_stack([logits, none_logits(past.vectors, table, logit_scale)])
    if reference_logits:
        logits = logits * np.sqrt(past.steps[:, None].astype(np.float32))
    shown = np.flatnonzero(~table.negative)
    probabilities = softmax(logits) if logits.size else logits
    names: list[str | None] = [
        None if negative else label for label, negative in zip(table.labels, table.negative, strict=True)
    ]
    names.append(None)  # "none of these", where it competes
    best = np.argmax(probabilities, axis=1) if logits.size else np.zeros(0, dtype=np.int64)
    return Rescored(
        past.numbers,
        tuple(table.labels[i] for i in shown),
        np.ascontiguousarray(probabilities[:, shown], dtype=np.float32),
        tuple(names[i] for i in best),
    )
