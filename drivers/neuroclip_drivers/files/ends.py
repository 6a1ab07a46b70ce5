"""When a recording begins and ends, though the first or the last events have times that are wrong.

One flipped bit in the first time made a file "0.00 s long", and one in the last times an hour. A wrong time
stands alone: what is around it goes on without it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neuroclip_drivers.aedat4.timeline import STRAY_EVENTS

_STEP_US = 100_000
"""Times step back by less without being wrong."""
_ALONE_US, _ALONE = 1_000_000, 10
"""An end is wrong that is so far from the next 64, and so many times as far as these are from each other."""


def first_time(times: npt.NDArray[np.int64]) -> int:
    """Return when a recording begins, from the times of its first events, (N,) in microseconds, N > 0."""
    start = times[: 2 * STRAY_EVENTS]
    good = start[~_strays(start)]
    first = 0
    while first < len(good) - 2 and _alone(int(good[first]), good[first + 1 : first + 1 + STRAY_EVENTS]):
        first += 1
    return int(good[first])


def last_time(times: npt.NDArray[np.int64]) -> int:
    """Return when a recording ends, from the times of its last events, (N,) in microseconds, N > 0."""
    good = times[~_strays(times)]
    last = len(good) - 1
    while last > 1 and _alone(int(good[last]), good[max(0, last - STRAY_EVENTS) : last]):
        last -= 1
    return int(good[: last + 1].max())


def _strays(times: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which times are ahead of one of the next 64 that goes on where those before were."""
    ordered = (times[1:] >= times[:-1]).all()  # mostly; and quick, of hundreds of thousands
    if ordered or (np.maximum.accumulate(times)[:-1] - times[1:]).max() <= _STEP_US:
        return np.zeros(len(times), dtype=np.bool_)
    after = _least(np.append(times[1:], times[-1:]))
    before = _least(np.append(times[:1], times[:-1])[::-1])[::-1]
    strays: npt.NDArray[np.bool_] = times > after + _STEP_US
    return strays & ((after >= before - _STEP_US) | (np.arange(len(times)) < STRAY_EVENTS))


def _least(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the least of each time and the 63 after it."""
    padded = np.append(times, np.full(STRAY_EVENTS - 1, times[-1]))
    least: npt.NDArray[np.int64] = np.lib.stride_tricks.sliding_window_view(padded, STRAY_EVENTS).min(axis=1)
    return least


def _alone(time: int, others: npt.NDArray[np.int64]) -> bool:
    low, high = int(others.min()), int(others.max())
    return max(low - time, time - high) > max(_ALONE_US, _ALONE * (high - low))
