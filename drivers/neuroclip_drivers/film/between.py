"""Images between two frames of a film: edges move on instead of fading here and coming up there.

Each pixel is taken from both frames along the optical flow (dense inverse search, Kroeger et al. 2016, as
OpenCV has it), so that an edge that went six pixels fires on its way, as it does before a sensor. A straight
edge that fills the picture shows no flow along itself, and fades.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

STEP_PX = 1.5
"""How far an edge may go from image to image."""
MOST = 8
"""Images between two frames at the most: what is faster jumps a little."""
_FLOW_SIDE = 160
"""Longer side of the pictures on which the flow is sought: it need not be fine, and costs most."""
_FAST_SHARE = 0.98


class Between:
    """Makes the images; one for each film."""

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._grid: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None = None

    def images(self, before: Image, after: Image) -> Iterator[tuple[float, Image]]:
        """Yield (share of the time between the two, image), the last being ``after`` itself."""
        flow = self._flow(before, after)
        far = float(np.quantile(np.hypot(flow[..., 0], flow[..., 1]), _FAST_SHARE))
        count = int(np.clip(np.ceil(far / STEP_PX), 1, MOST))
        x, y = self._places(before.shape)
        for number in range(1, count):
            share = number / count
            there = self._taken(before, x, y, flow, -share)
            here = self._taken(after, x, y, flow, 1 - share)
            yield share, np.asarray(cv2.addWeighted(there, 1 - share, here, share, 0), dtype=np.uint8)
        yield 1.0, after

    def _flow(self, before: Image, after: Image) -> npt.NDArray[np.float32]:
        height, width = before.shape
        scale = min(1.0, _FLOW_SIDE / max(width, height))
        size = max(16, round(width * scale)), max(16, round(height * scale))
        small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (before, after)]
        flow = self._search.calc(small[0], small[1], None)
        flow *= np.array([width / size[0], height / size[1]], np.float32)
        return np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def _places(self, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        if self._grid is None or self._grid[0].shape != shape:
            y, x = np.indices(shape, dtype=np.float32)
            self._grid = x, y
        return self._grid

    @staticmethod
    def _taken(
        image: Image,
        x: npt.NDArray[np.float32],
        y: npt.NDArray[np.float32],
        flow: npt.NDArray[np.float32],
        share: float,
    ) -> Image:
        at_x, at_y = x + share * flow[..., 0], y + share * flow[..., 1]
        taken = cv2.remap(image, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(taken, dtype=np.uint8)
