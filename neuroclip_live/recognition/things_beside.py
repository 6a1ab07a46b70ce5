"""The things beside the whole picture's answer: looked for, followed and named after it, never before."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Resolution
from neuroclip_live.objects.found import FoundObject, moved
from neuroclip_live.objects.naming import Features, Score
from neuroclip_live.objects.objects import Objects, warm_up
from neuroclip_live.objects.tracker import Tracker
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.stream.slicing import Slice


@cache
def _getting_ready() -> threading.Thread:
    """Have what looking for things needs imported and compiled, once, beside what is live.

    Before it is there nothing is looked for: a first answer need not wait for it. What is not live needs it
    for its first slice and waits.
    """
    thread = threading.Thread(target=warm_up, name="objects", daemon=True)
    thread.start()
    return thread


class ThingsBeside:
    """Looks for several things, where that is asked for.

    Parameters
    ----------
    objects : Objects or None
        None where nothing is looked for.
    """

    def __init__(self, objects: Objects | None) -> None:
        self._objects = objects
        self._before: Tracker | None = None
        """Who followed things before none were asked for: numbers go on from there."""
        self._corner = (0, 0)
        self._waits: tuple[Slice, npt.NDArray[np.uint8], Features] | None = None

    def begin(
        self, resolution: Resolution, corner: tuple[int, int], after: ThingsBeside | None = None
    ) -> None:
        """Forget the past: another source, region or time; numbers go on, ``after`` another's where given."""
        self._corner, self._waits = corner, None
        if after is not None:
            self._before = after._objects.tracker if after._objects is not None else after._before
        if self._objects is not None:
            self._objects.begin(resolution, self._before)
            self._before = None

    def expect(self, piece: Slice, frame: npt.NDArray[np.uint8], whole: Features) -> None:
        """Take note of a slice that was answered, with its picture and that one's feature."""
        self._waits = (piece, frame, whole) if self._objects is not None else None

    def added_to(self, answer: Prediction, score: Score | None, spare_ms: float) -> Prediction:
        """Return an answer with the things of its slice; as it is where none are looked for."""
        waits, self._waits = self._waits, None
        if self._objects is None or waits is None:
            return answer
        if np.isfinite(spare_ms) and _getting_ready().is_alive():
            return replace(answer, objects=())
        begin = perf_counter()
        piece, frame, whole = waits
        found = self._objects.update(
            piece.events, frame, piece.end_us, piece.epoch, score, whole=whole, spare_ms=spare_ms
        )
        latency: dict[str, Any] = {**answer.latency_ms, "objects": (perf_counter() - begin) * 1e3}
        return replace(
            answer,
            objects=moved(found, *self._corner),
            camera_moves=self._objects.camera_moves,
            missed=self._objects.missed,
            latency_ms=latency,
        )

    def renamed(self, latest: Prediction, score: Score | None) -> tuple[FoundObject, ...] | None:
        """Return what was found last by the words of now."""
        if self._objects is None or latest.objects is None:
            return latest.objects
        return moved(self._objects.renamed(latest.t_us, score), *self._corner)

    def at_rest(self, t_us: int, epoch: int) -> tuple[FoundObject, ...] | None:
        """Return what waits while nothing moves; None where nothing is looked for."""
        self._waits = None
        if self._objects is None:
            return None
        return moved(self._objects.at_rest(t_us, epoch), *self._corner)
