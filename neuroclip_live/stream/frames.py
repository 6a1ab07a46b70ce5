"""Events become an image the encoder can read: count, discriminate, fit.

The one implementation of the *simple discrimination strategy* of NeuroCLIP, used live, in evaluation and in
training alike, so that a model never sees at work what it did not see in training. A pixel with nothing to
say is mid-gray (127); OFF is white (255), ON is black (0) and, written last, wins where both fired.

The loops over events are in :mod:`neuroclip_live.stream.counting`.
"""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.counting import GRAY as GRAY
from neuroclip_live.stream.counting import count_into, discriminate_into, paint_into, words_of

OFF_WHITE, ON_BLACK = 255, 0
"""Frame values where brightness fell and where it rose; ``GRAY``, 127, where nothing happened."""

Fit = Literal["letterbox", "squash"]
Counts = npt.NDArray[np.uint16]
Frame = npt.NDArray[np.uint8]

_GRID = 32


def count_events(events: Packet, resolution: Resolution) -> Counts:
    """Count events per polarity and pixel.

    Parameters
    ----------
    events : ndarray of EVENT_DTYPE, shape (N,)
    resolution : Resolution
        Sensor size (width, height) in pixels; events outside it are left out.

    Returns
    -------
    ndarray of uint16, shape (2, H, W)
        Channel 0 counts OFF, channel 1 counts ON; counts stop at 65535 instead of wrapping round.

    Raises
    ------
    ValueError
        If ``events`` has another dtype or more than one dimension.
    """
    counts = np.zeros((2, resolution.height, resolution.width), dtype=np.uint16)
    count_into(words_of(events), counts)
    return counts


def discriminate(counts: npt.NDArray[Any], threshold: int = 0) -> Frame:
    """Turn counts into the three-valued event frame.

    Parameters
    ----------
    counts : ndarray of integers, shape (2, H, W)
        As :func:`count_events` makes them.
    threshold : int
        A pixel speaks when its count is *above* this: 0 for N-MNIST, 1 for CIFAR10-DVS in the reference.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        127 nothing, 255 OFF, 0 ON; ON wins.

    Raises
    ------
    ValueError
        If ``counts`` is not (2, H, W).
    """
    if counts.ndim != 3 or counts.shape[0] != 2:
        raise ValueError(f"counts are (2, H, W), not {counts.shape}")
    frame = np.empty(counts.shape[1:], dtype=np.uint8)
    kind = counts.dtype.type  # comparing like with like, the loop takes many pixels at once
    limit = kind(min(threshold, np.iinfo(counts.dtype).max))
    discriminate_into(np.ascontiguousarray(counts), limit, frame)
    return frame


def event_frame(events: Packet, resolution: Resolution, threshold: int = 0) -> Frame:
    """Count and discriminate in one step; see :func:`count_events` and :func:`discriminate`.

    With threshold 0 nothing needs to be counted, and the frame is painted from the events at once.
    """
    if threshold:
        return discriminate(count_events(events, resolution), threshold)
    frame = np.empty((resolution.height, resolution.width), dtype=np.uint8)
    paint_into(words_of(events), frame)
    return frame


def fit_frame(frame: npt.NDArray[Any], size: int, fit: Fit = "letterbox") -> Frame:
    """Resize a frame to the encoder's square input.

    Parameters
    ----------
    frame : ndarray of uint8, shape (H, W) or (H, W, 3)
    size : int
        Side of the square in pixels.
    fit : {"letterbox", "squash"}
        ``letterbox`` keeps shapes and fills the rest with 127; ``squash`` stretches, as the reference does.

    Returns
    -------
    ndarray of uint8, shape (size, size) or (size, size, 3)

    Raises
    ------
    ValueError
        If the frame is not a non-empty image, ``size`` is not positive or ``fit`` is unknown.
    """
    if frame.ndim not in (2, 3) or frame.size == 0:
        raise ValueError(f"a frame is a non-empty (H, W) or (H, W, 3) image, not {frame.shape}")
    if size < 1:
        raise ValueError(f"size is at least 1 pixel, not {size}")
    if fit not in ("letterbox", "squash"):
        raise ValueError(f"fit is 'letterbox' or 'squash', not {fit!r}")
    height, width = frame.shape[:2]
    if fit == "squash" or height == width:
        return _resize(frame, size, size)
    scale = size / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    square = np.full((size, size, *frame.shape[2:]), GRAY, dtype=np.uint8)
    top, left = (size - new_height) // 2, (size - new_width) // 2
    square[top : top + new_height, left : left + new_width] = _resize(frame, new_width, new_height)
    return square


