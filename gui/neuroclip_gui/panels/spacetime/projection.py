"""Events as points of a box of x, y and time, seen from any side: one pass over the events, by Numba.

Nothing of a graphics card is needed, and nothing is sorted: events come in order of time, so painting them as
they come puts the newest in front, which is how the box is looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit
from neuroclip_live.events import Packet, Resolution, empty_packet

DEPTH = 1.3
"""Length of the time axis; the longer side of the sensor is 1."""
_EYE = 3.2
"""How far the eye is from the middle of the box."""
_OLDEST = 0.28
"""How much of its color the oldest event shows has."""

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """From where the box is seen.

    Attributes
    ----------
    yaw, pitch : float
        Degrees; both 0 look along the time axis, at the sensor as it is.
    zoom : float
        1 fills the view.
    """

    yaw: float = -38.0
    pitch: float = 18.0
    zoom: float = 1.0

    def turned(self, yaw: float, pitch: float) -> Camera:
        """Return the camera moved around the box; it never goes over the top."""
        return Camera(
            (self.yaw + yaw + 180) % 360 - 180, min(max(self.pitch + pitch, -89.0), 89.0), self.zoom
        )

    def zoomed(self, factor: float) -> Camera:
        """Return the camera nearer or farther."""
        return Camera(self.yaw, self.pitch, min(max(self.zoom * factor, 0.4), 8.0))

    @property
    def rows(self) -> Rows:
        """The (3, 3) rotation from the box (x right, y down, t away from the newest) to the eye."""
        a, b = math.radians(self.yaw), math.radians(self.pitch)
        turn = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
        tilt = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
        return np.asarray(tilt @ turn)


def project(points: Rows, camera: Camera, size: tuple[int, int]) -> Rows:
    """Return where points of the box are seen.

    Parameters
    ----------
    points : ndarray (N, 3)
        x and y within about ±0.5, time from ``-DEPTH / 2`` (newest) to ``DEPTH / 2``.
    camera : Camera
    size : (int, int)
        Width and height of the view in pixels.

    Returns
    -------
    ndarray (N, 2)
    """
    seen = points @ camera.rows.T
    scale = _scale(camera, size) * _EYE / (_EYE + seen[:, 2])
    return np.stack([size[0] / 2 + scale * seen[:, 0], size[1] / 2 + scale * seen[:, 1]], axis=1)


def paint(
    events: Packet,
    resolution: Resolution,
    span_us: int,
    camera: Camera,
    colors: npt.NDArray[np.uint8],
    image: npt.NDArray[np.uint8],
) -> None:
    """Paint events over an image, the oldest first and palest.

    Parameters
    ----------
    events : Packet
        In order of time; of those older than ``span_us`` before the newest nothing is seen.
    resolution : Resolution
    span_us : int
        What the time axis holds.
    camera : Camera
    colors : ndarray (3, 3) uint8
        Ground, ON and OFF, as blue, green and red.
    image : ndarray (H, W, 4) uint8
        Blue, green, red and opacity; written over where an event is seen.
    """
    if len(events) and image.size:
        size = image.shape[1], image.shape[0]
        dot = 2 if camera.zoom * min(size) / max(resolution) > 3.0 else 1
        _paint(
            events, camera.rows, _scale(camera, size), max(resolution), resolution.width / 2,
            resolution.height / 2, max(1, span_us), colors, dot, image,
        )  # fmt: skip


def _scale(camera: Camera, size: tuple[int, int]) -> float:
    return camera.zoom * min(size[0] / 1.9, size[1] / 1.35)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _paint(
    events: Any, rows: Any, scale: float, side: int, mid_x: float, mid_y: float, span: int, colors: Any,
    dot: int, image: Any,
) -> None:  # fmt: skip
    height, width = image.shape[0], image.shape[1]
    newest = events[-1]["t"]
    for event in events:
        age = (newest - event["t"]) / span
        if age < 0 or age > 1:
            continue
        x, y, t = (event["x"] - mid_x) / side, (event["y"] - mid_y) / side, (age - 0.5) * DEPTH
        depth = rows[2, 0] * x + rows[2, 1] * y + rows[2, 2] * t
        near = scale * _EYE / (_EYE + depth)
        column = int(width / 2 + near * (rows[0, 0] * x + rows[0, 1] * y + rows[0, 2] * t))
        row = int(height / 2 + near * (rows[1, 0] * x + rows[1, 1] * y + rows[1, 2] * t))
        if column < 0 or row < 0 or column + dot > width or row + dot > height:
            continue
        share = 1 - (1 - _OLDEST) * age
        which = 1 if event["p"] > 0 else 2
        for channel in range(3):
            ground = colors[0, channel]
            value = ground + (colors[which, channel] - np.float64(ground)) * share
            for down in range(dot):
                for right in range(dot):
                    image[row + down, column + right, channel] = np.uint8(value)


def warm_up() -> None:
    """Compile, or load from Numba's cache; slow the first time."""
    events = np.zeros(1, dtype=empty_packet().dtype)
    image = np.zeros((4, 4, 4), np.uint8)
    paint(events, Resolution(2, 2), 1000, Camera(), np.zeros((3, 3), np.uint8), image)
