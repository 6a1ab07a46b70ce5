"""When an action fires: at or above ``enter`` for long enough, then not again until below ``leave``.

Everything is judged in the stream's time, so a recording fires at the same moments at any speed. Two
thresholds instead of one keep a probability that trembles around a value from firing again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from neuroclip_live.actions.rules import Rule
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.stream.box import Box

GAP_US = 1_000_000
"""Predictions farther apart say nothing of what was between them; waiting begins anew."""


@dataclass
class Course:
    """How it went on after a firing; read by other threads.

    Attributes
    ----------
    ended_us : int or None
        Stream time at which it fell below ``leave``; None while it goes on.
    """

    ended_us: int | None = None


@dataclass(frozen=True)
class Firing:
    """That an action is due, and why.

    Attributes
    ----------
    rule : Rule
    t_us : int
        Stream time of the prediction that made it due.
    probability : float
        Of the label in that prediction.
    held_s : float
        How long it has been at or above ``enter``.
    box : Box or None
        Of the object that was judged.
    course : Course
    """

    rule: Rule
    t_us: int
    probability: float
    held_s: float
    box: Box | None = None
    course: Course = field(default_factory=Course, compare=False)

    def why(self, begin_us: int = 0) -> str:
        """Return when and why, for people; in seconds since ``begin_us``."""
        return (
            f"{(self.t_us - begin_us) / 1e6:.3f} s: {self.rule.name!r}: {self.rule.label} at "
            f"{self.probability:.2f}, {self.rule.enter:g} or more for {self.held_s:.2f} s"
        )


class Trigger:
    """The state of one action.

    Attributes
    ----------
    active : bool
        It was due and is not over.
    highest : float
        The highest probability seen so far.
    judged, above : int
        Predictions so far, and those at or above ``enter``.
    suppressed : int
        Firings left out because the one before was too near.
    share : float
        The newest probability.
    held_s : float
        How long it has been at or above ``enter``; 0 where it is below.
    last : Firing or None
        The newest firing.
    count : int
        Firings so far.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.active = False
        self.highest = self.share = self.held_s = 0.0
        self.last: Firing | None = None
        self.count = 0
        self.judged = self.above = self.suppressed = 0
        self._since: int | None = None
        self._last: int | None = None
        self._fired: int | None = None
        self._course: Course | None = None

    def begin_anew(self) -> None:
        """Forget what was: another source, or another time, begins."""
        self._end(self._last)
        self._since = self._last = self._fired = None
        self.held_s = 0.0

    def update(self, prediction: Prediction) -> Firing | None:
        """Take in a prediction; return a firing that is due with it."""
        t_us, rule = prediction.t_us, self.rule
        if self._last is not None and t_us < self._last:  # a seek, a loop, a new clock
            self.begin_anew()
        elif self._last is not None and t_us - self._last > GAP_US:
            self._since = None
        if prediction.state == "warming-up":  # too little seen to tell: it neither begins nor ends
            return None
        self._last = t_us
        share, box = probability(rule, prediction)
        self._count(share)
        if share < rule.leave:
            self._end(t_us)
        if share < rule.enter:
            self._since, self.held_s = None, 0.0
            return None
        if self._since is None:
            self._since = t_us
        held_us = t_us - self._since
        self.held_s = held_us / 1e6
        if self.active or held_us < rule.for_s * 1e6:
            return None
        self.active = True
        if self._fired is not None and t_us - self._fired < rule.at_most_every_s * 1e6:
            self.suppressed += 1
            return None
        self._fired = t_us
        self._course = Course()
        self.last = Firing(rule, t_us, share, self.held_s, box, self._course)
        self.count += 1
        return self.last

    def _count(self, share: float) -> None:
        self.judged += 1
        self.share = share
        self.above += share >= self.rule.enter
        self.highest = max(self.highest, share)

    def _end(self, t_us: int | None) -> None:
        self.active = False
        if self._course is not None:
            self._course.ended_us, self._course = t_us, None


def probability(rule: Rule, prediction: Prediction) -> tuple[float, Box | None]:
    """Return how likely the rule's label is, 0 where nothing moves, and the box that it was judged in."""
    if rule.where == "picture":
        return (0.0 if prediction.state == "no-motion" else _share(rule.label, prediction.scores)), None
    found = [one for one in prediction.objects or () if one.state == "seen" and _inside(rule, one.box)]
    shares = [(_share(rule.label, one.scores), one.box) for one in found]
    return max(shares, key=lambda share: share[0], default=(0.0, None))


def _share(label: str, scores: Mapping[str, float]) -> float:
    if label in scores:
        return float(scores[label])
    wanted = label.casefold()
    return next((float(p) for other, p in scores.items() if other.casefold() == wanted), 0.0)


def _inside(rule: Rule, box: Box) -> bool:
    if rule.region is None:
        return True
    left, top, right, bottom = rule.region
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return left <= x < right and top <= y < bottom
