"""A word for every track: its own T newest features, and one encoding a slice each while there is time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_live.objects.track import Track
from neuroclip_live.stream.frames import GRAY, Frame

if TYPE_CHECKING:
    from neuroclip_live.model.backbone import Backbone

STALE_US = 3_000_000
KEPT_WINDOWS = 40
"""About two seconds: what a thing can be taught with."""
THUMBNAIL = 48
"""Side of the small frames that are kept, in pixels."""
_MARGIN = 0.12
_SIDES = (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Crops are laid on gray squares of these sides, so that those of one side can be encoded as one batch."""

Features = npt.NDArray[np.float32]
Named = tuple["str | None", float, Mapping[str, float]]
Score = Callable[[Sequence[Features], int, dict[str, Any]], Named]
"""Says of up to T features (C,), a time in µs and what it keeps of a thing: label, probability, scores."""


@dataclass
class Looks:
    """What was encoded of one track."""

    features: deque[tuple[int, Features]] = field(default_factory=deque)
    memory: dict[str, Any] = field(default_factory=dict)
    """Of whoever scores: what goes from one slice to the next."""
    label: str | None = None
    probability: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)
    windows: deque[Features] = field(default_factory=lambda: deque(maxlen=KEPT_WINDOWS))
    """Its newest whole windows of T features, (T, C) each."""
    frames: deque[Frame] = field(default_factory=deque)
    """What was encoded at the newest T slices, small."""
    looked_us: int = -(1 << 62)
    margin: float = 0.0
    """Of the best score over the second best: the least sure come first."""

    units: deque[Features] = field(default_factory=deque)
    """The features at length 1."""

    def mean(self) -> Features | None:
        """Return the mean of the unit features, (C,); None before the first."""
        if not self.units:
            return None
        mean: Features = sum(self.units) / np.float32(len(self.units))  # type: ignore[assignment]
        return mean

    def add(self, feature: Features, t_us: int, timesteps: int) -> None:
        """Take in a feature; those beyond so many timesteps, and stale ones, are dropped."""
        while self.features and (len(self.features) == timesteps or t_us - self.features[0][0] > STALE_US):
            for kept in (self.features, self.units, self.frames):
                kept.popleft()
        self.features.append((t_us, feature))
        self.units.append(feature / max(float(np.sqrt(feature @ feature)), 1e-9))
        self.looked_us = t_us
        if len(self.features) < timesteps:
            return
        window = np.empty((timesteps, len(feature)), np.float32)
        for row, (_, each) in zip(window, self.features, strict=True):
            row[...] = each
        self.windows.append(window)


