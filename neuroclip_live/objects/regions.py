"""From a slice's events to regions of activity: a grid of cells, the noise level, connected cells.

A pixel counts once a slice however often it fires, so a hot or flickering pixel weighs no more than an edge
that passed once. Cells that stand out from the noise of the whole picture are active; those of
the slice before close gaps in an outline. Cells are joined at two scales: touching ones form a part, parts
that are near for their shape and size form one region, unless the tracker knows better.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.events import Packet, Resolution
from neuroclip_live.objects.boxes import groups, rows_of
from neuroclip_live.objects.camera import CameraWatch
from neuroclip_live.objects.cells import active_in, extent_of, mark_into, parts_of
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.counting import words_of

PER_CELL = 24
"""A cell's side is the root of the shorter side over this: more cells on a larger sensor, and larger ones."""
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
    cells : ndarray of int32, shape (n,)
        Its cells, by their flat numbers on the grid.
    box : Box
        Around its activity of the newest slice, in pixels.
    mass : float
        Active pixels in it.
    """

    cells: npt.NDArray[np.int32]
    box: Box
    mass: float
    shared: bool = False
    """One of several that a larger region was divided into: its border is a guess."""


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
    mass : float
        Active pixels of the newest slice in all that stands out from its noise, also what is no region.
    """

    def __init__(self, resolution: Resolution, smallest: int | None = None) -> None:
        self.resolution = resolution
        shorter = min(resolution)
        self.cell = max(2, round((shorter / PER_CELL) ** 0.5))
        self.smallest = smallest if smallest is not None else max(8, shorter // 24)
        self.crowded = self.structured = False
        self.mass = 0.0
        self._camera = CameraWatch()
        rows, columns = self.rows, self.columns = (
            -(-resolution.height // self.cell),
            -(-resolution.width // self.cell),
        )
        self._counts = np.zeros((rows, columns), np.float32)
        self._lasting = np.zeros((rows, columns), np.uint8)
        self._marks, self._mark = np.zeros(resolution.area, np.uint8), 0
        self._edges = np.zeros((rows, columns, 4), np.int32)
        self._touch = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_JOIN, _JOIN))

    def forget(self) -> None:
        """Begin anew: another time, or another scene."""
        self._lasting[...] = 0
        self.crowded = self.structured = False
        self._camera.forget()

    def find(self, events: Packet) -> list[Region]:
        """Return the parts of a slice's regions, the largest first; :meth:`grouped` joins them."""
        self._count(events)
        near = cv2.boxFilter(self._counts, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        self.structured = self._camera.moves(self._counts, near)
        area = self.cell * self.cell
        active, level = active_in(self._counts, near, 9 * area, max(0.12 * area, 3.0), self._lasting, _LASTS)
        dense = level > _DENSE * 9 * area
        self.crowded = bool(dense or _is_coarse(active))
        self.mass = 0.0
        if self.crowded:
            return []
        count, labels = cv2.connectedComponents(cv2.dilate(self._lasting, self._touch), connectivity=8)
        cells, begins, masses, boxes = parts_of(labels, self._counts, active, count)
        boxes *= self.cell
        self.mass = float(masses.sum())
        return [
            Region(cells[begins[k] : begins[k + 1]], Box(*boxes[k].tolist()), float(masses[k]))
            for k in np.argsort(-masses)[:_MOST_PARTS]
            if masses[k] >= self.smallest
        ]

    def grouped(self, parts: list[Region]) -> list[Region]:
        """Join parts that are near for what they are; return the regions, the largest first."""
        if not parts:
            return []
        masses = np.array([part.mass for part in parts])
        group = groups(rows_of(part.box for part in parts), masses, float(self.cell), _THIN).tolist()
        members: dict[int, list[Region]] = {}
        for one, part in zip(group, parts, strict=True):
            members.setdefault(one, []).append(part)
        found = [self.joined(members[one]) for one in sorted(members)]
        return sorted((r for r in found if r is not None), key=lambda r: -r.mass)

    def joined(self, parts: list[Region]) -> Region | None:
        """Return the region that parts make up; None for one too small to be a thing."""
        return self.region(
            np.concatenate([part.cells for part in parts]) if len(parts) > 1 else parts[0].cells
        )

    def region(self, cells: npt.NDArray[np.int32]) -> Region | None:
        """Return the region that cells make up; None for one too small to be a thing."""
        mass, short, *edges = extent_of(cells, self._counts, self._edges)
        if self.cell * short < self.smallest or mass < 1.5 * self.smallest:
            return None
        return Region(cells, Box(*edges), mass)

    def _count(self, events: Packet) -> None:
        self._counts[...] = 0
        if self._mark == 255:
            self._marks[...] = self._mark = 0
        self._mark += 1
        mark_into(
            words_of(events), self._marks, self._mark, self._counts, self._edges, self.cell,
            self.resolution.width,
        )  # fmt: skip


def _is_coarse(active: npt.NDArray[np.uint8]) -> bool:
    """Tell whether most of an 8 × 8 grid is active, a quarter of a field being enough."""
    if np.count_nonzero(active) <= 0.25 * _CROWDED * active.size:
        return False  # so few cannot be a quarter of so many fields
    coarse = cv2.resize(active.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA)
    return bool((coarse > 0.25).mean() > _CROWDED)
