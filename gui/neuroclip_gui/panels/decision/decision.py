"""From scores to what is said out loud: one calm decision, and why.

The recognizer already averages T timesteps. On top of that the window may smooth over time and ask for a
least probability, both settings of the person looking; neither changes what is recognised, recorded or sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from neuroclip_live.recognition.recognizer import Prediction

Kind = Literal["label", "unsure", "none", "no-motion", "waiting"]
REJECTED = ""
"""Stands for the negatives and "none of these" among smoothed scores."""
_LEAD = 0.02
"""By so much another label must lead before the decision changes: ties do not flicker."""


@dataclass(frozen=True)
class Decision:
    """What the window says.

    Attributes
    ----------
    kind : {"label", "unsure", "none", "no-motion", "waiting"}
    label : str
        The best label; for ``unsure`` the one it would be.
    probability : float
        Smoothed.
    scores : mapping from label to smoothed probability
    since_s : float
        When this label or state began, on the clock given.
    settling : bool
        Fewer than T timesteps were seen so far.
    now : str or None
        The best label by the newest timestep alone.
    """

    kind: Kind = "waiting"
    label: str = ""
    probability: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)
    since_s: float = 0.0
    settling: bool = False
    now: str | None = None


class Decider:
    """Smooths predictions and keeps the decision steady.

    Attributes
    ----------
    smoothing_s : float
        Time constant in seconds; 0 for none.
    threshold : float
        Below this probability there is no decision.
    """

    def __init__(self, smoothing_s: float = 0.3, threshold: float = 0.3) -> None:
        self.smoothing_s = smoothing_s
        self.threshold = threshold
        self.decision = Decision()
        self._scores: dict[str, float] = {}
        self._updated_s: float | None = None

    def forget(self, now_s: float) -> Decision:
        """Begin anew: another source."""
        self._scores, self._updated_s = {}, None
        self.decision = Decision(since_s=now_s)
        return self.decision

    def update(self, prediction: Prediction, now_s: float) -> Decision:
        """Take in a prediction at the time ``now_s`` (seconds, any monotonic clock)."""
        if prediction.state == "no-motion":
            self._scores, self._updated_s = {}, None
            return self._become(Decision("no-motion"), now_s)
        if not prediction.scores:
            return self._become(Decision("waiting"), now_s)
        self._smooth({**prediction.scores, REJECTED: prediction.rejected}, now_s)
        best = max(self._scores, key=self._scores.__getitem__)
        before = self.decision.label if self.decision.kind == "label" else None
        if before in self._scores and self._scores[best] - self._scores[before] < _LEAD:
            best = before
        probability = self._scores[best]
        kind: Kind = "label"
        if best == REJECTED:
            kind = "none"
        elif probability < self.threshold:
            kind = "unsure"
        shown = {label: score for label, score in self._scores.items() if label != REJECTED}
        return self._become(
            Decision(
                kind,
                best,
                probability,
                shown,
                settling=prediction.state == "warming-up",
                now=prediction.raw_label,
            ),
            now_s,
        )

    def _smooth(self, scores: Mapping[str, float], now_s: float) -> None:
        share = 1.0
        if self._updated_s is not None and self.smoothing_s > 0:
            share = 1.0 - math.exp(-max(now_s - self._updated_s, 0.0) / self.smoothing_s)
        # a label typed just now begins at its own score: it must not look unlikely only because it is new
        self._scores = {
            label: score + (1.0 - share) * (self._scores.get(label, score) - score)
            for label, score in scores.items()
        }
        self._updated_s = now_s

    def _become(self, decision: Decision, now_s: float) -> Decision:
        before = self.decision
        same = (decision.kind, decision.label) == (before.kind, before.label)
        since = before.since_s if same else now_s
        self.decision = Decision(
            decision.kind, decision.label, decision.probability, decision.scores, since, decision.settling,
            decision.now,
        )  # fmt: skip
        return self.decision
