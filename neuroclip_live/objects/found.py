"""What is said about one thing, and the settings of looking for several. Plain data, safe for any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from neuroclip_live.errors import UserError
from neuroclip_live.stream.box import Box

ObjectState = Literal["seen", "waiting"]

MOST_OBJECTS = 64


@dataclass(frozen=True)
class ObjectsSettings:
    """How several things are looked for.

    Attributes
    ----------
    enabled : bool
    most : int
        Tracks that are followed at once; those of the least activity are left out beyond it.
    smallest : int or None
        Shorter side, in pixels, below which a region is taken for noise; None is 1/24 of the sensor's shorter
        side and at least 8.
    budget_ms : float
        Encoding for objects may take so long per slice; what there is no time for is counted.
        Infinity: every object at every slice, the same result on every machine.
    """

    enabled: bool = False
    most: int = 16
    smallest: int | None = None
    budget_ms: float = 40.0

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST_OBJECTS:
            raise UserError(f"--most-objects {self.most}: choose 1 to {MOST_OBJECTS}")
        if self.smallest is not None and not 2 <= self.smallest <= 1024:
            raise UserError(f"--smallest-object {self.smallest}: choose 2 to 1024 pixels")


class Missed(NamedTuple):
    """What was not done: ``looks`` at a thing that there was no time for, ``regions`` beyond the most."""

    looks: int = 0
    regions: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return it as a summary line has it."""
        return {"passed_over": self.looks, "left_out": self.regions}

    def and_more(self, more: Missed) -> Missed:
        """Return both together."""
        return Missed(self.looks + more.looks, self.regions + more.regions)

    def less(self, before: Missed | None) -> Missed:
        """Return what came since."""
        looks, regions = before or Missed()
        return Missed(self.looks - looks, self.regions - regions)


@dataclass(frozen=True)
class FoundObject:
    """One thing at one moment.

    Attributes
    ----------
    id : int
        Of its track; never given to another thing of the same run.
    box : Box
        In pixels of the sensor (of the region, where only a part is recognized); ends excluded.
    label : str or None
        As for the whole picture: None when a negative or "none of these" is best, or nothing is scored yet.
        Like all scores of a thing it is smoothed over time, and stays while two labels are nearly equal.
    probability : float
    scores : mapping from label to probability
    state : {"seen", "waiting"}
        ``waiting``: an event camera does not see what stands still; the track waits where it was.
    age_us : int
        Since the track began, in the stream's time.
    look : ndarray (C,) float32 or None
        The mean of its unit features, to find words for it; no part of lines.
    windows : tuple of ndarray (T, C) float32
        Its features at its newest slices, to teach with, once it was seen T times; no part of lines.
    frames : tuple of ndarray of uint8, (48, 48) or (48, 48, 3)
        What was encoded of it at the newest T slices, small, oldest first; no part of lines.
    """

    id: int
    box: Box
    label: str | None = None
    probability: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)
    state: ObjectState = "seen"
    age_us: int = 0
    look: npt.NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    windows: tuple[npt.NDArray[np.float32], ...] = field(default=(), repr=False, compare=False)
    frames: tuple[npt.NDArray[np.uint8], ...] = field(default=(), repr=False, compare=False)

    def bare(self) -> FoundObject:
        """Return it without features and frames, of which many would fill the memory."""
        return replace(self, look=None, windows=(), frames=())

    def to_dict(self) -> dict[str, Any]:
        """Return the object as a JSON line has it; probabilities to six places."""
        return {
            "id": self.id,
            "box": list(self.box),
            "label": self.label,
            "probability": round(self.probability, 6),
            "scores": {label: round(p, 6) for label, p in self.scores.items()},
            "state": self.state,
            "age_us": self.age_us,
        }


def moved(found: tuple[FoundObject, ...], x: int, y: int) -> tuple[FoundObject, ...]:
    """Return what was found in a region, whose corner is given, with boxes in pixels of the whole picture."""
    if not (x or y):
        return found
    return tuple(
        replace(one, box=Box(one.box.left + x, one.box.top + y, one.box.right + x, one.box.bottom + y))
        for one in found
    )
