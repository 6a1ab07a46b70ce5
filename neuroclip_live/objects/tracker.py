"""Regions become tracks: an identity through time, through crossings and through standing still.

What belongs together is decided by the past as well as by distance: parts that lie where one track is
expected are joined to it, and a region in which several tracks are expected is divided among them. What is
left is assigned with ``scipy.optimize.linear_sum_assignment``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from neuroclip_live.objects.regions import Region, RegionFinder, gap
from neuroclip_live.stream.box import Box

WAIT_US = 3_000_000
"""A thing that stopped is waited for so long."""
CONFIRMED = 3
"""A region must be seen in so many slices before it is a thing."""
_INSIDE = 0.6
"""So much of a part's box within a track's is enough to belong to it."""
_GATE = 1.3
_OWN = 0.75
"""A region that costs less is a track's own, whoever else is expected around it."""
_GONE_US = 300_000
"""A waiting track in whose place another is seen for so long was the same thing, or is gone."""
_SMOOTH = 0.4
_SHARED = 0.15
_TOGETHER = 8
"""Two that keep their distance in so many slices, while they move, are parts of one thing."""

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
    spread: Floats | None = None
    """(2,) from the middle of its first part to its second, where it was found to be two that move as one."""
    past: deque[Floats] = field(default_factory=lambda: deque(maxlen=_TOGETHER))
    """The middles of its newest regions."""
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

    def update(self, regions: list[Region], t_us: int, span_us: int = 0) -> list[Track]:
        """Take in a slice's regions; return the confirmed tracks, by id.

        Parameters
        ----------
        regions : list of Region
        t_us : int
            End of the slice.
        span_us : int
            Time that the regions' events took: what moves leaves a trail of so long behind it.
        """
        expected = {track.id: track.expected(t_us) for track in self.tracks}
        pieces = self._rearranged(regions, expected)
        rows, columns = self._assigned(pieces, expected)
        taken = dict(zip(rows, columns, strict=True))
        for row, track in enumerate(self.tracks):
            self._move(track, pieces[taken[row]] if row in taken else None, t_us, span_us)
        self._unite()
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
        if waited == 0:
            return True
        if not track.confirmed or waited > min(WAIT_US, 500_000 + 3 * (track.seen_us - track.born_us)):
            return False  # what was there but for a moment is not waited for any longer
        if self._has_left(track):
            return False
        place = track.expected(t_us)
        taken = any(
            _share(place, other.rect) > _INSIDE and other.confirmed
            for other in self.tracks
            if other.region is not None and not other.region.shared
        )
        return not (taken and waited > _GONE_US)

    def _unite(self) -> None:
        """Make one track of two that move as one: parts of an outline of which the middle is empty."""
        cell = self._finder.cell
        able = [t for t in self.tracks if t.region is not None and len(t.past) == _TOGETHER]
        for first, second in combinations(able, 2):
            if first.region is None or second.region is None or first.region.shared or second.region.shared:
                continue
            if not (first.past and second.past):  # it became one with another just now
                continue
            longest = max(_longest(first.rect), _longest(second.rect))
            if gap(first.region.box, second.region.box) > longest:
                continue
            moved = first.past[-1] - first.past[0], second.past[-1] - second.past[0]
            far = min(float(np.linalg.norm(each)) for each in moved)
            apart = float(np.linalg.norm(moved[0] - moved[1]))
            if far < 3 * cell or apart > max(0.15 * far, 0.5 * cell):
                continue
            rect = np.concatenate(
                [np.minimum(first.rect[:2], second.rect[:2]), np.maximum(first.rect[2:], second.rect[2:])]
            )
            first.spread = second.past[-1] - first.past[-1]
            first.rect, second.region, second.hits = rect, None, 0
            first.past.clear()
            second.seen_us = -1

    def _has_left(self, track: Track) -> bool:
        """Tell whether it went out of the picture: it moved outward at the border."""
        end = np.array(self._finder.resolution, np.float64)
        after = track.rect.reshape(2, 2).mean(axis=0) + 0.5 * track.velocity
        margin = 2.0 * self._finder.cell
        at_border = (track.rect[:2] <= margin) | (track.rect[2:] >= end - margin)
        return bool((((after < 0) | (after > end)) & at_border).any())

    def _rearranged(self, regions: list[Region], expected: dict[int, Floats]) -> list[Region]:
        """Join the parts of one track; divide what several share."""
        firm = [track for track in self.tracks if track.confirmed]
        if not firm:
            return regions
        parts: dict[int, list[Region]] = {}
        loose: list[Region] = []
        for region in regions:
            box = np.array(region.box, np.float64)
            holders = [t for t in firm if t.region is not None and _share(expected[t.id], box) > 0.5]
            if len(holders) > 1:
                for track, piece in self._divided(region, holders, expected):
                    parts.setdefault(track.id, []).append(piece)
            else:
                loose.append(region)
        # whoever has a region of its own does not become a part of what it passes
        own = [track for track in firm if track.id not in parts]
        for track, region in _matched(own, loose, expected):
            parts[track.id] = [region]
            loose.remove(region)
        free: list[Region] = []
        for region in loose:
            box = np.array(region.box, np.float64)
            shares = [_share(box, _grown(expected[t.id])) for t in firm]
            best = int(np.argmax(shares))
            if shares[best] >= _INSIDE:
                parts.setdefault(firm[best].id, []).append(region)
            else:
                free.append(region)
        for track in firm:
            if track.id in parts:
                free.extend(self._joined(track, parts[track.id]))
        return free

    def _joined(self, track: Track, parts: list[Region]) -> list[Region]:
        """Return the parts of a track as one region, and apart those that lie too far off to be of it."""
        if len(parts) == 1:
            return parts
        parts.sort(key=lambda part: -part.mass)
        if track.spread is not None:
            spread = _middle(parts[1].box) - _middle(parts[0].box)
            size = float(np.linalg.norm(track.rect[2:] - track.rect[:2]))
            change = min(np.linalg.norm(spread - track.spread), np.linalg.norm(spread + track.spread))
            if change < 0.3 * size:
                joined = self._finder.region(np.logical_or.reduce([part.cells for part in parts]))
                return [joined] if joined is not None else parts
            track.spread = None
        near = [part for part in parts if part is parts[0] or part.is_near(parts[0], 2 * self._finder.cell)]
        far = [part for part in parts if not any(part is one for one in near)]
        if len(near) == 1:
            return parts
        joined = self._finder.region(np.logical_or.reduce([part.cells for part in near]))
        return [*([joined] if joined is not None else near), *far]

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
                made.append((track, replace(piece, shared=True)))
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

    def _move(self, track: Track, piece: Region | None, t_us: int, span_us: int) -> None:
        track.region = piece
        if piece is None:
            track.past.clear()
            return
        rect = _without_trail(np.array(piece.box, np.float64), track.velocity * span_us / 1e6)
        seconds = max((t_us - track.seen_us) / 1e6, 1e-3)
        shift = (rect - track.rect).reshape(2, 2).mean(axis=0) / seconds
        expected = track.expected(t_us)
        if piece.shared:  # where it ends is a guess: it goes on as before, drawn a little to what is seen
            track.rect = expected + _SHARED * (rect - expected)
        else:
            track.velocity += _SMOOTH * (shift - track.velocity)
            track.rect = expected + (1 - _SMOOTH) * (rect - expected)
        track.past.append(_middle(piece.box))
        track.seen_us = t_us
        track.hits += 1


