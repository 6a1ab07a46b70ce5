"""A part of the sensor, and only what happens there is recognized. What is recorded stays whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint32

from neuroclip_live.compiled import njit
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution, copy_packet
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.counting import words_of
from neuroclip_live.stream.slicing import Slice, Slicer

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
        When what is left is too small to recognize anything in.
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
    return inside_at(events, region)[0]


def inside_at(events: Packet, region: Box) -> tuple[Packet, npt.NDArray[np.int64]]:
    """Return what :func:`inside` does, and where each of these events stands in ``events``."""
    kept, places = np.empty(len(events), dtype=EVENT_DTYPE), np.empty(len(events), dtype=np.int64)
    left, top, size = region.left, region.top, size_of(region)
    count = _crop(words_of(events), words_of(kept), places, left, top, size.width, size.height)
    return copy_packet(kept[:count]), places[:count]


def push_inside(
    slicer: Slicer, events: Packet, region: Box, position: int, epoch: int
) -> tuple[list[Slice], Packet]:
    """Add what lies inside a region to slices, which time goes on for where only outside something happens.

    Parameters
    ----------
    slicer : Slicer
        Of the region's size.
    events : Packet
        In order of time, of one epoch, at least one.
    region : Box
    position : int
        Of the first event in the stream; those of slices count all events, also those outside.
    epoch : int

    Returns
    -------
    slices : list of Slice
    inside : Packet
    """
    kept, places = inside_at(events, region)
    slicer.push(kept[:0], position, epoch)
    slicer.begin(int(events["t"][0]))  # time begins with the first event anywhere, whatever the packets
    slices = slicer.push(kept, position, epoch, places)
    return slices + slicer.advance(int(events["t"][-1]), position + len(events)), kept


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _crop(words: Any, kept: Any, places: Any, left: int, top: int, width: int, height: int) -> int:
    """Copy the events of a rectangle, moved to its corner, into ``kept``; return how many they are."""
    first_x, first_y, wide, high = uint32(left), uint32(top), uint32(width), uint32(height)
    low, shift = uint32(0xFFFF), uint32(16)
    count = 0
    for i in range(words.shape[0]):
        # left of the rectangle, or above, the difference wraps round and becomes large
        x, y = uint32((words[i, 2] & low) - first_x), uint32((words[i, 2] >> shift) - first_y)
        kept[count, 0], kept[count, 1], kept[count, 3] = words[i, 0], words[i, 1], words[i, 3]
        kept[count, 2] = x | (y << shift)
        places[count] = i
        count += uint32((x < wide) & (y < high))
    return count
