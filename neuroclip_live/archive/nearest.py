"""Which of millions of rows score best for a word, without reading all of them.

A row's product with a text is nearly the same in the few directions in which rows differ from each other, so
a :class:`Sketch` keeps those as one byte each: 64 bytes instead of 1,280. All sketches are looked at, and the
best are scored again, exactly. Rejected: graphs and cells of neighbors (HNSW, IVF). They are made for queries
that lie among the rows, a text lies far from all of them, and a word's moments are thousands of rows,
not ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

DIRECTIONS = 64
SHORTLIST = 4
"""So many times the rows asked for are scored exactly."""
_SAMPLE = 20_000
_BLOCK = 1 << 16

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]


@numba.njit(nogil=True, fastmath=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _products(codes: Any, query: Any, out: Any) -> None:
    for row in range(codes.shape[0]):
        total = np.float32(0)
        for column in range(codes.shape[1]):
            total += np.float32(codes[row, column]) * query[column]
        out[row] = total


@dataclass(frozen=True)
class Sketch:
    """Rows, small.

    Attributes
    ----------
    rows : ndarray of float16, shape (N, C)
        The rows themselves; may be mapped from a file.
    codes : ndarray of int8, shape (N, D)
    directions : ndarray of float32, shape (C, D)
        What a query is multiplied by, the codes' steps included.
    """

    rows: Halves
    codes: npt.NDArray[np.int8]
    directions: Floats

    @classmethod
    def of(cls, rows: Halves, directions: int = DIRECTIONS) -> Sketch:
        """Make sketches of rows (N, C); the directions are learned from some of them, always the same."""
        count = len(rows)
        picked = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64))
        sample = np.asarray(rows[picked], np.float32)
        mean = sample.mean(axis=0)
        _, axes = np.linalg.eigh((sample - mean).T @ (sample - mean))
        basis = np.ascontiguousarray(axes[:, ::-1][:, :directions], np.float32)
        step = np.abs((sample - mean) @ basis).max(axis=0) / 127
        step = np.maximum(step, 1e-9).astype(np.float32)
        codes = np.empty((count, basis.shape[1]), np.int8)
        for start in range(0, count, _BLOCK):
            block = (np.asarray(rows[start : start + _BLOCK], np.float32) - mean) @ basis
            codes[start : start + _BLOCK] = np.clip(np.rint(block / step), -127, 127)
        return cls(rows, codes, basis * step)

    def nearest(self, query: Floats, count: int, less: Floats | None = None) -> npt.NDArray[np.int64]:
        """Return the rows of the largest products with ``query`` (C,), less a number each, largest first."""
        count = min(count, len(self.rows))
        guess = np.empty(len(self.codes), np.float32)
        _products(self.codes, np.asarray(query @ self.directions, np.float32), guess)
        if less is not None:
            guess -= less
        wanted = min(len(guess), SHORTLIST * count)
        short = np.sort(np.argpartition(-guess, wanted - 1)[:wanted])
        exact = products(self.rows[short], query)
        if less is not None:
            exact -= less[short]
        return np.asarray(short[np.argsort(-exact, kind="stable")[:count]], np.int64)


def products(rows: Halves, query: Floats) -> Floats:
    """Return the products of rows (N, C) with ``query`` (C,), block by block: float16 is slow to multiply."""
    out = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK):
        out[start : start + _BLOCK] = np.asarray(rows[start : start + _BLOCK], np.float32) @ query
    return out
