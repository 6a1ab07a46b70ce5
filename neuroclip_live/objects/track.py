"""One thing's track: where it is, how it moves and how large it is, by what is seen of it slice by slice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil, hypot

import numpy as np

from neuroclip_live.objects.boxes import Floats
from neuroclip_live.objects.parting import Parting
from neuroclip_live.objects.regions import Region
from neuroclip_live.stream.box import Box

CONFIRMED = 3
"""A region must be seen in so many slices before it is a thing."""
REMEMBERED = 20
"""Slices of which the middles are kept."""
_SMOOTH, _SHARED = 0.3, 0.15
_GROWS, _SHRINKS = 0.4, 0.15
"""How fast an edge of a box follows outward and inward: a part that is not seen now is still there."""
_PARTS_GROW = 0.04
"""Likewise for the extent of several parts: things that were taken for one part faster than it grows."""


@dataclass
class Track:
    """One thing. ``rect`` is (4,) left, top, right, bottom in pixels; ``velocity`` (2,) pixels a second."""

    id: int
    rect: Floats
    born_us: int
    seen_us: int
    velocity: Floats
    hits: int = 1
    confirmed: bool = False
    """Whether it was seen often enough to be a thing."""
    past: deque[Floats] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Where its middle was of late."""
    region: Region | None = None
    """What was seen of it in the newest slice; None while it waits."""
    size: Floats = field(default_factory=lambda: np.zeros(2))
    """(2,) pixels across and down that its parts lie within; it grows slowly where they part."""
    pieces: int = 1
    """Parts of what was seen of it in the newest slice; 0 where others had parted from it."""
    parting: Parting = field(default_factory=Parting)

    @property
    def box(self) -> Box:
        """Where it is, in whole pixels."""
        left, top, right, bottom = self.rect.tolist()
        return Box(int(left), int(top), ceil(right), ceil(bottom))

    @property
    def middle(self) -> Floats:
        """Where its middle is, (2,)."""
        return (self.rect[:2] + self.rect[2:]) / 2

    def expected(self, t_us: int) -> Floats:
        """Return where it should be at ``t_us``; it moves on for a quarter second at most."""
        x, y = (self.velocity * min((t_us - self.seen_us) / 1e6, 0.25)).tolist()
        left, top, right, bottom = self.rect.tolist()
        return np.array([left + x, top + y, right + x, bottom + y])

    def begin_again(self, rest: Region) -> None:
        """Be only what is left of it where a part went another way."""
        self.rect = np.array(rest.box, np.float64)
        self.size = self.rect[2:] - self.rect[:2]
        self.velocity = np.zeros(2)
        self.past.clear()

    def move(self, piece: Region | None, t_us: int, span_us: int) -> None:
        """Take in what was seen of it in a slice, None for nothing; ``span_us`` is as for the tracker."""
        self.region = piece
        if piece is None:
            self.past.clear()
            return
        seconds = max((t_us - self.seen_us) / 1e6, 1e-3)
        expected = self.expected(t_us).tolist()
        for axis in (0, 1):
            self._move_along(axis, expected, piece, seconds, span_us / 1e6)
        self.past.append(self.middle)
        self.seen_us = t_us
        self.hits += 1
        self.pieces = 1

    def _move_along(
        self, axis: int, expected: list[float], piece: Region, seconds: float, span: float
    ) -> None:
        low, high = _without_trail(piece.box[axis], piece.box[axis + 2], self.velocity[axis] * span)
        first, last = low - expected[axis], high - expected[axis + 2]
        settled = self.hits >= CONFIRMED
        # what both edges say is motion; of an outline now this, now that edge is seen
        shift = sorted((first, last, 0.0))[1] if settled else (first + last) / 2
        if piece.shared:  # where it ends is a guess
            self.velocity[axis] += _SHARED * shift / seconds
            first = last = shift
        else:
            more = high - low - self.size[axis]
            grows = _PARTS_GROW if self.pieces > 1 else _GROWS
            self.size[axis] += (grows if more > 0 else _SHRINKS) * more
            self.velocity[axis] += _SMOOTH * shift / seconds
        inward = _SHRINKS if settled and self.pieces else _GROWS
        moved = (1 - _SMOOTH) * shift
        first, last = first - shift, last - shift
        self.rect[axis] = expected[axis] + moved + (_GROWS if first < 0 else inward) * first
        self.rect[axis + 2] = expected[axis + 2] + moved + (_GROWS if last > 0 else inward) * last


def move_as_one(first: deque[Floats], second: deque[Floats], slices: int, cell: int) -> bool:
    """Tell whether two went the same way in the newest slices, by where their middles were."""
    if min(len(first), len(second)) < slices:
        return False
    (x, y), (u, v) = (first[-1] - first[-slices]).tolist(), (second[-1] - second[-slices]).tolist()
    far = min(hypot(x, y), hypot(u, v))
    return far >= 3 * cell and hypot(x - u, y - v) <= max(0.2 * far, 0.5 * cell)


def _without_trail(low: float, high: float, moved: float) -> tuple[float, float]:
    """Return the edges of a box along an axis without what its thing left behind when it moved so far."""
    most = (high - low) / 3
    moved = min(max(moved, -most), most)
    return low + max(moved, 0.0), high + min(moved, 0.0)
