"""A part of the sensor, and only what happens there is recognised. What is recorded stays whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, uint32

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.counting import words_of

SMALLEST = 8
"""Pixels of the shorter side: less is no picture."""


def size_of(region: Box) -> Resolution:
    """Return a region's own size."""
    return Resolution(region.right - region.left, region.bottom - region.top)


def fitting(region: Box, resolution: Resolution) -> Box | None:
    """Return the part of a region that lies on a sensor; None when that is the whole sensor.

    Raises
    ------
    UserError
        When what is left is too small to recognise anything in.
    """
    left, right = sorted((region.left, region.right))
    top, bottom = sorted((region.top, region.bottom))
    left, top = max(0, left), max(0, top)
    right, bottom = min(resolution.width, right), min(resolution.height, bottom)
    if min(right - left, bottom - top) < SMALLEST:
        raise UserError(f"that part is too small: draw one of at least {SMALLEST} × {SMALLEST} pixels")
    box = Box(left, top, right, bottom)
    return None if size_of(box) == resolution else box


def inside(events: Packet, region: Box) -> Packet:
    """Return the events inside a region, counted from its own corner; one pass, without the interpreter lock.

    Parameters
    ----------
    events : Packet
    region : Box

    Returns
    -------
    Packet
        A copy that owns its memory.
    """
    kept = np.empty(len(events), dtype=EVENT_DTYPE)
    size = size_of(region)
    count = _crop(words_of(events), words_of(kept), region.left, region.top, size.width, size.height)
    return copy_packet(kept[:count])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _crop(words: Any, kept: Any, left: int, top: int, width: int, height: int) -> int:
    """Copy the events of a rectangle, moved to its corner, into ``kept``; return how many they are."""
    first_x, first_y, wide, high = uint32(left), uint32(top), uint32(width), uint32(height)
    low, shift = uint32(0xFFFF), uint32(16)
    count = 0
    for i in range(words.shape[0]):
        # left of the rectangle, or above, the difference wraps round and becomes large
        x, y = uint32((words[i, 2] & low) - first_x), uint32((words[i, 2] >> shift) - first_y)
        kept[count, 0], kept[count, 1], kept[count, 3] = words[i, 0], words[i, 1], words[i, 3]
        kept[count, 2] = x | (y << shift)
        count += uint32((x < wide) & (y < high))
    return count
