"""Frames of a film or a webcam, gray and with their times, as OpenCV reads them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from neuroclip_drivers.film.webcams import Webcam, list_webcams, why_not
from neuroclip_drivers.simulator.pictures import gray
from neuroclip_drivers.source import MAX_WAIT_S
from neuroclip_live.errors import UserError

Image = npt.NDArray[np.uint8]
Capture = Callable[[Any], Any]
"""What opens a film or a webcam: :func:`open_quietly`, or a stand-in for it."""

FPS = 30.0
"""Of a film that tells neither times nor a rate."""
_FASTEST_HZ = 1000.0


class Frames(Protocol):
    """Where frames come from."""

    name: str
    live: bool

    def frames(self) -> Iterator[tuple[int, Image] | None]:
        """Yield (time in µs, (H, W) uint8); None now and then where nothing has come. Ends with the film."""
        ...

    def close(self) -> None:
        """Give it back; idempotent."""
        ...


def open_quietly(what: Any) -> Any:
    """Open a film or a webcam; OpenCV and FFmpeg say nothing on the terminal, where one line tells it all."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # asked for by OpenCV at its first film
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(what)
    finally:
        cv2.utils.logging.setLogLevel(before)


class FilmFrames:
    """The frames of a film.

    Parameters
    ----------
    path : Path
    loop : bool
        Begin again at the end; times go on.
    capture : callable

    Raises
    ------
    UserError
        When it is none that can be read.
    """

    live = False

    def __init__(self, path: Path, loop: bool = False, capture: Capture = open_quietly) -> None:
        self._path, self._loop, self._capture = path, loop, capture
        self.name = path.name
        self._closed = threading.Event()
        self._film = self._open()

    def _open(self) -> Any:
        film = self._capture(str(self._path))
        if not film.isOpened():
            raise UserError(f"{self._path} is no picture or film that can be read; give a PNG, JPEG or MP4")
        return film

    def frames(self) -> Iterator[tuple[int, Image] | None]:
        """Yield its frames, as fast as they can be read."""
        begin_us = 0
        while True:
            last_us, step_us, count = -1, round(1e6 / _rate(self._film)), 0
            while not self._closed.is_set():
                told_us = round(self._film.get(cv2.CAP_PROP_POS_MSEC) * 1000)
                there, image = self._film.read()
                if not there:
                    break
                # some files tell no times, or the same again
                t_us = told_us if told_us > last_us and (told_us or not count) else last_us + step_us
                last_us, count = max(0, t_us), count + 1
                yield begin_us + last_us, gray(image)
            self._film.release()
            if self._closed.is_set() or not self._loop or not count:
                return
            begin_us += last_us + step_us
            self._film = self._open()

    def close(self) -> None:
        """Stop."""
        self._closed.set()


class WebcamFrames:
    """The newest frame of a webcam, again and again; what is not fetched in time is passed over.

    Parameters
    ----------
    number : int
        0 is the first.
    capture : callable
    webcams : callable
        Returns those there are, to say why one cannot be opened.

    Attributes
    ----------
    passed_over : int
        Frames that nobody fetched before the next came.

    Raises
    ------
    UserError
        When there is none, or it is in use.
    """

    live = True

    def __init__(
        self,
        number: int = 0,
        capture: Capture = open_quietly,
        webcams: Callable[[], list[Webcam]] = list_webcams,
    ) -> None:
        self.name = f"Webcam {number}"
        self._camera = capture(number)
        if not self._camera.isOpened():
            self._camera.release()
            raise why_not(number, webcams())
        self.passed_over = 0
        self._newest: tuple[int, Image] | None = None
        self._came = threading.Condition()
        self._closed = threading.Event()
        self._ended = False
        self._begin = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="webcam", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while not self._closed.is_set():
                there, image = self._camera.read()
                if not there:
                    break
                frame = round((time.monotonic() - self._begin) * 1e6), gray(image)
                with self._came:
                    self.passed_over += self._newest is not None
                    self._newest = frame
                    self._came.notify_all()
        finally:
            with self._came:
                self._ended = True
                self._came.notify_all()
            self._camera.release()

    def frames(self) -> Iterator[tuple[int, Image] | None]:
        """Yield the newest frame each time there is one; None every 50 ms without."""
        while not self._closed.is_set():
            with self._came:
                if self._newest is None and not self._ended:
                    self._came.wait(MAX_WAIT_S)
                frame, self._newest = self._newest, None
                if frame is None and self._ended:
                    return
            yield frame

    def close(self) -> None:
        """Stop and give the camera back."""
        self._closed.set()
        if self._thread is not threading.current_thread():
            self._thread.join(1.0)


def _rate(film: Any) -> float:
    rate = float(film.get(cv2.CAP_PROP_FPS))
    return rate if 0.1 <= rate <= _FASTEST_HZ else FPS
