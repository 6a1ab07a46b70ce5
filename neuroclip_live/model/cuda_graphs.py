"""One launch for a whole image tower on a GPU.

At batch 1 a tower is a hundred or more small kernels, and telling the GPU of each takes longer than most of
them run (docs/performance.md works it out). A CUDA graph records them once and replays them with one call. It
is used only where its output is the one that the plain call gives: recording is refused by some towers, and a
wrong feature costs more than a millisecond.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

WARM_UPS = 3
TOLERANCE = 1e-2
"""Half precision has three digits, and a graph may pick other kernels; relative to the largest output."""


class GraphedTower:
    """A tower for one image at a time, recorded at its first call.

    Parameters
    ----------
    call : callable
        Maps images (1, 3, S, S) on the device to features (1, C) on the device.
    """

    def __init__(self, call: Callable[[Any], Any]) -> None:
        self._call = call
        self._graph: Any = None
        self._images: Any = None
        self._features: Any = None
        self.usable = True

    def __call__(self, images: Any) -> Any:
        """Return features of images on the device; a batch, or a tower that cannot be recorded, plainly."""
        if not self.usable or len(images) != 1:
            return self._call(images)
        if self._graph is None:
            wanted = self._call(images)
            try:
                self._record(images)
            except (RuntimeError, AttributeError, NotImplementedError) as error:
                self._give_up(str(error).splitlines()[0] if str(error) else type(error).__name__)
                return wanted
            made = self._replay(images)
            difference = float((made - wanted).abs().max()) / max(float(wanted.abs().max()), 1e-6)
            if not difference <= TOLERANCE:
                self._give_up(f"its outputs differ by {difference:.1e}")
            return wanted
        return self._replay(images)

    def _record(self, images: Any) -> None:
        import torch

        self._images = images.clone()
        make_stream: Any = torch.cuda.Stream
        side = make_stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # memory and libraries settle before anything is recorded
            for _ in range(WARM_UPS):
                self._call(self._images)
        torch.cuda.current_stream().wait_stream(side)
        graph: Any = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._features = self._call(self._images)
        self._graph = graph

    def _replay(self, images: Any) -> Any:
        self._images.copy_(images)
        self._graph.replay()
        return self._features.clone()

    def _give_up(self, why: str) -> None:
        log.info("the image tower is not recorded as a CUDA graph: %s", why)
        self.usable = False
        self._graph = self._images = self._features = None
