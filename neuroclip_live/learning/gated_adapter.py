"""The adapter of live teaching: it speaks where it was taught, and leaves everything else to the prompts.

An adapter trained on a mug and a phone has never seen a pair of scissors and would call them one of the two:
labels that were only typed lose to those that were taught. So the adapted features are mixed with the plain
ones by a *gate*: how near the window is to what was shown. Far from all lessons, or nearer to a
counter-example, it is 0 and the scores are plain zero-shot; near a lesson it is 1.

Until the spiking network is trained (a second or two) a *steer* stands in for it: a window is moved to the
text of the label whose lessons it is nearest to. So a label is recognized at once, and better soon after.

Measured on the seven object recordings (a trial of the bundled model; 3 s of lessons of 1 to 4 objects
under names the model does not know, the others only typed; last third of each file; taught / typed windows
right): no gate 99 / 46 %, gate at 0.86 95 / 84 %, at 0.89 92 / 88 %, at 0.92 86 / 89 %; steer alone at 0.89
96 / 82 %. The gate's place was chosen on these very files. Tried and left out: text features as further
shots of the typed labels (typed 32 %, ungated), nearness of centerd features (no better).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.learning.adapter import Adapter
from neuroclip_live.learning.baselines import summaries
from neuroclip_live.learning.shotbook import ShotBook
from neuroclip_live.model.scoring import normalized

Floats = npt.NDArray[np.float32]

NEIGHBORS = 3
"""Nearness to a label is the mean over so many of its nearest windows: one odd window does not decide."""


@dataclass(frozen=True)
class GateSettings:
    """When the adapter speaks.

    Attributes
    ----------
    opens_at : float
        Cosine to the nearest lesson at which the gate is half open.
    width : float
        Cosine over which it goes from nearly closed to nearly open.
    sharpness : float
        Of the steer: what cosines are multiplied by before a softmax over the taught labels.
    """

    opens_at: float = 0.87
    width: float = 0.04
    sharpness: float = 40.0


class Memory:
    """Summaries of all lessons' windows, by label.

    Parameters
    ----------
    book : ShotBook
    labels : tuple of str
        The taught labels that compete now; lessons of others are left out, and so are counter-examples of a
        label that was never taught: a word that was only typed has no lessons to be nearer to.
    """

    def __init__(self, book: ShotBook, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._keys = [normalized(summaries(book.shots(label))) for label in labels]
        self._not: list[tuple[str | None, Floats]] = [
            (lesson.label, normalized(summaries(lesson.features))) for lesson in book.counter_examples
        ]

    def nearness(self, window: Floats) -> tuple[Floats, Floats]:
        """Return how near a unit summary (C,) is to each label's lessons and counter-examples, (K,) each."""
        near = np.array([_nearest(keys, window) for keys in self._keys], dtype=np.float32)
        against = np.full(len(self.labels), -1.0, dtype=np.float32)
        for label, keys in self._not:
            value = _nearest(keys, window)
            for k, name in enumerate(self.labels):
                if label is None or label == name:
                    against[k] = max(against[k], value)
        return near, against


def _nearest(keys: Floats, window: Floats) -> float:
    cosines = keys @ window
    if len(cosines) > NEIGHBORS:
        cosines = np.partition(cosines, -NEIGHBORS)[-NEIGHBORS:]
    return float(cosines.mean())


class TaughtAdapter:
    """What stands between features and scores while labels are taught. One thread calls it; swap it whole.

    Parameters
    ----------
    memory : Memory
    text : ndarray of float32, shape (K, C)
        Unit text features of the memory's labels.
    network : Adapter or None
        The trained spiking adapter; None while there is none.
    settings : GateSettings

    Attributes
    ----------
    last_spikes : ndarray (T, C/8) or None
        Of the latest window, where the network is trained.
    last_gate : float
        0 (plain zero-shot) to 1 (as taught) for the latest window.
    """

    def __init__(
        self,
        memory: Memory,
        text: Floats,
        network: Adapter | None = None,
        settings: GateSettings | None = None,
    ) -> None:
        self.memory = memory
        self.network = network
        self.settings = settings or GateSettings()
        self.last_spikes: npt.NDArray[Any] | None = None
        self.last_gate = 0.0
        self._text = text

    def __call__(self, features: Floats) -> Floats:
        """Adapt one window (T, C) of raw features, as :class:`neuroclip_live.learning.adapter.Adapter`."""
        plain = normalized(features)
        summary = normalized(plain.mean(axis=0))
        near, against = self.memory.nearness(summary)
        gate, label_shares = self._decide(near, against)
        self.last_gate = float(gate)
        if self.network is not None:
            adapted = self.network(features)
            self.last_spikes = self.network.last_spikes
        else:
            adapted = np.repeat((label_shares @ self._text)[None], len(features), axis=0)
        mixed = gate * adapted + (1.0 - gate) * plain
        return np.asarray(
            mixed * (len(mixed) ** 0.5 / max(float(np.linalg.norm(mixed)), 1e-12)), dtype=np.float32
        )

    def _decide(self, near: Floats, against: Floats) -> tuple[float, Floats]:
        """Return the gate, and each label's share of the steer (K,)."""
        limit = np.maximum(self.settings.opens_at, against)
        margin = float((near - limit).max())
        gate = 1.0 / (1.0 + np.exp(np.clip(-margin * 4.0 / self.settings.width, -60.0, 60.0)))
        shares = np.exp(self.settings.sharpness * (near - near.max()))
        return float(gate), np.asarray(shares / shares.sum(), dtype=np.float32)
