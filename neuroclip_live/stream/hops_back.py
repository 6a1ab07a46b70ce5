"""Hops cut backwards from a moment, for a place of a recording that is looked at alone."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt


def hops_back(
    times: npt.NDArray[np.int64], end_us: int, wanted: int, fewest: int, hop_us: int | None, hop_count: int
) -> list[tuple[int, int, int, int]]:
    """Return the hops that lead up to a time, oldest first.

    Parameters
    ----------
    times : ndarray of int64, shape (N,)
        Of events, in order.
    end_us : int
        Where the last hop ends.
    wanted, fewest : int
        How many there are to be, and how many at least where time ends hops: silence counts there.
    hop_us : int or None
        Longest duration of a hop; None when only the count ends it.
    hop_count : int
        Events in a hop at most.

    Returns
    -------
    list of (int, int, int, int)
        First event, the one after the last, and the time covered.
    """
    hops: deque[tuple[int, int, int, int]] = deque()
    stop, until_us = int(np.searchsorted(times, end_us)), end_us
    while len(hops) < wanted and (stop or len(hops) < fewest):
        first = max(0, stop - hop_count)
        begin_us = int(times[first]) if stop else until_us
        if hop_us is not None:
            limit_us = until_us - hop_us
            late = int(np.searchsorted(times[:stop], limit_us))
            if late >= first:
                first, begin_us = late, limit_us
        hops.appendleft((first, stop, begin_us, until_us))
        stop, until_us = first, begin_us
    return list(hops)