def focus_box(frame: npt.NDArray[Any], margin: float = 0.12, smallest: float = 0.3) -> Box:
    """Find where the activity is, so that a small object far off center can fill the encoder's view.

    The frame is cut into a coarse grid; cells clearly denser than the background, smoothed over their
    neighbors, count as active, so that noise dots all over the sensor do not move the box. It holds the
    active cells (outermost 1 % of the activity cut off on each side) and a ``margin``, is made square where
    the frame has room, and never smaller than ``smallest`` times the sensor's shorter side. A frame without
    activity, or active everywhere, gives the whole frame.

    Parameters
    ----------
    frame : ndarray of uint8, shape (H, W) or (H, W, 3)
        A frame at the sensor's resolution, gray where nothing happened.
    margin : float
        Room added on each side, as a share of the longer side of the activity.
    smallest : float
        Lower bound of the box's side relative to the shorter side of the frame.

    Returns
    -------
    Box
    """
    height, width = frame.shape[:2]
    scale = min(1.0, _GRID / max(height, width))
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    active = (frame != GRAY).astype(np.float32)
    if frame.ndim == 3:
        active = active.max(axis=2)
    density = cv2.resize(active, (columns, rows), interpolation=cv2.INTER_AREA)
    density = cv2.blur(density, (3, 3), borderType=cv2.BORDER_CONSTANT)
    excess = (
        density - np.float32(0.25) * np.partition(density.ravel(), -density.size // 50)[-density.size // 50]
    )
    excess[(excess < 0) | (density < 1.5 * np.median(density))] = 0
    if not excess.any():
        return Box(0, 0, width, height)
    left, right = _central_span(excess.sum(axis=0), columns, width)
    top, bottom = _central_span(excess.sum(axis=1), rows, height)
    side = max(max(right - left, bottom - top) * (1 + 2 * margin), smallest * min(height, width))
    box_width, box_height = min(round(side), width), min(round(side), height)
    new_left = int(np.clip(round((left + right - box_width) / 2), 0, width - box_width))
    new_top = int(np.clip(round((top + bottom - box_height) / 2), 0, height - box_height))
    return Box(new_left, new_top, new_left + box_width, new_top + box_height)


def in_gray(frame: npt.NDArray[np.uint8]) -> Frame:
    """Return a frame (H, W) as it is, or the mean over the channels of one (H, W, 3), to be shown."""
    if frame.ndim == 2:
        return frame
    gray: Frame = np.rint(frame.mean(axis=2, dtype=np.float32)).astype(np.uint8)
    return gray


def crop(frame: npt.NDArray[Any], box: Box) -> npt.NDArray[Any]:
    """Return the part of ``frame`` (H, W, …) inside ``box``, as a view."""
    return frame[box.top : box.bottom, box.left : box.right]


def _central_span(profile: npt.NDArray[Any], cells: int, pixels: int) -> tuple[float, float]:
    """Return the ends, in pixels, of the central 98 % of a profile over ``cells`` cells."""
    cumulated = np.cumsum(profile)
    first = int(np.searchsorted(cumulated, 0.01 * cumulated[-1], side="right"))
    last = int(np.searchsorted(cumulated, 0.99 * cumulated[-1], side="left"))
    return first * pixels / cells, (min(last, cells - 1) + 1) * pixels / cells


def _resize(frame: npt.NDArray[Any], width: int, height: int) -> Frame:
    """Resize bilinearly; averages over areas when shrinking, as antialiased bilinear filters do."""
    if frame.shape[:2] == (height, width):
        return np.ascontiguousarray(frame, dtype=np.uint8)
    shrinks = height < frame.shape[0]
    resized: Frame = cv2.resize(
        np.ascontiguousarray(frame, dtype=np.uint8),
        (width, height),
        # plain bilinear skips pixels when it shrinks by more than two, and event edges are one pixel wide
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    return resized
