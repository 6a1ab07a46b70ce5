"""What the bits of jAER's addresses mean: those of its recordings (AEDAT 2) and of its network streams.

Sources: jAER's extractors (DVS128.Extractor, DavisEventExtractor). jAER counts columns from the right and
rows from the bottom; both are turned here, so that the picture stands as jAER shows it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Resolution

DAVIS = {
    "128": Resolution(128, 128),
    "208": Resolution(208, 192),
    "240": Resolution(240, 180),
    "346": Resolution(346, 260),
    "640": Resolution(640, 480),
}
"""Sizes of DAVIS cameras, by what jAER calls them."""
DVS128 = Resolution(128, 128)


def decode(
    addresses: npt.NDArray[Any], resolution: Resolution, *, davis: bool
) -> tuple[Any, Any, Any, npt.NDArray[np.bool_]]:
    """Return columns, rows and polarities (1 is ON) of addresses, (N,) each, and which of them are events.

    Frames, inertial samples, triggers and sync events have addresses too.
    """
    address = addresses.astype(np.int64)
    width, height = resolution
    if davis:
        x = (width - 1 - ((address >> 12) & 0x3FF)) & 0xFFFF
        y = (height - 1 - ((address >> 22) & 0x1FF)) & 0xFFFF
        keep = (address & 0x8000_0400) == 0  # bit 31: frame or IMU; bit 10: a trigger
        return x, y, (address >> 11) & 1, keep
    x, y = 127 - ((address >> 1) & 0x7F), 127 - ((address >> 8) & 0x7F)
    return x, y, 1 - (address & 1), (address & 0xFFFF_8000) == 0  # bit 15: a sync event
