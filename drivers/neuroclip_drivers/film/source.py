"""A source of events whose sensor is simulated before a film or a webcam's frames.

For whoever has no event camera. What it gives is worth what the frames are: 25 to 60 a second tell nothing of
what happens between them, motion blur stays blurred, and what is too bright or too dark for the camera is
gone. It shows what the program does, not what an event camera is good at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from neuroclip_drivers.controls import Control, find
from neuroclip_drivers.film.between import Between
from neuroclip_drivers.film.frames import FilmFrames, Frames, Image, WebcamFrames
from neuroclip_drivers.opening import SourceSpec
from neuroclip_drivers.side_streams import SideStreams
from neuroclip_drivers.simulator.event_synthesis import EventSynthesizer, SensorModel
from neuroclip_drivers.simulator.pacing import wait_until
from neuroclip_drivers.simulator.sensor_controls import sensor_controls, tuned
from neuroclip_drivers.source import GrayFrame, SourceState, SourceStatus
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, empty_packet

LONGEST_SIDE = 320
"""Larger frames are reduced to it: the model looks at 96 pixels, and a laptop has to keep up."""
FIRST_FRAME_S = 10.0
"""A webcam that gives nothing for so long gives nothing."""
PAUSE_US = 300_000
"""Frames farther apart are no motion: a webcam that was held up, a film that jumps."""
FILM_SENSOR = SensorModel(threshold_on=0.3, threshold_off=0.3, background_hz=0.05, hot_hz=2.0)
"""A sensor that does not see the noise of a webcam's picture as motion."""


class FilmSource:
    """An :class:`~neuroclip_drivers.source.EventSource` of frames.

    Parameters
    ----------
    frames : Frames
    realtime : bool
        Give a film's events no sooner than they happen in it.
    end_s : float, optional
        Where it ends, in seconds of the film.
    sensor : SensorModel
    seed : int

    Raises
    ------
    UserError
        When not one frame comes.
    """

    def __init__(
        self,
        frames: Frames,
        *,
        realtime: bool = True,
        end_s: float | None = None,
        sensor: SensorModel = FILM_SENSOR,
        seed: int = 0,
    ) -> None:
        self._frames, self._realtime = frames, realtime
        self._came = frames.frames()
        self._begin_us, image = self._first()
        height, width = image.shape
        scale = min(1.0, LONGEST_SIDE / max(width, height))
        self.resolution = Resolution(max(1, round(width * scale)), max(1, round(height * scale)))
        self._image = self._fitted(image)
        self.name = f"{frames.name} (simulated events)"
        self.live = frames.live or realtime
        self._end_us = None if end_s is None else round(end_s * 1e6)
        self._first_sensor = self._sensor = sensor
        self._seed = seed
        self._closed = threading.Event()
        self._state = SourceState.STREAMING
        self._position_us: int | None = None
        self._frame: GrayFrame | None = None
        self._side = SideStreams.of_sensor(self.resolution, frames=True)

    def _first(self) -> tuple[int, Image]:
        until = time.monotonic() + FIRST_FRAME_S
        for frame in self._came:
            if frame is not None:
                return frame
            if time.monotonic() > until:
                break
        self._frames.close()
        raise UserError(f"{self._frames.name} gives no pictures; try another")

    def packets(self) -> Iterator[Packet]:
        """Yield packets of some milliseconds until the film ends, or until closed."""
        sensor = self._sensor
        synthesizer, between = EventSynthesizer(self.resolution, sensor, self._seed), Between()
        synthesizer.step(self._image, 0)
        begun, t_us = time.monotonic(), 0
        for frame in self._came:
            if self._closed.is_set() or (self._end_us is not None and t_us >= self._end_us):
                break
            if frame is None:
                yield empty_packet()
                continue
            if sensor is not self._sensor:
                sensor = self._sensor
                synthesizer.tune(sensor)
            before, before_us = self._image, t_us
            self._image, t_us = self._fitted(frame[1]), max(t_us, frame[0] - self._begin_us)
            if t_us - before_us > PAUSE_US:
                synthesizer.cut()
                synthesizer.step(self._image, t_us)
                continue
            for share, image in between.images(before, self._image):
                at_us = before_us + round(share * (t_us - before_us))
                packet = synthesizer.step(image, at_us)
                if not self._frames.live and self._realtime:
                    yield from wait_until(begun + at_us / 1e6, self._closed)
                if len(packet):
                    self._position_us = int(packet["t"][-1])
                yield packet
            self._frame = GrayFrame(t_us, self._image)
            self._side.add_frame(t_us, self._image)
        self._state = SourceState.ENDED

    def _fitted(self, image: Image) -> Image:
        size = self.resolution.width, self.resolution.height
        if image.shape == size[::-1]:
            return image
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def status(self) -> SourceStatus:
        """Return a snapshot."""
        return SourceStatus(self._state, position_us=self._position_us)

    def side_streams(self) -> SideStreams:
        """Return the frames themselves."""
        return self._side

    def latest_frame(self) -> GrayFrame | None:
        """Return the frame that was shown last."""
        return self._frame

    def close(self) -> None:
        """Stop; may be called more than once, from any thread."""
        self._closed.set()
        self._frames.close()
        self._state = SourceState.ENDED

    def controls(self) -> list[Control]:
        """Return what can be set while it runs."""
        return sensor_controls(self._sensor, self._first_sensor)

    def set_control(self, name: str, value: float) -> None:
        """Set one of :meth:`controls`; takes effect with the next frame."""
        self._sensor = tuned(self._sensor, name, find(self.controls(), name).checked(value))


def open_film(spec: SourceSpec) -> FilmSource:
    """Hold a simulated sensor before the film that ``spec`` names."""
    frames = FilmFrames(Path(spec.target or "").expanduser(), spec.loop)
    return FilmSource(frames, realtime=spec.speed is not None, end_s=spec.end_s)


def open_webcam(spec: SourceSpec) -> FilmSource:
    """Hold a simulated sensor before the webcam of the number in ``spec``, the first without.

    Raises
    ------
    UserError
        When there is none of that number, or it gives no pictures.
    """
    number = spec.target or "0"
    if not number.isdecimal() or len(number) > 3:
        raise UserError(f"--webcam {number[:40]!r}: give a webcam's number, 0 for the first")
    return FilmSource(WebcamFrames(int(number)), end_s=spec.end_s)
