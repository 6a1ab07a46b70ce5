"""From a slice's events to regions of activity: a grid of cells, the noise level, connected cells.

A pixel counts once a slice however often it fires, so a hot or flickering pixel weighs no more than an edge
that passed once. Cells that stand out from the noise of the whole picture are active; activity fades over a
few slices, so that the gaps which a slice leaves in an outline are closed by the slices before. Cells are
joined at two scales: touching ones form a part, parts a little apart form one region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit, uint32

from neuroclip_live.events import Packet, Resolution
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.counting import words_of

CELLS = 60
"""Cells along the shorter side, about; a cell is at least two pixels wide."""
FADE = 0.6
"""What is left of a cell's activity one slice later."""
_JOIN = 5
"""Cells up to half of this apart belong to one region."""
_CROWDED = 0.5
"""With so much of the picture active at once there are no regions: the camera moves, or a thing fills it."""
_DENSE = 0.2
"""So many of all pixels in one slice are no noise: a texture that moves as a whole."""

Cells = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Region:
    """A connected part of the picture in which something happens.

    Attributes
    ----------
    cells : ndarray of bool, shape (rows, columns)
        Its cells, on the whole grid.
    box : Box
        Around its activity of the newest slice, in pixels.
    mass : float
        Active pixels in it.
    """

    cells: npt.NDArray[np.bool_]
    box: Box
    mass: float


class RegionFinder:
    """Finds the regions of one stream's slices; remembers a few slices of activity.

    Parameters
    ----------
    resolution : Resolution
    smallest : int, optional
        Shorter side in pixels of what is still a region; see :class:`~.found.ObjectsSettings`.

    Attributes
    ----------
    crowded : bool
        The newest slice was active nearly everywhere.
    """

    def __init__(self, resolution: Resolution, smallest: int | None = None) -> None:
        self.resolution = resolution
        shorter = min(resolution)
        self.cell = max(2, round(shorter / CELLS))
        self.smallest = smallest if smallest is not None else max(8, shorter // 24)
        self.crowded = False
        rows, columns = -(-resolution.height // self.cell), -(-resolution.width // self.cell)
        self._counts = np.zeros((rows, columns), np.float32)
        self._faded: Cells = np.zeros((rows, columns), np.float32)
        self._marks = np.zeros(resolution.area, np.uint8)

    def forget(self) -> None:
        """Begin anew: another time, or another scene."""
        self._faded[...] = 0
        self.crowded = False

    def find(self, events: Packet) -> list[Region]:
        """Return the regions of a slice, the largest first."""
        self._counts[...] = 0
        _mark_into(words_of(events), self._marks, self._counts, self.cell, *self.resolution)
        near = cv2.boxFilter(self._counts, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        level = float(np.median(near))
        # noise alone is Poisson: four deviations above its level are rare among a few thousand cells
        limit = np.float32(max(level + 4 * np.sqrt(level) + 1, 0.12 * self.cell * self.cell, 3))
        now = np.where(near > limit, self._counts, np.float32(0))
        active = (now > 0).astype(np.uint8)
        dense = level > _DENSE * 9 * self.cell * self.cell
        self.crowded = bool(dense or _coarse_share(active) > _CROWDED)
        self._faded = np.maximum(now, np.float32(FADE) * self._faded)
        if self.crowded:
            return []
        lasting = (self._faded > 0.5).astype(np.uint8)
        joined = cv2.dilate(lasting, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_JOIN, _JOIN)))
        count, labels = cv2.connectedComponents(joined, connectivity=8)
        found = [self.region((labels == i) & (active > 0), now) for i in range(1, count)]
        return sorted((r for r in found if r is not None), key=lambda r: -r.mass)

    def region(self, cells: npt.NDArray[np.bool_], weights: Cells | None = None) -> Region | None:
        """Return the region that cells make up; None for one too small to be a thing."""
        weights = self._counts if weights is None else weights
        ys, xs = np.nonzero(cells)
        if not len(ys):
            return None
        mass = weights[ys, xs]
        total = float(mass.sum())
        left, right = _span(xs, mass)
        top, bottom = _span(ys, mass)
        size, (width, height) = self.cell, self.resolution
        box = Box(left * size, top * size, min(right * size, width), min(bottom * size, height))
        if min(box.right - box.left, box.bottom - box.top) < self.smallest or total < 2 * self.smallest:
            return None
        return Region(cells, box, total)


def _span(at: npt.NDArray[Any], mass: Cells) -> tuple[int, int]:
    """Return first and past-the-last cell of the central 98 % of the mass."""
    profile = np.cumsum(np.bincount(at, weights=mass))
    first = int(np.searchsorted(profile, 0.01 * profile[-1], side="right"))
    return first, int(np.searchsorted(profile, 0.99 * profile[-1], side="left")) + 1


def _coarse_share(active: npt.NDArray[np.uint8]) -> float:
    """Return the share of an 8 × 8 grid that is active, a quarter of a field being enough."""
    coarse = cv2.resize(active.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA)
    return float((coarse > 0.25).mean())


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _mark_into(words: Any, marks: Any, counts: Any, cell: int, width: int, height: int) -> None:
    """Count, per cell, the pixels that fired; ``marks`` (W * H) is zero before and after."""
    low, shift = uint32(0xFFFF), uint32(16)
    wide, high = uint32(width), uint32(height)
    for i in range(words.shape[0]):
        x, y = words[i, 2] & low, words[i, 2] >> shift
        if (x < wide) & (y < high):
            at = int(y) * width + int(x)
            if marks[at] == 0:
                marks[at] = 1
                counts[int(y) // cell, int(x) // cell] += 1
    for i in range(words.shape[0]):
        x, y = words[i, 2] & low, words[i, 2] >> shift
        if (x < wide) & (y < high):
            marks[int(y) * width + int(x)] = 0
