"""The compiled loops over a slice's events and over grid cells; all release the interpreter lock.

A cell is told by its flat number, row * columns + column, so that what belongs to a region is a short list
and no mask of the whole grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32

from neuroclip_live.compiled import njit

_LOW, _SHIFT = np.uint32(0xFFFF), np.uint32(16)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mark_into(words: Any, marks: Any, mark: int, counts: Any, edges: Any, cell: int, width: int) -> None:
    """Count, per cell, the pixels that fired and note between which edges they lie.

    Parameters
    ----------
    words : ndarray of uint32, shape (N, 4)
        Events.
    marks : ndarray of uint8, shape (W * H,)
        A pixel is counted once: those that fired get ``mark``, which none has before.
    counts : ndarray of float32, shape (rows, columns)
        Zero before.
    edges : ndarray of int32, shape (rows, columns, 4)
        Of cells that are counted in: left, top, right and bottom of what fired, in pixels.
    """
    wide, high = uint32(width), uint32(marks.shape[0] // width)
    for i in range(words.shape[0]):
        x, y = words[i, 2] & _LOW, words[i, 2] >> _SHIFT
        if (x < wide) & (y < high):
            at = int(y) * width + int(x)
            if marks[at] == mark:
                continue
            marks[at] = mark
            column, row = int(x), int(y)
            i_row, i_column = y // uint32(cell), x // uint32(cell)
            edge = edges[i_row, i_column]
            if counts[i_row, i_column] == 0:
                edge[0], edge[1], edge[2], edge[3] = column, row, column + 1, row + 1
            else:
                edge[0], edge[1] = min(edge[0], column), min(edge[1], row)
                edge[2], edge[3] = max(edge[2], column + 1), max(edge[3], row + 1)
            counts[i_row, i_column] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def active_in(counts: Any, near: Any, most: int, least: float, lasting: Any, lasts: int) -> tuple[Any, float]:
    """Return which cells stand out from the picture's noise, and its level: the median of ``near``.

    Parameters
    ----------
    counts : ndarray of float32, shape (rows, columns)
        Whole numbers.
    near : ndarray of float32, shape (rows, columns)
        The sum over each cell and its eight neighbors.
    most : int
        No sum is greater.
    least : float
        Sums that are not greater are noise, whatever the level.
    lasting : ndarray of uint8, shape (rows, columns)
        Brought up to date: ``lasts`` in active cells, one less in each slice after.

    Returns
    -------
    active : ndarray of uint8, shape (rows, columns)
        1 where a cell is active and something fired in it, else 0.
    level : float
    """
    rows, columns = counts.shape
    having = np.zeros(most + 2, np.int64)
    for row in range(rows):
        for column in range(columns):
            having[min(int(near[row, column]), most)] += 1
    level, below = -1, 0
    while below <= rows * columns // 2:
        level += 1
        below += having[level]
    # noise alone is Poisson: four deviations above its level are rare among a few thousand cells
    limit = max(level + 4 * np.sqrt(level) + 1, least)
    active = np.zeros((rows, columns), np.uint8)
    for row in range(rows):
        for column in range(columns):
            if counts[row, column] > 0 and near[row, column] > limit:
                active[row, column] = 1
                lasting[row, column] = lasts
            elif lasting[row, column] > 0:
                lasting[row, column] -= 1
    return active, float(level)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def parts_of(labels: Any, counts: Any, active: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """Return what belongs to each label: cells in its order, where each begins, masses and boxes.

    Parameters
    ----------
    labels : ndarray of int32, shape (rows, columns)
        0 for none.
    counts : ndarray of float32, shape (rows, columns)
    active : ndarray of uint8, shape (rows, columns)
        Only cells that are not zero belong to their label.
    count : int
        One more than the greatest label.

    Returns
    -------
    cells : ndarray of int32
        Flat numbers; those of label k are ``cells[begins[k]:begins[k + 1]]``.
    begins : ndarray of int64, shape (count + 1,)
    masses : ndarray of float64, shape (count,)
    boxes : ndarray of int64, shape (count, 4)
        Left, top, right and bottom in cells, ends excluded.
    """
    rows, columns = labels.shape
    begins = np.zeros(count + 1, np.int64)
    masses = np.zeros(count, np.float64)
    boxes = np.zeros((count, 4), np.int64)
    boxes[:, 0], boxes[:, 1] = columns, rows
    for row in range(rows):
        for column in range(columns):
            label = labels[row, column]
            if label and active[row, column]:
                begins[label + 1] += 1
                masses[label] += counts[row, column]
                box = boxes[label]
                box[0], box[1] = min(box[0], column), min(box[1], row)
                box[2], box[3] = max(box[2], column + 1), max(box[3], row + 1)
    begins = np.cumsum(begins)
    cells = np.empty(begins[-1], np.int32)
    place = begins.copy()
    for row in range(rows):
        for column in range(columns):
            label = labels[row, column]
            if label and active[row, column]:
                cells[place[label]] = row * columns + column
                place[label] += 1
    return cells, begins, masses, boxes


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def extent_of(cells: Any, counts: Any, edges: Any) -> tuple[float, int, int, int, int, int]:
    """Return the mass of some cells, the shorter side in cells and the edges of its central 98 % in pixels.

    Edges are left, top, right and bottom; the mass is 0 where nothing fired.
    """
    rows, columns = counts.shape
    across, down = np.zeros(columns, np.float64), np.zeros(rows, np.float64)
    total = 0.0
    for at in cells:
        row, column = at // columns, at % columns
        mass = counts[row, column]
        across[column] += mass
        down[row] += mass
        total += mass
    if total == 0:
        return 0.0, 0, 0, 0, 0, 0
    left, right = _central(across, total)
    top, bottom = _central(down, total)
    box = np.array([1 << 30, 1 << 30, 0, 0])
    for at in cells:
        row, column = at // columns, at % columns
        if counts[row, column] > 0 and left <= column < right and top <= row < bottom:
            edge = edges[row, column]
            box[0], box[1] = min(box[0], edge[0]), min(box[1], edge[1])
            box[2], box[3] = max(box[2], edge[2]), max(box[3], edge[3])
    if box[2] == 0:
        return 0.0, 0, 0, 0, 0, 0
    return total, min(right - left, bottom - top), box[0], box[1], box[2], box[3]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _central(profile: Any, total: float) -> tuple[int, int]:
    """Return first and past-the-last place of the central 98 % of a profile."""
    first, sum_ = -1, 0.0
    for i in range(profile.shape[0]):
        sum_ += profile[i]
        if first < 0 and sum_ > 0.01 * total:
            first = i
        if sum_ >= 0.99 * total:
            return first, i + 1
    return first, profile.shape[0]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def nearest_of(cells: Any, columns: int, cell: int, places: Any) -> Any:
    """Return for each cell which of some places (M, 4) in pixels it fits best: the distance in its sides."""
    best = np.zeros(cells.shape[0], np.int64)
    for i in range(cells.shape[0]):
        x, y = (cells[i] % columns + 0.5) * cell, (cells[i] // columns + 0.5) * cell
        least = np.inf
        for k in range(places.shape[0]):
            left, top, right, bottom = places[k, 0], places[k, 1], places[k, 2], places[k, 3]
            across = abs(x - (left + right) / 2) / max(right - left, 1.0)
            down = abs(y - (top + bottom) / 2) / max(bottom - top, 1.0)
            far = max(across, down)
            if far < least:
                least, best[i] = far, k
    return best
