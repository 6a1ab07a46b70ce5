"""The one event layout of the project, and the sensor's size.

Time is integer microseconds everywhere. The layout is dv-processing's own, field for field, so an
``EventStore`` turns into a packet by a view and not by a conversion.
"""

from __future__ import annotations

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
