"""Regions become tracks: an identity through time, through crossings and through standing still.

What belongs together is decided by the past as well as by distance: parts that lie where one track is
expected are joined to it, and a region in which several tracks are expected is divided among them. What is
left is assigned with ``scipy.optimize.linear_sum_assignment``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from neuroclip_live.objects.regions import Region, RegionFinder
from neuroclip_live.stream.box import Box

WAIT_US = 3_000_000
"""A thing that stopped is waited for so long."""
CONFIRMED = 3
"""A region must be seen in so many slices before it is a thing."""
_INSIDE = 0.6
"""So much of a part's box within a track's is enough to belong to it."""
_GATE = 1.3
_SMOOTH = 0.4

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
    region: Region | None = None
    """What was seen of it in the newest slice; None while it waits."""

    @property
    def confirmed(self) -> bool:
        """Whether it was seen often enough to be a thing."""
        return self.hits >= CONFIRMED

    @property
    def box(self) -> Box:
        """Where it is, in whole pixels."""
        left, top, right, bottom = self.rect
        return Box(int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom)))

    def expected(self, t_us: int) -> Floats:
        """Return where it should be at ``t_us``; it moves on for a quarter second at most."""
        seconds = min((t_us - self.seen_us) / 1e6, 0.25)
        return self.rect + np.tile(self.velocity, 2) * seconds


class Tracker:
    """Follows the things of one stream.

    Parameters
    ----------
    finder : RegionFinder
        Divides regions that several tracks share.
    most : int
        Tracks at the most.

    Attributes
    ----------
    tracks : list of Track
    left_out : int
        Regions that became no track because there were ``most`` already.
    """

    def __init__(self, finder: RegionFinder, most: int = 16) -> None:
        self.tracks: list[Track] = []
        self.left_out = 0
        self._finder = finder
        self._most = most
        self._next = 1

    def forget(self) -> None:
        """End all tracks; their numbers are not given again."""
        self.tracks.clear()

    def continue_from(self, other: Tracker) -> None:
        """Go on counting where another tracker of the same run stopped."""
        self._next, self.left_out = other._next, other.left_out

    def update(self, regions: list[Region], t_us: int) -> list[Track]:
        """Take in a slice's regions; return the confirmed tracks, by id."""
        expected = {track.id: track.expected(t_us) for track in self.tracks}
        pieces = self._rearranged(regions, expected)
        rows, columns = self._assigned(pieces, expected)
        taken = dict(zip(rows, columns, strict=True))
        for row, track in enumerate(self.tracks):
            self._move(track, pieces[taken[row]] if row in taken else None, t_us)
        self.tracks = [track for track in self.tracks if self._stays(track, t_us)]
        new = [piece for column, piece in enumerate(pieces) if column not in set(taken.values())]
        for piece in new:
            if len(self.tracks) >= self._most:
                self.left_out += 1
                continue
            rect = np.array(piece.box, np.float64)
            self.tracks.append(Track(self._next, rect, t_us, t_us, np.zeros(2), region=piece))
            self._next += 1
        return [track for track in self.tracks if track.confirmed]

    def _stays(self, track: Track, t_us: int) -> bool:
        waited = t_us - track.seen_us
        return waited <= WAIT_US if track.confirmed else waited == 0

    def _rearranged(self, regions: list[Region], expected: dict[int, Floats]) -> list[Region]:
        """Join the parts of one track; divide what several share."""
        firm = [track for track in self.tracks if track.confirmed]
        if not firm:
            return regions
        parts: dict[int, list[Region]] = {}
        free: list[Region] = []
        for region in regions:
            box = np.array(region.box, np.float64)
            holders = [t for t in firm if t.region is not None and _share(expected[t.id], box) > 0.5]
            if len(holders) > 1:
                for track, piece in self._divided(region, holders, expected):
                    parts.setdefault(track.id, []).append(piece)
                continue
            shares = [_share(box, _grown(expected[t.id])) for t in firm]
            best = int(np.argmax(shares))
            if shares[best] >= _INSIDE:
                parts.setdefault(firm[best].id, []).append(region)
            else:
                free.append(region)
        for group in parts.values():
            if len(group) == 1:
                free.append(group[0])
                continue
            joined = self._finder.region(np.logical_or.reduce([part.cells for part in group]))
            free.extend([joined] if joined is not None else group)
        return free

    def _divided(
        self, region: Region, holders: list[Track], expected: dict[int, Floats]
    ) -> list[tuple[Track, Region]]:
        """Give each cell of a region to the track whose place it fits best."""
        ys, xs = np.nonzero(region.cells)
        at = (np.stack([xs, ys], axis=1) + 0.5) * self._finder.cell
        far = []
        for track in holders:
            left, top, right, bottom = expected[track.id]
            centre, size = np.array([left + right, top + bottom]) / 2, np.array([right - left, bottom - top])
            far.append(np.abs((at - centre) / np.maximum(size, 1)).max(axis=1))
        nearest = np.argmin(far, axis=0)
        made = []
        for index, track in enumerate(holders):
            cells = np.zeros_like(region.cells)
            mine = nearest == index
            cells[ys[mine], xs[mine]] = True
            piece = self._finder.region(cells)
            if piece is not None:
                made.append((track, piece))
        return made

    def _assigned(self, pieces: list[Region], expected: dict[int, Floats]) -> tuple[list[int], list[int]]:
        """Return rows (tracks) and columns (pieces) that belong together."""
        if not pieces or not self.tracks:
            return [], []
        boxes = np.array([piece.box for piece in pieces], np.float64)
        places = np.array([expected[track.id] for track in self.tracks])
        cost = _costs(places, boxes)
        waiting = np.array([track.region is None for track in self.tracks])
        cost[waiting] += 0.1  # what was seen a moment ago comes first
        rows, columns = linear_sum_assignment(np.minimum(cost, _GATE + 1))
        good = cost[rows, columns] < _GATE
        return rows[good].tolist(), columns[good].tolist()

    def _move(self, track: Track, piece: Region | None, t_us: int) -> None:
        track.region = piece
        if piece is None:
            return
        rect = np.array(piece.box, np.float64)
        seconds = max((t_us - track.seen_us) / 1e6, 1e-3)
        shift = (rect - track.rect).reshape(2, 2).mean(axis=0) / seconds
        track.velocity += _SMOOTH * (shift - track.velocity)
        track.rect = track.rect + (1 - _SMOOTH) * (rect - track.rect)
        track.seen_us = t_us
        track.hits += 1


