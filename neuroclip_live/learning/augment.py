"""Augmented versions of a shot: the reference's rotation, shear and, where the class allows it, a mirror.

All timesteps of a sample are turned together, as the reference does. It mirrors digits too, which makes a 2
into something that is no digit; here the data set says whether a mirrored sample keeps its class.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.stream.frames import GRAY

ROTATION_DEG = 10.0
SHEAR_DEG = 5.0
SMALLEST_SIDE = 96
"""Smaller frames are enlarged first: turning edges one pixel wide would blur them away."""


def augment(frames: npt.NDArray[np.uint8], name: str, copy: int, flip: bool) -> npt.NDArray[np.uint8]:
    """Return one augmented version of a sample's frames.

    Parameters
    ----------
    frames : ndarray of uint8, shape (T, H, W) or (T, H, W, 3)
    name : str
        The sample's name; with ``copy`` it seeds the draw, so a version is the same in every run.
    copy : int
        0 gives the frames as they are.
    flip : bool
        Whether half of the versions are mirrored.

    Returns
    -------
    ndarray of uint8, shape (T, H', W') or (T, H', W', 3)
    """
    if copy == 0:
        return frames
    random = np.random.default_rng([zlib.crc32(name.encode()), copy])
    angle, shear = random.uniform(-ROTATION_DEG, ROTATION_DEG), random.uniform(-SHEAR_DEG, SHEAR_DEG)
    mirror = flip and random.random() < 0.5
    height, width = frames.shape[1:3]
    grow = max(1.0, SMALLEST_SIDE / min(height, width))
    size = (round(width * grow), round(height * grow))
    matrix = _about_center(math.radians(angle), math.tan(math.radians(shear)), mirror, (width, height), size)
    return np.stack([_warp(frame, matrix, size) for frame in frames])


def _about_center(
    angle: float, shear: float, mirror: bool, before: tuple[int, int], after: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Return the (2, 3) map from pixels of the old frame to pixels of the new one."""
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag([-1.0 if mirror else 1.0, 1.0])
    linear = linear @ np.diag([after[0] / before[0], after[1] / before[1]])
    old_center, new_center = (np.array([(w - 1) / 2, (h - 1) / 2]) for w, h in (before, after))
    return np.column_stack([linear, new_center - linear @ old_center])


def _warp(frame: Any, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    warped: npt.NDArray[np.uint8] = cv2.warpAffine(
        frame, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(GRAY,) * 3
    )
    return warped
