"""Events become the one byte a pixel that the view looks up its colors by.

127 is "nothing happened", 0 is ON, 255 is OFF: the event frame of :mod:`neuroclip_live.stream.frames`, so
what is shown is what is recognized. With fading, a pixel starts at 0 or 255 and drifts back to 127, which is
why the table of colors has all 256 entries. Importing this module loads Numba: do it away from the thread
that paints, and call :func:`warm_up` there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_gui.style.palettes import EventColors
from neuroclip_live.compiled import njit
from neuroclip_live.events import Packet, Resolution, empty_packet
from neuroclip_live.stream.frames import GRAY, event_frame

_STEPS = 1024
_FADE = np.exp(-np.arange(_STEPS) * (5.0 / _STEPS))  # five time constants, down to 0.7 %


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _fade_into(events: Any, tau_us: int, fade: Any, frame: Any) -> None:
    """Paint events in order of time, so that a pixel has the age of its newest event."""
    height, width = frame.shape
    steps = fade.shape[0]
    newest = events[-1]["t"]
    for event in events:
        x, y = event["x"], event["y"]
        if x < 0 or y < 0 or x >= width or y >= height:
            continue
        step = (newest - event["t"]) * steps // (5 * tau_us)
        if step < 0:
            step = 0
        if step >= steps:
            continue
        value = fade[step]
        frame[y, x] = np.uint8(127 - 127 * value) if event["p"] > 0 else np.uint8(127 + 128 * value)


def plain_frame(events: Packet, resolution: Resolution) -> npt.NDArray[np.uint8]:
    """Return the event frame, (H, W) uint8: 127 nothing, 0 ON, 255 OFF."""
    return event_frame(events, resolution)


def fading_frame(events: Packet, resolution: Resolution, tau_us: int) -> npt.NDArray[np.uint8]:
    """Return a frame, (H, W) uint8, in which older events have faded towards 127.

    Parameters
    ----------
    events : Packet
        In order of time.
    resolution : Resolution
    tau_us : int
        After so many microseconds 37 % of an event's brightness is left.
    """
    frame = np.full((resolution.height, resolution.width), GRAY, dtype=np.uint8)
    if len(events):
        _fade_into(events, max(1, tau_us), _FADE, frame)
    return frame


def color_table(colors: EventColors) -> npt.NDArray[np.uint8]:
    """Return the (256, 3) uint8 table that colors a frame."""
    ground, on, off = (np.array(c, dtype=np.float64) for c in (colors.ground, colors.on, colors.off))
    share = (
        np.abs(np.arange(256) - GRAY)[:, None] / np.where(np.arange(256) < GRAY, GRAY, 255 - GRAY)[:, None]
    )
    ends = np.where((np.arange(256) < GRAY)[:, None], on, off)
    return np.rint(ground + (ends - ground) * share).astype(np.uint8)


def warm_up() -> None:
    """Compile both kernels, or load them from Numba's cache; slow the first time."""
    events = np.zeros(1, dtype=empty_packet().dtype)
    plain_frame(events, Resolution(2, 2))
    fading_frame(events, Resolution(2, 2), 1000)
