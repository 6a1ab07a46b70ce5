"""Rows with scores into moments: stretches of a recording in which something is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    rows: Ints, group: Ints, from_us: Ints, to_us: Ints, score: npt.NDArray[np.float32], least: float
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
    """
    moments: list[Moment] = []
    if not len(rows):
        return moments
    apart = (np.diff(group) != 0) | (from_us[1:] - to_us[:-1] > GAP_US) | (np.diff(rows) != 1)
    cuts = np.flatnonzero(apart) + 1
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        moments += _peaks(rows, score, int(begin), int(end), least)
    moments.sort(key=lambda moment: (-moment.score, moment.first))
    return moments


def _peaks(rows: Ints, score: npt.NDArray[np.float32], begin: int, end: int, least: float) -> list[Moment]:
    """Return the peaks of one run, each with the rows around it that are above a share of it."""
    found: list[Moment] = []
    waiting = [(begin, end)]
    while waiting:
        begin, end = waiting.pop()
        if begin >= end:
            continue
        best = begin + int(np.argmax(score[begin:end]))
        if score[best] < least or score[best] <= 0:
            continue
        below = score[begin:end] < SHARE * score[best]
        before = np.flatnonzero(below[: best - begin])
        after = np.flatnonzero(below[best - begin :])
        first = begin + int(before[-1]) + 1 if len(before) else begin
        last = best + int(after[0]) if len(after) else end
        found.append(Moment(int(rows[first]), int(rows[last - 1]), int(rows[best]), float(score[best])))
        # what is left on either side has peaks of its own; the flanks of this one are not new moments
        waiting.append((begin, _valley(score, first, begin, -1)))
        waiting.append((_valley(score, last - 1, end, 1), end))
    return found


def _valley(score: npt.NDArray[np.float32], edge: int, stop: int, step: int) -> int:
    """Return where the score stops falling, going out from an edge; ``stop`` where it falls to the end."""
    at = edge
    if step < 0:
        while at - 1 >= stop and score[at - 1] <= score[at]:
            at -= 1
        return max(stop, at)
    while at + 1 < stop and score[at + 1] <= score[at]:
        at += 1
    return min(stop, at + 1)
