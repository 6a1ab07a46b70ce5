"""Products of millions of rows with a few texts: exactly, or nearly from a tenth of the bytes.

What is kept of a row is its feature in float16, which NumPy takes far longer to widen than to multiply, so
the products are compiled. Where there are many rows, a :class:`Sketch` keeps of each where it lies along the
directions in which they differ most, a byte for each; what seems best by it is scored again, exactly.
Rejected: graphs and cells of neighbors (HNSW, IVF). They are made for queries that lie among the rows; a text
lies far from all of them, and a word's moments are thousands of rows, not ten.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

DIRECTIONS = 64
_SAMPLE = 20_000
_BLOCK = 1 << 14

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Ints = npt.NDArray[np.int64]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _widen(bits: Any, wide: Any, floats: Any) -> None:
    """Widen a row of float16, given as its bits, into ``floats``, which is ``wide`` seen as float32.

    Its exponent counts from 112 less than that of float32; no infinities here.
    """
    for column in range(bits.shape[0]):
        half = np.uint32(bits[column])
        wide[column] = ((half & np.uint32(0x8000)) << np.uint32(16)) | (
            (half & np.uint32(0x7FFF)) << np.uint32(13)
        )
    for column in range(bits.shape[0]):
        floats[column] *= np.float32(5.192296858534828e33)  # 2 to the power of 112


@njit(nogil=True, fastmath=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _products(bits: Any, which: Any, queries: Any, out: Any) -> None:
    wide = np.empty(bits.shape[1], np.uint32)
    floats = wide.view(np.float32)
    for at in range(which.shape[0]):
        _widen(bits[which[at]], wide, floats)
        for query in range(queries.shape[0]):
            total = np.float32(0)
            for column in range(floats.shape[0]):
                total += floats[column] * queries[query, column]
            out[query, at] = total


@njit(nogil=True, fastmath=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _squares(bits: Any, which: Any, out: Any) -> None:
    wide = np.empty(bits.shape[1], np.uint32)
    floats = wide.view(np.float32)
    for at in range(which.shape[0]):
        _widen(bits[which[at]], wide, floats)
        total = np.float32(0)
        for column in range(floats.shape[0]):
            total += floats[column] * floats[column]
        out[at] = total


@njit(nogil=True, fastmath=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _code_products(codes: Any, begin: int, queries: Any, out: Any) -> None:
    floats = np.empty(codes.shape[1], np.float32)
    for at in range(out.shape[1]):
        for column in range(floats.shape[0]):
            floats[column] = np.float32(codes[begin + at, column])
        for query in range(queries.shape[0]):
            total = np.float32(0)
            for column in range(floats.shape[0]):
                total += floats[column] * queries[query, column]
            out[query, at] = total


def products(rows: npt.NDArray[Any], queries: Floats, which: Ints) -> Floats:
    """Return the products (K, M) of queries (K, C) with those of rows (N, C) that ``which`` (M,) numbers."""
    if rows.dtype != np.float16:
        return np.asarray(queries @ rows[which].T, np.float32)
    out = np.empty((len(queries), len(which)), np.float32)
    _products(rows.view(np.uint16), which, np.ascontiguousarray(queries, np.float32), out)
    return out


def squares(rows: Halves, which: Ints) -> Floats:
    """Return the squared lengths (M,) of those of rows (N, C) that have the numbers ``which``."""
    out = np.empty(len(which), np.float32)
    _squares(rows.view(np.uint16), which, out)
    return out


def in_blocks(count: int, work: Callable[[int, int], None]) -> None:
    """Have ``work(begin, end)`` done for all of ``count`` rows, in blocks that caches hold, on every core."""
    bounds = list(pairwise([*range(0, count, _BLOCK), count]))
    if len(bounds) < 2:
        work(0, count)
        return
    with ThreadPoolExecutor(min(os.cpu_count() or 1, len(bounds))) as pool:
        for done in [pool.submit(work, *block) for block in bounds]:
            done.result()


@dataclass(frozen=True)
class Sketch:
    """Rows, small.

    Attributes
    ----------
    codes : ndarray of int8, shape (N, D)
    directions : ndarray of float32, shape (C, D)
        What a query is multiplied by, the codes' steps included.
    mean : ndarray of float32, shape (C,)
        What codes of zero stand for.
    """

    codes: npt.NDArray[np.int8]
    directions: Floats
    mean: Floats

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
        scaled, middle = basis.T / step[:, None], mean @ basis / step

        def code(begin: int, end: int) -> None:
            block = products(rows, scaled, np.arange(begin, end)).T - middle
            codes[begin:end] = np.clip(np.rint(block), -127, 127)

        in_blocks(count, code)
        return cls(codes, basis * step, mean)

    def products(self, queries: Floats, begin: int, end: int) -> Floats:
        """Return nearly the products (K, M) of the rows from ``begin`` to ``end`` with queries (K, C)."""
        out = np.empty((len(queries), end - begin), np.float32)
        _code_products(self.codes, begin, np.ascontiguousarray(queries @ self.directions), out)
        out += (queries @ self.mean)[:, None]
        return out
