"""When a recording begins and ends, though the first or the last events have times that are wrong.

One flipped bit in the first time made a file "0.00 s long", and one in the last times an hour. A wrong time
stands alone: what is around it goes on without it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

STEP_US = 100_000
"""Cameras' time stamps jitter by less; a longer step back that stays is a new start of the camera's clock."""
STRAY_EVENTS = 64
"""So many events away from where time was, and back again, are strays."""
_ALONE_US, _ALONE = 1_000_000, 10
"""An end is wrong that is so far from the next 64, and so many times as far as these are from each other."""


def first_time(times: npt.NDArray[np.int64]) -> int:
    """Return when a recording begins, from the times of its first events, (N,) in microseconds, N > 0."""
    head = times[: 2 * STRAY_EVENTS]
    good = head[_goes_on(head)]
    first = 0
    while first < len(good) - 2 and _alone(int(good[first]), good[first + 1 : first + 1 + STRAY_EVENTS]):
        first += 1
    return int(good[first])


def _goes_on(times: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which times at the beginning are of the clock that goes on: no strays, nor what is stale."""
    good = np.ones(len(times), dtype=np.bool_)
    bounds = [0, *(np.flatnonzero(np.abs(np.diff(times)) > STEP_US) + 1).tolist(), len(times)]
    top = int(times[: bounds[1]].max())
    for at, stop in pairwise(bounds[1:]):
        if not good[at]:
            continue
        time, following = int(times[at]), times[at : at + 1 + STRAY_EVENTS]
        returned = following >= top - STEP_US if time < top - STEP_US else following < time - STEP_US
        if abs(time - top) > STEP_US and returned.any():
            good[at : at + int(np.argmax(returned))] = False
            continue
        if time < top - STEP_US and at <= STRAY_EVENTS:
            good[:at] = False
        top = max(top if time >= top - STEP_US else time, int(times[at:stop].max()))
    return good


def last_time(times: npt.NDArray[np.int64]) -> int:
    """Return when a recording ends, from the times of its last events, (N,) in microseconds, N > 0."""
    strays = _strays(times)
    good = times[~strays] if strays.any() else times
    last = len(good) - 1
    while last > 1 and _alone(int(good[last]), good[max(0, last - STRAY_EVENTS) : last]):
        last -= 1
    return int(good[: last + 1].max())


def _strays(times: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which times are ahead of one of the next 64 that goes on where those before were."""
    ordered = (times[1:] >= times[:-1]).all()  # mostly; and quick, of hundreds of thousands
    if ordered or (np.maximum.accumulate(times)[:-1] - times[1:]).max() <= STEP_US:
        return np.zeros(len(times), dtype=np.bool_)
    after = _least(np.append(times[1:], times[-1:]))
    before = _least(np.append(times[:1], times[:-1])[::-1])[::-1]
    strays: npt.NDArray[np.bool_] = times > after + STEP_US
    return strays & ((after >= before - STEP_US) | (np.arange(len(times)) < STRAY_EVENTS))


def _least(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the least of each time and the 63 after it."""
    padded = np.append(times, np.full(STRAY_EVENTS - 1, times[-1]))
    least: npt.NDArray[np.int64] = np.lib.stride_tricks.sliding_window_view(padded, STRAY_EVENTS).min(axis=1)
    return least


def _alone(time: int, others: npt.NDArray[np.int64]) -> bool:
    low, high = int(others.min()), int(others.max())
    return max(low - time, time - high) > max(_ALONE_US, _ALONE * (high - low))
