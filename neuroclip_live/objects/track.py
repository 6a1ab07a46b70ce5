"""One thing's track: where it is, how it moves and how large it is, by what is seen of it slice by slice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from neuroclip_live.objects.regions import Region
from neuroclip_live.stream.box import Box

CONFIRMED = 3
"""A region must be seen in so many slices before it is a thing."""
REMEMBERED = 20
"""Slices of which the middles are kept."""
_SMOOTH, _SHARED = 0.4, 0.15
_GROWS, _SHRINKS = 0.4, 0.15
"""How fast an edge of a box follows outward and inward: a part that is not seen now is still there."""
_PARTS_GROW = 0.04
"""Likewise for the extent of several parts: things that were taken for one part faster than it grows."""

Floats = npt.NDArray[np.float64]


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

    @property
    def box(self) -> Box:
        """Where it is, in whole pixels."""
        left, top, right, bottom = self.rect
        return Box(int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom)))

    def expected(self, t_us: int) -> Floats:
        """Return where it should be at ``t_us``; it moves on for a quarter second at most."""
        seconds = min((t_us - self.seen_us) / 1e6, 0.25)
        return self.rect + np.tile(self.velocity, 2) * seconds

    def move(self, piece: Region | None, t_us: int, span_us: int) -> None:
        """Take in what was seen of it in a slice, None for nothing; ``span_us`` is as for the tracker."""
        self.region = piece
        if piece is None:
            self.past.clear()
            return
        rect = _without_trail(np.array(piece.box, np.float64), self.velocity * span_us / 1e6)
        seconds = max((t_us - self.seen_us) / 1e6, 1e-3)
        expected = self.expected(t_us)
        # what both edges say is motion; of an outline now this, now that edge is seen
        edges = (rect - expected).reshape(2, 2)
        shift = np.median([*edges, np.zeros(2)], axis=0) if self.hits >= CONFIRMED else edges.mean(axis=0)
        if piece.shared:  # where it ends is a guess
            self.velocity += _SHARED * shift / seconds
            self.rect = expected + np.tile((1 - _SMOOTH) * shift, 2)
        else:
            left = edges - shift
            outward = left * np.array([[-1.0], [1.0]]) > 0
            keeps = self.hits >= CONFIRMED and self.pieces
            gains = np.where(outward, _GROWS, _SHRINKS if keeps else _GROWS)
            more = rect[2:] - rect[:2] - self.size
            self.size += np.where(more > 0, _PARTS_GROW if self.pieces > 1 else _GROWS, _SHRINKS) * more
            self.velocity += _SMOOTH * shift / seconds
            self.rect = expected + ((1 - _SMOOTH) * shift + gains * left).ravel()
        self.past.append(self.rect.reshape(2, 2).mean(axis=0))
        self.seen_us = t_us
        self.hits += 1
        self.pieces = 1


def move_as_one(first: deque[Floats], second: deque[Floats], slices: int, cell: int) -> bool:
    """Tell whether two went the same way in the newest slices, by where their middles were."""
    if min(len(first), len(second)) < slices:
        return False
    moved = first[-1] - first[-slices], second[-1] - second[-slices]
    far = min(float(np.linalg.norm(each)) for each in moved)
    return far >= 3 * cell and float(np.linalg.norm(moved[0] - moved[1])) <= max(0.2 * far, 0.5 * cell)


def share(inner: Floats, outer: Floats) -> float:
    """Return how much of ``inner`` lies within ``outer``."""
    sides = np.minimum(inner[2:], outer[2:]) - np.maximum(inner[:2], outer[:2])
    area = np.prod(np.maximum(inner[2:] - inner[:2], 1))
    return float(np.prod(np.maximum(sides, 0)) / area)


def longest(rect: Floats) -> float:
    """Return the longer side."""
    return float((rect[2:] - rect[:2]).max())


def _without_trail(rect: Floats, moved: Floats) -> Floats:
    """Return a rectangle without what its thing left behind when it moved so far, (2,) pixels."""
    most = (rect[2:] - rect[:2]) / 3
    moved = np.clip(moved, -most, most)
    trimmed: Floats = rect + np.concatenate([np.maximum(moved, 0), np.minimum(moved, 0)])
    return trimmed


def grown(rect: Floats, by: float = 0.15) -> Floats:
    """Return a rectangle with so much of its sides more on each side."""
    margin = by * (rect[2:] - rect[:2])
    return np.concatenate([rect[:2] - margin, rect[2:] + margin])