def _share(inner: Floats, outer: Floats) -> float:
    """Return how much of ``inner`` lies within ``outer``."""
    sides = np.minimum(inner[2:], outer[2:]) - np.maximum(inner[:2], outer[:2])
    area = np.prod(np.maximum(inner[2:] - inner[:2], 1))
    return float(np.prod(np.maximum(sides, 0)) / area)


def _middle(box: Box) -> Floats:
    return np.array([box.left + box.right, box.top + box.bottom]) / 2


def _longest(rect: Floats) -> float:
    return float((rect[2:] - rect[:2]).max())


def _without_trail(rect: Floats, moved: Floats) -> Floats:
    """Return a rectangle without what its thing left behind when it moved so far, (2,) pixels."""
    most = (rect[2:] - rect[:2]) / 3
    moved = np.clip(moved, -most, most)
    trimmed: Floats = rect + np.concatenate([np.maximum(moved, 0), np.minimum(moved, 0)])
    return trimmed


def _matched(
    tracks: list[Track], regions: list[Region], expected: dict[int, Floats]
) -> list[tuple[Track, Region]]:
    """Return the tracks that have a region of their own."""
    if not tracks or not regions:
        return []
    boxes = np.array([region.box for region in regions], np.float64)
    cost = _costs(np.array([expected[track.id] for track in tracks]), boxes)
    cost += 0.1 * np.array([[track.region is None] for track in tracks])
    rows, columns = linear_sum_assignment(np.minimum(cost, _GATE + 1))
    pairs = zip(rows, columns, strict=True)
    return [(tracks[row], regions[column]) for row, column in pairs if cost[row, column] < _OWN]


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
