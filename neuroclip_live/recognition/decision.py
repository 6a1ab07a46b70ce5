"""From scores to what is said out loud: one calm answer, the same in the window, the table and every file.

A prediction already averages T timesteps. On top of that an answer is smoothed over the stream's time, stays
as it is when two labels are nearly equal (both are then told as equally likely), and needs a least
probability. As it is the stream's own time, a recording gives the same answers at any speed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from neuroclip_live.errors import UserError
from neuroclip_live.recognition.prediction import Decision, DecisionKind, Prediction

REJECTED = ""
"""Stands for the negatives and "none of these" among smoothed scores."""
_LEAD = 0.02
"""By so much another label must lead before the answer changes: ties do not flicker. Until then both are told
as equally likely, so that no list has a better word than the one that is said."""
_FORGOTTEN_US = 3_000_000
"""After so long without a prediction the answer begins anew."""


@dataclass(frozen=True)
class DecisionSettings:
    """How calm the answer is.

    Attributes
    ----------
    smoothing_s : float
        Time constant in seconds; 0 for none.
    threshold : float
        Below this probability the answer is "unsure".
    """

    smoothing_s: float = 0.3
    threshold: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing_s <= 60:
            raise UserError(f"smoothing over {self.smoothing_s:g} s: choose 0 to 60 seconds")
        if not 0 <= self.threshold <= 1:
            raise UserError(f"a least probability of {self.threshold:g}: choose 0 to 1")


class Decider:
    """Makes the answers of one stream, prediction by prediction; for one thread.

    Parameters
    ----------
    settings : DecisionSettings
        May be replaced at any time.
    """

    def __init__(self, settings: DecisionSettings | None = None) -> None:
        self.settings = settings or DecisionSettings()
        self.decision = Decision()
        self._scores: dict[str, float] = {}
        self._updated_us: int | None = None

    def forget(self) -> None:
        """Begin anew: another source, another time."""
        self._scores, self._updated_us = {}, None
        self.decision = Decision()

    def update(self, prediction: Prediction) -> Decision:
        """Take in a prediction; return the answer now."""
        t_us = prediction.t_us
        if self._updated_us is not None and not 0 <= t_us - self._updated_us <= _FORGOTTEN_US:
            self.forget()
        if prediction.state == "no-motion":
            self._scores, self._updated_us = {}, None
            return self._become(Decision("no-motion"), t_us)
        if not prediction.scores:
            return self._become(Decision("waiting"), t_us)
        self._smooth({**prediction.scores, REJECTED: prediction.rejected}, t_us)
        told = self._scores
        best = max(told, key=told.__getitem__)
        before = self.decision.label if self.decision.kind == "label" else None
        if before in told and 0 < told[best] - told[before] < _LEAD:
            best, told = before, _as_likely(told, before)
        probability = told[best]
        kind: DecisionKind = "label"
        if best == REJECTED:
            kind = "none"
        elif probability < self.settings.threshold:
            kind = "unsure"
        shown = {label: score for label, score in told.items() if label != REJECTED}
        settling = prediction.state == "warming-up"
        return self._become(
            Decision(kind, best, probability, shown, settling=settling, now=prediction.raw_label), t_us
        )

    def _smooth(self, scores: Mapping[str, float], t_us: int) -> None:
        share = 1.0
        if self._updated_us is not None and self.settings.smoothing_s > 0:
            share = 1.0 - math.exp((self._updated_us - t_us) / 1e6 / self.settings.smoothing_s)
        # a label typed just now begins at its own score: it must not look unlikely only because it is new
        self._scores = {
            label: score + (1.0 - share) * (self._scores.get(label, score) - score)
            for label, score in scores.items()
        }
        self._updated_us = t_us

    def _become(self, decision: Decision, t_us: int) -> Decision:
        before = self.decision
        same = (decision.kind, decision.label) == (before.kind, before.label) and t_us >= before.since_us
        self.decision = replace(decision, since_us=before.since_us if same else t_us)
        return self.decision


def _as_likely(scores: Mapping[str, float], label: str) -> dict[str, float]:
    """Return the scores with a label, and all that are ahead of it, at their mean; the sum stays.

    It is the nearest (least squares) set of scores in which nothing is ahead of the label.
    """
    equal = sorted((other for other in scores if other != label), key=scores.__getitem__, reverse=True)
    total, count = scores[label], 1
    for other in equal:
        if scores[other] <= total / count:
            break
        total, count = total + scores[other], count + 1
    return {**scores, **dict.fromkeys([label, *equal[: count - 1]], total / count)}
