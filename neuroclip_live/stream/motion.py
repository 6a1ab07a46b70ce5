"""Whether anything moves in a slice: whether events gather anywhere, not how many there are.

Noise falls anywhere and at any time. What moves leaves edges: pixels beside each other fire within moments.
So a pixel counts as *supported* where one of its eight neighbors fired shortly before it, and in every part
of the picture the supported pixels are held against what chance would give at the rate of that very part.
Neither the sensor's size nor its noise has a say in this, nor have hot pixels (every pixel counts once a
slice), regions that are noisier than others, or a slice's length.

Rejected: a rate over the whole sensor (a hand of 10,000 events/s is plain to see at 640 x 480 and lies below
0.05 events per pixel and second; noise of 0.1 lies above); comparing parts of the picture by how many events
they have, or how unevenly (some walls are noisier than others, with sharp borders); learning the background
over time (whatever moves in one place for long would become part of it).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import int32, uint32, uint64

from neuroclip_live.compiled import njit
from neuroclip_live.events import EVENT_DTYPE, Resolution
from neuroclip_live.stream.counting import words_of
from neuroclip_live.stream.slicing import Slice

SUPPORT_US = (5_000, 20_000)
"""How long before a pixel one of its neighbors has to have fired. The short time lets little chance in where
noise is strong; by the long one the outline of something slow is seen where it is weak."""
PART = 32
"""Side of a part of the picture, in pixels; parts overlap by half."""
CLEAR = 6.0
"""Supported pixels have to exceed what chance gives by so many of its deviations ..."""
FEWEST, FEWEST_ON = 8.0, 4.0
"""... and by so many pixels more, for where chance gives next to none: nine hot pixels side by side, with the
noise that they support around them, are fewer. What has begun to move goes on with half as many: where it
turns, it is nearly still for a moment."""
SURE_HZ = 10.0
"""So many events per pixel and second are motion, wherever they are: all moves, or the light."""

_CELL = PART // 2
_PATCH = 8
"""A patch of this side in which nothing has ever happened is none of the sensor's: noise that ends inside a
part (a sensor read out in part, a round field of view) is denser than the part looks."""
_SETTLED_US = 1_000_000
"""After so long it is known which patches there are; until then those without an event count ever less."""
_BLOCK = 4_096
"""After so many events, twice, four times as many … it is looked whether it is clear already."""
_TICK = 4
"""Moments are told apart to 16 µs (a shift by so many bits): then they fit into 32 bits."""
_MOST_TICKS = 1 << 28
_SHIFT, _LOW = np.uint32(16), np.uint32(0xFFFF)
_ONE, _TWO = np.uint64(1), np.uint64(2)
_FULL = 0.98
"""With nearly all pixels of a part active there is no telling the rate: it is taken as for this share."""


class MotionDetector:
    """Tells of one slice after the other whether anything moves in it.

    Of slices before it remembers where on the sensor anything has ever happened, and whether anything moved
    in the newest.

    Parameters
    ----------
    resolution : Resolution
    """

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        width, height = resolution
        # when each pixel fired last, in ticks, times four; and in the last two bits how well it was supported
        self._fired: npt.NDArray[np.int32] = np.full((height + 2, width + 2), -1, np.int32)
        rows, columns = -(-height // _CELL), -(-width // _CELL)
        # pixels active, supported within the long time, and within the short
        self._cells: npt.NDArray[np.int32] = np.zeros((3, rows, columns), np.int32)
        # which patches have ever been active, and how many of each cell
        self._patches: npt.NDArray[np.bool_] = np.zeros((-(-height // _PATCH), -(-width // _PATCH)), np.bool_)
        self._used: npt.NDArray[np.int32] = np.zeros((rows, columns), np.int32)
        self._seen_us, self._end_us = 0, 0
        self._now = 0  # slices follow each other in ticks of their own, so nothing has to be erased
        self._moved = False

    def moves(self, piece: Slice) -> bool:
        """Tell whether something moves; what moves plainly is seen by the first few thousand events."""
        count, duration_us = len(piece.events), max(piece.end_us - piece.start_us, 1)
        if count >= SURE_HZ * self.resolution.area * duration_us / 1e6:
            self._moved = count > 0
            return self._moved
        tick = max(_TICK, duration_us.bit_length() - _MOST_TICKS.bit_length() + 1)
        ticks = (duration_us >> tick) + 1
        if self._now + ticks >= 1 << 29:
            self._fired.fill(-1)
            self._now = 0
        self._cells[...] = 0
        words = words_of(piece.events)
        times: npt.NDArray[np.int64] = words.view(np.int64)
        self._seen_us += min(max(piece.end_us - self._end_us, 0), duration_us)
        self._end_us = piece.end_us
        unused = max(0.0, 1.0 - self._seen_us / _SETTLED_US)
        arrays = self._fired, self._cells, self._patches, self._used
        fewest = FEWEST_ON if self._moved else FEWEST
        found = _gathers(words, times, piece.start_us, duration_us, tick, self._now, unused, fewest, *arrays)
        self._now += ticks
        self._moved = bool(found)
        return self._moved

    def warm_up(self) -> None:
        """Compile, or load what was compiled."""
        events = np.zeros(1, dtype=EVENT_DTYPE)
        MotionDetector(Resolution(8, 8)).moves(Slice(events, 0, 10_000_000, 1, 0, 0))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _gathers(
    words: Any,
    times: Any,
    start_us: int,
    duration_us: int,
    tick: int,
    now: int,
    unused: float,
    fewest: float,
    fired: Any,
    cells: Any,
    patches: Any,
    used: Any,
) -> bool:
    """Tell whether events gather in any part of the picture; see :class:`MotionDetector` for the arrays."""
    height, width = uint32(fired.shape[0] - 2), uint32(fired.shape[1] - 2)
    flat, row = fired.reshape(fired.size), uint64(fired.shape[1])
    short, long = int32(SUPPORT_US[0] >> tick), int32(SUPPORT_US[1] >> tick)
    begin, count, look = int32(now), words.shape[0], _BLOCK
    for i in range(count):
        x, y = words[i, 2] & _LOW, words[i, 2] >> _SHIFT  # a negative coordinate becomes a large one
        since_us = min(max(times[i, 0] - start_us, 0), duration_us)
        if (x < width) & (y < height):
            t = int32(now + (since_us >> tick))
            above = uint64(y) * row + uint64(x)
            here = above + row
            below = here + row
            newest = max(
                max(max(flat[above], flat[above + _ONE]), max(flat[above + _TWO], flat[here])),
                max(max(flat[here + _TWO], flat[below]), max(flat[below + _ONE], flat[below + _TWO])),
            )
            newest >>= 2
            at = here + _ONE
            own = flat[at]
            level = int32(0)  # nothing before the slice supports
            if newest >= max(begin, t - long):
                level = int32(2) if newest >= t - short else int32(1)
            before = own & int32(3)
            if (own >> 2) < begin:
                cell_y, cell_x = y // uint32(_CELL), x // uint32(_CELL)
                cells[0, cell_y, cell_x] += 1
                before = int32(0)
                if not patches[y // uint32(_PATCH), x // uint32(_PATCH)]:
                    patches[y // uint32(_PATCH), x // uint32(_PATCH)] = True
                    used[cell_y, cell_x] += 1
            flat[at] = (t << 2) | max(level, before)
            if level > before:
                cell_y, cell_x = y // uint32(_CELL), x // uint32(_CELL)
                cells[1, cell_y, cell_x] += before == 0
                cells[2, cell_y, cell_x] += level == 2
        if i + 1 == look:
            look *= 2
            if _stands_out(cells, used, unused, fewest, since_us, int(width), int(height)):
                return True
    return bool(_stands_out(cells, used, unused, fewest, duration_us, int(width), int(height)))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _stands_out(
    cells: Any, used: Any, unused: float, fewest: float, duration_us: int, width: int, height: int
) -> bool:
    """Tell whether some part of the picture has more supported pixels than chance gives.

    With c of n pixels active, each fired λ = -ln(1 - c / n) times; such an event is supported by chance with
    p = 1 - exp(-8 λ τ / duration), and 1 - exp(-λ p) of the pixels have a supported event.
    """
    rows, columns = cells.shape[1], cells.shape[2]
    for top in range(max(rows - 1, 1)):
        bottom = min(top + 2, rows)
        for left in range(max(columns - 1, 1)):
            right = min(left + 2, columns)
            active = long = short = patches = 0
            for r in range(top, bottom):
                for c in range(left, right):
                    active += cells[0, r, c]
                    long += cells[1, r, c]
                    short += cells[2, r, c]
                    patches += used[r, c]
            if long > CLEAR + fewest:
                wide = min(right * _CELL, width) - left * _CELL
                high = min(bottom * _CELL, height) - top * _CELL
                area, known = float(wide * high), float(patches * _PATCH * _PATCH)
                pixels = min(area, known + unused * max(area - known, 0.0))
                if _is_clear(short, active, pixels, SUPPORT_US[0], duration_us, fewest) or _is_clear(
                    long, active, pixels, SUPPORT_US[1], duration_us, fewest
                ):
                    return True
    return False


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _is_clear(
    supported: int, active: int, pixels: float, support_us: int, duration_us: int, fewest: float
) -> bool:
    """Tell whether that many supported pixels are more than chance gives; see :func:`_stands_out`."""
    rate = -math.log(1.0 - min(active / pixels, _FULL))
    by_chance = 1.0 - math.exp(-8.0 * rate * min(1.0, support_us / max(duration_us, 1)))
    chance = pixels * (1.0 - math.exp(-rate * by_chance))
    return bool(supported > chance + CLEAR * math.sqrt(chance + 1.0) + fewest)
