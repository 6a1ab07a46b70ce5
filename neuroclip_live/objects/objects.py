"""Slices in, things out: regions, tracks and words together, for one stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.objects.found import FoundObject, Missed, ObjectsSettings
from neuroclip_live.objects.naming import Features, Namer, Score
from neuroclip_live.objects.regions import RegionFinder
from neuroclip_live.objects.track import CONFIRMED, Track
from neuroclip_live.objects.tracker import Tracker
from neuroclip_live.stream.box import Box
from neuroclip_live.stream.frames import Frame

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone

_NEARLY_ALL = 0.9
"""A thing with so much of the activity is all that the whole picture shows."""
_LEAST, _MOST = 0.3, 0.8
"""Of the picture: what is smaller a focused encoder sees smaller than its crop; one that is not focused sees
alike only what fills so much of it."""
_MOVES_AFTER = 5
"""The camera moves when so many slices in a row say so, and stops likewise."""


class Objects:
    """Finds, follows and names the things in one stream's slices.

    Parameters
    ----------
    backbone : Backbone
    settings : ObjectsSettings
    timesteps : int
        Features kept of each thing.

    Attributes
    ----------
    camera_moves : bool
        Nearly everything is active, or has edges that move: the camera itself moves (or things fill the
        picture), and the whole picture's word is all that is said.
    tracker : Tracker
        Who follows them.
    missed : Missed
        What was passed over and left out of the newest slice.
    """

    def __init__(self, backbone: Backbone, settings: ObjectsSettings, timesteps: int) -> None:
        self.settings = settings
        self.camera_moves, self.missed = False, Missed()
        self._namer = Namer(backbone, timesteps, settings.budget_ms)
        self._focuses = backbone.info.focus
        self._crowded, self._was_all = 0, False
        self._epoch: int | None = None
        self._begin(Resolution(8, 8))

    @property
    def passed_over(self) -> int:
        """How many looks at a thing there was no time for, since the start."""
        return self._namer.passed_over

    @property
    def left_out(self) -> int:
        """How many regions were no track because there were too many, since the start; once a slice."""
        return self.tracker.left_out

    def _begin(self, resolution: Resolution) -> None:
        self._finder = RegionFinder(resolution, self.settings.smallest)
        self.tracker = Tracker(self._finder, self.settings.most)

    def begin(self, resolution: Resolution, after: Tracker | None = None) -> None:
        """Forget the past; ids go on, from those of ``after`` where another went before."""
        before = after or self.tracker
        self._begin(resolution)
        self.tracker.continue_from(before)
        self._namer.forget()
        self._crowded, self.camera_moves, self._was_all = 0, False, False

    def update(
        self,
        events: Packet,
        frame: Frame,
        t_us: int,
        epoch: int,
        score: Score | None,
        *,
        whole: Features | None = None,
        spare_ms: float = np.inf,
    ) -> tuple[FoundObject, ...]:
        """Take in one slice.

        Parameters
        ----------
        events : Packet
        frame : ndarray of uint8, shape (H, W)
            Its event frame.
        t_us : int
            Its end.
        epoch : int
            Another one than before forgets all.
        score : callable or None
            Says label, probability and scores; None where nothing is asked for.
        whole : ndarray (C,) float32, optional
            The feature of ``frame``, which is that of its one thing where it shows nothing else.
        spare_ms : float
            How long encoding may take, beside the settings' own limit.

        Returns
        -------
        tuple of FoundObject
            By id.
        """
        self._take_up(epoch)
        before = self.passed_over, self.left_out
        newest = events[len(events) // 2 :]  # slices overlap: the others were seen before, where it was then
        span_us = int(newest["t"][-1] - newest["t"][0]) if len(newest) else 0
        regions = self._finder.find(newest)
        self._watch_camera()
        tracks = self.tracker.update([] if self.camera_moves else regions, t_us, span_us)
        alone = self._is_all(tracks, frame)
        self._namer.look(
            tracks, frame, self._finder.cell, t_us, whole=whole if alone else None, spare_ms=spare_ms
        )
        self._namer.score(score, t_us)
        self.missed = Missed(self.passed_over - before[0], self.left_out - before[1])
        return self._told(t_us)

    def _is_all(self, tracks: list[Track], frame: Frame) -> bool:
        """Tell whether one thing is seen and the encoder sees the picture as it would see that thing's crop.

        A slice's picture shows its older half too, so the slice before must have been the same.
        """
        seen = [track.region for track in tracks if track.region is not None]
        was_all, self._was_all = self._was_all, False
        if len(seen) != 1 or seen[0].mass < _NEARLY_ALL * self._finder.mass:
            return False
        self._was_all = True
        box, (height, width) = seen[0].box, frame.shape[:2]
        longest = max(box.right - box.left, box.bottom - box.top)
        fits = longest >= (_LEAST * min(height, width) if self._focuses else _MOST * max(height, width))
        return was_all and fits

    def renamed(self, t_us: int, score: Score | None) -> tuple[FoundObject, ...]:
        """Return what was found last by the words of now: no new slice will say so while paused."""
        self._namer.forget_names()
        self._namer.score(score, t_us)
        return self._told(t_us)

    def at_rest(self, t_us: int, epoch: int) -> tuple[FoundObject, ...]:
        """Take in a slice in which nothing moves: what was there waits."""
        self._take_up(epoch)
        self._crowded, self.camera_moves = 0, False
        self.tracker.update([], t_us)
        return self._told(t_us)

    def _take_up(self, epoch: int) -> None:
        if self._epoch is not None and epoch != self._epoch:
            self.begin(self._finder.resolution)
        self._epoch = epoch

    def _watch_camera(self) -> None:
        moves = self._finder.crowded or self._finder.structured
        self._crowded = min(self._crowded + 1, _MOVES_AFTER) if moves else self._crowded - 1
        self._crowded = max(self._crowded, 0)
        if self._crowded in (0, _MOVES_AFTER):
            self.camera_moves = self._crowded == _MOVES_AFTER

    def _told(self, t_us: int) -> tuple[FoundObject, ...]:
        width, height = self._finder.resolution
        told: list[FoundObject] = []
        if self.camera_moves:  # what was followed before waits for it to stop, untold
            return ()
        for track in self.tracker.tracks:
            if not track.confirmed:
                continue
            looks = self._namer.looks.get(track.id)
            left, top, right, bottom = track.box
            told.append(
                FoundObject(
                    id=track.id,
                    box=Box(max(0, left), max(0, top), min(right, width), min(bottom, height)),
                    label=looks.label if looks else None,
                    probability=looks.probability if looks else 0.0,
                    scores=dict(looks.scores) if looks else {},
                    state="seen" if track.region is not None else "waiting",
                    age_us=t_us - track.born_us,
                    look=looks.mean() if looks else None,
                    windows=tuple(looks.windows) if looks else (),
                    frames=tuple(looks.frames) if looks else (),
                )
            )
        return tuple(told)


def warm_up() -> None:
    """Import and compile now what slices with several things would otherwise wait for."""
    finder = RegionFinder(Resolution(64, 64))
    tracker = Tracker(finder)
    for step in range(1, 2 * CONFIRMED):  # two patches that meet: all that is compiled has its turn
        tracker.update(finder.find(_two_patches(4 * step)), step * 10_000, 10_000)


def _two_patches(at: int) -> Packet:
    """Return events of two squares of a 64 x 64 picture, that many pixels from its left and its right."""
    y, x = (each.ravel() for each in np.mgrid[24:40, 0:12])
    events = np.zeros(2 * len(x), EVENT_DTYPE)
    events["x"], events["y"] = np.concatenate([x + at, 63 - at - x]), np.tile(y, 2)
    return events
