"""The voxel count: where and when in a slice events fell, counted in blocks of space and time.

The slice is cut into three parts of equal time; a voxel is a pixel in one of them. Its value is the number of
its ON events less that of its OFF events (Zhu et al. 2019, without their interpolation between parts), and
the three parts are the three channels of the encoder's image. So a thing that moves leaves its past in one
channel and its present in another, where an event frame has both on one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32

from neuroclip_live.compiled import njit
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.counting import words_of
from neuroclip_live.stream.frames import GRAY, Frame

FULL = 3
"""So many more events of one polarity are black or white; fixed, so that a frame depends on nothing else."""


class VoxelCount:
    """Gray (127) less the ON, plus the OFF events of each third of the slice, 127 / 3 for each."""

    def __call__(
        self, events: Packet, resolution: Resolution, threshold: int, start_us: int, end_us: int
    ) -> Frame:
        """Return the counts (H, W, 3): channel 0 is the oldest part; the threshold holds for each voxel."""
        shape = (resolution.height, resolution.width, 3)
        sums, counts = np.zeros(shape, np.int32), np.zeros(shape, np.uint32)
        words = words_of(events)
        _count(words, words.view(np.int64), start_us, max(1, end_us - start_us), sums, counts)
        frame = np.empty(shape, np.uint8)
        _paint(sums.reshape(-1), counts.reshape(-1), threshold, frame.reshape(-1))
        return frame


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _count(words: Any, times: Any, start_us: int, length_us: int, sums: Any, counts: Any) -> None:
    height, width = uint32(sums.shape[0]), uint32(sums.shape[1])
    for i in range(words.shape[0]):
        x, y = words[i, 2] & uint32(0xFFFF), words[i, 2] >> uint32(16)
        if (x < width) & (y < height):
            part = min(2, max(0, 3 * (times[i, 0] - start_us) // length_us))
            is_on = 0 < (words[i, 3] & uint32(0xFF)) < 128
            sums[y, x, part] += 1 if is_on else -1
            counts[y, x, part] += uint32(1)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _paint(sums: Any, counts: Any, threshold: int, frame: Any) -> None:
    for i in range(frame.size):
        shown = min(FULL, max(-FULL, sums[i])) if counts[i] > threshold else 0
        frame[i] = GRAY - shown * 127 // FULL if shown > 0 else GRAY + -shown * 127 // FULL
