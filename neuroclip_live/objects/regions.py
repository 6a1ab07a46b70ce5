"""From a slice's events to regions of activity: a grid of cells, the noise level, connected cells.

A pixel counts once a slice however often it fires, so a hot or flickering pixel weighs no more than an edge
that passed once. Cells that stand out from the noise of the whole picture are active; those of
the slice before close gaps in an outline. Cells are joined at two scales: touching ones form a part, parts
that are near for their shape and size form one region, unless the tracker knows better.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit, uint32

from neuroclip_live.events import Packet, Resolution
from neuroclip_live.objects.camera import CameraWatch
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.counting import words_of

CELLS = 60
"""Cells along the shorter side, about; a cell is at least two pixels wide."""
_JOIN = 3
"""Cells that dilated by this touch are connected."""
_LASTS = 3
"""In so many slices a cell that was active closes gaps."""
_THIN = 2.5
"""A region so many times longer than wide is an edge of something."""
_MOST_PARTS = 64
_CROWDED = 0.5
"""With so much of the picture active at once there are no regions: the camera moves, or a thing fills it."""
_DENSE = 0.2
"""So many of all pixels in one slice are no noise: a texture that moves as a whole."""

Cells = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
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
    shared: bool = False
    """One of several that a larger region was divided into: its border is a guess."""

    @property
    def reach(self) -> float:
        """How far from it, in pixels, what belongs to it may lie.

        The thin parts of an outline have their like across the whole thing; a solid part has not.
        """
        left, top, right, bottom = self.box
        short, long = sorted((right - left, bottom - top))
        return 0.8 * long if long > _THIN * short else 0.25 * short

    def is_near(self, other: Region, at_least: float) -> bool:
        """Tell whether two regions are parts of one thing, by the gap between them."""
        smaller, larger = sorted((self, other), key=lambda region: region.mass)
        reach = min(self.reach, other.reach)
        if smaller.mass < 0.1 * larger.mass:
            reach = max(
                reach, 0.25 * min(larger.box.right - larger.box.left, larger.box.bottom - larger.box.top)
            )
        return gap(self.box, other.box) <= max(reach, at_least)


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
    structured : bool
        Of late nearly everything was structure that moves; see :mod:`~.camera`.
    """

    def __init__(self, resolution: Resolution, smallest: int | None = None) -> None:
        self.resolution = resolution
        shorter = min(resolution)
        self.cell = max(2, round(shorter / CELLS))
        self.smallest = smallest if smallest is not None else max(8, shorter // 24)
        self.crowded = self.structured = False
        self._camera = CameraWatch()
        rows, columns = -(-resolution.height // self.cell), -(-resolution.width // self.cell)
        self._counts = np.zeros((rows, columns), np.float32)
        self._before = np.zeros((rows, columns), np.uint8)
        self._marks = np.zeros(resolution.area, np.uint8)
        self._edges = np.zeros((rows, columns, 4), np.int32)
        """Per cell the first and past-the-last columns and rows that fired: left, top, right, bottom."""

    def forget(self) -> None:
        """Begin anew: another time, or another scene."""
        self._before[...] = 0
        self.crowded = self.structured = False
        self._camera.forget()

    def find(self, events: Packet) -> list[Region]:
        """Return the parts of a slice's regions, the largest first; :meth:`grouped` joins them."""
        self._counts[...] = 0
        _mark_into(words_of(events), self._marks, self._counts, self._edges, self.cell, *self.resolution)
        near = cv2.boxFilter(self._counts, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        self.structured = self._camera.moves(self._counts, near)
        level = float(np.median(near))
        # noise alone is Poisson: four deviations above its level are rare among a few thousand cells
        limit = np.float32(max(level + 4 * np.sqrt(level) + 1, 0.12 * self.cell * self.cell, 3))
        now = np.where(near > limit, self._counts, np.float32(0))
        active = (now > 0).astype(np.uint8)
        dense = level > _DENSE * 9 * self.cell * self.cell
        self.crowded = bool(dense or _coarse_share(active) > _CROWDED)
        lasting = np.maximum(active * _LASTS, self._before)
        self._before = np.maximum(lasting, 1) - 1
        lasting = np.minimum(lasting, 1)
        if self.crowded:
            return []
        joined = cv2.dilate(lasting, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_JOIN, _JOIN)))
        count, labels = cv2.connectedComponents(joined, connectivity=8)
        if count <= 1:
            return []
        owner = np.where(active > 0, labels, 0)
        masses = np.bincount(owner.ravel(), weights=now.ravel(), minlength=count)
        masses[0] = 0
        largest = np.argsort(-masses)[:_MOST_PARTS]
        return [self._part(owner == number, now) for number in largest if masses[number] >= self.smallest]

    def grouped(self, parts: list[Region]) -> list[Region]:
        """Join parts that are near for what they are; return the regions, the largest first."""
        group = np.arange(len(parts))
        for i, j in combinations(range(len(parts)), 2):
            if group[i] != group[j] and parts[i].is_near(parts[j], self.cell):
                group[group == group[j]] = group[i]
        found = []
        for one in np.unique(group):
            members = [parts[k].cells for k in np.flatnonzero(group == one)]
            found.append(self.region(np.logical_or.reduce(members)))
        return sorted((r for r in found if r is not None), key=lambda r: -r.mass)

    def _part(self, cells: npt.NDArray[np.bool_], weights: Cells) -> Region:
        ys, xs = np.nonzero(cells)
        size = self.cell
        box = Box(
            int(xs.min()) * size, int(ys.min()) * size, int(xs.max() + 1) * size, int(ys.max() + 1) * size
        )
        return Region(cells, box, float(weights[ys, xs].sum()))

    def region(self, cells: npt.NDArray[np.bool_]) -> Region | None:
        """Return the region that cells make up; None for one too small to be a thing."""
        weights = self._counts
        ys, xs = np.nonzero(cells)
        if not len(ys):
            return None
        mass = weights[ys, xs]
        total = float(mass.sum())
        (left, right), (top, bottom) = _span(xs, mass), _span(ys, mass)
        within = (xs >= left) & (xs < right) & (ys >= top) & (ys < bottom) & (mass > 0)
        edges = self._edges[ys[within], xs[within]]
        if not len(edges):
            return None
        box = Box(*(int(edge) for edge in (*edges[:, :2].min(axis=0), *edges[:, 2:].max(axis=0))))
        if self.cell * min(right - left, bottom - top) < self.smallest or total < 1.5 * self.smallest:
            return None
        return Region(cells, box, total)


def gap(one: Box, other: Box) -> float:
    """Return how far apart two boxes are, in pixels; 0 where they touch."""
    across = max(one.left - other.right, other.left - one.right, 0)
    down = max(one.top - other.bottom, other.top - one.bottom, 0)
    return float(np.hypot(across, down))


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
def _mark_into(words: Any, marks: Any, counts: Any, edges: Any, cell: int, width: int, height: int) -> None:
    """Count, per cell, the pixels that fired and note between which edges (rows, columns, 4) they lie.

    ``marks`` (W * H) is zero before and after.
    """
    low, shift = uint32(0xFFFF), uint32(16)
    wide, high = uint32(width), uint32(height)
    for i in range(words.shape[0]):
        x, y = words[i, 2] & low, words[i, 2] >> shift
        if (x < wide) & (y < high):
            at = int(y) * width + int(x)
            if marks[at] == 0:
                marks[at] = 1
                column, row = int(x), int(y)
                i_row, i_column = row // cell, column // cell
                edge = edges[i_row, i_column]
                if counts[i_row, i_column] == 0:
                    edge[0], edge[1], edge[2], edge[3] = column, row, column + 1, row + 1
                else:
                    edge[0], edge[1] = min(edge[0], column), min(edge[1], row)
                    edge[2], edge[3] = max(edge[2], column + 1), max(edge[3], row + 1)
                counts[i_row, i_column] += 1
    for i in range(words.shape[0]):
        x, y = words[i, 2] & low, words[i, 2] >> shift
        if (x < wide) & (y < high):
            marks[int(y) * width + int(x)] = 0
