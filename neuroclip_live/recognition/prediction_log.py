"""What inference has come to since the source was opened: for whoever polls, from any thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from neuroclip_live.objects.found import Missed
from neuroclip_live.recognition.history import FeatureHistory

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from neuroclip_live.objects.found import FoundObject
    from neuroclip_live.recognition.prediction import Prediction

KEPT_PREDICTIONS = 1024
KEPT_FRAMES = 16
"""Frames kept for who carries predictions out: they are taken at once, and each may be a megabyte."""
NOTHING = Missed()


class Outcome:
    """The newest prediction, the last :data:`KEPT_PREDICTIONS`, their features, and counts.

    Attributes
    ----------
    latest : Prediction or None
    answered : Prediction or None
        The newest answer, also where its things are still being looked for.
    predictions, skipped : int
        Windows recognized, and passed over.
    missed : Missed or None
        What there was no time or room for of the things; None where none were looked for.
    history : FeatureHistory
    """

    def __init__(self) -> None:
        self.latest: Prediction | None = None
        self.answered: Prediction | None = None
        self.predictions = self.skipped = 0
        self.missed: Missed | None = None
        self.history = FeatureHistory()
        self._log: deque[Prediction] = deque(maxlen=KEPT_PREDICTIONS)
        self._frames: deque[tuple[int, npt.NDArray[np.uint8]]] = deque(maxlen=KEPT_FRAMES)
        self._lock = threading.Lock()

    def add(self, prediction: Prediction, summary: npt.NDArray[np.float32] | None) -> None:
        """Take in a prediction, and the vector that says how any text would have scored."""
        with self._lock:
            self.predictions += 1
            self.latest = prediction
            if prediction.objects is not None:
                self.missed = prediction.missed.and_more(self.missed or NOTHING)
            self._log.append(replace(prediction, frames=(), objects=_without_looks(prediction.objects)))
            if prediction.frames:
                self._frames.append((prediction.number, prediction.frames[-1]))
        if summary is not None:
            self.history.add(prediction.number, summary, len(prediction.frames))

    def answer(self) -> Prediction | None:
        """Return the newest answer; its things may still be looked for, and are None then."""
        answered, latest = self.answered, self.latest
        if answered is None or (latest is not None and latest.number >= answered.number):
            return latest
        return answered

    def after(self, number: int, *, framed: bool = False) -> list[Prediction]:
        """Return the predictions kept that are numbered above ``number``, oldest first.

        Without frames, or ``framed``: the newest :data:`KEPT_FRAMES` with their last one.
        """
        with self._lock:
            newer = list(takewhile(lambda p: p.number > number, reversed(self._log)))[::-1]
            frames = dict(self._frames) if framed else {}
        return [replace(p, frames=(frames[p.number],)) if p.number in frames else p for p in newer]


def _without_looks(found: tuple[FoundObject, ...] | None) -> tuple[FoundObject, ...] | None:
    """Return what was found without features: a thousand predictions would hold megabytes of them."""
    return found and tuple(one.bare() for one in found)
