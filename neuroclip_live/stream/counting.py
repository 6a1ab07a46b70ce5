"""The compiled loops over events: everything that is done once per event or per pixel.

All release the interpreter lock, so capture, inference and window go on side by side. An event is read as two
32-bit words, one load each, and the test whether it lies on the sensor is one branch: with a branch for each
of the four sides, and a load for each field, the same loops ran at two thirds of this speed. Whoever calls
sees to it that events are contiguous and of ``EVENT_DTYPE``; :func:`words_of` makes the view.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import uint8, uint16, uint32, uint64

from neuroclip_live.compiled import njit
from neuroclip_live.events import EVENT_DTYPE, Packet, copy_packet

GRAY = 127

_ONE, _SHIFT, _LOW, _BYTE, _POSITIVE = (
    np.uint32(1),
    np.uint32(16),
    np.uint32(0xFFFF),
    np.uint32(0xFF),
    np.uint32(127),
)
_MOST = np.uint16(65535)
_WORDS = np.dtype((np.uint32, (4,)))


def words_of(events: Packet) -> npt.NDArray[np.uint32]:
    """Return events seen as 32-bit words, (N, 4): two of time, x and y, polarity; copied only if need be.

    Raises
    ------
    ValueError
        If ``events`` has other fields or more than one dimension.
    """
    if events.dtype is EVENT_DTYPE and events.ndim == 1 and events.flags.c_contiguous:
        return events.view(_WORDS)  # the usual case, in a third of a microsecond
    if events.ndim != 1 or events.dtype.names != EVENT_DTYPE.names:
        raise ValueError(f"events are a 1-D array of EVENT_DTYPE, not {events.ndim}-D {events.dtype}")
    if events.dtype != EVENT_DTYPE:  # numpy drops the padding when it concatenates packets
        events = events.astype(EVENT_DTYPE)
    if not events.flags.c_contiguous:
        events = copy_packet(events)
    return events.view(_WORDS)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _fell(polarity: Any) -> Any:
    """Return 2 for ON, which is a polarity above zero as a signed byte, and 1 for OFF."""
    return uint8(_ONE + uint32(((polarity & _BYTE) - _ONE) < _POSITIVE))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _paint_one(words: Any, i: int, flat: Any, width: int, height: int) -> int:
    """Mark one event in ``flat`` (H * W); return 1 if it lies outside the sensor."""
    x, y = words[i, 2] & _LOW, words[i, 2] >> _SHIFT
    if (x < width) & (y < height):
        flat[uint64(y * width + x)] |= _fell(words[i, 3])
        return 0
    return 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def count_into(words: Any, counts: Any) -> int:
    """Add every event to ``counts`` (2, H, W) uint16, saturating; return how many lay outside the sensor."""
    height, width = uint32(counts.shape[1]), uint32(counts.shape[2])
    area = uint64(counts.shape[1] * counts.shape[2])
    flat = counts.reshape(counts.size)
    outside = 0
    for i in range(words.shape[0]):
        xy = words[i, 2]
        x, y = xy & _LOW, xy >> _SHIFT  # a negative coordinate becomes a large one
        if (x < width) & (y < height):
            on = ((words[i, 3] & _BYTE) - _ONE) < _POSITIVE
            at = uint64(y * width + x) + area * uint64(on)
            count = flat[at]
            flat[at] = count + uint16(count != _MOST)
        else:
            outside += 1
    return outside


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def discriminate_into(counts: Any, threshold: int, frame: Any) -> None:
    """Paint ``frame`` (H, W) uint8 from ``counts`` (2, H, W): 0 ON, 255 OFF, 127 neither; ON wins."""
    flat, painted = counts.reshape(counts.size), frame.reshape(frame.size)
    area = painted.size
    for i in range(area):  # without branches: several pixels at once
        off, on = uint8(flat[i] > threshold), uint8(flat[area + i] > threshold)
        painted[i] = uint8(uint8(GRAY) + off * uint8(128)) & uint8(on - uint8(1))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def paint_into(words: Any, frame: Any) -> int:
    """Paint ``frame`` (H, W) uint8 straight from events, for threshold 0; return how many lay outside.

    No counts: one byte a pixel remembers which polarities fell on it (1 OFF, 2 ON), so a frame costs a fifth
    of the memory traffic that counting first does. On sparse slices of large sensors that is what matters.
    """
    height, width = uint32(frame.shape[0]), uint32(frame.shape[1])
    flat = frame.reshape(frame.size)
    flat[:] = 0
    outside = 0
    pairs = words.shape[0] // 2
    for pair in range(pairs):  # two events for one branch: a tenth faster
        i = 2 * pair
        a, b = words[i, 2], words[i + 1, 2]
        ax, ay, bx, by = a & _LOW, a >> _SHIFT, b & _LOW, b >> _SHIFT
        if (ax < width) & (ay < height) & (bx < width) & (by < height):
            flat[uint64(ay * width + ax)] |= _fell(words[i, 3])
            flat[uint64(by * width + bx)] |= _fell(words[i + 1, 3])
        else:
            outside += _paint_one(words, i, flat, width, height)
            outside += _paint_one(words, i + 1, flat, width, height)
    if words.shape[0] % 2:
        outside += _paint_one(words, words.shape[0] - 1, flat, width, height)
    for i in range(flat.size):
        fell = flat[i]
        flat[i] = uint8(uint8(GRAY) + (fell & uint8(1)) * uint8(128)) & uint8((fell >> 1) - uint8(1))
    return outside


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def orderly(words: Any, times: Any, last_us: int, width: int, height: int) -> bool:
    """Tell whether all events lie on the sensor and no time goes back, from ``last_us`` on; in one pass.

    What a camera's packets almost always are. ``times`` is (N, 2) int64, of which the first column counts.
    """
    wide, high = uint32(width), uint32(height)
    before = last_us
    wrong = uint32(0)
    for i in range(words.shape[0]):  # no way out in the middle: it would cost more than it saves
        xy = words[i, 2]
        t = times[i, 0]
        wrong |= uint32((xy & _LOW) >= wide) | uint32((xy >> _SHIFT) >= high) | uint32(t < before)
        before = t
    return bool(wrong == 0)
