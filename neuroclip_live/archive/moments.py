"""Rows with scores into moments: stretches of a recording in which something is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

GAP_US = 1_200_000
"""Rows of one moment follow each other at most so far apart: what turns still for a second is still there."""
SHARE = 0.5
"""A moment goes on as long as its score is at least this share of its best."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Moment:
    """A stretch: its first and last row and the best one, by their numbers, and the best one's score."""

    first: int
    last: int
    best: int
    score: float


def merge(
    rows: Ints,
    group: Ints,
    from_us: Ints,
    to_us: Ints,
    score: npt.NDArray[np.float32],
    least: float,
    *,
    min_us: float = 0,
    top: int | None = None,
) -> list[Moment]:
    """Return the moments among scored rows, the best first.

    Parameters
    ----------
    rows : ndarray of int64, shape (N,)
        Numbers of the rows, ascending, those of a group one after the other in order of time.
    group : ndarray of int64, shape (N,)
        Which rows belong to one thing in one recording.
    from_us, to_us : ndarray of int64, shape (N,)
    score : ndarray of float32, shape (N,)
    least : float
        Rows below it are in no moment.
    min_us : float
        Shorter moments are left out.
    top : int, optional
        So many at the most.
    """
    if not len(rows):
        return []
    apart = (np.diff(group) != 0) | (from_us[1:] - to_us[:-1] > GAP_US) | (np.diff(rows) != 1)
    bounds = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(rows)]]).astype(np.int64)
    first, last, best = _peaks(np.ascontiguousarray(score, np.float32), bounds, np.float32(least)).T
    order = np.lexsort((rows[first], -score[best]))
    order = order[to_us[last[order]] - from_us[first[order]] >= min_us][:top]
    return [
        Moment(int(rows[first[i]]), int(rows[last[i]]), int(rows[best[i]]), float(score[best[i]]))
        for i in order
    ]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _peaks(score: Any, bounds: Any, least: Any) -> Any:
    """Return the peaks of runs, (P, 3): the first and last row around each above a share of it, and its own.

    Tens of thousands of them where everything is asked for, hence compiled.
    """
    found = np.empty((len(score), 3), np.int64)
    waiting = np.empty((len(score) + 2, 2), np.int64)
    count = 0
    for run in range(len(bounds) - 1):
        waiting[0] = bounds[run], bounds[run + 1]
        left = 1
        while left:
            left -= 1
            begin, end = waiting[left]
            if begin >= end:
                continue
            best = begin
            for at in range(begin, end):
                if score[at] > score[best]:
                    best = at
            if not (score[best] >= least and score[best] > 0):
                continue
            floor = np.float32(SHARE) * score[best]
            first, last = best, best
            while first > begin and score[first - 1] >= floor:
                first -= 1
            while last + 1 < end and score[last + 1] >= floor:
                last += 1
            found[count] = first, last, best
            count += 1
            # what is left on either side has peaks of its own; the flanks of this one are not new moments
            stop = first
            while stop > begin and score[stop - 1] <= score[stop]:
                stop -= 1
            start = last
            while start + 1 < end and score[start + 1] <= score[start]:
                start += 1
            waiting[left] = begin, stop
            waiting[left + 1] = start + 1, end
            left += 2
    return found[:count]
