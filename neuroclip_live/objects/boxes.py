"""Boxes against boxes, compiled: with a few of each, NumPy takes longer to begin than to count.

Boxes are rows of float64 (N, 4): left, top, right, bottom in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

Floats = npt.NDArray[np.float64]


def rows_of(boxes: Iterable[Any]) -> Floats:
    """Return boxes as rows, (N, 4), also of none."""
    return np.array(list(boxes), np.float64).reshape(-1, 4)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def shares(inner: Any, outer: Any) -> Any:
    """Return how much of each of ``inner`` lies within each of ``outer``, (inner, outer)."""
    made = np.zeros((inner.shape[0], outer.shape[0]), np.float64)
    for i in range(inner.shape[0]):
        area = max(inner[i, 2] - inner[i, 0], 1.0) * max(inner[i, 3] - inner[i, 1], 1.0)
        for j in range(outer.shape[0]):
            wide = min(inner[i, 2], outer[j, 2]) - max(inner[i, 0], outer[j, 0])
            high = min(inner[i, 3], outer[j, 3]) - max(inner[i, 1], outer[j, 1])
            made[i, j] = max(wide, 0.0) * max(high, 0.0) / area
    return made


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def gaps(one: Any, other: Any) -> Any:
    """Return how far apart boxes are, (one, other) in pixels; 0 where they touch."""
    made = np.zeros((one.shape[0], other.shape[0]), np.float64)
    for i in range(one.shape[0]):
        for j in range(other.shape[0]):
            across = max(one[i, 0] - other[j, 2], other[j, 0] - one[i, 2], 0.0)
            down = max(one[i, 1] - other[j, 3], other[j, 1] - one[i, 3], 0.0)
            made[i, j] = np.hypot(across, down)
    return made


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def costs(places: Any, boxes: Any) -> Any:
    """Return (places, boxes): one minus the overlap, and the distance in their own size."""
    made = np.zeros((places.shape[0], boxes.shape[0]), np.float64)
    for i in range(places.shape[0]):
        wide, high = places[i, 2] - places[i, 0], places[i, 3] - places[i, 1]
        for j in range(boxes.shape[0]):
            w, h = boxes[j, 2] - boxes[j, 0], boxes[j, 3] - boxes[j, 1]
            across = max(min(places[i, 2], boxes[j, 2]) - max(places[i, 0], boxes[j, 0]), 0.0)
            down = max(min(places[i, 3], boxes[j, 3]) - max(places[i, 1], boxes[j, 1]), 0.0)
            common = across * down
            overlap = common / max(wide * high + w * h - common, 1.0)
            x = (places[i, 0] + places[i, 2] - boxes[j, 0] - boxes[j, 2]) / 2
            y = (places[i, 1] + places[i, 3] - boxes[j, 1] - boxes[j, 3]) / 2
            made[i, j] = 1 - overlap + 0.5 * np.hypot(x, y) / np.sqrt(max(wide * high, w * h, 1.0))
    return made


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def groups(boxes: Any, masses: Any, at_least: float, thin: float) -> Any:
    """Return the group of each part, (N,): parts that are near for what they are have the same.

    The thin parts of an outline, so many times longer than wide, have their like across the whole thing; a
    solid part has not. What is little beside another is near within a quarter of its shorter side.
    """
    count = boxes.shape[0]
    group = np.arange(count)
    reach = np.zeros(count, np.float64)
    for i in range(count):
        wide, high = boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1]
        short, long = min(wide, high), max(wide, high)
        reach[i] = 0.8 * long if long > thin * short else 0.12 * short
    for i in range(count):
        for j in range(i + 1, count):
            if group[i] == group[j]:
                continue
            smaller, larger = (i, j) if masses[i] <= masses[j] else (j, i)
            near = min(reach[i], reach[j])
            if masses[smaller] < 0.1 * masses[larger]:
                box = boxes[larger]
                near = max(near, 0.25 * min(box[2] - box[0], box[3] - box[1]))
            across = max(boxes[i, 0] - boxes[j, 2], boxes[j, 0] - boxes[i, 2], 0.0)
            down = max(boxes[i, 1] - boxes[j, 3], boxes[j, 1] - boxes[i, 3], 0.0)
            if np.hypot(across, down) <= max(near, at_least):
                from_, to = group[j], group[i]
                for k in range(count):
                    if group[k] == from_:
                        group[k] = to
    return group


def grown(boxes: Floats, by: float = 0.15) -> Floats:
    """Return boxes with so much of their sides more on each side."""
    margin = by * (boxes[:, 2:] - boxes[:, :2])
    return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + margin])
