"""Prophesee's three encodings of events, decoded.

Sources: Prophesee's published descriptions of EVT2, EVT2.1 and EVT3 (docs.prophesee.ai, "Data encoding
formats"). A word carries its kind in its upper four bits. Time comes in two parts, of which the upper is
sent on its own and begins again at zero after 16.8 s (EVT3) or 4.8 h (EVT2, EVT2.1): an upper part that
falls by more than half its range has begun again. Words of other kinds (triggers, counters of the sensor)
carry no events.

Each decoder keeps what it knows in ``state``, nine int64, so that it can go on in the next piece of a file,
and writes events as pairs of int64, the memory of :data:`neuroclip_live.events.EVENT_DTYPE`: the time, and
x, y and polarity packed into the other. They stop before the output is full. Own code because it is the
product's core and small: nothing here can be made to read or write outside its arrays, and it runs without
the interpreter lock; the readers that were tried load the whole file (faery, evlib, expelliarmus), end the
process's thread in a panic on damaged words, or disagree on vectors (evt3 0.4.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

HIGH, LOW, Y, BASE_X, POLARITY, KNOWS_TIME, KNOWS_Y, STRANGE, EARLY = range(9)
"""Places in ``state``: time's upper part (already shifted, with its new beginnings), its lower part, row,
base column and polarity of a vector, whether a time and a row have come yet, words of no known kind so far,
and events whose time or row is not known."""

MOST_PER_WORD = 32
"""Most events in one word; the output needs as much room."""

RANGE_EVT3 = 1 << 24
RANGE_EVT2 = 1 << 34


def new_state(high_us: int | None = None) -> npt.NDArray[np.int64]:
    """Return the state of a decoder that has seen nothing, or only that time is about ``high_us``."""
    state = np.zeros(9, dtype=np.int64)
    if high_us is not None:
        state[HIGH] = high_us
    return state


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _unwrap(previous: int, low_part: int, span: int) -> int:
    """Return the time that is ``low_part`` modulo ``span``, after at most half a span going back."""
    base = previous - previous % span
    time = base + low_part
    if time < previous - (span >> 1):
        time += span
    return time


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def decode_evt3(words: Any, state: Any, out: Any) -> tuple[int, int]:
    """Decode EVT3.

    Parameters
    ----------
    words : (N,) uint16
    state : (9,) int64
        Changed.
    out : (2 M,) int64
        Room for M events, M > ``MOST_PER_WORD``.

    Returns
    -------
    used : int
        Words that were decoded; fewer than N where ``out`` became full.
    events : int
    """
    high, low, y = state[0], state[1], state[2]
    base_x, polarity = state[3], state[4]
    knows_time, knows_y, strange, early = state[5], state[6], state[7], state[8]
    row = y << 16
    t = high | low
    n = 0
    room = (out.shape[0] >> 1) - 32
    i = 0
    total = words.shape[0]
    while i < total and n < room:
        word = np.int64(words[i])
        i += 1
        kind = word >> 12
        if kind == 2:  # one event
            if knows_time & knows_y:
                out[2 * n] = t
                out[2 * n + 1] = (word & 0x7FF) | row | ((word & 0x800) << 21)
                n += 1
            else:
                early += 1
        elif kind == 4 or kind == 5:  # a vector of 12 or 8 neighbors
            width = 12 if kind == 4 else 8
            mask = word & ((1 << width) - 1)
            if knows_time & knows_y:
                x = base_x
                rest = row | polarity
                while mask:
                    if mask & 1:
                        out[2 * n] = t
                        out[2 * n + 1] = (x & 0x7FFF) | rest
                        n += 1
                    mask >>= 1
                    x += 1
            elif mask:
                early += 1
            base_x = (base_x + width) & 0x7FFF
        elif kind == 6:  # lower part of time
            low = word & 0xFFF
            t = high | low
        elif kind == 0:  # row
            y = word & 0x7FF
            row = y << 16
            knows_y = 1 - ((word >> 11) & 1)  # bit 11: another sensor's
        elif kind == 3:  # where a vector begins
            base_x = word & 0x7FF
            polarity = (word & 0x800) << 21
        elif kind == 8:  # upper part of time
            new = _unwrap(high, (word & 0xFFF) << 12, 1 << 24)
            if new != high:
                low = 0
            high = new
            t = high | low
            knows_time = 1
        elif kind == 10 or kind == 7 or kind == 14 or kind == 15:
            pass  # a trigger, a counter, and what continues it
        else:
            strange += 1
    state[0], state[1], state[2] = high, low, y
    state[3], state[4] = base_x, polarity
    state[5], state[6], state[7], state[8] = knows_time, knows_y, strange, early
    return i, n


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def decode_evt2(words: Any, state: Any, out: Any) -> tuple[int, int]:
    """Decode EVT2: ``words`` (N,) uint32; else as :func:`decode_evt3`."""
    high, knows_time, strange, early = state[0], state[5], state[7], state[8]
    n = 0
    room = out.shape[0] >> 1
    i = 0
    total = words.shape[0]
    while i < total and n < room:
        word = np.int64(words[i])
        i += 1
        kind = word >> 28
        if kind <= 1:
            if knows_time:
                out[2 * n] = high | ((word >> 22) & 0x3F)
                out[2 * n + 1] = ((word >> 11) & 0x7FF) | ((word & 0x7FF) << 16) | (kind << 32)
                n += 1
            else:
                early += 1
        elif kind == 8:
            high = _unwrap(high, (word & 0xFFFFFFF) << 6, 1 << 34)
            knows_time = 1
        elif kind == 10 or kind == 14 or kind == 15:
            pass
        else:
            strange += 1
    state[0], state[5], state[7], state[8] = high, knows_time, strange, early
    return i, n


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def decode_evt21(words: Any, state: Any, out: Any) -> tuple[int, int]:
    """Decode EVT2.1: ``words`` (N, 2) uint32, the one with the kind first; else as :func:`decode_evt3`."""
    high, knows_time, strange, early = state[0], state[5], state[7], state[8]
    n = 0
    room = (out.shape[0] >> 1) - 32
    i = 0
    total = words.shape[0]
    while i < total and n < room:
        word = np.int64(words[i, 0])
        mask = np.int64(words[i, 1])
        i += 1
        kind = word >> 28
        if kind <= 1:
            if knows_time:
                t = high | ((word >> 22) & 0x3F)
                x = (word >> 11) & 0x7FF
                rest = ((word & 0x7FF) << 16) | (kind << 32)
                while mask:
                    if mask & 1:
                        out[2 * n] = t
                        out[2 * n + 1] = x | rest
                        n += 1
                    mask >>= 1
                    x += 1
            elif mask:
                early += 1
        elif kind == 8:
            high = _unwrap(high, (word & 0xFFFFFFF) << 6, 1 << 34)
            knows_time = 1
        elif kind == 10 or kind == 14 or kind == 15:
            pass
        else:
            strange += 1
    state[0], state[5], state[7], state[8] = high, knows_time, strange, early
    return i, n


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def high_times(words: Any, kind_shift: int, mask: int, low_bits: int) -> Any:
    """Look only at the upper parts of time in some words.

    Returns
    -------
    first, last : int
        Time in microseconds, modulo the encoding's range; -1 where there is none.
    new_beginnings : int
        How often the upper part fell by more than half its range in between.
    """
    first: Any = -1
    last: Any = -1
    begun = 0
    half = (mask + 1) >> 1
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        if word >> kind_shift == 8:
            high = word & mask
            if last >= 0 and high < last - half:
                begun += 1
            if first < 0:
                first = high
            last = high
    if first < 0:
        return -1, -1, 0
    return first << low_bits, last << low_bits, begun
