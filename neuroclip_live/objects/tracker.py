"""Regions become tracks: an identity through time, through crossings and through standing still.

What belongs together is decided by the past as well as by distance: parts that lie where one track is
expected are joined to it as long as they stay within its extent, tracks that move as one become one, and a
part in which several tracks are expected is divided among them. What is left is assigned with
``scipy.optimize.linear_sum_assignment``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from neuroclip_live.objects.boxes import Floats, costs, gaps, grown, rows_of, shares
from neuroclip_live.objects.cells import nearest_of
from neuroclip_live.objects.regions import Region, RegionFinder
from neuroclip_live.objects.track import CONFIRMED, REMEMBERED, Track, move_as_one

WAIT_US = 3_000_000
"""A thing that stopped is waited for so long."""
_INSIDE = 0.5
"""So much of a part's box within a track's is enough to belong to it."""
_GATE = 1.3
_OWN = 0.75
"""A region that costs less is a track's own, whoever else is expected around it."""
_GONE_US = 300_000
"""A waiting track in whose place another is seen for so long was the same thing, or is gone."""
_MAY_GROW = 1.1
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
        self._parted: list[Region] = []

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
        if len(self.tracks) == len(parts) == 1 and self._follow(self.tracks[0], parts, t_us, span_us):
            return list(self.tracks)
        expected = {track.id: track.expected(t_us) for track in self.tracks}
        self._parted = []
        pieces = self._rearranged(parts, expected)
        rows, columns = self._assigned(pieces, expected)
        taken = dict(zip(rows, columns, strict=True))
        for row, track in enumerate(self.tracks):
            track.move(pieces[taken[row]] if row in taken else None, t_us, span_us)
        self._unite()
        self._confirm()
        self.tracks = [track for track in self.tracks if self._stays(track, t_us)]
        used = set(taken.values())
        for column, piece in enumerate(pieces):
            if column not in used:
                self._add(piece, t_us)
        for part in self._parted:
            parted = self._finder.joined([part])
            if parted is not None:
                self._add(parted, t_us, sure=True)
        return [track for track in self.tracks if track.confirmed]

    def _follow(self, track: Track, parts: list[Region], t_us: int, span_us: int) -> bool:
        """Go the short way where all that is seen is the only track's own; return whether it was."""
        if not track.confirmed:
            return False
        expected = rows_of([track.expected(t_us)])
        if costs(expected, rows_of([parts[0].box]))[0, 0] + 0.1 * (track.region is None) >= _OWN:
            return False
        piece = self._joined(track, parts)[0]
        track.move(piece, t_us, span_us)
        return True

    def _add(self, piece: Region, t_us: int, sure: bool = False) -> None:
        """Begin a track, at once a thing where that is sure, while there is room for it."""
        if len(self.tracks) >= self._most:
            self.left_out += 1
            return
        rect = np.array(piece.box, np.float64)
        track = Track(self._next, rect, t_us, t_us, np.zeros(2), region=piece, size=rect[2:] - rect[:2])
        if sure:
            track.hits, track.confirmed = CONFIRMED, True
        self.tracks.append(track)
        self._next += 1

    def _stays(self, track: Track, t_us: int) -> bool:
        waited = t_us - track.seen_us
        if waited == 0:
            return True
        if not track.confirmed or waited > min(WAIT_US, 500_000 + 3 * (track.seen_us - track.born_us)):
            return False  # what was there but for a moment is not waited for any longer
        if self._has_left(track):
            return False
        others = [
            other.rect
            for other in self.tracks
            if other.confirmed and other.region is not None and not other.region.shared
        ]
        taken = bool((shares(rows_of([track.expected(t_us)]), rows_of(others)) > _INSIDE).any())
        return not (taken and waited > _GONE_US)

    def _unite(self) -> None:
        """Make one track of two that move as one: parts of an outline of which the middle is empty."""
        cell = self._finder.cell
        able = [t for t in self.tracks if t.region is not None and len(t.past) >= _TOGETHER[0]]
        if len(able) < 2:
            return
        able.sort(key=lambda t: (-t.confirmed, t.born_us))
        rects = rows_of(track.rect for track in able)
        sides = (rects[:, 2:] - rects[:, :2]).max(axis=1)
        near = np.triu(gaps(rects, rects) <= _BESIDE * np.maximum(sides[:, None], sides), 1)
        for i, j in np.argwhere(near):
            first, second = able[i], able[j]
            if first.region is None or second.region is None or not (first.past and second.past):
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
        if all(track.confirmed or track.hits < CONFIRMED for track in self.tracks):
            return
        for track in sorted(self.tracks, key=lambda t: -float(np.prod(t.rect[2:] - t.rect[:2]))):
            if track.confirmed or track.hits < CONFIRMED:
                continue
            rects = rows_of(other.rect for other in self.tracks if other.confirmed)
            sides = (rects[:, 2:] - rects[:, :2]).max(axis=1)
            beside = bool((gaps(rects, rows_of([track.rect]))[:, 0] <= _BESIDE * sides).any())
            track.confirmed = not beside or track.hits >= _SURE

    def _has_left(self, track: Track) -> bool:
        """Tell whether it went out of the picture: it moved outward at the border."""
        end = np.array(self._finder.resolution, np.float64)
        after = track.middle + 0.5 * track.velocity
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
        places = rows_of(expected[track.id] for track in firm)
        seen = np.array([track.region is not None for track in firm])
        held = (shares(places, rows_of(part.box for part in found)) > 0.5) & seen[:, None]
        for column, region in enumerate(found):
            holders = [firm[row] for row in np.flatnonzero(held[:, column])]
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
        within = shares(rows_of(part.box for part in loose), grown(places))
        for region, row in zip(loose, within, strict=True):
            best = int(np.argmax(row))
            if row[best] >= _INSIDE:
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
        parts = sorted(parts, key=lambda part: -part.mass)
        wide, high = (_MAY_GROW * track.size + 2 * self._finder.cell).tolist()
        left, top, right, bottom = parts[0].box
        near, far = parts[:1], []
        for part in parts[1:]:
            box = part.box
            edges = min(left, box.left), min(top, box.top), max(right, box.right), max(bottom, box.bottom)
            if edges[2] - edges[0] <= wide and edges[3] - edges[1] <= high:
                left, top, right, bottom = edges
                near.append(part)
            else:
                far.append(part)
        parted = track.parting.update(near, self._finder.cell)
        if parted is not None:
            near.remove(parted)
            self._parted.append(parted)
            rest = self._finder.joined(near)
            if rest is not None:
                track.begin_again(rest)
        track.pieces = 0 if far else len(near)
        joined = self._finder.joined(near)
        return [*([joined] if joined is not None else near), *far]

    def _divided(
        self, region: Region, holders: list[Track], expected: dict[int, Floats]
    ) -> list[tuple[Track, Region]]:
        """Give each cell of a region to the track whose place it fits best."""
        finder = self._finder
        places = rows_of(expected[track.id] for track in holders)
        nearest = nearest_of(region.cells, finder.columns, finder.cell, places)
        made = []
        for index, track in enumerate(holders):
            piece = finder.region(region.cells[nearest == index])
            if piece is not None:
                made.append((track, replace(piece, shared=True)))
        return made

    def _assigned(self, pieces: list[Region], expected: dict[int, Floats]) -> tuple[list[int], list[int]]:
        """Return rows (tracks) and columns (pieces) that belong together."""
        if not pieces or not self.tracks:
            return [], []
        boxes = rows_of(piece.box for piece in pieces)
        places, before = rows_of(expected[t.id] for t in self.tracks), rows_of(t.rect for t in self.tracks)
        cost = np.minimum(costs(places, boxes), costs(before, boxes) + 0.1)  # it may have turned back
        waiting = np.array([track.region is None for track in self.tracks])
        cost[waiting] += 0.1  # what was seen a moment ago comes first
        rows, columns = _cheapest(np.minimum(cost, _GATE + 1))
        good = cost[rows, columns] < _GATE
        return rows[good].tolist(), columns[good].tolist()


