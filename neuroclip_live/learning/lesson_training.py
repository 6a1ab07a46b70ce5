"""From lessons to an adapter: the steer at once, the spiking network as soon as it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neuroclip_live.learning.shotbook import ShotBook
from neuroclip_live.learning.thread_priority import one_torch_thread
from neuroclip_live.learning.train_settings import TrainSettings

if TYPE_CHECKING:
    from neuroclip_live.learning.adapter import Adapter
    from neuroclip_live.learning.gated_adapter import TaughtAdapter

Floats = npt.NDArray[np.float32]

MOST_STEPS = 250
"""Training steps of a live lesson: about a second of one core."""
BATCH = 32


@dataclass(frozen=True)
class Lessons:
    """Everything an adapter is made of, as it was at one moment.

    Attributes
    ----------
    book : ShotBook
    labels : tuple of str
        Which labels compete, taught or only typed.
    text : ndarray of float32, shape (K, C)
        Their unit text features.
    """

    book: ShotBook
    labels: tuple[str, ...]
    text: Floats


class LessonTrainer:
    """Makes adapters for one encoder.

    Parameters
    ----------
    model : str
        Name of the encoder, kept in the adapter.
    logit_scale : float
    swap : callable
        Given each new adapter; None when nothing is taught any more.
    """

    def __init__(self, model: str, logit_scale: float, swap: Callable[[TaughtAdapter | None], None]) -> None:
        self.model = model
        self._logit_scale = logit_scale
        self._swap = swap

    def make(
        self, lessons: Lessons, progress: Callable[[float], None], overtaken: Callable[[], bool]
    ) -> None:
        """Swap in a steer, then train the network and swap that in.

        Parameters
        ----------
        lessons : Lessons
        progress : callable
            Told the share of the training done, 0 to 1.
        overtaken : callable
            Asked after each epoch whether there are newer lessons: then the training ends without a swap.

        Raises
        ------
        UserError
            When the shots cannot be learned from.
        """
        from neuroclip_live.learning.gated_adapter import Memory, TaughtAdapter

        taught = tuple(label for label in lessons.book.labels if label in lessons.labels)
        if not taught:
            self._swap(None)
            return
        memory = Memory(lessons.book, taught)
        rows = lessons.text[[lessons.labels.index(label) for label in taught]]
        self._swap(TaughtAdapter(memory, rows))
        network = self._train(lessons, taught, progress, overtaken)
        if network is not None and not overtaken():
            self._swap(TaughtAdapter(memory, rows, network))

    def _train(
        self,
        lessons: Lessons,
        taught: tuple[str, ...],
        progress: Callable[[float], None],
        overtaken: Callable[[], bool],
    ) -> Adapter | None:
        shots = [lessons.book.shots(label) for label in taught]
        owners = np.repeat([lessons.labels.index(label) for label in taught], [len(each) for each in shots])
        if len(owners) < 2 or len(lessons.labels) < 2:
            return None  # nothing to tell it from: the steer is all there is to say
        from neuroclip_live.learning.adapter_training import Interrupted, train_adapter

        one_torch_thread()
        progress(0.0)
        try:
            return train_adapter(
                np.concatenate(shots),
                owners,
                lessons.text,
                names=lessons.labels,
                model=self.model,
                logit_scale=self._logit_scale,
                settings=live_settings(len(owners)),
                progress=progress,
                should_stop=overtaken,
            )
        except Interrupted:
            return None


def live_settings(windows: int) -> TrainSettings:
    """Return the reference's schedule, shortened to :data:`MOST_STEPS` where there are many windows."""
    steps = max(1, -(-windows // BATCH))
    return TrainSettings(epochs=min(250, max(1, MOST_STEPS // steps)), batch_size=BATCH)


def warm_up(embed_dim: int, timesteps: int) -> None:
    """Import what training needs, seconds of work, and use it once."""
    import torch

    from neuroclip_live.learning.adapter_network import AdapterNetwork

    with torch.inference_mode():
        AdapterNetwork(embed_dim).eval()(torch.zeros(timesteps, 1, embed_dim))
