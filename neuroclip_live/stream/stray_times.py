"""Which time stamps are strays: the compiled loop behind :mod:`neuroclip_live.stream.ordering`.

Cameras do send events whose stamp is wrong, a DAVIS346 about ten a second, 99 to 999 ms in the past, with all
events around them right. One stamp alone does not tell a stray from a clock that began anew, or from the end
of a silence; the events after it do. So an event more than :data:`JITTER_US` away from the newest time is
*doubted*, and the :data:`LOOKAHEAD` events that follow it decide:

- at least two of them lie back where time was (one, where no more follow): it is a **stray**; it keeps its
  place in the stream and gets the newest time;
- otherwise time has moved: forward it was a **silence**, back it is a new **epoch**, where it is more than
  :data:`LATE_US`.

Two and not one, so that a stray just after a silence or a restart does not call the events before it strays.
The rule looks at the order of events alone: packets, speed and machine make no difference.

Rejected: believing a forward stamp at once (the events after a stray an hour ahead would all be "back in
time"), and judging by the time a packet arrived (USB holds packets back for longer than strays are off).
"""

from __future__ import annotations

from typing import Any

from numba import uint64

from neuroclip_live.compiled import njit
from neuroclip_live.stream.counting import orderly

JITTER_US = 1_000
"""Events this many microseconds from the newest time are not doubted; those before it are raised to it."""
LATE_US = 10_000
"""Events no further back than this are late, however many they are, as of a packet that was overtaken, or
after a burst of strays just ahead: no camera that begins its clock anew is back after so short a time."""
LOOKAHEAD = 32
"""Events that decide about a doubted one. Bursts of up to 30 strays are recognized as such."""
RETURNS = 2
"""So many of them back where time was make it a stray."""
FEW = 8
"""At the end of a stream fewer events than this do not make an epoch: there is no telling."""

_UNDECIDED, _MOVED, _STRAY = 0, 1, 2


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _beyond(later: int, earlier: int) -> bool:
    """Tell whether ``later`` (not before ``earlier``) is more than jitter after it; never overflows."""
    return bool(uint64(later) - uint64(earlier) > uint64(JITTER_US))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _verdict_forward(times: Any, i: int, newest: int, final: bool) -> int:
    """Decide about event ``i``, ahead of ``newest``: whether time returned below it."""
    t, returned = times[i, 0], 0
    stop = min(i + 1 + LOOKAHEAD, times.shape[0])
    for j in range(i + 1, stop):
        u = times[j, 0]
        below = u < t and _beyond(t, u)
        returned += below and (u >= newest or not _beyond(newest, u))
        if returned == RETURNS:
            return _STRAY
    if stop == i + 1 + LOOKAHEAD:
        return _MOVED
    if not final:
        return _UNDECIDED
    return _STRAY if returned and stop - i - 1 == returned else _MOVED


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _verdict_back(times: Any, i: int, newest: int, final: bool) -> int:
    """Decide about event ``i``, before ``newest``: whether time came up to it again."""
    returned = 0
    stop = min(i + 1 + LOOKAHEAD, times.shape[0])
    for j in range(i + 1, stop):
        u = times[j, 0]
        returned += u >= newest or not _beyond(newest, u)
        if returned == RETURNS:
            return _STRAY
    late = uint64(newest) - uint64(times[i, 0]) <= uint64(LATE_US)
    if stop == i + 1 + LOOKAHEAD:
        return _STRAY if late else _MOVED
    if not final:
        return _UNDECIDED
    return _STRAY if late or returned or stop - i < FEW else _MOVED


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def settle(
    times: Any, first: int, newest: int, silent: int, final: bool, cuts: Any
) -> tuple[int, int, int, int, int]:
    """Make times steady in place, from event ``first`` on.

    Parameters
    ----------
    times : ndarray of int64, shape (N, 2)
        Events seen as pairs, of which the first column is time.
    first : int
        First event to decide about.
    newest : int
        The newest time before it.
    silent : int
        So many events have waited long enough: where they are ahead and time has not returned, they are the
        end of a silence.
    final : bool
        No event will follow: decide about all.
    cuts : ndarray of int64, shape (N,)
        Filled with the events that begin an epoch.

    Returns
    -------
    stop, newest, epochs, strays, clamped : int
        The first event that is still in doubt (N: none is), the newest time before it, and how many epochs,
        strays and jittering events there were.
    """
    count = times.shape[0]
    epochs = strays = clamped = 0
    rising = first  # times do not fall from the event at work to here
    for i in range(first, count):
        t = times[i, 0]
        if t >= newest:
            if not _beyond(t, newest):
                newest = t
                continue
            # without a fall in what follows there is no return: found once for many events
            rising = max(rising, i)
            while rising + 1 < min(count, i + 1 + LOOKAHEAD) and times[rising + 1, 0] >= times[rising, 0]:
                rising += 1
            if rising == i + LOOKAHEAD:
                newest = t
                continue
            verdict = _verdict_forward(times, i, newest, final or i < silent)
        elif not _beyond(newest, t):
            times[i, 0] = newest
            clamped += 1
            continue
        else:
            verdict = _verdict_back(times, i, newest, final)
        if verdict == _UNDECIDED:
            return i, newest, epochs, strays, clamped
        if verdict == _STRAY:
            times[i, 0] = newest
            strays += 1
        else:
            if t < newest:
                cuts[epochs] = i
                epochs += 1
            newest = t
    return count, newest, epochs, strays, clamped


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def plain(words: Any, times: Any, last_us: int, width: int, height: int) -> bool:
    """Tell whether there is nothing to do: all on the sensor, in order, none to be decided by what follows.

    Parameters
    ----------
    words, times : ndarray of uint32 (N, 4), ndarray of int64 (N, 2)
        The same events, seen twice.
    last_us : int
        The newest time before them.
    width, height : int
    """
    if not orderly(words, times, last_us, width, height):
        return False
    count = times.shape[0]
    for i in range(max(0, count - LOOKAHEAD), count):  # those before have been decided by these
        if _beyond(times[i, 0], times[i - 1, 0] if i else last_us):
            return False
    return True
