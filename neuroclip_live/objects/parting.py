"""Whether the parts of what is taken for one thing are several things: then they move against each other."""

from __future__ import annotations

from collections import deque
from itertools import combinations
from math import hypot

from neuroclip_live.objects.regions import Region
from neuroclip_live.stream.box import Box

_SLICES = 5
"""So long both parts have to be seen, each as a whole."""
_CELLS = 3
"""So many cells they have to move against each other in that time."""
_CHANGE = 0.15
"""Of its own sides, and two cells, it may move and grow from one slice to the next."""
_SHARE = 0.15
"""Parts that are less of the whole are pieces of an outline."""

Place = tuple[float, float]


class Parting:
    """Watches the parts of one thing, slice by slice."""

    def __init__(self) -> None:
        self._kept: list[tuple[Box, deque[Place]]] = []

    def update(self, parts: list[Region], cell: int) -> Region | None:
        """Take in a slice's parts, the largest first; return the one that goes another way than a larger one.

        Parameters
        ----------
        parts : list of Region
        cell : int
            Side of a grid cell in pixels.
        """
        least = _SHARE * sum(part.mass for part in parts)
        seen = [(part, self._past(part.box, cell)) for part in parts if part.mass >= least]
        self._kept = [(part.box, past) for part, past in seen]
        for (_, first), (part, second) in combinations(seen, 2):
            if min(len(first), len(second)) < _SLICES:
                continue
            x, y = ((second[-1][i] - first[-1][i]) - (second[0][i] - first[0][i]) for i in (0, 1))
            if hypot(x, y) >= _CELLS * cell:
                return part
        return None

    def _past(self, box: Box, cell: int) -> deque[Place]:
        """Return where a part was, with where it is: as long as its box kept its size."""
        wide, high = box.right - box.left, box.bottom - box.top
        across, down = 2 * cell + _CHANGE * wide, 2 * cell + _CHANGE * high
        past: deque[Place] = deque(maxlen=_SLICES)
        for before, places in self._kept:
            if (
                abs(before.left - box.left) <= across
                and abs(before.right - box.right) <= across
                and abs(before.top - box.top) <= down
                and abs(before.bottom - box.bottom) <= down
                and abs(before.right - before.left - wide) <= across
                and abs(before.bottom - before.top - high) <= down
            ):
                past.extend(places)
                break
        past.append((box.left + wide / 2, box.top + high / 2))
        return past
