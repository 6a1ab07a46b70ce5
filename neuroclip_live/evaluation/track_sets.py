"""What tracks are measured on: simulated scenes, and folders of recordings with their true boxes.

In a folder, boxes lie beside their recording: ``NAME.aedat4`` (or any format that is read) with ``NAME.txt``
or ``NAME/gt/gt.txt`` (MOT challenge) or ``NAME_bbox.npy`` (GEN1 and 1 Mpx, whose recordings are called
``NAME_td.dat``). ``labels.txt``, a line for each, names the classes; frames a second of MOT text are
``frameRate`` of ``seqinfo.ini`` in ``NAME`` or in the folder, else 30.
"""

from __future__ import annotations

from collections.abc import Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from neuroclip_drivers.files.registry import known_suffixes
from neuroclip_drivers.simulator.show_words import SHOW
from neuroclip_live.datasets.recordings import open_recording
from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.track_scenes import Scene, SceneSettings
from neuroclip_live.evaluation.track_truth import MOT_FPS, Moment, Truth, read_truth
from neuroclip_live.events import Packet, Resolution

GEN1 = ("a car", "a pedestrian")
MPX = ("a pedestrian", "a two wheeler", "a car", "a truck", "a bus", "a traffic sign", "a traffic light")
"""What the numbers of classes mean in the data sets that are read without ``labels.txt``."""
GEN1_SENSOR, MPX_SENSOR = Resolution(304, 240), Resolution(1280, 720)
EXPECTED = (
    "recordings with their boxes beside them: NAME.txt or NAME/gt/gt.txt (MOT), NAME_bbox.npy (GEN1, 1 Mpx)"
)
FIRST_SEED = 100
"""Scenes of other seeds than those on which regions and tracks were tuned (:mod:`benchmarks.tracks`)."""


class Footage(Protocol):
    """Events whose truth is known once they were all read."""

    name: str
    kind: str
    """Of which there are several: the scenes of one kind are a row of the table together."""
    labels: tuple[str, ...]
    """The words to be asked for."""
    resolution: Resolution

    def packets(self) -> Iterator[Packet]:
        """Yield the events."""
        ...

    def truth(self) -> Truth:
        """Return what was where; after the last packet."""
        ...


class SimulatedFootage:
    """A simulated scene, drawn while it is read.

    Parameters
    ----------
    settings : SceneSettings
    """

    def __init__(self, settings: SceneSettings) -> None:
        self.kind = settings.name
        self.name = f"{settings.name} (seed {settings.seed})"
        self.labels: tuple[str, ...] = SHOW
        self.resolution = settings.resolution
        self.settings = settings
        self._moments: list[Moment] = []

    def packets(self) -> Iterator[Packet]:
        """Yield the events, 4 ms at a time."""
        self._moments = []
        for packet, moment in Scene(self.settings).steps():
            self._moments.append(moment)
            yield packet

    def truth(self) -> Truth:
        """Return what was where."""
        return Truth(self._moments)


@dataclass(frozen=True)
class _Pair:
    recording: Path
    boxes: Path


class RecordedFootage:
    """A recording with its file of boxes.

    Parameters
    ----------
    pair : _Pair
    labels : tuple of str
        Names of the classes; empty for those of GEN1 or 1 Mpx.

    Raises
    ------
    UserError
        When one of the files cannot be read.
    """

    def __init__(self, pair: _Pair, labels: tuple[str, ...]) -> None:

        self.name = self.kind = pair.recording.name
        self._source = open_recording(pair.recording)
        self.resolution = self._source.resolution
        self._from_start = pair.boxes.suffix != ".npy"
        if self._from_start:
            self._truth = read_truth(pair.boxes, _fps(pair), labels)
        else:
            names = labels or {GEN1_SENSOR: GEN1, MPX_SENSOR: MPX}.get(self.resolution, ())
            self._truth = read_truth(pair.boxes, names=names)
        things = [thing for moment in self._truth.moments for thing in moment.things]
        self.labels = tuple(sorted({label for _, _, label in things if label}))
        self._first_us: int | None = None

    def packets(self) -> Iterator[Packet]:
        """Yield the events; closes the recording at their end."""
        try:
            for packet in self._source.packets():
                if self._first_us is None and len(packet):
                    self._first_us = int(packet["t"][0])
                yield packet
        finally:
            self._source.close()

    def truth(self) -> Truth:
        """Return what was where; frame 1 of MOT text lies at the first event."""
        first = (self._first_us or 0) if self._from_start else 0
        return Truth(Moment(moment.t_us + first, moment.things) for moment in self._truth.moments)


