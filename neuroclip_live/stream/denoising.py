"""The noise filter's pass over the events of a packet: marking and picking in one, without the lock."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint32, uint64

from neuroclip_live.compiled import njit

_SHIFT, _LOW = np.uint32(16), np.uint32(0xFFFF)
_ONE, _TWO = np.uint64(1), np.uint64(2)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def keep_supported(pairs: Any, words: Any, last: Any, support_us: int, kept: Any) -> int:
    """Copy the events with a neighbor no older than ``support_us`` to ``kept``; return how many.

    The newest of the eight neighbors decides, found without branches: in noise a branch is a guess, and a
    wrong one costs more than all eight loads. Each event is copied where the next kept one belongs, so those
    not kept are overwritten.

    Parameters
    ----------
    pairs, words : ndarray of int64 (N, 2), ndarray of uint32 (N, 4)
        The same events, seen twice.
    last : ndarray of int64, shape (H + 2, W + 2)
        When each pixel fired, with a margin; events outside the sensor stay.
    support_us : int
    kept : ndarray of int64, shape (N, 2)
    """
    height, width = uint32(last.shape[0] - 2), uint32(last.shape[1] - 2)
    fired, row = last.reshape(last.size), uint64(last.shape[1])
    count = 0
    for i in range(words.shape[0]):
        t, xy = pairs[i, 0], words[i, 2]
        x, y = xy & _LOW, xy >> _SHIFT  # a negative coordinate becomes a large one
        stays = True
        if (x < width) & (y < height):
            above = uint64(y) * row + uint64(x)
            here = above + row
            below = here + row
            newest = max(
                max(max(fired[above], fired[above + _ONE]), max(fired[above + _TWO], fired[here])),
                max(max(fired[here + _TWO], fired[below]), max(fired[below + _ONE], fired[below + _TWO])),
            )
            stays = newest >= t - support_us
            fired[here + _ONE] = t
        kept[count, 0], kept[count, 1] = t, pairs[i, 1]
        count += stays
    return count