def _cheapest(cost: Floats) -> tuple[Any, Any]:
    """Return rows and columns of the cheapest assignment; one alone takes what costs it the least."""
    if min(cost.shape) > 1:
        return _assignment()(cost)  # type: ignore[no-any-return]
    row, column = np.unravel_index(np.argmin(cost), cost.shape)
    return np.array([row]), np.array([column])


@cache
def _assignment() -> Callable[[Floats], Any]:
    """Return SciPy's solver, imported when there are several things: that takes a fifth of a second."""
    from scipy.optimize import linear_sum_assignment

    solver: Callable[[Floats], Any] = linear_sum_assignment
    return solver


def _matched(
    tracks: list[Track], regions: list[Region], expected: dict[int, Floats]
) -> list[tuple[Track, Region]]:
    """Return the tracks that have a region of their own."""
    if not tracks or not regions:
        return []
    boxes = rows_of(region.box for region in regions)
    cost = costs(rows_of(expected[track.id] for track in tracks), boxes)
    cost += 0.1 * np.array([[track.region is None] for track in tracks])
    rows, columns = _cheapest(np.minimum(cost, _GATE + 1))
    pairs = zip(rows, columns, strict=True)
    return [(tracks[row], regions[column]) for row, column in pairs if cost[row, column] < _OWN]