class Namer:
    """Keeps the features of tracks and encodes new ones, the most urgent first.

    Parameters
    ----------
    backbone : Backbone
    timesteps : int
    budget_ms : float
        Encoding takes so long per slice at the most.

    Attributes
    ----------
    passed_over : int
        Looks at seen tracks that there was no time for, since the start.
    """

    def __init__(self, backbone: Backbone, timesteps: int, budget_ms: float) -> None:
        self.passed_over = 0
        self.looks: dict[int, Looks] = {}
        self._backbone = backbone
        self._timesteps = timesteps
        self._budget_ms = budget_ms
        self._cost_ms = 4.0  # of one crop; learned

    def forget(self) -> None:
        """Drop all features."""
        self.looks.clear()

    def forget_names(self) -> None:
        """Let the next scores count for themselves."""
        for looks in self.looks.values():
            looks.memory.clear()

    def look(
        self,
        tracks: list[Track],
        frame: Frame,
        cell: int,
        t_us: int,
        *,
        whole: Features | None = None,
        spare_ms: float = np.inf,
    ) -> list[int]:
        """Encode what is seen of the tracks; return the ids of those looked at.

        Parameters
        ----------
        tracks : list of Track
            All that are alive; the others' features are dropped.
        frame : ndarray of uint8, shape (H, W) or (H, W, 3)
            The slice's image, as the encoder gets it.
        cell : int
            Side of a grid cell of the tracks' regions, in pixels.
        t_us : int
        whole : ndarray (C,) float32, optional
            The feature of the whole picture, where that shows the one thing that is seen and nothing else.
        spare_ms : float
            Encoding takes no longer than there is time to spare. Without that limit one is always encoded.
        """
        alive = {track.id for track in tracks}
        self.looks = {key: looks for key, looks in self.looks.items() if key in alive}
        for key in alive - self.looks.keys():
            self.looks[key] = Looks()
        seen = [track for track in tracks if track.region is not None]
        seen.sort(key=lambda t: self._urgency(t, t_us), reverse=True)
        if whole is not None and len(seen) == 1:
            self._keep(seen[0].id, whole, crop_of(seen[0], frame, None, cell), t_us)
            return [seen[0].id]
        room = self._room(len(seen), spare_ms)
        self.passed_over += len(seen) - room
        seen = seen[:room]
        if not seen:
            return []
        begin = perf_counter()
        owners = _owners(tracks, cell, frame.shape)
        batches: dict[int, list[tuple[int, Frame]]] = {}
        for track in seen:
            picture = crop_of(track, frame, owners, cell)
            batches.setdefault(len(picture), []).append((track.id, picture))
        for batch in batches.values():
            features = self._backbone.encode_frames(np.stack([picture for _, picture in batch]))
            for (key, picture), feature in zip(batch, features, strict=True):
                self._keep(key, feature, picture, t_us)
        self._cost_ms += 0.2 * ((perf_counter() - begin) * 1e3 / len(seen) - self._cost_ms)
        return [track.id for track in seen]

    def score(self, score: Score | None, t_us: int) -> None:
        """Let ``score`` say (label, probability, scores) of each track's features; None forgets what it said.

        Waiting tracks too: the words asked for may have changed since.
        """
        for looks in self.looks.values():
            if score is None or not looks.features:
                looks.label, looks.probability, looks.scores = None, 0.0, {}
                looks.memory.clear()
                continue
            features = [feature for _, feature in looks.features]
            looks.label, looks.probability, looks.scores = score(features, t_us, looks.memory)
            ranked = sorted(looks.scores.values(), reverse=True)
            looks.margin = ranked[0] - ranked[1] if len(ranked) > 1 else 1.0

    def _room(self, seen: int, spare_ms: float) -> int:
        """Return how many of those seen there is time to encode."""
        allowed_ms = min(self._budget_ms, spare_ms)
        if not np.isfinite(allowed_ms):
            return seen
        least = int(spare_ms >= self._cost_ms)  # also one that costs more than the settings allow
        return min(seen, max(least, int(allowed_ms / max(self._cost_ms, 0.01))))

    def _urgency(self, track: Track, t_us: int) -> float:
        looks = self.looks[track.id]
        return min((t_us - looks.looked_us) / 1e6, 1e6) + 0.1 * (1 - looks.margin)

    def _keep(self, key: int, feature: Features, picture: Frame, t_us: int) -> None:
        looks = self.looks[key]
        looks.add(feature, t_us, self._timesteps)
        looks.frames.append(_small(picture))


def crop_of(track: Track, frame: Frame, owners: npt.NDArray[np.int32] | None, cell: int) -> Frame:
    """Return a track's part of a frame on a gray square, without what belongs to other tracks.

    ``owners`` (rows, columns) says whose each grid cell is, 0 for nobody's; None where there are no others.
    """
    left, top, right, bottom = track.region.box if track.region is not None else track.box
    margin = round(_MARGIN * max(right - left, bottom - top))
    height, width = frame.shape[:2]
    left, top = max(0, left - margin), max(0, top - margin)
    right, bottom = min(width, right + margin), min(height, bottom + margin)
    part = frame[top:bottom, left:right]
    if owners is not None:
        part = part.copy()
        owner = owners[np.arange(top, bottom)[:, None] // cell, np.arange(left, right) // cell]
        part[(owner != 0) & (owner != track.id)] = GRAY
    longest = max(part.shape[:2])
    side = next((s for s in _SIDES if s >= longest), longest)
    square = np.full((side, side, *part.shape[2:]), GRAY, np.uint8)
    y, x = (side - part.shape[0]) // 2, (side - part.shape[1]) // 2
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    return square


def _small(picture: Frame) -> Frame:
    small: Frame = cv2.resize(picture, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return small


def _owners(tracks: list[Track], cell: int, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Return whose each grid cell is, (rows, columns); 0 for nobody's."""
    grid = np.zeros((-(-shape[0] // cell), -(-shape[1] // cell)), np.int32)
    for track in tracks:
        if track.region is not None:
            grid.ravel()[track.region.cells] = track.id
    return grid
