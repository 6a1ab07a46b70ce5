"""The time surface: what happened last at each pixel, fading with its age.

As in HOTS (Lagorce et al. 2017), a pixel's value is exp(-age / τ), age counted from the end of the slice; τ
is half the slice, so that the oldest has faded to a seventh whatever length slices have. An ON event
makes its pixel darker than the gray of pixels without any, an OFF event brighter, as in the event frame:
where things move, their newest edge is sharp and a trail shows the way they came.
"""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
from numba import uint32

from neuroclip_live.compiled import njit
from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.counting import words_of
from neuroclip_live.stream.frames import GRAY, Frame

TAU = 0.5
"""τ, as a share of the slice's length."""


class TimeSurface:
    """Gray (127) less, or plus, 127 · exp(-age / τ) of the newest event; polarity decides which."""

    def __call__(
        self, events: Packet, resolution: Resolution, threshold: int, start_us: int, end_us: int
    ) -> Frame:
        """Return the surface (H, W)."""
        frame = np.empty((resolution.height, resolution.width), np.uint8)
        words = words_of(events)
        newest = np.zeros(frame.shape, np.int64)  # index of a pixel's newest event, counted from 1
        counts = np.zeros(frame.shape if threshold else (1, 1), np.uint32)
        _remember(words, newest, counts, threshold > 0)
        tau = max(1.0, TAU * (end_us - start_us))
        _paint(words, words.view(np.int64), newest, counts, threshold, end_us, tau, frame)
        return frame


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _remember(words: Any, newest: Any, counts: Any, counted: bool) -> None:
    """Note which event was a pixel's last, and how many it had."""
    height, width = uint32(newest.shape[0]), uint32(newest.shape[1])
    for i in range(words.shape[0]):
        x, y = words[i, 2] & uint32(0xFFFF), words[i, 2] >> uint32(16)
        if (x < width) & (y < height):
            newest[y, x] = i + 1
            if counted:
                counts[y, x] += uint32(1)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _paint(
    words: Any, times: Any, newest: Any, counts: Any, threshold: int, end_us: int, tau: float, frame: Any
) -> None:
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            i = newest[y, x] - 1
            if i < 0 or (threshold > 0 and counts[y, x] <= threshold):
                frame[y, x] = GRAY
                continue
            strength = round(127.0 * exp(-max(0, end_us - times[i, 0]) / tau))
            is_on = 0 < (words[i, 3] & uint32(0xFF)) < 128
            frame[y, x] = GRAY - strength if is_on else GRAY + strength