def _share(inner: Floats, outer: Floats) -> float:
    """Return how much of ``inner`` lies within ``outer``."""
    sides = np.minimum(inner[2:], outer[2:]) - np.maximum(inner[:2], outer[:2])
    area = np.prod(np.maximum(inner[2:] - inner[:2], 1))
    return float(np.prod(np.maximum(sides, 0)) / area)


def _grown(rect: Floats, by: float = 0.15) -> Floats:
    margin = by * (rect[2:] - rect[:2])
    return np.concatenate([rect[:2] - margin, rect[2:] + margin])


def _costs(places: Floats, boxes: Floats) -> Floats:
    """Return (tracks, boxes): one minus the overlap, and the distance in their own size."""
    first, last = (
        np.maximum(places[:, None, :2], boxes[None, :, :2]),
        np.minimum(places[:, None, 2:], boxes[None, :, 2:]),
    )
    common = np.prod(np.maximum(last - first, 0), axis=2)
    sizes = [np.prod(rects[:, 2:] - rects[:, :2], axis=1) for rects in (places, boxes)]
    overlap = common / np.maximum(sizes[0][:, None] + sizes[1][None] - common, 1)
    centers = [(rects[:, 2:] + rects[:, :2]) / 2 for rects in (places, boxes)]
    apart = np.linalg.norm(centers[0][:, None] - centers[1][None], axis=2)
    scale = np.sqrt(np.maximum(np.maximum(sizes[0][:, None], sizes[1][None]), 1))
    cost: Floats = 1 - overlap + 0.5 * apart / scale
    return cost
