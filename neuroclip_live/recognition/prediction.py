"""What is known of one moment: the scores, and the one calm answer made of them. Plain data for any thread.

Every output gets these objects. :meth:`Prediction.to_dict` is the one form they have as JSON; its fields are
described in ``neuroclip_live/outputs/schema/lines-1.schema.json`` and by :data:`SCHEMA_VERSION`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuroclip_live.objects.found import FoundObject, Missed

SCHEMA_VERSION = 1
"""Of the JSON form. It rises when a field changes its meaning or goes away; new fields alone leave it."""

State = Literal["ok", "no-motion", "warming-up"]
DecisionKind = Literal["label", "unsure", "none", "no-motion", "waiting"]


@dataclass(frozen=True)
class Decision:
    """What is said out loud: one answer, smoothed over time.

    Attributes
    ----------
    kind : {"label", "unsure", "none", "no-motion", "waiting"}
        ``unsure``: no prompt reaches the threshold. ``none``: a negative or "none of these" is best.
        ``waiting``: nothing is scored yet.
    label : str
        The best label; for ``unsure`` the one it would be; empty otherwise.
    probability : float
        Smoothed.
    scores : mapping from label to smoothed probability
    since_us : int
        When this answer began, in the stream's time.
    settling : bool
        Fewer than T timesteps were seen so far.
    now : str or None
        The best label by the newest timestep alone.
    """

    kind: DecisionKind = "waiting"
    label: str = ""
    probability: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)
    since_us: int = 0
    settling: bool = False
    now: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as a JSON line has it; the line has scores of its own, not smoothed."""
        return {
            "kind": self.kind,
            "label": self.label or None,
            "probability": round(self.probability, 6),
            "since_us": self.since_us,
        }


@dataclass(frozen=True)
class Prediction:
    """What the camera sees at one moment. Safe to hand to any thread; arrays are not to be written to.

    Attributes
    ----------
    t_us : int
        End of the newest slice, in the stream's time.
    number : int
        Counts predictions since the start.
    state : {"ok", "no-motion", "warming-up"}
        ``warming-up``: fewer than T timesteps so far; scores are there but rest on less.
    label : str or None
        The best prompt; None when nothing moves, or a negative or "none of these" is best.
    probability : float
        Of the best entry, that label or not.
    raw_label : str or None
        The best prompt by the newest timestep alone.
    scores : mapping from label to probability
        Of every enabled prompt that is not negative.
    rejected : float
        Probability of the negatives and of "none of these" together.
    labels : tuple of str
        All rows of ``step_scores``'s second axis.
    step_scores : ndarray (T, K) float32
        Cosine of each timestep's feature with each prompt.
    frames : tuple of ndarray (H, W) uint8
        The T event frames, oldest first.
    spikes : ndarray (T, hidden) or None
        What the adapter fired.
    latency_ms : mapping from stage to milliseconds
    skipped : int
        Slices passed over since the prediction before, because there was no time for them.
    events : int
        Events in the newest slice.
    arrival_ns : int or None
        When its last event reached this process (monotonic clock), where that is known.
    objects : tuple of FoundObject, or None
        The things found beside the whole picture's answer, by id; None where none were looked for.
    camera_moves : bool
        Nearly everything moves, so no things are told, only the whole picture's answer.
    missed : Missed
        What was passed over and left out of the things in this slice.
    decision : Decision
        The answer made of this prediction and those before it.
    paused : bool
        Of the place where a recording stands still, recognized for itself: no part of what is played.
    """

    t_us: int
    number: int
    state: State
    label: str | None = None
    probability: float = 0.0
    raw_label: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    rejected: float = 0.0
    labels: tuple[str, ...] = ()
    step_scores: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    frames: tuple[npt.NDArray[np.uint8], ...] = ()
    spikes: npt.NDArray[Any] | None = None
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    skipped: int = 0
    events: int = 0
    arrival_ns: int | None = None
    objects: tuple[FoundObject, ...] | None = None
    camera_moves: bool = False
    missed: Missed = field(default_factory=Missed)
    decision: Decision = field(default_factory=Decision)
    paused: bool = False

    def out(self, arrival_ns: int | None, taken_ns: int, now_ns: int) -> Prediction:
        """Return it with when its events came, were taken up and answered (monotonic nanoseconds)."""
        latency = dict(self.latency_ms)
        if arrival_ns is not None and latency:
            latency |= {"slice": (taken_ns - arrival_ns) / 1e6, "total": (now_ns - arrival_ns) / 1e6}
        return replace(self, latency_ms=latency, arrival_ns=arrival_ns)

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as a JSON line has it: probabilities to six places, times in milliseconds."""
        line = {
            "type": "prediction",
            "schema": SCHEMA_VERSION,
            "number": self.number,
            "t_us": self.t_us,
            "label": self.label,
            "probability": round(self.probability, 6),
            "scores": {label: round(p, 6) for label, p in self.scores.items()},
            "rejected": round(self.rejected, 6),
            "state": self.state,
            "decision": self.decision.to_dict(),
            "events": self.events,
            "latency_ms": {stage: round(ms, 3) for stage, ms in self.latency_ms.items()},
            "skipped": self.skipped,
        }
        if self.objects is not None:
            line["objects"] = [found.to_dict() for found in self.objects]
        if self.camera_moves:
            line["camera_moves"] = True
        return line
