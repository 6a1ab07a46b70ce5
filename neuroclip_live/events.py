"""The one event layout of the project, and the sensor's size.

Time is integer microseconds everywhere. The layout is dv-processing's own, field for field, so an
``EventStore`` turns into a packet by a view and not by a conversion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

EVENT_DTYPE = np.dtype(
    {
        "names": ["t", "x", "y", "p"],
        "formats": ["<i8", "<i2", "<i2", "i1"],
        "offsets": [0, 8, 10, 12],
        "itemsize": 16,
    }
)
"""Fields: ``t`` int64 microseconds, ``x`` and ``y`` int16 pixels, ``p`` int8 polarity (0 OFF, 1 ON)."""

Packet: TypeAlias = npt.NDArray[Any]
"""A one-dimensional array of :data:`EVENT_DTYPE`."""


class Resolution(NamedTuple):
    """Sensor size in pixels, in (width, height) order."""

    width: int
    height: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def empty_packet() -> Packet:
    """Return a packet of zero events.

    Sources yield it to say "nothing now, still alive", so that whoever drains them can look at its
    stop flag.
    """
    return np.empty(0, dtype=EVENT_DTYPE)


def copy_into(out: Packet, events: Packet) -> None:
    """Copy ``events`` over ``out``, both of the same length.

    NumPy copies a structured array field by field, some fourteen times slower than the plain memory copy
    that the same bytes seen as integers get; and it drops the padding when it concatenates.
    """
    plain = events.dtype == EVENT_DTYPE == out.dtype
    if plain and events.flags.c_contiguous and out.flags.c_contiguous:
        out.view(np.int64)[:] = events.view(np.int64)
    else:
        out[:] = events


def copy_packet(events: Packet) -> Packet:
    """Return a copy of a packet that owns its memory."""
    out = np.empty(len(events), dtype=EVENT_DTYPE)
    copy_into(out, events)
    return out


def join_packets(packets: Sequence[Packet]) -> Packet:
    """Return the packets one after the other; a single one is returned as it is, not copied."""
    if len(packets) == 1:
        return packets[0]
    out = np.empty(sum(map(len, packets)), dtype=EVENT_DTYPE)
    start = 0
    for packet in packets:
        copy_into(out[start : start + len(packet)], packet)
        start += len(packet)
    return out
