"""The upper part of time in Prophesee's encodings: its new beginnings, and words of it that are wrong.

The upper part is a word of its own, and counts for all events up to the next. One flipped byte of it, or one
that turns another word into it, may look like a new beginning of the clock, after which every event of the
file would be 16.8 s (EVT3) or 4.8 h (EVT2, EVT2.1) too late. So a word that is far from the time before it is
held against the next three of its kind: where these go on from where time was, it is a *stray* and is passed
over. Words less than :data:`FAR_US` away are believed: such steps are in whole files too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neuroclip_live.compiled import njit

FAR_US = 20_000
"""Words of time that are no further off are taken as they are."""
SOON_US = 1_000_000
"""Where the next words lie less than this after the time before a word in doubt, time has gone on there."""
_LOOKED_AT = 3
"""Words of time that decide; two of them, or all where fewer follow, make the one in doubt a stray."""


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def unwrap(previous: int, low_part: int, span: int) -> int:
    """Return the time that is ``low_part`` modulo ``span``, going back half a span at most.

    A step back over a new beginning, which looks like nearly a span ahead, stays a step back.
    """
    base = previous - previous % span
    time = base + low_part
    if time < previous - (span >> 1):
        time += span
    elif time - previous > span - (span >> 4) and time >= span:
        time -= span
    return time


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def far(previous: int, new: int) -> bool:
    """Tell whether a word of time is in doubt."""
    return bool(new > previous + FAR_US or new < previous - FAR_US)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _gone_on(previous: int, new: int, after: int) -> bool:
    """Tell whether the time ``after`` a word in doubt goes on from ``previous``, and not from it."""
    if after < previous - FAR_US or after > previous + SOON_US:
        return False
    return bool(after < new - FAR_US if new > previous else after > new + FAR_US)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def time_after_stray(
    words: Any, i: int, shift: int, mask: int, bits: int, previous: int, new: int
) -> tuple[bool, int]:
    """Look at the words of time after one that is in doubt.

    Parameters
    ----------
    words : (N,) uint16 or uint32
        With the kind in the bits from ``shift`` on; 8 is a word of time.
    i : int
        The first word after the one in doubt.
    shift, mask, bits : int
        Where the kind is, where the time is, and by how much it is to be shifted.
    previous, new : int
        The time before it, and what it tells.

    Returns
    -------
    stray : bool
    after : int
        The time that the next word of time tells.
    """
    span = (mask + 1) << bits
    seen = gone_on = 0
    first: Any = previous
    for j in range(i, words.shape[0]):
        word = np.int64(words[j])
        if word >> shift != 8:
            continue
        after = unwrap(previous, (word & mask) << bits, span)
        seen += 1
        if _gone_on(previous, new, after):
            gone_on += 1
        elif seen == 1:
            return False, previous
        if seen == 1:
            first = after
        if seen == _LOOKED_AT:
            break
    return seen > 0 and gone_on >= min(seen, 2), first


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def first_is_stray(words: Any, i: int, shift: int, mask: int, bits: int, first: int) -> tuple[bool, int]:
    """Tell whether the first word of time is ahead of the next two, which agree; and the time of these."""
    span = (mask + 1) << bits
    second: Any = -1
    for j in range(i, words.shape[0]):
        word = np.int64(words[j])
        if word >> shift != 8:
            continue
        after = first + ((((word & mask) << bits) - first + (span >> 1)) % span) - (span >> 1)
        if second >= 0:
            return -FAR_US <= after - second <= SOON_US, second
        if after >= first - FAR_US or after < 0:
            return False, first
        second = after
    return False, first


def high_times(words: npt.NDArray[Any], shift: int, mask: int, bits: int) -> tuple[int, int, int]:
    """Look only at the upper parts of time in some words.

    Parameters
    ----------
    words : (N,) uint16 or uint32
    shift, mask, bits : int
        As :func:`time_after_stray` takes them.

    Returns
    -------
    first, last : int
        Time in microseconds, modulo the encoding's range; -1 where there is none. Where the first or last
        word is far from the two beside it, the middle one of the three.
    new_beginnings : int
        How often the clock began anew in between.
    """
    span = (mask + 1) << bits
    told = (words[(words >> shift) == 8].astype(np.int64) & mask) << bits
    if not len(told):
        return -1, -1, 0
    first = _middle(told[:3], span) if far(told[0], told[min(1, len(told) - 1)]) else int(told[0])
    last = _last_time(told, first + span, span)
    return first, last % span, last // span - 1


def _middle(times: npt.NDArray[np.int64], span: int) -> int:
    """Return the middle one of some times on a clock of this range."""
    since = (times - times[0] + span // 2) % span
    return int((times[0] + np.sort(since)[(len(times) - 1) // 2] - span // 2) % span)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _last_time(told: Any, first: int, span: int) -> int:
    """Return the last of some times in order, unwrapped from ``first`` on, without strays."""
    previous: Any = first
    count = told.shape[0]
    for i in range(count):
        new = unwrap(previous, told[i], span)
        if far(previous, new):
            stop = min(count, i + 1 + _LOOKED_AT)
            gone_on = 0
            for j in range(i + 1, stop):
                if _gone_on(previous, new, unwrap(previous, told[j], span)):
                    gone_on += 1
                elif j == i + 1:
                    break
            if stop > i + 1 and gone_on >= min(stop - i - 1, 2):
                continue
        previous = new
    return int(previous)
