"""Whether the camera itself moves: then there is structure nearly everywhere, not noise with things in it.

Noise falls anywhere: how many neighbors of a pixel fire says nothing about it. Edges that move are clumps. In
fields of the picture events are compared with what chance would give; things leave many fields to chance, a
background that moves leaves few.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

_FIELDS = 12
"""Fields across and down."""
_FADES = 0.3
_REST = 30
"""So many per cent of the fields are noise alone while the camera rests."""
_CLUMPED = 1.12
"""So many times the pairs of neighbors that chance gives are structure."""
_PRIOR = 0.5
"""Pairs that every field is given: a few events alone are no evidence."""

Cells = npt.NDArray[np.float32]


class CameraWatch:
    """Judges slice by slice, from how activity lies on a grid of cells; a few slices are remembered."""

    def __init__(self) -> None:
        self._seen: Cells | None = None
        self._chance: Cells | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._seen = self._chance = None

    def moves(self, counts: Cells, near: Cells) -> bool:
        """Tell whether nearly everything is structure.

        Parameters
        ----------
        counts : ndarray of float32, shape (rows, columns)
            Active pixels in each cell.
        near : ndarray of float32, shape (rows, columns)
            The same in each cell and its eight neighbors.
        """
        if min(counts.shape) < 2 * _FIELDS:
            return False
        size = counts.size / _FIELDS**2
        mean = _by_fields(counts)
        seen, chance = _by_fields(counts * (near - counts)) * size, 8 * mean * mean * size
        if self._seen is None or self._chance is None:
            self._seen, self._chance = seen, chance
        else:
            self._seen += _FADES * (seen - self._seen)
            self._chance += _FADES * (chance - self._chance)
        ratio = (self._seen + _PRIOR) / (self._chance + _PRIOR)
        place = round(_REST / 100 * (ratio.size - 1))
        return bool(np.partition(ratio, place, axis=None)[place] > _CLUMPED)


def _by_fields(cells: Cells) -> Cells:
    return np.asarray(cv2.resize(cells, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA), np.float32)
