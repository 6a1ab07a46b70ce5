"""Regions become tracks: an identity through time, through crossings and through standing still.

What belongs together is decided by the past as well as by distance: parts that lie where one track is
expected are joined to it as long as they stay within its extent, tracks that move as one become one, and a
part in which several tracks are expected is divided among them. What is left is assigned with
``scipy.optimize.linear_sum_assignment``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from neuroclip_live.objects.regions import Region, RegionFinder, gap
from neuroclip_live.objects.track import (
    CONFIRMED,
    REMEMBERED,
    Floats,
    Track,
    grown,
    longest,
    move_as_one,
    share,
)

WAIT_US = 3_000_000
"""A thing that stopped is waited for so long."""
_INSIDE = 0.6
"""So much of a part's box within a track's is enough to belong to it."""
_GATE = 1.3
_OWN = 0.75
"""A region that costs less is a track's own, whoever else is expected around it."""
_GONE_US = 300_000
"""A waiting track in whose place another is seen for so long was the same thing, or is gone."""
_MAY_GROW = 1.3
"""Parts whose box is so many times the track's have parted."""
_BESIDE = 0.2
"""So near, in its own longer side, a thing may have parts."""
_SURE = 10
"""What lies beside a thing is another one when it was seen in so many slices and did not move with it."""
_TOGETHER = (8, 14, REMEMBERED)
"""Two that keep their distance in one of so many slices, while they move, are parts of one thing."""


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

    def update(self, parts: list[Region], t_us: int, span_us: int = 0) -> list[Track]:
        """Take in a slice's regions; return the confirmed tracks, by id.

        Parameters
        ----------
        parts : list of Region
            As :meth:`RegionFinder.find` returns them.
        t_us : int
            End of the slice.
        span_us : int
            Time that the regions' events took: what moves leaves a trail of so long behind it.
        """
        expected = {track.id: track.expected(t_us) for track in self.tracks}
        pieces = self._rearranged(parts, expected)
        rows, columns = self._assigned(pieces, expected)
        taken = dict(zip(rows, columns, strict=True))
        for row, track in enumerate(self.tracks):
            track.move(pieces[taken[row]] if row in taken else None, t_us, span_us)
        self._unite()
        self._confirm()
        self.tracks = [track for track in self.tracks if self._stays(track, t_us)]
        new = [piece for column, piece in enumerate(pieces) if column not in set(taken.values())]
        for piece in new:
            if len(self.tracks) >= self._most:
                self.left_out += 1
                continue
            rect = np.array(piece.box, np.float64)
            size = rect[2:] - rect[:2]
            self.tracks.append(Track(self._next, rect, t_us, t_us, np.zeros(2), region=piece, size=size))
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
            share(place, other.rect) > _INSIDE and other.confirmed
            for other in self.tracks
            if other.region is not None and not other.region.shared
        )
        return not (taken and waited > _GONE_US)

    def _unite(self) -> None:
        """Make one track of two that move as one: parts of an outline of which the middle is empty."""
        cell = self._finder.cell
        able = [t for t in self.tracks if t.region is not None and len(t.past) >= _TOGETHER[0]]
        able.sort(key=lambda t: (-t.confirmed, t.born_us))
        for first, second in combinations(able, 2):
            if first.region is None or second.region is None or not (first.past and second.past):
                continue
            side = max(longest(first.rect), longest(second.rect))
            if gap(first.box, second.box) > _BESIDE * side:
                continue
            if not any(move_as_one(first.past, second.past, slices, cell) for slices in _TOGETHER):
                continue
            first.rect = np.concatenate(
                [np.minimum(first.rect[:2], second.rect[:2]), np.maximum(first.rect[2:], second.rect[2:])]
            )
            first.size = first.rect[2:] - first.rect[:2]
            first.past.clear()
            second.region, second.confirmed, second.seen_us = None, False, -1

    def _confirm(self) -> None:
        """Tell which tracks are things; what lies beside a larger one may be a part of that for longer."""
        able = sorted(self.tracks, key=lambda t: (-t.confirmed, -float(np.prod(t.rect[2:] - t.rect[:2]))))
        for number, track in enumerate(able):
            if track.confirmed or track.hits < CONFIRMED:
                continue
            beside = any(
                gap(track.box, other.box) <= _BESIDE * longest(other.rect)
                for other in able[:number]
                if other.confirmed
            )
            track.confirmed = not beside or track.hits >= _SURE

    def _has_left(self, track: Track) -> bool:
        """Tell whether it went out of the picture: it moved outward at the border."""
        end = np.array(self._finder.resolution, np.float64)
        after = track.rect.reshape(2, 2).mean(axis=0) + 0.5 * track.velocity
        margin = 2.0 * self._finder.cell
        at_border = (track.rect[:2] <= margin) | (track.rect[2:] >= end - margin)
        return bool((((after < 0) | (after > end)) & at_border).any())

    def _rearranged(self, found: list[Region], expected: dict[int, Floats]) -> list[Region]:
        """Join the parts of one track; divide what several share; group what is left."""
        firm = [track for track in self.tracks if track.confirmed]
        if not firm:
            return self._finder.grouped(found)
        parts: dict[int, list[Region]] = {}
        loose: list[Region] = []
        for region in found:
            box = np.array(region.box, np.float64)
            holders = [t for t in firm if t.region is not None and share(expected[t.id], box) > 0.5]
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
            shares = [share(box, grown(expected[t.id])) for t in firm]
            best = int(np.argmax(shares))
            if shares[best] >= _INSIDE:
                parts.setdefault(firm[best].id, []).append(region)
            else:
                free.append(region)
        joined: list[Region] = []
        for track in firm:
            if track.id in parts:
                first, *others = self._joined(track, parts[track.id])
                joined.append(first)
                free.extend(others)
        return [*joined, *self._finder.grouped(free)]

    def _joined(self, track: Track, parts: list[Region]) -> list[Region]:
        """Return the parts of a track as one region, and apart those that lie too far off to be of it."""
        if parts[0].shared:
            return parts
        parts.sort(key=lambda part: -part.mass)
        most = _MAY_GROW * track.size + 2 * self._finder.cell
        low, high = np.array(parts[0].box[:2], np.float64), np.array(parts[0].box[2:], np.float64)
        near, far = parts[:1], []
        for part in parts[1:]:
            first, last = np.minimum(low, part.box[:2]), np.maximum(high, part.box[2:])
            if (last - first <= most).all():
                low, high = first, last
                near.append(part)
            else:
                far.append(part)
        track.pieces = 0 if far else len(near)
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
        # it may as well have turned back
        cost = np.minimum(_costs(places, boxes), _costs(np.array([t.rect for t in self.tracks]), boxes) + 0.1)
        waiting = np.array([track.region is None for track in self.tracks])
        cost[waiting] += 0.1  # what was seen a moment ago comes first
        rows, columns = linear_sum_assignment(np.minimum(cost, _GATE + 1))
        good = cost[rows, columns] < _GATE
        return rows[good].tolist(), columns[good].tolist()


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
