"""How an adapter is trained: the reference's schedule, as plain numbers that cost no import of torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuroclip_live.learning.adapter_network import Kind


@dataclass(frozen=True)
class TrainSettings:
    """The reference's schedule, unless told otherwise.

    Attributes
    ----------
    epochs, batch_size : int
    lr, momentum, weight_decay : float
    warmup_epochs : int
        Epochs at ``warmup_lr`` before the cosine begins.
    smoothing : float
        Probability taken from the right label and shared by the others.
    ratio, dropout : float
    kind : {"snn", "ann"}
    seed : int
    feature_norm : float or None
        Raw features are scaled so that their mean norm is this; None leaves them as they are, as the
        reference does.
    """

    epochs: int = 250
    batch_size: int = 32
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup_epochs: int = 1
    warmup_lr: float = 1e-5
    smoothing: float = 0.2
    ratio: float = 0.6
    dropout: float = 0.5
    kind: Kind = "snn"
    seed: int = 0
    feature_norm: float | None = 10.0

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if epoch < self.warmup_epochs:
            return self.warmup_lr
        done = (epoch - self.warmup_epochs) / max(1, self.epochs - self.warmup_epochs)
        return 0.5 * self.lr * (1 + math.cos(math.pi * done))
