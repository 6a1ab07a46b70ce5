"""Whether the camera itself moves: then there is structure nearly everywhere, not noise with things in it.

Noise falls anywhere: how many neighbors of a pixel fire says nothing about it. Edges that move are clumps. In
fields of the picture events are compared with what chance would give; things leave many fields to chance, a
background that moves leaves few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

_FIELDS = 12
"""Fields across and down."""
_FADES = 0.3
_REST = 30
"""So many per cent of the fields are noise alone while the camera rests."""
_CLUMPED = 1.12
"""So many times the pairs of neighbors that chance gives are structure."""
_PRIOR = 0.5
"""Pairs that every field is given: a few events alone are no evidence."""
_PLACE = round(_REST / 100 * (_FIELDS**2 - 1))

Cells = npt.NDArray[np.float32]


class CameraWatch:
    """Judges slice by slice, from how activity lies on a grid of cells; a few slices are remembered."""

    def __init__(self) -> None:
        self._past = np.zeros((2, _FIELDS, _FIELDS))
        self._begun = False

    def forget(self) -> None:
        """Begin anew."""
        self._begun = False

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
        fades = _FADES if self._begun else 1.0
        self._begun = True
        return bool(_ratio(counts, near, self._past, fades) > _CLUMPED)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _ratio(counts: Any, near: Any, past: Any, fades: float) -> float:
    """Return of the fields' pairs over what chance gives the value that the resting ones stay below.

    ``past`` (2, fields, fields), pairs seen and pairs by chance, is brought up to date.
    """
    rows, columns = counts.shape
    sums = np.zeros((2, _FIELDS, _FIELDS))
    firsts, lasts = np.zeros(columns, np.int64), np.zeros(columns)
    for column in range(columns):
        firsts[column], lasts[column] = _shared(column, columns)
    for row in range(rows):
        i, below = _shared(row, rows)
        for column in range(columns):
            count = counts[row, column]
            if count == 0:
                continue
            pairs = count * (near[row, column] - count)
            j, beside = firsts[column], lasts[column]
            for k, value in ((0, pairs), (1, count)):
                sums[k, i, j] += (1 - below) * (1 - beside) * value
                if beside > 0:
                    sums[k, i, j + 1] += (1 - below) * beside * value
                if below > 0:
                    sums[k, i + 1, j] += below * (1 - beside) * value
                    if beside > 0:
                        sums[k, i + 1, j + 1] += below * beside * value
    size = rows * columns / _FIELDS**2
    ratios = np.empty(_FIELDS * _FIELDS)
    for i in range(_FIELDS):
        for j in range(_FIELDS):
            past[0, i, j] += fades * (sums[0, i, j] - past[0, i, j])
            past[1, i, j] += fades * (8 * sums[1, i, j] ** 2 / size - past[1, i, j])
            ratios[i * _FIELDS + j] = (past[0, i, j] + _PRIOR) / (past[1, i, j] + _PRIOR)
    return float(np.sort(ratios)[_PLACE])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _shared(cell: int, cells: int) -> tuple[int, float]:
    """Return the field that a cell begins in, and how much of it lies in the next."""
    begins, ends = cell * _FIELDS, (cell + 1) * _FIELDS
    field = begins // cells
    over = ends - (field + 1) * cells
    return field, max(over, 0) / _FIELDS
