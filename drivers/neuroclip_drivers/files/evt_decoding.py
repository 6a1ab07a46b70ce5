"""Prophesee's three encodings of events, decoded.

Sources: Prophesee's published descriptions of EVT2, EVT2.1 and EVT3 (docs.prophesee.ai, "Data encoding
formats"). A word carries its kind in its upper four bits. Time comes in two parts, of which the upper is
sent on its own and begins again at zero after 16.8 s (EVT3) or 4.8 h (EVT2, EVT2.1): an upper part that
falls by more than half its range has begun again (:mod:`neuroclip_drivers.files.evt_time`). Words of other
kinds (triggers, counters of the sensor) carry no events.

Each decoder keeps what it knows in ``state``, ten int64, so that it can go on in the next piece of a file,
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

from neuroclip_drivers.files.evt_time import far, first_is_stray, time_after_stray, unwrap
from neuroclip_live.compiled import njit

HIGH, LOW, Y, BASE_X, POLARITY, KNOWS_TIME, KNOWS_Y, STRANGE, EARLY, STRAY = range(10)
"""Places in ``state``: time's upper part (already shifted, with its new beginnings), its lower part, row,
base column and polarity of a vector, whether a time and a row have come yet, words of no known kind so far,
events whose time or row is not known, and words of time that were passed over."""

MOST_PER_WORD = 32
"""Most events in one word; the output needs as much room."""

RANGE_EVT3 = 1 << 24
RANGE_EVT2 = 1 << 34


def new_state(high_us: int | None = None) -> npt.NDArray[np.int64]:
    """Return the state of a decoder that has seen nothing, or only that time is about ``high_us``."""
    state = np.zeros(10, dtype=np.int64)
    if high_us is not None:
        state[HIGH] = high_us
    return state


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _doubted(
    words: Any,
    i: int,
    shift: int,
    mask: int,
    bits: int,
    state: Any,
    high: int,
    low: int,
    new: int,
    knows: int,
) -> int:
    """Return the upper part of time where the word before ``i``, which tells it to be ``new``, is in doubt.

    A stray is passed over and counted. Apart from the decoders, as their loops have a word of time for every
    few events, and nearly never doubt one.
    """
    if not knows:
        stray, after = first_is_stray(words, i, shift, mask, bits, new)
        state[9] += stray
        return int(after) if stray else int(new)
    stray, after = time_after_stray(words, i, shift, mask, bits, high, new)
    if not stray:
        return int(new)
    state[9] += 1
    if low >= 0 and after > high:  # where the lower part falls the upper one has gone on: its word was hit
        for j in range(i, words.shape[0]):
            kind = np.int64(words[j]) >> shift
            if kind == 6:
                return high + ((1 << bits) if (np.int64(words[j]) & mask) < low else 0)
            if kind == 8:
                break
    return high


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def decode_evt3(words: Any, stop: int, state: Any, out: Any) -> tuple[int, int]:
    """Decode EVT3.

    Parameters
    ----------
    words : (N,) uint16
    stop : int
        Words to decode, N or fewer; what follows them tells whether a word of time is a stray.
    state : (10,) int64
        Changed.
    out : (2 M,) int64
        Room for M events, M > ``MOST_PER_WORD``.

    Returns
    -------
    used : int
        Words that were decoded; fewer than ``stop`` where ``out`` became full.
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
    while i < stop and n < room:
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
            new = unwrap(high, (word & 0xFFF) << 12, 1 << 24)
            if not knows_time or far(high, new):
                new = _doubted(words, i, 12, 0xFFF, 12, state, high, low, new, knows_time)
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
def decode_evt2(words: Any, stop: int, state: Any, out: Any) -> tuple[int, int]:
    """Decode EVT2: ``words`` (N,) uint32; else as :func:`decode_evt3`."""
    high, knows_time, strange, early = state[0], state[5], state[7], state[8]
    n = 0
    room = out.shape[0] >> 1
    i = 0
    while i < stop and n < room:
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
            new = unwrap(high, (word & 0xFFFFFFF) << 6, 1 << 34)
            if not knows_time or far(high, new):
                new = _doubted(words, i, 28, 0xFFFFFFF, 6, state, high, -1, new, knows_time)
            high = new
            knows_time = 1
        elif kind == 10 or kind == 14 or kind == 15:
            pass
        else:
            strange += 1
    state[0], state[5], state[7], state[8] = high, knows_time, strange, early
    return i, n


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def decode_evt21(words: Any, stop: int, state: Any, out: Any) -> tuple[int, int]:
    """Decode EVT2.1: ``words`` (N, 2) uint32, the one with the kind first; else as :func:`decode_evt3`."""
    high, knows_time, strange, early = state[0], state[5], state[7], state[8]
    n = 0
    room = (out.shape[0] >> 1) - 32
    heads = words[:, 0]
    i = 0
    while i < stop and n < room:
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
            new = unwrap(high, (word & 0xFFFFFFF) << 6, 1 << 34)
            if not knows_time or far(high, new):
                new = _doubted(heads, i, 28, 0xFFFFFFF, 6, state, high, -1, new, knows_time)
            high = new
            knows_time = 1
        elif kind == 10 or kind == 14 or kind == 15:
            pass
        else:
            strange += 1
    state[0], state[5], state[7], state[8] = high, knows_time, strange, early
    return i, n