def simulated(seeds: int, limit: int | None = None) -> list[Footage]:
    """Return the scenes: every kind of :data:`KINDS` in ``seeds`` draws, ``limit`` kinds at the most."""
    return [
        SimulatedFootage(replace(kind, seed=FIRST_SEED * (number + 1) + draw))
        for number, kind in enumerate(_kinds()[:limit])
        for draw in range(seeds)
    ]


def _kinds() -> list[SceneSettings]:

    small, qvga, vga, hd = (Resolution(*size) for size in ((128, 128), (320, 240), (640, 480), (1280, 720)))
    return [
        SceneSettings(small, 1, small=0.3, large=0.5),
        SceneSettings(qvga, 1),
        SceneSettings(qvga, 2, apart=True),
        SceneSettings(vga, 4, small=0.1, large=0.3, apart=True),
        SceneSettings(vga, 8, small=0.1, large=0.2, apart=True, seconds=4),
        SceneSettings(qvga, 3, apart=True, stops=True),
        SceneSettings(small, 2, small=0.25, large=0.4),
        SceneSettings(qvga, 2),
        SceneSettings(vga, 4, small=0.1, large=0.3),
        SceneSettings(vga, 8, small=0.08, large=0.2, seconds=4),
        SceneSettings(qvga, 3, stops=True),
        SceneSettings(hd, 5, small=0.08, large=0.3, seconds=3),
        SceneSettings(qvga, 2, apart=True, camera_moves=0.05),
        SceneSettings(vga, 4, small=0.1, large=0.3, apart=True, camera_moves=0.05),
    ]


def in_folder(root: Path, limit: int | None = None) -> list[Footage]:
    """Return the recordings of a folder that have boxes, ``limit`` at the most.

    Raises
    ------
    UserError
        When there are none, or one cannot be opened.
    """
    if not root.is_dir():
        raise UserError(f"no folder {root}: expected there {EXPECTED}")
    pairs = sorted(_pairs(root), key=lambda pair: str(pair.recording))[:limit]
    if not pairs:
        raise UserError(f"{root} has no recordings with boxes: expected there {EXPECTED}")
    labels = _labels(root / "labels.txt")
    return [RecordedFootage(pair, labels) for pair in pairs]


def _pairs(root: Path) -> Iterator[_Pair]:

    suffixes = known_suffixes()
    for recording in sorted(path for path in root.rglob("*") if path.suffix.lower() in suffixes):
        stem = recording.name[: -len(recording.suffix)]
        bare = stem.removesuffix("_td")
        beside = (f"{bare}_bbox.npy", f"{stem}.txt", f"{stem}/gt/gt.txt", "gt/gt.txt")
        if stem.endswith("_bbox") or recording.parent.name == "gt" or recording.name == "labels.txt":
            continue
        boxes = next(
            (recording.parent / name for name in beside if (recording.parent / name).is_file()), None
        )
        if boxes is not None and boxes != recording:
            yield _Pair(recording, boxes)


def _labels(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no list of labels ({error})") from None
    return tuple(line.strip() for line in lines if line.strip())


def _fps(pair: _Pair) -> float:
    above = pair.boxes.parent.parent if pair.boxes.parent.name == "gt" else pair.boxes.parent
    for path in (above / "seqinfo.ini", pair.recording.parent / "seqinfo.ini"):
        if not path.is_file():
            continue
        told = ConfigParser(interpolation=None)
        try:
            told.read_string(path.read_text(encoding="utf-8"))
            fps = told.getfloat("Sequence", "frameRate")
        except (OSError, ValueError, ConfigError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path}: no frameRate in [Sequence] ({reason})") from None
        if not (np.isfinite(fps) and 0 < fps <= 1e6):
            raise UserError(f"{path}: frameRate {fps:g} is no number of frames a second")
        return fps
    return MOT_FPS
