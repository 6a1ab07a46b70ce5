"""A camera that is not there: one or more pictures move before a simulated sensor.

For trying everything without hardware, and for tests: the same seed gives the same events, however fast they
are read. The events themselves come from :mod:`neuroclip_drivers.simulator.event_synthesis`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_drivers.controls import Control, find
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.simulator.event_synthesis import EventSynthesizer, SensorModel
from neuroclip_drivers.simulator.pacing import wait_until
from neuroclip_drivers.simulator.pictures import gray, read_picture
from neuroclip_drivers.simulator.sensor_controls import sensor_controls, tuned
from neuroclip_drivers.simulator.show import SHOW_SENSOR, load_show
from neuroclip_drivers.simulator.show_words import SHOW_PROMPTS
from neuroclip_drivers.source import GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, join_packets

Image = npt.NDArray[np.uint8]
MotionName = Literal["shake", "orbit", "pan", "spin", "zoom"]

STEP_US = (1_000, 2_500)
"""Shortest and longest simulated time between two images; slow motion needs fewer."""

PACKET_US = 5_000
"""Simulated time a packet spans."""

FRAME_US = 40_000
"""Simulated time between two frames that are recorded, about that of a DAVIS."""

_GROUND, _DARK, _BRIGHT = 120, 30, 225

RESOLUTION = Resolution(240, 180)
"""Size of the simulated sensor unless another is asked for."""


class SimulatorSource:
    """An :class:`~neuroclip_drivers.source.EventSource` of moving pictures.

    Parameters
    ----------
    pictures : sequence of path or ndarray
        Images to show one after the other; arrays are (H, W) uint8, or (2, H, W) gray and opacity. Without
        any, those that ship with the program (:mod:`neuroclip_drivers.simulator.show`).
    resolution : Resolution
        Size of the simulated sensor.
    motion : {"shake", "orbit", "pan", "spin", "zoom"}
        How the picture moves.
    frequency_hz : float
        Rounds of the motion a second.
    scale : float
        Longer side of the picture, as a share of the sensor's shorter side.
    seconds_each : float
        How long each picture is shown, when there are several.
    sensor : SensorModel, optional
    seed : int
    duration_s : float, optional
        Simulated time after which the stream ends; endless without.
    realtime : bool
        Give events no sooner than a camera would. Without it they come as fast as they can be made.

    Raises
    ------
    UserError
        If a picture cannot be read or a setting makes no sense.
    """

    def __init__(
        self,
        pictures: Sequence[str | Path | npt.NDArray[Any]] = (),
        *,
        resolution: Resolution = RESOLUTION,
        motion: MotionName = "shake",
        frequency_hz: float = 1.0,
        scale: float = 0.7,
        seconds_each: float = 4.0,
        sensor: SensorModel | None = None,
        seed: int = 0,
        duration_s: float | None = None,
        realtime: bool = True,
    ) -> None:
        if motion not in get_args(MotionName):
            raise UserError(f"no motion is called {motion!r}; choose {', '.join(get_args(MotionName))}")
        if not (frequency_hz > 0 and scale > 0 and seconds_each > 0):
            raise UserError("frequency, scale and seconds for each picture of the simulator are above zero")
        shown = [(_name(picture), *_load(picture)) for picture in pictures] or load_show()
        self._pictures = [_Shown(name, *_on_ground(gray, alpha)) for name, gray, alpha in shown]
        self._first_sensor = sensor or (SensorModel() if pictures else SHOW_SENSOR)
        self.name = "Simulated camera"
        self.words = "" if pictures else SHOW_PROMPTS  # for what it shows, where that is known
        self.resolution = resolution
        self.live = realtime
        self._motion, self._frequency, self._scale = motion, frequency_hz, scale
        self._step_us = min(STEP_US[1], max(STEP_US[0], round(2_500 / frequency_hz)))
        self._each_us = round(seconds_each * 1e6)
        self._sensor, self._seed, self._realtime = self._first_sensor, seed, realtime
        self._end_us = None if duration_s is None else round(duration_s * 1e6)
        self._turned_on = 0.0  # phase, so that another frequency does not make the picture jump
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._state = SourceState.STREAMING
        self._position_us: int | None = None
        self._frame: GrayFrame | None = None
        self._side = SideStreams.of_sensor(resolution, frames=True)

    def packets(self) -> Iterator[Packet]:
        """Yield packets of 5 ms of simulated time until the end, or until closed."""
        synthesizer = EventSynthesizer(self.resolution, self._sensor, self._seed)
        started = time.monotonic()
        synthesizer.step(self.image_at(0), 0)
        t_us = 0
        sensor, shown = self._sensor, self._at(0)
        while not self._closed.is_set() and (self._end_us is None or t_us < self._end_us):
            if self._sensor is not sensor:
                sensor = self._sensor
                synthesizer.tune(sensor)
            parts = []
            stop = t_us + PACKET_US if self._end_us is None else min(t_us + PACKET_US, self._end_us)
            while t_us < stop:
                t_us = min(t_us + self._step_us, stop)
                image = self.image_at(t_us)
                if self._at(t_us) is not shown:
                    shown = self._at(t_us)
                    synthesizer.cut()  # else the whole sensor fires, which shows nothing of the thing
                parts.append(synthesizer.step(image, t_us))
            self._frame = GrayFrame(t_us, image)
            if t_us // FRAME_US > (t_us - PACKET_US) // FRAME_US:
                self._side.add_frame(t_us, image)
            if self._realtime:
                yield from wait_until(started + t_us / 1e6, self._closed)
            packet = join_packets(parts)
            if len(packet):
                self._position_us = int(packet["t"][-1])
            yield packet
        self._state = SourceState.ENDED

    def status(self) -> SourceStatus:
        """Return a snapshot."""
        return SourceStatus(
            self._state, position_us=self._position_us, shows=self._at(self._position_us or 0).name
        )

    def side_streams(self) -> SideStreams:
        """Return the picture as frames, 25 a second."""
        return self._side

    def latest_frame(self) -> GrayFrame | None:
        """Return the picture as the sensor saw it last."""
        return self._frame

    def close(self) -> None:
        """Stop; may be called more than once, from any thread."""
        self._closed.set()
        self._state = SourceState.ENDED

    def controls(self) -> list[Control]:
        """Return what can be set while it runs: the motion, and how the sensor sees it."""
        motions = get_args(MotionName)
        at = float(motions.index(self._motion))
        return [
            Control("Motion", "", 0, len(motions) - 1, at, "How the picture moves.", 0.0, "choice", motions),
            Control(
                "Speed", "Hz", 0.1, 5.0, self._frequency, "Rounds of the motion a second.", 1.0, step=0.1
            ),
            Control("Size", "%", 10, 100, self._scale * 100, "Size of the picture in the view.", 70.0),
            *sensor_controls(self._sensor, self._first_sensor),
        ]  # fmt: skip

    def set_control(self, name: str, value: float) -> None:
        """Set one of :meth:`controls`; takes effect with the next packet."""
        value = find(self.controls(), name).checked(value)
        with self._lock:
            if name == "Motion":
                self._motion = get_args(MotionName)[round(value)]
            elif name == "Speed":
                seconds = (self._position_us or 0) / 1e6
                self._turned_on += 2 * np.pi * (self._frequency - value) * seconds
                self._frequency = value
            elif name == "Size":
                self._scale = value / 100
            else:
                self._sensor = tuned(self._sensor, name, value)

    def presets(self) -> dict[str, dict[str, float]]:
        """Return named settings of :meth:`controls`."""
        default = {control.name: control.default for control in self.controls()}
        return {
            "As at first": default,
            "Noisy": {**default, "Noise": 10.0},
            "Dim": {**default, "Contrast threshold": 0.5, "Noise": 4.0},
            "Fast": {**default, "Speed": 3.0},
        }

    def image_at(self, t_us: int) -> npt.NDArray[np.uint8]:
        """Return what the sensor sees at a time, (H, W) uint8."""
        shown = self._at(t_us)
        picture = shown.image
        width, height = self.resolution
        base = self._scale * min(width, height) / max(picture.shape)
        phase = 2 * np.pi * self._frequency * t_us / 1e6 + self._turned_on
        dx, dy, turn, growth = _pose(self._motion, phase)
        matrix = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), turn, base * growth)
        matrix[0, 2] += (width - picture.shape[1]) / 2 + dx * width
        matrix[1, 2] += (height - picture.shape[0]) / 2 + dy * height
        size, ground = (width, height), shown.ground
        seen = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=ground)
        return np.asarray(seen, dtype=np.uint8)

    def _at(self, t_us: int) -> _Shown:
        return self._pictures[(t_us // self._each_us) % len(self._pictures)]


def _pose(motion: MotionName, phase: float) -> tuple[float, float, float, float]:
    """Return shift (x, y in shares of the view), turn in degrees and growth at a phase of the motion."""
    if motion == "shake":  # saccades, as N-MNIST was recorded: three strokes that come back
        return 0.05 * float(np.sin(phase)), 0.04 * float(np.sin(2 * phase + 1)), 0.0, 1.0
    if motion == "orbit":
        return 0.08 * float(np.cos(phase)), 0.08 * float(np.sin(phase)), 0.0, 1.0
    if motion == "pan":
        return 0.25 * float(np.sin(phase / 2)), 0.0, 0.0, 1.0
    if motion == "spin":
        return 0.0, 0.0, float(np.degrees(phase)) % 360, 1.0
    return 0.0, 0.0, 0.0, float(np.exp(0.25 * np.sin(phase)))


@dataclass(frozen=True)
class _Shown:
    """A picture on show: its name, its gray values on its ground, and the gray of the ground around it."""

    name: str
    image: Image
    ground: int


def _name(picture: str | Path | npt.NDArray[Any]) -> str:
    return Path(picture).name if isinstance(picture, (str, Path)) else "a picture"


def _on_ground(gray: Image, alpha: Image) -> tuple[Image, int]:
    """Lay a picture on a ground once, so that showing it takes one warp; return it and the ground's gray.

    A thing cut out stands before the ground it differs most from: against its own gray it would be unseen.
    """
    cover = alpha.astype(np.uint16)
    ground = _GROUND
    if cover.any() and int(alpha.min()) < 255:
        ground = _DARK if np.average(gray, weights=cover) > _GROUND else _BRIGHT
    laid = (gray * cover + np.uint16(ground) * (255 - cover)) // 255
    return np.asarray(laid, dtype=np.uint8), ground


def _load(picture: str | Path | npt.NDArray[Any]) -> tuple[Image, Image]:
    """Return a picture's gray values and opacity, both (H, W) uint8."""
    if isinstance(picture, (str, Path)):
        path = Path(picture)
        if not path.is_file():
            raise UserError(f"there is no picture {path}; give the path of an image file")
        data = read_picture(path)
        if data.dtype != np.uint8:
            data = (data / np.iinfo(data.dtype).max * 255).astype(np.uint8)
        if data.ndim == 2:
            return np.asarray(data), np.full(data.shape, 255, np.uint8)
        shade = gray(data)
        alpha = data[..., 3] if data.shape[2] == 4 else np.full(shade.shape, 255, np.uint8)
        return shade, np.ascontiguousarray(alpha)
    array = np.asarray(picture)
    if array.dtype == np.uint8 and array.ndim == 2:
        return array, np.full(array.shape, 255, np.uint8)
    if array.dtype == np.uint8 and array.ndim == 3 and len(array) == 2:
        return np.ascontiguousarray(array[0]), np.ascontiguousarray(array[1])
    raise UserError(f"a picture is (H, W) or (2, H, W) uint8, not {array.shape} {array.dtype}")
